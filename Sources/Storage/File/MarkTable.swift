/// The statements of marks.
struct MarkTable {
  let database: Database

  /// Keeps a mark; one that is there already is left as it is.
  func insert(_ mark: StoredMark) throws(SQLiteError) {
    try database.run(
      """
      INSERT INTO marks(id, at_ms, until_ms, workload, node, kind, text, tags) VALUES(?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING
      """,
      [
        .integer(mark.id), .integer(mark.atMs), .integer(mark.untilMs), .text(mark.workload), .text(mark.node),
        .text(mark.kind), .text(mark.text), .text(mark.tags),
      ])
  }

  /// Removes marks from before `beforeMs`, and the oldest of more than `count`.
  ///
  /// - Returns: how many.
  @discardableResult
  func prune(beforeMs: Int64, count: Int) throws(SQLiteError) -> Int {
    try database.remove("marks WHERE at_ms < ?", [.integer(beforeMs)])
      + database.remove(
        "marks WHERE id IN (SELECT id FROM marks ORDER BY id DESC LIMIT -1 OFFSET ?)", [.integer(Int64(count))])
  }

  /// The oldest first.
  func all() throws(SQLiteError) -> [StoredMark] {
    try database.rows(
      "SELECT id, at_ms, until_ms, workload, node, kind, text, tags FROM marks ORDER BY id LIMIT ?",
      [.integer(Int64(StoreLimits.marks))]
    ) { row in
      StoredMark(
        id: row.integer(0), atMs: row.integer(1), untilMs: row.optionalInteger(2), workload: row.text(3),
        node: row.text(4), kind: row.text(5), text: row.text(6), tags: row.text(7))
    }
  }
}
