import Testing

@testable import Web

@Suite struct ChecksPageTests {
  private static let now = 1_800_000_000.0

  private static var page: ChecksPage {
    func entry(_ check: String, _ title: String, _ workload: String = "carts") -> ChecksPage.Entry {
      var entry = ChecksPage.Entry(workload: workload, check: check, title: title)
      entry.command = "redline \(check) /etc/redline/redline.yml --workload \(workload)"
      return entry
    }
    var backup = entry("backup", "The backup can be restored")
    backup.objectiveSeconds = 31 * 86_400
    backup.newest = .init(
      verdict: "ok", startSeconds: now - 90_000, endSeconds: now - 89_988,
      numbers: [("keys_db0", 141_000), ("load_seconds", 12.25)],
      lines: [.init("ok", "dump.rdb was loaded in 12.3 s"), .init("ok", "141,000 keys in db0, as many as at its time")])
    var drill = entry("drill", "A failover goes as it should")
    (drill.objectiveSeconds, drill.overdueSeconds) = (92 * 86_400, 8 * 86_400)
    var load = entry("load", "It bears the load", "pages")
    load.newest = .init(
      verdict: "finding", startSeconds: now - 1200, endSeconds: now - 600,
      lines: [
        .init("finding", "p99 was 41 ms at 3 times the load; the objective is 10 ms"), .init("unknown", "no factor"),
      ])
    var ready = entry("ready", "It is ready for a peak")
    ready.newest = .init(verdict: "unknown", startSeconds: now - 60, endSeconds: now - 50)
    ready.lastVerdict = ("ok", now - 9000)
    var page = ChecksPage([backup, drill, load, ready], metricsPath: "/metrics", nowSeconds: now)
    page.workloads = ["carts", "pages"]
    page.refused = [
      .init(seconds: now - 30, name: "cut.json", reason: "the result is no JSON: 1:2: a name is expected")
    ]
    return page
  }

  @Test func golden() { GoldenPage.expect(Self.page.response(), "checks") }

  @Test func saysWhatToDoWhereNothingIsVerified() {
    var page = ChecksPage([], metricsPath: "/metrics", nowSeconds: Self.now)
    page.notice = "Checks are for a fleet."
    let text = GoldenPage.text(page.response())
    #expect(text.contains("Nothing was verified yet") && text.contains("Checks are for a fleet."))
  }

  /// What commands and files say is text.
  @Test func nothingIsMarkup() {
    var page = Self.page
    page.entries[0].newest?.lines = [.init("ok", GoldenPage.evil)]
    page.entries[1].command = GoldenPage.evil
    page.entries[2].workload = GoldenPage.evil
    page.refused[0].name = GoldenPage.evil
    page.refused[0].reason = GoldenPage.evil
    page.workload = GoldenPage.evil
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test(arguments: [Double.nan, .infinity, -1, 1e300])
  func extremeNumbers(value: Double) {
    var page = Self.page
    page.entries[0].newest?.numbers = [("x", value)]
    page.entries[0].newest?.endSeconds = value
    page.entries[1].overdueSeconds = value
    page.entries[2].objectiveSeconds = value
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test func manyChecksAreBounded() {
    var page = Self.page
    page.entries = .init(repeating: page.entries[0], count: 500)
    #expect(GoldenPage.text(page.response()).contains("300 further checks are not listed"))
  }
}
