import Config
import Redis
import Runtime

/// How a workload stands now, for people.
public struct WorkloadOverview: Sendable {
  public struct Member: Sendable {
    public let watched: FleetMember
    /// nil for whom is no replica, and while no master has answered.
    public let lag: ReplicationLag.Lag?
    /// Where its master, which tells the lag, does not answer any more: when it last did.
    public let lagAsOf: WallTime?
    /// Above the objective; false where there is none.
    public let isLagHigh: Bool
    /// nil while it does not answer, and for a Sentinel.
    public let usedMemoryBytes: Int?
    /// 0 with no limit; nil while it does not answer, and for a Sentinel.
    public let maxMemoryBytes: Int?
    /// As Redis counts it for evictions; nil with no limit.
    public let memoryUsedRatio: Double?
    public let isMemoryHigh: Bool
    /// nil while it does not answer.
    public let operationsPerSecond: Double?
    public let clientCount: Int?
  }

  /// A shard, or other servers that belong together.
  public struct Group: Sendable {
    /// Empty where there is only one.
    public let title: String
    /// Masters first.
    public let members: [Member]
  }

  public enum Window: String, Sendable {
    case maintenance, peak
  }

  public struct Failovers: Sendable {
    public let count: Int
    /// When the last one was; nil when there was none.
    public let lastTime: WallTime?
    /// What happened in it; nil where that is not known.
    public let last: String?
    /// What it cost.
    public var lastCost = Failover.Cost()
  }

  public let name: String
  public let kind: String
  public let topology: String
  public let environment: String?
  /// What it does while Redis is lost; nil where that is not declared.
  public var degraded: DegradedMode?
  /// Those that are open.
  public let windows: [Window]
  /// Members that answer, Sentinels apart.
  public let presentCount: Int
  /// nil where that is not judged.
  public let expectedCount: Int?
  /// nil where failovers are not counted: with topology `static`.
  public let failovers: Failovers?
  public let traffic: WorkloadTraffic
  /// Without those of objectives that are off.
  public var budgets: [ErrorBudget] = []
  public let groups: [Group]
  /// By its checks alone.
  public let health: HealthHistory
  /// The worst first.
  public let findings: [Finding]
  /// What its checks cannot see.
  public let unknowns: [Blindness]
}
