import Runtime

/// The statements of events, counters and facts.
extension Database {
  // MARK: Writing

  /// Keeps the event unless one with its key is there.
  func insert(_ event: Event) throws(SQLiteError) {
    try run(
      """
      INSERT INTO events(at_ms, workload, node, kind, summary, details, key) VALUES(?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT(key) DO NOTHING
      """,
      [
        .integer(event.atMs), .text(event.workload), .text(event.node), .text(event.kind.rawValue),
        .text(event.summary), .text(event.details), .text(event.key),
      ])
  }

  /// Gives an event that is there another text.
  func revise(_ event: Event) throws(SQLiteError) {
    try run(
      "UPDATE events SET summary = ?, details = ? WHERE key = ?",
      [.text(event.summary), .text(event.details), .text(event.key)])
  }

  /// Writes the value of a counter; nil removes it.
  func write(_ key: CounterKey, _ counter: Counter?) throws(SQLiteError) {
    guard let counter else { return try run("DELETE FROM counters WHERE key = ?", [.text(key.description)]) }
    try run(
      "INSERT OR REPLACE INTO counters(key, value, changed_at_seconds) VALUES(?, ?, ?)",
      [.text(key.description), .real(counter.value), .real(counter.changed?.seconds)])
  }

  /// Writes the value of a fact; nil removes it.
  func write(_ key: String, _ fact: Fact?) throws(SQLiteError) {
    guard let fact else { return try run("DELETE FROM facts WHERE key = ?", [.text(key)]) }
    try run(
      "INSERT OR REPLACE INTO facts(key, value, changed_at_seconds) VALUES(?, ?, ?)",
      [.text(key), .text(fact.value), .real(fact.changed.seconds)])
  }

  /// Removes the events from before `beforeMs`, and the oldest written ones of more than `count`.
  ///
  /// - Returns: the keys of those removed, nil for each that had none.
  func pruneEvents(beforeMs: Int64, count: Int) throws(SQLiteError) -> [String?] {
    let old = try rows("DELETE FROM events WHERE at_ms < ? RETURNING key", [.integer(beforeMs)]) {
      $0.optionalText(0)
    }
    let surplus = try rows(
      "DELETE FROM events WHERE id <= (SELECT id FROM events ORDER BY id DESC LIMIT 1 OFFSET ?) RETURNING key",
      [.integer(Int64(count))]
    ) { $0.optionalText(0) }
    return old + surplus
  }

  // MARK: Reading

  /// Everything that the daemon keeps in memory too.
  func contents() throws(SQLiteError) -> StoreContents {
    var contents = StoreContents()
    try run("SELECT key, value, changed_at_seconds FROM counters") { row in
      guard let key = CounterKey(text: row.text(0)) else { return }
      contents.counters[key] = Counter(value: row.real(1), changed: row.optionalReal(2).map(WallTime.init(seconds:)))
    }
    try run("SELECT key, value, changed_at_seconds FROM facts") { row in
      contents.facts[row.text(0)] = Fact(value: row.text(1), changed: WallTime(seconds: row.real(2)))
    }
    try run("SELECT key FROM events WHERE key IS NOT NULL") { contents.eventKeys.insert($0.text(0)) }
    contents.alerts = try alerts()
    // Read later, but what is missing must show now.
    try run("SELECT at_ms, alertname, labels, state, startsat_ms, endsat_ms, outcome FROM notifications LIMIT 0")
    try run("SELECT job, workload, started_at_ms, ended_at_ms, outcome, report FROM job_results LIMIT 0")
    try run("SELECT step_seconds, start_seconds, workload, amounts FROM budgets LIMIT 0")
    try run("SELECT id, workload, node, alert, at_ms, fired_at_ms, head, body FROM evidence LIMIT 0")
    try run("SELECT name, workload, started_at_ms, ended_at_ms, verdict, report FROM check_results LIMIT 0")
    try run("SELECT id, at_ms, until_ms, workload, node, kind, text, tags FROM marks LIMIT 0")
    try run("SELECT labels, last_day FROM history_series LIMIT 0")
    try run("SELECT from_ms, until_ms, point_count, points FROM history_frames LIMIT 0")
    return contents
  }

  /// The newest events by time first.
  func events(_ query: EventQuery) throws(SQLiteError) -> [Event] {
    var conditions = Conditions()
    // Some marks are of all workloads.
    conditions.require("(workload = ? OR workload = '' AND kind = 'mark')", query.workload.map { .text($0) })
    conditions.require("node = ?", query.node.map { .text($0) })
    conditions.require("kind = ?", query.kind.map { .text($0.rawValue) })
    conditions.require("at_ms >= ?", query.sinceMs.map { .integer($0) })
    conditions.require("at_ms <= ?", query.untilMs.map { .integer($0) })
    let order = query.isOldestFirst ? "at_ms, id" : "at_ms DESC, id DESC"
    return try rows(
      "SELECT id, at_ms, workload, node, kind, summary, details, key FROM events\(conditions.sql)"
        + " ORDER BY \(order) LIMIT ?",
      conditions.values + [.integer(Int64(query.boundedLimit))]
    ) { row in
      var event = Event(
        at: WallTime(epochMs: row.integer(1)), workload: row.text(2), node: row.text(3),
        kind: EventKind(rawValue: row.text(4)) ?? .other, summary: row.text(5), details: row.text(6),
        key: row.optionalText(7))
      event.id = row.integer(0)
      return event
    }
  }
}

/// The conditions of a query, as many as are given.
struct Conditions {
  private var texts: [String] = []
  private(set) var values: [SQLValue] = []

  mutating func require(_ condition: String, _ value: SQLValue?) {
    guard let value else { return }
    texts.append(condition)
    values.append(value)
  }

  var sql: String { texts.isEmpty ? "" : " WHERE " + texts.joined(separator: " AND ") }
}

/// The part of the file that is read when it is opened.
struct StoreContents: Sendable {
  var counters: [CounterKey: Counter] = [:]
  var facts: [String: Fact] = [:]
  var eventKeys: Set<String> = []
  var alerts: [StoredAlert] = []
}
