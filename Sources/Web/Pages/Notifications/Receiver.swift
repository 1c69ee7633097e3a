import Runtime

/// An Alertmanager, and whether alerts reach it.
public struct Receiver: Sendable {
  /// Without credentials.
  public var address: String
  /// Since when they do not; of a refusal, when the newest was. In seconds since the epoch; nil where they do.
  public var failingSinceSeconds: Double?
  /// Why they do not.
  public var problem = ""
  /// It answers, and does not take the alerts.
  public var isRefusing = false
  /// When it last accepted alerts; nil where it has not yet.
  public var lastSuccessSeconds: Double?
  public var waitingCount = 0

  public init(_ address: String) { self.address = address }

  /// What is wrong, and since when; nil where nothing is.
  func trouble(now: Double) -> HTML? {
    failingSinceSeconds.map { since in
      let what: HTML =
        isRefusing
        ? "<b>\(clipped(address)) refused alerts</b>, most recently at"
        : "<b>Alerts are not delivered to \(clipped(address))</b> since"
      return "\(what) \(moment(since, now: now)): \(clipped(problem, to: 300))"
    }
  }

  /// The banner of pages about alerts: those that do not get them. Empty where all do.
  static func banner(_ receivers: [Receiver], now: Double) -> HTML {
    let troubles = receivers.compactMap { $0.trouble(now: now) }
    guard !troubles.isEmpty else { return "" }
    let hidden = troubles.count - bannerLimit
    let items: [HTML] = troubles.prefix(bannerLimit).map { "<p>\($0)</p>\n" }
    return """
      <div class="banner bad" role="alert">
      \(HTML.joined(items))\(html: hidden > 0 ? "<p>\(hidden) further Alertmanagers are not listed.</p>\n" : "")\
      <p><a href="/notifications">What was delivered</a></p>
      </div>

      """
  }

  private static let bannerLimit = 5

  /// Alertmanager's own form, filled in with those labels; nothing without an Alertmanager.
  static func silenceLink(
    in receivers: [Receiver], _ labels: [(name: String, value: String)], _ text: String
  ) -> HTML {
    guard let receiver = receivers.first(where: { $0.failingSinceSeconds == nil }) ?? receivers.first else { return "" }
    let matchers = labels.map { label in "\(label.name)=\(JSONWriter.text { $0.string(label.value) })" }
    let filter = "{\(matchers.joined(separator: ", "))}".percentEncoded()
    var address = receiver.address[...]
    while address.last == "/" { address.removeLast() }
    return """
      <a href="\(String(address))/#/silences/new?filter=\(filter)" rel="noreferrer">\(text)</a>
      """
  }
}
