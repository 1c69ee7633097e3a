import Alerting
import PromQL
import Testing

@testable import API

@Suite struct RulesTests {
  /// Two groups, evaluated twice: one alert fires, one is pending.
  private func evaluated() throws -> Fixture {
    let text = """
      groups:
        - name: first
          interval: 15s
          rules:
            - record: job:up:sum
              expr: sum(up) by (job)
            - alert: Down
              expr: up == 0
              for: 30s
              labels: {severity: page}
              annotations: {summary: "{{ $labels.instance }} is <down>"}
            - alert: Slow
              expr: up == 1
              for: 1h
        - name: second
          limit: 5
          rules:
            - record: broken
              expr: up + on() up
              labels: {team: a}
      """
    var rules = RuleSet([try RuleFile.parse(Array(text.utf8), file: "r.yml")])
    let fixture = Fixture()
    for seconds in [9960.0, 10_000] {
      try fixture.append(
        [["__name__": "up", "instance": "a", "job": "x"]: 0, ["__name__": "up", "instance": "b", "job": "x"]: 1],
        atSeconds: seconds)
      let evaluator = GroupEvaluator(source: fixture.store) { _, _ in }
      for index in rules.groups.indices {
        rules.withGroup(index) { evaluator.evaluate(&$0, atMilliseconds: Int64(seconds * 1000)) }
      }
    }
    let groups = rules.groups
    var result = fixture
    result.api.judging.groups = { groups }
    return result
  }

  private let down = #"""
    {"labels":{"alertname":"Down","instance":"a","job":"x","severity":"page"},"annotations":{"summary":"a is \u003cdown\u003e"},"state":"firing","activeAt":"1970-01-01T02:46:00Z","value":"0e+00"}
    """#

  @Test func alertsThatAreActive() async throws {
    let answer = try await evaluated().get("alerts")
    #expect(answer.data.hasPrefix("{\"alerts\":[\(down),"))
    #expect(answer.data.contains(#""state":"pending","activeAt":"1970-01-01T02:46:00Z","value":"1e+00"}]}"#))
  }

  @Test func groupsWithTheirRules() async throws {
    let data = try await evaluated().get("rules").data
    #expect(
      data.hasPrefix(
        #"{"groups":[{"name":"first","file":"r.yml","rules":[{"name":"job:up:sum","query":"sum by (job) (up)","health":"ok","evaluationTime":"#
      ))
    #expect(
      data.contains(
        #"{"state":"firing","name":"Down","query":"up == 0","duration":30,"keepFiringFor":0,"labels":{"severity":"page"},"annotations":{"summary":"{{ $labels.instance }} is \u003cdown\u003e"},"alerts":["#
          + down + #"],"health":"ok","evaluationTime":"#))
    #expect(data.contains(#""lastEvaluation":"1970-01-01T02:46:40Z","type":"alerting"}"#))
    #expect(data.contains(#""interval":15,"limit":0"#))
    #expect(
      data.contains(#"{"name":"broken","query":"up + on () up","labels":{"team":"a"},"health":"err","lastError":""#))
    #expect(data.contains(#""interval":60,"limit":5"#))
  }

  @Test(arguments: [
    ("type=alert", ["Down", "Slow"]), ("type=record", ["job:up:sum", "broken"]),
    ("rule_name%5B%5D=Down&rule_name%5B%5D=broken", ["Down", "broken"]), ("rule_group%5B%5D=second", ["broken"]),
    ("file%5B%5D=other", []), ("match%5B%5D=%7Bseverity%3D%22page%22%7D", ["Down"]),
    ("match%5B%5D=%7Bseverity%3D%22page%22%7D&match%5B%5D=%7Bteam%3D%22a%22%7D", ["Down", "broken"]),
    ("type=alert&rule_group%5B%5D=second", []),
  ])
  func filters(form: String, names: [String]) async throws {
    let data = try await evaluated().post("rules", form).data
    for name in ["job:up:sum", "Down", "Slow", "broken"] {
      #expect(data.contains("\"name\":\"\(name)\",\"query\"") == names.contains(name), "\(name) in \(data)")
    }
    // A group of which nothing is left is left out.
    #expect(data.contains("\"rules\":[]") == false)
  }

  @Test func alertsCanBeLeftOut() async throws {
    let data = try await evaluated().get("rules", ["exclude_alerts": "true"]).data
    #expect(!data.contains("activeAt"))
    #expect(data.contains("\"name\":\"Down\""))
  }

  @Test func groupsComeInPages() async throws {
    let fixture = try evaluated()
    let first = try await fixture.get("rules", ["group_limit": "1"]).data
    #expect(first.contains("\"first\"") && !first.contains("\"second\""))
    let token = try #require(first.split(separator: "\"groupNextToken\":\"").last?.prefix { $0 != "\"" })
    let second = try await fixture.get("rules", ["group_limit": "1", "group_next_token": String(token)]).data
    #expect(second.contains("\"second\"") && !second.contains("\"first\""))
    #expect(!second.contains("groupNextToken"))
  }
}
