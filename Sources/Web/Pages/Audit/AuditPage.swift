/// The page at `/audit`: who could get at the servers, what is new since the first look, and what cannot be seen.
public struct AuditPage: Sendable {
  /// What a check says of servers for which it says the same.
  public struct Entry: Sendable {
    public var level: TopologyPage.Level
    /// `critical`, `warning`, `info`, `unknown`, `accepted`, `not compared`.
    public var verdict: String
    public var check: String
    /// Without the servers' names, which begin the sentence.
    public var text: String
    /// By their labels `instance`.
    public var servers: [String]
    /// It was there when its servers were looked over for the first time, and alerts nobody.
    public var isKnown = false
    /// Since when, in seconds since the epoch; nil where that is not known.
    public var sinceSeconds: Double?

    public init(_ level: TopologyPage.Level, _ verdict: String, check: String, text: String, servers: [String]) {
      (self.level, self.verdict, self.check, self.text, self.servers) = (level, verdict, check, text, servers)
    }
  }

  public struct Workload: Sendable {
    public var name: String
    /// The worst first.
    public var findings: [Entry] = []
    public var unknown: [Entry] = []
    public var asides: [Entry] = []
    /// Servers that answer, and those of them that were looked over.
    public var serverCount = 0
    public var lookedOverCount = 0
    /// The oldest of the newest looks, in seconds since the epoch.
    public var oldestLookSeconds: Double?
    /// nil where nobody looks.
    public var intervalSeconds: Double?

    public init(_ name: String) { self.name = name }
  }

  public var metricsPath: String
  /// Only of this workload; empty for all.
  public var workload = ""
  public var names: [String] = []
  public var workloads: [Workload]
  public var notice = ""
  public var nowSeconds: Double

  public init(_ workloads: [Workload], metricsPath: String, nowSeconds: Double) {
    (self.workloads, self.metricsPath, self.nowSeconds) = (workloads, metricsPath, nowSeconds)
  }

  public func response() -> Response {
    var layout = Layout(title: "Audit", content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(.audit, metricsPath: metricsPath)
    return layout.response()
  }

  /// Of one workload.
  static let entryLimit = 200
  static let workloadLimit = 100
  /// Named with an entry.
  static let serverLimit = 8
}
