import Config
import Fleet
import Runtime
import Testing
import Web

@testable import API

/// What is made of the answers of other shards, none of which is trusted.
@Suite struct OtherShardsTests {
  /// Of two shards: `w-0` is of the first, the others are of the second.
  private static let file = """
    workloads:
      - {name: w-0, kind: cache, seeds: [a]}
      - {name: carts, kind: custom, topology: static, seeds: [b], environment: prod}
      - {name: locks, kind: queue, seeds: [c]}
    """

  private static func share(_ index: Int = 1, of count: Int = 2) throws -> ShardShare {
    let config = try FleetConfig.parse(Array(file.utf8), file: "redline.yml")
    return try #require(config.share(of: Shard(index, of: count)).share)
  }

  private static func told(_ name: String, _ state: String = "healthy", more: String = "") -> String {
    """
    {"name": "\(name)", "state": "\(state)", "since": "2026-11-30T10:00:00Z", "stateByChecks": "healthy", "kind": "x",
    "topology": "y", "windows": [], "membersPresent": 2, "membersExpected": 3, "traffic": {"operationsPerSecond": 5},
    "budgets": [], "members": [], "findings": [{"severity": "warning", "text": "full"}], "unknown": [], "alerts": []\(more)}
    """
  }

  private static func answer(
    _ index: Int = 2, of count: Int = 2, _ workloads: [String] = [told("carts"), told("locks")],
    url: String = "http://b"
  ) throws -> OtherShards.Answer {
    let text = #"{"shard": \#(index), "shards": \#(count), "workloads": [\#(workloads.joined(separator: ","))]}"#
    return OtherShards.Answer(url: url, data: try JSONReader.value(Array(text.utf8)))
  }

  private static func states(_ answers: [OtherShards.Answer]) async throws -> [String: TopologyPage.State] {
    let share = try share()
    let fleet = await OtherShards(share: { share }, ask: { _ in answers }).fleet()
    return Dictionary(uniqueKeysWithValues: fleet.workloads.map { ($0.name, $0.state) })
  }

  @Test func whatAShardSaysOfItsWorkloadsCounts() async throws {
    #expect(try await Self.states([Self.answer()]) == ["carts": .healthy, "locks": .healthy])
    let mixed = try Self.answer(2, [Self.told("locks", "critical"), Self.told("carts", "degraded")])
    #expect(try await Self.states([mixed]) == ["carts": .degraded, "locks": .critical])
  }

  @Test func aSilentShardLeavesItsWorkloadsUnknown() async throws {
    let silent = OtherShards.Answer(url: "http://b", data: nil, problem: "connection refused")
    #expect(try await Self.states([silent]) == ["carts": .unknown, "locks": .unknown])
    let share = try Self.share()
    let others = OtherShards(share: { share }, ask: { _ in [silent] })
    let found = await others.workload(named: "carts")
    #expect(found?.problem == "shard 2 of 2 gives no answer (http://b: connection refused)")
    #expect(await others.presence().map(\.isThere) == [false])
  }

  @Test func itsPairAnswersInItsPlace() async throws {
    let silent = OtherShards.Answer(url: "http://b", data: nil, problem: "timeout")
    let pair = try Self.answer(url: "http://b2")
    #expect(try await Self.states([silent, pair]) == ["carts": .healthy, "locks": .healthy])
  }

  /// Of another shard's workloads, of a number of shards that is not ours, of ourselves.
  @Test func nobodyIsBelievedAboutOthers() async throws {
    let stranger = try Self.answer(2, of: 3)
    #expect(try await Self.states([stranger]) == ["carts": .unknown, "locks": .unknown])
    let own = try Self.answer(1, url: "http://a")
    #expect(try await Self.states([own]) == ["carts": .unknown, "locks": .unknown])
    let more = try Self.answer(2, [Self.told("w-0", "critical"), Self.told("made-up"), Self.told("carts")])
    #expect(try await Self.states([more]) == ["carts": .healthy, "locks": .unknown])
  }

  @Test(arguments: [
    #"{"name": "carts", "state": "healthy"}"#, told("carts", "perfect"),
    told("carts").replacing(#""findings": ["#, with: #""findings": [7,"#),
    told("carts").replacing(#""traffic": {"operationsPerSecond": 5}"#, with: #""traffic": 5"#),
    told("carts").replacing(#""membersPresent": 2"#, with: #""membersPresent": "2""#), "7", "null",
  ])
  func whatIsNotUnderstoodIsUnknown(workload: String) async throws {
    #expect(
      try await Self.states([Self.answer(2, [workload, Self.told("locks")])]) == ["carts": .unknown, "locks": .healthy])
  }

  @Test func whatFiresThereIsShown() async throws {
    let share = try Self.share()
    let firing = Self.told("carts", "critical").replacing(
      #""alerts": []"#,
      with:
        #""alerts": [{"name": "RedisDown", "severity": "critical", "summary": "it <is> down", "since": "2026-11-30T10:00:00Z"}]"#
    )
    let answers = [try Self.answer(2, [firing, Self.told("locks")])]
    let alerts = await OtherShards(share: { share }, ask: { _ in answers }).alerts()
    #expect(alerts.map(\.site) == ["http://b"])
    #expect(alerts[0].alerts.map(\.text) == ["RedisDown fires: it <is> down"])
    #expect(alerts[0].alerts[0].level == .grave && alerts[0].alerts[0].workload == "carts")
    var page = AlertsPage(metricsPath: "/metrics", alerts: [], nowSeconds: 1_800_000_000)
    page.elsewhere = alerts
    let text = String(decoding: page.response().body.bytes, as: UTF8.self)
    #expect(text.contains("carts: RedisDown fires: it &lt;is&gt; down"))
    #expect(text.contains("href=\"http://b/alerts\"") && !text.contains(">Nothing fires.<"))
  }

  @Test func withoutAddressesOrShardsNothingIsShown() async throws {
    #expect(try await Self.states([]).isEmpty)
    #expect(await OtherShards(share: { nil }, ask: { _ in [] }).fleet().shards.isEmpty)
  }

  @Test func theFileSaysWhatTheyAre() async throws {
    let share = try Self.share()
    let answer = try Self.answer(2, [Self.told("carts", more: #", "url": "javascript:x", "shard": 9, "secret": 1"#)])
    let found = try #require(await OtherShards(share: { share }, ask: { _ in [answer] }).workload(named: "carts"))
    var json = JSONWriter()
    found.write(to: &json)
    let written = try JSONReader.value(json.bytes)
    #expect(written["url"]?.string == "http://b" && written["shard"]?.number == 2 && written["secret"] == nil)
    let page = TopologyPage.Workload(found, now: WallTime(seconds: 1_800_000_000))
    #expect(page.traits == ["custom", "static", "prod", "shard 2"])
    #expect(page.elsewhere?.site == "http://b" && page.presentCount == 2 && page.expectedCount == 3)
    #expect(page.findings.map(\.text) == ["full"])
  }
}
