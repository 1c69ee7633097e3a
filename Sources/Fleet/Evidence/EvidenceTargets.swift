import Config
import Redis
import Runtime

/// A server of a workload as those see it who gather evidence.
struct EvidenceCandidate: Sendable {
  /// The label `instance`.
  let instance: String
  let role: FleetMember.Role
  /// Servers of one shard have the same number.
  let shard: Int
  /// How far behind a replica is; nil where that is not known.
  let lagSeconds: Double?
  /// Why its newest poll failed; nil where it was answered.
  let error: RedisError?
  let lastAnswer: WallTime?
  /// It failed so often that it is left alone.
  let isLeftAlone: Bool
  let connection: ConnectionOptions
  /// Has a connection of its own to the server, which it lends where no other is left.
  let poller: Poller?
  /// Where it is counted what all that is done to the server costs it.
  let cost: NodeCost
}

/// A workload as those see it who gather evidence.
struct EvidenceContext: Sendable {
  let candidates: [EvidenceCandidate]
  /// What Sentinels are asked about; nil without Sentinels.
  let masterName: String?
  /// What servers counted a minute or so ago, by instance.
  let past: [String: CounterTracker.Past]
  let findings: [Finding]

  /// Of how many servers a look is at most; a Sentinel comes on top.
  static let serverLimit = 3

  /// Whom to ask: the servers that the alerts are about, their masters, and the replica that stands worst.
  ///
  /// - Parameter wantsSentinel: whether a Sentinel is asked, too.
  func targets(_ instances: [String], wantsSentinel: Bool) -> [EvidenceCandidate] {
    let servers = candidates.filter { $0.role != .sentinel }
    var chosen: [EvidenceCandidate] = []
    func choose(_ candidate: EvidenceCandidate?) {
      guard let candidate, chosen.count < Self.serverLimit,
        !chosen.contains(where: { $0.instance == candidate.instance })
      else { return }
      chosen.append(candidate)
    }
    for instance in instances { choose(servers.first { $0.instance == instance }) }
    let shards = Set(chosen.map(\.shard))
    // Those that are silent first: they are what it is about.
    let masters = servers.filter { $0.role == .master }.sorted { $0.error != nil && $1.error == nil }
    for master in masters where shards.contains(master.shard) { choose(master) }
    if chosen.isEmpty { for master in masters.prefix(Self.serverLimit - 1) { choose(master) } }
    let near = Set(chosen.map(\.shard))
    let replicas = servers.filter { $0.role != .master && near.contains($0.shard) }
    choose(
      replicas.max { ($0.error == nil ? 0 : 1, $0.lagSeconds ?? 0) < ($1.error == nil ? 0 : 1, $1.lagSeconds ?? 0) })
    for candidate in servers.filter({ $0.error != nil }) { choose(candidate) }
    if chosen.isEmpty { choose(servers.first) }
    let sentinels = candidates.filter { $0.role == .sentinel }
    if wantsSentinel || chosen.isEmpty || sentinels.contains(where: { instances.contains($0.instance) }) {
      let named = sentinels.first { instances.contains($0.instance) && $0.error == nil }
      if let sentinel = named ?? sentinels.first(where: { $0.error == nil }) ?? sentinels.first {
        chosen.append(sentinel)
      }
    }
    return chosen
  }
}

extension EvidenceContext {
  /// How a workload stands now.
  static func of(_ workload: isolated Workload) -> EvidenceContext {
    let judgement = workload.shown()
    return EvidenceContext(
      workload.tracker, workload.crew.members, workload.crew.sentinels,
      findings: judgement.findings.filter { !$0.isKnown }, now: .now, lag: { judgement.state[$0]?.lag?.seconds },
      known: { workload.watched($0, at: $1, isSentinel: $2) })
  }

  /// - Parameters:
  ///   - lag: of the replica at an address, in seconds.
  ///   - known: a server as others see it.
  init(
    _ tracker: WorkloadTracker, _ members: [NodeAddress: WatchedNode], _ sentinels: [NodeAddress: WatchedNode],
    findings: [Finding], now: WallTime, lag: (NodeAddress) -> Double?,
    known: (WatchedNode, NodeAddress, _ isSentinel: Bool) -> FleetMember
  ) {
    var shards: [NodeAddress: Int] = [:]
    for (place, group) in tracker.following.groups.enumerated() {
      for address in group.members { shards[address] = place }
    }
    func candidates(_ nodes: [NodeAddress: WatchedNode], isSentinel: Bool) -> [EvidenceCandidate] {
      nodes.sorted { $0.key < $1.key }.map { address, node in
        let (member, newest) = (known(node, address, isSentinel), node.node.poller.newest)
        return EvidenceCandidate(
          instance: node.instance, role: member.role, shard: shards[address] ?? -1, lagSeconds: lag(address),
          error: newest?.state.error, lastAnswer: newest?.lastSuccess, isLeftAlone: member.isLeftAlone,
          connection: node.node.poller.options.connection, poller: node.node.poller, cost: node.node.cost)
      }
    }
    var past: [String: CounterTracker.Past] = [:]
    for (address, node) in members {
      guard let runID = node.reading.facts?.server.runID else { continue }
      past[node.instance] = tracker.counters.past(of: address, runID: runID, before: now)
    }
    self.init(
      candidates: candidates(members, isSentinel: false) + candidates(sentinels, isSentinel: true),
      masterName: tracker.config.sentinel?.masterName, past: past, findings: findings)
  }
}
