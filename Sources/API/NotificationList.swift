import Alerting
import Runtime
import Storage
import Web

/// The notifications of one page, the newest first: what `/notifications` and `/api/v1/notifications` list.
struct NotificationList: Sendable {
  let notifications: [StoredNotification]
  let hasMore: Bool

  static let empty = NotificationList(notifications: [], hasMore: false)
}

extension NotificationStore {
  /// - Parameters:
  ///   - alert: its name; empty for all.
  ///   - page: from 1 through ``NotificationsPage/pageLimit``.
  func list(alert: String, page: Int) async -> NotificationList {
    let start = (page - 1) * NotificationsPage.pageSize
    // One more than is shown tells whether there are more.
    let found = await newest(
      NotificationQuery(alertname: alert.isEmpty ? nil : alert, limit: start + NotificationsPage.pageSize + 1))
    return NotificationList(
      notifications: Array(found.dropFirst(start).prefix(NotificationsPage.pageSize)),
      hasMore: found.count > start + NotificationsPage.pageSize)
  }
}

extension StoredNotification {
  /// The labels, sorted by name; those that were left out because they were too long are none.
  var labelPairs: [(name: String, value: String)] {
    guard let members = (try? JSONReader.value(Array(labels.utf8)))?.members else { return [] }
    return members.compactMap { member in member.value.string.map { (member.name, $0) } }.sorted { $0.0 < $1.0 }
  }
}

extension Receiver {
  init(_ state: DeliveryState) {
    self.init(state.alertmanager)
    failingSinceSeconds = state.trouble?.since.seconds
    problem = state.trouble?.problem ?? ""
    isRefusing = state.trouble?.isRefusal ?? false
    lastSuccessSeconds = state.lastSuccess?.seconds
    waitingCount = state.waitingCount
  }
}
