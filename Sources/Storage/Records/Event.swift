import Runtime

/// Something that happened to a workload or a node, as it is kept.
public struct Event: Sendable, Equatable {
  /// Ascending in the order of writing, from 1; 0 while the event is not written yet.
  public internal(set) var id: Int64 = 0
  /// Kept in milliseconds.
  public let at: WallTime
  public let workload: String
  /// The instance label of the node; empty when the event belongs to no single node.
  public let node: String
  public let kind: EventKind
  /// One sentence, cut at `StoreLimits.summaryBytes`.
  public let summary: String
  /// A JSON object. One that is longer than `StoreLimits.detailsBytes` is replaced by its length.
  public let details: String
  /// Two events with the same key are one; nil is never the same.
  public let key: String?

  public init(
    at time: WallTime, workload: String, node: String = "", kind: EventKind, summary: String,
    details: String = "{}", key: String? = nil
  ) {
    at = Self.wholeMilliseconds(time)
    self.workload = workload.cut(toBytes: StoreLimits.nameBytes)
    self.node = node.cut(toBytes: StoreLimits.nameBytes)
    self.kind = kind
    self.summary = summary.cut(toBytes: StoreLimits.summaryBytes)
    let length = details.utf8.count
    self.details = length <= StoreLimits.detailsBytes ? details : "{\"omitted_bytes\":\(length)}"
    self.key = key
  }

  var atMs: Int64 { at.epochMs }
  /// Whether it is of every workload.
  var isMarkOfAll: Bool { kind == .mark && workload.isEmpty }

  /// A time that is no number, or none that a clock shows, becomes the epoch.
  private static func wholeMilliseconds(_ time: WallTime) -> WallTime {
    guard time.seconds > 0, time.seconds < 1e12 else { return WallTime(seconds: 0) }
    return time.toMilliseconds
  }
}

/// Which events are asked for; every condition that is given must hold.
public struct EventQuery: Sendable {
  /// Marks of all workloads are among those of each.
  public var workload: String?
  public var node: String?
  public var kind: EventKind?
  /// Only events at or after this time.
  public var since: WallTime?
  /// Only events at or before this time.
  public var until: WallTime?
  /// At most this many, the newest by time first; 1 to 10,000.
  public var limit: Int
  /// Whether the oldest come first.
  public var isOldestFirst: Bool

  public init(
    workload: String? = nil, node: String? = nil, kind: EventKind? = nil, since: WallTime? = nil,
    until: WallTime? = nil, limit: Int = 100, isOldestFirst: Bool = false
  ) {
    self.workload = workload
    self.node = node
    self.kind = kind
    self.since = since
    self.until = until
    self.limit = limit
    self.isOldestFirst = isOldestFirst
  }

  var sinceMs: Int64? { since.map(Self.milliseconds) }
  var untilMs: Int64? { until.map(Self.milliseconds) }
  private static func milliseconds(_ time: WallTime) -> Int64 {
    WallTime(seconds: min(max(time.seconds, 0), 1e12)).epochMs
  }
  var boundedLimit: Int { min(max(limit, 1), 10_000) }

  func matches(_ event: Event) -> Bool {
    (workload == nil || workload == event.workload || event.isMarkOfAll) && (node == nil || node == event.node)
      && (kind == nil || kind == event.kind) && (sinceMs.map { event.atMs >= $0 } ?? true)
      && (untilMs.map { event.atMs <= $0 } ?? true)
  }
}

/// What happened. The raw strings are a promise: they stand in files, on pages and in labels.
public enum EventKind: String, Sendable, CaseIterable {
  case roleChange = "role_change"
  case failover
  case failoverAborted = "failover_aborted"
  case restart
  case configChange = "config_change"
  case arrival
  case departure
  case unreachable
  case recovered
  case flush
  case maintenance
  /// Somebody marked it.
  case mark
  case alertFired = "alert_fired"
  case alertResolved = "alert_resolved"
  /// A kind that a newer daemon wrote and this one does not know.
  case other
}
