// MARK: Alerts

extension StoreRecords {
  /// Keeps alerts, each in place of the one with its rule and labels. What is as it was is not written again.
  public mutating func put(_ records: [StoredAlert]) {
    sequence += 1
    for record in records { alerts.put(record, sequence: sequence) }
  }

  /// Forgets an alert.
  public mutating func removeAlert(rule: String, labels: String) {
    sequence += 1
    alerts.remove(StoredAlert.Key(rule: rule, labels: labels), sequence: sequence)
  }

  /// Forgets the alerts of all rules but these, also those of a file that can be read only later.
  public mutating func removeAlerts(ofRulesNotIn rules: Set<String>) {
    sequence += 1
    alerts.removeRules(notIn: rules, sequence: sequence)
  }

  /// Says that it is decided what the alerts of the last run mean: see `AlertStore.settle()`.
  public mutating func settleAlerts() { alerts.settle() }
}

// MARK: Notifications

extension StoreRecords {
  struct PendingNotification {
    let sequence: UInt64
    let record: StoredNotification
  }

  /// Keeps notifications.
  public mutating func append(_ records: [StoredNotification]) {
    sequence += 1
    pendingNotifications += records.map { PendingNotification(sequence: sequence, record: $0) }
    let surplus = pendingNotifications.count - pendingLimit
    guard surplus > 0 else { return }
    droppedNotifications += surplus
    pendingNotifications.removeFirst(surplus)
  }
}
