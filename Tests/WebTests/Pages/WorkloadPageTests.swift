import Testing

@testable import Web

/// The page of one workload: its figures over time, with what happened meanwhile.
@Suite struct WorkloadPageTests {
  private static let now = 1_764_376_000.0

  private func page() -> WorkloadPage {
    var workload = TopologyPage.Workload(
      "sessions", state: .critical, traits: ["session", "sentinel"], presentCount: 2, expectedCount: 3)
    workload.stateAgeSeconds = 14
    var finding = TopologyPage.Finding(.grave, "no master answers")
    finding.sinceSeconds = Self.now - 14
    workload.findings = [finding]
    var page = WorkloadPage(workload, metricsPath: "/metrics", nowSeconds: Self.now)
    let rising = (0..<120).map { index -> Double? in index == 60 ? nil : 0.3 + 0.004 * Double(index) }
    page.figures = [
      .init(
        "Memory of maxmemory, the fullest member", TimeSeries(rising, unit: .ratio, stepSeconds: 30), objective: 0.85),
      .init("Clients", TimeSeries([210, 211, 90], unit: .count, stepSeconds: 1200)),
    ]
    page.forecast = Forecast(rising, stepSeconds: 30, limit: 1)
    page.events = [
      .init(
        seconds: Self.now - 12, workload: "sessions", node: "", kind: "failover",
        summary: "automatic failover of sessions from sessions-1 to sessions-2", level: .warning),
      .init(
        seconds: Self.now - 14, workload: "sessions", node: "sessions-1", kind: "unreachable",
        summary: "sessions-1 does not answer", level: .grave),
    ]
    return page
  }

  @Test func golden() { GoldenPage.expect(page().response(), "workload") }

  @Test func whatIsForeignIsEscaped() {
    var page = page()
    page.workload.name = GoldenPage.evil
    page.events[0].summary = GoldenPage.evil
    page.notice = GoldenPage.evil
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test func withoutSamples() {
    var page = page()
    page.figures = [.init("Clients", TimeSeries([nil, nil], unit: .count, stepSeconds: 30))]
    (page.events, page.forecast) = ([], nil)
    let text = GoldenPage.text(page.response())
    #expect(text.contains("no samples in this span") && text.contains("<p class=\"dim\">none</p>"))
    #expect(!text.contains("Memory is full"))
  }

  @Test(
    arguments: [
      (0.43, TimeSeries.Unit.ratio, 1), (3, .count, 5), (211, .count, 500), (0.0012, .seconds, 0.002),
      (0, .perSecond, 1),
      (1000, .perSecond, 1000),
    ] as [(Double, TimeSeries.Unit, Double)])
  func theAxisEndsAtARoundNumber(value: Double, unit: TimeSeries.Unit, top: Double) {
    #expect(abs(Chart.top(of: value, unit) - top) < 1e-9)
  }

  @Test(arguments: [Double.infinity, .nan, -1, 1e300, 1e-300]) func anyNumberHasAnAxis(value: Double) {
    #expect(Chart.top(of: value, .seconds) > 0)
    let chart = Chart(
      title: "t", series: TimeSeries([value, 1], unit: .seconds, stepSeconds: 1), objective: value, marks: [])
    #expect(!chart.html.markup.contains("nan"))
  }
}

@Suite struct ForecastTests {
  private func line(_ slope: Double, noise: Double = 0) -> [Double?] {
    (0..<60).map { 0.2 + slope * Double($0) + ($0.isMultiple(of: 2) ? noise : -noise) }
  }

  @Test func aStraightRiseIsFollowedToItsEnd() throws {
    let forecast = try #require(Forecast(line(0.01), stepSeconds: 60, limit: 1))
    // From 0.79 at 0.01 a minute.
    #expect(abs(forecast.seconds - 21 * 60) < 1 && forecast.fittedSeconds == 59 * 60)
  }

  @Test func whatDoesNotFitIsNotFollowed() {
    #expect(Forecast(line(0), stepSeconds: 60, limit: 1) == nil, "level")
    #expect(Forecast(line(-0.001), stepSeconds: 60, limit: 1) == nil, "falling")
    #expect(Forecast(line(0.001, noise: 0.2), stepSeconds: 60, limit: 1) == nil, "up and down")
    #expect(Forecast(Array(line(0.01).prefix(10)), stepSeconds: 60, limit: 1) == nil, "too few points")
    #expect(Forecast(line(0.0001), stepSeconds: 60, limit: 1) == nil, "too far off")
    #expect(Forecast(line(0.02), stepSeconds: 60, limit: 1) == nil, "already there")
    let step: [Double?] = Array(repeating: 0.2, count: 50) + Array(repeating: 0.5, count: 10)
    #expect(Forecast(step, stepSeconds: 60, limit: 1) == nil, "a leap")
  }
}
