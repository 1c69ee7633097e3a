import Config
import Logging
import NIOCore
import Redis
import Runtime

/// The servers that a workload watches, and its subscriptions to what its Sentinels publish.
struct Crew: Sendable {
  /// What the newest polls say.
  struct Readings: Sendable {
    let members: [MemberReading]
    let scouts: [MemberReading]
    let sentinels: [MemberReading]

    /// Another number once any of them has been polled; 0 before the first poll.
    var stamp: Double {
      [members, scouts, sentinels].reduce(0) { sum, list in list.reduce(sum) { $0 + $1.began.seconds } }
    }
  }

  /// A member is watched under another name at once, and then once in this time.
  private static let renameSeconds = 60.0

  private let factory: MemberFactory
  private let log: Logger
  private(set) var members: [NodeAddress: WatchedNode] = [:]
  private(set) var scouts: [NodeAddress: WatchedNode] = [:]
  private(set) var sentinels: [NodeAddress: WatchedNode] = [:]
  private(set) var subscribers: [NodeAddress: SentinelSubscriber] = [:]
  /// When a member's name last changed.
  private var lastRenamed: [NodeAddress: Monotonic] = [:]

  init(_ factory: MemberFactory, log: Logger) {
    self.factory = factory
    self.log = log
  }

  var readings: Readings {
    Readings(
      members: members.values.map(\.reading), scouts: scouts.values.map(\.reading),
      sentinels: sentinels.values.map(\.reading))
  }

  var all: [WatchedNode] { Array(members.values) + Array(sentinels.values) + Array(scouts.values) }

  /// The label `instance` of the server at an address, whether it is watched or not.
  func instance(_ address: NodeAddress, _ following: Following) -> String {
    members[address]?.instance ?? factory.instance(of: address, announced: following.hostnames[address])
  }

  /// Polls all of them out of turn.
  func pollNow() {
    for node in all { node.pollNow() }
  }

  /// Lets those be tried at once that others find up again: a breaker may still hold them back.
  func wake(whoWasDownIn before: Following, _ now: Following) {
    let down = Set(before.listings.filter { $0.isUp == false }.map(\.address))
    for listing in now.listings where listing.isUp == true && down.contains(listing.address) {
      members[listing.address]?.schedule.wake()
    }
  }

  // MARK: Coming and going

  /// - Returns: the nodes that are to be stopped. They end before others take their place: a server never has the
  ///   connections of two.
  mutating func leave(allBut wanted: Membership.Wanted, _ following: Following, at now: Monotonic) -> [WatchedNode] {
    let factory = factory
    var renamed = lastRenamed.filter { now - $0.value < Self.renameSeconds }
    var gone: [WatchedNode] = []
    func leave(_ nodes: inout [NodeAddress: WatchedNode], allBut wanted: Set<NodeAddress>) {
      for (address, node) in nodes {
        let isRenamed = isRenamed(node, following.hostnames[address]) && renamed[address] == nil
        guard !wanted.contains(address) || isRenamed else { continue }
        if isRenamed, wanted.contains(address) { renamed[address] = now }
        gone.append(node)
        nodes[address] = nil
      }
    }
    func isRenamed(_ node: WatchedNode, _ announced: String?) -> Bool {
      factory.instance(of: node.address, announced: announced) != node.instance
        || node.lease == nil && factory.certifiedName(announced) != node.node.poller.options.connection.announcedName
    }
    leave(&members, allBut: wanted.members)
    leave(&scouts, allBut: wanted.scouts)
    leave(&sentinels, allBut: wanted.sentinels)
    lastRenamed = renamed
    return gone
  }

  /// Begins to watch who is wanted and not watched yet.
  mutating func meet(_ wanted: Membership.Wanted, _ following: Following) {
    let (factory, log) = (factory, log)
    func meet(
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
    meet(&members, wanted.members) { address in
      try factory.member(address, announced: following.hostnames[address], isScout: false)
    }
    meet(&scouts, wanted.scouts) { address in
      try factory.member(address, announced: following.hostnames[address], isScout: true)
    }
    guard let group = factory.config.sentinel else { return }
    meet(&sentinels, wanted.sentinels) { try factory.sentinel($0, group) }
  }

  /// - Returns: everybody, to be stopped.
  mutating func disband() -> [WatchedNode] {
    for subscriber in subscribers.values { subscriber.stop() }
    defer { (members, scouts, sentinels, subscribers) = ([:], [:], [:], [:]) }
    return all
  }

  // MARK: Sentinels

  /// Listens to these Sentinels, as far as they are watched, and to no others.
  ///
  /// - Parameters:
  ///   - connected: called after each subscription: what was published before was missed.
  ///   - hear: called with each message, one at a time.
  mutating func listen(
    to group: Set<NodeAddress>, connected: @escaping @Sendable (NodeAddress) async -> Void,
    hear: @escaping @Sendable (NodeAddress, Subscription.Message) async -> Void
  ) {
    guard let sentinel = factory.config.sentinel else { return }
    let (factory, log) = (factory, log)
    for (address, subscriber) in subscribers
    where !group.contains(address) || subscriber.lease !== sentinels[address]?.lease {
      subscriber.stop()
      subscribers[address] = nil
    }
    for address in group where subscribers[address] == nil {
      guard let node = sentinels[address], let lease = node.lease else { continue }
      subscribers[address] = SentinelSubscriber(lease) {
        SentinelListener(
          factory.sentinelConnection(address, sentinel), timeout: TimeAmount(factory.config.timeout),
          context: factory.context.connections, cost: node.node.cost, log: log)
      } connected: {
        await connected(address)
      } hear: { message in
        await hear(address, message)
      }
    }
  }
}
