import Config
import Metrics
import Redis
import Runtime
import Storage
import TestSupport
import Testing

@testable import Fleet

/// INFO with extreme numbers, through everything that is made of it: facts, books, verdicts, findings, events and the page.
@Suite(.timeLimit(.minutes(5))) struct ExtremeInfoTests {
  static let texts: [[UInt8]] =
    GoldenTests.servers.flatMap { name in
      ["info-all", "replica-info-all"].compactMap {
        CapturedServer(folder: "servers/\(name)").reply($0)?.bytes.map(Array.init)
      }
    }
    + ["redis-7.0.15", "valkey-8.0.1"].compactMap {
      CapturedServer(folder: "topologies/\($0)").reply("failing-cluster-info-all")?.bytes.map(Array.init)
    }

  static let config: WorkloadConfig? = {
    let text = """
      workloads:
        - name: w
          kind: queue
          seeds: ["10.0.0.1:1"]
          objectives: {memory_used: 0.8, replication_lag: 1s, rpo: 1s, hit_ratio: 0.9, backup_age: 1h, latency_p99: 5ms}
      """
    return try? FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
  }()

  /// What one server's polls lead to, over a few of them.
  private struct Watching {
    let address = NodeAddress(host: "10.0.0.1", port: 1)
    let replica = NodeAddress(host: "127.0.0.1", port: 7001)
    var tracker: WorkloadTracker
    var (log, clients) = (MemberLog(), ClientTracker())
    var seconds = 0.0

    init(_ config: WorkloadConfig) { tracker = WorkloadTracker(config) }

    mutating func poll(_ facts: MemberFacts, _ objectives: Objectives) -> [String] {
      seconds += 40
      let wall = 1e9 + seconds
      let readings = [address, replica].map {
        MemberReading($0, answers: true, facts: facts, began: .init(seconds: seconds), ended: .init(seconds: wall))
      }
      tracker.follow([readings[0]], sentinels: [])
      tracker.following.groups.append(ReplicationGroup(master: address, replicas: [replica]))
      tracker.note([readings[0]], own: { _ in .init(lookupCount: 17) }, objectives, at: .init(seconds: seconds))
      clients.note(facts.connectedClients, of: "a", at: .init(seconds: seconds))
      let events = log.note([readings[0]], workload: "w", instance: { $0.name }, at: .init(seconds: wall))
      #expect(log.records.values.allSatisfy { MemberRecord(text: $0.text) == $0 }, "it comes back from the file")

      let members = [readings[0], readings[1].withoutFacts].map {
        WorkloadState.Surroundings(reading: $0, instance: $0.address.name, standing: .present, pollState: "up")
      }
      let state = tracker.state(members, keys: .none, at: .init(seconds: seconds), wall: .init(seconds: wall))
      #expect(state.hitRatio.map { (0...1).contains($0.value) && $0.lookupsPerSecond.isFinite } ?? true)
      #expect(state[address]?.load.eventLoopBusyRatio.map { (0...1).contains($0) } ?? true)
      #expect((state[replica]?.lag?.seconds ?? 0) >= 0)
      #expect(RecoveryPoint(crashOf: facts.persistence, isFsyncDelayed: true, nowSeconds: wall).seconds >= 0)
      let verdict = Verdict(CheckCatalogue.all, of: state)
      return verdict.findings.map(\.text) + events.map(\.summary)
    }
  }

  @Test func nothingTrapsAndAllCanBeRead() throws {
    let config = try #require(Self.config)
    let objectives = config.objectives(at: Timestamp(epochMs: 0))
    var random = FixedRandom(state: 21)
    #expect(Self.texts.count > 10 && Self.texts.allSatisfy { Extremes.places($0).count > 100 })
    var sayings: Set<String> = []
    for _ in 0..<share(60, full: 4000) {
      var watching = Watching(config)
      let text = try #require(Self.texts.randomElement(using: &random))
      for _ in 0..<4 {
        let info = InfoText(bytes: Extremes.changed(text, using: &random))
        let facts = MemberFacts(info, config: nil, replies: [], server: ServerFacts(info), now: 1e9)
        _ = (facts.memory.usedRatio, facts.fork?.expectedBytes, facts.fork?.worstBytes)
        sayings.formUnion(watching.poll(facts, objectives))
      }
    }
    let endless = sayings.filter { $0.utf8.count > 400 || $0.contains("nan") || $0.contains("inf") }
    #expect(endless.isEmpty, "\(endless.prefix(5))")
    let long = sayings.filter { text in text.split { !$0.isNumber }.contains { $0.count > 12 } }
    #expect(long.isEmpty, "numbers that nobody reads: \(long.prefix(5))")
  }

  /// Whatever the numbers are, the page can be read, and nothing is missing but what cannot be told.
  @Test func thePageStaysWhole() throws {
    var random = FixedRandom(state: 22)
    let infoOnly = CollectorCatalogue.all.filter(\.readsInfoOnly)
    func families(_ text: [UInt8]) throws -> Set<String> {
      let info = InfoText(bytes: text)
      var sink = SampleSink()
      for collector in infoOnly { try collector.collect(PollContext(collector, info, []), into: &sink) }
      let page = Exposition().page([sink.finish()])
      ExtremePage.expectReadable(page)
      return ExtremePage.families(page)
    }
    for _ in 0..<share(60, full: 4000) {
      let text = try #require(Self.texts.randomElement(using: &random))
      let places = Extremes.places(text)
      let place = try #require(places.randomElement(using: &random))
      var changed = text
      changed.replaceSubrange(place, with: Array((Extremes.numbers.randomElement(using: &random) ?? "").utf8))
      let lost = try families(text).subtracting(try families(changed))
      #expect(
        lost.count <= 8,
        "\(String(decoding: changed[max(0, place.lowerBound - 60)...].prefix(120), as: UTF8.self)): \(lost)")
    }
    // Each field once, with the number that ended the daemon before.
    for text in Self.texts.prefix(share(1, full: 100)) {
      for place in Extremes.places(text) {
        var changed = text
        changed.replaceSubrange(place, with: Array("9223372036854775807".utf8))
        let info = InfoText(bytes: changed)
        let facts = MemberFacts(info, config: nil, replies: [], server: ServerFacts(info), now: 1e9)
        _ = (facts.memory.usedRatio, facts.fork?.expectedBytes, facts.fork?.worstBytes, ReplicationFacts(info))
      }
    }
  }
}

/// A page as Prometheus reads it.
enum ExtremePage {
  static func families(_ page: [UInt8]) -> Set<String> {
    Set(
      page.split(separator: UInt8(ascii: "\n")).compactMap { line in
        line.starts(with: "# TYPE ".utf8)
          ? String(decoding: line, as: UTF8.self).split(separator: " ")[2].description : nil
      })
  }

  /// Every line is a comment or `name{labels} number`.
  static func expectReadable(_ page: [UInt8], location: SourceLocation = #_sourceLocation) {
    for line in page.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
      let text = String(validating: line, as: UTF8.self) ?? ""
      let space = text.lastIndex(of: " ") ?? text.startIndex
      let number = text[space...].dropFirst()
      let isNumber = ["NaN", "+Inf", "-Inf"].contains(number) || Double(number)?.isFinite == true
      let series = text[..<space]
      let isClosed = !series.contains("{") || series.hasSuffix("}")
      #expect(isNumber && isClosed && !series.isEmpty, "\(text.prefix(200))", sourceLocation: location)
    }
  }
}
