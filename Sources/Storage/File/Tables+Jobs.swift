/// The statements of the results of jobs.
extension Database {
  func insert(_ result: JobResult) throws(SQLiteError) {
    try run(
      """
      INSERT INTO job_results(job, workload, started_at_ms, ended_at_ms, outcome, report) VALUES(?, ?, ?, ?, ?, ?)
      """,
      [
        .text(result.job), .text(result.workload), .integer(result.startedAtMs), .integer(result.endedAtMs),
        .text(result.outcome.rawValue), .text(result.report),
      ])
  }

  /// Removes the oldest results of whichever job has the most, until no more than `count` are left: a job that runs often
  /// does not push out what one that runs once a month found.
  func pruneJobResults(count: Int) throws(SQLiteError) {
    var surplus = try integer("SELECT count(*) FROM job_results") - Int64(count)
    while surplus > 0 {
      try run(
        "DELETE FROM job_results WHERE id = (SELECT min(id) FROM job_results GROUP BY job ORDER BY count(*) DESC LIMIT 1)"
      )
      surplus -= 1
    }
  }

  /// The newest results first.
  func jobResults(_ query: JobResultQuery) throws(SQLiteError) -> [JobResult] {
    var conditions = Conditions()
    conditions.require("job = ?", query.job.map { .text($0) })
    conditions.require("workload = ?", query.workload.map { .text($0) })
    conditions.require("outcome = ?", query.outcome.map { .text($0.rawValue) })
    return try rows(
      "SELECT id, job, workload, started_at_ms, ended_at_ms, outcome, report FROM job_results\(conditions.sql)"
        + " ORDER BY id DESC LIMIT ?",
      conditions.values + [.integer(Int64(query.boundedLimit))]
    ) { row in
      var result = JobResult(
        job: row.text(1), workload: row.optionalText(2), startedAtMs: row.integer(3), endedAtMs: row.integer(4),
        outcome: JobResult.Outcome(rawValue: row.text(5)) ?? .failed, report: row.text(6))
      result.id = row.integer(0)
      return result
    }
  }
}
