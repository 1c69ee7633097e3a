import Testing

@testable import Web

@Suite struct AlertsPageTests {
  static let now = 1_795_837_490.0

  private static func alert(
    _ instance: String, _ state: AlertsPage.State, _ severity: String, ago: Double, _ summary: String
  ) -> AlertsPage.Alert {
    var alert = AlertsPage.Alert(
      labels: [
        ("environment", "production"), ("instance", instance), ("severity", severity), ("workload", "sessions"),
      ],
      state: state, value: 0.91347, activeSeconds: now - ago)
    alert.summary = summary
    if state == .firing { alert.firedSeconds = now - ago + 60 }
    return alert
  }

  static var groups: [AlertsPage.Group] {
    var memory = AlertsPage.Rule(
      "RedisMemoryHigh",
      expression:
        "max without (job) (redis_memory_used_ratio)\n  > on (environment, workload) group_left () max without (job) (redis_objective_memory_used_ratio)"
    )
    memory.forSeconds = 60
    memory.keepFiringForSeconds = 120
    memory.health = "ok"
    memory.lastEvaluationSeconds = now - 3
    memory.evaluationDurationSeconds = 0.00123
    var kept = alert("sessions-2", .firing, "warning", ago: 4000, "sessions-2 of sessions uses 91 % of its memory")
    kept.keptSinceSeconds = now - 30
    kept.description = "Redis evicts keys or refuses writes when the rest is used up."
    memory.alerts = [
      kept, alert("sessions-1", .pending, "warning", ago: 20, "sessions-1 of sessions uses 88 % of its memory"),
    ]
    memory.hasRunbook = true
    var down = AlertsPage.Rule("RedisDown", expression: "max without (job) (redis_up) == 0")
    down.forSeconds = 10
    down.health = "ok"
    down.lastEvaluationSeconds = now - 3
    down.alerts = [alert("queues-3", .firing, "critical", ago: 190, "queues-3 of queues does not answer")]
    down.hasRunbook = true
    down.runbook = Markdown(
      "# RedisDown\n\nA server does not answer.\n\n**Impact.** Reads and writes of it fail.\n\n## Look\n\n```sh\nredis-cli -h HOST -p PORT --tls --cacert /etc/ssl/redis/ca.pem INFO server | grep -E '^(uptime|redis_version|run_id)' # does it answer at all?\n```\n\n## Act\n\n1. Look at the host, then RedisFailover.\n2. Start it again.\n",
      headingOffset: 1, omitsTitle: true, pages: ["RedisFailover"])
    var broken = AlertsPage.Rule("RedisBroken", expression: "redis_a * redis_b")
    broken.health = "err"
    broken.lastError = "many-to-many matching not allowed: matching labels must be unique on one side"
    broken.lastEvaluationSeconds = now - 4
    broken.evaluationDurationSeconds = 0.4
    var recording = AlertsPage.Rule("instance:redis_master:bool", expression: "redis_instance_role{role=\"master\"}")
    recording.isRecording = true
    recording.health = "ok"
    var first = AlertsPage.Group("redis_memory", file: "alerts/memory.yml", rules: [recording, memory])
    first.intervalSeconds = 15
    first.lastEvaluationSeconds = now - 3
    first.evaluationDurationSeconds = 0.0042
    return [first, AlertsPage.Group("redis_availability", file: "alerts/availability.yml", rules: [down, broken])]
  }

  private func page(_ filter: AlertsPage.Filter? = nil, _ groups: [AlertsPage.Group] = groups) -> String {
    GoldenPage.text(model(filter, groups).response())
  }

  private func model(_ filter: AlertsPage.Filter? = nil, _ groups: [AlertsPage.Group] = Self.groups) -> AlertsPage {
    var page = AlertsPage(metricsPath: "/metrics", groups: groups, nowSeconds: Self.now)
    page.filter = filter
    page.nodes = ["sessions-1", "sessions-2", "queues-3", GoldenPage.evil]
    return page
  }

  @Test func golden() { GoldenPage.expect(model().response(), "alerts") }

  /// A server that is watched no more, or an instance that is none, has no page.
  @Test func onlyNodesThatAreWatchedAreLinked() {
    var page = model()
    page.nodes = ["sessions-1"]
    let text = GoldenPage.text(page.response())
    #expect(text.contains("href=\"/node/sessions-1\"") && !text.contains("href=\"/node/sessions-2\""))
    #expect(text.contains("<li class=\"tag\">instance=sessions-2</li>"))
  }

  @Test func theGravestComesFirst() throws {
    let page = page()
    let down = try #require(page.firstRange(of: "<h2>RedisDown"))
    let memory = try #require(page.firstRange(of: "<h2>RedisMemoryHigh"))
    #expect(down.lowerBound < memory.lowerBound)
    let firing = try #require(page.firstRange(of: "sessions-2 of sessions"))
    let pending = try #require(page.firstRange(of: "sessions-1 of sessions"))
    #expect(firing.lowerBound < pending.lowerBound)
    #expect(page.contains("2 firing") && page.contains("1 pending") && page.contains("1 rule fails"))
  }

  @Test func everythingThatMattersIsTold() {
    let page = page()
    for part in [
      "<dd>0.91347</dd>", "Active since", "keep_firing_for", "many-to-many matching not allowed",
      "evaluated 3.0 s ago in 1.2 ms · for 60 s · keeps firing for 2 min", "<summary>Runbook: what to do</summary>",
      "<a href=\"/runbooks/RedisFailover\">RedisFailover</a>", "<a href=\"/node/sessions-2\">instance=sessions-2</a>",
      "2026-11-28T03:41:40Z", "(3 min ago)", "evaluated 3.0 s ago in 4.2 ms, every 15 s",
    ] { #expect(page.contains(part), "\(part)") }
  }

  @Test func filtersWork() {
    #expect(page(.firing).contains("sessions-2 of sessions") && !page(.firing).contains("sessions-1 of sessions"))
    #expect(!page(.pending).contains("sessions-2 of sessions") && page(.pending).contains("sessions-1 of sessions"))
    #expect(!page(.pending).contains("queues-3") && !page(.pending).contains("<h2>Rules"))
    let quiet = page(.inactive)
    #expect(
      quiet.contains("instance:redis_master:bool") && !quiet.contains("sessions-1 of") && !quiet.contains("queues-3"))
    #expect(page(.broken).contains("RedisBroken") && !page(.broken).contains("<b>RedisDown"))
    let sound = Self.groups.map {
      AlertsPage.Group($0.name, file: $0.file, rules: $0.rules.filter { $0.alerts.isEmpty })
    }
    #expect(page(.firing, sound).contains("Nothing fires."))
    #expect(page(nil, sound).contains("Nothing fires or is pending."))
  }

  @Test(arguments: [
    ("https://wiki.example/redis?a=1&b='2'#x", true), ("HTTP://[::1]:80/r", true), ("javascript:alert(1)", false),
    ("https:alert(1)", false), ("data:text/html,<script>", false), ("java\nscript:alert(1)", false),
    (" https://wiki.example", false), ("https://wiki.example/\u{202E}gpj", false), ("//evil.example", false),
    ("/runbooks/x", false), ("https://\"onmouseover=\"x", false),
    ("https://w/" + String(repeating: "x", count: 3000), false),
  ])
  func theAuthorsRunbookIsALinkWhereItsAddressIsHarmless(_ address: String, _ isLink: Bool) {
    var alert = Self.alert("a", .firing, "critical", ago: 1, "down")
    alert.runbookAddress = address
    var rule = AlertsPage.Rule("R", expression: "up")
    rule.alerts = [alert]
    let page = page(nil, [AlertsPage.Group("g", file: "f", rules: [rule])])
    #expect(page.contains("<dt>Runbook</dt>"))
    #expect(page.contains("<dd><a href=\"\(HTML(text: address).markup)\" rel=\"noreferrer\">") == isLink)
    #expect(page.contains("<dt>Runbook</dt><dd><a ") == isLink)
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var alert = AlertsPage.Alert(
      labels: [(evil, evil), ("instance", evil)], state: .firing, value: .nan, activeSeconds: Self.now)
    alert.summary = evil
    alert.description = evil
    alert.annotations = [(evil, evil)]
    alert.runbookAddress = evil
    var rule = AlertsPage.Rule(evil, expression: evil)
    rule.health = evil
    rule.lastError = evil
    rule.alerts = [alert]
    rule.hasRunbook = true
    rule.runbook = Markdown("")
    let page = page(nil, [AlertsPage.Group(evil, file: evil, rules: [rule])])
    GoldenPage.expectHarmless(page)
    // Heading, label name and value, instance, summary, description, runbook, annotation twice, expression and health in place;
    // group, file, name, error, expression and health in the list.
    #expect(page.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 18)
    #expect(page.contains("/node/%3Cscript%3E") && page.contains("<dd>NaN</dd>"))
  }

  @Test func thePageIsBounded() {
    let many = (0..<500).map { Self.alert("n\($0)", .firing, "warning", ago: 1, String(repeating: "x", count: 5000)) }
    let rules = (0..<1500).map { index in
      var rule = AlertsPage.Rule("R\(index)", expression: "up")
      if index < 6 { rule.alerts = many }
      return rule
    }
    let page = page(nil, [AlertsPage.Group("g", file: "f", rules: rules)])
    #expect(page.split(separator: "<article").count == 201)
    #expect(page.contains("450 further alerts of this rule are not listed."))
    #expect(page.contains("Further rules are not listed.") && page.contains("Further alerts are not listed."))
    #expect(page.utf8.count < 800_000)
  }

  @Test func withoutRules() { #expect(page(nil, []).contains("No rule is loaded.")) }

  @Test func theStartPageTellsOfRulesThatFail() {
    var page = TopologyPage(version: "1", metricsPath: "/metrics", workloads: [], nowSeconds: 0)
    page.brokenRuleCount = AlertsPage.Summary(Self.groups).broken
    let text = GoldenPage.text(page.response())
    #expect(text.contains("<a class=\"bad\" href=\"/alerts?state=broken\">1 rule fails</a>"))
  }
}
