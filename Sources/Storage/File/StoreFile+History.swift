import Runtime

extension StoreFile {
  /// Writes points of history in one transaction, and removes those past keeping.
  ///
  /// - Returns: how many were dropped because there are too many series.
  func writeHistory(_ points: [HistoryPoint], retentionMs: Int64, now: WallTime) throws(StoreFailure) -> Int {
    let database = try opened()
    let bounds = HistoryTable.Bounds(retentionMs: retentionMs, pointCount: options.historyPointCount)
    let dropped = try refused { () throws(SQLiteError) in
      try history.write(points, to: database, bounds: bounds, nowMs: now.epochMs)
    }
    giveBackFreePages()
    return dropped
  }

  func loadHistory(sinceMs: Int64, untilMs: Int64) throws(StoreFailure) -> HistoryLoad {
    let database = try readable()
    var load = HistoryLoad()
    try refused { () throws(SQLiteError) in
      try load.read(database, sinceMs: sinceMs, untilMs: untilMs, limit: StoreLimits.loadedPoints)
    }
    return load
  }

  /// Shortens the file by a small step once much of it is free, as after a shorter retention. It may fail: then later.
  func giveBackFreePages() {
    guard let database, let free = try? database.integer("PRAGMA freelist_count"), free > Self.sparePages,
      let all = try? database.integer("PRAGMA page_count"), free > all / 4
    else { return }
    try? database.execute("PRAGMA incremental_vacuum(\(Self.sparePages))")
  }

  /// Lets the file shrink later. A new file is made so; one of an older release is rewritten once, while it is small.
  static func allowShrinking(_ database: Database) {
    guard let mode = try? database.integer("PRAGMA auto_vacuum"), mode == 0,
      let pages = try? database.integer("PRAGMA page_count"), pages <= rewrittenPages
    else { return }
    try? database.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
  }

  private static let sparePages: Int64 = 2048
  /// It passes through memory and the log.
  private static let rewrittenPages: Int64 = 4096
}
