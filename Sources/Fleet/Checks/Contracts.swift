import Config
import Metrics
import Runtime

extension Verdict {
  /// What is known of holds alone is unknown where a server may not be asked to name locks.
  fileprivate mutating func noteFollowRefusals(_ state: WorkloadState) {
    let refused = state.keys.followed?.refused ?? []
    guard !refused.isEmpty else { return }
    unknown(refused.sorted().map { $0.hasPrefix("&") ? $0 : "+\($0)" }.joined(separator: " "))
  }
}

/// More locks live or are held longer than their contract than is allowed for.
struct LocksLong: Check {
  let id = "locks-long"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let watches = state.config.watches.on.compactMap { $0 as? LockWatch }
    guard let watch = watches.first, !watch.contracts.isEmpty else { return }
    verdict.noteRefusals(of: LockWatch.self, state, ["pttl"])
    let over = state.keys.found(by: LockWatch.self).reduce(0) { $0 + ($1.overTTLCount ?? 0) }
    let held = state.keys.followed?.heldLongCount ?? 0
    guard over + held > watch.maxLong else { return }
    let live = over == 1 ? "A lock lives longer than its contract" : "\(over) locks live longer than their contract"
    let hold = held == 1 ? "a lock is held longer" : "\(held) locks are held longer"
    switch (over, held) {
    case (_, 0): verdict.find(.warning, live)
    case (0, 1): verdict.find(.warning, "A lock is held longer than its contract")
    case (0, _): verdict.find(.warning, "\(hold) than their contract")
    default: verdict.find(.warning, "\(live), and \(hold)")
    }
  }
}

/// Holders that should give their locks back leave them to expire.
struct LockOverrun: Check {
  let id = "lock-overrun"
  /// As in the alert RedisLockOverrun.
  static let share = 0.01
  static let leastCount = 5

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let watches = state.config.watches.on.compactMap { $0 as? LockWatch }
    let isRequired = watches.first?.contracts.contains { $0.release == .required } ?? false
    guard isRequired, let followed = state.keys.followed else { return }
    verdict.noteFollowRefusals(state)
    let (expired, acquired) = (followed.lastHour.expired.required, followed.lastHour.acquired.required)
    guard expired > Self.leastCount, Double(expired) > Self.share * Double(acquired) else { return }
    verdict.find(
      .warning, "\(expired) of \(acquired) locks that holders should give back expired while held in the last hour")
  }
}

/// A failure counter that never expires keeps its circuit open for ever.
struct CircuitWithoutTTL: Check {
  let id = "circuit-without-ttl"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: CircuitWatch.self, state, ["pttl"])
    let count = state.keys.found(by: CircuitWatch.self).reduce(0) { $0 + ($1.withoutTTLCount ?? 0) }
    guard count > 0 else { return }
    verdict.find(
      .warning,
      count == 1
        ? "A circuit's failure counter never expires: it cannot close by itself"
        : "\(count) circuits' failure counters never expire: they cannot close by themselves")
  }
}

/// A request says that it is worked on, and has said so for too long: every retry of it is refused.
struct IdempotencyStuck: Check {
  let id = "idempotency-stuck"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: IdempotencyWatch.self, state, ["pttl", "getrange"])
    let watches = state.config.watches.on.compactMap { $0 as? IdempotencyWatch }
    let count = state.keys.found(by: IdempotencyWatch.self).reduce(0) { $0 + $1.stuckCount }
    guard count > 0, let limit = watches.first?.stuckAfter else { return }
    let requests = count == 1 ? "A request has" : "\(count) requests have"
    verdict.find(.warning, "\(requests) been worked on for more than \(span(limit.seconds)); retries are refused")
  }
}

/// Keys of requests that nobody will ever take away.
struct IdempotencyWithoutTTL: Check {
  let id = "idempotency-without-ttl"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: IdempotencyWatch.self, state, ["pttl"])
    let count = state.keys.found(by: IdempotencyWatch.self).reduce(0) { $0 + $1.withoutTTLCount }
    guard count > 0 else { return }
    verdict.find(
      .warning, count == 1 ? "An idempotency key never expires" : "\(count) idempotency keys never expire")
  }
}

/// A client's counter that never expires.
struct RateLimitWithoutTTL: Check {
  let id = "rate-limit-without-ttl"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: RateLimitWatch.self, state, ["pttl"])
    for limit in state.keys.found(by: RateLimitWatch.self) where limit.withoutTTLCount > 0 {
      let count = limit.withoutTTLCount
      let keys =
        count == 1
        ? "A key of rate limit \(limit.limit) never expires" : "\(count) keys of rate limit \(limit.limit) never expire"
      verdict.find(.warning, .keys(limit.limit), "\(keys): such clients may be refused for ever")
    }
  }
}

/// Counters of a rate limit go before their window ends.
struct RateLimitForgets: Check {
  let id = "rate-limit-forgets"
  /// As in the alert RedisRateLimitForgets.
  static let share = 0.1

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: RateLimitWatch.self, state, ["pttl", "getrange", "time"])
    for limit in state.keys.found(by: RateLimitWatch.self) {
      guard let early = limit.earlyCount, Double(early) > Self.share * Double(limit.keyCount) else { continue }
      verdict.find(
        .warning, .keys(limit.limit),
        "Rate limit \(limit.limit) forgets: \(early) of \(limit.keyCount) counters expire before their window ends")
    }
  }
}

/// A client calls so often that the set of its calls has grown out of bounds.
struct RateLimitLarge: Check {
  let id = "rate-limit-large"

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    verdict.noteRefusals(of: RateLimitWatch.self, state, ["zcard"])
    for limit in state.keys.found(by: RateLimitWatch.self) where limit.sizes.oversizeCount > 0 {
      let count = limit.sizes.oversizeCount
      let largest = Int(clamping: min(limit.sizes.largest ?? 0, 1e15))
      let clients = count == 1 ? "1 client has" : "\(count) clients have"
      verdict.find(
        .info, .keys(limit.limit),
        "\(clients) more calls in rate limit \(limit.limit) than max_size; the largest set has \(largest) members")
    }
  }
}
