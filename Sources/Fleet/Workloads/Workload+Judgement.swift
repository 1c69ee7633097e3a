import Config
import Metrics
import Redis

extension Workload {
  /// How a member stands against what its workload expects.
  func addJudgement(
    of member: WatchedNode, _ facts: MemberFacts, nowSeconds now: Double, into sink: inout SampleSink
  ) {
    let instance = LabelValue(member.instance)
    let memory = facts.memory
    sink.add(JudgementFamilies.memoryLimited, memory.maxBytes > 0 ? 1 : 0, instance)
    if let ratio = memory.usedRatio { sink.add(JudgementFamilies.memoryRatio, ratio, instance) }
    if let policy = memory.policy {
      sink.add(JudgementFamilies.policyFits, config.eviction.fits(policy) ? 1 : 0, instance)
    }
    if let offset = facts.clockOffsetSeconds { sink.add(JudgementFamilies.clockOffset, offset, instance) }
    sink.add(JudgementFamilies.hasSaved, facts.persistence.hasSaved ? 1 : 0, instance)
    if let age = facts.persistence.dumpAgeSeconds(nowSeconds: now) {
      sink.add(JudgementFamilies.dumpAge, age, instance)
    }
    if let fork = facts.fork {
      if let bytes = fork.copiedBytes { sink.add(JudgementFamilies.forkCopied, Double(bytes), instance) }
      if let bytes = fork.expectedBytes { sink.add(JudgementFamilies.forkHeadroom, Double(bytes), instance) }
      sink.add(JudgementFamilies.forkWorstHeadroom, Double(fork.worstBytes), instance)
    }
    guard facts.replication?.isMaster == true else { return }
    if let fits = config.persistence.fits(facts.persistence) {
      sink.add(JudgementFamilies.persistenceFits, fits ? 1 : 0, instance)
    }
    // A cache is rebuilt from elsewhere: it has nothing to lose where no RPO is set.
    guard config.objectives.rpo != nil else { return }
    let point = RecoveryPoint(
      crashOf: facts.persistence, isFsyncDelayed: delayedFsyncs.isRising(at: member.address), nowSeconds: now)
    sink.add(JudgementFamilies.crashLoss, point.seconds, instance)
    for basis in RecoveryPoint.Basis.allCases {
      sink.add(JudgementFamilies.crashBasis, basis == point.basis ? 1 : 0, [instance, .text(basis.rawValue)])
    }
  }

  func addLag(of member: WatchedNode, atSeconds now: Double, into sink: inout SampleSink) {
    guard let lag = lags.lag(of: member.address, atSeconds: now) else { return }
    let instance = LabelValue(member.instance)
    sink.add(JudgementFamilies.lag, lag.seconds, instance)
    if let bytes = lag.bytes { sink.add(JudgementFamilies.lagBytes, Double(bytes), instance) }
    for state in ReplicationLag.State.allCases {
      sink.add(JudgementFamilies.lagState, state == lag.state ? 1 : 0, [instance, .text(state.rawValue)])
    }
  }

  func addLoad(
    of member: WatchedNode, _ facts: MemberFacts?, _ objectives: Objectives, into sink: inout SampleSink
  ) {
    let instance = LabelValue(member.instance)
    if facts != nil, let ratio = loads.eventLoopBusyRatio(of: member.address) {
      sink.add(LoadFamilies.eventLoopBusy, ratio, instance)
    }
    guard let step = objectives.latencyP99.flatMap({ SlowCommands.step(within: $0.seconds) }),
      let count = loads.slowCommandCount(of: member.address)
    else { return }
    sink.add(LoadFamilies.slowCommands, count, instance)
    sink.add(LoadFamilies.slowCommandsEdge, LatencyGrid.edgeSeconds[step], instance)
  }

  /// The shape of the topology, and what a failover would cost.
  func addTopology(_ readings: [NodeAddress: MemberReading], atSeconds now: Double, into sink: inout SampleSink) {
    let facts = readings.mapValues { $0.facts }.compactMapValues { $0 }
    sink.add(
      JudgementFamilies.versions,
      Double(Set(facts.values.map { $0.server.valkeyVersion ?? $0.server.version }.map(\.description)).count))
    drift = Drift(
      facts.sorted { $0.key < $1.key }.map { (instance: instance($0.key), facts: $0.value) },
      areAlike: config.topology != .static)
    if let count = drift.settingCount { sink.add(JudgementFamilies.driftedSettings, Double(count)) }
    if let hitRatio = hits.ratio { sink.add(JudgementFamilies.hitRatio, hitRatio.value) }
    if config.objectives.rpo != nil {
      let electable = Set(
        facts.filter { $0.value.replication.map { !$0.isMaster && $0.priority > 0 } ?? false }.map(\.key))
      if let loss = lags.failoverLossSeconds(electable: electable, atSeconds: now) {
        sink.add(JudgementFamilies.failoverLoss, loss)
      }
    }
    if let view = following.replication {
      sink.add(JudgementFamilies.splitBrain, rivals.isSplit(atSeconds: now) ? 1 : 0)
      sink.add(JudgementFamilies.demotedMasters, Double(rivals.demoted(atSeconds: now).count))
      sink.add(JudgementFamilies.strangers, Double(view.strangers.count))
      addFaults(
        stuck: view.offlineReplicas.count - view.syncingReplicas.count, misled: view.misledReplicas.count,
        chained: view.chainedReplicas.count, looping: view.loopingReplicas.count, into: &sink)
    }
    if let view = following.cluster, !view.members.isEmpty { addCluster(view, into: &sink) }
  }

  private func addFaults(stuck: Int, misled: Int?, chained: Int, looping: Int, into sink: inout SampleSink) {
    let counts: [(String, Int?)] = [
      ("stuck", max(0, stuck)), ("misled", misled), ("chained", chained), ("looping", looping),
    ]
    for (fault, count) in counts {
      if let count { sink.add(JudgementFamilies.replicaFaults, Double(count), .text(fault)) }
    }
  }

  private func addCluster(_ view: ClusterView, into sink: inout SampleSink) {
    let coverage = view.coverage
    let slots = [
      ("ok", coverage.ok), ("pfail", coverage.pfail), ("fail", coverage.fail),
      ("unassigned", ClusterNodes.slotCount - coverage.assigned),
    ]
    for (state, count) in slots { sink.add(JudgementFamilies.slots, Double(count), .text(state)) }
    sink.add(JudgementFamilies.slotsDisputed, Double(view.disputedSlotCount))
    sink.add(JudgementFamilies.slotsMoving, Double(Set(view.migratingSlots.keys).union(view.importingSlots.keys).count))
    sink.add(JudgementFamilies.shards, Double(view.shards.count))
    sink.add(JudgementFamilies.orphanedMasters, Double(view.orphanedMasterIDs.count))
    sink.add(JudgementFamilies.splitBrain, view.shards.contains { $0.masterIDs.count > 1 } ? 1 : 0)
    addFaults(
      stuck: view.stuckReplicaIDs.count, misled: nil, chained: view.chainedReplicaIDs.count,
      looping: view.loopingReplicaIDs.count, into: &sink)
    for node in view.members {
      guard let member = members[node.address] else { continue }
      for health in ClusterView.Health.allCases {
        sink.add(
          JudgementFamilies.nodeHealth, health == node.health ? 1 : 0,
          [.text(member.instance), .text(health.rawValue)])
      }
    }
  }
}

extension PersistencePolicy {
  /// Whether a server persists so; nil where nothing is asked, or what is asked cannot be read.
  func fits(_ facts: PersistenceFacts) -> Bool? {
    let rdb: Bool? = isRDBOn.flatMap { wanted in facts.hasSaveRules.map { $0 == wanted } }
    let log: Bool? =
      switch aof {
      case nil: nil
      case .off: !facts.isAOFEnabled
      case .everysec: facts.isAOFEnabled ? facts.appendFsync.map { $0 != .no } : false
      case .always: facts.isAOFEnabled ? facts.appendFsync.map { $0 == .always } : false
      }
    let verdicts = [rdb, log].compactMap { $0 }
    return verdicts.isEmpty ? nil : verdicts.allSatisfy { $0 }
  }
}
