/// What the Alertmanagers were told, for people: appended, removed by age and count.
public struct NotificationStore: Sendable {
  let store: Store

  /// Keeps notifications; of more than `StoreOptions.notificationCount` the oldest are removed.
  public func append(_ records: [StoredNotification]) { store.change { $0.append(records) } }

  /// The newest notifications that match, by time, the newest first; also those that are not in the file yet.
  public func newest(_ query: NotificationQuery = NotificationQuery()) async -> [StoredNotification] {
    await store.newest(query)
  }
}
