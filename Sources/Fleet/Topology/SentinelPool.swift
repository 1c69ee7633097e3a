import Config
import NIOCore
import Redis
import Runtime

/// The Sentinels of a fleet. One may watch the masters of several workloads: it is polled once and listened to once,
/// however many ask.
public final class SentinelPool: Sendable {
  /// What must be the same for workloads to share a Sentinel.
  struct Key: Sendable, Equatable {
    /// Where it is connected to, after all rewriting.
    let endpoint: Endpoint
    let login: LoginConfig?
    let tls: TLSConfig?
    let pollInterval: Duration
    let timeout: Duration
    let instance: String
    let environment: String?
  }

  private let sentinels = Lock<[SharedSentinel]>([])

  public init() {}

  /// A Sentinel that answers for a master, shared by all who ask for the same one.
  ///
  /// - Parameter make: makes its node, which is to ask about these masters.
  func lease(
    _ key: Key, masterName: String, make: (MasterNames) throws -> WatchedNode
  ) rethrows -> WatchedNode {
    try sentinels.withLock { sentinels in
      if let known = sentinels.first(where: { $0.key == key }) {
        let isNew = known.masters.add(masterName)
        known.leaseCount.withLock { $0 += 1 }
        if isNew { known.askAnew() }
        return known.node.leased(SentinelLease(known, masterName: masterName, pool: self))
      }
      let masters = MasterNames()
      _ = masters.add(masterName)
      let sentinel = SharedSentinel(key, node: try make(masters), masters: masters)
      sentinels.append(sentinel)
      return sentinel.node.leased(SentinelLease(sentinel, masterName: masterName, pool: self))
    }
  }

  fileprivate func end(_ sentinel: SharedSentinel, masterName: String) async {
    let isLast = sentinels.withLock { sentinels in
      sentinel.masters.remove(masterName)
      let count = sentinel.leaseCount.withLock { count in
        count -= 1
        return count
      }
      if count == 0 { sentinels.removeAll { $0 === sentinel } }
      return count == 0
    }
    if isLast { await sentinel.stop() }
  }

  /// How many servers are polled.
  var count: Int { sentinels.withLock(\.count) }
}

/// The masters that a Sentinel is asked about, each for as long as somebody wants to know.
final class MasterNames: Sendable {
  private let counts = Lock<[String: Int]>([:])

  var names: [String] { counts.withLock { $0.keys.sorted() } }

  /// - Returns: whether nobody asked about it before.
  func add(_ name: String) -> Bool {
    counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name] == 1
    }
  }

  func remove(_ name: String) {
    counts.withLock { counts in
      let left = (counts[name] ?? 0) - 1
      counts[name] = left > 0 ? left : nil
    }
  }
}

/// A Sentinel with all who use it.
final class SharedSentinel: Sendable {
  let key: SentinelPool.Key
  let node: WatchedNode
  let masters: MasterNames
  fileprivate let leaseCount = Lock(1)
  private let listener = Lock<SentinelListener?>(nil)

  init(_ key: SentinelPool.Key, node: WatchedNode, masters: MasterNames) {
    self.key = key
    self.node = node
    self.masters = masters
  }

  /// What is asked has changed.
  fileprivate func askAnew() {
    let node = node
    Task {
      await node.reset()
      node.pollNow()
    }
  }

  /// The one subscription to the Sentinel, which `make` opens when nobody has yet.
  func listener(_ make: () -> SentinelListener) -> SentinelListener {
    listener.withLock { listener in
      let open = listener ?? make()
      listener = open
      return open
    }
  }

  fileprivate func stop() async {
    listener.withLock { $0 }?.stop()
    await node.stop()
  }
}

/// One workload's share of a Sentinel.
final class SentinelLease: Sendable {
  let sentinel: SharedSentinel
  /// The master that the workload asks about.
  let masterName: String
  private let pool: SentinelPool

  fileprivate init(_ sentinel: SharedSentinel, masterName: String, pool: SentinelPool) {
    self.sentinel = sentinel
    self.masterName = masterName
    self.pool = pool
  }

  /// Gives it back; the last one ends the polls and the subscription. To be called once.
  func end() async { await pool.end(sentinel, masterName: masterName) }
}
