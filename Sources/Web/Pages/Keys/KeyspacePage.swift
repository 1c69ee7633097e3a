/// The page at `/keys/WORKLOAD`: which prefixes hold a workload's keys, what grew, what never expires, and what expires at once.
public struct KeyspacePage: Sendable {
  /// Whether many keys of a prefix expire at once.
  public enum Expiry: Sendable {
    /// Too few keys that expire were looked at.
    case unknown
    case none
    case coming(Wave)
  }

  public struct Wave: Sendable {
    /// When it begins, in seconds since the epoch by the server's clock.
    public var seconds: Double
    /// Whether it is that very second; else the minute from it on.
    public var isSecond: Bool
    public var keys: Estimate

    public init(seconds: Double, isSecond: Bool, keys: Estimate) {
      (self.seconds, self.isSecond, self.keys) = (seconds, isSecond, keys)
    }
  }

  public struct Row: Sendable {
    /// Such as `session:*`; `other` for all that have no line of their own.
    public var prefix: String
    public var keys: Estimate
    /// In bytes; nil where that is not known, as below.
    public var memory: Estimate?
    public var keysWithoutTTL: Estimate?
    /// In bytes.
    public var change: Estimate?
    public var expiry = Expiry.unknown

    public init(_ prefix: String, keys: Estimate) { (self.prefix, self.keys) = (prefix, keys) }
  }

  /// What was compared to say what has grown.
  public enum Comparison: Sendable {
    /// With the sample of then, in seconds since the epoch.
    case with(seconds: Double)
    /// With nothing, for this reason; the oldest sample that will do is of then.
    case begun(sinceSeconds: Double, reason: String)
    /// With nothing, for this reason.
    case none(reason: String)
  }

  public struct Server: Sendable {
    /// The label `instance`.
    public var name: String
    /// Whether it has a page; not where it is no member any more.
    public var isMember: Bool
    /// Such as `replica, Redis 7.0.15`.
    public var about: String

    public init(_ name: String, isMember: Bool, about: String) {
      (self.name, self.isMember, self.about) = (name, isMember, about)
    }
  }

  public struct Sample: Sendable {
    /// By memory, or by keys where that is not known.
    public var rows: [Row]
    public var comparison: Comparison
    public var keyTotal = 0.0
    public var seenCount = 0
    /// Whether every key was looked at: nothing is estimated then.
    public var areAllKeys = false
    public var servers: [Server] = []
    /// In seconds since the epoch.
    public var beganSeconds = 0.0
    public var tookSeconds = 0.0
    /// How much of the memory that servers count as data the prefixes come to; nil where that is not known.
    public var attributedRatio: Double?
    /// Whether that is what the servers count; nil where nobody can tell.
    public var isComplete: Bool?
    /// Of the keys that expire, the share in the fullest second; nil where too few were looked at.
    public var crowdingRatio: Double?
    /// Whether that is too much.
    public var isCrowded = false
    /// Sentences about what is missing.
    public var remarks: [String] = []

    public init(_ rows: [Row], _ comparison: Comparison) { (self.rows, self.comparison) = (rows, comparison) }
  }

  public enum State: Sendable {
    /// Nobody samples its keys.
    case off
    /// No sample can be shown, for this reason.
    case waiting(String)
    case sampled(Sample)
  }

  /// When there is a sample again.
  public enum Turn: Sendable {
    case unknown
    /// In seconds since the epoch.
    case due(Double)
    case underWay
  }

  public var metricsPath: String
  public var workload: String
  public var state: State
  public var turn = Turn.unknown
  /// Why the last attempt came to nothing; empty where it did not.
  public var pause = ""
  /// What is known of locks, rate limits and the like; nil where nothing is.
  public var patterns: PatternsSection?
  /// Since when growth is told.
  public var growthSeconds = 86_400.0
  public var nowSeconds: Double
  /// nil where nobody looks at every key.
  public var largeKeys: LargeKeys?

  public init(_ workload: String, _ state: State, metricsPath: String, nowSeconds: Double) {
    (self.workload, self.state) = (workload, state)
    (self.metricsPath, self.nowSeconds) = (metricsPath, nowSeconds)
  }

  public func response() -> Response {
    let whole = HTML.joined([content, patterns?.content ?? ""])
    var layout = Layout(title: "Keys of \(clipped(workload, to: 120))", content: whole)
    layout.styles = Self.styles
    layout.navigation = Navigation(nil, metricsPath: metricsPath)
    if case .waiting = state { layout.refreshSeconds = TopologyPage.refreshSeconds }
    return layout.response()
  }

  /// 64 prefixes and the rest.
  static let rowLimit = 65
  static let serverLimit = 8
  static let remarkLimit = 20
}
