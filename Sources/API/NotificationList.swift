import Alerting
import Runtime
import Storage
import Web

extension NotificationStore {
  /// What `/notifications` and `/api/v1/notifications` list.
  ///
  /// - Parameters:
  ///   - alert: its name; empty for all.
  ///   - workload: of the alerts; empty for all.
  ///   - span: milliseconds since 1970, both included; nil for as far as they are kept.
  ///   - page: from 1 through ``NotificationsPage/pageLimit``.
  func list(
    alert: String, workload: String = "", span: (from: Int64?, to: Int64?) = (nil, nil), page: Int
  ) async -> ListPage<StoredNotification> {
    await .read(page, size: NotificationsPage.pageSize) { limit in
      await newest(
        NotificationQuery(
          alertname: alert.isEmpty ? nil : alert, workload: workload.isEmpty ? nil : workload, sinceMs: span.from,
          untilMs: span.to, limit: limit))
    }
  }

  /// Since when all that were told are kept; nil where that is not known.
  ///
  /// - Parameter begin: when the file began to be filled.
  func keptSince(begin: WallTime?) async -> WallTime? {
    guard let oldest = await newest(NotificationQuery(limit: Self.keptLimit)).last else { return begin }
    let at = WallTime(epochMs: oldest.atMs)
    // Without the first that was written, some were removed.
    return oldest.id > 1 ? at : begin.map { min($0, at) } ?? at
  }

  private static let keptLimit = StoreOptions().notificationCount
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
