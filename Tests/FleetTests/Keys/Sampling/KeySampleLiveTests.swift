import Config
import Logging
import NIOCore
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Samples of real servers; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(2)), .serialized)
struct KeySampleLiveTests {
  private static func place(_ server: RedisServer, dutyRatio: Double = 1, readsReplica: Bool = false) -> KeyPlace {
    var options = ConnectionOptions(address: server.address)
    options.readsReplica = readsReplica
    return KeyPlace(
      options, context: RedisServer.context, dutyRatio: dutyRatio, timeout: .seconds(5), node: NodeCost())
  }

  private static func options(_ count: Int = 1000) -> KeySampleOptions {
    var options = KeySampleOptions()
    options.keyCount = count
    options.depth = 1
    return options
  }

  private static func sample(
    _ place: KeyPlace, _ options: KeySampleOptions = options(), seed: UInt64 = 5,
    at starts: [String: [UInt64]] = [:], isEnded: @escaping @Sendable () -> Bool = { false }
  ) async -> KeySampleOutcome {
    var sample = KeySample([KeySampleSource(place: place, node: nil, name: "one")], options, isEnded: isEnded)
    var random = FixedRandom(state: seed)
    return await sample.run(at: starts, using: &random)
  }

  /// `count` keys named by the pattern, whose `%d` is their number, with as many bytes in each.
  private static func fill(
    _ server: RedisServer, _ pattern: String, _ count: Int, bytes: Int, expireAt: String = "", database: Int = 0
  ) async throws {
    let script = """
      #!lua flags=allow-cross-slot-keys
      for i = 1, \(count) do
        local key = string.format('\(pattern)', i)
        redis.call('SET', key, string.rep('x', \(bytes)))
        \(expireAt.isEmpty ? "" : "redis.call('PEXPIREAT', key, \(expireAt))")
      end
      """
    let select: [Command] = database == 0 ? [] : [["SELECT", "\(database)"]]
    try await server.run(select + [["EVAL", script, "0"]])
  }

  private static func holds(_ amount: SampledAmount?, _ truth: Double) -> Bool {
    guard let amount, let lower = amount.lower, let upper = amount.upper else { return false }
    // Twice as wide: this is one sample, and must not fail once in twenty times.
    return 2 * lower - amount.value <= truth && truth <= 2 * upper - amount.value
  }

  @Test func databasesOfOneServer() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "session:%d", 30_000, bytes: 100, expireAt: "4000000000000 + i * 1000")
    try await Self.fill(server, "cart:%d", 10_000, bytes: 1000)
    try await Self.fill(server, "cart:%d", 4000, bytes: 1000, database: 3)
    let place = Self.place(server)
    let outcome = await Self.sample(place, Self.options(4000))
    #expect(outcome.failures.isEmpty && outcome.refused.isEmpty && !outcome.isCut && outcome.omittedCount == 0)
    #expect(outcome.sample.strata.count == 2)
    let estimate = KeyspaceEstimate(outcome.sample, now: WallTime.now.epochMs / 1000)
    #expect(estimate.keyTotal == 44_000 && 3000...6000 ~= estimate.seenCount && !estimate.areAllKeys)
    #expect(estimate.prefixes.map(\.name) == ["cart:*", "session:*"])
    #expect(Self.holds(estimate.prefixes[0].keys, 14_000))
    #expect(Self.holds(estimate.prefixes[0].keysWithoutTTL, 14_000))
    #expect(Self.holds(estimate.prefixes[1].keys, 30_000))
    #expect(estimate.prefixes[1].keysWithoutTTL?.value == 0)
    // Nothing else was asked, and no key was used.
    #expect(try await server.info("total_error_replies") == 0)
    // The same places say the same, but for a table that the server may still be doubling.
    let again = await Self.sample(place, Self.options(4000), seed: 6, at: outcome.starts)
    let old = KeyPanel(outcome.sample, prefixes: ["cart:*"])
    let growth = try #require(KeyPanel(again.sample, prefixes: ["cart:*"]).growth(of: "cart:*", since: old))
    #expect(Self.holds(growth, 0))
    let memory = try #require(estimate.prefixes[0].memoryBytes)
    #expect(try #require(growth.upper) - growth.value < 0.5 * (try #require(memory.upper) - memory.value))
    await place.link.stop()
  }

  @Test func aWaveIsToldWithItsSecond() async throws {
    let server = try await RedisServer()
    let second = WallTime.now.epochMs / 1000 + 1800
    try await Self.fill(server, "page:%d", 25_000, bytes: 10, expireAt: "\(second * 1000) + (i % 3500 - 1700) * 1000")
    try await Self.fill(server, "page:warm%d", 5000, bytes: 10, expireAt: "\(second * 1000)")
    let place = Self.place(server)
    for seed in 0..<share(3, full: 20) {
      let outcome = await Self.sample(place, Self.options(8000), seed: UInt64(seed))
      let estimate = KeyspaceEstimate(outcome.sample, now: WallTime.now.epochMs / 1000)
      guard case .coming(let wave)? = estimate.prefixes.first?.wave else {
        Issue.record("\(estimate.prefixes)")
        continue
      }
      #expect(wave.timestampSeconds == second && wave.spanSeconds == 1)
      #expect(Self.holds(wave.keys, 5007))
    }
    await place.link.stop()
  }

  @Test func fewKeysAreAllLookedAt() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 1500, bytes: 10)
    try await Self.fill(server, "job:%d", 300, bytes: 10, database: 1)
    try await server.run("SET secret-of-alice x\nSET secret-of-bob x EX 1000")
    let place = Self.place(server)
    let outcome = await Self.sample(place)
    let estimate = KeyspaceEstimate(outcome.sample, now: 0)
    #expect(estimate.areAllKeys && estimate.seenCount == 1802)
    #expect(estimate.prefixes.map(\.name) == ["job:*", "*"])
    #expect(estimate.prefixes.map(\.keys) == [SampledAmount(exact: 1800), SampledAmount(exact: 2)])
    #expect(estimate.prefixes[1].keysWithoutTTL == SampledAmount(exact: 1))
    await place.link.stop()
  }

  /// Keys of few tags stand side by side where each slot has a table.
  @Test func aClusterWithTags() async throws {
    let server = try await RedisServer(isCluster: true)
    try await server.run([["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]])
    for _ in 0..<200 where try await server.info("cluster_enabled") == 1 {
      if (try? await server.run("SET probe x")) != nil { break }
      try await Task.sleep(for: .milliseconds(20))
    }
    try await Self.fill(server, "session:%d", 20_000, bytes: 50)
    for tag in ["a", "b", "c"] { try await Self.fill(server, "cart:{\(tag)}:%d", 5000, bytes: 500) }
    let place = Self.place(server, readsReplica: true)
    var hits = 0
    let trials = share(20, full: 100)
    for seed in 0..<trials {
      let outcome = await Self.sample(place, Self.options(2000), seed: UInt64(seed))
      let estimate = KeyspaceEstimate(outcome.sample, now: 0)
      let cart = try #require(estimate.prefixes.first { $0.name == "cart:*" })
      let (lower, upper) = (try #require(cart.keys.lower), try #require(cart.keys.upper))
      if lower <= 15_000, 15_000 <= upper { hits += 1 }
    }
    // The server orders its tables by chance: of few trials, more may miss.
    #expect(Double(hits) >= share(0.55, full: 0.8) * Double(trials), "\(hits) of \(trials)")
    await place.link.stop()
  }

  @Test func namesOfAnySize() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 4000, bytes: 10)
    for size in [1 << 20, 3 << 20, Limits.replyBytes + 1] {
      let name = Array("big:".utf8) + Array(repeating: 0xff, count: size)
      try await server.run([Command(bytes: [Array("SET".utf8), name, [1]])])
    }
    let place = Self.place(server)
    let all = await Self.sample(place, Self.options(20_000))
    #expect(all.omittedCount == 1 && all.failures.isEmpty)
    #expect(3990...4002 ~= KeyspaceEstimate(all.sample, now: 0).seenCount)
    let some = await Self.sample(place, Self.options(1000))
    #expect(some.failures.isEmpty)
    await place.link.stop()
  }

  @Test func whatIsRefusedIsUnknown() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 3000, bytes: 10)
    try await server.run("ACL SETUSER default -memory -pttl -time")
    let place = Self.place(server)
    let outcome = await Self.sample(place)
    #expect(outcome.refused == ["memory|usage", "pttl"])
    let prefix = try #require(KeyspaceEstimate(outcome.sample, now: 0).prefixes.first)
    #expect(prefix.name == "job:*" && prefix.memoryBytes == nil && prefix.keysWithoutTTL == nil)
    #expect(Self.holds(prefix.keys, 3000))
    try await server.run("ACL SETUSER default -scan")
    let other = Self.place(server)
    let nothing = await Self.sample(other)
    #expect(nothing.failures[0]?.error.errorClass == .permission)
    #expect(KeyspaceEstimate(nothing.sample, now: 0).prefixes.isEmpty)
    #expect(try await server.info("acl_access_denied_cmd") <= 4, "each is refused once")
    for place in [place, other] { await place.link.stop() }
  }

  @Test func whatWasFlushedMeanwhileIsDropped() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 80_000, bytes: 10)
    let place = Self.place(server, dutyRatio: 0.1)
    let flush = Task {
      try await Task.sleep(for: .milliseconds(200))
      try await server.run("FLUSHALL")
      try await Self.fill(server, "job:%d", 80_000, bytes: 10)
    }
    let outcome = await Self.sample(place, Self.options(30_000))
    #expect(outcome.failures[0]?.isChange == true, "the same keys again, and yet not the same")
    #expect(KeyspaceEstimate(outcome.sample, now: 0).seenCount == 0)
    try await flush.value
    await place.link.stop()
  }

  @Test func anEndedSampleIsASmallerOne() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 30_000, bytes: 10)
    let place = Self.place(server)
    let count = Lock(0)
    let outcome = await Self.sample(
      place, Self.options(10_000),
      isEnded: {
        count.withLock { count in
          count += 1
          return count > 40
        }
      })
    #expect(outcome.isCut && outcome.failures.isEmpty)
    let estimate = KeyspaceEstimate(outcome.sample, now: 0)
    #expect(500...4000 ~= estimate.seenCount)
    #expect(Self.holds(estimate.prefixes.first?.keys, 30_000))
    await place.link.stop()
  }

  /// What the server itself counts as time.
  @Test(arguments: [0.005, 0.01, 0.05]) func theServersTimeIsBounded(ratio: Double) async throws {
    let server = try await RedisServer()
    try await Self.fill(server, "job:%d", 60_000, bytes: 100)
    let place = Self.place(server, dutyRatio: ratio)
    let (busy, began) = (try await Self.cpu(server), NIODeadline.now())
    let end = began + .seconds(share(3, full: 15))
    _ = await Self.sample(place, Self.options(20_000), isEnded: { NIODeadline.now() > end })
    let seconds = Double((NIODeadline.now() - began).nanoseconds) / 1e9
    let used = try await Self.cpu(server) - busy
    // The burst, the longest batch, and what the server does by itself, a hundred times a second.
    #expect(used <= ratio * seconds + 0.1 + 0.02 + 0.01 * seconds, "\(used) s of \(seconds) s")
    await place.link.stop()
  }

  private static func cpu(_ server: RedisServer) async throws -> Double {
    let info = InfoText(try await server.run([["INFO", "ALL"]])[0].bytes ?? [])
    return (info.double("used_cpu_user") ?? 0) + (info.double("used_cpu_sys") ?? 0)
  }
}
