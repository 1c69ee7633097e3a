import Fleet
import Web

extension PatternsSection {
  init(_ patterns: PatternsOverview) {
    self.init()
    locks = patterns.locks.map(Locks.init)
    limits = patterns.limits.map { found in
      var limit = Limit(found.name, keyCount: found.keyCount, withoutTTLCount: found.withoutTTLCount)
      (limit.earlyCount, limit.overRatio, limit.largest) = (found.earlyCount, found.overRatio, found.largest)
      return limit
    }
    requests = patterns.requests.map {
      Requests(
        keyCount: $0.keyCount, processingCount: $0.processingCount, stuckCount: $0.stuckCount,
        withoutTTLCount: $0.withoutTTLCount)
    }
    redlock = patterns.redlock.map { redlock in
      Redlock(servers: redlock.servers.map { ($0.instance, $0.isUp) }, quorum: redlock.quorum)
    }
    if locks?.holds?.rows.isEmpty == false {
      remarks.append("Instead of names of locks there are hashes, which change when redline starts.")
    }
  }
}

extension PatternsSection.Locks {
  fileprivate init(_ found: PatternsOverview.Locks) {
    self.init(count: found.count, withoutTTLCount: found.withoutTTLCount, overTTLCount: found.overTTLCount)
    holds = found.followed.map(PatternsSection.Holds.init)
  }
}

extension PatternsSection.Holds {
  fileprivate init(_ followed: PatternsOverview.Followed) {
    self.init()
    rows = followed.oldest.map {
      PatternsSection.HeldLock(
        name: $0.mark, seconds: $0.seconds, isWhole: $0.isWhole, leftSeconds: $0.leftSeconds)
    }
    (heldCount, heldLongCount) = (followed.heldCount, followed.heldLongCount)
    (p50, p99) = (followed.p50, followed.p99)
    (acquiredCount, expiredCount) = (followed.acquiredCount, followed.expiredCount)
    (shardCount, followedCount) = (followed.shardCount, followed.followedCount)
  }
}
