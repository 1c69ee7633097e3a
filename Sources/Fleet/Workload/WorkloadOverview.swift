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

  public enum Window: Sendable {
    /// With the mark that opened it; nil where it is of the configuration alone.
    case maintenance(ChangeWindow?)
    case peak

    public var name: String {
      switch self {
      case .maintenance: "maintenance"
      case .peak: "peak"
      }
    }
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
  /// The maintenance window that a mark opened; nil where none is open.
  public var change: ChangeWindow? {
    for case .maintenance(let change) in windows { return change }
    return nil
  }
  /// Members that answer, Sentinels apart.
  public let presentCount: Int
  /// nil where that is not judged.
  public let expectedCount: Int?
  /// nil where failovers are not counted: with topology `static`.
  public let failovers: Failovers?
  public let traffic: WorkloadTraffic
  /// Share of the keys with a TTL that expire in the fullest second, by the newest sample; nil where that is not known.
  public var ttlCrowdingRatio: Double?
  /// Without those of objectives that are off.
  public var budgets: [ErrorBudget] = []
  /// nil where its keys are not sampled.
  public var keyspace: KeyspaceOverview?
  public let groups: [Group]
  public let judged: Judged

  /// What its checks say.
  public struct Judged: Sendable {
    public let health: HealthHistory
    public let findings: [Finding]
    public let unknowns: [Blindness]
    public let audit: AuditOverview
    /// What the watches over keys found; nil where nothing is known.
    public var patterns: PatternsOverview?

    public init(
      health: HealthHistory, findings: [Finding] = [], unknowns: [Blindness] = [],
      audit: AuditOverview = AuditOverview()
    ) {
      (self.health, self.findings, self.unknowns, self.audit) = (health, findings, unknowns, audit)
    }

    init(_ judgement: Judgement) {
      let ids = CheckCatalogue.auditIDs
      self.init(
        health: judgement.health, findings: judgement.findings.filter { !ids.contains($0.check) },
        unknowns: judgement.unknowns.filter { !ids.contains($0.check) }, audit: AuditOverview(judgement))
      patterns = PatternsOverview(judgement.state)
    }
  }

  /// By its checks alone.
  public var health: HealthHistory { judged.health }
  /// The worst first; those of the audit apart.
  public var findings: [Finding] { judged.findings }
  /// What its checks cannot see.
  public var unknowns: [Blindness] { judged.unknowns }
  public var audit: AuditOverview { judged.audit }
  public var patterns: PatternsOverview? { judged.patterns }
}

/// What looks over the security of a workload's servers found.
public struct AuditOverview: Sendable {
  public struct Server: Sendable {
    /// The label `instance`.
    public let instance: String
    /// When it was looked over last; nil where it was not yet.
    public let at: WallTime?
  }

  /// Members that answer, in the order of their addresses.
  public var servers: [Server] = []
  /// Between two looks; nil where nobody looks.
  public var interval: Duration?
  /// The worst first.
  public var findings: [Finding] = []
  public var unknowns: [Blindness] = []
  public var asides: [Aside] = []

  public init() {}

  init(_ judgement: Judgement) {
    let ids = CheckCatalogue.auditIDs
    servers = judgement.state.up.map { Server(instance: $0.member.instance, at: $0.member.audit?.at) }
    interval = judgement.state.config.audit.interval
    findings = judgement.findings.filter { ids.contains($0.check) }
    unknowns = judgement.unknowns.filter { ids.contains($0.check) }
    asides = judgement.asides
  }

  /// What is new since the first look at each server, in a sentence; nil where nothing is.
  public var news: String? {
    let counts = Finding.Severity.allCases.reversed().compactMap { severity -> String? in
      let count = findings.count { !$0.isKnown && $0.severity == severity }
      return count > 0 && severity > .info ? "\(count) \(severity.name)" : nil
    }
    guard !counts.isEmpty else { return nil }
    return
      "The audit finds what was not there at its first look: \(counts.joined(separator: ", ")); the page Audit has them"
  }
}
