/// The page at `/events`: what happened to workloads and nodes, the newest first, failovers with their phases.
public struct EventsPage: Sendable {
  /// A step of a failover, from when it was first heard of.
  public struct Phase: Sendable, Equatable {
    public var name: String
    /// Since the epoch.
    public var seconds: Double

    public init(_ name: String, seconds: Double) {
      self.name = name
      self.seconds = seconds
    }
  }

  /// Connections of one node around a failover; nil where they were not counted.
  public struct Clients: Sendable, Equatable {
    public var node: String
    public var before: Int?
    public var after: Int?

    public init(_ node: String, before: Int?, after: Int?) {
      self.node = node
      self.before = before
      self.after = after
    }
  }

  public struct Event: Sendable {
    /// Since the epoch.
    public var seconds: Double
    public var workload: String
    /// Empty when the event belongs to no single node.
    public var node: String
    public var kind: String
    public var summary: String
    public var level: TopologyPage.Level
    /// In order of time.
    public var phases: [Phase] = []
    /// From the last answer of the old master to the first of the new one; 0 where it served until then.
    public var outageSeconds: Double?
    /// What a failover lost, as a clause.
    public var lost: String?
    public var clients: [Clients] = []
    /// The number of the evidence that was gathered; nil for none.
    public var evidence: String?

    public init(
      seconds: Double, workload: String, node: String, kind: String, summary: String, level: TopologyPage.Level
    ) {
      self.seconds = seconds
      self.workload = workload
      self.node = node
      self.kind = kind
      self.summary = summary
      self.level = level
    }
  }

  /// What is asked for; empty texts ask for all.
  public struct Filter: Sendable, Equatable {
    public var workload = ""
    public var node = ""
    public var kind = ""
    /// From 1.
    public var page = 1

    public init() {}
  }

  public static let pageSize = 50
  /// Pages that can be turned to.
  public static let pageLimit = 100
  static let clientLimit = 12

  public var metricsPath: String
  public var filter: Filter
  /// Those of one page, the newest first.
  public var events: [Event]
  public var hasMore: Bool
  /// What can be chosen.
  public var workloads: [String]
  public var kinds: [String]
  /// The nodes that have a page of their own.
  public var nodes: Set<String> = []
  public var nowSeconds: Double
  /// Why there are none, such as that no storage is configured; empty for nothing.
  public var notice = ""

  public init(
    metricsPath: String, filter: Filter, events: [Event], hasMore: Bool, workloads: [String], kinds: [String],
    nowSeconds: Double
  ) {
    self.metricsPath = metricsPath
    self.filter = filter
    self.events = events
    self.hasMore = hasMore
    self.workloads = workloads
    self.kinds = kinds
    self.nowSeconds = nowSeconds
  }

  /// Where charts of a span have lines for what happened, as shares of it.
  static func marks(
    of events: [Event], from start: Double, seconds: Double
  ) -> [(share: Double, level: TopologyPage.Level)] {
    guard seconds > 0 else { return [] }
    return events.filter { $0.seconds >= start && $0.level > .good }.map { event in
      (share: min(1, (event.seconds - start) / seconds), level: event.level)
    }
  }

  public func response() -> Response {
    var layout = Layout(title: "Events", content: content)
    layout.styles = "\n\(Self.eventStyles)"
    layout.navigation = Navigation(.events, metricsPath: metricsPath)
    return layout.response()
  }
}
