import Runtime

/// What is written by a schedule, and in transactions, of its own.
enum StoreSection {
  /// Everything of the records, within milliseconds.
  case records
  /// Points of history and error budgets, some seconds together.
  case history
}

/// What a store and its writer share.
struct StoreState: Sendable {
  var records: StoreRecords
  var history: HistoryBuffer
  var budgets = BudgetBuffer()
  /// Another one once another file was opened.
  var fileNumber = 0
  var historyRetentionMs: Int64
  var health: StoreHealth
  /// The sections whose commit is on its way, so that changes of a few milliseconds share one.
  var scheduled: Set<StoreSection> = []
  var isClosed = false

  func maySchedule(_ section: StoreSection) -> Bool { !scheduled.contains(section) && !isClosed }

  /// - Returns: false when a commit of the section is on its way already, or none may be any more.
  mutating func takeSchedule(_ section: StoreSection) -> Bool {
    guard maySchedule(section) else { return false }
    scheduled.insert(section)
    return true
  }

  /// The health with the counts of the records.
  var currentHealth: StoreHealth {
    var health = health
    health.pendingEvents = records.events.pending.count
    health.droppedEvents = records.events.droppedCount
    health.refusedRecords =
      records.refusedRecords + records.alerts.refusedRecords + history.refusedPoints
      + budgets.refusedRows
    health.pendingNotifications = records.notifications.pending.count
    health.droppedNotifications = records.notifications.droppedCount
    health.droppedJobResults = records.jobResults.droppedCount
    health.droppedEvidence = records.evidence.droppedCount
    health.droppedCheckResults = records.checkResults.droppedCount
    health.droppedMarks = records.marks.droppedCount
    health.pendingPoints = history.points.count
    health.droppedPoints = history.droppedPoints
    return health
  }
}

/// The one that touches the file. It never waits for anything but the disk, so it is called on `WorkExecutor.files`.
actor StoreWriter {
  private let state: Lock<StoreState>
  private let file: StoreFile
  private let path: String
  private let clock: @Sendable () -> WallTime
  private let notice: @Sendable (StoreNotice) -> Void

  init(
    path: String, options: StoreOptions, schema: Schema, state: Lock<StoreState>,
    clock: @escaping @Sendable () -> WallTime, notice: @escaping @Sendable (StoreNotice) -> Void
  ) {
    file = StoreFile(path: path, options: options, schema: schema)
    self.path = path
    self.state = state
    self.clock = clock
    self.notice = notice
  }

  /// Opens the file for the first time.
  ///
  /// - Throws: only what will not pass by itself.
  func start() throws(StoreError) {
    do throws(StoreFailure) {
      try prepare()
      succeed()
    } catch {
      if case .refused(let refusal) = error {
        file.release()
        throw refusal
      }
      // What cannot be written may still tell what was before.
      if let contents = try? file.contents() { state.withLock { $0.records.adopt(contents) } }
      fail(error)
    }
  }

  /// Writes what is pending of a section, and of the other one too when that could not be written before.
  ///
  /// - Returns: whether all of the section that was pending when it was called is in the file.
  @discardableResult
  func commit(_ section: StoreSection = .records) -> Bool {
    let (isClosed, isDurable) = state.withLock { ($0.isClosed, $0.health.isDurable) }
    guard !isClosed else { return false }
    var written: Set<StoreSection> = []
    func write(_ sections: [StoreSection]) throws(StoreFailure) {
      written = []
      for section in sections {
        try self.write(section)
        written.insert(section)
      }
    }
    do throws(StoreFailure) {
      // A file that was opened just now may lack what one before it had.
      let isAll = try prepare() || !isDurable
      do throws(StoreFailure) {
        try write(!isAll ? [section] : section == .records ? [.records, .history] : [.history, .records])
      } catch {
        guard case .damaged(let reason) = error else { throw error }
        try take(file.replace(because: reason, now: clock()))
        try write([.records, .history])
      }
      succeed()
    } catch {
      // The connection stays open, so that what was written before can still be read.
      fail(error)
    }
    return written.contains(section)
  }

  /// The newest events first, those that are not in the file yet among them.
  func events(_ query: EventQuery) -> [Event] {
    commit()
    let written = (try? file.events(query)) ?? []
    let pending = state.withLock { state in
      state.records.events.records.map { state.records.revised($0.event) }
    }.filter(query.matches)
    guard !pending.isEmpty else { return written }
    if query.isOldestFirst {
      let all = (written + pending).enumerated()
        .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
      return all.prefix(query.boundedLimit).map(\.element)
    }
    // Reversed first: of the same millisecond, the one that was appended last comes first.
    let all = (pending.reversed() + written).enumerated()
      .sorted { ($1.element.at, $0.offset) < ($0.element.at, $1.offset) }
    return all.prefix(query.boundedLimit).map(\.element)
  }

  /// Removes what is past keeping.
  ///
  /// - Returns: how many rows of each table.
  func removeOld() throws(StoreFailure) -> [String: Int] {
    let (isClosed, retentionMs) = state.withLock { ($0.isClosed, $0.historyRetentionMs) }
    guard !isClosed else { throw .unavailable("\(path): closed") }
    do throws(StoreFailure) {
      _ = try prepare()
      let removed = try file.removeOld(historyRetentionMs: retentionMs, now: clock())
      state.withLock { $0.records.forget(eventKeys: removed.eventKeys) }
      return removed.rows
    } catch {
      fail(error)
      throw error
    }
  }

  /// The newest results of jobs first, those that are not in the file yet among them.
  func jobResults(_ query: JobResultQuery) -> [JobResult] {
    commit()
    let written = (try? file.jobResults(query)) ?? []
    let pending = state.withLock { $0.records.jobResults.records }.filter(query.matches)
    return Array((pending.reversed() + written).prefix(query.boundedLimit))
  }

  /// The newest evidence first, that which is not in the file yet among it.
  func evidence(_ query: EvidenceQuery) -> [StoredEvidence] {
    commit()
    let pending = state.withLock { $0.records.evidence.records }.filter(query.matches)
    let written = ((try? file.evidence(query)) ?? []).filter { old in !pending.contains { $0.id == old.id } }
    // Reversed first: of the same millisecond, the one that was put last comes first.
    let all = (pending.reversed() + written).enumerated()
      .sorted { ($1.element.atMs, $0.offset) < ($0.element.atMs, $1.offset) }
    return all.prefix(query.boundedLimit).map(\.element)
  }

  /// The newest results of checks first, those that are not in the file yet among them.
  func checkResults(_ query: CheckResultQuery) -> [StoredCheckResult] {
    commit()
    let pending = state.withLock { $0.records.checkResults.records }.filter(query.matches)
    let written = (try? file.checkResults(query)) ?? []
    var known: Set<StoredCheckResult.Run> = []
    // Reversed first: of the same millisecond, the one that was appended last comes first.
    let all = (pending.reversed() + written).filter { known.insert($0.run).inserted }.enumerated()
      .sorted { ($1.element.endedAtMs, $0.offset) < ($0.element.endedAtMs, $1.offset) }
    return all.prefix(query.boundedLimit).map(\.element)
  }

  /// All marks, the oldest first, those that are not in the file yet among them; nil while the file cannot be read.
  func marks() -> [StoredMark]? {
    commit()
    guard let written = try? file.marks() else { return nil }
    let known = Set(written.map(\.id))
    return written + state.withLock { $0.records.marks.records }.filter { !known.contains($0.id) }
  }

  /// The newest notifications first, those that are not in the file yet among them.
  func notifications(_ query: NotificationQuery) -> [StoredNotification] {
    commit()
    let written = (try? file.notifications(query)) ?? []
    let pending = state.withLock { $0.records.notifications.records }.filter(query.matches)
    guard !pending.isEmpty else { return written }
    let all = (pending.reversed() + written).enumerated()
      .sorted { ($1.element.atMs, $0.offset) < ($0.element.atMs, $1.offset) }
    return all.prefix(query.boundedLimit).map(\.element)
  }

  /// The points of a span of time, those that are not in the file yet among them.
  func history(sinceMs: Int64, untilMs: Int64) -> [HistorySeries] {
    commit(.history)
    let pending = state.withLock { $0.history.points }
    var load = (try? file.loadHistory(sinceMs: sinceMs, untilMs: untilMs)) ?? HistoryLoad()
    for point in pending where (sinceMs...max(sinceMs, untilMs)).contains(point.atMs) {
      load.append(point.labels, HistorySeries.Point(atMs: point.atMs, value: point.value))
    }
    return load.sorted()
  }

  /// The rows of a workload, those that are not in the file yet in place of older ones; nil while the file cannot be read.
  func budgets(ofWorkload workload: String) -> [StoredBudget]? {
    commit(.history)
    guard let written = try? file.budgets(ofWorkload: workload) else { return nil }
    let pending = state.withLock { $0.budgets.rows(ofWorkload: workload) }
    let keys = Set(pending.map(\.key))
    return written.filter { !keys.contains($0.key) } + pending
  }

  /// Writes what is pending and lets go of the file and its lock.
  func close() {
    commit()
    commit(.history)
    state.withLock { $0.isClosed = true }
    file.release()
  }

  /// For tests: SQLite refuses to let the file grow past this many pages, as on a full disk.
  func limit(pages: Int) throws {
    try file.database?.execute("PRAGMA max_page_count = \(pages)")
  }

  /// - Returns: whether a file was opened, which may be another one than before.
  @discardableResult
  private func prepare() throws(StoreFailure) -> Bool {
    guard let opening = try file.openIfNeeded(now: clock()) else { return false }
    take(opening)
    return true
  }

  private func take(_ opening: StoreFile.Opening) {
    state.withLock {
      $0.records.adopt(opening.contents)
      $0.health.filesSetAside = file.filesSetAside
      $0.fileNumber += 1
    }
    guard let setAside = opening.setAside else { return }
    notice(
      StoreNotice(
        severity: .error,
        text:
          "\(path) could not be used: \(setAside.reason). It was set aside as \(setAside.path) and a new file was "
          + "made; events from before are only in that one"))
  }

  private func write(_ section: StoreSection) throws(StoreFailure) {
    switch section {
    case .records: try writeRecords()
    case .history: try writeHistory()
    }
  }

  private func writeRecords() throws(StoreFailure) {
    let batch = state.withLock { $0.records.batch() }
    guard !batch.isEmpty else { return }
    let now = clock()
    let prunedKeys = try file.write(batch, now: now)
    state.withLock {
      $0.records.settle(batch, prunedKeys: prunedKeys)
      $0.health.lastCommit = now
    }
  }

  private func writeHistory() throws(StoreFailure) {
    let (batch, retentionMs) = state.withLock { ($0.history.batch(), $0.historyRetentionMs) }
    let now = clock()
    if !batch.points.isEmpty {
      let dropped = try file.writeHistory(batch.points, retentionMs: retentionMs, now: now)
      state.withLock {
        $0.history.settle(batch, dropped: dropped)
        $0.health.lastCommit = now
      }
    }
    let budgets = state.withLock { $0.budgets.batch() }
    guard !budgets.rows.isEmpty else { return }
    try file.write(budgets.rows)
    state.withLock {
      $0.budgets.settle(budgets)
      $0.health.lastCommit = now
    }
  }

  private func succeed() {
    let previous = state.withLock { state in
      defer { state.health.state = .durable }
      return state.currentHealth
    }
    guard case .memoryOnly = previous.state else { return }
    let counts = [
      (previous.droppedEvents, "events"), (previous.droppedNotifications, "notifications"),
      (previous.droppedJobResults, "results of jobs"), (previous.droppedCheckResults, "results of checks"),
      (previous.droppedEvidence, "pieces of evidence"), (previous.droppedMarks, "marks"),
      (previous.droppedPoints, "points of history"),
    ]
    let losses = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    let lost = losses.isEmpty ? "" : "; \(losses.joined(separator: ", ")) were lost since the start"
    notice(StoreNotice(severity: .info, text: "\(path) can be written again\(lost)"))
  }

  private func fail(_ failure: StoreFailure) {
    let wasDurable = state.withLock { state in
      defer {
        state.health.state = .memoryOnly(reason: failure.reason)
        state.health.failures += 1
      }
      return state.health.isDurable
    }
    guard wasDurable else { return }
    notice(
      StoreNotice(
        severity: .warning,
        text: "events, counters and alerts are in memory only, and \(path) is tried again: \(failure.reason)"))
  }
}
