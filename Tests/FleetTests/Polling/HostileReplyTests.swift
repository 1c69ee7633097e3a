import Metrics
import Redis
import TestSupport
import Testing

@testable import Fleet

/// Redis is not trusted: whatever it answers, a collector throws ``CollectorError`` or leaves out, and never traps.
@Suite(.timeLimit(.minutes(1)))
struct HostileReplyTests {
  static let asking = CollectorCatalogue.all.filter { collector in
    hosts.contains { !collector.commands(for: ServerFacts($0), .wholePage).isEmpty }
  }.map(\.name)

  /// INFO texts that together make every collector ask something.
  static let hosts: [InfoText] = [
    "redis_version:7.2.4\nvalkey_version:9.1.0\ncluster_enabled:1\nrole:master\n",
    "redis_version:7.0.0\nredis_mode:sentinel\n# Sentinel\nmaster0:name=mymaster,status=ok,address=a:1,slaves=1,sentinels=1\n",
  ].map { InfoText(bytes: Array($0.utf8)) }

  static func collector(_ name: String) throws -> any Collector {
    try #require(CollectorCatalogue.all.first { $0.name == name })
  }

  /// Runs a collector and gives the error's description, or nil.
  static func outcome(_ collector: any Collector, _ info: InfoText, _ replies: [Reply]) -> String? {
    var sink = SampleSink(limit: 20_000)
    do throws(CollectorError) {
      try collector.collect(PollContext(collector, info, replies, config: replies.first), into: &sink)
      _ = Exposition().page([sink.finish()])
      return nil
    } catch {
      return error.description
    }
  }

  @Test func everyCollectorThatAsksIsTried() {
    #expect(
      Set(Self.asking) == [
        "config", "cluster", "latency_latest", "latency_histogram", "slowlog", "commandlog", "client_list",
        "modules", "tile38", "slot_migrations", "sentinel_masters", "sentinel_quorum", "sentinel_config",
      ])
  }

  @Test(arguments: asking)
  func wrongKindsAreErrorsOrNothing(_ name: String) throws {
    let collector = try Self.collector(name)
    let kinds = [
      "$-1\r\n", "*-1\r\n", ":9223372036854775807\r\n", ":-9223372036854775808\r\n", "+OK\r\n", "$0\r\n\r\n",
      "*0\r\n", "*1\r\n$-1\r\n", "*1\r\n*0\r\n", "*2\r\n$1\r\na\r\n:1\r\n", "*2\r\n*1\r\n:1\r\n*2\r\n+x\r\n*0\r\n",
      "*3\r\n:1\r\n:2\r\n:3\r\n", "$3\r\n\u{1}:\n\r\n", "-ERR no\r\n",
    ]
    for info in Self.hosts {
      let commands = collector.commands(for: ServerFacts(info), .wholePage)
      if commands.isEmpty { continue }
      for kind in kinds {
        let reply = try Replies.read(Array(kind.utf8))[0]
        if reply.isError, !collector.acceptsErrors { continue }
        _ = Self.outcome(collector, info, commands.map { _ in reply })
      }
      // An integer is no answer to any of them but lengths.
      if name != "commandlog" {
        let integer = try Replies.read(Array(":1\r\n".utf8))[0]
        #expect(Self.outcome(collector, info, commands.map { _ in integer }) != nil)
      }
      // Fewer replies than commands never come from the runner; they must not trap even so.
      _ = Self.outcome(collector, info, [])
    }
  }

  @Test func errorsNeverRepeatWhatTheServerSent() throws {
    let reply = try Replies.read(Array("*1\r\n$7\r\nhunter2\r\n".utf8))[0]
    for collector in CollectorCatalogue.all {
      for info in Self.hosts {
        let replies = collector.commands(for: ServerFacts(info), .wholePage).map { _ in reply }
        #expect(Self.outcome(collector, info, replies)?.contains("hunter2") != true)
      }
    }
  }

  /// Captured INFO with bytes changed, lines doubled, cut and joined, in every collector.
  @Test(arguments: GoldenTests.servers)
  func mutatedInfo(_ name: String) throws {
    var random = FixedRandom(state: 7)
    let texts =
      ["info-all", "replica-info-all"].compactMap {
        CapturedServer(folder: "servers/\(name)").reply($0)?.bytes
      }
      + GoldenTests.topologies.compactMap {
        CapturedServer(folder: "topologies/\($0)").reply("failing-sentinel-info-all")?.bytes
      }
    let infoOnly = CollectorCatalogue.all.filter(\.readsInfoOnly)
    for _ in 0..<40 {
      let text = mutated(Array(texts[random.below(texts.count)]), &random)
      let info = InfoText(bytes: text)
      for collector in infoOnly { _ = Self.outcome(collector, info, []) }
    }
  }

  /// Captured replies with bytes changed, as far as they can still be read.
  @Test(arguments: asking)
  func mutatedReplies(_ name: String) throws {
    let collector = try Self.collector(name)
    let files: [String: [String]] = [
      "config": ["servers/redis-7.4.1/config-get"],
      "cluster": ["topologies/redis-7.0.15/failing-cluster-cluster-info"],
      "latency_latest": ["servers/redis-7.4.1/latency-latest"],
      "latency_histogram": ["servers/redis-7.4.1/latency-histogram"],
      "slowlog": ["servers/redis-7.4.1/slowlog-len", "servers/redis-7.4.1/slowlog-get"],
      "commandlog": ["slow", "large-request", "large-reply"].map { "servers/valkey-9.1.2/commandlog-len-\($0)" },
      "client_list": ["servers/redis-7.4.1/client-list"],
      "tile38": ["foreign/tile38-1.36.6-server-ext"], "slot_migrations": ["topologies/valkey-9.1.2/slot-migrations"],
      "modules": ["topologies/redis-7.0.15/failing-cluster-cluster-info"],
      "sentinel_masters": ["masters", "sentinels", "replicas"].map { "topologies/redis-7.0.15/failing-sentinel-\($0)" },
      "sentinel_quorum": ["topologies/redis-7.0.15/failing-sentinel-ckquorum"],
      "sentinel_config": ["topologies/redis-7.0.15/failing-sentinel-config-get"],
    ]
    let sources = try #require(files[name]).map { try #require(Fixture.bytes($0 + ".resp")) }
    let info = try #require(
      Self.hosts.first { !collector.commands(for: ServerFacts($0), .wholePage).isEmpty })
    var random = FixedRandom(state: 11)
    var readCount = 0
    for _ in 0..<300 {
      // One reply is changed at a time, lest some other is unreadable in every round.
      let changed = random.below(sources.count)
      let replies = sources.indices.compactMap { index -> Reply? in
        let source = index == changed ? mutated(sources[index], &random) : sources[index]
        guard let replies = try? Replies.read(source), replies.count > 0 else { return nil }
        return replies[0]
      }
      guard replies.count == sources.count else { continue }
      if !collector.acceptsErrors, replies.contains(where: \.isError) { continue }
      readCount += 1
      _ = Self.outcome(collector, info, replies)
    }
    #expect(readCount > 10)
  }
}

/// A few changes to a text: bytes, digits, lines doubled, cut out or torn.
private func mutated(_ text: [UInt8], _ random: inout FixedRandom) -> [UInt8] {
  var text = text
  let digits = Array("0123456789-.e".utf8)
  for _ in 0...random.below(4) where !text.isEmpty {
    let place = random.below(text.count)
    switch random.below(6) {
    case 0: text[place] = UInt8(truncatingIfNeeded: random.next())
    case 1, 2: text[place] = digits[random.below(digits.count)]
    case 3: text.insert(contentsOf: Array("99999999999999999999".utf8), at: place)
    case 4: text.removeSubrange(place..<min(text.count, place + random.below(40)))
    default: text.insert(contentsOf: text[place..<min(text.count, place + random.below(200))], at: place)
    }
  }
  return text
}

extension FixedRandom {
  fileprivate mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
}
