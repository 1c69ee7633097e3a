import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime

/// Follows the locks and circuits of one workload, on one server of each shard. Belongs to one actor.
final class WorkloadFollowing {
  private let plan: FollowPlan
  private let follow: KeyWatches.Follow
  private let context: ConnectionContext
  private let log: Logger
  private let totals = Lock(HoldCountTracker())
  private var followers: [Int: ShardFollower] = [:]

  /// - Returns: nil where nothing is to be followed.
  init?(_ watches: KeyWatches, context: ConnectionContext, log: Logger) {
    guard let plan = FollowPlan(watches) else { return nil }
    (self.plan, follow, self.context, self.log) = (plan, watches.follow, context, log)
  }

  /// Asks the reader of each shard.
  ///
  /// - Parameter place: where a member is asked for keys.
  nonisolated(nonsending) func update(
    _ shards: [ShardReaders.Shard], _ members: [NodeAddress: WatchedNode], dutyRatio: Double, isCluster: Bool,
    place: (NodeAddress) -> KeyPlace?
  ) async {
    let ids = Set(shards.map(\.id))
    for (id, follower) in followers where !ids.contains(id) {
      followers[id] = nil
      await follower.stop()
    }
    for shard in shards {
      let follower = followers[shard.id] ?? ShardFollower(plan, totals: totals, context: context, log: log)
      followers[shard.id] = follower
      await follower.aim(at: aim(shard, members, dutyRatio, isCluster, place))
    }
  }

  private func aim(
    _ shard: ShardReaders.Shard, _ members: [NodeAddress: WatchedNode], _ dutyRatio: Double, _ isCluster: Bool,
    _ place: (NodeAddress) -> KeyPlace?
  ) -> ShardFollower.Aim? {
    guard let reader = shard.reader, let member = members[reader], follow == .any || reader != shard.master,
      let place = place(reader), let facts = member.node.poller.newest?.member?.value.server
    else { return nil }
    let options = member.node.poller.options
    var connection = options.connection
    connection.readsReplica = isCluster
    return ShardFollower.Aim(
      place: place, connection: connection, timeout: options.timeout,
      dutyRatio: reader == shard.master ? dutyRatio / 2 : dutyRatio, facts: facts,
      hasOneDatabase: isCluster && !facts.knowsClusterDatabases, master: shard.master)
  }

  nonisolated(nonsending) func reset() async {
    for follower in followers.values { await follower.reset() }
  }

  nonisolated(nonsending) func stop() async {
    for follower in followers.values { await follower.stop() }
    followers = [:]
  }

  func reading(of shard: Int) -> FollowReading { followers[shard]?.newest ?? FollowReading() }

  /// All shards together.
  func overview(at now: Double) -> FollowOverview {
    let (all, lastHour) = totals.withLock { ($0.all, $0.lastHour(at: now)) }
    return FollowOverview(
      followers.sorted { $0.key < $1.key }.map(\.value.newest), hasContracts: plan.locks?.contracts.isEmpty == false,
      hasLocks: plan.locks != nil, counts: all, lastHour: lastHour)
  }
}

/// What following the locks and circuits of a workload brought.
struct FollowOverview: Sendable {
  private let shards: [FollowReading]
  private let hasContracts: Bool
  private let hasLocks: Bool
  /// Since the workload is watched.
  let counts: HoldCounts
  let lastHour: HoldCounts

  init(_ shards: [FollowReading], hasContracts: Bool, hasLocks: Bool, counts: HoldCounts, lastHour: HoldCounts) {
    self.shards = shards.filter(\.isFollowing)
    refused = Set(shards.compactMap(\.refused))
    shardCount = shards.count
    (self.hasContracts, self.hasLocks) = (hasContracts, hasLocks)
    (self.counts, self.lastHour) = (counts, lastHour)
  }

  let shardCount: Int
  /// What some server does not allow, as an ACL names it.
  let refused: Set<String>

  var followedCount: Int { shards.count }
  /// nil where that is not known.
  var heldLongCount: Int? {
    hasContracts && !shards.isEmpty ? shards.reduce(0) { $0 + $1.heldLongCount } : nil
  }
  var longestSeconds: Double? { shards.compactMap(\.longestSeconds).max() }
  var heldCount: Int? { hasLocks && !shards.isEmpty ? shards.reduce(0) { $0 + $1.heldCount } : nil }
  var oldest: [FollowReading.Lock] {
    Array(shards.flatMap(\.oldest).sorted { $0.seconds > $1.seconds }.prefix(FollowReading.oldestLimit))
  }

  func add(to sink: inout SampleSink) {
    sink.add(FollowFamilies.following, Double(followedCount))
    guard hasLocks, followedCount > 0 else { return }
    if let count = heldLongCount { sink.add(FollowFamilies.heldLong, Double(count)) }
    if let seconds = longestSeconds { sink.add(FollowFamilies.longest, seconds) }
    FollowFamilies.add(counts, to: &sink)
  }
}
