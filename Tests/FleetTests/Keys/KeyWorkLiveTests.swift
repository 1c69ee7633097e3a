import Config
import Logging
import Metrics
import NIOCore
import Redis
import Testing

@testable import Fleet

/// Key work against real servers; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(1)), .serialized)
struct KeyWorkLiveTests {
  private func work(
    _ server: RedisServer, user: Credentials? = nil, _ configure: (inout KeyWorkOptions) -> Void
  ) throws -> KeyWork {
    try work(at: server.address, user: user, configure)
  }

  private func work(
    at address: RedisAddress, user: Credentials? = nil, _ configure: (inout KeyWorkOptions) -> Void
  ) throws -> KeyWork {
    var options = KeyWorkOptions()
    options.dutyRatio = 0.5
    configure(&options)
    var connection = ConnectionOptions(address: address)
    connection.credentials = { user }
    return try KeyWork(
      options: options, connection: connection, context: RedisServer.context, log: Logger(label: "test"))
  }

  /// The series after the first pass, without those of the work itself.
  private func firstPage(of work: KeyWork, seconds: Int64 = 20) async -> String {
    await work.start()
    await work.firstPass(deadline: .now() + .seconds(seconds))
    let text = lines(work.samples).filter { !$0.contains("exporter_key_work") && !$0.contains("last_key_groups") }
    await work.stop()
    return text.joined(separator: "\n")
  }

  private func lines(_ samples: Samples) -> [String] {
    String(decoding: Exposition().page([samples]), as: UTF8.self).split(separator: "\n").map(String.init)
      .filter { !$0.hasPrefix("#") }.sorted()
  }

  private func own(_ name: String, _ samples: Samples) -> Double? {
    lines(samples).first { $0.hasPrefix("redis_exporter_key_work_\(name) ") }
      .flatMap { Double($0.split(separator: " ")[1]) }
  }

  @Test func everyTypeOfKey() async throws {
    let server = try await RedisServer()
    try await server.run(
      """
      SET number 42
      SET text hello
      SET empty x
      SETRANGE empty 0 y
      PFADD visitors a b c
      SET fake HYLLx
      RPUSH list a b c
      SADD set a b
      ZADD zset 1 a
      HSET hash f v g w
      XADD stream 1-1 f v
      SELECT 3
      SET deep 1.5
      """)
    let work = try work(server) { options in
      options.checkSingleKeys = ["number", "text", "visitors", "fake", "list", "missing"].map {
        KeyPattern(database: 0, pattern: $0)
      }
      options.checkKeys =
        ["*set", "h*", "number"].map { KeyPattern(database: 0, pattern: $0) }
        + [KeyPattern(database: 3, pattern: "d*")]
    }
    let text = await firstPage(of: work).split(separator: "\n").filter { !$0.contains("memory") }.joined(
      separator: "\n")
    #expect(
      text == """
        redis_key_size{db="db0",key="fake"} 5
        redis_key_size{db="db0",key="hash"} 2
        redis_key_size{db="db0",key="list"} 3
        redis_key_size{db="db0",key="missing"} 0
        redis_key_size{db="db0",key="number"} 2
        redis_key_size{db="db0",key="set"} 2
        redis_key_size{db="db0",key="text"} 5
        redis_key_size{db="db0",key="visitors"} 3
        redis_key_size{db="db0",key="zset"} 1
        redis_key_size{db="db3",key="deep"} 3
        redis_key_value_as_string{db="db0",key="text",val="hello"} 1
        redis_key_value{db="db0",key="number"} 42
        redis_key_value{db="db3",key="deep"} 1.5
        """)
    #expect(try await server.info("total_error_replies") <= 1, "only PFCOUNT of the fake may fail")
  }

  @Test func countsGroupsAndProgress() async throws {
    let server = try await RedisServer()
    try await server.run(
      (0..<500).map { "SET user:\($0) x\nSET cart:\($0 % 50):\($0) yyyyyyyy" }.joined(separator: "\n"))
    let work = try work(server) { options in
      options.countKeys = ["user:*", "cart:1:*", "nothing*"].map { KeyPattern(database: 0, pattern: $0) }
      options.checkKeyGroups = ["^(%a+):"]
      options.configCommand = nil
      options.fallbackDatabaseCount = 2
    }
    let text = await firstPage(of: work)
    for line in [
      "redis_keys_count{db=\"db0\",key=\"user:*\"} 500", "redis_keys_count{db=\"db0\",key=\"cart:1:*\"} 10",
      "redis_keys_count{db=\"db0\",key=\"nothing*\"} 0", "redis_key_group_count{db=\"db0\",key_group=\"user\"} 500",
      "redis_key_group_count{db=\"db0\",key_group=\"cart\"} 500", "redis_number_of_distinct_key_groups{db=\"db0\"} 2",
      "redis_number_of_distinct_key_groups{db=\"db1\"} 0",
    ] {
      #expect(text.contains(line), "\(line)\nin\n\(text)")
    }
    #expect(own("keys_scanned_total", work.samples) == 1000)
    #expect(own("lookups_total", work.samples) == 0)
    #expect(own("pass_progress_ratio", work.samples) == 1)
  }

  @Test func streamsWithGroups() async throws {
    let server = try await RedisServer()
    try await server.run(
      """
      XADD orders * f v
      XADD orders * f v
      XGROUP CREATE orders g 0
      XREADGROUP GROUP g alice COUNT 1 STREAMS orders >
      XGROUP CREATE orders lost $
      SET plain text
      """)
    let work = try work(server) { options in
      options.checkSingleStreams = ["orders", "plain", "missing"].map { KeyPattern(database: 0, pattern: $0) }
    }
    let text = await firstPage(of: work)
    for line in [
      "redis_stream_length{db=\"db0\",stream=\"orders\"} 2",
      "redis_stream_group_lag{db=\"db0\",stream=\"orders\",group=\"g\"} 1",
      "redis_stream_group_consumer_messages_pending{db=\"db0\",stream=\"orders\",group=\"g\",consumer=\"alice\"} 1",
      "redis_stream_group_oldest_pending_seconds{db=\"db0\",stream=\"orders\",group=\"lost\"} 0",
    ] {
      #expect(text.contains(line), "\(line)\nin\n\(text)")
    }
    #expect(!text.contains("plain") && !text.contains("missing"))
    #expect(try await server.info("total_error_replies") == 0)
  }

  @Test func scriptsAndTheirFailures() async throws {
    let server = try await RedisServer()
    let work = try work(server) { options in
      options.scripts = [
        ("good.lua", "return {'a', '1.5', 'b', ARGV[1]}"), ("empty.lua", "return {}"),
        ("bad.lua", "return redis.error_reply('ERR no')"), ("broken.lua", "this is no Lua"),
      ]
    }
    #expect(
      await firstPage(of: work) == """
        redis_script_result{filename="bad.lua"} 0
        redis_script_result{filename="broken.lua"} 0
        redis_script_result{filename="empty.lua"} 2
        redis_script_result{filename="good.lua"} 1
        redis_script_values{key="a",filename="good.lua"} 1.5
        redis_script_values{key="b",filename="good.lua"} 0
        """)
  }

  @Test func aRefusedCommandCostsOneError() async throws {
    let server = try await RedisServer()
    try await server.run((0..<40).map { "SET k\($0) 1" }.joined(separator: "\n"))
    try await server.run("ACL SETUSER u on >secret ~* +@all -memory -get -getrange")
    let work = try work(server, user: Credentials(user: "u", password: "secret")) { options in
      options.checkKeys = [KeyPattern(database: 0, pattern: "k*")]
      options.intervalSeconds = 0.05
    }
    await work.start()
    await work.firstPass(deadline: .now() + .seconds(20))
    try await Task.sleep(for: .milliseconds(300))
    let text = lines(work.samples)
    await work.stop()
    #expect(text.count { $0.hasPrefix("redis_key_size") } == 40)
    #expect(!text.contains { $0.hasPrefix("redis_key_memory") || $0.hasPrefix("redis_key_value") })
    #expect(text.contains("redis_exporter_key_work_refused{command=\"MEMORY USAGE\"} 1"))
    #expect(try await server.info("total_error_replies") == 2, "one for MEMORY, one for GETRANGE")
  }

  @Test func theShareOfTimeIsKept() async throws {
    let server = try await RedisServer()
    try await server.run((0..<3000).map { "SET k\($0) 1" }.joined(separator: "\n"))
    let work = try work(server) { options in
      options.dutyRatio = 0.02
      options.checkKeyGroups = ["^(.)"]
      options.intervalSeconds = 0.01
    }
    let started = ContinuousClock.now
    await work.start()
    try await Task.sleep(for: .seconds(3))
    let busy = try #require(own("busy_seconds_total", work.samples))
    let elapsed = (ContinuousClock.now - started) / .seconds(1)
    await work.stop()
    // The burst, the share, and one batch that may be slow on a loaded machine.
    #expect(busy <= 0.1 + 0.02 * elapsed + 1)
  }

  @Test func resultsOutliveAServerForAWhile() async throws {
    let server = try await RedisServer()
    try await server.run("SET k 1")
    let work = try work(server) { options in
      options.checkSingleKeys = [KeyPattern(database: 0, pattern: "k")]
      options.intervalSeconds = 0.1
      options.staleSeconds = 4
      options.timeout = .milliseconds(300)
    }
    await work.start()
    await work.firstPass(deadline: .now() + .seconds(10))
    #expect(lines(work.samples).contains("redis_key_value{db=\"db0\",key=\"k\"} 1"))
    server.stop()
    try await Task.sleep(for: .milliseconds(500))
    #expect(lines(work.samples).contains("redis_key_value{db=\"db0\",key=\"k\"} 1"))
    var text = lines(work.samples)
    for _ in 0..<200 where text.contains(where: { $0.hasPrefix("redis_key_value") }) {
      try await Task.sleep(for: .milliseconds(100))
      text = lines(work.samples)
    }
    await work.stop()
    #expect(!text.contains { $0.hasPrefix("redis_key_value") })
    let failures = text.first { $0.hasPrefix("redis_exporter_key_work_errors_total{class=\"connect\"}") }
    #expect(failures?.hasSuffix(" 0") == false)
  }

  @Test func aHungServerHoldsNobodyBeyondTheDeadline() async throws {
    let server = try await RedisServer()
    let work = try work(server) { options in
      options.checkSingleKeys = [KeyPattern(database: 0, pattern: "k")]
      options.timeout = .seconds(30)
    }
    server.freeze()
    let started = ContinuousClock.now
    await work.start()
    await work.firstPass(deadline: .now() + .milliseconds(200))
    await work.stop()
    #expect(ContinuousClock.now - started < .seconds(5))
  }

  @Test func aDatabaseThatDoesNotExistStopsNothing() async throws {
    let server = try await RedisServer()
    try await server.run("SET k 1")
    let work = try work(server) { options in
      options.checkSingleKeys = [KeyPattern(database: 99, pattern: "k"), KeyPattern(database: 0, pattern: "k")]
      options.disablesKeyValues = true
      options.seriesLimit = 1
    }
    let text = await firstPage(of: work)
    #expect(text == "redis_key_memory_usage_bytes{db=\"db0\",key=\"k\"} " + text.split(separator: " ")[1])
    #expect(own("dropped_series_total", work.samples) == 1)
  }

  @Test func aStreamOfHugeEntriesIsLeftOutAlone() async throws {
    let server = try await RedisServer()
    let huge = String(repeating: "x", count: Limits.replyBytes / 2 + 1)
    try await server.run([["XADD", "huge", "*", "f", huge], ["XADD", "small", "*", "f", "v"]])
    let work = try work(server) { options in
      options.checkStreams = [KeyPattern(database: 0, pattern: "*")]
    }
    let text = await firstPage(of: work)
    #expect(text.contains("redis_stream_length{db=\"db0\",stream=\"small\"} 1"))
    #expect(!text.contains("huge"))
  }

  @Test func aScriptThatDoesNotEndLosesNoKeys() async throws {
    let server = try await RedisServer()
    try await server.run("SET k 1")
    let work = try work(server) { options in
      options.checkSingleKeys = [KeyPattern(database: 0, pattern: "k")]
      options.scripts = [("endless.lua", "while true do end")]
      options.timeout = .milliseconds(300)
    }
    let text = await firstPage(of: work)
    #expect(text.contains("redis_key_value{db=\"db0\",key=\"k\"} 1"))
    #expect(text.contains("redis_script_result{filename=\"endless.lua\"} 0"))
  }

  @Test func aWrongGroupPatternIsNamed() async throws {
    let message = "check-key-groups: the Lua pattern \"^(a\" is wrong at character 2: this capture is not closed"
    #expect(throws: KeyWorkError(description: message)) {
      _ = try work(at: RedisAddress(endpoint: .unix(path: "/nowhere"))) { $0.checkKeyGroups = ["ok", "^(a"] }
    }
  }

  @Test func aClusterIsCoveredWhole() async throws {
    var servers: [RedisServer] = []
    for _ in 0..<3 { servers.append(try await RedisServer(isCluster: true)) }
    for (index, server) in servers.enumerated() {
      let last = index == 2 ? 16383 : (index + 1) * 5461 - 1
      try await server.run([["CLUSTER", "ADDSLOTSRANGE", "\(index * 5461)", "\(last)"]])
    }
    for server in servers.dropFirst() {
      guard case .tcp(let host, let port) = server.address.endpoint else { continue }
      let bus = try await busPort(of: server)
      try await servers[0].run([["CLUSTER", "MEET", host, "\(port)", "\(bus)"]])
    }
    try await waitForCluster(servers)
    for number in 0..<300 {
      let key = "key:\(number)"
      try await servers[min(2, clusterSlot(of: Array(key.utf8)) / 5461)].run([["SET", key, "1"]])
    }
    // Before Valkey 9 a cluster has one database, whatever patterns say.
    let facts = ServerFacts(InfoText(try await servers[0].run([["INFO"]])[0].bytes ?? []))
    let database = facts.knowsClusterDatabases ? 0 : 7
    let work = try work(servers[1]) { options in
      options.isCluster = true
      options.countKeys = [KeyPattern(database: 0, pattern: "key:*")]
      options.checkSingleKeys =
        (0..<20).map { KeyPattern(database: database, pattern: "key:\($0)") }
        + [KeyPattern(database: 0, pattern: "missing")]
      options.checkKeyGroups = ["^(key)"]
    }
    let text = await firstPage(of: work)
    #expect(text.contains("redis_keys_count{db=\"db0\",key=\"key:*\"} 300"))
    #expect(text.contains("redis_key_group_count{db=\"db0\",key_group=\"key\"} 300"))
    #expect(text.split(separator: "\n").count { $0.hasPrefix("redis_key_value{db=\"db0\"") } == 20)
    #expect(!text.contains("missing"))
  }

  /// Valkey 9 has several databases in a cluster, which nothing may take for database 0.
  @Test func keysOfOtherDatabasesOfACluster() async throws {
    guard try await ServerFacts(InfoText(RedisServer().run([["INFO"]])[0].bytes ?? [])).knowsClusterDatabases else {
      return
    }
    let server = try await RedisServer(isCluster: true, ["--cluster-databases", "4"])
    try await server.run([["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]])
    try await waitForCluster([server])
    try await server.run("SET job:5 0\nSELECT 1\nSET job:5 1\nSET job:6 1\nSELECT 3\nSET job:7 3")
    let work = try work(server) { options in
      options.isCluster = true
      options.checkSingleKeys = [1, 2].map { KeyPattern(database: $0, pattern: "job:5") }
      options.countKeys = [KeyPattern(database: 1, pattern: "job:*")]
      options.checkKeyGroups = ["^(job)"]
    }
    let text = await firstPage(of: work)
    #expect(text.contains("redis_key_value{db=\"db1\",key=\"job:5\"} 1"))
    #expect(!text.contains("db=\"db0\",key="), "what stands in another database is not shown")
    #expect(text.contains("redis_keys_count{db=\"db1\",key=\"job:*\"} 2"))
    for (database, count) in [(0, 1), (1, 2), (3, 1)] {
      #expect(text.contains("redis_key_group_count{db=\"db\(database)\",key_group=\"job\"} \(count)"))
    }
  }

  @Test func aVectorSetHasASize() async throws {
    let server = try await RedisServer()
    guard ServerFacts(InfoText(try await server.run([["INFO"]])[0].bytes ?? [])).knowsVectorSets else { return }
    try await server.run("VADD vectors VALUES 2 1 2 a\nVADD vectors VALUES 2 2 1 b")
    let work = try work(server) { $0.checkSingleKeys = [KeyPattern(database: 0, pattern: "vectors")] }
    #expect(await firstPage(of: work).contains("redis_key_size{db=\"db0\",key=\"vectors\"} 2"))
  }

  private func busPort(of server: RedisServer) async throws -> Int {
    try await server.run([["CONFIG", "GET", "cluster-port"]])[0].elements?[1]?.integer ?? 0
  }

  private func waitForCluster(_ servers: [RedisServer]) async throws {
    for _ in 0..<600 {
      var isWhole = true
      for server in servers {
        let info = InfoText(try await server.run([["CLUSTER", "INFO"]])[0].bytes ?? [])
        if info.text("cluster_state") != "ok" || info.integer("cluster_slots_assigned") != 16384 { isWhole = false }
      }
      if isWhole { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    throw ServerError(what: "the cluster does not form")
  }

  // MARK: The server as the judge of our matchers

  @Test func globsAgreeWithTheServer() async throws {
    let server = try await RedisServer()
    var random = SeededRandom(seed: 21)
    let alphabet = "ab[]^-\\*?"
    let keys = Set(
      GlobTests.cases.map { Array($0.key.utf8) } + (0..<300).map { _ in random.bytes(of: alphabet, count: 6) })
    try await server.run(keys.map { Command(bytes: [Array("SET".utf8), $0, [1]]) })
    let patterns =
      GlobTests.cases.map { Array($0.pattern.utf8) } + (0..<700).map { _ in random.bytes(of: alphabet, count: 8) }
    let replies = try await server.run(patterns.map { Command(bytes: [Array("KEYS".utf8), $0]) })
    for (index, pattern) in patterns.enumerated() {
      let expected = Set(replies[index].elements?.compactMap { $0.bytes.map { Array($0) } } ?? [])
      let glob = Glob(pattern)
      #expect(Set(keys.filter { glob.matches($0[...]) }) == expected, "\(String(decoding: pattern, as: UTF8.self))")
    }
  }

  @Test func luaPatternsAgreeWithTheServer() async throws {
    let server = try await RedisServer()
    let script = """
      local ok, r = pcall(function() return {string.find(ARGV[1], ARGV[2])} end)
      if not ok then return 'error' end
      if r[1] == nil then return 'none' end
      return 'found:' .. table.concat({unpack(r, 3, #r)}, '')
      """
    var random = SeededRandom(seed: 22)
    let alphabet = "()[]%^$*+-?.ab1wWdfb"
    let pairs =
      LuaPatternTests.cases.map { (Array($0.pattern.utf8), Array($0.key.utf8)) }
      + (0..<3000).map { _ in (random.bytes(of: alphabet, count: 7), random.bytes(of: "ab1()[", count: 10)) }
    let replies = try await server.run(
      pairs.map { Command(bytes: [Array("EVAL".utf8), Array(script.utf8), Array("0".utf8), $0.1, $0.0]) })
    for (index, (pattern, key)) in pairs.enumerated() {
      let text = String(decoding: pattern, as: UTF8.self)
      let expected = replies[index].text ?? ""
      switch (try? LuaPattern(text))?.find(in: key[...]) {
      case .found(let captures)?:
        #expect(expected == "found:" + String(decoding: captures, as: UTF8.self), "\(text)")
      case LuaPattern.Outcome.none?:
        // Lua notices some mistakes only when it comes to them.
        #expect(expected == "none", "\(text) on \(String(decoding: key, as: UTF8.self))")
      case .tooHard?: Issue.record("\(text) is too hard")
      case nil: break
      }
    }
  }
}
