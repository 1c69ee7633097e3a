import Redis

/// Follows a master and its replicas from INFO of any of them.
struct ReplicationFollower: Follower {
  let seeds: [NodeAddress]
  private var identities: Identities

  init(seeds: [NodeAddress]) {
    self.seeds = seeds
    identities = Identities(preferred: Set(seeds))
  }

  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following {
    identities.learn(members)
    let own = members.filter { identities[$0.address] == $0.address }
    let readings = Dictionary(own.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    var addresses = Set(seeds.map { identities[$0] })
    for reading in own {
      guard let facts = reading.facts?.replication?.renamed({ identities[$0] }) else { continue }
      addresses.insert(reading.address)
      addresses.formUnion(facts.replicas.map(\.address))
      if let master = facts.masterAddress { addresses.insert(master) }
    }
    let view = replicationView(addresses.sorted(), readings, identities, authority: nil)
    var following = Following()
    following.aliases = identities.aliases
    following.listings = addresses.sorted().map {
      Roster.Listing($0, isUp: nil, answers: readings[$0]?.answers)
    }
    following.replication = view
    following.groups = [
      ReplicationGroup(master: view.master, replicas: addresses.subtracting([view.master].compactMap { $0 }))
    ]
    following.isTroubled = view.isTroubled
    return following
  }
}

/// The members by their own INFO.
func replicationView(
  _ addresses: [NodeAddress], _ readings: [NodeAddress: MemberReading], _ identities: Identities,
  authority: NodeAddress?
) -> ReplicationView {
  ReplicationView(
    addresses.map { address in
      ReplicationView.Member(
        address, aliases: identities.aliases(of: address), facts: readings[address]?.facts?.replication)
    }, authority: authority)
}
