import Testing

@testable import Web

@Suite struct NodePageTests {
  static let now = AlertsPageTests.now

  static var model: NodePage {
    var page = NodePage("sessions-2", metricsPath: "/metrics", nowSeconds: now)
    page.condition = NodePage.Condition("up", .good, reason: "", asOfSeconds: nil)
    page.facts = [
      ("Role", "master"), ("Workload", "sessions"), ("Version", "Redis 7.0.15"), ("Address", "redis://10.0.0.12:6379"),
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
    page.findings = [.init(.warning, "sessions-2 uses 91 % of maxmemory, wanted are 85 %")]
    page.alerts = AlertsPageTests.groups[0].rules[1].alerts.prefix(1).map { ("RedisMemoryHigh", true, $0) }
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
      "91 % of maxmemory", "min 80 MiB · max 91 MiB", "17 of 120 points are missing", "7 entries, 2 more",
      "took 31 ms", "<td>checkout</td><td>40</td>", "without a name", "Commands and their arguments are not shown",
      "sessions-2 uses 91 %", "RedisMemoryHigh", "/events?node=sessions-2",
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
    #expect(stale.contains("<section class=\"figure stale\"><h3>Clients</h3>\n<p class=\"value stale\">12 <small"))
    #expect(stale.contains("<section class=\"figure\"><h3>Probe"))
    #expect(stale.ranges(of: "as of <time").count == 3, "one figure, slow log, clients by name")
    #expect(stale.contains("It last answered at"))
    #expect(!text(Self.model).contains("It last answered at"))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var page = NodePage(evil, metricsPath: "/metrics", nowSeconds: Self.now)
    (page.condition.state, page.condition.reason, page.notice) = (evil, evil, evil)
    page.facts = [(evil, evil)]
    page.figures = [NodePage.Figure(evil, evil, note: evil)]
    page.figures[0].series = TimeSeries([1, .nan, .infinity, nil, 2], unit: .count, stepSeconds: 1)
    page.clients = [.init(evil, count: .infinity)]
    page.findings = [.init(.grave, evil)]
    page.events = [.init(seconds: .nan, workload: evil, node: evil, kind: evil, summary: evil, level: .grave)]
    let text = text(page)
    GoldenPage.expectHarmless(text)
    // Title and heading, state, reason, fact twice, notice, figure's title twice, value and note, client, finding;
    // workload, kind and summary of the event.
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 17)
  }

  @Test func aSeriesIsBoundedAndHasGaps() {
    let long = TimeSeries((0..<1000).map { (index: Int) -> Double? in Double(index) }, unit: .count, stepSeconds: 1)
    #expect(long.points.count <= 120 && long.stepSeconds == 9 && long.points[0] == 4)
    #expect(TimeSeries([nil, .nan], unit: .count, stepSeconds: 1).range == nil)
    let line = SparkLine(series: TimeSeries([1, 2, nil, 3], unit: .count, stepSeconds: 10), title: "a").html.markup
    #expect(line.contains("<path d=\"M4 40h0L81.3 22M236 4h0\"/>"), "\(line)")
    #expect(line.contains("<title>a over 40 s: lowest 1, highest 3; 1 of 4 points are missing</title>"))
    let flat = SparkLine(series: TimeSeries([5, 5], unit: .count, stepSeconds: 10), title: "a").html.markup
    #expect(flat.contains("M4 22h0L236 22"))
  }

  @Test(arguments: [
    (0.0, "0"), (0.86213, "0.86213"), (12, "12"), (1234.5678, "1234.6"), (1.2e9, "1200000000"), (.infinity, "+Inf"),
    (-0.5, "-0.5"), (0.00042, "0.00042"),
  ])
  func numbers(value: Double, text: String) { #expect(number(value) == text) }
}
