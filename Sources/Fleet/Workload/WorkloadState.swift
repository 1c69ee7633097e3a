import Config
import Redis
import Runtime

/// How a workload stands at one look: everything that checks, samples and pages are made of. Immutable and without I/O.
struct WorkloadState: Sendable {
  /// A member as its newest poll and probe show it.
  struct Surroundings: Sendable {
    let reading: MemberReading
    /// The label `instance`.
    let instance: String
    let standing: Roster.State?
    /// A value of the label `state` of `redis_exporter_target_state`.
    let pollState: String
    /// Why it cannot be asked, where the configuration may be to blame.
    var problem: String?
    /// nil where it is not probed.
    var isProbeAnswered: Bool?
    /// It failed so often that it is tried at growing intervals only.
    var isLeftAlone = false
    /// nil while nobody has looked over its security.
    var audit: Shared<AuditReading>?
  }

  /// A member as it stands now, with what was seen of it before.
  struct Member: Sendable {
    private let surroundings: Surroundings
    /// nil for whom is no replica, and while no master has answered.
    let lag: ReplicationLag.Lag?
    let load: MemberLoad
    /// The newest FLUSHALL or FLUSHDB that was seen.
    let flush: RiseTracker.Rise?
    /// The newest connections of others that it refused.
    let refusal: RiseTracker.Rise?
    /// The newest fsync of its log that took too long.
    let delayedFsync: RiseTracker.Rise?

    init(
      _ surroundings: Surroundings, lag: ReplicationLag.Lag?, load: MemberLoad,
      flush: RiseTracker.Rise?, refusal: RiseTracker.Rise?, delayedFsync: RiseTracker.Rise?
    ) {
      self.surroundings = surroundings
      self.lag = lag
      self.load = load
      self.flush = flush
      self.refusal = refusal
      self.delayedFsync = delayedFsync
    }

    var address: NodeAddress { surroundings.reading.address }
    var instance: String { surroundings.instance }
    var standing: Roster.State? { surroundings.standing }
    /// Whether the newest poll was answered; nil while none has ended.
    var answers: Bool? { surroundings.reading.answers }
    var pollState: String { surroundings.pollState }
    /// Why it does not answer, in a sentence where there is something to change, else by its class.
    var silence: String { surroundings.problem ?? surroundings.pollState }
    var problem: String? { surroundings.problem }
    /// nil while it does not answer.
    var facts: Shared<MemberFacts>? { surroundings.reading.facts }
    var isProbeAnswered: Bool? { surroundings.isProbeAnswered }
    var isLeftAlone: Bool { surroundings.isLeftAlone }
    /// nil while nobody has looked over its security.
    var audit: Shared<AuditReading>? { surroundings.audit }
    var isMaster: Bool { facts?.replication?.isMaster == true }
  }

  let config: WorkloadConfig
  /// Those in force, a peak's among them.
  let objectives: Objectives
  /// nil where that is not judged.
  let areEvictionsAllowed: Bool?
  let isInPeak: Bool
  let isInMaintenance: Bool
  /// The maintenance window that a mark opened; nil where none is open.
  let change: ChangeWindow?
  /// In the order of their addresses.
  let members: [Member]
  /// Members that answer, with what they say.
  let up: [(member: Member, facts: Shared<MemberFacts>)]
  /// Whether each of them has been polled once: before that there is nothing to count.
  let isPolled: Bool
  let following: Following
  let rivals: RivalMasters
  /// nil while too little was looked up.
  let hitRatio: HitRatioTracker.Ratio?
  let drift: Drift
  /// What a failover now would lose at most; nil while no master has answered.
  let failoverLossSeconds: Double?
  /// Restarts of its servers; nil without Redlock.
  let redlock: RedlockTracker?
  /// What the watches over keys found.
  let keys: KeyReading
  /// Who is announced and not watched.
  let turnedAway: TurnedAway
  /// Switches of the master that were published and never confirmed.
  let unconfirmedFailoverCount: Int
  /// What was found at the first look over each server.
  let auditBaseline: AuditBaseline
  /// Whether the security of servers is looked over: a look was tried, whatever came of it.
  let isAudited: Bool
  /// What files say of its settings; nil where none is declared.
  let declared: DeclaredWorkload?
  /// How each server stands to these files.
  private(set) var declaredDrifts: [ServerDrift] = []
  let now: Monotonic
  let wall: WallTime
  private let places: [NodeAddress: Int]

  init(
    config: WorkloadConfig, members: [Member], isPolled: Bool = true, following: Following, rivals: RivalMasters,
    hitRatio: HitRatioTracker.Ratio?,
    lags: LagTracker, redlock: RedlockTracker? = nil, keys: KeyReading, turnedAway: TurnedAway,
    unconfirmedFailoverCount: Int,
    audit: AuditTracker, declared: DeclaredWorkload?, change: ChangeWindow? = nil, now: Monotonic, wall: WallTime
  ) {
    let time = Timestamp(wall)
    self.config = config
    objectives = config.objectives(at: time)
    areEvictionsAllowed = config.areEvictionsAllowed(at: time)
    isInPeak = config.isInPeak(at: time)
    isInMaintenance = config.isInMaintenance(at: time) || change != nil
    self.change = change
    self.members = members.sorted { $0.address < $1.address }
    up = self.members.compactMap { member in member.facts.map { (member, $0) } }
    self.isPolled = isPolled
    self.following = following
    self.rivals = rivals
    self.hitRatio = hitRatio
    self.redlock = redlock
    self.keys = keys
    self.turnedAway = turnedAway
    self.unconfirmedFailoverCount = unconfirmedFailoverCount
    auditBaseline = audit.baseline
    isAudited = audit.hasBegun
    self.declared = declared
    self.now = now
    self.wall = wall
    places = Dictionary(uniqueKeysWithValues: self.members.enumerated().map { ($1.address, $0) })
    drift = Drift(up.map { (instance: $0.member.instance, facts: $0.facts) }, areAlike: config.topology != .static)
    let electable = up.filter { $0.facts.replication.map { $0.role.follows && $0.priority > 0 } ?? false }
    failoverLossSeconds =
      isPolled ? lags.failoverLossSeconds(electable: Set(electable.map(\.member.address)), at: now) : nil
    if let declared { declaredDrifts = drifts(from: declared) }
  }

  subscript(address: NodeAddress) -> Member? { places[address].map { members[$0] } }

  /// What the server at an address is called, whether it is a member or not.
  func name(_ address: NodeAddress) -> String {
    self[address]?.instance ?? config.instanceName(of: address, announced: following.hostnames[address])
  }

  var isAnyoneUp: Bool { members.contains { $0.answers == true } }

}
