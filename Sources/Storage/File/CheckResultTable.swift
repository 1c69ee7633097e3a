/// The statements of the results of checks.
struct CheckResultTable {
  let database: Database

  /// Keeps a result; a run that is there already is left as it is.
  func insert(_ result: StoredCheckResult) throws(SQLiteError) {
    try database.run(
      """
      INSERT INTO check_results(name, workload, started_at_ms, ended_at_ms, verdict, report) VALUES(?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING
      """,
      [
        .text(result.check), .text(result.workload), .integer(result.startedAtMs), .integer(result.endedAtMs),
        .text(result.verdict), .text(result.report),
      ])
  }

  /// Removes the oldest results of whichever check and workload have the most, until no more than `count` are left: a check
  /// that runs all the time does not push out what one found that runs once a quarter.
  func prune(count: Int) throws(SQLiteError) {
    var surplus = try database.integer("SELECT count(*) FROM check_results") - Int64(count)
    while surplus > 0 {
      // Of a crowd of checks with one result each, the one goes that is oldest.
      try database.run(
        """
        DELETE FROM check_results WHERE id = (SELECT id FROM check_results
          WHERE (name, workload) = (SELECT name, workload FROM check_results
            GROUP BY name, workload ORDER BY count(*) DESC, max(ended_at_ms) LIMIT 1)
          ORDER BY ended_at_ms, id LIMIT 1)
        """)
      surplus -= 1
    }
  }

  /// The newest by their end first.
  func newest(_ query: CheckResultQuery) throws(SQLiteError) -> [StoredCheckResult] {
    var conditions = Conditions()
    conditions.require("name = ?", query.check.map { .text($0) })
    conditions.require("workload = ?", query.workload.map { .text($0) })
    // SQLite takes the other columns from the row with the maximum.
    conditions.require(
      """
      id IN (SELECT id FROM (SELECT id, max(ended_at_ms) FROM check_results GROUP BY name, workload)
        UNION SELECT id FROM (SELECT id, max(ended_at_ms) FROM check_results WHERE verdict <> ? GROUP BY name, workload))
      """, query.newestButOf.map { .text($0) })
    return try database.rows(
      "SELECT id, name, workload, started_at_ms, ended_at_ms, verdict, report FROM check_results\(conditions.sql)"
        + " ORDER BY ended_at_ms DESC, id DESC LIMIT ?",
      conditions.values + [.integer(Int64(query.boundedLimit))]
    ) { row in
      var result = StoredCheckResult(
        check: row.text(1), workload: row.text(2), startedAtMs: row.integer(3), endedAtMs: row.integer(4),
        verdict: row.text(5), report: row.text(6))
      result.id = row.integer(0)
      return result
    }
  }
}
