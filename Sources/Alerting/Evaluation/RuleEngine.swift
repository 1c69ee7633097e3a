import Config
import Logging
import Metrics
import PromQL
import Runtime
import Storage

/// Judges by rules inside the daemon: takes the registry's pages into a series store, evaluates every group at its turn
/// and those that an event concerns at once, and hands on what Alertmanagers are to be told.
public actor RuleEngine {
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
    /// Full names of metrics of which a change is an event: alerting rules that read any are then evaluated at once.
    public var eventMetrics: Set<String> = []

    public init() {}
  }

  /// The samples that rules and queries read.
  public nonisolated let series: SeriesStore
  nonisolated let registry: Registry
  private nonisolated let runners = Lock<[GroupRunner]>([])
  private nonisolated let clock: Lock<EvaluationClock>
  private nonisolated let events = EventWatch()
  private nonisolated let counts = Lock(EngineCounts())
  private let archive: AlertArchive?
  private let history: HistoryKeeper?
  private let deliver: @Sendable ([AlertNotice], _ expression: String) -> Void
  private let log: Logger
  private var options: Options
  private var feed: SeriesFeed
  private var rules = RuleSet([])
  /// The rules that read metrics of events.
  private var readers: [(runner: GroupRunner, places: Set<Int>)] = []
  private var work: [Task<Void, Never>] = []
  private var isRunning = false
  private var lastScrape: ContinuousClock.Instant?

  /// Right after a start there are few samples: what was restored is kept without them until the first polls have come
  /// and the rule's ranges are filled, but not longer than the second of these.
  static let holdMilliseconds: ClosedRange<Int64> = 15_000...150_000
  /// Until the first polls have ended.
  static let firstTurnMilliseconds: Int64 = 3_000
  /// A page is taken again after this long at the soonest.
  static let freshness: Duration = .milliseconds(100)

  /// - Parameters:
  ///   - storage: where alerts are kept; nil for memory alone.
  ///   - deliver: is handed what Alertmanagers are to be told, with the rule's expression; must not wait.
  public init(
    _ options: Options, registry: Registry, storage: Store?, log: Logger,
    deliver: @escaping @Sendable ([AlertNotice], _ expression: String) -> Void
  ) {
    self.options = options
    self.registry = registry
    self.deliver = deliver
    self.log = log
    archive = storage.map { AlertArchive(store: $0) }
    var limits = SeriesLimits()
    limits.sampleBytes = options.sampleBytes
    let series = SeriesStore(policy: HistoryPolicy(), limits: limits)
    self.series = series
    history = storage.map { HistoryKeeper(store: $0, series: series) }
    clock = Lock(EvaluationClock(wallMilliseconds: wallMilliseconds(), bootMilliseconds: bootMilliseconds()))
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
    clock.withLock { $0.now(bootMilliseconds: bootMilliseconds()) }
  }

  /// By how much evaluations are ahead of a wall clock that was put back.
  nonisolated var clockAheadMilliseconds: Int64 {
    clock.withLock { $0.aheadMilliseconds(wallMilliseconds: wallMilliseconds(), bootMilliseconds: bootMilliseconds()) }
  }

  // MARK: Rules

  /// Takes over rule files and options. Alerts of rules that are still there live on.
  public func apply(_ files: [RuleFile], options: Options) async {
    self.options = options
    let wasRunning = isRunning
    await halt()
    let current = views.map(\.state)
    rules = current.isEmpty ? RuleSet(files) : RuleSet(files, carryingOver: rules.with(current))
    let now = nowMilliseconds
    if current.isEmpty { restore(at: now) }
    let policy = Self.policy(files, options)
    series.policy = policy
    feed.select(
      FamilySelection(namespace: options.namespace) { name in
        options.retentionMilliseconds != nil || policy.isRead(name)
      }, target: Self.target(options))
    let evaluator = self.evaluator
    let ending = evaluator(series.openOrigin())
    for labels in rules.takeOrphans() { ending.markStale(labels, at: now) }
    let made = rules.groups.map { state in
      let interval = state.group.intervalMilliseconds ?? options.intervalMilliseconds
      let isNew = state.lastEvaluationMilliseconds == nil
      return GroupRunner(
        state, evaluator: evaluator(series.openOrigin()), intervalMilliseconds: interval,
        firstTurn: isNew ? now + Self.firstTurnMilliseconds : (now / interval + 1) * interval,
        surroundings: surroundings)
    }
    runners.withLock { $0 = made }
    archive?.forget(allBut: Set(rules.groups.flatMap { AlertArchive.keys(of: $0.group) }))
    learnReaders(made)
    if wasRunning { begin() }
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
      deliver: deliver, archive: archive, resendDelayMilliseconds: options.resendDelayMilliseconds)
  }

  /// What rules look back over, and what the configuration asks for on top.
  private static func policy(_ files: [RuleFile], _ options: Options) -> HistoryPolicy {
    var policy = HistoryPolicy()
    var query = QueryOptions()
    query.subqueryStepMilliseconds = options.intervalMilliseconds
    for rule in files.flatMap(\.groups).flatMap(\.rules) {
      policy.keep(rule.query, options: query)
      guard case .alerting(let rule) = rule else { continue }
      for template in Array(rule.annotations.values) + Array(rule.labels.values) {
        for text in template.queryTexts {
          if let asked = try? Query(text, dialect: options.dialect) { policy.keep(asked, options: query) }
        }
      }
    }
    if let retention = options.retentionMilliseconds { policy.keepAll(forMilliseconds: retention) }
    return policy
  }

  // MARK: Restarts

  private func restore(at now: Int64) {
    guard let archive else { return }
    let shift = archive.clockShiftMilliseconds(offset: clock.withLock { $0.offsetMilliseconds })
    let kept = archive.alerts()
    var count = 0
    let taken: (String) -> [Alert] = { rule in
      let alerts = kept[rule] ?? []
      count += alerts.count
      return alerts
    }
    rules.restore(holdingUntilMilliseconds: { now + Self.holdMilliseconds(of: $0) }, taken)
    rules.shift(byMilliseconds: shift)
    if count > 0 { log.info("alerts taken up again", metadata: ["count": "\(count)"]) }
  }

  private static func holdMilliseconds(of rule: Rule) -> Int64 {
    var ranges = QueryOptions()
    ranges.lookbackMilliseconds = 0
    let longest = rule.query.reaches(options: ranges).compactMap(\.milliseconds).max() ?? 0
    return min(holdMilliseconds.lowerBound + longest, holdMilliseconds.upperBound)
  }

  // MARK: At work

  /// Starts to evaluate. ``apply(_:options:)`` comes first.
  public func start() async {
    guard !isRunning else { return }
    await history?.load(policy: series.policy, nowMilliseconds: nowMilliseconds)
    begin()
  }

  private func begin() {
    isRunning = true
    let names = options.eventMetrics
    events.start(FamilySelection(namespace: options.namespace) { names.contains($0) }) { [weak self] in
      await self?.answerEvents()
    }
    for runner in runners.withLock({ $0 }) {
      work.append(Task(executorPreference: WorkExecutor.rules) { await runner.run() })
    }
    work.append(Task(executorPreference: WorkExecutor.rules) { [weak self] in await self?.keepScraping() })
  }

  /// Ends all evaluations and waits for those under way.
  private func halt() async {
    isRunning = false
    events.stop()
    let work = work
    self.work = []
    for task in work { task.cancel() }
    for task in work { await task.value }
  }

  public func stop() async {
    await halt()
    await history?.keep(nowMilliseconds: nowMilliseconds, policy: series.policy)
  }

  private func keepScraping() async {
    var lastMinute: Int64 = 0
    while !Task.isCancelled {
      await adjustClock()
      scrape()
      let now = nowMilliseconds
      if now / 60_000 != lastMinute {
        lastMinute = now / 60_000
        series.expire(nowMilliseconds: now)
        await history?.keep(nowMilliseconds: now, policy: series.policy)
      }
      let pause = options.scrapeMilliseconds - now % options.scrapeMilliseconds
      try? await Task.sleep(for: .milliseconds(pause))
    }
  }

  private func adjustClock() async {
    let distance = clock.withLock {
      $0.adjust(wallMilliseconds: wallMilliseconds(), bootMilliseconds: bootMilliseconds())
    }
    archive?.keepClock(offset: clock.withLock { $0.offsetMilliseconds })
    guard distance != 0 else { return }
    log.warning(
      "the clock was put forward; pending alerts do not count it as waiting",
      metadata: ["seconds": "\(Double(distance) / 1000)"])
    for runner in runners.withLock({ $0 }) { await runner.shift(byMilliseconds: distance) }
  }

  /// Takes in the newest page.
  ///
  /// - Parameter isForced: also where that was just done: something has changed since.
  func scrape(isForced: Bool = false) {
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

  /// Finds the alerting rules that read a metric of events, themselves or by what is recorded from it.
  private func learnReaders(_ made: [GroupRunner]) {
    let all = rules.groups.flatMap(\.group.rules)
    var names = options.eventMetrics
    var known = -1
    while names.count != known {
      known = names.count
      for case .recording(let rule) in all where rule.query.reads(anyOf: names) { names.insert(rule.name) }
    }
    readers = zip(made, rules.groups).map { runner, state in
      let places = state.group.rules.indices.filter { index in
        guard case .alerting(let rule) = state.group.rules[index] else { return false }
        return rule.query.reads(anyOf: names)
      }
      return (runner, Set(places))
    }.filter { !$0.places.isEmpty }
  }

  /// Evaluates what depends on metrics that changed.
  private func answerEvents() async {
    guard isRunning else { return }
    scrape(isForced: true)
    for (runner, places) in readers { await runner.call(places) }
  }
}

extension Query {
  /// Whether a selector of the query names one of these metrics.
  fileprivate func reads(anyOf names: Set<String>) -> Bool {
    reaches().contains { reach in
      reach.matchers.contains { matcher in
        matcher.name == Labels.metricName && names.contains { matcher.matches(value: $0) }
      }
    }
  }
}

func wallMilliseconds() -> Int64 { Int64(wallClockSeconds() * 1000) }
func bootMilliseconds() -> Int64 { Int64(bootClockSeconds() * 1000) }

/// What the engine counts beside its groups.
struct EngineCounts: Sendable {
  var scrapes = 0
  var scrapeSeconds = 0.0
  var refusedSources = 0
}
