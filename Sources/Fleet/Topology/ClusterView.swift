import Redis

/// What one node of a cluster says of it.
public struct ClusterReport: Sendable, Equatable {
  public let nodes: ClusterNodes
  /// `cluster_current_epoch` of CLUSTER INFO, where it was asked.
  public let currentEpoch: Int?

  public init(_ nodes: ClusterNodes, currentEpoch: Int? = nil) {
    self.nodes = nodes
    self.currentEpoch = currentEpoch
  }

  /// The node that says it.
  public var myself: ClusterNode? { nodes.nodes.first(where: \.isMyself) }
}

/// A cluster as the views of several of its nodes make it out together.
///
/// A node speaks for itself; of the others the claim with the highest epoch holds, and masters decide by majority who has
/// failed, as the cluster itself does.
public struct ClusterView: Sendable, Equatable {
  public enum Health: String, Sendable, CaseIterable {
    case ok
    /// Some masters suspect it.
    case pfail
    /// The majority of masters finds it failed.
    case fail
    /// Not yet, or no longer, a full member: no address or a handshake.
    case unknown
  }

  public struct Member: Sendable, Equatable {
    public let id: String
    public let address: NodeAddress
    public let hostname: String?
    public let isMaster: Bool
    /// The master that it replicates; nil for a master.
    public let masterID: String?
    public let configEpoch: Int
    /// The slots that it owns by the merged view.
    public internal(set) var slots: [ClosedRange<Int>]
    public let health: Health
    /// Nodes other than itself that know it.
    public let knownByCount: Int
    /// Nodes that report it, itself included, and those of them that find it a master.
    public let voteCount: Int
    public let masterVoteCount: Int
    /// Whether it calls itself master; nil where it was not asked.
    public let callsItselfMaster: Bool?

    public var slotCount: Int { slots.reduce(0) { $0 + $1.count } }
    /// A master with slots, which is what a shard is.
    public var isServing: Bool { isMaster && !slots.isEmpty }
  }

  public struct Coverage: Sendable, Equatable {
    /// Slots with an owner, and those of them whose owner is ok, suspected or failed. 16384 is full.
    public internal(set) var assigned = 0
    public internal(set) var ok = 0
    public internal(set) var pfail = 0
    public internal(set) var fail = 0
  }

  public struct Shard: Sendable, Equatable {
    public let masterID: String
    /// Nodes that hold themselves for the shard's master; more than one is a split brain.
    public let masterIDs: [String]
    public let replicaIDs: [String]
    /// Replicas that are ok.
    public let okReplicaCount: Int
  }

  /// In the order of their ids.
  public private(set) var members: [Member]
  public let coverage: Coverage
  /// In the order of their first slot.
  public let shards: [Shard]
  /// Slots that reports give to different owners.
  public let disputedSlotCount: Int
  /// Different maps of slots among the reports; 1 when all agree.
  public let slotMapCount: Int
  /// Different current epochs among the reports; more than 1 is ordinary for a moment.
  public let epochCount: Int
  /// Slots that are being moved, by the slot.
  public let migratingSlots: [Int: String]
  public let importingSlots: [Int: String]
  /// Replicas that follow no master: theirs is unknown, or failed and has lost its slots.
  public let stuckReplicaIDs: [String]
  /// Replicas of replicas, those in a loop included.
  public let chainedReplicaIDs: [String]
  /// Replicas whose masters lead back to themselves.
  public let loopingReplicaIDs: [String]

  /// Serving masters that no replica stands by.
  public var orphanedMasterIDs: [String] { shards.filter { $0.okReplicaCount == 0 }.map(\.masterID) }

  /// Whether something is wrong or under way, so that a closer look is worth its cost.
  public var isTroubled: Bool {
    coverage.ok < ClusterNodes.slotCount || disputedSlotCount > 0 || members.contains { $0.health != .ok }
      || !stuckReplicaIDs.isEmpty || !migratingSlots.isEmpty || !importingSlots.isEmpty
      || shards.contains { $0.masterIDs.count > 1 }
  }

  /// The same without members that are not watched.
  func without(_ addresses: Set<NodeAddress>) -> ClusterView {
    guard !addresses.isEmpty else { return self }
    var view = self
    view.members.removeAll { addresses.contains($0.address) }
    return view
  }

  public subscript(id: String) -> Member? {
    // The members are sorted by id.
    var range = members.indices
    while !range.isEmpty {
      let middle = range.lowerBound + range.count / 2
      if members[middle].id == id { return members[middle] }
      if members[middle].id < id { range = middle + 1..<range.upperBound } else { range = range.lowerBound..<middle }
    }
    return nil
  }

  /// - Parameter reports: one of each node that answered; none give an empty view.
  public init(_ reports: [ClusterReport]) {
    let merger = ClusterMerger(reports)
    let owners = SlotOwners(reports)
    var members = merger.members()
    for index in members.indices {
      members[index].slots = owners.ranges[members[index].id] ?? []
    }
    let byID = Dictionary(uniqueKeysWithValues: members.map { ($0.id, $0) })
    self.members = members
    disputedSlotCount = owners.disputedCount
    slotMapCount = owners.mapCount
    epochCount = Set(reports.compactMap(\.currentEpoch)).count

    var coverage = Coverage()
    for member in members {
      coverage.assigned += member.slotCount
      switch member.health {
      case .ok: coverage.ok += member.slotCount
      case .pfail: coverage.pfail += member.slotCount
      case .fail, .unknown: coverage.fail += member.slotCount
      }
    }
    self.coverage = coverage

    let replicas = Dictionary(grouping: members.filter { !$0.isMaster }, by: { $0.masterID ?? "" })
    let rivals = merger.rivals(owners)
    shards = members.filter(\.isServing).sorted { $0.slots[0].lowerBound < $1.slots[0].lowerBound }.map { master in
      let own = replicas[master.id] ?? []
      return Shard(
        masterID: master.id, masterIDs: [master.id] + (rivals[master.id] ?? []).sorted(), replicaIDs: own.map(\.id),
        okReplicaCount: own.count { $0.health == .ok })
    }

    var moving: (leaving: [Int: String], arriving: [Int: String]) = ([:], [:])
    for myself in reports.compactMap(\.myself) {
      for move in myself.movingSlots {
        if move.isLeaving { moving.leaving[move.slot] = move.peerID } else { moving.arriving[move.slot] = move.peerID }
      }
    }
    (migratingSlots, importingSlots) = moving

    let followers = members.filter { !$0.isMaster && $0.health != .fail }
    stuckReplicaIDs = followers.filter { follower in
      guard let master = follower.masterID.flatMap({ byID[$0] }) else { return true }
      return master.isMaster && master.health == .fail && master.slots.isEmpty
    }.map(\.id)
    chainedReplicaIDs = followers.filter { $0.masterID.flatMap { byID[$0] }?.isMaster == false }.map(\.id)
    loopingReplicaIDs = followers.filter { follower in
      followsItself(follower.id) { byID[$0]?.masterID }
    }.map(\.id)
  }
}

/// Whether the chain of masters leads back to `start`. Bounded by the number of steps a sane chain may have.
func followsItself<ID: Equatable>(_ start: ID, master: (ID) -> ID?) -> Bool {
  var next = master(start)
  for _ in 0..<64 {
    guard let id = next else { return false }
    if id == start { return true }
    next = master(id)
  }
  return false
}
