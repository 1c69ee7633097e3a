import Fleet

/// One thing that must hold before a peak, with what is known of it.
public struct ReadinessLine: Sendable, Equatable {
  /// By when it must hold: the calendar of a peak.
  public enum Stage: String, Sendable, CaseIterable {
    case twoWeeks = "two weeks before"
    case oneWeek = "one week before"
    case day = "on the day"
  }

  /// What is looked at; raw values are the ids of results.
  public enum Subject: String, Sendable, CaseIterable {
    case load = "load-tested"
    case failover = "failover-tried"
    case backup = "backup-verified"
    case memory = "memory-at-factor"
    case latency = "latency-at-factor"
    case headroom = "headroom-estimate"
    case version = "one-version"
    case drift = "no-drift"
    case size = "expected-size"
    case fork = "fork-headroom"
    case alerts = "alert-path-tested"
    case jitter = "ttl-jitter"
    case locks = "stampede-locks"
    case runbooks = "runbooks-printed"
    case warmth = "keys-warm"
    case hitRatio = "hit-ratio"
    case critical = "nothing-critical"

    public var stage: Stage {
      switch self {
      case .load, .failover, .backup, .memory, .latency, .headroom: .twoWeeks
      case .version, .drift, .size, .fork, .alerts, .jitter, .locks: .oneWeek
      case .runbooks, .warmth, .hitRatio, .critical: .day
      }
    }

    public var title: String {
      switch self {
      case .load: "a load test held, with a failover in the same run"
      case .failover: "a failover was tried"
      case .backup: "a backup was verified"
      case .memory: "memory suffices at the peak"
      case .latency: "answers are fast enough at the peak"
      case .headroom: "headroom (estimate)"
      case .version: "all servers have one version"
      case .drift: "settings do not differ"
      case .size: "as many members as the peak needs"
      case .fork: "memory for a fork"
      case .alerts: "alerts arrive"
      case .jitter: "keys do not expire in the same second"
      case .locks: "locks keep a stampede away"
      case .runbooks: "runbooks are printed"
      case .warmth: "the keys that matter are there"
      case .hitRatio: "lookups find their keys"
      case .critical: "nothing is critical"
      }
    }

    /// What only people can know.
    public var isTicked: Bool { self == .jitter || self == .locks || self == .runbooks }
  }

  public let subject: Subject
  public let answer: CheckResult.Answer
  /// The evidence, or what is missing.
  public let text: String

  public init(_ subject: Subject, _ answer: CheckResult.Answer, _ text: String) {
    (self.subject, self.answer, self.text) = (subject, answer, text)
  }

  /// As commands give it.
  func result(of workload: String) -> CheckResult {
    CheckResult(
      check: subject.rawValue, group: .posture, workload: workload, answer: answer,
      severity: answer == .finding ? (subject == .critical ? .critical : .warning) : nil,
      text: answer == .unknown ? "" : text, reason: answer == .unknown ? text : nil)
  }
}
