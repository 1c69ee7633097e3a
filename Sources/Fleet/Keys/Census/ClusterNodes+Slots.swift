import Redis

extension ClusterNodes {
  /// Of the slots of the node that was asked, or of its master, a hash; nil where they are not known.
  var ownSlotsHash: Int? {
    guard let own = nodes.first(where: \.isMyself) else { return nil }
    let master = own.isMaster ? own : nodes.first { $0.id == own.masterID }
    return master.map { $0.slots.hashValue }
  }
}
