import Redis
import Runtime

/// Follows a master and its replicas from INFO of any of them.
struct ReplicationFollower: Follower {
  let seeds: [NodeAddress]
  private var identities: Identities
  private var proofs: ReplicaProofs

  init(seeds: [NodeAddress]) {
    self.seeds = seeds
    identities = Identities(preferred: Set(seeds))
    proofs = ReplicaProofs()
  }

  mutating func follow(_ members: [MemberReading], sentinels: [MemberReading]) -> Following {
    identities.learn(members)
    let own = members.filter { identities[$0.address] == $0.address }
    let readings = Dictionary(own.map { ($0.address, $0) }, uniquingKeysWith: { first, _ in first })
    let known = Set(seeds.map { identities[$0] })
    let answers = own.compactMap { reading in
      reading.facts?.replication.map { (address: reading.address, facts: $0.renamed { identities[$0] }) }
    }
    let listed = Set(answers.flatMap { $0.facts.replicas.map(\.address) })
    proofs.note(
      listed: listed, own, proven: known.union(answers.flatMap(\.facts.masterAddresses)))
    var addresses = known
    for (address, facts) in answers where !proofs.isSuspect(address) {
      addresses.insert(address)
      addresses.formUnion(facts.replicas.map(\.address))
      addresses.formUnion(facts.masterAddresses)
    }
    let view = replicationView(addresses.sorted(), readings, identities, authority: nil)
    var following = Following()
    following.unproven = addresses.filter(proofs.isSuspect)
    following.aliases = identities.aliases
    following.listings = addresses.sorted().map {
      Roster.Listing($0, isUp: nil, answers: readings[$0]?.answers)
    }
    following.replication = view
    following.groups = [
      ReplicationGroup(master: view.master, replicas: addresses.subtracting([view.master].compactMap { $0 }))
    ]
    return following
  }
}

/// Tells replicas from clients that only call themselves one: a master lists whatever they say that they listen on. Pure.
struct ReplicaProofs: Sendable {
  private var proven: Set<NodeAddress> = []
  private var suspects: Set<NodeAddress> = []

  /// Whether an address was listed as a replica's, and nothing else speaks for it.
  func isSuspect(_ address: NodeAddress) -> Bool { suspects.contains(address) }

  /// - Parameters:
  ///   - listed: what masters list as replicas, or Sentinels that never had an answer from them.
  ///   - proven: what others prove: the configuration, or a replica's word for its master.
  mutating func note(listed: Set<NodeAddress>, _ readings: [MemberReading], proven others: Set<NodeAddress>) {
    let replicas = readings.filter { $0.facts?.replication?.role.follows == true }.map(\.address)
    let known = listed.union(readings.map(\.address))
    proven = proven.intersection(known).union(replicas).union(others)
    suspects = suspects.intersection(known).union(listed).subtracting(proven)
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
