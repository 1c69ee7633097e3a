/// The page at `/`: where the metrics are, and how each target does.
public struct LandingPage: Sendable {
  /// One Redis, as people see it.
  public struct Target: Sendable {
    public var address: String
    /// The name of its own page under `/node/`; nil for none.
    public var page: String?
    /// One word: `up`, `down`, `loading`.
    public var state: String
    /// Whether the state is a good one.
    public var isHealthy: Bool
    /// Why it is not, in a few words; empty when it is.
    public var reason: String
    /// Seconds since the last good poll; nil when there was none.
    public var lastGoodPollAgeSeconds: Double?

    public init(
      address: String, page: String? = nil, state: String, isHealthy: Bool, reason: String = "",
      lastGoodPollAgeSeconds: Double?
    ) {
      self.address = address
      self.page = page
      self.state = state
      self.isHealthy = isHealthy
      self.reason = reason
      self.lastGoodPollAgeSeconds = lastGoodPollAgeSeconds
    }
  }

  /// The most targets that are listed.
  static let targetLimit = 500

  public var version: String
  public var metricsPath: String
  public var targets: [Target]

  public init(version: String, metricsPath: String, targets: [Target]) {
    self.version = version
    self.metricsPath = metricsPath
    self.targets = targets
  }

  public func response() -> Response {
    var layout = Layout(title: "Redline \(version)", content: content)
    layout.navigation = Navigation(.topology, metricsPath: metricsPath)
    return layout.response()
  }

  private var content: HTML {
    """
    <p><a href="/health">Health</a></p>
    <h2>Targets</h2>
    \(targets.isEmpty ? "<p class=\"dim\">No target is configured.</p>" : table)
    """
  }

  private var table: HTML {
    let hidden = targets.count - Self.targetLimit
    let note: HTML = hidden > 0 ? "<p class=\"dim\">\(hidden) further targets are not listed.</p>" : ""
    return """
      <div class="table"><table>
      <thead><tr><th>Address</th><th>State</th><th>Reason</th><th>Last good poll</th></tr></thead>
      <tbody>
      \(HTML.joined(targets.prefix(Self.targetLimit).map(row)))</tbody>
      </table></div>
      \(note)
      """
  }

  private func row(_ target: Target) -> HTML {
    let kind: HTML = target.isHealthy ? "good" : "bad"
    let address: HTML =
      target.page.map { "<a href=\"/node/\(pathEncoded($0))\">\(target.address)</a>" } ?? "\(target.address)"
    return """
      <tr><td>\(address)</td><td class="\(kind)">\(target.state)</td><td>\(target.reason)</td>\
      <td>\(age(target.lastGoodPollAgeSeconds))</td></tr>

      """
  }
}
