/// The statements of evidence.
struct EvidenceTable {
  let database: Database

  /// Keeps the evidence in place of the one with its id.
  func write(_ record: StoredEvidence) throws(SQLiteError) {
    try database.run(
      """
      INSERT INTO evidence(id, workload, node, alert, at_ms, fired_at_ms, head, body) VALUES(?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(id) DO UPDATE SET fired_at_ms = excluded.fired_at_ms, head = excluded.head, body = excluded.body
      """,
      [
        .text(record.id), .text(record.workload), .text(record.node), .text(record.alert), .integer(record.atMs),
        .integer(record.firedAtMs), .text(record.head), .blob(record.body),
      ])
  }

  /// Removes what is older than `beforeMs`, and the oldest of more than `count`, that of alerts that never fired first.
  ///
  /// - Returns: how many.
  @discardableResult
  func prune(beforeMs: Int64, count: Int) throws(SQLiteError) -> Int {
    try database.remove("evidence WHERE at_ms < ?", [.integer(beforeMs)])
      + database.remove(
        """
        evidence WHERE id IN (SELECT id FROM evidence
          ORDER BY fired_at_ms IS NULL, at_ms DESC, rowid DESC LIMIT -1 OFFSET ?)
        """, [.integer(Int64(count))])
  }

  /// The newest first.
  func newest(_ query: EvidenceQuery) throws(SQLiteError) -> [StoredEvidence] {
    var conditions = Conditions()
    conditions.require("id = ?", query.id.map { .text($0) })
    conditions.require("workload = ?", query.workload.map { .text($0) })
    conditions.require("node = ?", query.node.map { .text($0) })
    conditions.require("alert = ?", query.alert.map { .text($0) })
    conditions.require("at_ms >= ?", query.sinceMs.map { .integer($0) })
    conditions.require("at_ms <= ?", query.untilMs.map { .integer($0) })
    let body = query.hasBodies ? "body" : "NULL"
    return try database.rows(
      "SELECT id, workload, node, alert, at_ms, fired_at_ms, head, \(body) FROM evidence\(conditions.sql)"
        + " ORDER BY at_ms DESC, rowid DESC LIMIT ?",
      conditions.values + [.integer(Int64(query.boundedLimit))]
    ) { row in
      StoredEvidence(
        id: row.text(0), workload: row.text(1), node: row.text(2), alert: row.text(3), atMs: row.integer(4),
        firedAtMs: row.optionalInteger(5), head: row.text(6),
        body: row.bytes(7, limit: StoreLimits.evidenceBytes) ?? [])
    }
  }
}
