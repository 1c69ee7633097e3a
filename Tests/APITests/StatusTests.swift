import Metrics
import PromQL
import Testing

@testable import API

@Suite struct StatusTests {
  private static let metadata = HTTPAPI.Metadata.catalogue(
    [
      Family.gauge("status_test_up", "1 for a good poll."), Family.gauge("status_test_clients", "Clients."),
      Family.counter("status_test_commands_total", "Commands."),
    ], namespace: "redis")

  @Test func targetsAndAlertmanagers() async throws {
    var fixture = Fixture()
    fixture.api.targets = {
      [
        .init(
          labels: ["instance": "a:1"], pool: "p", url: "redis://a:1", health: .down, lastError: "refused",
          lastScrapeMilliseconds: 1500, lastScrapeSeconds: 0.25, intervalMilliseconds: 90_000,
          timeoutMilliseconds: 1500)
      ]
    }
    fixture.api.judging.alertmanagerURLs = { ["http://am:9093/api/v2/alerts"] }
    let target = #"""
      {"discoveredLabels":{"instance":"a:1"},"labels":{"instance":"a:1"},"scrapePool":"p","scrapeUrl":"redis://a:1","globalUrl":"redis://a:1","lastError":"refused","lastScrape":"1970-01-01T00:00:01.5Z","lastScrapeDuration":0.25,"health":"down","scrapeInterval":"1m30s","scrapeTimeout":"1s500ms"}
      """#
    #expect(try await fixture.get("targets").data == #"{"activeTargets":["# + target + #"],"droppedTargets":[]}"#)
    let none = #"{"activeTargets":[],"droppedTargets":[]}"#
    #expect(try await fixture.get("targets", ["state": "dropped"]).data == none)
    #expect(try await fixture.get("targets", ["scrapePool": "q"]).data == none)
    #expect(
      try await fixture.get("alertmanagers").data
        == #"{"activeAlertmanagers":[{"url":"http://am:9093/api/v2/alerts"}],"droppedAlertmanagers":[]}"#)
  }

  @Test func metadataOfFamilies() async throws {
    var fixture = Fixture()
    fixture.api.program.metadata = Self.metadata
    #expect(
      try await fixture.get("metadata", ["metric": "redis_status_test_up"]).data.hasPrefix(
        #"{"redis_status_test_up":[{"help":""#))
    #expect(try await fixture.get("metadata", ["metric": "none"]).data == "{}")
    let all = try await fixture.get("metadata").data
    #expect(all.contains("\"redis_status_test_clients\"") && all.contains("\"type\":\"counter\""))
    #expect(try await fixture.get("metadata", ["limit": "2"]).data.split(separator: "\"type\"").count == 3)
  }

  @Test func metadataOfTargets() async throws {
    var fixture = Fixture()
    fixture.api.program.metadata = Self.metadata
    fixture.api.targets = {
      ["a", "b"].map { name in
        HTTPAPI.Target(
          labels: ["instance": name], pool: "p", url: "redis://\(name)", health: .up,
          families: { name == "a" ? ["redis_status_test_up", "redis_status_test_clients"] : ["redis_status_test_up"] })
      }
    }
    func count(_ parameters: KeyValuePairs<String, String>) async throws -> Int {
      try await fixture.get("targets/metadata", parameters).data.split(separator: "\"target\":").count - 1
    }
    #expect(try await count([:]) == 3)
    #expect(try await count(["metric": "redis_status_test_up"]) == 2)
    #expect(try await count(["limit": "1"]) == 1)
    #expect(try await count(["match_target": "{instance=~\"a|c\"}"]) == 2)
    let one = try await fixture.get("targets/metadata", ["match_target": "{instance=\"b\"}"]).data
    #expect(one.hasPrefix(#"[{"target":{"instance":"b"},"metric":"redis_status_test_up","type":"gauge","help":""#))
    let named = try await fixture.get("targets/metadata", ["metric": "redis_status_test_up", "limit": "1"]).data
    #expect(named.hasPrefix(#"[{"target":{"instance":"a"},"type":"gauge","help":""#))
    #expect(try await fixture.get("targets/metadata", ["metric": "none"]).data == "[]")
    #expect(try await fixture.get("targets/metadata", ["match_target": "{"]).status == 400)
  }

  @Test func nothingIsToldWhileNothingIsKept() async throws {
    var fixture = Fixture()
    fixture.api.judging.isOn = { false }
    let answer = try await fixture.get("query", ["query": "1"])
    #expect(answer.status == 404 && answer.errorType == "not_found")
  }

  @Test func statusPages() async throws {
    var fixture = Fixture()
    fixture.api.program.flags = ["web.max-age": "1s"]
    fixture.api.configurationText = { "workloads: {}\n" }
    fixture.api.program.startMilliseconds = 1000
    try fixture.append(
      [["__name__": "up", "a": "1"]: 1, ["__name__": "up", "a": "2"]: 1, ["__name__": "x"]: 1], atSeconds: 1)
    #expect(try await fixture.get("status/flags").data == #"{"web.max-age":"1s"}"#)
    #expect(try await fixture.get("status/config").data == #"{"yaml":"workloads: {}\n"}"#)
    let runtime = try await fixture.get("status/runtimeinfo").data
    #expect(
      runtime.contains(
        #""startTime":"1970-01-01T00:00:01Z","timeSeriesCount":3"#
      ))
    let build = try await fixture.get("status/buildinfo").data
    #expect(build.contains(#""version":"3.0.0""#) && build.contains("redline-0"))
    #expect(
      try await fixture.get("status/tsdb", ["limit": "1"]).data
        == #"{"headStats":{"numSeries":3,"numLabelPairs":4},"seriesCountByMetricName":[{"name":"up","value":2}],"labelValueCountByLabelName":[{"name":"__name__","value":2}],"seriesCountByLabelValuePair":[{"name":"__name__=up","value":2}]}"#
    )
    #expect(try await fixture.get("query_exemplars", ["query": "up", "start": "1", "end": "2"]).data == "[]")
  }
}
