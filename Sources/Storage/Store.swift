import Runtime

/// The daemon's memory across restarts: events, counters and facts in one SQLite file.
///
/// Counters and facts are also in memory, so reading and changing them never waits. A change is in the file
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
    if !store.health.isDurable { store.schedule() }
    return store
  }

  private init(
    path: String, options: StoreOptions, schema: Schema, clock: @escaping @Sendable () -> Double,
    notice: @escaping @Sendable (StoreNotice) -> Void
  ) {
    self.options = options
    state = Lock(
      StoreState(
        ledger: Ledger(pendingLimit: options.pendingEventCount), health: StoreHealth(state: .durable)))
    writer = StoreWriter(
      path: path, options: options, schema: schema, state: state, clock: clock, notice: notice)
  }

  public var events: EventStore { EventStore(store: self) }
  public var counters: DurableCounters { DurableCounters(store: self) }
  public var facts: Facts { Facts(store: self) }

  /// How the store does now.
  public var health: StoreHealth { state.withLock { $0.currentHealth } }

  /// Reads and changes events, counters and facts as one: all of it is written in one transaction. `body` must be short.
  @discardableResult
  public func change<Result>(_ body: (inout Ledger) -> Result) -> Result {
    let (result, mustSchedule) = state.withLock { state in
      let result = body(&state.ledger)
      return (result, state.ledger.hasChanges && !state.isCommitScheduled && !state.isClosed)
    }
    if mustSchedule { schedule() }
    return result
  }

  /// Waits until everything that was changed before is in the file.
  ///
  /// - Returns: false when it could not be written; `health` says why, and it is tried again.
  @discardableResult
  public func flush() async -> Bool {
    let isWritten = await withTaskExecutorPreference(WorkExecutor.files) { await writer.commit() }
    if !isWritten { schedule() }
    return isWritten
  }

  /// Writes what is pending and lets another process have the file. Later changes are lost.
  public func close() async {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.close() }
  }

  func newest(_ query: EventQuery) async -> [Event] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.events(query) }
  }

  /// For tests: see `StoreWriter.limit(pages:)`.
  func limit(pages: Int) async throws {
    try await writer.limit(pages: pages)
  }

  /// Starts the commit of what is changed now and within the delay, unless one is on its way.
  private func schedule() {
    let isFree = state.withLock { state in
      defer { state.isCommitScheduled = true }
      return !state.isCommitScheduled && !state.isClosed
    }
    guard isFree else { return }
    Task(executorPreference: WorkExecutor.files) { [weak self, options] in
      var pauseMs = self?.health.isDurable ?? false ? options.commitDelayMs : options.retryMs
      repeat {
        try? await Task.sleep(for: .milliseconds(pauseMs))
        pauseMs = min(max(pauseMs * 2, options.retryMs), options.retryMaxMs)
      } while await self?.commitScheduled() ?? false
    }
  }

  /// - Returns: whether it must be tried again.
  private func commitScheduled() async -> Bool {
    // Free before the commit: what is changed during it needs another one.
    let isClosed = state.withLock { state in
      state.isCommitScheduled = false
      return state.isClosed
    }
    if isClosed { return false }
    if await writer.commit() { return false }
    return state.withLock { state in
      // Another change or flush may have scheduled its own by now.
      defer { state.isCommitScheduled = true }
      return !state.isCommitScheduled && !state.isClosed
    }
  }
}
