import Config
import Metrics
import Redis

/// Locks that never expire are deadlocks; those that live longer than was declared outlive their holders.
struct LockWatch: KeyWatch, ConfiguredWatch {
  static let block = "locks"
  static let meaning = "Locks that never expire, or live longer than their contract."

  let isOn: Bool
  /// Those of contracts among them.
  let globs: [KeyPattern]
  let contracts: [LockContract]
  /// Locks over their contract that are nothing to tell.
  let maxLong: Int
  let maxKeys: Int

  init(_ fields: WatchFields) {
    isOn = fields.enabled()
    let patterns = fields.patterns("patterns", default: "lock:*", "Keys that are locks.")
    contracts = fields.entries(
      "contracts", "For how long locks may be held; the first whose pattern matches holds for a lock.",
      LockContract.init)
    fields.checkFollowing("patterns", patterns)
    globs = patterns + contracts.map(\.pattern).filter { !patterns.contains($0) }
    maxLong = fields.count(
      "max_long", 0...1_000_000, default: 10, "Locks over their contract at a time that are nothing to tell.")
    maxKeys = fields.count("max_keys", 1...1_000_000, default: 10_000, "Matching keys looked at in a walk.")
  }

  struct Findings: KeyFindings, Equatable {
    var seenCount = 0
    var withoutTTLCount = 0
    /// nil without contracts.
    var overTTLCount: Int?
    /// nil until there were enough walks.
    var contendedCount: Int?
    var omittedCount = 0
    /// Without PTTL nothing is known of any lock.
    var isKnown = true
    var occupancy = LockOccupancy()
    var hasOneDatabase = false
  }

  var name: String { Self.block }
  var lost: [String] { ["redis_locks_without_ttl", "redis_locks_over_ttl", "redis_locks_contended"] }

  func begin(_ pass: KeyPass) -> Findings? { begin(pass, after: nil) }

  func begin(_ pass: KeyPass, after last: Findings?) -> Findings? {
    Findings(
      overTTLCount: contracts.isEmpty ? nil : 0, occupancy: LockOccupancy(after: last?.occupancy),
      hasOneDatabase: pass.server.hasOneDatabase)
  }

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
    guard let life = KeyLife(reply) else {
      findings.omittedCount += 1
      return
    }
    if life != .gone { findings.occupancy.note(key) }
    switch life {
    case .unlimited: findings.withoutTTLCount += 1
    case .milliseconds(let left):
      let contract = contracts.first { $0.covers(key, inOneDatabase: findings.hasOneDatabase) }
      if let contract, contract.isOver(left) { findings.overTTLCount? += 1 }
    case .gone: break
    }
  }

  func summary(of shards: [Findings]) -> Findings {
    let known = shards.filter(\.isKnown)
    var sum = Findings(overTTLCount: contracts.isEmpty ? nil : 0, contendedCount: 0, isKnown: !known.isEmpty)
    for found in known {
      sum.seenCount += found.seenCount
      sum.withoutTTLCount += found.withoutTTLCount
      sum.overTTLCount? += found.overTTLCount ?? 0
      sum.omittedCount += found.omittedCount
      sum.contendedCount = sum.contendedCount.flatMap { count in
        found.occupancy.contendedCount.map { count + $0 }
      }
    }
    return sum
  }

  func add(_ summary: Findings, to sink: inout SampleSink) {
    sink.add(Self.locks, Double(summary.seenCount))
    sink.add(Self.withoutTTL, Double(summary.withoutTTLCount))
    if let count = summary.overTTLCount {
      sink.add(Self.overTTL, Double(count))
      sink.add(Self.mostLong, Double(maxLong))
    }
    if let count = summary.contendedCount { sink.add(Self.contended, Double(count)) }
  }

  static let families = [locks, withoutTTL, overTTL, mostLong, contended]
  static let locks = Family.gauge("locks", "Locks found by the last complete walk over the keys.")
  static let withoutTTL = Family.gauge(
    "locks_without_ttl", "Locks that never expire; clients that wait for one may wait for ever.")
  static let overTTL = Family.gauge(
    "locks_over_ttl",
    "Locks that have more than a second longer to live than the TTL of their contract; absent where no contract is declared."
  )
  static let mostLong = Family.gauge(
    "locks_max_long", "Locks over their contract from which on an alert tells; absent where no contract is declared.")
  static let contended = Family.gauge(
    "locks_contended",
    "Locks that were there in at least 16 of the last 20 walks, so that others may wait for them; absent before 20 walks."
  )
}

/// For how long locks of a pattern may be held.
struct LockContract: Sendable {
  /// What holders do at their end.
  enum Release: String, CaseIterable, Sendable {
    /// They delete the lock.
    case required
    /// They may leave it to expire.
    case optional
  }

  let pattern: KeyPattern
  let ttl: Duration
  let release: Release
  private let glob: Glob

  init(_ fields: WatchFields) {
    pattern = fields.pattern("pattern", "Names of the locks.")
    fields.checkFollowing("pattern", [pattern])
    glob = Glob(pattern.bytes)
    ttl = fields.duration("ttl", .positive, default: .seconds(10), "The longest life that a holder gives a lock.")
    release = fields.word(
      "release", "an answer", default: .optional,
      "Whether holders delete the lock at their end. Who does not is found with `follow`.")
  }

  /// - Parameter inOneDatabase: whatever the pattern says.
  func covers(_ key: KeyName, inOneDatabase: Bool) -> Bool {
    (inOneDatabase || pattern.database == key.database) && glob.matches(key.bytes[...])
  }

  /// - Parameter left: what a lock has still to live, in milliseconds.
  func isOver(_ left: Int) -> Bool { Double(left) > (ttl.seconds + 1) * 1000 }
}

/// In which of the last walks each lock was there: nothing else tells from outside that others wait for one. Pure.
struct LockOccupancy: Sendable, Equatable {
  static let walkCount = 20
  static let contendedWalks = 16
  /// Locks that are remembered.
  static let limit = 10_000

  private var walks = 0
  /// By hash of the name, a bit for each walk, the newest lowest.
  private var histories: [Int: UInt32] = [:]

  init() {}

  /// A walk that follows on another one.
  init(after last: LockOccupancy?) {
    walks = min(Self.walkCount, (last?.walks ?? 0) + 1)
    histories = (last?.histories ?? [:]).compactMapValues { history in
      let moved = history << 1 & (1 << Self.walkCount - 1)
      return moved == 0 ? nil : moved
    }
  }

  mutating func note(_ key: KeyName) {
    let hash = key.hashValue
    if histories[hash] != nil || histories.count < Self.limit { histories[hash, default: 0] |= 1 }
  }

  /// nil until there were enough walks.
  var contendedCount: Int? {
    guard walks == Self.walkCount else { return nil }
    return histories.values.count { $0.nonzeroBitCount >= Self.contendedWalks }
  }
}
