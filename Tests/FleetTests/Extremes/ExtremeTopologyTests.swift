import Config
import Metrics
import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// Replies of clusters and Sentinels with extreme numbers, through followers, views, trackers, findings and what is stored.
@Suite(.timeLimit(.minutes(5))) struct ExtremeTopologyTests {
  static let folders = ["redis-7.0.15", "valkey-8.0.1"].map { "topologies/\($0)" }

  private static func config(_ keys: String) throws -> WorkloadConfig {
    let seeds = keys.hasPrefix("sentinel") ? "" : "seeds: [127.0.0.1:7000], "
    let text = "workloads: [{name: w, kind: session, \(seeds)\(keys)}]"
    return try FleetConfig.parse(Array(text.utf8), file: "test.yml").workloads[0]
  }

  /// What the checks say after one more look.
  private static func findings(
    _ tracker: inout WorkloadTracker, _ readings: [MemberReading], sentinels: [MemberReading] = [], _ round: Int
  ) -> [String] {
    let (now, wall) = (Double(round) * 20, 1e9 + Double(round) * 20)
    tracker.follow(readings, sentinels: sentinels)
    tracker.note(
      readings, own: { _ in .init() }, tracker.config.objectives(at: Timestamp(epochMs: 0)), at: .init(seconds: now))
    let members = readings.map {
      WorkloadState.Surroundings(reading: $0, instance: $0.address.name, standing: .present, pollState: "up")
    }
    let state = tracker.state(members, keys: .none, at: .init(seconds: now), wall: .init(seconds: wall))
    return Verdict(CheckCatalogue.all, of: state).findings.map(\.text)
  }

  private func reply(_ folder: String, _ name: String) -> Reply? { CapturedServer(folder: folder).reply(name) }

  @Test(arguments: folders) func clusters(_ folder: String) throws {
    var random = FixedRandom(state: 31)
    let texts = ["steady", "failing", "after-failover"].compactMap {
      reply(folder, "\($0)-cluster-cluster-nodes")?.bytes.map(Array.init)
    }
    let messages = try #require(reply(folder, "failing-cluster-cluster-info")?.bytes.map(Array.init))
    let info = try #require(reply(folder, "failing-cluster-info-all")?.bytes.map(Array.init))
    #expect(texts.count == 3)
    for _ in 0..<share(20, full: 1500) {
      var watching = WorkloadTracker(try Self.config("topology: cluster"))
      var tracker = ClusterFailoverTracker()
      for round in 0..<4 {
        let readings = try (0..<3).map { index in
          let changed = InfoText(bytes: Extremes.changed(info, using: &random))
          var facts = MemberFacts(changed, config: nil, replies: [], server: ServerFacts(changed), now: 1e9)
          let nodes = try #require(texts.randomElement(using: &random))
          facts.cluster = ClusterNodes(Extremes.changed(nodes, using: &random)[...])
          facts.clusterMessages = ClusterTestimony.Messages(
            InfoText(bytes: Extremes.changed(messages, using: &random)))
          return MemberReading(
            NodeAddress(host: "127.0.0.1", port: 7000 + index), answers: true, facts: facts,
            began: .init(seconds: Double(round)),
            ended: .init(seconds: 1e9 + Double(round)))
        }
        let findings = Self.findings(&watching, readings, round)
        #expect(findings.allSatisfy { $0.utf8.count < 400 })
        let following = watching.following
        let view = try #require(following.cluster)
        #expect(view.coverage.assigned <= ClusterNodes.slotCount)
        let testimonies = readings.compactMap { ClusterTestimony($0, in: view) }
        _ = tracker.observe(view, testimonies, at: .init(seconds: 1e9 + Double(round) * 20))
        for node in tracker.state.nodes { #expect(ClusterFailoverTracker.Node(text: node.text)?.id == node.id) }
      }
    }
  }

  @Test(arguments: folders) func sentinels(_ folder: String) throws {
    var random = FixedRandom(state: 32)
    let info = InfoText(bytes: Array("redis_mode:sentinel\r\n".utf8))
    let name = "mymaster"
    for _ in 0..<share(60, full: 4000) {
      var watching = WorkloadTracker(
        try Self.config("sentinel: {master_name: \(name), seeds: [a:1]}, expected: {sentinels: 3}"))
      var tracker = SentinelFailoverTracker(masterName: name)
      for round in 0..<4 {
        let state = try #require(["steady", "failing", "after-failover"].randomElement(using: &random))
        let master = reply(folder, "\(state)-sentinel-masters")?.elements?[0]
        let parts = [master] + ["replicas", "sentinels", "ckquorum"].map { reply(folder, "\(state)-sentinel-\($0)") }
        var replies = [try Replies.read(Array("$2\r\nid\r\n".utf8))[0]]
        for part in parts { replies.append(Extremes.changed(try #require(part), using: &random)) }
        let facts = MemberFacts(
          info, config: nil, replies: replies, masterNames: [name], server: ServerFacts(info), now: 1e9)
        let reading = MemberReading(
          NodeAddress(host: "a", port: 1), answers: true, facts: facts, began: .init(seconds: Double(round)), ended: 1e9
        )
        let findings = Self.findings(&watching, [], sentinels: [reading], round)
        #expect(findings.allSatisfy { $0.utf8.count < 400 })
        guard let master = facts.sentinel?.master else { continue }
        #expect(Limits.integers.contains(master.configEpoch))
        _ = tracker.observe(.init(master, sentinel: "s", moment: .init(seconds: 1e9 + Double(round) * 100)))
        #expect(SentinelFailoverTracker.State(text: tracker.state.text).configEpoch == tracker.state.configEpoch)
      }
      #expect(tracker.state.counts.values.reduce(0, +) <= 4)
    }
  }

  /// Every collector that asks for more than INFO.
  @Test func collectors() throws {
    var random = FixedRandom(state: 33)
    let files = [
      ("config", ["servers/redis-7.4.1/config-get"]),
      ("cluster", ["topologies/redis-7.0.15/failing-cluster-cluster-info"]),
      ("latency_latest", ["servers/redis-7.4.1/latency-latest"]),
      ("latency_histogram", ["servers/redis-7.4.1/latency-histogram"]),
      ("slowlog", ["servers/redis-7.4.1/slowlog-len", "servers/redis-7.4.1/slowlog-get"]),
      ("client_list", ["servers/redis-7.4.1/client-list"]),
      (
        "sentinel_masters",
        ["masters", "sentinels", "replicas"].map { "topologies/redis-7.0.15/failing-sentinel-\($0)" }
      ),
    ]
    for (name, sources) in files {
      let collector = try HostileReplyTests.collector(name)
      let info = try #require(
        HostileReplyTests.hosts.first { !collector.commands(for: ServerFacts($0), .wholePage).isEmpty })
      let captured = try sources.map { try Replies.read(try #require(Fixture.bytes($0 + ".resp")))[0] }
      for _ in 0..<share(30, full: 2000) {
        let replies = captured.map { Extremes.changed($0, using: &random) }
        var sink = SampleSink()
        try? collector.collect(PollContext(collector, info, replies, config: replies.first), into: &sink)
        ExtremePage.expectReadable(Exposition().page([sink.finish()]))
        if let latencies = replies.first.flatMap({ CommandLatencies($0, usages: CommandUsages(info)) }) {
          var slow = SlowCommands()
          slow.note(CommandLatency(merging: latencies), beyond: 3)
          slow.note(CommandLatency(merging: latencies), beyond: 3)
          #expect(slow.count >= 0)
        }
      }
    }
  }

  /// Streams, with the lags and ages that are made of their ids.
  @Test func streams() throws {
    var random = FixedRandom(state: 34)
    let stream = try Replies.read(
      Array(
        "*6\r\n$6\r\nlength\r\n:5\r\n$17\r\nlast-generated-id\r\n$3\r\n5-0\r\n$11\r\nfirst-entry\r\n*2\r\n$3\r\n1-0\r\n*0\r\n"
          .utf8))[0]
    let groups = try Replies.read(
      Array(
        "*1\r\n*8\r\n$4\r\nname\r\n$1\r\ng\r\n$7\r\npending\r\n:1\r\n$17\r\nlast-delivered-id\r\n$3\r\n4-0\r\n$3\r\nlag\r\n:1\r\n"
          .utf8))[0]
    for _ in 0..<share(300, full: 20_000) {
      guard
        let report = StreamReport(
          name: [0x73], stream: Extremes.changed(stream, using: &random),
          groups: Extremes.changed(groups, using: &random))
      else { continue }
      var sink = SampleSink()
      report.add(database: 0, nowMilliseconds: 1e12, into: &sink)
      ExtremePage.expectReadable(Exposition().page([sink.finish()]))
    }
  }
}
