import Config
import Logging
import Redis

/// How the nodes of a workload come and go.
extension Workload {
  /// The nodes that there should be.
  struct Wanted {
    var members: Set<NodeAddress> = []
    var scouts: Set<NodeAddress> = []
    var sentinels: Set<NodeAddress> = []
  }

  /// A member is watched under another name at once, and then once in this time.
  private static let renameSeconds = 60.0

  /// - Returns: the nodes that are to be stopped. They end before others take their place: a server never has the
  ///   connections of two.
  func leave(allBut wanted: Wanted, _ now: Double) -> [WatchedNode] {
    renamedSeconds = renamedSeconds.filter { now - $0.value < Self.renameSeconds }
    return leave(&members, allBut: wanted.members, now) + leave(&scouts, allBut: wanted.scouts, now)
      + leave(&sentinels, allBut: wanted.sentinels, now)
  }

  private func leave(
    _ nodes: inout [NodeAddress: WatchedNode], allBut wanted: Set<NodeAddress>, _ now: Double
  ) -> [WatchedNode] {
    var gone: [WatchedNode] = []
    for (address, node) in nodes {
      let isRenamed =
        factory.instance(of: address, announced: following.hostnames[address]) != node.instance
        && renamedSeconds[address] == nil
      guard !wanted.contains(address) || isRenamed else { continue }
      if isRenamed, wanted.contains(address) { renamedSeconds[address] = now }
      gone.append(node)
      nodes[address] = nil
    }
    return gone
  }

  /// Begins to watch who is wanted and not watched yet.
  func meet(_ wanted: Wanted) {
    guard !isStopped else { return }
    meet(&members, wanted.members) { address in
      try factory.member(address, announced: following.hostnames[address], isScout: false)
    }
    meet(&scouts, wanted.scouts) { address in try factory.member(address, announced: nil, isScout: true) }
    guard let group = config.sentinel else { return }
    meet(&sentinels, wanted.sentinels) { try factory.sentinel($0, group) }
  }

  private func meet(
    _ nodes: inout [NodeAddress: WatchedNode], _ wanted: Set<NodeAddress>, make: (NodeAddress) throws -> WatchedNode
  ) {
    for address in wanted where nodes[address] == nil {
      do {
        nodes[address] = try make(address)
      } catch {
        log.error("a member cannot be watched", metadata: ["node": "\(address)", "error": "\(error)"])
      }
    }
  }
}
