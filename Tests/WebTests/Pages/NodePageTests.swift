import Testing

@testable import Web

@Suite struct NodePageTests {
  static let now = AlertsPageTests.now

  static var model: NodePage {
    var page = NodePage("sessions-2", metricsPath: "/metrics", nowSeconds: now)
    page.condition = NodePage.Condition("up", .good, reason: "", asOfSeconds: nil)
    (page.identity.role, page.identity.workload, page.spanSeconds) = ("master", "sessions", 3600)
    page.identity.facts = [
      ("Environment", "production"), ("Version", "Redis 7.0.15"), ("Address", "redis://10.0.0.12:6379"),
      ("Up for", "12 d"),
    ]
    var memory = NodePage.Figure("Memory", "91 MiB", note: "91 % of maxmemory")
    memory.level = .warning
    memory.series = TimeSeries(
      (0..<120).map { (index: Int) -> Double? in Double((80 + index / 10) << 20) }, unit: .bytes, stepSeconds: 30)
    let commands = (0..<120).map { (index: Int) -> Double? in
      let isMissing = (40..<55).contains(index) || index == 90 || index == 92
      let rate = 1200 + (index * 37) % 400
      return isMissing ? nil : Double(rate)
    }
    page.figures = [
      memory, NodePage.Figure("Commands", TimeSeries(commands, unit: .perSecond, stepSeconds: 30), nowSeconds: now),
      NodePage.Figure(
        "Hit ratio", TimeSeries([0.92, 0.9, 0.95, 0.97], unit: .ratio, stepSeconds: 30), nowSeconds: now),
      NodePage.Figure("Clients", TimeSeries([12, 12, 12], unit: .count, stepSeconds: 30), nowSeconds: now),
      NodePage.Figure(
        "Lag behind the master", TimeSeries([nil, 0.2, nil], unit: .seconds, stepSeconds: 30), nowSeconds: now),
      NodePage.Figure("Probe, 99th percentile", ""),
    ]
    var log = NodePage.SlowLog()
    log.entryCount = 7
    log.newestDurationSeconds = 0.0312
    log.newestSeconds = now - 300
    log.addedInHour = 2
    page.slowLog = log
    page.clients = [.init("", count: 3), .init("checkout", count: 40), .init("sessions-api", count: 12)]
    var alert = TopologyPage.Finding(.grave, "sessions-2 of sessions uses 91 % of its memory")
    (alert.alert, alert.hasRunbook, alert.sinceSeconds) = ("RedisMemoryHigh", true, now - 4000)
    alert.runbook = Markdown(
      "# RedisMemoryHigh\n\n## Look\n\n```sh\nredis-cli INFO memory\n```\n", headingOffset: 1, omitsTitle: true)
    page.findings = [.init(.warning, "sessions-2 uses 91 % of maxmemory, wanted are 85 %"), alert]
    var billing = StreamRow(stream: "orders", database: "db0", group: "billing")
    (billing.length, billing.lag, billing.lagSeconds) = (120_000, 4200, 312)
    (billing.pending, billing.oldestPendingSeconds, billing.consumers) = (17, 44, 2)
    var audit = StreamRow(stream: "audit", database: "db3", group: "")
    audit.length = 12
    page.streams = [audit, billing]
    page.settings = [("maxmemory-policy", "noeviction"), ("maxmemory", "100 MiB"), ("maxclients", "10000")]
    page.events = [EventsPageTests.failover]
    return page
  }

  private func text(_ page: NodePage) -> String { GoldenPage.text(page.response()) }

  @Test func golden() {
    GoldenPage.expect(Self.model.response(), "node")
    GoldenPage.expectHarmless(text(Self.model))
  }

  @Test func everythingThatMattersIsTold() {
    let page = text(Self.model)
    for part in [
      "91 % of maxmemory", "lowest 80 MiB, highest 91 MiB", "17 of 120 points are missing", "7 entries, 2 more",
      "took 31 ms", "<td>checkout</td><td>40</td>", "without a name", "Commands and their arguments are not shown",
      "sessions-2 uses 91 %", "<a href=\"/runbooks/RedisMemoryHigh\">RedisMemoryHigh</a> fires: ",
      "/events?node=sessions-2", "<span>master</span> of <a href=\"/workload/sessions\">sessions</a>",
      "<summary>What to do: RedisMemoryHigh</summary>", "<td>orders</td><td>billing</td>",
      "4200 <span class=\"dim\">5 min",
      "no group", "<td>maxmemory-policy</td><td>noeviction</td>", "<title>up: sessions-2 · Redline</title>",
    ] { #expect(page.contains(part), "\(part)") }
  }

  /// Every figure of a server that does not answer is grey and says of when it is; what the daemon measures is not.
  @Test func whatIsNotCurrentSaysSo() {
    var page = Self.model
    page.condition.asOfSeconds = Self.now - 300
    page.figures = [
      NodePage.Figure("Clients", TimeSeries([12, 12, nil, nil], unit: .count, stepSeconds: 100), nowSeconds: Self.now),
      NodePage.Figure(
        "Probe, 99th percentile", TimeSeries([1, 2], unit: .seconds, stepSeconds: 1), nowSeconds: Self.now),
    ]
    let stale = text(page)
    #expect(stale.contains("<section class=\"chart stale\"><h3>Clients <b>12</b> <small class=\"as-of\">"))
    #expect(stale.contains("<section class=\"chart\"><h3>Probe"))
    #expect(stale.ranges(of: "as of <time").count == 4, "one figure, slow log, clients by name, configuration")
    #expect(stale.contains("It last answered at"))
    #expect(!text(Self.model).contains("It last answered at"))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var page = NodePage(evil, metricsPath: "/metrics", nowSeconds: Self.now)
    (page.condition.state, page.condition.reason, page.notice) = (evil, evil, evil)
    page.identity.facts = [(evil, evil)]
    page.figures = [NodePage.Figure(evil, evil, note: evil)]
    page.figures[0].series = TimeSeries([1, .nan, .infinity, nil, 2], unit: .count, stepSeconds: 1)
    page.clients = [.init(evil, count: .infinity)]
    page.findings = [.init(.grave, evil)]
    (page.identity.role, page.identity.workload, page.identity.master) = (evil, evil, evil)
    page.streams = [StreamRow(stream: evil, database: evil, group: evil)]
    page.settings = [(evil, evil)]
    var master = NodePage.WatchedMaster(evil, address: evil, status: evil, isWell: false)
    master.agreement = evil
    (page.sentinel.masters, page.sentinel.peers) = ([master], [evil])
    page.events = [.init(seconds: .nan, workload: evil, node: evil, kind: evil, summary: evil, level: .grave)]
    let text = text(page)
    GoldenPage.expectHarmless(text)
    // Title twice and heading, state, reason, role, workload, master, fact twice, notice, figure's title twice, value and
    // note, client, finding; stream, database, group; setting twice; a Sentinel's master four times, its peer;
    // workload, kind and summary of the event.
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 31)
  }

  @Test func aSeriesIsBoundedAndHasGaps() {
    let long = TimeSeries((0..<1000).map { (index: Int) -> Double? in Double(index) }, unit: .count, stepSeconds: 1)
    #expect(long.points.count <= 120 && long.stepSeconds == 9 && long.points[0] == 4)
    #expect(TimeSeries([nil, .nan], unit: .count, stepSeconds: 1).range == nil)
    let line = Chart(title: "a", series: TimeSeries([1, 2, nil, 3], unit: .count, stepSeconds: 10)).html.markup
    #expect(line.contains("<title>a: lowest 1, highest 3, last 3; 1 of 4 points are missing</title>"), "\(line)")
  }

  /// What a Sentinel sees, with what keeps it from a failover.
  @Test func aSentinelShowsItsMastersAndPeers() {
    var page = NodePage("10.0.0.1:26379", metricsPath: "/metrics", nowSeconds: Self.now)
    page.condition = NodePage.Condition("up", .good, reason: "", asOfSeconds: nil)
    (page.identity.role, page.identity.workload) = ("sentinel", "sessions")
    var master = NodePage.WatchedMaster("mymaster", address: "10.0.0.9:6379", status: "odown", isWell: false)
    (master.replicas, master.wellReplicas, master.sentinels, master.wellSentinels) = (2, 2, 3, 1)
    (master.quorum, master.agreement, master.canAgree) = (2, "NOQUORUM 1 usable Sentinels", false)
    (page.sentinel.masters, page.sentinel.peers) = ([master], ["10.0.0.2:26379"])
    let text = text(page)
    for part in [
      "<td>mymaster</td><td>10.0.0.9:6379</td><td class=\"bad\">odown</td>", "<td>2, all ok</td>",
      "<b class=\"warning\">1 of 3 ok</b>", "<small class=\"bad\">NOQUORUM 1 usable Sentinels</small>",
      "Other Sentinels of sessions: <a href=\"/node/10.0.0.2%3A26379\">10.0.0.2:26379</a>",
    ] { #expect(text.contains(part), "\(part)") }
  }

  @Test(arguments: [
    (0.0, "0"), (0.86213, "0.86213"), (12, "12"), (1234.5678, "1234.6"), (1.2e9, "1200000000"), (.infinity, "+Inf"),
    (-0.5, "-0.5"), (0.00042, "0.00042"),
  ])
  func numbers(value: Double, text: String) { #expect(number(value) == text) }
}
