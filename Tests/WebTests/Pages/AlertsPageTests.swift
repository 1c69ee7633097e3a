import Testing

@testable import Web

@Suite struct AlertsPageTests {
  static let now = 1_795_837_490.0

  static func alert(
    _ name: String, _ instance: String?, _ state: AlertsPage.State, _ severity: String, workload: String = "sessions",
    ago: Double, _ summary: String
  ) -> AlertsPage.Alert {
    let labels = [
      ("environment", "production"), ("instance", instance ?? ""), ("severity", severity), ("workload", workload),
    ].filter { !$0.1.isEmpty }
    var alert = AlertsPage.Alert(
      name, labels: labels.map { (name: $0.0, value: $0.1) }, state: state, value: 0.91347, activeSeconds: now - ago)
    alert.summary = summary
    alert.forSeconds = 60
    if state != .pending { alert.firedSeconds = now - ago + 60 }
    return alert
  }

  static var alerts: [AlertsPage.Alert] {
    var kept = alert(
      "RedisMemoryHigh", "sessions-2", .firing, "warning", ago: 4000, "sessions-2 of sessions uses 91 % of its memory")
    kept.keptSinceSeconds = now - 30
    kept.role = "replica"
    kept.description = "Redis evicts keys or refuses writes when the rest is used up."
    kept.delivery.mutes = ["silenced by anna until 2026-11-28 06:00 UTC: resize <tonight>"]
    let pending = alert(
      "RedisMemoryHigh", "sessions-1", .pending, "warning", ago: 20, "sessions-1 of sessions uses 88 % of its memory")
    var down = alert(
      "RedisDown", "queues-3", .firing, "critical", workload: "queues", ago: 190, "queues-3 of queues does not answer")
    down.role = "master"
    down.delivery.notices = [
      .init(receiver: "http://localhost:9093", seconds: now - 128, outcome: "accepted"),
      .init(receiver: "http://spare:9093", seconds: now - 127, outcome: "not delivered: connect"),
    ]
    down.delivery.routes = ["pages"]
    var over = alert(
      "RedisFailover", "queues-1", .inactive, "critical", workload: "queues", ago: 900, "queues-1 is down")
    over.resolvedSeconds = now - 600
    let watchdog = AlertsPage.Alert(
      "Watchdog", labels: [("severity", "none")], state: .firing, value: 1, activeSeconds: now - 90_000)
    return [kept, pending, over, watchdog, down]
  }

  private func page(_ filter: AlertsPage.Filter? = nil, _ alerts: [AlertsPage.Alert] = alerts) -> String {
    GoldenPage.text(model(filter, alerts).response())
  }

  private func model(_ filter: AlertsPage.Filter? = nil, _ alerts: [AlertsPage.Alert] = Self.alerts) -> AlertsPage {
    var page = AlertsPage(metricsPath: "/metrics", alerts: alerts, nowSeconds: Self.now)
    page.filter = filter
    page.nodes = ["sessions-1", "sessions-2", "queues-3", GoldenPage.evil]
    page.workloads = ["sessions", "queues"]
    page.runbookNames = ["RedisDown", "RedisMemoryHigh"]
    page.runbooks = [
      "RedisDown": Markdown(
        "# RedisDown\n\nA server does not answer.\n\n**Impact.** Reads and writes of it fail.\n\n## Look\n\n```sh\nredis-cli -h HOST -p PORT --tls --cacert /etc/ssl/redis/ca.pem INFO server | grep -E '^(uptime|redis_version|run_id)' # does it answer at all?\n```\n\n## Act\n\n1. Look at the host, then RedisFailover.\n2. Start it again.\n",
        headingOffset: 2, omitsTitle: true, pages: ["RedisFailover"])
    ]
    page.receivers = [Receiver("http://localhost:9093/")]
    return page
  }

  @Test func golden() { GoldenPage.expect(model().response(), "alerts") }

  /// A server that is watched no more, or an instance that is none, has no page.
  @Test func onlyNodesThatAreWatchedAreLinked() {
    var page = model()
    (page.nodes, page.workloads) = (["sessions-1"], ["queues"])
    let text = GoldenPage.text(page.response())
    #expect(text.contains("href=\"/node/sessions-1\"") && !text.contains("href=\"/node/sessions-2\""))
    #expect(text.contains("href=\"/workload/queues\"") && !text.contains("href=\"/workload/sessions\""))
    #expect(text.contains("<b>sessions-2</b>") && text.contains("<h2>sessions"))
  }

  @Test func theWorstWorkloadComesFirstAndItsRunbookIsOpen() throws {
    let sections = model().sections
    #expect(sections.map(\.workload) == ["queues", "sessions"])
    #expect(sections.map { $0.groups.map(\.name) } == [["RedisDown"], ["RedisMemoryHigh"]])
    #expect(sections[1].groups[0].alerts.map(\.instance) == ["sessions-2", "sessions-1"], "firing before pending")
    let page = page()
    #expect(page.contains("<details class=\"runbook\" open><summary>Runbook: what to do</summary>"))
    #expect(page.ranges(of: "<summary>Runbook").count == 1, "once, however many alerts it is about")
  }

  /// What fires for ever is not counted, and what has ended is not told as if it were so.
  @Test func theSentenceCountsWhatMatters() {
    let page = page()
    #expect(page.contains("<b class=\"bad\">1 critical</b> and 1 further alerts fire, for queues and sessions."))
    #expect(page.contains("Alertmanager tells nobody of 1 of them. 1 waits to fire."))
    #expect(page.contains("<title>2 firing · Redline</title>") && page.contains(">2 firing</a>"))
    #expect(page.contains("Watchdog always fires, so that silence is noticed."))
    #expect(!page.contains("queues-1 is down") && page.contains("<b>RedisFailover</b> queues · queues-1"))
    #expect(page.contains("fired for 4 min, ended <time datetime=\"2026-11-28T03:34:50Z\">"))
    #expect(self.page(nil, []).contains("<b class=\"good\">Nothing fires.</b>"))
  }

  @Test func everythingThatMattersIsTold() {
    let page = page()
    for part in [
      "<dd>0.91347</dd>", "keep_firing_for", "<a href=\"/runbooks/RedisFailover\">RedisFailover</a>",
      "<b><a href=\"/node/queues-3\">queues-3</a></b> <span class=\"dim\">master</span>", "2026-11-28T03:42:40Z",
      "told http://localhost:9093 at <time", "which tells pages", "http://spare:9093: not delivered: connect",
      "silenced by anna until 2026-11-28 06:00 UTC: resize &lt;tonight&gt;", "fires in 40 s if it lasts",
      "<a href=\"/runbooks/RedisMemoryHigh\">Runbook: what to do</a>", "<a href=\"/rules#r-RedisDown\">Rule</a>",
    ] { #expect(page.contains(part), "\(part)") }
  }

  /// Alertmanager's own form with the labels filled in.
  @Test func theLinkToSilenceIsPrefilled() {
    let page = page()
    let form = "http://localhost:9093/#/silences/new?filter=%7Balertname%3D%22RedisDown%22%2C%20"
    #expect(page.contains("\(form)workload%3D%22queues%22%7D\" rel=\"noreferrer\">Silence all of RedisDown</a>"))
    #expect(page.contains("\(form)instance%3D%22queues-3%22%2C%20workload%3D%22queues%22%7D"))
    var without = model()
    without.receivers = []
    #expect(!GoldenPage.text(without.response()).contains("Silence"))
  }

  @Test func whatIsNotKnownOfSilencesIsSaid() {
    var page = model()
    page.unknownMutes = [("http://spare:9093", "no connection")]
    #expect(
      GoldenPage.text(page.response()).contains("What is silenced in http://spare:9093 is not known: no connection"))
  }

  @Test func filtersWork() {
    #expect(page(.firing).contains("sessions-2 of sessions") && !page(.firing).contains("sessions-1 of sessions"))
    #expect(!page(.pending).contains("sessions-2 of sessions") && page(.pending).contains("sessions-1 of sessions"))
    #expect(!page(.pending).contains("<h2>Ended") && !page(.firing).contains("<h2>Ended"))
    #expect(page(.resolved).contains("<h2>Ended") && !page(.resolved).contains("sessions-2 of sessions"))
    #expect(page(.resolved, []).contains("Nothing has ended lately."))
  }

  @Test(arguments: [
    ("https://wiki.example/redis?a=1&b='2'#x", true), ("HTTP://[::1]:80/r", true), ("javascript:alert(1)", false),
    ("https:alert(1)", false), ("data:text/html,<script>", false), ("java\nscript:alert(1)", false),
    (" https://wiki.example", false), ("https://wiki.example/\u{202E}gpj", false), ("//evil.example", false),
    ("/runbooks/x", false), ("https://\"onmouseover=\"x", false),
    ("https://w/" + String(repeating: "x", count: 3000), false),
  ])
  func theAuthorsRunbookIsALinkWhereItsAddressIsHarmless(_ address: String, _ isLink: Bool) {
    var alert = Self.alert("R", "a", .firing, "critical", ago: 1, "down")
    alert.runbookAddress = address
    let page = page(nil, [alert])
    #expect(page.contains("Runbook of the rule&#39;s author: ") || page.contains("Runbook of the rule's author: "))
    #expect(page.contains("author: <a href=\"\(HTML(text: address).markup)\" rel=\"noreferrer\">") == isLink)
    #expect(page.contains("author: <a ") == isLink)
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var alert = AlertsPage.Alert(
      evil, labels: [(evil, evil), ("instance", evil), ("severity", evil), ("workload", evil)], state: .firing,
      value: .nan, activeSeconds: Self.now)
    (alert.summary, alert.description, alert.role, alert.runbookAddress) = (evil, evil, evil, evil)
    alert.annotations = [(evil, evil)]
    alert.delivery.notices = [.init(receiver: evil, seconds: Self.now, outcome: evil)]
    (alert.delivery.mutes, alert.delivery.routes) = ([evil], [evil])
    var over = alert
    (over.state, over.resolvedSeconds) = (.inactive, Self.now)
    var page = model(nil, [alert, over])
    page.unknownMutes = [(evil, evil)]
    page.notice = evil
    let text = GoldenPage.text(page.response())
    GoldenPage.expectHarmless(text)
    // Notice, unknown twice, sentence, heading, name, severity, runbook, instance, role, tag twice, summary, description,
    // mute, receiver and outcome, labels five times, annotation twice, silence; name, workload, instance and tag twice of what has ended.
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 31)
    #expect(text.contains("/node/%3Cscript%3E") && text.contains("<dd>NaN</dd>"))
  }

  @Test func thePageIsBounded() {
    let text = String(repeating: "x", count: 5000)
    let many = (0..<6).flatMap { name in
      (0..<500).map { Self.alert("R\(name)", "n\($0)", .firing, "warning", ago: 1, text) }
    }
    let page = page(nil, many)
    #expect(page.ranges(of: "<p class=\"where\">").count == 200)
    #expect(page.contains("450 further alerts of this name are not listed."))
    #expect(page.contains("Further alerts are not listed."))
    #expect(page.utf8.count < 800_000)
  }
}
