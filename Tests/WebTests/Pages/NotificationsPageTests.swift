import Testing

@testable import Web

@Suite struct NotificationsPageTests {
  static let now = AlertsPageTests.now

  static var receivers: [Receiver] {
    var good = Receiver("http://alertmanager-1:9093")
    good.lastSuccessSeconds = now - 20
    var cut = Receiver("http://alertmanager-2:9093")
    (cut.failingSinceSeconds, cut.lastSuccessSeconds, cut.waitingCount) = (now - 300, now - 310, 3)
    cut.problem = "connect: no connection to alertmanager-2:9093: Connection refused"
    var refusing = Receiver("http://alertmanager-3:9093")
    (refusing.failingSinceSeconds, refusing.isRefusing) = (now - 60, true)
    refusing.problem = "status_400: it answered 400: bad label"
    return [good, cut, refusing]
  }

  static var model: NotificationsPage {
    func notification(_ age: Double, _ state: String, _ outcome: String) -> NotificationsPage.Notification {
      NotificationsPage.Notification(
        seconds: now - age, alert: "RedisDown",
        labels: [("instance", "sessions-2"), ("severity", "critical"), ("workload", "sessions")], state: state,
        startSeconds: now - 400, receiver: "http://alertmanager-1:9093", outcome: outcome)
    }
    return NotificationsPage(
      metricsPath: "/metrics", receivers: receivers,
      notifications: [
        notification(90, "resolved", "accepted"), notification(399, "firing", "accepted"),
        notification(400, "firing", "rejected: it answered 400: bad label"),
      ], alert: "", page: 2, hasMore: true, nowSeconds: now)
  }

  private func text(_ page: NotificationsPage) -> String { GoldenPage.text(page.response()) }

  @Test func golden() {
    GoldenPage.expect(Self.model.response(), "notifications")
    GoldenPage.expectHarmless(text(Self.model))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    var page = Self.model
    page.receivers = [Receiver(evil)]
    (page.receivers[0].failingSinceSeconds, page.receivers[0].problem) = (.nan, evil)
    page.notifications = [
      .init(
        seconds: .infinity, alert: evil, labels: [(evil, evil)], state: evil, startSeconds: .nan, receiver: evil,
        outcome: evil)
    ]
    (page.alert, page.page) = (evil, 1)
    let text = text(page)
    GoldenPage.expectHarmless(text)
    // Address and problem; alert, state, outcome, receiver, label and value; the alert that is chosen.
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 10)
    #expect(text.contains("href=\"/notifications?alert=%3Cscript%3E"))
  }

  @Test func whatIsNotDeliveredIsABannerOnThePagesOfAlerts() {
    var topology = TopologyPage(version: "1", metricsPath: "/metrics", workloads: [], nowSeconds: Self.now)
    var alerts = AlertsPage(metricsPath: "/metrics", alerts: [], nowSeconds: Self.now)
    #expect(!GoldenPage.text(topology.response()).contains("class=\"banner"))
    topology.receivers = Self.receivers
    alerts.receivers = Self.receivers
    for page in [GoldenPage.text(topology.response()), GoldenPage.text(alerts.response())] {
      #expect(page.contains("role=\"alert\""))
      #expect(page.contains("<b>Alerts are not delivered to http://alertmanager-2:9093</b> since <time"))
      #expect(page.contains("Connection refused") && page.contains("<b>http://alertmanager-3:9093 refused alerts</b>"))
      #expect(!page.contains("alertmanager-1") && page.contains("href=\"/notifications\""))
    }
    alerts.receivers = Array(Self.receivers.prefix(1))
    #expect(!GoldenPage.text(alerts.response()).contains("class=\"banner"))
  }

  @Test func withoutStorageAndAlertmanagers() {
    var page = Self.model
    (page.receivers, page.notifications, page.notice) = ([], [], "Notifications are not kept.")
    #expect(text(page).contains("redline tells nobody of alerts") && text(page).contains("Notifications are not kept."))
  }
}

@Suite struct GraphPageTests {
  static let now = AlertsPageTests.now

  private func page(_ panels: GraphPage.Panel...) -> String {
    GoldenPage.text(GraphPage(metricsPath: "/metrics", panels: panels, nowSeconds: Self.now).response())
  }

  @Test func golden() {
    let rule = GraphPage.Rule(
      name: "RedisDown", group: "redis_availability", file: "alerts/availability.yml", state: "firing", hasRunbook: true
    )
    let page = GraphPage(
      metricsPath: "/metrics",
      panels: [
        .init(
          "redis_up == 0",
          .samples([
            .init(series: "redis_up{instance=\"sessions-2\", workload=\"sessions\"}", value: "0")
          ]), rules: [rule])
      ], nowSeconds: Self.now)
    GoldenPage.expect(page.response(), "graph")
    GoldenPage.expectHarmless(GoldenPage.text(page.response()))
  }

  @Test func everythingForeignIsEscaped() {
    let evil = GoldenPage.evil
    let rule = GraphPage.Rule(name: evil, group: evil, file: evil, state: "inactive", hasRunbook: true)
    let text = page(
      .init(evil, .samples([.init(series: evil, value: evil)]), rules: [rule]), .init(evil, .problem(evil), rules: []))
    GoldenPage.expectHarmless(text)
    #expect(text.split(separator: GoldenPage.escaped, omittingEmptySubsequences: false).count == 9)
  }

  @Test func itIsBounded() {
    let samples = (0..<500).map { GraphPage.Sample(series: "a\($0)", value: "1") }
    let rules = (0..<50).map {
      GraphPage.Rule(name: "R\($0)", group: "g", file: "f", state: "", hasRunbook: false)
    }
    let text = page(.init("a", .samples(samples), rules: rules))
    #expect(text.contains("300 further series are not listed") && text.contains("30 further rules are not listed"))
    #expect(page().contains("g0.expr"))
    #expect(page(.init("a", .samples([]), rules: [])).contains("It gives nothing now."))
    #expect(page(.init("a", .samples([]), rules: [])).contains("No rule that is loaded has this expression."))
  }
}
