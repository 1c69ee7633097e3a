import Config
import Redis

extension Workload {
  /// Tells the key watches who can be read now.
  func watchKeys(_ readings: [MemberReading], atSeconds now: Double) async {
    guard let keyWatch else { return }
    // Independent servers are a shard each.
    let groups =
      config.topology == .static
      ? readings.map { ReplicationGroup(master: $0.address, replicas: []) } : following.groups
    var candidates: [NodeAddress: ShardReaders.Candidate] = [:]
    for reading in readings where reading.answers == true {
      guard let replication = reading.facts?.replication else { continue }
      let isLoading = members[reading.address]?.node.poller.newest?.state == .loading
      let isBusy = tracker.eventLoopBusyRatio(of: reading.address).map { $0 > ShardReaders.busyLimitRatio } ?? false
      candidates[reading.address] = ShardReaders.Candidate(
        isMaster: replication.isMaster,
        isFit: !isLoading && !isBusy
          && (replication.isMaster || keepsUp(replication, tracker.lag(of: reading.address, atSeconds: now))))
    }
    keys = await keyWatch.update(
      groups.filter { $0.master != nil || !$0.replicas.isEmpty }, candidates, members: members)
  }

  private func keepsUp(_ replication: ReplicationFacts, _ lag: ReplicationLag.Lag?) -> Bool {
    guard replication.isLinkUp, !replication.isSyncing else { return false }
    return lag.map { $0.state == .online && $0.seconds <= ShardReaders.lagLimitSeconds } ?? true
  }
}
