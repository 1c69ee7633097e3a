import Runtime

/// What a store and its writer share.
struct StoreState: Sendable {
  var ledger: Ledger
  var health: StoreHealth
  /// Whether a commit is on its way, so that changes of a few milliseconds share one.
  var isCommitScheduled = false
  var isClosed = false

  /// The health with the counts of the ledger.
  var currentHealth: StoreHealth {
    var health = health
    health.pendingEvents = ledger.pendingEvents.count
    health.droppedEvents = ledger.droppedEvents
    health.refusedRecords = ledger.refusedRecords
    return health
  }
}

/// The one that touches the file. It never waits for anything but the disk, so it is called on `WorkExecutor.files`.
actor StoreWriter {
  private let state: Lock<StoreState>
  private let file: StoreFile
  private let path: String
  private let clock: @Sendable () -> Double
  private let notice: @Sendable (StoreNotice) -> Void

  init(
    path: String, options: StoreOptions, schema: Schema, state: Lock<StoreState>,
    clock: @escaping @Sendable () -> Double, notice: @escaping @Sendable (StoreNotice) -> Void
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
      fail(error)
    }
  }

  /// Writes what is pending.
  ///
  /// - Returns: whether all that was pending when it was called is in the file.
  @discardableResult
  func commit() -> Bool {
    guard !state.withLock({ $0.isClosed }) else { return false }
    do throws(StoreFailure) {
      try prepare()
      do throws(StoreFailure) {
        try write()
      } catch {
        guard case .damaged(let reason) = error else { throw error }
        try take(file.replace(because: reason, nowSeconds: clock()))
        try write()
      }
      succeed()
      return true
    } catch {
      // The connection stays open, so that what was written before can still be read.
      fail(error)
      return false
    }
  }

  /// The newest events first, those that are not in the file yet among them.
  func events(_ query: EventQuery) -> [Event] {
    commit()
    let written = (try? file.events(query)) ?? []
    let pending = state.withLock { state in
      state.ledger.pendingEvents.map { state.ledger.revised($0.event) }
    }.filter(query.matches)
    guard !pending.isEmpty else { return written }
    // Reversed first: of the same millisecond, the one that was appended last comes first.
    let all = (pending.reversed() + written).enumerated()
      .sorted { ($1.element.atSeconds, $0.offset) < ($0.element.atSeconds, $1.offset) }
    return all.prefix(query.boundedLimit).map(\.element)
  }

  /// Writes what is pending and lets go of the file and its lock.
  func close() {
    commit()
    state.withLock { $0.isClosed = true }
    file.release()
  }

  /// For tests: SQLite refuses to let the file grow past this many pages, as on a full disk.
  func limit(pages: Int) throws {
    try file.database?.execute("PRAGMA max_page_count = \(pages)")
  }

  private func prepare() throws(StoreFailure) {
    if let opening = try file.openIfNeeded(nowSeconds: clock()) { take(opening) }
  }

  private func take(_ opening: StoreFile.Opening) {
    state.withLock {
      $0.ledger.adopt(opening.contents)
      $0.health.filesSetAside = file.filesSetAside
    }
    guard let setAside = opening.setAside else { return }
    notice(
      StoreNotice(
        severity: .error,
        text:
          "\(path) could not be used: \(setAside.reason). It was set aside as \(setAside.path) and a new file was "
          + "made; events from before are only in that one"))
  }

  private func write() throws(StoreFailure) {
    let batch = state.withLock { $0.ledger.batch() }
    guard !batch.isEmpty else { return }
    let now = clock()
    let prunedKeys = try file.write(batch, nowSeconds: now)
    state.withLock {
      $0.ledger.settle(batch, prunedKeys: prunedKeys)
      $0.health.lastCommitAtSeconds = now
    }
  }

  private func succeed() {
    let previous = state.withLock { state in
      defer { state.health.state = .durable }
      return state.currentHealth
    }
    guard case .memoryOnly = previous.state else { return }
    let lost = previous.droppedEvents == 0 ? "" : "; \(previous.droppedEvents) events were lost since the start"
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
        text: "events and counters are in memory only, and \(path) is tried again: \(failure.reason)"))
  }
}
