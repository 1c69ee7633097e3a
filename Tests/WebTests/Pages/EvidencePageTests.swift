import Runtime
import Testing

@testable import Web

@Suite struct EvidencePageTests {
  private static let now = AlertsPageTests.now

  private static var record: EvidencePage.Record {
    var record = EvidencePage.Record(
      id: "30enij4pe5ia0", alert: "RedisLatencyP99High", severity: "warning", workload: "cache", node: "10.0.0.1:6379",
      seconds: now - 400)
    record.firedSeconds = now - 340
    record.otherAlerts = ["RedisSlowCommandShare"]
    record.culprits = [
      EvidencePage.Culprit(
        "KEYS from job-7 of 10.2.0.0/24 took 4.8 s at 00:23:19, 3 s before", restsOn: "slow log of 10.0.0.1:6379"),
      EvidencePage.Culprit("expire-cycle held it for 240 ms", restsOn: "LATENCY of 10.0.0.1:6379"),
    ]
    return record
  }

  private static var page: EvidencePage {
    func look(_ reason: String, seconds: Double, clients: Double, isSilent: Bool = false) -> EvidencePage.Look {
      let slow = EvidencePage.Section(
        "Slow log", lines: ["1 since 00:08:22, the longest 4.8 s"], columns: ["command", "client", "longest"],
        rows: [["KEYS", "job-7 of 10.2.0.0/24", "4.8 s"]], omittedRowCount: 3)
      let node = EvidencePage.Node(
        "10.0.0.1:6379", role: "master", silence: isSilent ? "timeout: no answer" : nil,
        figures: isSilent
          ? []
          : [
            .init("connections", unit: "count", value: clients), .init("memory in use", unit: "bytes", value: 9.1e8),
            .init("new connections", unit: "per_second", value: clients / 40),
            .init("last fork", unit: "seconds", value: 0.012), .init("share", unit: "ratio", value: 0.91),
          ], sections: isSilent ? [] : [slow])
      return EvidencePage.Look(
        reason, seconds: seconds, nodes: [node],
        sections: [.init("What redline finds", lines: ["warning: <b>slow</b>"])])
    }
    var page = EvidencePage(
      record,
      looks: [
        look("when it became pending", seconds: now - 400, clients: 0, isSilent: true),
        look("when it fired", seconds: now - 340, clients: 400),
        look("five minutes later", seconds: now - 40, clients: 40),
      ], metricsPath: "/metrics", nowSeconds: now)
    (page.nodes, page.workloads, page.runbookNames) = (["10.0.0.1:6379"], ["cache"], ["RedisLatencyP99High"])
    (page.isCut, page.limits) = (true, (500, 90))
    return page
  }

  @Test func golden() { GoldenPage.expect(Self.page.response(), "evidence") }

  @Test func listGolden() {
    var quiet = EvidencePage.Record(
      id: "b", alert: "RedisDown", severity: "critical", workload: "sessions", node: nil, seconds: Self.now - 9000)
    quiet.culprits = []
    var page = EvidenceListPage([Self.record, quiet], metricsPath: "/metrics", nowSeconds: Self.now)
    (page.workloads, page.workload, page.limits) = (["cache", "sessions"], "", (500, 90))
    GoldenPage.expect(page.response(), "evidence-list")
  }

  @Test func saysWhenThereIsNothing() {
    var page = EvidenceListPage([], metricsPath: "/metrics", nowSeconds: Self.now)
    page.notice = "Evidence is gathered where rules are evaluated."
    #expect(GoldenPage.text(page.response()).contains("Evidence is gathered where rules are evaluated."))
    var one = Self.page
    (one.record.culprits, one.looks, one.isOpen) = ([], [], true)
    let text = GoldenPage.text(one.response())
    #expect(
      text.contains("Nothing: no command") && text.contains("Nothing is gathered yet.") && text.contains("another look")
    )
  }

  /// What servers say is text.
  @Test func nothingIsMarkup() {
    var page = Self.page
    page.record.culprits = [EvidencePage.Culprit("<script>x</script>", restsOn: "<b>")]
    page.record.node = "\"><script>"
    page.looks[1].nodes[0].sections[0].rows = [["<img x>", "&", "'"]]
    let text = GoldenPage.text(page.response())
    GoldenPage.expectHarmless(text)
    #expect(!text.contains("<script>x") && !text.contains("<img"))
    // Links are links.
    #expect(!GoldenPage.text(Self.page.response()).contains("&lt;a href"))
  }

  @Test(arguments: [Double.nan, .infinity, -1, 1e300])
  func extremeNumbers(value: Double) {
    var page = Self.page
    for unit in ["count", "bytes", "seconds", "ratio", "per_second"] {
      page.looks[1].nodes[0].figures.append(.init(unit, unit: unit, value: value))
      page.looks[2].nodes[0].figures.append(.init(unit, unit: unit, value: 1))
    }
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }
}
