import Testing

@testable import Web

@Suite struct EventsPageTests {
  static let now = AlertsPageTests.now

  static var failover: EventsPage.Event {
    var event = EventsPage.Event(
      seconds: now - 600, workload: "sessions", node: "sessions-2", kind: "failover",
      summary: "automatic failover of sessions from sessions-1 to sessions-2", level: .warning)
    event.phases = [
      ("sdown", 610.0), ("odown", 609.9), ("try", 609.8), ("elected", 609.2), ("selected", 609.1), ("promoted", 608.1),
      ("switch", 607.4), ("end", 607.0),
    ].map { EventsPage.Phase($0.0, seconds: now - $0.1) }
    event.outageSeconds = 2.6
    event.lost = "at most about 4100 bytes (about 41 writes) were lost"
    event.clients = [.init("sessions-1", before: 48, after: 0), .init("sessions-2", before: 2, after: nil)]
    return event
  }

  private static func model(_ filter: EventsPage.Filter = .init()) -> EventsPage {
    let restart = EventsPage.Event(
      seconds: now - 90_000, workload: "cache", node: "cache-1", kind: "restart", summary: "cache-1 was started anew",
      level: .warning)
    var page = EventsPage(
      metricsPath: "/metrics", filter: filter, events: [failover, restart], hasMore: true,
      workloads: ["cache", "queues", "sessions"], kinds: ["role_change", "failover", "restart"], nowSeconds: now)
    page.nodes = ["sessions-2", "cache-1"]
    return page
  }

  private func text(_ page: EventsPage) -> String { GoldenPage.text(page.response()) }

  @Test func golden() { GoldenPage.expect(Self.model().response(), "events") }

  @Test func aFailoverTellsItsPhasesAndClients() {
    let page = text(Self.model())
    for part in [
      "<b>failover</b> · sessions · <a href=\"/node/sessions-2\">sessions-2</a>", "of the new one: 2.6 s",
      "<p>At most about 4100 bytes (about 41 writes) were lost.</p>",
      "<li>sdown at 03:34:40</li>", "<li>promoted <span class=\"dim\">after 1.0 s</span></li>",
      "<td>sessions-1</td><td>48</td><td>0</td>", "<td>sessions-2</td><td>2</td><td>–</td>", "(25 h ago)",
    ] { #expect(page.contains(part), "\(part)") }
    #expect(page.split(separator: "<rect ").count == 8)
  }

  @Test func filtersAndPagesKeepOneAnother() {
    var filter = EventsPage.Filter()
    (filter.workload, filter.node, filter.kind, filter.page) = ("a&b", "n/1", "failover", 3)
    let page = text(Self.model(filter))
    #expect(page.contains("href=\"/events?workload=a%26b&amp;node=n%2F1&amp;kind=failover&amp;page=4\">Older"))
    #expect(page.contains("href=\"/events?workload=a%26b&amp;node=n%2F1&amp;kind=failover&amp;page=2\">Newer"))
    #expect(page.contains("href=\"/events?workload=a%26b&amp;kind=failover\">Of all nodes"))
    #expect(page.contains("href=\"/events?workload=a%26b&amp;node=n%2F1&amp;kind=restart\""))
    #expect(!text(Self.model()).contains("Newer"))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var filter = EventsPage.Filter()
    (filter.workload, filter.node, filter.kind) = (evil, evil, evil)
    var page = Self.model(filter)
    page.workloads = [evil, "b"]
    page.kinds = [evil]
    var event = EventsPage.Event(
      seconds: -1, workload: evil, node: evil, kind: evil, summary: evil, level: .grave)
    event.phases = [.init(evil, seconds: 2), .init(evil, seconds: 1)]
    event.clients = [.init(evil, before: nil, after: .max)]
    page.events = [event]
    let text = text(page)
    GoldenPage.expectHarmless(text)
    // Workload, kind and node as filters; workload, node, kind, summary, two phases and a client.
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 11)
  }

  @Test func withoutEvents() {
    var page = Self.model()
    page.events = []
    #expect(text(page).contains("No event is kept that matches."))
    page.notice = "Events are not kept."
    #expect(text(page).contains("Events are not kept."))
  }

  @Test(arguments: [
    (0.0, "1970-01-01 00:00:00"), (951_782_399, "2000-02-28 23:59:59"), (951_782_400, "2000-02-29 00:00:00"),
    (1_795_837_490.9, "2026-11-28 03:44:50"), (-5, "1970-01-01 00:00:00"), (.nan, "1970-01-01 00:00:00"),
    (253_402_300_799, "9999-12-31 23:59:59"), (1e300, "1970-01-01 00:00:00"),
  ])
  func moments(seconds: Double, text: String) { #expect(utc(seconds) == text) }
}
