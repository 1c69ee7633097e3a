import Metrics

/// The families of locks that servers name as they change; none of them is there where no server does.
enum FollowFamilies {
  private static let release = ["release"]
  private static let releases = Family.Trait.values(["required", "optional"], of: "release")

  static let following = Family.gauge(
    "key_watch_following",
    "Shards on which a server names each lock and circuit as it changes; 0 while only walks find them, absent without watches.follow."
  )
  static let heldLong = Family.gauge(
    "locks_held_long",
    "Locks held, renewals included, for more than a second longer than the TTL of their contract; absent where no contract is declared, or while no server names locks."
  )
  static let longest = Family.gauge(
    "lock_longest_held_seconds",
    "How long the lock is held that is held longest, renewals included; absent if none is that was seen to be taken.",
    unit: .seconds)
  static let acquired = Family.counter(
    "lock_acquired_total",
    "Locks that were seen to be taken; release is what their contract asks of holders, optional without one.",
    labels: release, traits: [releases])
  static let renewed = Family.counter("lock_renewed_total", "Renewals of locks that are held.")
  static let expired = Family.counter(
    "lock_expired_total",
    "Locks that expired while they were held: the holder died, or works on without the lock; release as for redis_lock_acquired_total.",
    labels: release, traits: [releases])
  static let held = Family.histogram(
    "lock_held_seconds", "How long locks were held, renewals included, of those that were seen to be taken and to end.",
    unit: .seconds)

  static let all = [following, heldLong, longest, acquired, renewed, expired, held]

  static func add(_ counts: HoldCounts, to sink: inout SampleSink) {
    for (family, count) in [(acquired, counts.acquired), (expired, counts.expired)] {
      sink.add(family, Double(count.required), .text("required"))
      sink.add(family, Double(count.other), .text("optional"))
    }
    sink.add(renewed, Double(counts.renewedCount))
    sink.addHistogram(
      held, [], edges: edges, cumulative: counts.cumulative, count: Double(counts.heldCount), sum: counts.heldSeconds)
  }

  private static let edges = HistogramEdges(HoldCounts.edges.map(\.description))
}
