import Config
import Metrics
import Testing

@testable import Fleet
@testable import Redis

/// What the watches over locks, circuits and idempotency keys make of what servers answer, walk after walk.
@Suite struct PatternWatchTests {
  /// Several walks of one watch over one shard.
  struct Walks<Watch: KeyWatch> {
    let watch: Watch
    private(set) var last: Watch.Findings?

    init(_ watch: Watch) { self.watch = watch }

    /// - Parameters:
    ///   - keys: each with its replies, round by round, as RESP; nil for a refused command.
    ///   - seconds: when the walk begins; it ends a second later.
    @discardableResult mutating func walk(at seconds: Double, _ keys: [String: [[String?]]]) throws -> [String] {
      var pass = KeyPass(server: KeyServer(facts: ServerFacts(InfoText(bytes: []))), isByName: false)
      pass.startedSeconds = seconds
      var found = try #require(watch.begin(pass, after: last))
      for (name, rounds) in keys.sorted(by: { $0.key < $1.key }) {
        let key = KeyName(database: 0, bytes: Array(name.utf8))
        guard watch.meet(key, matching: [0], &found) else { continue }
        let replies = try rounds.map { try $0.map { try $0.map { try Replies.read(Array($0.utf8))[0] } } }
        // What is answered is what was asked.
        var asked = 0
        for round in 0..<replies.count {
          let commands = watch.commands(for: key.bytes, after: Array(replies[..<round]), pass)
          #expect(commands.count == replies[round].count, "\(name), round \(round)")
          asked += commands.count
        }
        #expect(watch.commands(for: key.bytes, after: replies, pass).isEmpty, "\(name)")
        watch.note(key, replies, &found)
      }
      watch.finish(&found, at: seconds + 1)
      last = found
      let summary = watch.summary(of: [found])
      return page { watch.add(summary, to: &$0) }.split(separator: "\n").map(String.init)
    }
  }

  static func number(_ value: Int) -> String { ":\(value)\r\n" }
  static func text(_ value: String) -> String { "$\(value.utf8.count)\r\n\(value)\r\n" }
  static func plain(_ ttl: Int, _ value: String) -> [[String?]] { [[number(ttl), "+string\r\n"], [text(value)]] }

  // MARK: Locks

  /// The contract of the first pattern that matches holds, with a second's grace; -1 and -2 are no long life.
  @Test func locksOverTheirContract() throws {
    let text =
      "{locks: {contracts: [{pattern: 'lock:pay:*', ttl: 60s}, {pattern: 'mutex:*', ttl: 5s}, {pattern: 'lock:*'}]}}"
    var walks = Walks(try KeyWatchTests.one(LockWatch.self, text))
    #expect(walks.watch.globs.map(\.text) == ["lock:*", "lock:pay:*", "mutex:*"])
    let lines = try walks.walk(
      at: 0,
      [
        "lock:a": [[Self.number(11_001)]], "lock:b": [[Self.number(11_000)]], "lock:pay:1": [[Self.number(61_000)]],
        "lock:pay:2": [[Self.number(61_001)]], "mutex:a": [[Self.number(6_500)]], "lock:c": [[Self.number(-1)]],
        "lock:d": [[Self.number(-2)]],
      ])
    #expect(
      lines == [
        "redis_locks 7", "redis_locks_max_long 10", "redis_locks_over_ttl 3", "redis_locks_without_ttl 1",
      ])
  }

  @Test func withoutContractsNoLockIsTooLong() throws {
    var walks = Walks(try KeyWatchTests.one(LockWatch.self))
    let lines = try walks.walk(at: 0, ["lock:a": [[Self.number(86_400_000)]]])
    #expect(lines == ["redis_locks 1", "redis_locks_without_ttl 0"])
  }

  /// A lock that is there in 16 of 20 walks is contended, one in 15 is not; before 20 walks nothing is known.
  @Test func locksThatAreNearlyAlwaysHeld() throws {
    var walks = Walks(try KeyWatchTests.one(LockWatch.self))
    var lines: [String] = []
    for number in 0..<20 {
      var keys: [String: [[String?]]] = [:]
      if number < 16 { keys["lock:busy"] = [[Self.number(900)]] }
      if number < 15 { keys["lock:less"] = [[Self.number(900)]] }
      if number >= 16 { keys["lock:gone"] = [[Self.number(-2)]] }
      lines = try walks.walk(at: Double(number) * 15, keys)
      #expect(lines.contains { $0.hasPrefix("redis_locks_contended") } == (number == 19))
    }
    #expect(lines.contains("redis_locks_contended 1"))
    lines = try walks.walk(at: 300, [:])
    #expect(lines.contains("redis_locks_contended 0"), "15 of the last 20")
  }

  // MARK: Circuits

  @Test func circuitsWithoutTTL() throws {
    var walks = Walks(try KeyWatchTests.one(CircuitWatch.self, "{circuits: {ttl: 60s}}"))
    let keys: [String: [[String?]]] = [
      "circuit:a:failures": Self.plain(-1, "7"), "circuit:b:failures": Self.plain(61_500, "1"),
      "circuit:c:failures": Self.plain(60_500, "2"), "circuit:d:failures": [[Self.number(500), "+list\r\n"]],
      "circuit:e:failures": [[Self.number(-2), "+none\r\n"]],
    ]
    let lines = try walks.walk(at: 0, keys)
    #expect(lines.contains("redis_circuits_without_ttl 1") && lines.contains("redis_circuits_over_ttl 1"))
    #expect(lines.contains("redis_circuits_open 1") && walks.last?.omittedCount == 1, "a list is left out")
  }

  /// Where PTTL is refused the failures are known, and where TYPE is they are asked for all the same.
  @Test func circuitsUnderRefusals() throws {
    var walks = Walks(try KeyWatchTests.one(CircuitWatch.self))
    let lines = try walks.walk(at: 0, ["circuit:a:failures": [[nil, nil], [Self.text("7")]]])
    #expect(lines.contains("redis_circuit_failures{service=\"a\"} 7"))
    #expect(!lines.contains { $0.hasPrefix("redis_circuits_without_ttl") || $0.hasPrefix("redis_circuits_over_ttl") })
  }

  // MARK: Idempotency

  private func stuck(_ lines: [String]) -> [String] {
    lines.filter { $0.contains("_processing") || $0.contains("stuck") }
  }

  /// A payment raises: its key says so for a day, and is counted once.
  @Test func aRequestThatIsStuckIsCountedOnce() throws {
    var walks = Walks(try KeyWatchTests.one(IdempotencyWatch.self, "{idempotency: {stuck_after: 60s}}"))
    try walks.walk(at: 0, ["idem:done": Self.plain(86_000_000, "{\"status\":201}")])
    let raised = Self.plain(86_000_000, "processing")
    var lines = try walks.walk(at: 15, ["idem:raised": raised])
    #expect(
      stuck(lines) == [
        "redis_idempotency_processing 1", "redis_idempotency_stuck 0", "redis_idempotency_stuck_total 0",
      ])
    // Its age counts from second 16, when the walk ended that met it first.
    lines = try walks.walk(at: 76, ["idem:raised": raised])
    #expect(lines.contains("redis_idempotency_stuck 0"))
    for seconds in [77.0, 90, 3600] {
      lines = try walks.walk(at: seconds, ["idem:raised": raised])
      #expect(lines.contains("redis_idempotency_stuck 1") && walks.last?.eventCount == 1, "at \(seconds) s")
    }
    lines = try walks.walk(at: 3700, ["idem:raised": Self.plain(500, "{}")])
    #expect(lines.contains("redis_idempotency_stuck 0") && walks.last?.eventCount == 1)
    // The same request may come to be stuck again.
    try walks.walk(at: 3800, ["idem:raised": raised])
    try walks.walk(at: 3900, ["idem:raised": raised])
    #expect(walks.last?.eventCount == 2)
  }

  /// Nobody knows whether what the first walk met was counted before a restart.
  @Test func whatTheFirstWalkMetIsShownAndNotCounted() throws {
    var walks = Walks(try KeyWatchTests.one(IdempotencyWatch.self, "{idempotency: {stuck_after: 60s}}"))
    try walks.walk(at: 0, ["idem:old": Self.plain(9000, "processing")])
    let lines = try walks.walk(at: 100, ["idem:old": Self.plain(9000, "processing")])
    #expect(lines.contains("redis_idempotency_stuck 1") && walks.last?.eventCount == 0)
  }

  @Test func lifeAndValueOfRequests() throws {
    var walks = Walks(try KeyWatchTests.one(IdempotencyWatch.self, "{idempotency: {max_ttl: 10s, processing: [busy]}}"))
    let lines = try walks.walk(
      at: 0,
      [
        "idem:a": Self.plain(-1, "busy"), "idem:b": Self.plain(11_001, "busy as a bee"),
        "idem:c": Self.plain(11_000, ""),
        // A hash is looked at for its TTL alone.
        "idem:d": [[Self.number(-1), "+hash\r\n"]], "idem:e": [[Self.number(-2), "+none\r\n"]],
        "idem:f": Self.plain(5, "processing"),
      ])
    #expect(
      lines == [
        "redis_idempotency_keys 6", "redis_idempotency_over_ttl 1", "redis_idempotency_processing 1",
        "redis_idempotency_stuck 0", "redis_idempotency_stuck_total 0", "redis_idempotency_without_ttl 2",
      ])
    #expect(walks.last?.isKnown == true)
    try walks.walk(at: 15, ["idem:a": [[Self.number(-1), "+string\r\n"], [nil]]])
    #expect(walks.last?.isKnown == false, "without GETRANGE nobody knows who is stuck")
  }

  @Test(arguments: ["{processing: [0123456789abcdef]}", "{max_ttl: 0s}", "{stuck_after: -1s}"])
  func whatCannotBeReadIsAnError(block: String) {
    #expect(throws: ConfigErrors.self) { try KeyWatchTests.watches("{idempotency: \(block)}") }
  }

  /// What is counted goes on over a shard that goes and one that comes.
  @Test func eventsDoNotFall() {
    var events = WatchEvents()
    events.note(3, of: "idempotency", shard: 1)
    events.note(0, of: "idempotency", shard: 2)
    events.note(4, of: "idempotency", shard: 1)
    #expect(events.count(of: "idempotency") == 4 && events.count(of: "locks") == 0)
    // A shard whose walk was too long ago begins anew.
    events.note(0, of: "idempotency", shard: 1)
    events.note(1, of: "idempotency", shard: 1)
    #expect(events.count(of: "idempotency") == 5)
  }

  // MARK: A share of the keys

  @Test func tooManyKeysAreLookedAtInPart() throws {
    var first = KeyShare(limit: 1000)
    let keys = (0..<64_000).map { KeyShare.hash(KeyName(database: 0, bytes: Array("idem:\($0)".utf8))) }
    #expect(keys.count(where: { first.admit($0) }) == 1125 && first.seenCount == 64_000)
    #expect(first.omittedCount == 64_000 - 1125 && first.ratio == 1)
    first.finish()
    var second = KeyShare(limit: 1000, after: first)
    let asked = Set(keys.filter { second.admit($0) })
    #expect(second.ratio == 1.0 / 64 && second.weight == 64 && second.omittedCount == 0)
    // 1000 expected, with a standard deviation of 31.
    #expect(800...1125 ~= asked.count && second.seenCount == 64_000)
    second.finish()
    var third = KeyShare(limit: 1000, after: second)
    #expect(Set((keys + keys.prefix(100)).filter { third.admit($0) }) == asked, "the same keys at each walk, each once")
    third.finish()
    // A name that SCAN returns twice counts twice where it is not looked at.
    #expect(64_000...64_100 ~= third.seenCount && KeyShare(limit: 64_100, after: third).ratio == 1)
  }

  /// What is counted in a share stands for all.
  @Test func countsOfAShareStandForAll() throws {
    var walks = Walks(try KeyWatchTests.one(IdempotencyWatch.self, "{idempotency: {max_keys: 500}}"))
    // Half of them never expire.
    let keys = Dictionary(
      uniqueKeysWithValues: (0..<4000).map { ("idem:\($0)", Self.plain($0 % 2 == 0 ? -1 : 5000, "{}")) })
    try walks.walk(at: 0, keys)
    let lines = try walks.walk(at: 15, keys)
    let without = try #require(
      lines.first { $0.hasPrefix("redis_idempotency_without_ttl ") }.flatMap { Double($0.split(separator: " ")[1]) })
    // An eighth is looked at; five standard deviations.
    #expect(1450...2550 ~= without && lines.contains("redis_idempotency_keys 4000"))
    #expect(walks.last.map { walks.watch.summary(of: [$0]).sampledRatio } == 0.125)
  }
}
