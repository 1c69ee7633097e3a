import Runtime

/// The daemon's memory across restarts: alerts, events, counters, facts, notifications and history in one SQLite file.
///
/// Alerts, counters and facts are also in memory, so reading and changing them never waits. A change is in the file
/// `StoreOptions.commitDelayMs` later and survives the end of the process by any signal from then on; a loss of power may
/// take the last changes (see `StoreFile`). While the file cannot be written, changes stay in memory, `health` says why, and
/// the file is tried again until it works. Files are touched on `WorkExecutor.files` alone.
public final class Store: Sendable {
  private let writer: StoreWriter
  private let state: Lock<StoreState>
  private let options: StoreOptions

  /// Opens the store at `path`, and makes it and its directory (only the last component) when they are missing.
  ///
  /// A damaged or foreign file is renamed to `NAME.corrupt-TIME` with its logs, and a new one is made. A directory that
  /// cannot be written is no error: the store works from memory until it can.
  ///
  /// - Parameters:
  ///   - clock: wall time in seconds since the epoch.
  ///   - notice: is handed what the operator should read: on the thread of `WorkExecutor.files`, once per change of state.
  /// - Throws: when another process has the store open, a newer release wrote it, or the path is no file.
  public static func open(
    _ path: String, options: StoreOptions = StoreOptions(),
    clock: @escaping @Sendable () -> Double = wallClockSeconds,
    notice: @escaping @Sendable (StoreNotice) -> Void
  ) async throws(StoreError) -> Store {
    try await open(path, options: options, schema: .current, clock: clock, notice: notice)
  }

  static func open(
    _ path: String, options: StoreOptions, schema: Schema, clock: @escaping @Sendable () -> Double,
    notice: @escaping @Sendable (StoreNotice) -> Void
  ) async throws(StoreError) -> Store {
    let store = Store(path: path, options: options, schema: schema, clock: clock, notice: notice)
    let writer = store.writer
    try await withTaskExecutorPreference(WorkExecutor.files) { () async throws(StoreError) in
      try await writer.start()
    }
    if !store.health.isDurable { store.schedule(.records) }
    return store
  }

  private init(
    path: String, options: StoreOptions, schema: Schema, clock: @escaping @Sendable () -> Double,
    notice: @escaping @Sendable (StoreNotice) -> Void
  ) {
    self.options = options
    state = Lock(
      StoreState(
        records: StoreRecords(pendingLimit: options.pendingEventCount),
        history: HistoryBuffer(limit: options.pendingPointCount), historyRetentionMs: options.historyRetentionMs,
        health: StoreHealth(state: .durable)))
    writer = StoreWriter(
      path: path, options: options, schema: schema, state: state, clock: clock, notice: notice)
  }

  public var events: EventStore { EventStore(store: self) }
  public var counters: DurableCounters { DurableCounters(store: self) }
  public var facts: Facts { Facts(store: self) }
  public var alerts: AlertStore { AlertStore(store: self) }
  public var notifications: NotificationStore { NotificationStore(store: self) }
  public var history: HistoryStore { HistoryStore(store: self) }

  /// How the store does now.
  public var health: StoreHealth { state.withLock { $0.currentHealth } }

  /// Reads and changes all that the records holds as one, and it is written in one transaction. `body` must be short.
  @discardableResult
  public func change<Result>(_ body: (inout StoreRecords) -> Result) -> Result {
    let (result, mustSchedule) = state.withLock { state in
      let result = body(&state.records)
      return (result, state.records.hasChanges && state.maySchedule(.records))
    }
    if mustSchedule { schedule(.records) }
    return result
  }

  /// Waits until everything that was changed before is in the file; points of history wait for `HistoryStore.flush()`.
  ///
  /// - Returns: false when it could not be written; `health` says why, and it is tried again.
  @discardableResult
  public func flush() async -> Bool {
    let isWritten = await withTaskExecutorPreference(WorkExecutor.files) { await writer.commit() }
    if !isWritten { schedule(.records) }
    return isWritten
  }

  /// Writes what is pending and lets another process have the file. Later changes are lost.
  public func close() async {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.close() }
  }

  func newest(_ query: EventQuery) async -> [Event] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.events(query) }
  }

  func newest(_ query: NotificationQuery) async -> [StoredNotification] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.notifications(query) }
  }

  func append(_ points: [HistoryPoint]) {
    let mustSchedule = state.withLock { state in
      state.history.append(points)
      return state.maySchedule(.history)
    }
    if mustSchedule { schedule(.history) }
  }

  func retainHistory(ms: Int64) { state.withLock { $0.historyRetentionMs = ms } }

  func history(sinceMs: Int64, untilMs: Int64) async -> [HistorySeries] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.history(sinceMs: sinceMs, untilMs: untilMs) }
  }

  func flushHistory() async -> Bool {
    let isWritten = await withTaskExecutorPreference(WorkExecutor.files) { await writer.commit(.history) }
    if !isWritten { schedule(.history) }
    return isWritten
  }

  /// For tests: see `StoreWriter.limit(pages:)`.
  func limit(pages: Int) async throws {
    try await writer.limit(pages: pages)
  }

  /// Starts the commit of what is changed now and within the delay, unless one is on its way.
  private func schedule(_ section: StoreSection) {
    guard state.withLock({ $0.takeSchedule(section) }) else { return }
    Task(executorPreference: WorkExecutor.files) { [weak self, options] in
      let delayMs = section == .records ? options.commitDelayMs : options.historyDelayMs
      var pauseMs = self?.health.isDurable ?? false ? delayMs : max(delayMs, options.retryMs)
      repeat {
        try? await Task.sleep(for: .milliseconds(pauseMs))
        pauseMs = min(max(pauseMs * 2, options.retryMs), options.retryMaxMs)
      } while await self?.commitScheduled(section) ?? false
    }
  }

  /// - Returns: whether it must be tried again.
  private func commitScheduled(_ section: StoreSection) async -> Bool {
    // Free before the commit: what is changed during it needs another one.
    let isClosed = state.withLock { state in
      state.scheduled.remove(section)
      return state.isClosed
    }
    if isClosed { return false }
    if await writer.commit(section) {
      // Points of history may have found another file, which lacks all the rest.
      if state.withLock({ $0.records.hasChanges && $0.maySchedule(.records) }) { schedule(.records) }
      return false
    }
    // Another change or flush may have scheduled its own by now.
    return state.withLock { $0.takeSchedule(section) }
  }
}
