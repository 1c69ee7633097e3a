import Alerting
import Runtime
import Storage
import Web

extension NotificationStore {
  /// What `/notifications` and `/api/v1/notifications` list.
  ///
  /// - Parameters:
  ///   - alert: its name; empty for all.
  ///   - page: from 1 through ``NotificationsPage/pageLimit``.
  func list(alert: String, page: Int) async -> ListPage<StoredNotification> {
    await .read(page, size: NotificationsPage.pageSize) { limit in
      await newest(NotificationQuery(alertname: alert.isEmpty ? nil : alert, limit: limit))
    }
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
