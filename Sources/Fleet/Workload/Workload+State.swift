import Redis
import Runtime

extension Workload {
  /// How the workload stands by its newest readings.
  ///
  /// - Parameter now: by the clock that only goes forward.
  func state(atSeconds now: Double) -> WorkloadState {
    let surroundings = members.map { address, member in
      WorkloadState.Surroundings(
        reading: member.reading, instance: member.instance, standing: roster.members[address],
        pollState: (member.node.poller.newest?.state ?? .unknown).name, isProbeAnswered: member.isProbeAnswered,
        isLeftAlone: member.schedule.isBreakerOpen)
    }
    return tracker.state(
      surroundings, keys: keys, turnedAway: turnedAway,
      unconfirmedFailoverCount: failovers?.unconfirmedCount ?? 0, atSeconds: now, wallSeconds: wallClockSeconds())
  }

  /// What the daemon itself did at a member.
  func own(_ address: NodeAddress) -> WorkloadTracker.Own {
    guard let totals = members[address]?.node.cost.totals else { return WorkloadTracker.Own() }
    return WorkloadTracker.Own(
      lookupCount: totals.lookups, refusedCount: Int(clamping: totals.failures[.maxclients] ?? 0))
  }
}
