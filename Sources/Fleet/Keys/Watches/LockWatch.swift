import Config
import Metrics
import Redis

/// Locks that never expire are deadlocks.
struct LockWatch: KeyWatch, ConfiguredWatch {
  static let block = "locks"
  static let meaning = "Locks that never expire."

  let isOn: Bool
  let globs: [KeyPattern]
  let maxKeys: Int

  init(_ fields: WatchFields) {
    isOn = fields.enabled()
    globs = fields.patterns("patterns", default: "lock:*", "Keys that are locks.")
    maxKeys = fields.count("max_keys", 1...1_000_000, default: 10_000, "Matching keys looked at in a walk.")
  }

  struct Findings: KeyFindings, Equatable {
    var seenCount = 0
    var withoutTTLCount = 0
    var omittedCount = 0
    /// Without PTTL nothing is known of any lock.
    var isKnown = true
  }

  var name: String { Self.block }
  var lost: [String] { ["redis_locks_without_ttl"] }

  func begin(_ pass: KeyPass) -> Findings? { Findings() }

  func meet(_ key: KeyName, matching: [Int], _ findings: inout Findings) -> Bool {
    findings.seenCount += 1
    if findings.seenCount > maxKeys { findings.omittedCount += 1 }
    return findings.seenCount <= maxKeys
  }

  func commands(for key: [UInt8], after replies: [[Reply?]], _ pass: KeyPass) -> [Command] {
    replies.isEmpty ? [KeyCommand.remainingLife(key)] : []
  }

  func note(_ key: KeyName, _ replies: [[Reply?]], _ findings: inout Findings) {
    guard let reply = replies[0][0] else {
      findings.isKnown = false
      return
    }
    // -1 is no expiry, -2 a key that is gone by now.
    switch reply.integer {
    case .some(-1): findings.withoutTTLCount += 1
    case nil: findings.omittedCount += 1
    default: break
    }
  }

  func summary(of shards: [Findings]) -> Findings {
    let known = shards.filter(\.isKnown)
    return known.reduce(into: Findings(isKnown: !known.isEmpty)) { sum, found in
      sum.seenCount += found.seenCount
      sum.withoutTTLCount += found.withoutTTLCount
      sum.omittedCount += found.omittedCount
    }
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    sink.add(Self.locks, Double(summary.seenCount))
    sink.add(Self.withoutTTL, Double(summary.withoutTTLCount))
  }

  static let families = [locks, withoutTTL]
  static let locks = Family.gauge("locks", "Locks found by the last complete walk over the keys.")
  static let withoutTTL = Family.gauge(
    "locks_without_ttl", "Locks that never expire; clients that wait for one may wait for ever.")
}
