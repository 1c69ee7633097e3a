/// What fires at another shard, which watches other workloads of the same file.
public struct AlertsElsewhere: Sendable {
  public struct Alert: Sendable {
    public var workload: String
    public var level: TopologyPage.Level
    /// Its name, and what it says.
    public var text: String
    /// Since when it fires, in seconds since the epoch; nil where that is not known.
    public var sinceSeconds: Double?

    public init(workload: String, level: TopologyPage.Level, text: String, sinceSeconds: Double?) {
      (self.workload, self.level, self.text, self.sinceSeconds) = (workload, level, text, sinceSeconds)
    }
  }

  /// The most of one shard that are listed, the worst first.
  private static let limit = 50

  public var shard: Int
  /// Where its pages are, without a slash at the end; nil where it gives no answer.
  public var site: String?
  /// Why nothing is known of it; empty where something is.
  public var problem = ""
  public var alerts: [Alert] = []

  public init(shard: Int, site: String?) { (self.shard, self.site) = (shard, site) }

  /// Whether it is known that nothing fires there.
  var isQuiet: Bool { site != nil && alerts.isEmpty }

  func html(now: Double) -> HTML {
    guard let site else {
      return
        "<p class=\"note\">Whether anything fires at shard \(shard) is unknown: \(clipped(problem, to: 300)).</p>\n"
    }
    let link: HTML = "<a href=\"\(site)/alerts\">shard \(shard)</a>"
    guard !alerts.isEmpty else { return "<p class=\"dim\">Nothing fires at \(link).</p>\n" }
    let ranked = alerts.sorted {
      (-$0.level.rawValue, $0.workload, $0.text) < (-$1.level.rawValue, $1.workload, $1.text)
    }
    let items: [HTML] = ranked.prefix(Self.limit).map { alert in
      let since: HTML = alert.sinceSeconds.map { " <small>since \(moment($0, now: now))</small>" } ?? ""
      return
        "<li class=\"\(alert.level.style)\">\(clipped(alert.workload)): \(clipped(alert.text, to: 400))\(since)</li>\n"
    }
    let hidden = alerts.count - items.count
    let more: HTML = hidden > 0 ? "<li class=\"dim\">\(hidden) further alerts are not listed.</li>\n" : ""
    return """
      <section><h2>At \(link)</h2>
      <ul class="findings">
      \(HTML.joined(items))\(more)</ul></section>

      """
  }
}
