import Runtime

/// The database file of a store: opened, recognised, migrated, written and, when it is not ours or broken, set aside.
///
/// Write-ahead log with `synchronous=NORMAL`: what is committed survives the end of the process by any signal. A loss of
/// power may take what was committed since the last checkpoint reached the disk; the file itself stays whole.
final class StoreFile {
  private let place: StorePath
  let options: StoreOptions
  private let schema: Schema
  private var owner: OwnerLock?
  private(set) var database: Database?
  private(set) var filesSetAside = 0
  var history = HistoryTable()
  private var recordsSincePrune = 0

  /// More files than this are not set aside by one process: a disk that damages each new file would fill up.
  private static let setAsideLimit = 3

  init(path: String, options: StoreOptions, schema: Schema) {
    place = StorePath(path: path)
    self.options = options
    self.schema = schema
  }

  /// What opening the file brought about.
  struct Opening {
    let contents: StoreContents
    /// What stood at the path and where it is now.
    let setAside: (reason: String, path: String)?
  }

  /// Opens the file unless it is open and still at its path.
  ///
  /// - Returns: nil when it was open.
  func openIfNeeded(now: WallTime) throws(StoreFailure) -> Opening? {
    if let database {
      if !database.hasMoved { return nil }
      close()
    }
    if owner == nil {
      place.makeDirectory()
      owner = try OwnerLock(storePath: place.path)
    }
    switch try place.occupant() {
    case .foreign(let what):
      return try replace(because: what, now: now)
    case .ours(let version) where version > schema.version:
      throw .refused(.newerSchema(path: place.path, found: version, supported: schema.version))
    case .ours, .nothing:
      do throws(StoreFailure) {
        return Opening(contents: try open(), setAside: nil)
      } catch {
        guard case .damaged(let reason) = error else { throw error }
        return try replace(because: reason, now: now)
      }
    }
  }

  /// Closes the file without another write to it, renames it and makes a new one.
  func replace(because reason: String, now: WallTime) throws(StoreFailure) -> Opening {
    database?.checkpointsOnClose = false
    close()
    guard filesSetAside < Self.setAsideLimit else {
      throw .unavailable("\(filesSetAside) files were set aside already, and the new one is damaged too: \(reason)")
    }
    let path = try place.setAside(now: now)
    filesSetAside += 1
    return Opening(contents: try open(), setAside: (reason, path))
  }

  /// Closes the database and keeps the lock.
  func close() {
    database = nil
    history = HistoryTable()
  }

  /// Closes the database and lets another process have the store.
  func release() {
    close()
    owner = nil
  }

  // MARK: Reading and writing

  /// Writes the batch in one transaction. A flood of records does not wait for `removeOld`: after each hundred of them, those
  /// past keeping are removed.
  ///
  /// - Returns: the keys of the events removed.
  func write(_ batch: StoreRecords.Batch, now: WallTime) throws(StoreFailure) -> [String] {
    let database = try opened()
    let recordCount = recordsSincePrune + batch.events.count + batch.notifications.count
    let isPruneDue = recordCount >= 100
    let prunedKeys = try refused { () throws(SQLiteError) in
      try database.transaction { () throws(SQLiteError) in
        for event in batch.events { try database.insert(event) }
        for event in batch.revisions { try database.revise(event) }
        for (key, counter) in batch.counters { try database.write(key, counter) }
        for (key, fact) in batch.facts { try database.write(key, fact) }
        try database.write(batch.alerts)
        for record in batch.notifications { try database.insert(record) }
        for result in batch.jobResults { try database.insert(result) }
        for record in batch.evidence { try EvidenceTable(database: database).write(record) }
        for result in batch.checkResults { try CheckResultTable(database: database).insert(result) }
        if !batch.checkResults.isEmpty {
          try CheckResultTable(database: database).prune(count: StoreLimits.checkResults)
        }
        for mark in batch.marks { try MarkTable(database: database).insert(mark) }
        if !batch.marks.isEmpty { _ = try pruneMarks(database, now: now) }
        if !batch.evidence.isEmpty { _ = try pruneEvidence(database, now: now) }
        if !batch.jobResults.isEmpty { try database.pruneJobResults(count: StoreLimits.jobResults) }
        return isPruneDue ? try removeRecords(database, now: now).events : []
      }
    }
    recordsSincePrune = isPruneDue ? 0 : recordCount
    if isPruneDue { giveBackFreePages() }
    return prunedKeys.compactMap { $0 }
  }

  /// Removes everything that is past keeping.
  ///
  /// - Returns: how many rows of each table, and the keys of the events among them.
  func removeOld(
    historyRetentionMs: Int64, now: WallTime
  ) throws(StoreFailure) -> (rows: [String: Int], eventKeys: [String]) {
    let database = try opened()
    let bounds = HistoryTable.Bounds(retentionMs: historyRetentionMs, pointCount: options.historyPointCount)
    let nowMs = now.epochMs
    let records = try refused { () throws(SQLiteError) in
      try database.transaction { () throws(SQLiteError) in try removeRecords(database, now: now) }
    }
    let points = try refused { () throws(SQLiteError) in
      try history.removeOld(from: database, bounds: bounds, nowMs: nowMs)
    }
    let budgetCount = try refused { () throws(SQLiteError) in
      try database.transaction { () throws(SQLiteError) in
        try database.pruneBudgets(nowSeconds: nowMs / 1000, count: StoreLimits.budgetRows)
      }
    }
    recordsSincePrune = 0
    giveBackFreePages()
    let rows = [
      "events": records.events.count, "evidence": records.evidenceCount, "notifications": records.notificationCount,
      "marks": records.markCount,
      "history_frames": points.frameCount, "history_series": points.seriesCount, "budgets": budgetCount,
    ]
    return (rows, records.events.compactMap { $0 })
  }

  private func removeRecords(
    _ database: Database, now: WallTime
  ) throws(SQLiteError) -> (events: [String?], notificationCount: Int, evidenceCount: Int, markCount: Int) {
    let beforeMs = beforeMs(now)
    return (
      try database.pruneEvents(beforeMs: beforeMs, count: options.eventCount),
      try database.pruneNotifications(beforeMs: beforeMs, count: options.notificationCount),
      try pruneEvidence(database, now: now), try pruneMarks(database, now: now)
    )
  }

  private func pruneMarks(_ database: Database, now: WallTime) throws(SQLiteError) -> Int {
    try MarkTable(database: database).prune(beforeMs: beforeMs(now), count: StoreLimits.marks)
  }

  private func pruneEvidence(_ database: Database, now: WallTime) throws(SQLiteError) -> Int {
    try EvidenceTable(database: database).prune(beforeMs: beforeMs(now), count: StoreLimits.evidence)
  }

  private func beforeMs(_ now: WallTime) -> Int64 { max(0, (now - options.eventAgeDays * 86_400).epochMs) }

  func events(_ query: EventQuery) throws(StoreFailure) -> [Event] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try database.events(query) }
  }

  func notifications(_ query: NotificationQuery) throws(StoreFailure) -> [StoredNotification] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try database.notifications(query) }
  }

  /// Writes rows of error budgets in one transaction.
  func write(_ budgets: [StoredBudget]) throws(StoreFailure) {
    let database = try opened()
    try refused { () throws(SQLiteError) in
      try database.transaction { () throws(SQLiteError) in for row in budgets { try database.write(row) } }
    }
  }

  func budgets(ofWorkload workload: String) throws(StoreFailure) -> [StoredBudget] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try database.budgets(ofWorkload: workload) }
  }

  func jobResults(_ query: JobResultQuery) throws(StoreFailure) -> [JobResult] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try database.jobResults(query) }
  }

  func checkResults(_ query: CheckResultQuery) throws(StoreFailure) -> [StoredCheckResult] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try CheckResultTable(database: database).newest(query) }
  }

  func evidence(_ query: EvidenceQuery) throws(StoreFailure) -> [StoredEvidence] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try EvidenceTable(database: database).newest(query) }
  }

  func marks() throws(StoreFailure) -> [StoredMark] {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try MarkTable(database: database).all() }
  }

  func opened() throws(StoreFailure) -> Database {
    guard let database else { throw .unavailable("\(place.path): not open") }
    return database
  }

  /// What the file holds, where it cannot be opened for writing.
  func contents() throws(StoreFailure) -> StoreContents {
    let database = try readable()
    return try refused { () throws(SQLiteError) in try database.contents() }
  }

  /// The database, or where it cannot be opened for writing, as on a full disk, another that is read this once.
  func readable() throws(StoreFailure) -> Database {
    if let database { return database }
    guard try place.occupant() == .ours(version: schema.version) else {
      throw .unavailable("\(place.path): nothing to read")
    }
    return try refused { () throws(SQLiteError) in
      let reader = try Database(reading: place.path, hasLog: place.hasLog)
      let findings = try reader.rows("PRAGMA quick_check(1)") { $0.text(0) }
      guard findings == ["ok"] else { throw SQLiteError(code: 11, message: findings.joined(separator: "; ")) }
      return reader
    }
  }

  // MARK: Opening

  private func open() throws(StoreFailure) -> StoreContents {
    try place.prepare()
    let database = try refused { () throws(SQLiteError) in
      let database = try Database(path: place.path, busyTimeoutMs: Int32(clamping: options.busyTimeoutMs))
      try database.execute("PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024")
      return database
    }
    // The header that was looked at is older than a migration which is only in the log so far.
    let version = try refused { () throws(SQLiteError) in Int(try database.integer("PRAGMA user_version")) }
    guard version <= schema.version else {
      throw .refused(.newerSchema(path: place.path, found: version, supported: schema.version))
    }
    let contents = try read(database)
    database.checkpointsOnClose = true
    self.database = database
    return contents
  }

  private func read(_ database: Database) throws(StoreFailure) -> StoreContents {
    do throws(SQLiteError) {
      let findings = try database.rows("PRAGMA quick_check(1)") { $0.text(0) }
      guard findings == ["ok"] else { throw SQLiteError(code: 11, message: findings.joined(separator: "; ")) }
      // Takes effect in an empty file alone.
      try database.execute("PRAGMA auto_vacuum = INCREMENTAL")
      try schema.migrate(database)
      // The tables are made before the log is, so that the header says whose file it is from the first moment.
      try database.execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 4194304")
      Self.allowShrinking(database)
      return try database.contents()
    } catch {
      // SQLITE_ERROR here means that tables or columns are not what the version promises.
      throw error.primaryCode == 1 ? .damaged(error.description) : StoreFailure(error)
    }
  }

  func refused<Result>(_ body: () throws(SQLiteError) -> Result) throws(StoreFailure) -> Result {
    do throws(SQLiteError) {
      return try body()
    } catch {
      throw StoreFailure(error)
    }
  }
}
