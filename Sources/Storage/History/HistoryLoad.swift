/// Series of history as they are put together from the file and from memory.
struct HistoryLoad {
  private var series: [HistorySeries] = []
  private var slots: [String: Int] = [:]

  mutating func append(_ labels: String, _ point: HistorySeries.Point) {
    let slot = slot(of: labels)
    series[slot].append(point)
  }

  /// Everything, sorted by labels, and the points by time.
  consuming func sorted() -> [HistorySeries] {
    for index in series.indices { series[index].sort() }
    return series.sorted { $0.labels < $1.labels }
  }

  private mutating func slot(of labels: String) -> Int {
    if let slot = slots[labels] { return slot }
    slots[labels] = series.count
    series.append(HistorySeries(labels: labels))
    return series.count - 1
  }

  /// Reads the points of a span of time, at most `limit`, the newest.
  mutating func read(_ database: Database, sinceMs: Int64, untilMs: Int64, limit: Int) throws(SQLiteError) {
    let span: [SQLValue] = [.integer(sinceMs), .integer(untilMs)]
    var count = 0
    var startMs = sinceMs
    try database.run(
      """
      SELECT until_ms, point_count FROM history_frames WHERE until_ms >= ? AND from_ms <= ? ORDER BY until_ms DESC
      """, span
    ) { row in
      if count > limit { return }
      count += Int(row.integer(1))
      if count > limit { startMs = row.integer(0) + 1 }
    }
    var labels: [Int64: String] = [:]
    try database.run("SELECT id, labels FROM history_series") { labels[$0.integer(0)] = $0.text(1) }
    var slotsByID: [Int64: Int] = [:]
    try database.run(
      """
      SELECT from_ms, points FROM history_frames WHERE until_ms >= ? AND from_ms <= ? ORDER BY until_ms, id
      """, [.integer(startMs), .integer(untilMs)]
    ) { row in
      // Bytes that are no frame were not written by us; what else is in the file counts.
      guard let bytes = row.bytes(1, limit: StoreLimits.frameBytes) else { return }
      _ = HistoryFrame.decode(bytes, fromMs: row.integer(0)) { entry in
        guard entry.atMs >= sinceMs, entry.atMs <= untilMs else { return }
        let slot: Int
        if let known = slotsByID[entry.series] {
          slot = known
        } else {
          guard let name = labels[entry.series] else { return }
          slot = self.slot(of: name)
          slotsByID[entry.series] = slot
        }
        series[slot].append(HistorySeries.Point(atMs: entry.atMs, value: Double(bitPattern: entry.bits)))
      }
    }
  }
}
