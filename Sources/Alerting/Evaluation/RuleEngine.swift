import Config
import Logging
import Metrics
import PromQL
import Runtime
import Storage

/// Judges by rules inside the daemon: takes the registry's pages into a series store, evaluates every group at its turn
/// and those that an event concerns at once, and hands on what Alertmanagers are to be told.
public actor RuleEngine {
  /// The samples that rules and queries read.
  public nonisolated let series: SeriesStore
  nonisolated let registry: Registry
  private nonisolated let runners = Lock<[GroupRunner]>([])
  nonisolated let clock: Lock<EvaluationClock>
  private nonisolated let events = EventTrigger()
  private nonisolated let counts = Lock(EngineCounts())
  let stateStore: RuleStateStore?
  let history: BaselineStore?
  private let deliver: @Sendable ([Notification], _ expression: String) -> Void
  let log: Logger
  private var options: Options
  private var feed: SeriesFeed
  var rules = RuleSet([])
  /// The rules that read metrics of events.
  private var readers: [(runner: GroupRunner, places: Set<Int>)] = []
  private var work: Task<Void, Never>?
  private var isRunning = false
  /// Whether nothing is to be taken from pages: there are no rules, and no history is asked for.
  private var isIdle = true
  /// Nil once the history of the last run is in the series store.
  var intake: HistoryIntake?
  nonisolated let historyBeginnings = Lock<[String: Int64]>([:])
  var legacy = Legacy()
  private var lastScrape: ContinuousClock.Instant?

  /// Until the first polls have ended.
  static let firstTurnMilliseconds: Int64 = 3_000
  /// A page is taken again after this long at the soonest.
  static let freshness: Duration = .milliseconds(100)

  /// - Parameters:
  ///   - storage: where alerts are kept; nil for memory alone.
  ///   - deliver: is handed what Alertmanagers are to be told, with the rule's expression; must not wait.
  public init(
    _ options: Options, registry: Registry, storage: Store?, log: Logger,
    deliver: @escaping @Sendable ([Notification], _ expression: String) -> Void
  ) {
    self.options = options
    self.registry = registry
    self.deliver = deliver
    self.log = log
    stateStore = storage.map { RuleStateStore(store: $0) }
    var limits = SeriesLimits()
    limits.sampleBytes = options.sampleBytes
    let series = SeriesStore(policy: HistoryPolicy(), limits: limits)
    self.series = series
    history = storage.map { BaselineStore(store: $0, series: series) }
    clock = Lock(EvaluationClock(wallMilliseconds: wallClockMilliseconds(), bootMilliseconds: bootClockMilliseconds()))
    feed = SeriesFeed(
      series, target: Self.target(options), families: FamilySelection(namespace: options.namespace) { _ in false })
    let events = events
    registry.onPublish { samples, key in events.note(samples, key) }
  }

  private static func target(_ options: Options) -> SeriesFeed.Target {
    SeriesFeed.Target(
      job: options.job, instance: options.instance, namespace: options.namespace,
      areEdgesFloats: options.dialect == .prometheus3)
  }

  // MARK: What it shows

  /// Every group with its rules and alerts, as the newest evaluation left them.
  public nonisolated var groups: [GroupState] { views.map(\.state) }
  nonisolated var views: [GroupRunner.View] { runnersNow.map(\.view) }
  nonisolated var runnersNow: [GroupRunner] { runners.withLock { $0 } }
  nonisolated var engineCounts: EngineCounts { counts.withLock { $0 } }

  /// The time of evaluations, milliseconds since 1970.
  public nonisolated var nowMilliseconds: Int64 {
    clock.withLock { $0.now(bootMilliseconds: bootClockMilliseconds()) }
  }

  /// By how much evaluations are ahead of a wall clock that was put back.
  nonisolated var clockAheadMilliseconds: Int64 {
    clock.withLock {
      $0.aheadMilliseconds(wallMilliseconds: wallClockMilliseconds(), bootMilliseconds: bootClockMilliseconds())
    }
  }

  // MARK: Rules

  /// Takes over rule files and options. Alerts of rules that are still there live on.
  public func apply(_ files: [RuleFile], options: Options) async {
    self.options = options
    let wasRunning = isRunning
    await halt()
    let former = runnersNow
    let isFirst = former.isEmpty
    rules = isFirst ? RuleSet(files) : RuleSet(files, carryingOver: rules.with(former.map(\.view.state)))
    let now = nowMilliseconds
    if isFirst { restore(at: now) }
    let policy = HistoryPolicy(files, options)
    isIdle = rules.groups.isEmpty && options.retentionMilliseconds == nil
    series.policy = policy
    series.limits.sampleBytes = options.sampleBytes
    intake?.policy = policy
    feed.select(
      FamilySelection(namespace: options.namespace) { name in
        options.retentionMilliseconds != nil || policy.isRead(name)
      }, target: Self.target(options))
    // Only then may others give the series of before: rules that stay, under whatever group they are now.
    for runner in former { try? series.close(runner.origin, endingSeriesAtMilliseconds: nil) }
    end(rules.takeOrphans(), at: now)
    let made = rules.groups.map { state in
      let interval = state.group.intervalMilliseconds ?? options.intervalMilliseconds
      let isNew = state.lastEvaluationMilliseconds == nil
      let origin = series.openOrigin()
      return GroupRunner(
        state, evaluator: evaluator(origin), origin: origin, intervalMilliseconds: interval,
        firstTurn: isNew ? now + Self.firstTurnMilliseconds : (now / interval + 1) * interval,
        surroundings: surroundings)
    }
    runners.withLock { $0 = made }
    stateStore?.forget(allBut: Set(rules.groups.flatMap { RuleStateStore.keys(of: $0.group) }))
    readers = zip(made, EventReaders.places(in: rules.groups.map(\.group), of: options.eventMetrics))
      .map { (runner: $0, places: $1) }.filter { !$0.places.isEmpty }
    if wasRunning { begin() }
  }

  /// Marks the series of groups that are gone as stale.
  private func end(_ orphans: [Labels], at now: Int64) {
    guard !orphans.isEmpty else { return }
    let origin = series.openOrigin()
    let ending = evaluator(origin)
    for labels in orphans { ending.markStale(labels, at: now) }
    try? series.close(origin, endingSeriesAtMilliseconds: nil)
  }

  private var evaluator: (SeriesOrigin) -> GroupEvaluator {
    let (series, options) = (series, options)
    return { origin in
      var query = QueryOptions()
      query.subqueryStepMilliseconds = options.intervalMilliseconds
      // A query that takes longer than its turn would starve the others.
      query.limits.seconds = min(30, Double(options.intervalMilliseconds) / 1000)
      return GroupEvaluator(
        source: series, options: query, dialect: options.dialect, externalLabels: options.externalLabels,
        externalURL: options.externalURL, queryOffsetMilliseconds: options.queryOffsetMilliseconds
      ) { labels, sample in
        var batch = SeriesBatch()
        batch.append(sample.value, to: try series.reference(to: labels))
        let report = try series.append(
          batch, atMilliseconds: sample.timestampMilliseconds, from: origin, isComplete: false)
        if report.conflicts > 0 {
          throw RuleError(
            "\(labels) is given by another rule or by a target as well; give one of them another name or label")
        }
      }
    }
  }

  private var surroundings: GroupRunner.Surroundings {
    GroupRunner.Surroundings(
      now: { [weak self] in self?.nowMilliseconds ?? .max },
      refresh: { [weak self] in await self?.scrape() },
      deliver: deliver, stateStore: stateStore, resendDelayMilliseconds: options.resendDelayMilliseconds)
  }

  // MARK: At work

  /// Starts to evaluate, once the history of the last run is there. ``apply(_:options:)`` comes first.
  public func start() {
    guard !isRunning else { return }
    if history != nil, lastScrape == nil, !isIdle {
      intake = HistoryIntake(into: series, policy: series.policy, nowMilliseconds: nowMilliseconds)
    }
    begin()
  }

  private func begin() {
    isRunning = true
    let names = options.eventMetrics
    events.start(FamilySelection(namespace: options.namespace) { names.contains($0) }) { [weak self] in
      await self?.answerEvents()
    }
    work = Task(executorPreference: WorkExecutor.rules) { [weak self] in await self?.run() }
  }

  private func run() async {
    await loadHistory()
    guard !Task.isCancelled else { return }
    await settleStored()
    while !Task.isCancelled {
      await withTaskGroup { group in
        for runner in runnersNow {
          group.addTask(executorPreference: WorkExecutor.rules) { await runner.run() }
        }
        await keepScraping()
        group.cancelAll()
      }
      if !Task.isCancelled { await followClock() }
    }
  }

  /// Ends all evaluations and waits for those under way.
  private func halt() async {
    isRunning = false
    events.stop()
    let work = work
    self.work = nil
    work?.cancel()
    await work?.value
  }

  public func stop() async {
    await halt()
    if intake == nil { history?.keep(nowMilliseconds: nowMilliseconds, policy: series.policy) }
  }

  // MARK: Samples

  /// Until the task is cancelled or the clock was set.
  private func keepScraping() async {
    var lastMinute: Int64 = 0
    while !Task.isCancelled {
      guard adjustClock() == 0 else { return }
      stateStore?.keepClock(offset: clock.withLock { $0.offsetMilliseconds })
      await settleStored()
      scrape()
      let now = nowMilliseconds
      if now / 60_000 != lastMinute {
        lastMinute = now / 60_000
        series.expire(nowMilliseconds: now)
        history?.keep(nowMilliseconds: now, policy: series.policy)
      }
      let pause = options.scrapeMilliseconds - now % options.scrapeMilliseconds
      try? await Task.sleep(for: .milliseconds(pause))
    }
  }

  /// - Returns: by how much the wall clock was set, which is still to be followed.
  private func adjustClock() -> Int64 {
    clock.withLock { $0.adjust(wallMilliseconds: wallClockMilliseconds(), bootMilliseconds: bootClockMilliseconds()) }
  }

  /// Goes on at the wall clock's side: samples and alerts are as old as they were. To be done while nothing is evaluated.
  private func followClock() async {
    let distance = adjustClock()
    guard distance != 0 else { return }
    clock.withLock { $0.step(byMilliseconds: distance) }
    series.shift(byMilliseconds: distance)
    stateStore?.keepClock(offset: clock.withLock { $0.offsetMilliseconds })
    log.warning(
      "the clock was put \(distance > 0 ? "forward" : "back"); alerts and the history that they rest on go with it",
      metadata: ["seconds": "\(Double(distance) / 1000)"])
    for runner in runnersNow { await runner.shift(byMilliseconds: distance) }
  }

  /// Takes in the newest page.
  ///
  /// - Parameter isForced: also where that was just done: something has changed since.
  func scrape(isForced: Bool = false) {
    guard !isIdle, intake == nil else { return }
    let began = ContinuousClock.now
    if !isForced, let lastScrape, began - lastScrape < Self.freshness { return }
    let page = registry.page()
    feed.take(page, atMilliseconds: nowMilliseconds, tookSeconds: (ContinuousClock.now - began).seconds)
    lastScrape = .now
    counts.withLock { counts in
      counts.scrapes += 1
      counts.scrapeSeconds += (ContinuousClock.now - began).seconds
      counts.refusedSources = feed.refusedCount
    }
    if let problem = feed.lastError, problem != loggedProblem {
      loggedProblem = problem
      log.error("samples are missing for rules", metadata: ["error": "\(problem)"])
    }
  }
  private var loggedProblem: String?

  // MARK: Events

  /// Evaluates what depends on metrics that changed.
  private func answerEvents() async {
    guard isRunning, intake == nil else { return }
    scrape(isForced: true)
    for (runner, places) in readers { await runner.call(places) }
  }
}

/// What the engine counts beside its groups.
struct EngineCounts: Sendable {
  var scrapes = 0
  var scrapeSeconds = 0.0
  var refusedSources = 0
}
