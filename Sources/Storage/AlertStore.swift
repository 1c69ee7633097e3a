/// The alerts of a store, so that `for`, resends and the start of an episode go on after a restart.
///
/// What must be durable before it is told to others: change it, wait for `Store.flush()`, then tell.
public struct AlertStore: Sendable {
  let store: Store

  /// Every alert: those the file had, with what was changed since the start. Sorted by rule and labels.
  public func all() -> [StoredAlert] {
    store.change { Array($0.alerts.records.values) }.sorted { ($0.rule, $0.labels) < ($1.rule, $1.labels) }
  }

  /// Whether the alerts of the last run are in `all()`. False while the file could not be read since the start.
  public var isRestored: Bool { store.change { $0.isAdopted } }

  /// Says that it is decided what the alerts of the last run mean. Those of a file that can be read only later are then
  /// forgotten: their episode is over, or has restarted in memory.
  public func settle() { store.change { $0.settleAlerts() } }

  /// Keeps alerts, each in place of the one with its rule and labels. What is as it was is not written again.
  public func put(_ records: [StoredAlert]) { store.change { $0.put(records) } }

  /// Forgets an alert.
  public func remove(rule: String, labels: String) { store.change { $0.removeAlert(rule: rule, labels: labels) } }

  /// Forgets the alerts of all rules but these, also those of a file that can be read only later.
  public func removeRules(notIn rules: Set<String>) { store.change { $0.removeAlerts(ofRulesNotIn: rules) } }
}
