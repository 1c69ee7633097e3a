import Config
import Redis
import Runtime

/// What is made of the readings of a workload's members over time. Pure: no I/O, and the clock is a parameter.
struct WorkloadTracker: Sendable {
  let config: WorkloadConfig
  private var follower: any Follower
  var failovers: any FailoverTracking
  var following = Following()
  private(set) var rivals: RivalMasters
  private var polls = PollTracker()
  private var lags = LagTracker()
  private var loads = LoadTracker()
  private var hits = HitRatioTracker()
  private var rises = MemberRises()
  private var redlock: RedlockTracker?
  private(set) var counters = CounterTracker()
  var audit: AuditTracker
  /// What files say of the settings; nil where none is declared.
  var declared: DeclaredWorkload?

  /// What a reading shows of the daemon's own doing.
  struct Own: Sendable {
    var lookupCount = 0.0
    var refusedCount = 0
  }

  /// - Parameters:
  ///   - kept: what is known of its failovers from before.
  ///   - audit: what is known of its servers' security from before.
  init(
    _ config: WorkloadConfig, _ kept: KeptFailovers = KeptFailovers(), audit: AuditTracker = AuditTracker()
  ) {
    self.config = config
    self.audit = audit
    rivals = RivalMasters(graceSeconds: config.topology == .sentinel ? RivalMasters.sentinelGraceSeconds : 0)
    redlock = config.redlock.map { RedlockTracker($0) }
    (follower, failovers) = TopologyCatalogue.make(config, kept)
  }

  /// Makes out the members.
  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) {
    following = follower.follow(members, sentinels: sentinels)
  }

  /// Takes in what the members say.
  ///
  /// - Parameters:
  ///   - own: what the daemon itself did at a member.
  ///   - now: by a clock that only goes forward.
  ///   - objectives: those in force.
  mutating func note(
    _ readings: [MemberReading], own: (NodeAddress) -> Own, _ objectives: Objectives, at now: Monotonic
  ) {
    if let view = following.replication { rivals.note(view, at: now) }
    lags.update(following.groups, readings, at: now)
    let (fresh, gone) = polls.note(readings)
    if !gone.isEmpty { forget(gone) }
    rises.note(fresh, own)
    redlock?.note(fresh)
    counters.note(fresh)
    hits.note(fresh) { own($0).lookupCount }
    loads.note(fresh, slowerThan: objectives.latencyP99.flatMap { SlowCommands.step(within: $0.seconds) })
  }

  private mutating func forget(_ addresses: Set<NodeAddress>) {
    rises.forget(addresses)
    redlock?.forget(addresses)
    counters.forget(addresses)
    hits.forget(addresses)
    loads.forget(addresses)
  }

  func lag(of address: NodeAddress, at now: Monotonic) -> ReplicationLag.Lag? {
    lags.lag(of: address, at: now)
  }

  /// Which master tells the lag of a replica.
  func master(of replica: NodeAddress) -> NodeAddress? { lags.master(of: replica) }

  /// - Parameters:
  ///   - now: by the clock that only goes forward.
  ///   - wall: seconds since the epoch.
  func state(
    _ members: [WorkloadState.Surroundings], isPolled: Bool = true, keys: KeyReading,
    turnedAway: TurnedAway = TurnedAway(),
    unconfirmedFailoverCount: Int = 0, change: ChangeWindow? = nil, at now: Monotonic, wall: WallTime
  ) -> WorkloadState {
    WorkloadState(
      config: config, members: members.map { state(of: $0, at: now) }, isPolled: isPolled, following: following,
      rivals: rivals,
      hitRatio: hits.ratio, lags: lags, redlock: redlock, keys: keys, turnedAway: turnedAway,
      unconfirmedFailoverCount: unconfirmedFailoverCount, audit: audit, declared: declared, change: change, now: now,
      wall: wall)
  }

  private func state(of member: WorkloadState.Surroundings, at now: Monotonic) -> WorkloadState.Member {
    let address = member.reading.address
    let isMaster = member.reading.facts?.replication?.isMaster == true
    return WorkloadState.Member(
      member, lag: isMaster ? nil : lags.lag(of: address, at: now),
      load: loads[address], flush: rises.flushes.lastRise(at: address),
      refusal: rises.refusals.lastRise(at: address), delayedFsync: rises.delayedFsyncs.lastRise(at: address))
  }
}

/// When counts of the members last rose. Pure.
private struct MemberRises: Sendable {
  private(set) var flushes = RiseTracker()
  private(set) var refusals = RiseTracker()
  private(set) var delayedFsyncs = RiseTracker()

  mutating func note(_ fresh: [MemberReading], _ own: (NodeAddress) -> WorkloadTracker.Own) {
    flushes.note(fresh) { $1.flushCount }
    delayedFsyncs.note(fresh) { $1.persistence.delayedFsyncCount }
    // The daemon's own connections are refused like those of others.
    refusals.note(fresh) { max(0, $1.rejectedCount - own($0.address).refusedCount) }
  }

  mutating func forget(_ addresses: Set<NodeAddress>) {
    flushes.forget(addresses)
    refusals.forget(addresses)
    delayedFsyncs.forget(addresses)
  }
}
