import Redis

/// Merges what the nodes of a cluster say of each other.
struct ClusterMerger {
  private let reports: [ClusterReport]
  /// What each report says of each node.
  private let claims: [String: [(reporter: String?, node: ClusterNode)]]
  /// Whose word counts when a node is found failed: masters with slots, or all where none of them answered.
  private let voters: Set<String>
  private let servingMasterCount: Int

  init(_ reports: [ClusterReport]) {
    self.reports = reports
    var claims: [String: [(reporter: String?, node: ClusterNode)]] = [:]
    for report in reports {
      let reporter = report.myself?.id
      var seen: Set<String> = []
      for node in report.nodes.nodes where seen.insert(node.id).inserted {
        claims[node.id, default: []].append((reporter, node))
      }
    }
    self.claims = claims
    let speakers = reports.compactMap(\.myself)
    let masters = speakers.filter { $0.isMaster && !$0.slots.isEmpty }
    voters = Set((masters.isEmpty ? speakers : masters).map(\.id))
    servingMasterCount = claims.values.count { all in all.contains { $0.node.isMaster && !$0.node.slots.isEmpty } }
  }

  func members() -> [ClusterView.Member] {
    claims.map { id, all in
      let best = Self.best(id, all)
      // The node itself may not know under which address the others reach it.
      let named = best.host.isEmpty ? all.map(\.node).first { !$0.host.isEmpty } ?? best : best
      return ClusterView.Member(
        id: id, address: NodeAddress(host: named.host, port: named.port), hostname: best.hostname ?? named.hostname,
        isMaster: best.isMaster, masterID: best.isMaster ? nil : best.masterID, configEpoch: best.configEpoch,
        slots: [], health: health(id, all), knownByCount: all.count { $0.reporter != id },
        voteCount: all.count, masterVoteCount: all.count(where: \.node.isMaster),
        callsItselfMaster: all.first { $0.reporter == id }?.node.isMaster)
    }.sorted { $0.id < $1.id }
  }

  /// The claim that holds: the highest epoch; among equals the node's own word, then what most say.
  private static func best(_ id: String, _ all: [(reporter: String?, node: ClusterNode)]) -> ClusterNode {
    let highest = all.map(\.node.configEpoch).max() ?? 0
    let newest = all.filter { $0.node.configEpoch == highest }
    if let own = newest.first(where: { $0.reporter == id }) { return own.node }
    let asMaster = newest.filter(\.node.isMaster)
    let asReplica = newest.filter { !$0.node.isMaster }
    let chosen = asMaster.count >= asReplica.count ? asMaster : asReplica
    return chosen[0].node
  }

  private func health(_ id: String, _ all: [(reporter: String?, node: ClusterNode)]) -> ClusterView.Health {
    // Of itself a node knows nothing; a report that does not say whose it is counts as a voter of its own.
    let votes = all.filter { claim in claim.reporter.map { $0 != id && voters.contains($0) } ?? true }
    let failed = votes.count { $0.node.flags.contains("fail") }
    let suspected = votes.count { $0.node.flags.contains("fail") || $0.node.flags.contains("fail?") }
    if failed * 2 > votes.count || (suspected > 0 && suspected * 2 > servingMasterCount) { return .fail }
    if suspected > 0 { return .pfail }
    let isPartial = all.allSatisfy { $0.node.flags.contains("noaddr") || $0.node.flags.contains("handshake") }
    return isPartial ? .unknown : .ok
  }

  /// Nodes that call themselves master of slots that the merged map gives to another, by that other's id; where the
  /// servers name shards, also a second master of the same shard that says so itself.
  func rivals(_ owners: SlotOwners) -> [String: Set<String>] {
    var rivals: [String: Set<String>] = [:]
    var ownerOfShard: [String: String] = [:]
    for myself in reports.compactMap(\.myself) where owners.ranges[myself.id] != nil {
      if let shard = myself.shardID { ownerOfShard[shard] = myself.id }
    }
    for myself in reports.compactMap(\.myself) where myself.isMaster {
      for range in myself.slots {
        for owner in owners.owners(in: range) where owner != myself.id { rivals[owner, default: []].insert(myself.id) }
      }
      if let shard = myself.shardID, let owner = ownerOfShard[shard], owner != myself.id {
        rivals[owner, default: []].insert(myself.id)
      }
    }
    return rivals
  }
}

/// Who owns each slot by the claims with the highest epochs, and how far the reports agree.
struct SlotOwners {
  /// Different maps that are looked at; a cluster at odds with itself beyond that is told apart no further.
  static let mapLimit = 16

  /// The same slots by another epoch are another claim: an older map may come back by a newer right.
  private struct Claim: Hashable {
    let slots: [ClosedRange<Int>]
    let epoch: Int

    init(_ node: ClusterNode) { (slots, epoch) = (node.slots, node.configEpoch) }
  }

  let ranges: [String: [ClosedRange<Int>]]
  let mapCount: Int
  let disputedCount: Int
  /// By slot an index into `ids`, or -1.
  private let owners: [Int32]
  private let ids: [String]

  init(_ reports: [ClusterReport]) {
    // Reports mostly agree: only different maps are laid out slot by slot.
    var claims: Set<[String: Claim]> = []
    var ids: [String] = []
    var indices: [String: Int32] = [:]
    var owners = [Int32](repeating: -1, count: ClusterNodes.slotCount)
    var epochs = [Int](repeating: -1, count: ClusterNodes.slotCount)
    var firstOwners: [Int32] = []
    var isDisputed = [Bool](repeating: false, count: ClusterNodes.slotCount)
    for report in reports where claims.count < Self.mapLimit {
      let serving = report.nodes.nodes.filter { !$0.slots.isEmpty }
      let claim = Dictionary(serving.map { ($0.id, Claim($0)) }, uniquingKeysWith: { first, _ in first })
      guard claims.insert(claim).inserted else { continue }
      var own = [Int32](repeating: -1, count: ClusterNodes.slotCount)
      // A report gives each slot to one node: what claims more is no report of a cluster.
      var budget = ClusterNodes.slotCount
      for node in serving {
        let index = indices[node.id] ?? Int32(ids.count)
        if indices[node.id] == nil {
          indices[node.id] = index
          ids.append(node.id)
        }
        for range in node.slots where range.count <= budget {
          budget -= range.count
          for slot in range {
            own[slot] = index
            if node.configEpoch > epochs[slot] {
              epochs[slot] = node.configEpoch
              owners[slot] = index
            }
          }
        }
      }
      if firstOwners.isEmpty { firstOwners = own }
      for slot in own.indices where own[slot] != firstOwners[slot] { isDisputed[slot] = true }
    }
    self.owners = owners
    self.ids = ids
    mapCount = Set(claims.map { $0.mapValues(\.slots) }).count
    disputedCount = isDisputed.count { $0 }
    var ranges: [String: [ClosedRange<Int>]] = [:]
    var start = 0
    while start < owners.count {
      var end = start
      while end + 1 < owners.count, owners[end + 1] == owners[start] { end += 1 }
      if owners[start] >= 0 { ranges[ids[Int(owners[start])], default: []].append(start...end) }
      start = end + 1
    }
    self.ranges = ranges
  }

  func owners(in range: ClosedRange<Int>) -> Set<String> {
    Set(owners[range].filter { $0 >= 0 }.map { ids[Int($0)] })
  }
}
