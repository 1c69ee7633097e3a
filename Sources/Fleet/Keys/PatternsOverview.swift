import Config
import Redis
import Runtime

/// What the watches over a workload's keys found, for the page about them.
public struct PatternsOverview: Sendable {
  public struct Locks: Sendable {
    public let count: Int
    public let withoutTTLCount: Int
    /// nil without contracts.
    public let overTTLCount: Int?
    /// nil where servers are not asked to name them.
    public let followed: Followed?
  }

  /// What servers name as it changes.
  public struct Followed: Sendable {
    public let shardCount: Int
    /// Shards on which a server names them now.
    public let followedCount: Int
    /// nil while none does, as below.
    public let heldCount: Int?
    /// nil without contracts.
    public let heldLongCount: Int?
    /// Those that are held longest.
    public let oldest: [HeldLock]
    /// Of the last hour; quantiles in seconds, nil where no hold ended.
    public let p50: Double?
    public let p99: Double?
    public let timedCount: Int
    public let acquiredCount: Int
    public let expiredCount: Int
  }

  public struct HeldLock: Sendable {
    /// What stands for the name: a hash, another one after each start.
    public let mark: String
    /// Since it was taken; of one that was there before anybody listened, at least so long.
    public let seconds: Double
    public let isWhole: Bool
    /// nil for one that never expires.
    public let leftSeconds: Double?
  }

  public struct Limit: Sendable {
    public let name: String
    public let keyCount: Int
    public let withoutTTLCount: Int
    /// nil where windows are not understood, and for other kinds than `fixed`.
    public let earlyCount: Int?
    /// The share of the clients' windows that ended lately in which calls were refused; nil while none ended.
    public let overRatio: Double?
    /// Of the largest sorted set; nil for other kinds than `sliding`.
    public let largest: Double?
  }

  public struct Requests: Sendable {
    public let keyCount: Int
    public let processingCount: Int
    public let stuckCount: Int
    public let withoutTTLCount: Int
  }

  public struct Redlock: Sendable {
    public struct Server: Sendable {
      public let instance: String
      public let isUp: Bool
    }
    public let servers: [Server]
    public let quorum: Int
  }

  /// nil where nothing is known, as below.
  public let locks: Locks?
  public let requests: Requests?
  public let limits: [Limit]
  public let redlock: Redlock?

  /// - Returns: nil where nothing is watched, or known yet.
  init?(_ state: WorkloadState) {
    let keys = state.keys
    locks = keys.found(by: LockWatch.self).first.map { Locks($0, keys.followed) }
    requests = keys.found(by: IdempotencyWatch.self).first.map { found in
      Requests(
        keyCount: found.keyCount, processingCount: found.processingCount, stuckCount: found.stuckCount,
        withoutTTLCount: found.withoutTTLCount)
    }
    limits = keys.found(by: RateLimitWatch.self).map(Limit.init)
    redlock = state.config.redlock.map { _ in
      let up = Set(state.redlockMasters.map(\.address))
      return Redlock(
        servers: state.members.map { .init(instance: $0.instance, isUp: up.contains($0.address)) },
        quorum: state.config.seeds.count / 2 + 1)
    }
    if locks == nil, requests == nil, limits.isEmpty, redlock == nil { return nil }
  }
}

extension PatternsOverview.Locks {
  fileprivate init(_ found: LockWatch.Findings, _ followed: FollowOverview?) {
    (count, withoutTTLCount, overTTLCount) = (found.seenCount, found.withoutTTLCount, found.overTTLCount)
    self.followed = followed.map(PatternsOverview.Followed.init)
  }
}

extension PatternsOverview.Followed {
  fileprivate init(_ overview: FollowOverview) {
    (shardCount, followedCount) = (overview.shardCount, overview.followedCount)
    (heldCount, heldLongCount) = (overview.heldCount, overview.heldLongCount)
    oldest = overview.oldest.map {
      PatternsOverview.HeldLock(mark: $0.mark, seconds: $0.seconds, isWhole: $0.isWhole, leftSeconds: $0.leftSeconds)
    }
    let counts = overview.lastHour
    (p50, p99, timedCount) = (counts.quantile(0.5), counts.quantile(0.99), counts.heldCount)
    acquiredCount = counts.acquired.required + counts.acquired.other
    expiredCount = counts.expired.required + counts.expired.other
  }
}

extension PatternsOverview.Limit {
  fileprivate init(_ found: RateLimitWatch.Summary) {
    (name, keyCount, withoutTTLCount, earlyCount) = (
      found.limit, found.keyCount, found.withoutTTLCount, found.earlyCount
    )
    overRatio = found.ended.count > 0 ? Double(found.ended.overCount) / Double(found.ended.count) : nil
    largest = found.sizes.largest
  }
}
