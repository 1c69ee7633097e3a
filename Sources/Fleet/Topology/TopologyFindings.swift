import Redis

extension ReplicationView {
  /// What is wrong with who follows whom.
  func findings(
    _ name: (NodeAddress) -> String, _ rivals: RivalMasters, atSeconds now: Double
  ) -> [WorkloadOverview.Finding] {
    func list(_ addresses: [NodeAddress]) -> String { addresses.sorted().prefix(5).map(name).joined(separator: ", ") }
    var all: [WorkloadOverview.Finding] = []
    let demoted = rivals.demoted(atSeconds: now)
    if !demoted.isEmpty {
      all.append(
        .init(.warning, "Replaced as master and not told yet, so that writes to it are lost: \(list(demoted))"))
    }
    if rivals.isSplit(atSeconds: now) {
      all.append(.init(.grave, "Split brain: \(list(masters)) each hold themselves for master"))
    }
    let stuck = offlineReplicas.keys.filter { !syncingReplicas.contains($0) }
    if !stuck.isEmpty { all.append(.init(.warning, "Replicas without a link to their master: \(list(stuck))")) }
    if !syncingReplicas.isEmpty { all.append(.init(.note, "Replicas in a full sync: \(list(syncingReplicas))")) }
    if !loopingReplicas.isEmpty {
      all.append(.init(.grave, "Replicas that follow each other: \(list(loopingReplicas))"))
    }
    let chained = Set(chainedReplicas)
    let misled = misledReplicas.filter { !chained.contains($0) }
    if !misled.isEmpty { all.append(.init(.warning, "Replicas of another master: \(list(misled))")) }
    if !chained.isEmpty { all.append(.init(.warning, "Replicas of replicas: \(list(chainedReplicas))")) }
    if !strangers.isEmpty { all.append(.init(.note, "Replicas that are not watched: \(list(strangers))")) }
    return all
  }
}

extension ClusterView {
  /// What is wrong with slots, shards and replicas.
  ///
  /// - Parameter name: what a node of an id is called.
  func findings(_ name: (String) -> String) -> [WorkloadOverview.Finding] {
    func list(_ ids: [String]) -> String { ids.map(name).sorted().prefix(5).joined(separator: ", ") }
    var all: [WorkloadOverview.Finding] = []
    let unassigned = ClusterNodes.slotCount - coverage.assigned
    if unassigned > 0 { all.append(.init(.grave, "\(unassigned) slots have no owner")) }
    if coverage.fail > 0 { all.append(.init(.grave, "\(coverage.fail) slots belong to a failed master")) }
    if coverage.pfail > 0 {
      all.append(.init(.warning, "\(coverage.pfail) slots belong to a master that may have failed"))
    }
    for shard in shards where shard.masterIDs.count > 1 {
      all.append(.init(.grave, "Split brain: \(list(shard.masterIDs)) claim the same slots"))
    }
    if disputedSlotCount > 0 { all.append(.init(.warning, "Nodes disagree on who owns \(disputedSlotCount) slots")) }
    let failed = members.filter { $0.health == .fail }.map(\.id)
    if !failed.isEmpty { all.append(.init(.warning, "The cluster finds these failed: \(list(failed))")) }
    if !orphanedMasterIDs.isEmpty {
      all.append(.init(.warning, "Masters without a replica that could take over: \(list(orphanedMasterIDs))"))
    }
    if !loopingReplicaIDs.isEmpty {
      all.append(.init(.grave, "Replicas that follow each other: \(list(loopingReplicaIDs))"))
    }
    let looping = Set(loopingReplicaIDs)
    let chained = chainedReplicaIDs.filter { !looping.contains($0) }
    if !chained.isEmpty { all.append(.init(.warning, "Replicas of replicas: \(list(chained))")) }
    if !stuckReplicaIDs.isEmpty { all.append(.init(.warning, "Replicas without a master: \(list(stuckReplicaIDs))")) }
    let moving = Set(migratingSlots.keys).union(importingSlots.keys).count
    if moving > 0 { all.append(.init(.note, "\(moving) slots are being moved")) }
    return all
  }
}

extension SentinelView {
  /// What is wrong with the Sentinels and what they agree upon.
  func findings(expectedCount: Int?) -> [WorkloadOverview.Finding] {
    var all: [WorkloadOverview.Finding] = []
    if answeringCount == 0 { return [.init(.grave, "No Sentinel answers")] }
    if masterAddress == nil { all.append(.init(.grave, "No Sentinel knows the master")) }
    if hasQuorum == false { all.append(.init(.grave, "The Sentinels have no quorum: no failover can take place")) }
    if isMasterDown { all.append(.init(.grave, "The Sentinels find the master down")) }
    if isFailoverInProgress { all.append(.init(.warning, "A failover is in progress")) }
    if let expectedCount, answeringCount < expectedCount {
      all.append(.init(.warning, "\(answeringCount) of \(expectedCount) Sentinels answer"))
    }
    if masterAddress != nil, !dissenters.isEmpty {
      all.append(.init(.warning, "\(dissenters.count) of \(answeringCount) Sentinels name another master"))
    }
    if quorumSettings.count > 1 { all.append(.init(.warning, "The Sentinels' quorum settings differ")) }
    if isAddressMixed { all.append(.init(.warning, "The Sentinels mix names and addresses of one group")) }
    return all
  }
}
