import Config
import Logging
import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime
import Testing

@testable import Fleet

private func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }

/// What is exported of search indexes. The replies are those of RediSearch 2.10.5 in Redis Stack 7.4.
@Suite(.timeLimit(.minutes(1)))
struct SearchIndexTests {
  private func reply(_ name: String) throws -> [UInt8] {
    try #require(Fixture.bytes("foreign/redisearch-2.10.5-\(name).resp"))
  }

  private func lines(_ samples: Samples) -> [String] {
    Fixture.lines(String(decoding: Exposition().page([samples]), as: UTF8.self)).filter { !$0.hasPrefix("#") }
  }

  private func report(_ name: String, _ reply: [UInt8]) throws -> [String] {
    let report = try #require(SearchIndexReport(name: Array(name.utf8), try Replies.read(reply)[0]))
    var sink = SampleSink()
    report.add(into: &sink)
    return lines(sink.finish())
  }

  @Test func anIndexHasItsNumbers() throws {
    let page = try report("idx", try reply("ft-info"))
    #expect(page.count == SearchIndexReport.families.count)
    for line in [
      #"redis_search_index_num_docs{index_name="idx"} 2"#,
      #"redis_search_index_hash_indexing_failures{index_name="idx"} 1"#,
      #"redis_search_index_inverted_size_bytes{index_name="idx"} 587"#,
      #"redis_search_index_avg_per_record_bytes{index_name="idx"} 73.375"#,
      #"redis_search_index_percent_indexed{index_name="idx"} 1"#,
    ] { #expect(page.contains(line), "\(line)") }
  }

  @Test func anAverageOverNothingIsAbsent() throws {
    let page = try report("empty", try reply("ft-info-empty"))
    #expect(page.count == SearchIndexReport.families.count - 4 && !page.contains { $0.contains("_avg_") })
    #expect(page.contains(#"redis_search_index_num_docs{index_name="empty"} 0"#))
  }

  @Test func whatIsNoReportOfAnIndexIsNone() throws {
    for text in ["-Unknown index name\r\n", "+OK\r\n", "$-1\r\n", ":1\r\n"] {
      #expect(SearchIndexReport(name: [], try Replies.read(Array(text.utf8))[0]) == nil)
    }
    #expect(try report("x", Array("*3\r\n*0\r\n:1\r\n+num_docs\r\n".utf8)) == [])
    #expect(try report("x", Array("*4\r\n+num_docs\r\n*1\r\n:1\r\n+cleaning\r\n$4\r\nmany\r\n".utf8)) == [])
  }

  private func page(_ server: FakeRedis, matching: @escaping @Sendable ([UInt8]) -> Bool) async throws -> [String] {
    var options = KeyWorkOptions()
    options.dutyRatio = 1
    options.searchIndexes = matching
    let work = try KeyWork(
      options: options, connection: ConnectionOptions(address: try RedisAddress("127.0.0.1:\(server.port)")),
      context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton), log: Logger(label: "test"))
    await work.start()
    await work.firstPass(deadline: .now() + .seconds(30))
    let lines = lines(work.samples)
    await work.stop()
    server.close()
    return lines
  }

  @Test func thoseWhoseNamesMatchAreAskedAbout() async throws {
    let info = String(decoding: try reply("ft-info"), as: UTF8.self)
    let server = try await FakeRedis { command in
      switch command {
      case "FT._LIST": "*3\r\n+users\r\n+orders\r\n+gone\r\n"
      case "FT.INFO orders": info
      case "FT.INFO gone": "-Unknown index name\r\n"
      default: "+OK\r\n"
      }
    }
    let lines = try await page(server) { !$0.starts(with: Array("users".utf8)) }
    #expect(lines.contains(#"redis_search_index_num_docs{index_name="orders"} 2"#))
    #expect(!lines.contains { $0.contains("users") || $0.contains("gone") })
    #expect(server.count(of: "FT.INFO users") == 0 && server.count(of: "FT.INFO gone") == 1)
  }

  @Test func withoutSearchTheServerIsAskedOnce() async throws {
    let server = try await FakeRedis { $0 == "FT._LIST" ? "-ERR unknown command 'FT._LIST'\r\n" : "+OK\r\n" }
    let lines = try await page(server) { _ in true }
    #expect(lines.contains(#"redis_exporter_key_work_refused{command="FT._LIST"} 1"#))
    #expect(!lines.contains { $0.hasPrefix("redis_search_index") })
  }

  @Test func tenThousandIndexesAreBounded() async throws {
    let names = (0..<10_000).map { bulk("index:\($0)") }.joined()
    let server = try await FakeRedis { command in
      switch command {
      case "FT._LIST": "*10000\r\n\(names)"
      case let command where command.hasPrefix("FT.INFO"): "*4\r\n+num_docs\r\n:5\r\n*2\r\n*0\r\n:1\r\n+num_docs\r\n"
      default: "+OK\r\n"
      }
    }
    let lines = try await page(server) { _ in true }
    let limit = KeyWorkLimits.searchIndexes
    #expect(lines.count { $0.hasPrefix("redis_search_index") } == limit)
    let leftOut = (10_000 - limit) * SearchIndexReport.families.count
    #expect(lines.contains("redis_exporter_key_work_dropped_series_total \(leftOut)"))
    #expect(limit * SearchIndexReport.families.count <= KeyWorkOptions().seriesLimit, "none of them is cut in two")
  }

  @Test func aListThatIsTooLargeTakesNothingElseWithIt() async throws {
    let large = bulk(String(repeating: "x", count: 17 << 20))
    let server = try await FakeRedis { command in
      switch command {
      case "FT._LIST": large
      case let command where command.hasPrefix("EVAL"): "*2\r\n+a\r\n:1\r\n"
      default: "+OK\r\n"
      }
    }
    var options = KeyWorkOptions()
    options.dutyRatio = 1
    options.timeout = .seconds(20)
    options.searchIndexes = { _ in true }
    options.scripts = [("a.lua", "return {}")]
    let work = try KeyWork(
      options: options, connection: ConnectionOptions(address: try RedisAddress("127.0.0.1:\(server.port)")),
      context: ConnectionContext(group: MultiThreadedEventLoopGroup.singleton), log: Logger(label: "test"))
    await work.start()
    await work.firstPass(deadline: .now() + .seconds(30))
    let lines = lines(work.samples)
    await work.stop()
    server.close()
    #expect(lines.contains(#"redis_script_values{key="a",filename="a.lua"} 1"#))
    #expect(lines.contains(#"redis_exporter_key_work_errors_total{class="limit"} 1"#))
  }
}
