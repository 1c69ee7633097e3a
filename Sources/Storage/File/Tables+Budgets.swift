/// The statements of error budgets.
extension Database {
  /// Writes a row in place of the one with its key.
  func write(_ row: StoredBudget) throws(SQLiteError) {
    // Not REPLACE: the row stays where it is, and its place in the index, too.
    try run(
      """
      INSERT INTO budgets(step_seconds, start_seconds, workload, amounts) VALUES(?, ?, ?, ?)
      ON CONFLICT(step_seconds, start_seconds, workload) DO UPDATE SET amounts = excluded.amounts
      """,
      [
        .integer(row.key.stepSeconds), .integer(row.key.startSeconds), .text(row.key.workload), .blob(row.amounts),
      ])
  }

  /// Removes rows that are older than each step is kept, and the oldest of more than `count`.
  ///
  /// - Returns: how many.
  func pruneBudgets(nowSeconds: Int64, count: Int) throws(SQLiteError) -> Int {
    var removed = 0
    for (step, keptSeconds) in [(60, StoreLimits.budgetMinutesSeconds), (3600, StoreLimits.budgetHoursSeconds)] {
      removed += try remove(
        "budgets WHERE step_seconds = ? AND start_seconds < ?",
        [.integer(Int64(step)), .integer(nowSeconds - keptSeconds)])
    }
    let surplus = try integer("SELECT count(*) FROM budgets") - Int64(count)
    guard surplus > 0 else { return removed }
    return removed
      + (try remove(
        """
        budgets WHERE (step_seconds, start_seconds, workload) IN (
          SELECT step_seconds, start_seconds, workload FROM budgets ORDER BY start_seconds LIMIT ?)
        """, [.integer(surplus)]))
  }

  func budgets(ofWorkload workload: String) throws(SQLiteError) -> [StoredBudget] {
    try rows(
      "SELECT step_seconds, start_seconds, amounts FROM budgets WHERE workload = ? LIMIT ?",
      [.text(workload), .integer(Int64(StoreLimits.budgetRowsOfWorkload))]
    ) { row in
      // What is longer was not written by us, and says nothing.
      StoredBudget(
        StoredBudget.Key(workload: workload, stepSeconds: row.integer(0), startSeconds: row.integer(1)),
        amounts: row.bytes(2, limit: StoreLimits.budgetBytes) ?? [])
    }
  }
}
