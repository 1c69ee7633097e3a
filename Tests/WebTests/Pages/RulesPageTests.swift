import Testing

@testable import Web

@Suite struct RulesPageTests {
  static let now = AlertsPageTests.now

  static var groups: [RulesPage.Group] {
    var memory = RulesPage.Rule(
      "RedisMemoryHigh",
      expression:
        "max without (job) (redis_memory_used_ratio)\n  > on (environment, workload) group_left () max without (job) (redis_objective_memory_used_ratio)"
    )
    memory.forSeconds = 60
    memory.keepFiringForSeconds = 120
    memory.health = "ok"
    memory.lastEvaluationSeconds = now - 3
    memory.evaluationDurationSeconds = 0.00123
    (memory.state, memory.level) = (.pending, .warning)
    var down = RulesPage.Rule("RedisDown", expression: "max without (job) (redis_up) == 0")
    down.health = "ok"
    down.hasRunbook = true
    (down.state, down.level) = (.firing, .grave)
    var broken = RulesPage.Rule("RedisBroken", expression: "redis_a * redis_b")
    broken.health = "err"
    broken.lastError = "many-to-many matching not allowed: matching labels must be unique on one side"
    broken.lastEvaluationSeconds = now - 4
    broken.evaluationDurationSeconds = 0.4
    var recording = RulesPage.Rule("instance:redis_master:bool", expression: "redis_instance_role{role=\"master\"}")
    recording.isRecording = true
    recording.health = "ok"
    var first = RulesPage.Group("redis_memory", file: "alerts/memory.yml", rules: [recording, memory])
    first.intervalSeconds = 15
    first.lastEvaluationSeconds = now - 3
    first.evaluationDurationSeconds = 0.0042
    return [first, RulesPage.Group("redis_availability", file: "alerts/availability.yml", rules: [down, broken])]
  }

  private func page(_ filter: RulesPage.Filter? = nil, _ groups: [RulesPage.Group] = groups) -> String {
    var page = RulesPage(metricsPath: "/metrics", groups: groups, nowSeconds: Self.now)
    page.filter = filter
    return GoldenPage.text(page.response())
  }

  @Test func golden() {
    GoldenPage.expect(RulesPage(metricsPath: "/metrics", groups: Self.groups, nowSeconds: Self.now).response(), "rules")
  }

  @Test func everythingThatMattersIsTold() {
    let page = page()
    for part in [
      "many-to-many matching not allowed", "evaluated 3.0 s ago in 1.2 ms · for 60 s · keeps firing for 2 min",
      "evaluated 3.0 s ago in 4.2 ms, every 15 s", "<span class=\"state bad\">fails</span>", ">records</span>",
      "<a href=\"/runbooks/RedisDown\">Runbook</a>", "id=\"r-RedisDown\"", "1 firing", "1 rule fails",
    ] { #expect(page.contains(part), "\(part)") }
  }

  @Test func filtersWork() {
    #expect(page(.broken).contains("RedisBroken") && !page(.broken).contains("<b>RedisDown"))
    #expect(page(.firing).contains("<b>RedisDown") && !page(.firing).contains("RedisBroken"))
    #expect(page(.pending).contains("RedisMemoryHigh") && !page(.pending).contains("<b>RedisDown"))
    let quiet = page(.inactive)
    #expect(quiet.contains("instance:redis_master:bool") && !quiet.contains("<b>RedisDown"))
    #expect(page(.firing, [Self.groups[0]]).contains("No rule fires."))
    #expect(page(.broken, [Self.groups[0]]).contains("No rule fails."))
    #expect(page(nil, []).contains("No rule is loaded."))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var rule = RulesPage.Rule(evil, expression: evil)
    (rule.health, rule.lastError, rule.hasRunbook) = (evil, evil, true)
    let page = page(nil, [RulesPage.Group(evil, file: evil, rules: [rule])])
    GoldenPage.expectHarmless(page)
    // Group, file, name, error, expression and health.
    #expect(page.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 7)
  }

  /// Links lead to the first rule of a name.
  @Test func thePageIsBounded() {
    let rules = (0..<1500).map { RulesPage.Rule("R\($0 % 700)", expression: "up") }
    let page = page(nil, [RulesPage.Group("g", file: "f", rules: rules)])
    #expect(page.contains("Further rules are not listed.") && page.ranges(of: "<details").count == 1000)
    #expect(page.ranges(of: "id=\"r-R5\"").count == 1 && page.utf8.count < 800_000)
  }

  @Test func theStartPageLeadsToRulesThatFail() {
    var page = TopologyPage(version: "1", metricsPath: "/metrics", workloads: [], nowSeconds: 0)
    page.brokenRuleCount = 1
    let text = GoldenPage.text(page.response())
    #expect(text.contains("<a class=\"bad\" href=\"/rules?state=broken\">1 rule fails</a>"))
  }
}
