import Config
import Redis
import Runtime

extension Workload {
  /// How the workload stands now.
  func overview() -> WorkloadOverview {
    let judgement = shown()
    let state = judgement.state
    let counts = tracker.failovers.state.counts.filter { $0.key != .aborted }
    let counted = counts.reduce(0) { $0 + store.count($1.key, inMemory: $1.value) }
    return WorkloadOverview(
      name: config.name, kind: config.kind.rawValue, topology: config.topology.rawValue,
      environment: config.environment, degraded: config.degraded,
      windows: (state.isInMaintenance ? [.maintenance(state.change)] : []) + (state.isInPeak ? [.peak] : []),
      presentCount: crew.members.values.count { $0.reading.answers == true }, expectedCount: config.expected.nodes,
      failovers: counts.isEmpty
        ? nil
        : WorkloadOverview.Failovers(
          count: Int(clamping: counted), lastTime: tracker.failovers.state.lastFailover,
          last: events.failovers.lastSummary, lastCost: events.failovers.lastCost),
      traffic: state.traffic, ttlCrowdingRatio: state.keys.ttlCrowdingRatio, budgets: store.budgets.budgets,
      keyspace: keyWatches?.keyspace(at: .now),
      groups: groups(state),
      judged: WorkloadOverview.Judged(judgement))
  }

  /// What a span of time used of its error budgets.
  func budgetUse(from: WallTime, to: WallTime) -> [BudgetUse] {
    store.budgets.use(from: from, to: to, config.objectives(at: Timestamp(.now)))
  }

  /// What every check says now, also those that find nothing.
  func checkResults() -> [CheckResult] { publish().results(CheckCatalogue.all) }

  private func groups(_ state: WorkloadState) -> [WorkloadOverview.Group] {
    func list(_ addresses: [NodeAddress]) -> [WorkloadOverview.Member] {
      addresses.compactMap { address in
        crew.members[address].map { overview(of: $0, state) }
      }
    }
    var rest = Set(crew.members.keys)
    let titles = tracker.following.shardTitles
    var groups = tracker.following.groups.enumerated().map { index, group in
      rest.subtract(group.members)
      return WorkloadOverview.Group(title: index < titles.count ? titles[index] : "", members: list(group.members))
    }
    if !rest.isEmpty {
      groups.append(WorkloadOverview.Group(title: groups.isEmpty ? "" : "In no shard", members: list(rest.sorted())))
    }
    if !crew.sentinels.isEmpty {
      let watchers = crew.sentinels.sorted { $0.key < $1.key }.map { address, node in
        WorkloadOverview.Member(
          watched: watched(node, at: address, isSentinel: true), lag: nil, lagAsOf: nil, isLagHigh: false,
          usedMemoryBytes: nil, maxMemoryBytes: nil, memoryUsedRatio: nil, isMemoryHigh: false,
          operationsPerSecond: nil, clientCount: nil)
      }
      groups.append(WorkloadOverview.Group(title: "Sentinels", members: watchers))
    }
    return groups
  }

  private func overview(
    of node: WatchedNode, _ state: WorkloadState
  ) -> WorkloadOverview.Member {
    let objectives = state.objectives
    let facts = node.reading.facts
    let memory = facts?.memory
    let answers = node.reading.answers == true
    // A master that is gone tells no lag of later than its last answer.
    let wall = WallTime.now
    let lagAsOf = tracker.master(of: node.address).flatMap { crew.members[$0] }.flatMap {
      watched($0, at: $0.address, isSentinel: false).figuresAsOf(now: wall)
    }
    let lag = state[node.address]?.lag.flatMap { lag in
      lagAsOf.map { tracker.lag(of: node.address, at: state.now - max(0, wall - $0)) } ?? lag
    }
    func isAbove(_ value: Double?, _ limit: Double?) -> Bool {
      value.flatMap { value in limit.map { value > $0 } } ?? false
    }
    return WorkloadOverview.Member(
      watched: watched(node, at: node.address, isSentinel: false), lag: lag,
      lagAsOf: lag == nil ? nil : lagAsOf,
      isLagHigh: isAbove(lag?.seconds, objectives.replicationLag?.seconds), usedMemoryBytes: memory?.usedBytes,
      maxMemoryBytes: memory?.maxBytes,
      memoryUsedRatio: memory?.usedRatio, isMemoryHigh: isAbove(memory?.usedRatio, objectives.memoryUsedRatio),
      operationsPerSecond: answers ? facts?.operationsPerSecond : nil,
      clientCount: answers ? facts?.connectedClients : nil)
  }
}

extension Following {
  /// Of a cluster's shards, in the order of the groups.
  fileprivate var shardTitles: [String] {
    cluster.map { view in
      view.shards.enumerated().map { index, shard in
        let slots = view[shard.masterID]?.slots ?? []
        // A cluster that was resharded often has many ranges.
        let ranges = slots.prefix(4).map { "\($0.lowerBound)–\($0.upperBound)" }.joined(separator: ", ")
        return "Shard \(index + 1): slots \(ranges)\(slots.count > 4 ? ", …" : "")"
      }
    } ?? []
  }
}
