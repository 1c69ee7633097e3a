/// The page at `/alerts`: what fires and what waits to fire, by workload and alert, the worst first; below it what has ended.
///
/// Everything that comes from elsewhere is escaped and cut, and the whole is bounded.
public struct AlertsPage: Sendable {
  public enum State: String, Sendable, CaseIterable, Comparable {
    case firing, pending, inactive

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    /// Firing before pending before inactive.
    public static func < (left: State, right: State) -> Bool { left.rank < right.rank }
  }

  /// What is shown, chosen by `?state=`.
  public enum Filter: String, Sendable, CaseIterable {
    case firing, pending
    /// What has ended lately.
    case resolved

    /// What the field `state` may also say: such rules are on the page of rules.
    public static let ofRules = ["inactive", "broken"]
  }

  /// That an Alertmanager was sent an alert, or should have been.
  public struct Notice: Sendable {
    public var receiver: String
    /// Since the epoch.
    public var seconds: Double
    /// `accepted`, or what became of it instead.
    public var outcome: String

    public init(receiver: String, seconds: Double, outcome: String) {
      (self.receiver, self.seconds, self.outcome) = (receiver, seconds, outcome)
    }
  }

  /// Who knows of an alert.
  public struct Delivery: Sendable {
    /// The newest of each Alertmanager.
    public var notices: [Notice] = []
    /// Why Alertmanager keeps it from everybody, each in a few words.
    public var mutes: [String] = []
    /// Whom Alertmanager tells.
    public var routes: [String] = []
    /// The number of the evidence that was gathered; nil for none.
    public var evidence: String?
  }

  /// One label set for which a rule's expression holds or held. Times are seconds since the epoch.
  public struct Alert: Sendable {
    public var name: String
    /// Sorted by name, without `alertname`.
    public var labels: [(name: String, value: String)]
    public var state: State
    public var value: Double
    /// When the expression began to hold.
    public var activeSeconds: Double
    public var firedSeconds: Double?
    /// When it ended, where it is inactive.
    public var resolvedSeconds: Double?
    /// Since when only the rule's `keep_firing_for` holds it.
    public var keptSinceSeconds: Double?
    /// How long the expression must hold before it fires.
    public var forSeconds = 0.0
    public var summary = ""
    public var description = ""
    private var runbook: (address: String?, query: String) = (nil, "")
    /// Further annotations, sorted by name.
    public var annotations: [(name: String, value: String)] = []
    /// What its server is; empty where that is not known.
    public var role = ""
    public var delivery = Delivery()

    public init(
      _ name: String, labels: [(name: String, value: String)], state: State, value: Double, activeSeconds: Double
    ) {
      self.name = name
      self.labels = labels
      self.state = state
      self.value = value
      self.activeSeconds = activeSeconds
    }

    func label(_ name: String) -> String? { labels.first { $0.name == name }?.value }

    public var instance: String? { label("instance") }
    var workload: String { label("workload") ?? "" }
    var severity: String { label("severity") ?? "" }
    /// It fires for ever, so that its silence is noticed.
    var isHeartbeat: Bool { severity == "none" }
    var sinceSeconds: Double { firedSeconds ?? activeSeconds }

    /// Where its author says what to do, such as on a wiki.
    public var runbookAddress: String? {
      get { runbook.address }
      set { runbook.address = newValue }
    }

    /// What the address of its runbook ends with, so that its commands are filled in.
    public var runbookQuery: String {
      get { runbook.query }
      set { runbook.query = newValue }
    }

    var level: TopologyPage.Level {
      guard state != .inactive, !isHeartbeat else { return .note }
      return switch severity {
      case "critical": state == .firing ? .grave : .warning
      case "info": .note
      default: .warning
      }
    }
  }

  /// The alerts of one name that one workload has, the worst first.
  struct Group {
    let name: String
    let alerts: [Alert]

    var level: TopologyPage.Level { alerts.map(\.level).max() ?? .note }
    var sinceSeconds: Double { alerts.map(\.sinceSeconds).min() ?? 0 }
  }

  /// What one workload has; without a name what belongs to none.
  struct Section {
    let workload: String
    let groups: [Group]

    var level: TopologyPage.Level { groups.map(\.level).max() ?? .note }
    var sinceSeconds: Double { groups.map(\.sinceSeconds).min() ?? 0 }
  }

  /// The most that is listed: alerts in all, alerts of one group, and what has ended.
  static let alertLimit = 200
  static let alertsOfGroupLimit = 50
  static let endedLimit = 50
  /// Runbooks that are shown in place.
  public static let runbookLimit = 12
  static let refreshSeconds = 10

  public var metricsPath: String
  /// In any order, those that have ended as well.
  public var alerts: [Alert]
  public var filter: Filter?
  /// Seconds since the epoch.
  public var nowSeconds: Double
  /// What the page cannot tell, such as that no rules are configured; empty for nothing.
  public var notice = ""
  /// The instances and the workloads that have a page of their own.
  public var nodes: Set<String> = []
  public var workloads: Set<String> = []
  /// The names of alerts that have a runbook here.
  public var runbookNames: Set<String> = []
  /// Those that are shown, by the alert's name and the query of its address.
  public var runbooks: [String: Markdown] = [:]
  /// The Alertmanagers, and whether alerts reach them.
  public var receivers: [Receiver] = []
  /// Alertmanagers that did not say what is silenced, each with why.
  public var unknownMutes: [(receiver: String, problem: String)] = []
  /// Rules whose last evaluation failed.
  public var brokenRuleCount = 0
  /// Other shards; empty where nobody is asked.
  public var elsewhere: [AlertsElsewhere] = []

  /// Where an alert leads that is shown elsewhere.
  ///
  /// - Parameter query: says what the runbook is about: `?workload=sessions`.
  static func address(of alert: String, _ hasRunbook: Bool, query: String = "") -> String {
    hasRunbook ? "/runbooks/\(pathEncoded(alert))\(query)" : "/alerts"
  }

  public init(metricsPath: String, alerts: [Alert], nowSeconds: Double) {
    self.metricsPath = metricsPath
    self.alerts = alerts
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    let firing = alerts.filter { $0.state == .firing && !$0.isHeartbeat }
    var layout = Layout(title: "Alerts", content: content)
    layout.windowTitle = firing.isEmpty ? nil : "\(firing.count) firing · Redline"
    layout.styles = Self.styles
    layout.navigation = Navigation(.alerts, metricsPath: metricsPath)
    layout.refreshSeconds = Self.refreshSeconds
    return layout.response()
  }

  /// Those that are not over, the worst workload first and in it the worst alert.
  var sections: [Section] {
    let active = alerts.filter { $0.state != .inactive && !$0.isHeartbeat && isShown($0) }
    return Dictionary(grouping: active, by: \.workload).map { workload, alerts in
      let groups = Dictionary(grouping: alerts, by: \.name).map { name, alerts in
        Group(
          name: name,
          alerts: alerts.sorted {
            ($0.state, -$0.level.rawValue, $0.sinceSeconds, $0.instance ?? "")
              < ($1.state, -$1.level.rawValue, $1.sinceSeconds, $1.instance ?? "")
          })
      }
      return Section(
        workload: workload,
        groups: groups.sorted {
          (-$0.level.rawValue, $0.sinceSeconds, $0.name) < (-$1.level.rawValue, $1.sinceSeconds, $1.name)
        })
    }.sorted {
      (-$0.level.rawValue, $0.sinceSeconds, $0.workload) < (-$1.level.rawValue, $1.sinceSeconds, $1.workload)
    }
  }

  func isShown(_ alert: Alert) -> Bool {
    switch filter {
    case nil: true
    case .firing: alert.state == .firing
    case .pending: alert.state == .pending
    case .resolved: alert.state == .inactive
    }
  }
}
