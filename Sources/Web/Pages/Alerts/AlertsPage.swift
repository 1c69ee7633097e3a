/// The page at `/alerts`: what fires and waits to fire, why, and what to do; below it every rule with its state.
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
    case firing, pending, inactive
    /// Rules whose last evaluation failed.
    case broken
  }

  /// One label set for which a rule's expression holds or held. Times are seconds since the epoch.
  public struct Alert: Sendable {
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
    public var summary = ""
    public var description = ""
    /// Where its author says what to do, such as on a wiki.
    public var runbookAddress: String?
    /// Further annotations, sorted by name.
    public var annotations: [(name: String, value: String)] = []

    public init(labels: [(name: String, value: String)], state: State, value: Double, activeSeconds: Double) {
      self.labels = labels
      self.state = state
      self.value = value
      self.activeSeconds = activeSeconds
    }

    var level: TopologyPage.Level {
      guard state != .inactive else { return .note }
      return state == .firing && labels.contains { $0.name == "severity" && $0.value == "critical" } ? .grave : .warning
    }
  }

  public struct Rule: Sendable {
    public var name: String
    public var isRecording = false
    public var expression: String
    /// In seconds.
    public var forSeconds = 0.0
    public var keepFiringForSeconds = 0.0
    /// `ok`, `err` or `unknown`.
    public var health = "unknown"
    public var lastError = ""
    public var lastEvaluationSeconds: Double?
    public var evaluationDurationSeconds: Double?
    public var alerts: [Alert] = []
    /// What to do; only of rules with active alerts, so that the page stays small.
    public var runbook: Markdown?
    public var hasRunbook = false

    public init(_ name: String, expression: String) {
      self.name = name
      self.expression = expression
    }

    var state: State { alerts.map(\.state).min() ?? .inactive }
    var isBroken: Bool { health == "err" }
  }

  public struct Group: Sendable {
    public var name: String
    public var file: String
    public var intervalSeconds: Double?
    public var lastEvaluationSeconds: Double?
    public var evaluationDurationSeconds: Double?
    public var rules: [Rule]

    public init(_ name: String, file: String, rules: [Rule]) {
      self.name = name
      self.file = file
      self.rules = rules
    }
  }

  /// How many alerts fire and wait.
  struct Summary: Equatable {
    let firing: Int
    let pending: Int
    /// Rules whose last evaluation failed.
    let broken: Int

    init(_ groups: [Group]) {
      let rules = groups.flatMap(\.rules)
      let states = rules.flatMap(\.alerts).map(\.state)
      firing = states.count { $0 == .firing }
      pending = states.count { $0 == .pending }
      broken = rules.count(where: \.isBroken)
    }

    static func failing(_ count: Int) -> String { "\(count) \(count == 1 ? "rule fails" : "rules fail")" }
  }

  /// The most that is listed: alerts in all, alerts of one rule, and rules.
  static let alertLimit = 200
  static let alertsOfRuleLimit = 50
  static let ruleLimit = 1000
  static let refreshSeconds = 10

  public var metricsPath: String
  public var groups: [Group]
  public var filter: Filter?
  /// Whether a browser reloads the page by itself.
  public var isRefreshed = false
  /// Seconds since the epoch.
  public var nowSeconds: Double
  /// What the page cannot tell, such as that no rules are configured; empty for nothing.
  public var notice = ""
  /// The instances that have a page of their own.
  public var nodes: Set<String> = []
  /// The Alertmanagers, and whether alerts reach them.
  public var receivers: [Receiver] = []

  /// Where an alert leads that is shown elsewhere.
  static func address(of alert: String, _ hasRunbook: Bool) -> String {
    hasRunbook ? "/runbooks/\(pathEncoded(alert))" : "/alerts"
  }

  public init(metricsPath: String, groups: [Group], nowSeconds: Double) {
    self.metricsPath = metricsPath
    self.groups = groups
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: "Alerts", content: content)
    layout.styles = Self.styles
    layout.navigation = Navigation(.alerts, metricsPath: metricsPath)
    layout.refreshSeconds = isRefreshed ? Self.refreshSeconds : nil
    return layout.response()
  }
}
