import Runtime
import Storage
import Web

extension Pages {
  func notifications(_ request: Request) async -> Response {
    let alert = request.queryValue("alert") ?? ""
    let number = min(max(Int(request.queryValue("page") ?? "") ?? 1, 1), NotificationsPage.pageLimit)
    let list = await told?.list(alert: alert, page: number) ?? .empty
    var page = NotificationsPage(
      metricsPath: metricsPath, receivers: receivers, notifications: list.elements.map { .init($0) }, alert: alert,
      page: number, hasMore: list.hasMore, nowSeconds: WallTime.now.seconds)
    if told == nil { page.notice = "Notifications are not kept: start redline with --storage.path." }
    return page.response()
  }

  /// The Alertmanagers, and whether alerts reach them.
  var receivers: [Receiver] { api?.judging.deliveries().map { Receiver($0) } ?? [] }

  private var told: NotificationStore? { api?.notifications }
}

extension NotificationsPage.Notification {
  init(_ stored: StoredNotification) {
    self.init(
      seconds: Double(stored.atMs) / 1000, alert: stored.alertname,
      labels: stored.labelPairs.filter { $0.name != "alertname" }, state: stored.state,
      startSeconds: Double(stored.startsAtMs) / 1000, receiver: stored.alertmanager, outcome: stored.outcome)
  }
}
