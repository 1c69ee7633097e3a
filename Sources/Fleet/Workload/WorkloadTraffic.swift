import Config
import Runtime

/// What a workload does now in a few numbers, with the objectives in force; nil for what no member tells, and for objectives
/// that are off.
public struct WorkloadTraffic: Sendable, Equatable {
  /// Of all members together.
  public var operationsPerSecond: Double?
  public var evictionsPerSecond: Double?
  /// Whether evictions are the way that this workload works; nil where that is not judged.
  public var areEvictionsAllowed: Bool?
  public var clientCount: Int?
  /// Of the member that has the largest share of its `maxclients` connected.
  public var clientsUsedRatio: Double?
  /// Of the busiest member, between its two newest polls; nil before Redis 7.2.
  public var eventLoopBusyRatio: Double?
  /// Of all masters together.
  public var usedMemoryBytes: Int?
  /// Of the member that has the largest share of its maxmemory in use.
  public var memoryUsedRatio: Double?
  public var memoryObjectiveRatio: Double?
  /// Over the last 15 minutes and all masters; 0 to 1.
  public var hitRatio: Double?
  public var hitRatioObjective: Double?
  /// Of the slowest member's commands, between its two newest polls.
  public var latencyP99Seconds: Double?
  public var latencyObjectiveSeconds: Double?
  /// Of the replica that is furthest behind.
  public var lagSeconds: Double?
  public var lagObjectiveSeconds: Double?

  public init() {}
}

extension WorkloadState {
  var traffic: WorkloadTraffic {
    var traffic = WorkloadTraffic()
    traffic.operationsPerSecond = Self.sum(up.map(\.facts.operationsPerSecond))
    traffic.evictionsPerSecond = Self.sum(up.map(\.member.load.evictionsPerSecond))
    traffic.areEvictionsAllowed = areEvictionsAllowed
    traffic.clientCount = up.isEmpty ? nil : up.reduce(0) { $0 &+ $1.facts.connectedClients }
    traffic.clientsUsedRatio = up.compactMap { one in
      one.facts.maxClients.flatMap { $0 > 0 ? Double(one.facts.connectedClients) / Double($0) : nil }
    }.max()
    traffic.eventLoopBusyRatio = up.compactMap(\.member.load.eventLoopBusyRatio).max()
    let masters = up.filter { $0.member.isMaster }
    traffic.usedMemoryBytes = Self.sum(masters.map { $0.facts.memory.usedBytes.map(Double.init) })
      .map { Int(clamping: $0) }
    traffic.memoryUsedRatio = up.compactMap(\.facts.memory.usedRatio).max()
    traffic.memoryObjectiveRatio = objectives.memoryUsedRatio
    traffic.hitRatio = hitRatio?.value
    traffic.hitRatioObjective = objectives.hitRatio
    traffic.latencyP99Seconds = up.compactMap(\.member.load.latencyP99Seconds).max()
    traffic.latencyObjectiveSeconds = objectives.latencyP99?.seconds
    traffic.lagSeconds = up.compactMap { $0.member.lag?.seconds }.max()
    traffic.lagObjectiveSeconds = objectives.replicationLag?.seconds
    return traffic
  }

  /// nil where nobody tells.
  private static func sum(_ values: [Double?]) -> Double? {
    let known = values.compactMap { $0 }
    return known.isEmpty ? nil : known.reduce(0, +)
  }
}
