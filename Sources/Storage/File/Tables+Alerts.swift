/// The statements of alerts and notifications.
extension Database {
  // MARK: Alerts

  func write(_ batch: StoredAlerts.Batch) throws(SQLiteError) {
    if batch.removesAll { try run("DELETE FROM alerts") }
    for key in batch.removed {
      try run("DELETE FROM alerts WHERE rule = ? AND labels = ?", [.text(key.rule), .text(key.labels)])
    }
    for record in batch.written { try write(record) }
  }

  /// Keeps the alert in place of the one with its rule and labels.
  private func write(_ record: StoredAlert) throws(SQLiteError) {
    try run(
      """
      INSERT INTO alerts(rule, labels, annotations, value, value_bits, state, active_at_ms, fired_at_ms, resolved_at_ms,
        keep_firing_since_ms, last_sent_at_ms)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(rule, labels) DO UPDATE SET
        annotations = excluded.annotations, value = excluded.value, value_bits = excluded.value_bits,
        state = excluded.state, active_at_ms = excluded.active_at_ms, fired_at_ms = excluded.fired_at_ms,
        resolved_at_ms = excluded.resolved_at_ms, keep_firing_since_ms = excluded.keep_firing_since_ms,
        last_sent_at_ms = excluded.last_sent_at_ms
      """,
      [
        .text(record.rule), .text(record.labels), .text(record.annotations),
        record.value.isNaN ? .null : .real(record.value), .integer(Int64(bitPattern: record.valueBits)),
        .text(record.state), .integer(record.activeAtMs), .integer(record.firedAtMs), .integer(record.resolvedAtMs),
        .integer(record.keepFiringSinceMs), .integer(record.lastSentAtMs),
      ])
  }

  func alerts() throws(SQLiteError) -> [StoredAlert] {
    try rows(
      """
      SELECT rule, labels, annotations, value_bits, state, active_at_ms, fired_at_ms, resolved_at_ms,
        keep_firing_since_ms, last_sent_at_ms
      FROM alerts
      """
    ) { row in
      StoredAlert(
        rule: row.text(0), labels: row.text(1), annotations: row.text(2),
        value: Double(bitPattern: UInt64(bitPattern: row.integer(3))), state: row.text(4), activeAtMs: row.integer(5),
        firedAtMs: row.optionalInteger(6), resolvedAtMs: row.optionalInteger(7),
        keepFiringSinceMs: row.optionalInteger(8), lastSentAtMs: row.optionalInteger(9))
    }
  }

  // MARK: Notifications

  func insert(_ record: StoredNotification) throws(SQLiteError) {
    try run(
      """
      INSERT INTO notifications(at_ms, alertname, labels, state, startsat_ms, endsat_ms, alertmanager, outcome)
      VALUES(?, ?, ?, ?, ?, ?, ?, ?)
      """,
      [
        .integer(record.atMs), .text(record.alertname), .text(record.labels), .text(record.state),
        .integer(record.startsAtMs), .integer(record.endsAtMs), .text(record.alertmanager), .text(record.outcome),
      ])
  }

  /// Removes the notifications from before `beforeMs`, and the oldest written ones of more than `count`.
  ///
  /// - Returns: how many.
  func pruneNotifications(beforeMs: Int64, count: Int) throws(SQLiteError) -> Int {
    try remove("notifications WHERE at_ms < ?", [.integer(beforeMs)])
      + remove(
        "notifications WHERE id <= (SELECT id FROM notifications ORDER BY id DESC LIMIT 1 OFFSET ?)",
        [.integer(Int64(count))])
  }

  /// The newest notifications by time first.
  func notifications(_ query: NotificationQuery) throws(SQLiteError) -> [StoredNotification] {
    var conditions = Conditions()
    conditions.require("alertname = ?", query.alertname.map { .text($0) })
    conditions.require("state = ?", query.state.map { .text($0) })
    conditions.require("alertmanager = ?", query.alertmanager.map { .text($0) })
    conditions.require("outcome = ?", query.outcome.map { .text($0) })
    conditions.require("at_ms >= ?", query.sinceMs.map { .integer($0) })
    conditions.require("at_ms <= ?", query.untilMs.map { .integer($0) })
    conditions.require(
      "CASE WHEN json_valid(labels) THEN json_extract(labels, '$.workload') END = ?", query.workload.map { .text($0) })
    return try rows(
      "SELECT id, at_ms, alertname, labels, state, startsat_ms, endsat_ms, alertmanager, outcome FROM notifications"
        + "\(conditions.sql) ORDER BY at_ms DESC, id DESC LIMIT ?",
      conditions.values + [.integer(Int64(query.boundedLimit))]
    ) { row in
      var record = StoredNotification(
        atMs: row.integer(1), alertname: row.text(2), labels: row.text(3), state: row.text(4),
        startsAtMs: row.integer(5), endsAtMs: row.optionalInteger(6), alertmanager: row.text(7), outcome: row.text(8))
      record.id = row.integer(0)
      return record
    }
  }
}
