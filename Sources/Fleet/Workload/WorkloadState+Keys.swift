import Config
import Redis
import Runtime

/// Who can be asked for keys.
extension WorkloadState {
  /// The shards; independent servers are one each.
  var keyShards: [ReplicationGroup] {
    guard !config.topology.isIndependent else {
      return members.map { ReplicationGroup(master: $0.address, replicas: []) }
    }
    return following.groups.filter { $0.master != nil || !$0.replicas.isEmpty }
  }

  var keyReaders: [NodeAddress: ShardReaders.Candidate] {
    var readers: [NodeAddress: ShardReaders.Candidate] = [:]
    for member in members where member.answers == true {
      guard let replication = member.facts?.replication else { continue }
      let isLoading = member.pollState == TargetState.loading.name
      let isBusy = member.load.eventLoopBusyRatio.map { $0 > ShardReaders.busyLimitRatio } ?? false
      readers[member.address] = ShardReaders.Candidate(
        isMaster: replication.isMaster,
        isFit: !isLoading && !isBusy && (replication.isMaster || keepsUp(replication, member.lag)))
    }
    return readers
  }

  private func keepsUp(_ replication: ReplicationFacts, _ lag: ReplicationLag.Lag?) -> Bool {
    guard replication.isLinkUp != false, !replication.isSyncing else { return false }
    return lag.map { $0.state == .online && $0.seconds <= ShardReaders.lagLimitSeconds } ?? true
  }
}
