/// The page at `/` of a fleet: in one sentence how it stands, then every workload, the worst first. One that is not well is
/// open, with what is wrong, since when and what to do; one that is well is a line.
///
/// Everything that comes from elsewhere is escaped and cut, and the whole is bounded.
public struct TopologyPage: Sendable {
  public enum Level: Int, Sendable, Comparable {
    case good, note, warning, grave

    public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
  }

  /// How a workload stands, the better first: the words of `redis_workload_state`.
  public enum State: String, Sendable, CaseIterable, Comparable {
    case healthy, degraded, unknown, critical

    var level: Level {
      switch self {
      case .healthy: .good
      case .degraded: .warning
      case .unknown: .note
      case .critical: .grave
      }
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    public static func < (left: State, right: State) -> Bool { left.rank < right.rank }
  }

  /// Something that a person should know, in a sentence.
  public struct Finding: Sendable {
    public var level: Level
    public var text: String
    /// The alert that fires with this text as its summary; empty where a check says it.
    public var alert = ""
    /// Whether ``alert`` has a runbook here, and its text, where that is shown in place.
    public var hasRunbook = false
    public var runbook: Markdown?
    /// What the address of its runbook ends with, so that its commands are filled in.
    public var runbookQuery = ""
    /// Since when, in seconds since the epoch; nil where that is not known.
    public var sinceSeconds: Double?
    /// The server that it is about, by its label `instance`; nil for the workload as a whole.
    public var node: String?
    /// It is about how the workload is set up, and nothing of its state: listed apart.
    public var isPosture = false

    public init(_ level: Level, _ text: String) {
      self.level = level
      self.text = text
    }
  }

  /// One server.
  public struct Node: Sendable {
    public var name: String
    /// `master`, `replica`, `sentinel`, `was master`, …
    public var role: String
    /// One word: `up`, `timeout`, `loading`.
    public var state: String
    public var level: Level
    /// Why it is not well, in a few words; empty when it is.
    public var reason = ""
    /// How late its data is, where it is a replica; nil where that is not known.
    public var lagSeconds: Double?
    /// Of when the lag is, and of when the memory, where they are not current; in seconds since the epoch.
    public var lagAsOfSeconds: Double?
    public var memoryAsOfSeconds: Double?
    /// `disconnected`, `at least`, …; empty for an ordinary lag.
    public var lagNote = ""
    public var isLagHigh = false
    /// nil while it does not answer, and for a Sentinel.
    public var usedMemoryBytes: Int?
    /// Share of maxmemory; nil with no limit.
    public var memoryUsedRatio: Double?
    public var isMemoryHigh = false

    public init(_ name: String, role: String, state: String, level: Level) {
      self.name = name
      self.role = role
      self.state = state
      self.level = level
    }
  }

  /// A number of a workload beside what is wanted of it.
  public struct Figure: Sendable {
    public var title: String
    /// With its unit; nil where it is not known.
    public var value: String?
    /// `up to 10 ms`; empty for no objective.
    public var objective = ""
    public var isMissed = false

    public init(_ title: String, _ value: String?, objective: String = "", isMissed: Bool = false) {
      self.title = title
      self.value = value
      self.objective = objective
      self.isMissed = isMissed
    }
  }

  /// A shard, or other nodes that belong together.
  public struct Group: Sendable {
    /// Empty where there is only one.
    public var title: String
    public var nodes: [Node]

    public init(_ title: String, _ nodes: [Node]) {
      self.title = title
      self.nodes = nodes
    }
  }

  /// How often a workload failed over since it is watched.
  public struct Failovers: Sendable {
    public var count: Int
    /// nil when there was none.
    public var lastAgeSeconds: Double?
    /// What is still known of the last; may be empty.
    public var last: String

    public init(count: Int, lastAgeSeconds: Double? = nil, last: String = "") {
      self.count = count
      self.lastAgeSeconds = lastAgeSeconds
      self.last = last
    }
  }

  /// Another daemon, which watches a workload.
  public struct Elsewhere: Sendable {
    /// Where its pages are, without a slash at the end; nil where it gives no answer.
    public var site: String?
    /// What stands in the place of the servers.
    public var note: String

    public init(site: String?, note: String) { (self.site, self.note) = (site, note) }
  }

  public struct Workload: Sendable {
    public var name: String
    public var state: State
    /// How long it has been in that state; nil where that is not known.
    public var stateAgeSeconds: Double?
    /// Its kind, topology and environment.
    public var traits: [String]
    /// nil where none is configured.
    public var environment: String?
    /// The same in the same order for each workload.
    public var figures: [Figure] = []
    /// Windows that are open: `maintenance`, `peak`.
    public var windows: [String] = []
    public var presentCount: Int
    /// nil where that is not judged.
    public var expectedCount: Int?
    /// nil where they are not counted.
    public var failovers: Failovers?
    /// nil where there is no objective.
    public var memoryObjectiveRatio: Double?
    /// Without those of objectives that are off.
    public var budgets: [BudgetBar] = []
    public var groups: [Group] = []
    public var findings: [Finding] = []
    /// Nil where this daemon watches it.
    public var elsewhere: Elsewhere?

    public init(_ name: String, state: State, traits: [String], presentCount: Int, expectedCount: Int?) {
      self.name = name
      self.state = state
      self.traits = traits
      self.presentCount = presentCount
      self.expectedCount = expectedCount
    }
  }

  /// The most that is listed: nodes in all, workloads, and findings of one workload.
  static let nodeLimit = 2000
  static let workloadLimit = 200
  static let findingLimit = 25
  /// Beyond so many, one is looked for by its name.
  static let manyWorkloads = 8
  /// Runbooks that are shown in place, in all.
  public static let runbookLimit = 12
  static let refreshSeconds = 10

  /// Which workloads are shown: those that every part matches.
  public struct Filter: Sendable, Equatable {
    /// A part of the name, however it is written; empty for any.
    public var name = ""
    /// nil for any.
    public var environment: String?
    public var state: State?

    public init() {}

    func matches(_ workload: Workload) -> Bool {
      (name.isEmpty || workload.name.lowercased().contains(name.lowercased()))
        && (environment == nil || workload.environment == environment) && (state == nil || workload.state == state)
    }
  }

  public var version: String
  public var metricsPath: String
  public var workloads: [Workload]
  public var filter = Filter()
  /// Seconds since the epoch.
  public var nowSeconds: Double
  /// Rules whose last evaluation failed.
  public var brokenRuleCount = 0
  /// The Alertmanagers, and whether alerts reach them.
  public var receivers: [Receiver] = []

  public init(version: String, metricsPath: String, workloads: [Workload], nowSeconds: Double) {
    self.version = version
    self.metricsPath = metricsPath
    self.workloads = workloads
    self.nowSeconds = nowSeconds
  }

  public func response() -> Response {
    var layout = Layout(title: "Redline", content: content)
    layout.windowTitle = windowTitle
    layout.icon = worst
    layout.styles = Self.styles
    layout.navigation = Navigation(.topology, metricsPath: metricsPath)
    layout.refreshSeconds = Self.refreshSeconds
    return layout.response()
  }
}
