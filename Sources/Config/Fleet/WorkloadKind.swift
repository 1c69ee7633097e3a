/// How the members of a workload are found and followed.
public enum Topology: String, Sendable, CaseIterable {
  /// Redis Cluster: from any seed.
  case cluster
  /// The master and replicas that Sentinels name.
  case sentinel
  /// The master and its replicas, from INFO of any of them.
  case replication
  /// The seeds are the members, independent of one another.
  case `static`
  /// The same, and clients hold a lock once most of them gave it.
  case redlock

  /// Whether no member follows another.
  public var isIndependent: Bool { self == .static || self == .redlock }

  /// The counts that follow from the topology alone.
  var members: MemberCounts {
    switch self {
    case .sentinel: MemberCounts(masters: 1, sentinels: 3)
    case .replication: MemberCounts(masters: 1)
    case .cluster, .static, .redlock: MemberCounts()
    }
  }
}

/// What a workload is for, which decides what is expected of it where the file is silent.
public enum WorkloadKind: String, Sendable, CaseIterable {
  /// Rebuilt from the database when lost: may evict, does not persist.
  case cache
  /// Logins and carts: nothing evicted, a second may be lost.
  case session
  /// Streams of jobs: nothing evicted, nothing lost.
  case queue
  /// Anything else: only what every server should reach.
  case custom

  /// What the kind brings; see each property of `WorkloadConfig` for its meaning.
  public struct Defaults: Sendable {
    /// Nil when the file must say it.
    public let topology: Topology?
    /// For the kind's own topology.
    public let members: MemberCounts
    public let eviction: EvictionPolicy
    public let persistence: PersistencePolicy
    public let objectives: Objectives
  }

  public var defaults: Defaults {
    switch self {
    case .cache:
      Defaults(
        topology: .cluster, members: MemberCounts(masters: 3, replicas: 3), eviction: EvictionPolicy(.allowed),
        persistence: PersistencePolicy(isRDBOn: false, aof: .off),
        objectives: Objectives(memoryPages: false, hitRatio: 0.8))
    case .session:
      // One save an hour may fail before its age counts as too old.
      Defaults(
        topology: .sentinel, members: MemberCounts(masters: 1, replicas: 2, sentinels: 3),
        eviction: EvictionPolicy(.forbidden), persistence: PersistencePolicy(isRDBOn: true, aof: .everysec),
        objectives: Objectives(rpo: .seconds(1), backupAge: .seconds(2 * 3600)))
    case .queue:
      Defaults(
        topology: .replication, members: MemberCounts(masters: 1, replicas: 2), eviction: EvictionPolicy(.forbidden),
        persistence: PersistencePolicy(isRDBOn: nil, aof: .always), objectives: Objectives(rpo: .zero))
    case .custom:
      Defaults(
        topology: nil, members: MemberCounts(), eviction: EvictionPolicy(.any),
        persistence: PersistencePolicy(isRDBOn: nil, aof: nil), objectives: Objectives())
    }
  }
}
