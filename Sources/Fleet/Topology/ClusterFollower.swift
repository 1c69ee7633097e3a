import Redis
import Runtime

/// Follows a cluster by what its nodes say of one another.
struct ClusterFollower: Follower {
  let seeds: Set<NodeAddress>

  init(seeds: [NodeAddress] = []) { self.seeds = Set(seeds) }

  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following {
    let readings = Dictionary(members.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    let all = members.compactMap { reading in reading.facts?.cluster.map { ClusterReport($0) } }
    let (view, reports) = Self.view(all)
    var following = Following()
    following.cluster = view
    following.voterCount = reports.count
    let reporters = Set(reports.compactMap { $0.myself?.id })
    let seedIDs = Set(
      members.filter { seeds.contains($0.address) }.compactMap { $0.facts?.cluster?.nodes.first(where: \.isMyself)?.id }
    )
    var addresses: [String: NodeAddress] = [:]
    for member in view.members {
      guard let address = Self.address(of: member, members) else { continue }
      addresses[member.id] = address
      following.hostnames[address] = member.hostname
      following.voucherCounts[address] = member.knownByCount + (reporters.contains(member.id) ? 1 : 0)
      if seedIDs.contains(member.id) { following.ownNames.insert(address) }
      following.listings.append(
        Roster.Listing(
          address, isUp: member.health == .ok || member.health == .pfail, answers: readings[address]?.answers))
    }
    following.groups = view.shards.map { shard in
      ReplicationGroup(master: addresses[shard.masterID], replicas: Set(shard.replicaIDs.compactMap { addresses[$0] }))
    }
    return following
  }

  /// The merged view without nodes that all others have forgotten, whose own word keeps them nowhere.
  private static func view(_ reports: [ClusterReport]) -> (ClusterView, [ClusterReport]) {
    let all = ClusterView(reports)
    guard reports.count > 1 else { return (all, reports) }
    let forgotten = Set(all.members.filter { $0.knownByCount == 0 }.map(\.id))
    // Two nodes that know nothing of one another: neither is more right than the other.
    guard !forgotten.isEmpty, forgotten.count < all.members.count else { return (all, reports) }
    let others = reports.filter { !forgotten.contains($0.myself?.id ?? "") }
    return (ClusterView(others), others)
  }

  /// nil for a node that nobody can reach: in handshake, or without an address.
  private static func address(of member: ClusterView.Member, _ readings: [MemberReading]) -> NodeAddress? {
    if member.address.host.isEmpty {
      // A node alone does not know its own address; the one that it was asked at will do.
      return readings.first { $0.facts?.cluster?.nodes.first(where: \.isMyself)?.id == member.id }?.address
    }
    return member.address.port > 0 && member.health != .unknown ? member.address : nil
  }
}
