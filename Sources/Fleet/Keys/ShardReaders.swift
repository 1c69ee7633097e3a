import Redis

/// Which member of each shard is read for the key watches: a replica that keeps up where there is one, else the master.
/// Shards are known again over failovers. Pure.
struct ShardReaders: Sendable {
  /// What decides about a member.
  struct Candidate: Sendable, Equatable {
    let isMaster: Bool
    /// It answers, is not loading, is not too busy and, as a replica, is close behind its master.
    let isFit: Bool
  }

  struct Shard: Sendable, Equatable {
    /// The same for as long as the shard has members in common with itself.
    let id: Int
    var members: Set<NodeAddress>
    /// Who is read; nil while nobody is fit.
    var reader: NodeAddress?
    /// nil while it is not known or not fit.
    var master: NodeAddress?
  }

  private(set) var shards: [Shard] = []
  private var nextID = 0

  /// A replica further behind than this is not read.
  static let lagLimitSeconds = 10.0
  /// Nor is a member whose event loop is busier.
  static let busyLimitRatio = 0.7

  mutating func update(_ groups: [ReplicationGroup], _ candidates: [NodeAddress: Candidate]) {
    var old = shards
    shards = groups.map { group in
      let members = group.replicas.union([group.master].compactMap { $0 })
      // A replica may have come from another shard: the master tells best which one this is.
      let index =
        old.firstIndex { shard in group.master.map { shard.members.contains($0) } ?? false }
        ?? old.firstIndex { !$0.members.isDisjoint(with: members) }
      var shard = index.map { old.remove(at: $0) } ?? Shard(id: newID(), members: members)
      shard.members = members
      shard.master = group.master.flatMap { candidates[$0] == Candidate(isMaster: true, isFit: true) ? $0 : nil }
      let replicas = members.filter { candidates[$0] == Candidate(isMaster: false, isFit: true) }
      if shard.reader.map({ replicas.contains($0) }) != true { shard.reader = replicas.min() ?? shard.master }
      return shard
    }
  }

  private mutating func newID() -> Int {
    nextID += 1
    return nextID
  }
}
