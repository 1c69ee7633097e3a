import Config
import Logging
import Metrics
import NIOCore
import NIOPosix
import Runtime
import Testing

@testable import Fleet
@testable import Redis

private func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

/// A reply that is larger than what is read takes no other with it, is named, and is not asked for at every poll.
@Suite(.timeLimit(.minutes(1)))
struct LargeReplyTests {
  private static let info = "# Server\r\nredis_version:7.0.15\r\nrun_id:a\r\n"

  private func poller(_ server: FakeRedis, _ said: Lock<[String]>, page: Lock<[String]>) throws -> Poller {
    var options = PollerOptions(connection: ConnectionOptions(address: try RedisAddress("127.0.0.1:\(server.port)")))
    options.collectors.clients.areSummed = true
    options.timeout = .seconds(20)
    return Poller(
      options, collectors: [ConfigCollector(), LatencyEventsCollector(), SlowlogCollector(), ClientListCollector()],
      context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton),
      log: Logger(label: "test") { _ in RecordingLog(said) }
    ) { samples in
      let text = String(decoding: Exposition().page([samples]), as: UTF8.self)
      page.withLock { $0 = Fixture.lines(text) }
    }
  }

  @Test func theOthersAreAskedWithoutIt() async throws {
    let clients = bulk(String(repeating: "id=1 addr=127.0.0.1:5 name= age=1 idle=1 flags=N\n", count: 380_000))
    let server = try await FakeRedis { command in
      switch command {
      case "INFO ALL": bulk(Self.info)
      case "CLIENT LIST": clients
      case "SLOWLOG LEN": ":3\r\n"
      case "CONFIG GET *": "*2\r\n\(bulk("maxclients"))\(bulk("10000"))"
      default: "*0\r\n"
      }
    }
    let (said, page) = (Lock<[String]>([]), Lock<[String]>([]))
    let poller = try poller(server, said, page: page)
    for _ in 1...3 {
      let snapshot = await poller.snapshot(since: .now())
      #expect(snapshot?.state == .up)
      let lines = page.withLock { $0 }
      for expected in [
        "redis_slowlog_length 3", "redis_config_maxclients 10000",
        "redis_exporter_collector_success{collector=\"latency_latest\"} 1",
        "redis_exporter_collector_success{collector=\"client_list\"} 0",
        "redis_exporter_collector_refused{collector=\"client_list\",reason=\"too_large\"} 1",
      ] {
        #expect(lines.contains(expected), "\(expected)")
      }
    }
    #expect(server.count(of: "CLIENT LIST") == 1)
    #expect(said.withLock { $0 }.filter { $0.contains("too large") }.count == 1)
    #expect(said.withLock { $0 }.contains { $0.contains("CLIENT LIST") && $0.contains("more than 16 MiB") })
    #expect(!said.withLock { $0 }.contains { $0.contains("deadline") })
    await poller.stop()
    server.close()
  }

  /// A section that is too long is counted, named, and told once.
  @Test func aLongSectionIsTold() async throws {
    let errors = (0..<19_990).map { "errorstat_E\($0):count=1\r\n" }.joined()
    let info = Self.info + "# Errorstats\r\n\(errors)# Keyspace\r\ndb0:keys=7,expires=0,avg_ttl=0\r\n"
    let server = try await FakeRedis { $0 == "INFO ALL" ? bulk(info) : "*0\r\n" }
    let (said, page) = (Lock<[String]>([]), Lock<[String]>([]))
    let poller = Poller(
      PollerOptions(connection: ConnectionOptions(address: try RedisAddress("127.0.0.1:\(server.port)"))),
      collectors: [KeyspaceCollector(), ErrorStatsCollector()],
      context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton),
      log: Logger(label: "test") { _ in RecordingLog(said) }
    ) { samples in page.withLock { $0 = Fixture.lines(String(decoding: Exposition().page([samples]), as: UTF8.self)) } }
    for _ in 1...2 { _ = await poller.snapshot(since: .now()) }
    let lines = page.withLock { $0 }
    #expect(lines.contains("redis_db_keys{db=\"db0\"} 7"))
    #expect(lines.contains("redis_exporter_reply_cut_lines{reply=\"INFO Errorstats\"} 11798"))
    #expect(said.withLock { $0 }.filter { $0.contains("INFO Errorstats") }.count == 1)
    await poller.stop()
    server.close()
  }

  @Test func whatIsTooLargeIsAskedForLessAndLessOften() {
    var refusals = Refusals()
    var now = NIODeadline.uptimeNanoseconds(1)
    var pauses: [Int64] = []
    for round in 0..<8 {
      let isNew = refusals.note("client_list", reason: Refusals.tooLarge, at: now)
      #expect(isNew == (round == 0) && !refusals.allows("client_list", at: now))
      let retryAt = refusals.byCollector["client_list"]?.retryAt ?? now
      pauses.append((retryAt - now).nanoseconds / 60_000_000_000)
      now = retryAt
      #expect(refusals.allows("client_list", at: now))
    }
    #expect(pauses == [1, 2, 4, 8, 16, 32, 60, 60])
    refusals.clear("client_list")
    _ = refusals.note("client_list", reason: Refusals.tooLarge, at: now)
    #expect(refusals.byCollector["client_list"]?.pause == .minutes(1))
  }
}

/// Keeps what is logged: the message with its values.
struct RecordingLog: LogHandler {
  private let lines: Lock<[String]>
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  init(_ lines: Lock<[String]>) { self.lines = lines }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let values = (event.metadata ?? [:]).map { "\($0)=\($1)" }.sorted()
    lines.withLock { $0.append("\(event.message) \(values.joined(separator: " "))") }
  }
}
