import Config
import Logging
import NIOCore
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Passes over every key of real servers; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(2)), .serialized)
struct ShardCensusLiveTests {
  private static func place(_ server: RedisServer, dutyRatio: Double = 1) -> KeyPlace {
    KeyPlace(
      ConnectionOptions(address: server.address), context: RedisServer.context, dutyRatio: dutyRatio,
      timeout: .seconds(5), node: NodeCost())
  }

  private static func census(_ place: KeyPlace, slots: Int? = nil) async -> ShardCensus {
    let census = ShardCensus(KeyspaceConfig(), room: KeyspaceRoom(), log: Logger(label: "test"))
    await census.aim(at: target(place, slots: slots))
    return census
  }

  private static func target(_ place: KeyPlace, slots: Int? = nil) -> ShardCensus.Target {
    var source = KeySampleSource(place: place, node: nil, name: "one")
    source.slots = slots
    return ShardCensus.Target(source: source, slots: slots)
  }

  /// Waits until what is known is as wanted.
  private static func wait(
    _ census: ShardCensus, seconds: Int = 60, _ isReached: (CensusResult) async throws -> Bool
  ) async throws -> CensusResult {
    for _ in 0..<(seconds * 50) {
      let result = census.newest
      if try await isReached(result) { return result }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("not reached: \(census.newest.pass?.seenCount ?? -1) keys, \(String(describing: census.newest.pause))")
    return census.newest
  }

  private static func fill(_ server: RedisServer, _ count: Int) async throws {
    let script = "for i = 1, \(count) do redis.call('SET', 'job:' .. i, string.rep('x', 100), 'EX', 5000) end"
    try await server.run([["EVAL", script, "0"]])
  }

  private static func end(_ census: ShardCensus, _ place: KeyPlace) async {
    await census.stop()
    await place.link.stop()
  }

  @Test func theLargestKeysAreFound() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 20_000)
    // One large element among many small ones: five of them say nothing of it.
    let scripts = [
      "for i = 1, 2000 do redis.call('HSET', 'hash', i, 'x') end redis.call('HSET', 'hash', 'big', string.rep('x', 5000000))",
      "for i = 1, 60000 do redis.call('RPUSH', 'list', string.rep('x', 50)) end",
      "redis.call('SET', 'text', string.rep('x', 2000000), 'EX', 1000)",
      "redis.call('SET', 'middle', string.rep('x', 200000))",
      "redis.call('SELECT', 2) for i = 1, 30000 do redis.call('SADD', 'set', 'member' .. i) end",
    ]
    for script in scripts { try await server.run([["EVAL", script, "0"]]) }
    let place = Self.place(server)
    let census = await Self.census(place)
    let result = try await Self.wait(census) { $0.ended != nil }
    let table = try #require(result.table)
    #expect(result.keyCount >= 20_005 && result.pause == nil && !result.isMixed && result.omittedCount == 0)
    let keys = Dictionary(table.keys.map { (String(decoding: $0.name, as: UTF8.self), $0) }) { $1 }
    #expect(table.bigCount == 4)
    for (name, type) in [("hash", "hash"), ("list", "list"), ("text", "string"), ("set", "set"), ("middle", "string")] {
      let key = try #require(keys[name], "\(name) of \(keys.keys)")
      let select: [Command] = name == "set" ? [["SELECT", "2"]] : []
      let truth = try #require(
        try await server.run(select + [["MEMORY", "USAGE", name, "SAMPLES", "0"]])[select.count].double)
      #expect(key.type == type)
      #expect(abs(key.bytes - truth) < (key.isExact ? 0.001 : 0.1) * truth, "\(name): \(key.bytes), not \(truth)")
    }
    #expect(keys["hash"]?.isExact == true && keys["hash"]?.elementCount == 2001, "2,001 elements are all counted")
    #expect(keys["text"]?.isExact == true && keys["set"]?.isExact == false && keys["set"]?.elementCount == 30_000)
    if case .until = keys["text"]?.life {} else { Issue.record("it expires") }
    #expect(keys["hash"]?.life == .forever)
    #expect(0.5...1 ~= result.lives.foreverRatio ?? 0, "most memory never expires")
    #expect(try await server.info("total_error_replies") == 0)
    // What a sample adds: sizes of now, and nothing of what is gone.
    try await server.run("DEL text\nAPPEND middle x")
    let certain = try #require(try await census.certainKeys(at: place))
    #expect(certain.isWhole && certain.keys.count == 3 && certain.largeBytes == 1_048_576)
    #expect(try await census.certainKeys(at: Self.place(server)) == nil, "somebody else is read")
    await Self.end(census, place)
  }

  @Test func namesOfAnySize() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 3000)
    for size in [1 << 20, 3 << 20, Limits.replyBytes + 1] {
      let name = Array("big:".utf8) + Array(repeating: 0xff, count: size)
      try await server.run([Command(bytes: [Array("SET".utf8), name, [1]])])
    }
    let place = Self.place(server)
    let census = await Self.census(place)
    let result = try await Self.wait(census) { $0.ended != nil }
    #expect(result.omittedCount == 1 && result.keyCount >= 2990)
    // A name is a part of what a key takes.
    let large = try #require(result.table).keys.filter { !$0.hasWholeName }
    #expect(large.count == 2 && large.allSatisfy { $0.name.count == BigKey.nameLimit && $0.bytes > 1_048_576 })
    await Self.end(census, place)
  }

  @Test func aFlushBeginsAPassAnew() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 100_000)
    try await server.run([["EVAL", "redis.call('SET', 'old', string.rep('x', 3000000))", "0"]])
    let place = Self.place(server, dutyRatio: 0.01)
    let census = await Self.census(place, slots: 1)
    _ = try await Self.wait(census) { ($0.pass?.seenCount ?? 0) > 1000 }
    try await server.run("FLUSHALL")
    try await Self.fill(server, 30_000)
    try await server.run([["EVAL", "redis.call('SET', 'new', string.rep('x', 2000000))", "0"]])
    _ = try await Self.wait(census) { $0.pause == .changed }
    #expect(census.newest.ended == nil)
    await place.link.limit(dutyRatio: 1)
    await census.aim(at: Self.target(place, slots: 2))
    let result = try await Self.wait(census) { $0.ended != nil }
    #expect(result.keyCount >= 30_001 && result.table?.keys.first?.name == Array("new".utf8))
    #expect(result.table?.keys.contains { $0.name == Array("old".utf8) } == false)
    await Self.end(census, place)
  }

  @Test func slotsThatMoveMarkAPass() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 50_000)
    let place = Self.place(server, dutyRatio: 0.01)
    let census = await Self.census(place, slots: 1)
    _ = try await Self.wait(census) { ($0.pass?.seenCount ?? 0) > 1000 }
    await census.aim(at: Self.target(place, slots: 2))
    await place.link.limit(dutyRatio: 1)
    #expect(try await Self.wait(census) { $0.ended != nil }.isMixed)
    await Self.end(census, place)
  }

  @Test func whatIsRefusedIsUnknown() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 2000)
    try await server.run([["EVAL", "redis.call('SET', 'big', string.rep('x', 3000000))", "0"]])
    try await server.run("ACL SETUSER default -type -pttl")
    let place = Self.place(server)
    let census = await Self.census(place)
    let result = try await Self.wait(census) { $0.ended != nil }
    let key = try #require(result.table?.keys.first)
    #expect(key.type.isEmpty && key.elementCount == nil && key.life == .unknown && !key.isExact)
    try await server.run("ACL SETUSER default -memory")
    let other = Self.place(server)
    await census.aim(at: Self.target(other))
    let refused = try await Self.wait(census) { $0.pause == .refused }
    #expect(refused.ended == nil && refused.table?.keys.isEmpty == true)
    await Self.end(census, other)
    await place.link.stop()
  }

  /// A sample goes first; the census has one batch of some all the same.
  @Test func samplesGoFirst() async throws {
    let server = try await RedisServer()
    try await Self.fill(server, 60_000)
    let place = Self.place(server, dutyRatio: 0.02)
    let census = await Self.census(place)
    _ = try await Self.wait(census) { ($0.pass?.seenCount ?? 0) > 500 }
    await place.link.beginPass()
    let before = census.newest.pass?.seenCount ?? 0
    for _ in 0..<80 { _ = try await place.link.send([["MEMORY", "USAGE", "job:1"]]) }
    let met = (census.newest.pass?.seenCount ?? 0) - before
    await place.link.endPass()
    // 80 batches of the pass let ten of the others through, of 64 keys each at most.
    #expect(met <= 12 * 64, "\(met) keys")
    await Self.end(census, place)
  }
}
