import Redis

/// A master with its replicas, as their own INFO describes them, not a third party.
public struct ReplicationView: Sendable, Equatable {
  /// A member of the workload.
  public struct Member: Sendable, Equatable {
    public let address: NodeAddress
    /// Further addresses by which other members may name it, such as an announced name.
    public let aliases: Set<NodeAddress>
    /// nil while it does not answer.
    public let facts: ReplicationFacts?

    public init(_ address: NodeAddress, aliases: Set<NodeAddress> = [], facts: ReplicationFacts?) {
      self.address = address
      self.aliases = aliases
      self.facts = facts
    }

    func isNamed(_ other: NodeAddress) -> Bool { address == other || aliases.contains(other) }
  }

  /// The member that is the master; of several the one that the authority names, else the one that most replicas follow.
  public let master: NodeAddress?
  /// Members that hold themselves for master.
  public let masters: [NodeAddress]
  /// Of those, the ones whose writes never reach the master: a split brain. KeyDB's active replicas follow one another and
  /// are none.
  public let rivals: [NodeAddress]
  /// How many members follow whom.
  public let followerCounts: [NodeAddress: Int]
  /// Replicas that answer and whose link to the agreed master is up.
  public let onlineReplicas: [NodeAddress]
  /// Replicas whose link is down or that are syncing, with the seconds for which it has been down where it ever was up.
  public let offlineReplicas: [NodeAddress: Int?]
  public let syncingReplicas: [NodeAddress]
  /// Replicas that follow something else than the agreed master, replicas of replicas included.
  public let misledReplicas: [NodeAddress]
  /// Replicas of replicas.
  public let chainedReplicas: [NodeAddress]
  /// Replicas whose masters lead back to themselves.
  public let loopingReplicas: [NodeAddress]
  /// Members that do not answer.
  public let silentMembers: [NodeAddress]
  /// Replicas that the master lists and that are no members: nobody watches them.
  public let strangers: [NodeAddress]
  /// Those that it lists without an address.
  public let strangersWithoutAddress: Int
  private let members: [Member]
  private let authority: NodeAddress?

  public var isSplit: Bool { !rivals.isEmpty }
  public var isTroubled: Bool {
    masters.isEmpty || isSplit || !offlineReplicas.isEmpty || !misledReplicas.isEmpty || !silentMembers.isEmpty
  }

  /// How many of the replicas that there should be are not online.
  public func missingReplicaCount(expected: Int) -> Int { max(0, expected - onlineReplicas.count) }

  /// - Parameter authority: the master as Sentinel or the configuration has it, where there is one.
  public init(_ members: [Member], authority: NodeAddress? = nil) {
    self.members = members
    self.authority = authority
    let known = members.compactMap { member in member.facts.map { (member: member, facts: $0) } }
    func member(_ address: NodeAddress) -> Member? { members.first { $0.isNamed(address) } }
    func target(_ address: NodeAddress) -> NodeAddress { member(address)?.address ?? address }

    let masters = known.filter(\.facts.isMaster).map(\.member.address)
    let followed = known.flatMap(\.facts.masterAddresses).map(target)
    let votes = Dictionary(followed.map { ($0, 1) }, uniquingKeysWith: +)
    let named = authority.map(target)
    let master: NodeAddress? =
      if let named, masters.contains(named) || masters.isEmpty {
        named
      } else if masters.isEmpty {
        // It does not answer; its replicas still say where it was.
        votes.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
      } else {
        masters.max { (votes[$0] ?? 0, $1) < (votes[$1] ?? 0, $0) }
      }
    self.masters = masters
    followerCounts = votes
    self.master = master
    silentMembers = members.filter { $0.facts == nil }.map(\.address)

    let links = known.filter(\.facts.isMaster).flatMap { member, facts in
      facts.masterAddresses.map { (from: member.address, to: target($0)) }
    }
    let ring = master.map { Self.ring(of: $0, links) } ?? []
    rivals = masters.filter { !ring.contains($0) }

    let replicas = known.filter(\.facts.role.follows)
    func upstream(_ address: NodeAddress) -> NodeAddress? {
      member(address)?.facts.flatMap { $0.isMaster ? nil : $0.masterAddress.map(target) }
    }
    var online: [NodeAddress] = []
    var offline: [NodeAddress: Int?] = [:]
    var misled: [NodeAddress] = []
    for (member, facts) in replicas {
      // One that takes writes may follow whom it likes.
      let isRight = facts.isMaster || facts.masterAddress.map(target) == master
      if !isRight { misled.append(member.address) }
      if facts.isLinkUp == false {
        offline.updateValue(facts.linkDownSeconds, forKey: member.address)
      } else if isRight, facts.isLinkUp == true {
        online.append(member.address)
      }
    }
    onlineReplicas = online
    offlineReplicas = offline
    misledReplicas = misled
    syncingReplicas = replicas.filter(\.facts.isSyncing).map(\.member.address)
    chainedReplicas = replicas.filter { replica in
      !replica.facts.isMaster && upstream(replica.member.address).flatMap(member)?.facts?.isMaster == false
    }.map(\.member.address)
    loopingReplicas = replicas.map(\.member.address).filter { followsItself($0, master: upstream) }
    let listed = master.flatMap(member)?.facts?.replicas.map(\.address) ?? []
    strangers = listed.filter { member($0) == nil }
    strangersWithoutAddress = master.flatMap(member)?.facts?.replicasWithoutAddress ?? 0
  }

  /// A master with all that follow it or that it follows, by links between masters.
  private static func ring(of master: NodeAddress, _ links: [(from: NodeAddress, to: NodeAddress)]) -> Set<NodeAddress>
  {
    var ring: Set<NodeAddress> = [master]
    var count = 0
    while ring.count > count {
      count = ring.count
      for link in links where ring.contains(link.from) || ring.contains(link.to) {
        ring.formUnion([link.from, link.to])
      }
    }
    return ring
  }

  /// The same without servers that are not watched.
  func without(_ addresses: Set<NodeAddress>) -> ReplicationView {
    guard members.contains(where: { addresses.contains($0.address) }) else { return self }
    return ReplicationView(members.filter { !addresses.contains($0.address) }, authority: authority)
  }
}
