import Redis
import Runtime
import Storage

/// The events of a workload. Pure.
struct WorkloadLog: Sendable {
  let workload: String
  private(set) var members: MemberLog
  private var drift = DriftLog()
  private var declaredDrift = DeclaredDriftLog()
  var failovers: FailoverLog

  init(workload: String, records: [NodeAddress: MemberRecord], pollSeconds: Double) {
    self.workload = workload
    members = MemberLog(records)
    failovers = FailoverLog(workload: workload, pollSeconds: pollSeconds)
  }

  /// Tells who came and went, and how those whose word counts changed.
  mutating func note(
    _ decision: Membership.Decision, _ trusted: [MemberReading], aliases: Set<NodeAddress>,
    instance: (NodeAddress) -> String, at wall: WallTime
  ) -> [Event] {
    func event(_ kind: EventKind, _ name: String, _ what: String) -> Event {
      Event(at: wall, workload: workload, node: name, kind: kind, summary: "\(name) \(what)")
    }
    let arrivals = decision.arrivals.map { event(.arrival, instance($0), "is a new member") }
    let departures = decision.departures.map { address in
      event(.departure, members.records[address]?.instance ?? instance(address), "is a member no more")
    }
    members.forget(aliases.union(decision.departures))
    return arrivals + departures
      + members.note(trusted, workload: workload, instance: instance, at: wall)
  }

  /// The records of members that are others than when this was last called; nil for one that is gone.
  mutating func takeChanges() -> [NodeAddress: MemberRecord?] { members.takeChanges() }

  /// Tells when members begin to differ and when they are alike again, and the same of servers and their declared files.
  mutating func note(_ state: WorkloadState, isNews: Bool) -> [Event] {
    drift.note(state.drift, isNews: isNews, workload: workload, at: state.wall)
      + declaredDrift.note(state.declaredDrifts, workload: workload, at: state.wall)
  }
}
