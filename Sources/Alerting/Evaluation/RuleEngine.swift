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
  nonisolated let shown = Lock(Shown())
  nonisolated let clock: Lock<EvaluationClock>
  private nonisolated let events = EventTrigger()
  let durable: Durable?
  private let deliver: @Sendable ([Notification], _ expression: String) -> Void
  private let alertsChanged: @Sendable ([AlertChange]) -> Void
  let log: Logger
  private var options: Options
  private var scraper: Scraper
  var rules = RuleSet([])
  /// The rules that read metrics of events.
  private var readers: [(runner: GroupRunner, places: Set<Int>)] = []
  private var work: Task<Void, Never>?
  /// Nil once the history of the last run is in the series store.
  var intake: HistoryIntake?
  var legacy = Legacy()

  /// Until the first polls have ended.
  static let firstTurnMilliseconds: Int64 = 3_000

  /// What can be read without waiting for the engine.
  struct Shown {
    var runners: [GroupRunner] = []
    /// Since when samples of a metric are kept that the last run left, milliseconds since 1970.
    var historyBeginnings: [String: Int64] = [:]
    var scrapeSeconds = 0.0
  }

  /// What this run leaves to the next one.
  struct Durable {
    let alerts: RuleStateStore
    let baselines: BaselineStore
  }

  /// - Parameters:
  ///   - storage: where alerts are kept; nil for memory alone.
  ///   - observer: hears about pages and evaluations; nil for nobody.
  ///   - alertsChanged: is told which alerts began to wait or to fire, or ended, before they are delivered; must not wait.
  ///   - deliver: is handed what Alertmanagers are to be told, with the rule's expression; must not wait.
  public init(
    _ options: Options, registry: Registry, storage: Store?, observer: EvaluationObserver? = nil, log: Logger,
    alertsChanged: @escaping @Sendable ([AlertChange]) -> Void = { _ in },
    deliver: @escaping @Sendable ([Notification], _ expression: String) -> Void
  ) {
    self.options = options
    self.deliver = deliver
    self.alertsChanged = alertsChanged
    self.log = log
    var limits = SeriesLimits()
    limits.sampleBytes = options.sampleBytes
    let series = SeriesStore(policy: HistoryPolicy(), limits: limits)
    self.series = series
    durable = storage.map {
      Durable(alerts: RuleStateStore(store: $0), baselines: BaselineStore(store: $0, series: series))
    }
    clock = Lock(EvaluationClock(wallMilliseconds: WallTime.now.epochMs, bootMilliseconds: bootClockMilliseconds()))
    scraper = Scraper(registry, into: series, options, observer: observer, log: log)
    let events = events
    registry.onPublish { samples, key in events.note(samples, key) }
  }

  // MARK: What it shows

  /// Every group with its rules and alerts, as the newest evaluation left them.
  public nonisolated var groups: [GroupState] { views.map(\.state) }
  nonisolated var views: [GroupRunner.View] { runnersNow.map(\.view) }
  nonisolated var runnersNow: [GroupRunner] { shown.withLock(\.runners) }

  /// The time of evaluations, milliseconds since 1970.
  public nonisolated var nowMilliseconds: Int64 {
    clock.withLock { $0.now(bootMilliseconds: bootClockMilliseconds()) }
  }

  /// By how much evaluations are ahead of a wall clock that was put back.
  nonisolated var clockAheadMilliseconds: Int64 {
    clock.withLock {
      $0.aheadMilliseconds(wallMilliseconds: WallTime.now.epochMs, bootMilliseconds: bootClockMilliseconds())
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
    series.policy = policy
    series.limits.sampleBytes = options.sampleBytes
    intake?.policy = policy
    scraper.select(options, policy: policy, hasRules: !rules.groups.isEmpty)
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
    shown.withLock { $0.runners = made }
    durable?.alerts.forget(allBut: Set(rules.groups.flatMap { RuleStateStore.keys(of: $0.group) }))
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
      deliver: deliver, observer: scraper.observer, alertsChanged: alertsChanged, stateStore: durable?.alerts,
      resendDelayMilliseconds: options.resendDelayMilliseconds)
  }

  // MARK: At work

  /// Starts to evaluate, once the history of the last run is there. ``apply(_:options:)`` comes first.
  public func start() {
    guard !isRunning else { return }
    if durable != nil, !scraper.hasScraped, !scraper.isIdle {
      intake = HistoryIntake(into: series, policy: series.policy, nowMilliseconds: nowMilliseconds)
    }
    begin()
  }

  private var isRunning: Bool { work != nil }

  private func begin() {
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
    events.stop()
    let work = work
    self.work = nil
    work?.cancel()
    await work?.value
  }

  public func stop() async {
    await halt()
    if intake == nil { durable?.baselines.keep(nowMilliseconds: nowMilliseconds, policy: series.policy) }
  }

  // MARK: Samples

  /// Until the task is cancelled or the clock was set.
  private func keepScraping() async {
    var lastMinute: Int64 = 0
    while !Task.isCancelled {
      guard adjustClock() == 0 else { return }
      durable?.alerts.keepClock(offset: clock.withLock { $0.offsetMilliseconds })
      await settleStored()
      scrape()
      let now = nowMilliseconds
      if now / 60_000 != lastMinute {
        lastMinute = now / 60_000
        series.expire(nowMilliseconds: now)
        durable?.baselines.keep(nowMilliseconds: now, policy: series.policy)
      }
      let pause = options.scrapeMilliseconds - now % options.scrapeMilliseconds
      try? await Task.sleep(for: .milliseconds(pause))
    }
  }

  /// - Returns: by how much the wall clock was set, which is still to be followed.
  private func adjustClock() -> Int64 {
    clock.withLock { $0.adjust(wallMilliseconds: WallTime.now.epochMs, bootMilliseconds: bootClockMilliseconds()) }
  }

  /// Goes on at the wall clock's side: samples and alerts are as old as they were. To be done while nothing is evaluated.
  private func followClock() async {
    let distance = adjustClock()
    guard distance != 0 else { return }
    clock.withLock { $0.step(byMilliseconds: distance) }
    scraper.observer?.shift(distance)
    series.shift(byMilliseconds: distance)
    durable?.alerts.keepClock(offset: clock.withLock { $0.offsetMilliseconds })
    log.warning(
      "the clock was set \(distance > 0 ? "forward" : "back"): alerts and history move with it",
      metadata: ["seconds": "\(Double(distance) / 1000)"])
    for runner in runnersNow { await runner.shift(byMilliseconds: distance) }
  }

  /// Takes in the newest page.
  ///
  /// - Parameter isForced: also where that was just done: something has changed since.
  func scrape(isForced: Bool = false) {
    guard intake == nil else { return }
    let seconds = scraper.scrape(nowMilliseconds: nowMilliseconds, isForced: isForced)
    shown.withLock { $0.scrapeSeconds += seconds }
  }

  // MARK: Events

  /// Evaluates what depends on metrics that changed.
  private func answerEvents() async {
    guard isRunning, intake == nil else { return }
    scrape(isForced: true)
    for (runner, places) in readers { await runner.call(places) }
  }
}

extension RuleEngine {
  /// What a configuration says of the evaluation.
  public struct Options: Sendable, Equatable {
    public var intervalMilliseconds: Int64 = 15_000
    public var scrapeMilliseconds: Int64 = 5_000
    public var queryOffsetMilliseconds: Int64 = 0
    public var resendDelayMilliseconds: Int64 = 60_000
    /// For every series; nil keeps only what rules read.
    public var retentionMilliseconds: Int64?
    public var sampleBytes = 2 << 30
    public var dialect = Dialect.prometheus3
    public var externalLabels: [String: String] = [:]
    public var externalURL = ""
    /// The labels of series that have none of these.
    public var job = "redline"
    public var instance = "localhost:9121"
    public var namespace = "redis"
    /// Full names of metrics whose changes are events: alerting rules that read any are then evaluated at once.
    public var eventMetrics: Set<String> = []

    public init() {}
  }
}

extension HistoryPolicy {
  /// What rules look back over, and what the configuration asks for on top.
  init(_ files: [RuleFile], _ options: RuleEngine.Options) {
    self.init()
    var query = QueryOptions()
    query.subqueryStepMilliseconds = options.intervalMilliseconds
    for rule in files.flatMap(\.groups).flatMap(\.rules) {
      keep(rule.query, options: query)
      guard case .alerting(let rule) = rule else { continue }
      for template in Array(rule.annotations.values) + Array(rule.labels.values) {
        for text in template.queryTexts {
          if let asked = try? Query(text, dialect: options.dialect) { keep(asked, options: query) }
        }
      }
    }
    if let retention = options.retentionMilliseconds { keepAll(forMilliseconds: retention) }
  }
}
