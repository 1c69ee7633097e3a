import Testing

@testable import Web

@Suite struct AuditPageTests {
  private static let now = 1_800_000_000.0

  private static var page: AuditPage {
    var carts = AuditPage.Workload("carts")
    (carts.serverCount, carts.lookedOverCount) = (3, 3)
    (carts.oldestLookSeconds, carts.intervalSeconds) = (now - 1200, 3600)
    var open = AuditPage.Entry(
      .grave, "critical", check: "open-login", text: "asks nobody to log in", servers: ["10.0.0.1:6379"])
    open.sinceSeconds = now - 900
    var wide = AuditPage.Entry(
      .warning, "warning", check: "bind-wide", text: "listens on *",
      servers: (1...12).map { "10.0.0.\($0):6379" })
    (wide.isKnown, wide.sinceSeconds) = (true, now - 86_400)
    let unused = AuditPage.Entry(.note, "info", check: "user-unused", text: "has users", servers: ["10.0.0.2:6379"])
    carts.findings = [open, wide, unused]
    carts.unknown = [
      .init(.note, "unknown", check: "danger-reach", text: "+acl|dryrun", servers: ["10.0.0.3:6379"])
    ]
    carts.asides = [
      .init(
        .good, "accepted", check: "tls-off", text: "is asked without TLS; accepted until 2027-03-31: the mesh encrypts",
        servers: ["10.0.0.1:6379"])
    ]
    var pages = AuditPage.Workload("pages")
    pages.serverCount = 2
    var page = AuditPage([carts, pages], metricsPath: "/metrics", nowSeconds: now)
    page.names = ["carts", "pages"]
    return page
  }

  @Test func golden() { GoldenPage.expect(Self.page.response(), "audit") }

  @Test func saysThatNobodyLookedYet() {
    var page = AuditPage([AuditPage.Workload("carts")], metricsPath: "/metrics", nowSeconds: Self.now)
    page.notice = "The audit is for a fleet."
    let text = GoldenPage.text(page.response())
    #expect(text.contains("No server was looked over yet") && text.contains("The audit is for a fleet."))
  }

  /// What servers say is text.
  @Test func nothingIsMarkup() {
    var page = Self.page
    page.workloads[0].findings[0].text = GoldenPage.evil
    page.workloads[0].findings[0].servers = [GoldenPage.evil]
    page.workloads[0].unknown[0].text = GoldenPage.evil
    page.workloads[0].asides[0].check = GoldenPage.evil
    page.workloads[1].name = GoldenPage.evil
    page.workload = GoldenPage.evil
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test(arguments: [Double.nan, .infinity, -1, 1e300])
  func extremeNumbers(value: Double) {
    var page = Self.page
    page.workloads[0].oldestLookSeconds = value
    page.workloads[0].intervalSeconds = value
    page.workloads[0].findings[0].sinceSeconds = value
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test func manyFindingsAreBounded() {
    var page = Self.page
    page.workloads[0].findings = .init(repeating: page.workloads[0].findings[0], count: 500)
    #expect(GoldenPage.text(page.response()).contains("300 more are not listed"))
  }
}
