import Config
import Logging
import Metrics
import NIOCore
import Redis
import Runtime
import Testing

@testable import Fleet

/// Key watches of real servers; skipped where there is no redis-server.
@Suite(.enabled(if: RedisServer.program != nil, "no redis-server was found"), .timeLimit(.minutes(1)), .serialized)
struct KeyWatchLiveTests {
  /// A watch over one server, with all that it showed last.
  private final class Subject: Sendable {
    let member: WatchedNode
    let watch: WorkloadKeys
    let fleet = Registry()
    private let shown = Lock("")
    private let sampled = Lock("")

    init(_ server: RedisServer, _ fields: String, kind: String = "custom, topology: replication") throws {
      let config = try KeyPlanTests.workload(fields, kind: kind)
      let log = Logger(label: "test")
      let context = FleetContext(
        connections: RedisServer.context, registry: fleet, environment: [:], collectors: CollectorOptions(),
        keyDutyRatio: 0.5, clientName: nil, memberLimit: 10, store: nil, log: log)
      guard case .unix(let path) = server.address.endpoint else { throw ServerError(what: "no socket") }
      let address = NodeAddress(host: path, port: 0)
      let node = try Node(
        PollerOptions(connection: ConnectionOptions(address: server.address)), keyWork: KeyWorkOptions(), schedule: nil,
        context: RedisServer.context, log: log, fleetPage: FleetPage(fleet, name: "member"))
      member = WatchedNode(
        address: address, instance: "one", node: node, interval: .seconds(1), spread: .zero, lateness: nil
      ) { _, _ in nil }
      let shown = shown
      let sampled = sampled
      watch = try #require(
        WorkloadKeys(config, context: context, log: log) { samples in
          shown.withLock { $0 = String(decoding: Exposition().page([samples]), as: UTF8.self) }
        } publishSample: { samples in
          sampled.withLock { $0 = String(decoding: Exposition().page([samples]), as: UTF8.self) }
        })
    }

    func look() async {
      _ = await watch.update(
        [ReplicationGroup(master: member.address, replicas: [])],
        [member.address: ShardReaders.Candidate(isMaster: true, isFit: true)], members: [member.address: member])
    }

    /// The lines of the page once all of these are among them.
    func until(_ lines: String...) async throws {
      var text = ""
      for _ in 0..<500 {
        await look()
        text = shown.withLock { $0 } + sampled.withLock { $0 }
        if lines.allSatisfy({ text.contains($0 + "\n") }) { return }
        try await Task.sleep(for: .milliseconds(50))
      }
      Issue.record("\(lines) are not all in\n\(text)")
    }

    var text: String { shown.withLock { $0 } }

    func value(_ name: String) -> Double? {
      String(decoding: Exposition().page(fleet.page().sources), as: UTF8.self).split(separator: "\n")
        .first { $0.hasPrefix(name + " ") }.flatMap { Double($0.split(separator: " ")[1]) }
    }

    func end() async {
      await watch.stop()
      await member.stop()
    }
  }

  @Test func locksAndCircuits() async throws {
    let server = try await RedisServer()
    try await server.run((0..<300).map { "SET page:\($0) x" }.joined(separator: "\n"))
    try await server.run(
      """
      SET lock:a token EX 100
      SET lock:b token
      HSET lock:c owner token
      SET circuit:mail:failures 4
      SET circuit:pay:failures 7 EX 60
      SET circuit:odd:failures words
      RPUSH circuit:list:failures a
      SELECT 2
      SET lock:elsewhere token
      """)
    let subject = try Subject(server, "watches: {interval: 1s}")
    try await subject.until(
      "redis_locks 3", "redis_locks_without_ttl 2", "redis_circuit_open{service=\"mail\"} 0",
      "redis_circuit_open{service=\"pay\"} 1", "redis_circuit_failures{service=\"pay\"} 7", "redis_circuits_open 1",
      "redis_key_watch_omitted{watch=\"locks\"} 0",
      "redis_key_watch_omitted{watch=\"circuits\"} 1", "redis_key_watch_unknown_shards 0")
    #expect(!subject.text.contains("odd") && !subject.text.contains("service=\"list\""))
    let reading = await subject.watch.reading
    #expect(reading.found(by: LockWatch.self).map(\.withoutTTLCount) == [2])
    #expect(reading.found(by: CircuitWatch.self).map(\.openCount) == [1])
    // A holder gives up, a service recovers.
    try await server.run("DEL lock:b circuit:pay:failures")
    try await subject.until("redis_locks_without_ttl 1", "redis_circuits_open 0")
    #expect(!subject.text.contains("pay"))
    await subject.watch.stop()
    let hits = try await server.info("keyspace_hits") + server.info("keyspace_misses")
    // Counted before the answer is there, shown after a walk.
    #expect(Double(hits) - 8...Double(hits) ~= subject.value("redis_exporter_key_work_lookups_total") ?? -1)
    #expect(subject.value("redis_exporter_key_work_duty_ratio") == 0.25, "half of the budget on a master")
    await subject.end()
  }

  @Test func keysAreSampled() async throws {
    let server = try await RedisServer()
    try await server.run((0..<300).map { "SET page:\($0) x EX 1000" }.joined(separator: "\n"))
    try await server.run((0..<100).map { "SET user:alice\($0 % 4) x" }.joined(separator: "\n"))
    // A sample every minute at least; the first comes within a quarter of that.
    let subject = try Subject(server, "watches: {interval: 1s}, keyspace: {every: 1m}")
    try await subject.until(
      "redis_prefix_keys{prefix=\"page:*\"} 300", "redis_prefix_keys{prefix=\"*\"} 4", "redis_keyspace_sample_keys 304",
      "redis_prefix_keys_without_ttl{prefix=\"page:*\"} 0", "redis_locks 0")
    #expect(await subject.watch.reading.lives == nil, "of so few keys nothing is said")
    #expect(subject.value("redis_exporter_key_work_duty_ratio") == 0.25, "half of the budget on a master")
    await subject.end()
  }

  @Test func aBoundIsTold() async throws {
    let server = try await RedisServer()
    try await server.run((0..<500).map { "SET lock:\($0) x" }.joined(separator: "\n"))
    let subject = try Subject(server, "watches: {interval: 1s, locks: {max_keys: 100}}")
    try await subject.until(
      "redis_locks 500", "redis_locks_without_ttl 100", "redis_key_watch_omitted{watch=\"locks\"} 400")
    await subject.end()
  }

  @Test func streamsAreFoundAndRead() async throws {
    let server = try await RedisServer()
    try await server.run(
      """
      SET plain text
      XADD orders * f v
      XADD orders * f v
      XGROUP CREATE orders billing 0
      XREADGROUP GROUP billing alice COUNT 1 STREAMS orders >
      XADD mails * f v
      XGROUP CREATE mails idle 0
      """)
    let subject = try Subject(server, "watches: {interval: 1s}", kind: "queue")
    try await subject.until(
      "redis_stream_group_lag{db=\"db0\",stream=\"orders\",group=\"billing\"} 1",
      "redis_stream_group_lag_known{db=\"db0\",stream=\"orders\",group=\"billing\"} 1",
      "redis_stream_groups_without_consumer{db=\"db0\",stream=\"orders\"} 0",
      "redis_stream_groups_without_consumer{db=\"db0\",stream=\"mails\"} 1",
      "redis_key_watch_omitted{watch=\"streams\"} 0")
    #expect(!subject.text.contains("plain") && !subject.text.contains("alice"))
    #expect(
      await subject.watch.reading.found(by: StreamWatch.self).flatMap(\.streams).map {
        $0.report.groups.map(\.consumers)
      }
        == [[0], [1]],
      "in the order of their names")
    await subject.end()
  }

  /// Names that are larger than a reply may be are walked over in small steps; one that is too large alone is left out, and
  /// that shows.
  @Test func namesOfAnySizeAreWalkedOver() async throws {
    let server = try await RedisServer()
    func lock(_ number: UInt8, bytes: Int) -> Command {
      Command(bytes: [Array("SET".utf8), Array("lock:\(number)".utf8) + Array(repeating: 0xff, count: bytes), [1]])
    }
    for number in UInt8(0)..<40 { try await server.run([lock(number, bytes: 1 << 20)]) }
    try await server.run((0..<500).map { "SET lock:small\($0) x EX 1000" }.joined(separator: "\n"))
    let subject = try Subject(server, "watches: {interval: 1s}")
    try await subject.until(
      "redis_locks 540", "redis_locks_without_ttl 40", "redis_key_watch_omitted{watch=\"locks\"} 0")
    try await server.run([lock(99, bytes: Limits.replyBytes + 1)])
    try await subject.until("redis_key_watch_omitted{watch=\"locks\"} 1")
    // With it go the few that share its place in the server's table.
    let seen = subject.text.split(separator: "\n").first { $0.hasPrefix("redis_locks ") }
    #expect(try #require(seen.flatMap { Double($0.split(separator: " ")[1]) }) > 520)
    #expect(subject.text.contains("redis_key_watch_walk_seconds "))
    await subject.end()
  }

  @Test func aServerThatRefusesIsAskedRarely() async throws {
    let server = try await RedisServer()
    try await server.run("SET lock:a x\nACL SETUSER default -scan")
    let subject = try Subject(server, "watches: {interval: 1s}")
    try await subject.until("redis_key_watch_unknown_shards 1")
    for _ in 0..<40 {
      await subject.look()
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(!subject.text.contains("locks"))
    #expect(subject.value("redis_exporter_key_work_refused{command=\"SCAN\"}") == 1)
    #expect(try await server.info("acl_access_denied_cmd") <= 1)
    await subject.end()
  }
}
