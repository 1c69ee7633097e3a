import Runtime

/// The daemon's memory across restarts: alerts, events, counters, facts, notifications, results of jobs and checks, error
/// budgets, evidence, marks and history in one SQLite file.
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
  ///   - notice: is handed what the operator should read: on the thread of `WorkExecutor.files`, once per change of state.
  /// - Throws: when another process has the store open, a newer release wrote it, or the path is no file.
  public static func open(
    _ path: String, options: StoreOptions = StoreOptions(),
    clock: @escaping @Sendable () -> WallTime = { .now },
    notice: @escaping @Sendable (StoreNotice) -> Void
  ) async throws(StoreError) -> Store {
    try await open(path, options: options, schema: .current, clock: clock, notice: notice)
  }

  static func open(
    _ path: String, options: StoreOptions, schema: Schema, clock: @escaping @Sendable () -> WallTime,
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
    path: String, options: StoreOptions, schema: Schema, clock: @escaping @Sendable () -> WallTime,
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
  public var jobResults: JobResultStore { JobResultStore(store: self) }
  public var evidence: EvidenceStore { EvidenceStore(store: self) }
  public var checkResults: CheckResultStore { CheckResultStore(store: self) }
  public var marks: StoredMarks { StoredMarks(store: self) }
  public var history: HistoryStore { HistoryStore(store: self) }
  public var budgets: BudgetRowStore { BudgetRowStore(store: self) }

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

  /// Waits until everything that was changed before is in the file; points of history and error budgets wait for
  /// `HistoryStore.flush()`.
  ///
  /// - Returns: false when it could not be written; `health` says why, and it is tried again.
  @discardableResult
  public func flush() async -> Bool {
    let isWritten = await withTaskExecutorPreference(WorkExecutor.files) { await writer.commit() }
    if !isWritten { schedule(.records) }
    return isWritten
  }

  /// Removes what is past keeping: see `StoreOptions`.
  ///
  /// - Returns: how many rows of each table.
  public func removeOld() async throws(StoreError) -> [String: Int] {
    let result = await withTaskExecutorPreference(WorkExecutor.files) {
      () async -> Result<[String: Int], StoreFailure> in
      do throws(StoreFailure) { return .success(try await writer.removeOld()) } catch { return .failure(error) }
    }
    switch result {
    case .success(let rows): return rows
    case .failure(.refused(let error)): throw error
    case .failure(let failure): throw .unavailable(failure.reason)
    }
  }

  /// Writes what is pending and lets another process have the file. Later changes are lost.
  public func close() async {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.close() }
  }

  func newest(_ query: EventQuery) async -> [Event] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.events(query) }
  }

  func newest(_ query: JobResultQuery) async -> [JobResult] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.jobResults(query) }
  }

  func newest(_ query: CheckResultQuery) async -> [StoredCheckResult] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.checkResults(query) }
  }

  func marks() async -> [StoredMark]? {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.marks() }
  }

  func newest(_ query: EvidenceQuery) async -> [StoredEvidence] {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.evidence(query) }
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

  func put(_ rows: [StoredBudget]) {
    guard !rows.isEmpty else { return }
    let mustSchedule = state.withLock { state in
      state.budgets.put(rows)
      return state.maySchedule(.history)
    }
    if mustSchedule { schedule(.history) }
  }

  var fileNumber: Int { state.withLock(\.fileNumber) }

  func budgets(ofWorkload workload: String) async -> [StoredBudget]? {
    await withTaskExecutorPreference(WorkExecutor.files) { await writer.budgets(ofWorkload: workload) }
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

/// The events of a store: appended, their text revised once more is known, removed by age and count.
public struct EventStore: Sendable {
  let store: Store

  /// Keeps an event, and raises the counters given by 1 in the same transaction.
  ///
  /// - Returns: false when an event with its key is known, also from before a restart; then nothing is counted.
  @discardableResult
  public func append(_ event: Event, counting keys: [CounterKey] = []) -> Bool {
    store.change { $0.append(event, counting: keys) }
  }

  /// The newest events that match, by time, the newest first; also those that are not in the file yet.
  public func newest(_ query: EventQuery = EventQuery()) async -> [Event] {
    await store.newest(query)
  }

  /// Notes when a file began to be filled, once in its life: before that, nothing is known, not even that nothing happened.
  public func noteBegin(at time: WallTime) async {
    guard store.facts[Self.beginKey] == nil else { return }
    let oldest = await newest(EventQuery(limit: 1, isOldestFirst: true)).first?.at
    store.facts.set(Self.beginKey, to: "noted", at: oldest.map { min($0, time) } ?? time)
  }

  /// When a file began to be filled; nil where that was never noted.
  public var begin: WallTime? { store.facts[Self.beginKey]?.changed }

  /// Since when all events are kept; nil where that is not known.
  public func keptSince() async -> WallTime? {
    // Marks may be of a time before they came in.
    let oldestFew = await newest(EventQuery(limit: 100, isOldestFirst: true))
    guard let oldest = oldestFew.first(where: { $0.kind != .mark }) else { return begin }
    // Without the first that was written, some were removed.
    return oldest.id > 1 ? oldest.at : begin.map { min($0, oldest.at) } ?? oldest.at
  }

  private static let beginKey = "events/begin"
}

/// The alerts of a store, so that `for`, resends and the start of an episode go on after a restart.
///
/// What must be durable before it is told to others: change it, wait for `Store.flush()`, then tell.
public struct AlertStore: Sendable {
  let store: Store

  /// Every alert: those the file had, with what was changed since the start. Sorted by rule and labels.
  public func all() -> [StoredAlert] {
    store.change { Array($0.alerts.records.values) }.sorted { ($0.rule, $0.labels) < ($1.rule, $1.labels) }
  }

  /// Whether the alerts of the last run are in `all()`. False while the file could not be read since the start.
  public var isRestored: Bool { store.change { $0.isAdopted } }

  /// Says that it is decided what the alerts of the last run mean. Those of a file that can be read only later are then
  /// forgotten: their episode is over, or has restarted in memory.
  public func settle() { store.change { $0.settleAlerts() } }

  /// Keeps alerts, each in place of the one with its rule and labels. What is as it was is not written again.
  public func put(_ records: [StoredAlert]) { store.change { $0.put(records) } }

  /// Forgets an alert.
  public func remove(rule: String, labels: String) { store.change { $0.removeAlert(rule: rule, labels: labels) } }

  /// Forgets the alerts of all rules but these, also those of a file that can be read only later.
  public func removeRules(notIn rules: Set<String>) { store.change { $0.removeAlerts(ofRulesNotIn: rules) } }
}

/// What the Alertmanagers were told, for people: appended, removed by age and count.
public struct NotificationStore: Sendable {
  let store: Store

  /// Keeps notifications; of more than `StoreOptions.notificationCount` the oldest are removed.
  public func append(_ records: [StoredNotification]) { store.change { $0.append(records) } }

  /// The newest notifications that match, by time, the newest first; also those that are not in the file yet.
  public func newest(_ query: NotificationQuery = NotificationQuery()) async -> [StoredNotification] {
    await store.newest(query)
  }
}

/// The results of jobs: appended; of too many, the job with the most loses its oldest.
public struct JobResultStore: Sendable {
  let store: Store

  public func append(_ results: [JobResult]) { store.change { $0.append(results) } }

  /// The newest results that match, the newest first; also those that are not in the file yet.
  public func newest(_ query: JobResultQuery = JobResultQuery()) async -> [JobResult] {
    await store.newest(query)
  }
}

/// The long baselines of a store: downsampled series of a day or more.
///
/// Points are gathered for `StoreOptions.historyDelayMs` and written in a transaction of their own, so that `Store.flush()`
/// never waits for them. While the file cannot be written, the newest `StoreOptions.pendingPointCount` stay in memory.
public struct HistoryStore: Sendable {
  let store: Store

  /// Keeps points. Of two points of a series at the same time, the later one given counts.
  public func append(_ points: [HistoryPoint]) { store.append(points) }

  /// Removes points older than this from now on, in milliseconds; `StoreOptions.historyRetentionMs` until it is said.
  public func retain(ms: Int64) { store.retainHistory(ms: ms) }

  /// The points from `sinceMs` to `untilMs`, both included, also those that are not in the file yet; sorted by labels.
  ///
  /// At most `StoreLimits.loadedPoints`, the newest. A point takes 16 bytes of memory: ask for hour after hour where the
  /// whole is not needed at once.
  public func load(sinceMs: Int64, untilMs: Int64 = .max) async -> [HistorySeries] {
    await store.history(sinceMs: sinceMs, untilMs: untilMs)
  }

  /// Waits until the points that were appended before are in the file.
  ///
  /// - Returns: false when they could not be written; `Store.health` says why, and it is tried again.
  @discardableResult
  public func flush() async -> Bool { await store.flushHistory() }
}

/// The counters of a store that restarts must not reset, such as that of failovers.
public struct DurableCounters: Sendable {
  let store: Store

  /// All counters, also those of earlier runs.
  public func load() -> [CounterKey: Counter] { store.change { $0.counters } }

  /// nil for a counter that was never declared, added to or set.
  public subscript(key: CounterKey) -> Counter? { store.change { $0.counters[key] } }

  /// Makes a counter that starts at 0, so that `increase()` sees its first change; an existing one stays as it is.
  public func declare(_ key: CounterKey) { store.change { $0.declare(key) } }

  /// Adds to a counter, which starts at 0.
  ///
  /// - Parameters:
  ///   - delta: finite; 0 only declares the counter.
  ///   - time: when it changed.
  public func add(_ key: CounterKey, _ delta: Double = 1, at time: WallTime) {
    store.change { $0.add(delta, to: key, at: time) }
  }

  /// Sets a counter to a finite value; its time of change moves only when the value does.
  public func set(_ key: CounterKey, to value: Double, at time: WallTime) {
    store.change { $0.set(key, to: value, at: time) }
  }

  /// Forgets a counter.
  public func remove(_ key: CounterKey) { store.change { $0.remove(key) } }
}

/// Small texts by key that must outlive the process, such as `sentinel/mymaster/config_epoch` = `7`.
public struct Facts: Sendable {
  let store: Store

  /// nil for a fact that was never set.
  public subscript(key: String) -> Fact? { store.change { $0.facts[key] } }

  /// Sets a fact; nil forgets it. Keys and values are bounded by `StoreLimits`.
  public func set(_ key: String, to value: String?, at time: WallTime) {
    store.change { $0.setFact(key, to: value, at: time) }
  }
}
