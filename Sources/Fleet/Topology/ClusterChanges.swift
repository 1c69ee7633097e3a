import Redis

/// What is different between two views of one cluster.
public struct ClusterChanges: Sendable, Equatable {
  /// Ids of nodes that were not known before.
  public let arrived: [String]
  /// Ids of nodes that nobody knows any more: forgotten.
  public let forgotten: [String]
  /// Ids of nodes that are reached elsewhere now.
  public let moved: [String]
  /// Ids of nodes that became master or replica.
  public let promoted: [String]
  public let demoted: [String]
  /// Ids of nodes whose health is another.
  public let healthChanged: [String]
  /// Slots that have another owner, failovers included.
  public let reassignedSlotCount: Int

  public init(from old: ClusterView, to new: ClusterView) {
    let before = Dictionary(uniqueKeysWithValues: old.members.map { ($0.id, $0) })
    let both = new.members.compactMap { member in before[member.id].map { (old: $0, new: member) } }
    arrived = new.members.filter { before[$0.id] == nil }.map(\.id)
    forgotten = old.members.filter { new[$0.id] == nil }.map(\.id)
    moved = both.filter { $0.old.address != $0.new.address }.map(\.new.id)
    promoted = both.filter { !$0.old.isMaster && $0.new.isMaster }.map(\.new.id)
    demoted = both.filter { $0.old.isMaster && !$0.new.isMaster }.map(\.new.id)
    healthChanged = both.filter { $0.old.health != $0.new.health }.map(\.new.id)
    let places = Dictionary(uniqueKeysWithValues: new.members.enumerated().map { ($1.id, $0) })
    let placesOfOld = old.members.map { places[$0.id] ?? -1 }
    reassignedSlotCount = zip(Self.owners(old), Self.owners(new)).count { before, after in
      before >= 0 && after >= 0 && placesOfOld[before] != after
    }
  }

  public var isEmpty: Bool {
    arrived.isEmpty && forgotten.isEmpty && moved.isEmpty && promoted.isEmpty && demoted.isEmpty
      && healthChanged.isEmpty && reassignedSlotCount == 0
  }

  /// By slot the index of its owner, or -1.
  private static func owners(_ view: ClusterView) -> [Int] {
    var owners = [Int](repeating: -1, count: ClusterNodes.slotCount)
    for (index, member) in view.members.enumerated() {
      for range in member.slots {
        for slot in range { owners[slot] = index }
      }
    }
    return owners
  }
}
