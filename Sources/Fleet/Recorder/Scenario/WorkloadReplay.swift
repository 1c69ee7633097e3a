import Config
import Redis
import Runtime

/// A workload judged look by look from what its servers say, as the daemon judges it.
struct WorkloadReplay {
  struct Look {
    var verdict: Verdict
    let judgement: Judgement
  }

  private let config: WorkloadConfig
  private var tracker: WorkloadTracker
  private var roster = Roster()
  private var findings = FindingTracker()

  init(_ config: WorkloadConfig) {
    self.config = config
    tracker = WorkloadTracker(config)
  }

  /// - Parameters:
  ///   - time: seconds since the beginning; it only grows.
  ///   - checks: those that judge.
  ///   - audits: looks over the security of servers, taken now.
  ///   - declared: what files say of its settings.
  mutating func look(
    at time: Double, servers: [NodeAddress: ScenarioServer], _ checks: [any Check] = CheckCatalogue.all,
    keys: KeyReading = .none, turnedAway: TurnedAway = TurnedAway(), unconfirmedFailoverCount: Int = 0,
    audits: [NodeAddress: AuditReading] = [:], declared: DeclaredWorkload? = nil
  ) -> Look {
    let (now, wall) = (Monotonic(seconds: time), WallTime(seconds: ScenarioServer.start + time))
    let readings = servers.filter { !$0.value.isSentinel }.map { $0.value.reading($0.key, at: time) }
    let watchers = servers.filter(\.value.isSentinel).map { $0.value.reading($0.key, at: time) }
    tracker.follow(readings, sentinels: watchers)
    tracker.declared = declared
    tracker.note(readings, own: { _ in .init() }, config.objectives(at: Timestamp(wall)), at: now)
    _ = roster.update(tracker.following.listings, expectedCount: config.expected.nodes, at: now)
    func instance(_ address: NodeAddress) -> String { config.instanceName(of: address, announced: nil) }
    for (address, audit) in audits { tracker.audit.take(audit, of: address, instance: instance(address)) }
    let members = readings.map { reading in
      let server = servers[reading.address]
      return WorkloadState.Surroundings(
        reading: reading, instance: config.instanceName(of: reading.address, announced: nil),
        standing: roster.members[reading.address], pollState: reading.answers == true ? "up" : "timeout",
        problem: reading.answers == true ? nil : server?.problem, isProbeAnswered: server?.isProbeAnswered,
        audit: tracker.audit.readings[reading.address])
    }
    func state() -> WorkloadState {
      tracker.state(
        members, keys: keys, turnedAway: turnedAway, unconfirmedFailoverCount: unconfirmedFailoverCount, at: now,
        wall: wall)
    }
    if !audits.isEmpty {
      let verdict = Verdict(checks.filter { $0 is any AuditCheck }, of: state())
      tracker.audit.note(verdict, of: audits.keys.map(instance))
    }
    let state = state()
    let verdict = Verdict(checks, of: state)
    findings.note(verdict, at: wall)
    return Look(verdict: verdict, judgement: findings.judgement(verdict, of: state))
  }
}
