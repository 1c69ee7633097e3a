/// The tables of history: which series there are and how many points, without asking the file each time.
struct HistoryTable {
  private var series: [String: (id: Int64, lastDay: Int64)] = [:]
  private var pointCount = 0
  private var isRead = false

  private static let dayMs: Int64 = 86_400_000

  /// How long points are kept, and how many.
  struct Bounds {
    let retentionMs: Int64
    let pointCount: Int
  }

  /// Writes new points in one transaction, and where there are too many with them, first removes points past keeping.
  ///
  /// - Returns: how many were dropped because there are too many series.
  mutating func write(
    _ points: [HistoryPoint], to database: Database, bounds: Bounds, nowMs: Int64
  ) throws(SQLiteError) -> Int {
    try change(database) { table throws(SQLiteError) in
      if table.pointCount + points.count > bounds.pointCount {
        _ = try table.prune(database, bounds, adding: points.count, nowMs: nowMs)
      }
      return try table.insert(points, to: database)
    }
  }

  /// Removes points past keeping, and series without points.
  mutating func removeOld(
    from database: Database, bounds: Bounds, nowMs: Int64
  ) throws(SQLiteError) -> (frameCount: Int, seriesCount: Int) {
    try change(database) { table throws(SQLiteError) in try table.prune(database, bounds, adding: 0, nowMs: nowMs) }
  }

  private mutating func change<Result>(
    _ database: Database, _ body: (inout HistoryTable) throws(SQLiteError) -> Result
  ) throws(SQLiteError) -> Result {
    do throws(SQLiteError) {
      try read(database)
      return try database.transaction { () throws(SQLiteError) in try body(&self) }
    } catch {
      // The file took back series that are remembered here.
      self = HistoryTable()
      throw error
    }
  }

  private mutating func read(_ database: Database) throws(SQLiteError) {
    guard !isRead else { return }
    var found: [String: (id: Int64, lastDay: Int64)] = [:]
    try database.run("SELECT id, labels, last_day FROM history_series") {
      found[$0.text(1)] = (id: $0.integer(0), lastDay: $0.integer(2))
    }
    series = found
    try count(database)
    isRead = true
  }

  private mutating func count(_ database: Database) throws(SQLiteError) {
    pointCount = Int(try database.integer("SELECT coalesce(sum(point_count), 0) FROM history_frames"))
  }

  // MARK: Writing

  private mutating func insert(_ points: [HistoryPoint], to database: Database) throws(SQLiteError) -> Int {
    var entries: [HistoryFrame.Entry] = []
    entries.reserveCapacity(points.count)
    for point in points {
      guard let id = try id(of: point, in: database) else { continue }
      entries.append(HistoryFrame.Entry(series: id, atMs: point.atMs, bits: point.value.bitPattern))
    }
    // Of the same series and time, the later one given stays the later one.
    let ordered = entries.enumerated().sorted { a, b in
      (a.element.atMs, a.element.series, a.offset) < (b.element.atMs, b.element.series, b.offset)
    }.map(\.element)
    for start in stride(from: 0, to: ordered.count, by: StoreLimits.framePoints) {
      let frame = ordered[start..<min(start + StoreLimits.framePoints, ordered.count)]
      guard let first = frame.first, let last = frame.last else { continue }
      try database.run(
        "INSERT INTO history_frames(from_ms, until_ms, point_count, points) VALUES(?, ?, ?, ?)",
        [
          .integer(first.atMs), .integer(last.atMs), .integer(Int64(frame.count)),
          .blob(HistoryFrame.encode(frame, fromMs: first.atMs)),
        ])
    }
    pointCount += ordered.count
    return points.count - entries.count
  }

  /// The id of a series, which is made where it is new; nil when there are too many. The day is noted so that a series
  /// without points is known, at one write a day.
  private mutating func id(of point: HistoryPoint, in database: Database) throws(SQLiteError) -> Int64? {
    let day = point.atMs / Self.dayMs
    if let known = series[point.labels] {
      guard known.lastDay < day else { return known.id }
      try database.run("UPDATE history_series SET last_day = ? WHERE id = ?", [.integer(day), .integer(known.id)])
      series[point.labels] = (known.id, day)
      return known.id
    }
    guard series.count < StoreLimits.series else { return nil }
    let id = try database.integer(
      "INSERT INTO history_series(labels, last_day) VALUES(?, ?) RETURNING id", [.text(point.labels), .integer(day)])
    series[point.labels] = (id, day)
    return id
  }

  // MARK: Pruning

  /// - Returns: how many rows went.
  private mutating func prune(
    _ database: Database, _ bounds: Bounds, adding added: Int, nowMs: Int64
  ) throws(SQLiteError) -> (frameCount: Int, seriesCount: Int) {
    let beforeMs = nowMs - max(0, min(bounds.retentionMs, nowMs))
    var frameCount = try database.remove("history_frames WHERE until_ms < ?", [.integer(beforeMs)])
    try count(database)
    frameCount += try removeOldest(
      database, surplus: pointCount + added - bounds.pointCount, spare: bounds.pointCount / 64)
    let lastDay = beforeMs / Self.dayMs - 1
    let unused = try database.rows(
      "DELETE FROM history_series WHERE last_day < ? RETURNING labels", [.integer(lastDay)]
    ) { $0.text(0) }
    for labels in unused { series[labels] = nil }
    return (frameCount, unused.count)
  }

  /// Removes the oldest rows until there is room, and some more, so that this is not done for each write.
  ///
  /// - Returns: how many.
  private mutating func removeOldest(_ database: Database, surplus: Int, spare: Int) throws(SQLiteError) -> Int {
    guard surplus > 0 else { return 0 }
    var rest = surplus + spare
    var frameCount = 0
    while rest > 0 {
      let oldest = try database.rows(
        "SELECT id, point_count FROM history_frames ORDER BY until_ms, from_ms LIMIT 64"
      ) { (id: $0.integer(0), count: Int($0.integer(1))) }
      if oldest.isEmpty { break }
      for frame in oldest where rest > 0 {
        try database.run("DELETE FROM history_frames WHERE id = ?", [.integer(frame.id)])
        rest -= frame.count
        pointCount -= frame.count
        frameCount += 1
      }
    }
    return frameCount
  }
}
