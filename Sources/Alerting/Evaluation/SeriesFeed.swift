import Logging
import Metrics
import PromQL
import Runtime

/// Brings the pages of a registry into a series store, as a scrape of `/metrics` would bring them into Prometheus.
///
/// Each source of the page is an origin of its own. What a source's series are called in the store is found out once and
/// used again while the source has the same series, which is nearly always.
struct SeriesFeed {
  private struct Source {
    let origin: SeriesOrigin
    /// ``PageValues/Source/stamp`` of the series that the references are to.
    var stamp = 0
    /// Nil where one of the series does not fit.
    var references: [SeriesReference]?
  }

  /// What a scrape adds to series that have no such label, and the form of its edges.
  struct Target: Sendable {
    let job: String
    let instance: String
    let namespace: String
    let areEdgesFloats: Bool
  }

  private let store: SeriesStore
  private var target: Target
  private var families: FamilySelection
  private var reader: PageValuesReader
  private var sources: [String: Source] = [:]
  private let own: SeriesOrigin
  /// Why the store would not take a source, the last time.
  private(set) var lastError: String?

  init(_ store: SeriesStore, target: Target, families: FamilySelection) {
    self.store = store
    self.target = target
    self.families = families
    reader = PageValuesReader(families)
    own = store.openOrigin()
  }

  /// Takes other families from the next page on.
  mutating func select(_ families: FamilySelection, target: Target) {
    self.families = families
    reader.select(families)
    self.target = target
    for source in sources.values { try? store.close(source.origin, endingSeriesAtMilliseconds: nil) }
    sources = [:]
  }

  /// The values that it takes of a page.
  mutating func values(of page: Registry.Page) -> PageValues { reader.values(of: page) }

  /// Takes in a page.
  ///
  /// - Parameters:
  ///   - values: what ``values(of:)`` gave for it.
  ///   - seconds: how long it took to put the page together.
  mutating func take(
    _ page: Registry.Page, _ values: PageValues, atMilliseconds time: Int64, tookSeconds seconds: Double
  ) {
    for (index, source) in values.sources.enumerated() {
      do throws(SeriesStoreError) {
        try take(page.sources[index], source, values.values, of: page.keys[index], atMilliseconds: time)
      } catch { note(error) }
    }
    if sources.count > page.keys.count {
      let here = Set(page.keys)
      for key in sources.keys where !here.contains(key) {
        guard let source = sources.removeValue(forKey: key) else { continue }
        try? store.close(source.origin, endingSeriesAtMilliseconds: time)
      }
    }
    takeOwn(sampleCount: page.sampleCount, seconds: seconds, atMilliseconds: time)
  }

  private mutating func take(
    _ samples: Samples, _ taken: PageValues.Source, _ values: [Double], of key: String, atMilliseconds time: Int64
  ) throws(SeriesStoreError) {
    var source = sources[key] ?? Source(origin: store.openOrigin())
    defer { sources[key] = source }
    if source.stamp != taken.stamp || source.references == nil {
      source.references = nil
      source.stamp = taken.stamp
      source.references = try references(samples)
    }
    let values = values[taken.range]
    let report = try store.append(batch(source.references, values), atMilliseconds: time, from: source.origin)
    guard !report.unknown.isEmpty else { return }
    // Some series had gone from the store: they are added again.
    source.references = nil
    source.references = try references(samples)
    try store.append(batch(source.references, values), atMilliseconds: time, from: source.origin)
  }

  private func batch(_ references: [SeriesReference]?, _ values: ArraySlice<Double>) -> SeriesBatch {
    var batch = SeriesBatch()
    batch.reserveCapacity(values.count)
    for (reference, value) in zip(references ?? [], values) { batch.append(value, to: reference) }
    return batch
  }

  /// - Throws: when one of the series does not fit; the source is then left out whole.
  private mutating func references(_ samples: Samples) throws(SeriesStoreError) -> [SeriesReference] {
    var found: [SeriesReference] = []
    var problem: SeriesStoreError?
    var families = families
    samples.forEachSeries(of: &families, namespace: target.namespace, areEdgesFloats: target.areEdgesFloats) { series in
      guard problem == nil else { return }
      do throws(SeriesStoreError) { found.append(try store.reference(to: labels(of: series))) } catch {
        problem = error
      }
    }
    self.families = families
    if let problem { throw problem }
    return found
  }

  private func labels(of series: Samples.SeriesText) -> Labels {
    var pairs = [Labels.Pair(Labels.metricName, series.name), Labels.Pair("job", target.job)]
    if !series.labels.contains(where: { $0.name == "instance" }) {
      pairs.append(Labels.Pair("instance", target.instance))
    }
    return Labels(pairs + series.labels.map { Labels.Pair($0.name, $0.value) })
  }

  /// What Prometheus adds to each scrape.
  private mutating func takeOwn(sampleCount: Int, seconds: Double, atMilliseconds time: Int64) {
    let series: [(String, Double)] = [
      ("up", 1), ("scrape_duration_seconds", seconds), ("scrape_samples_scraped", Double(sampleCount)),
      ("scrape_samples_post_metric_relabeling", Double(sampleCount)),
    ]
    do throws(SeriesStoreError) {
      var batch = SeriesBatch()
      for (name, value) in series {
        batch.append(
          value,
          to: try store.reference(
            to: Labels([
              Labels.Pair(Labels.metricName, name), Labels.Pair("job", target.job),
              Labels.Pair("instance", target.instance),
            ])))
      }
      try store.append(batch, atMilliseconds: time, from: own)
    } catch { note(error) }
  }

  private mutating func note(_ error: SeriesStoreError) { lastError = "\(error)" }
}

/// Scrapes the registry, as Prometheus would scrape `/metrics`.
struct Scraper {
  /// A page is taken again after this long at the soonest.
  static let freshness: Duration = .milliseconds(100)

  private let registry: Registry
  private let log: Logger
  /// Nil where nobody wants to know.
  let observer: EvaluationObserver?
  private var feed: SeriesFeed
  private var last: ContinuousClock.Instant?
  private var loggedProblem: String?
  /// Whether nothing is to be taken from pages: there are no rules, and no history is asked for.
  private(set) var isIdle = true

  var hasScraped: Bool { last != nil }

  init(
    _ registry: Registry, into series: SeriesStore, _ options: RuleEngine.Options, observer: EvaluationObserver?,
    log: Logger
  ) {
    self.registry = registry
    self.observer = observer
    self.log = log
    feed = SeriesFeed(
      series, target: SeriesFeed.Target(options), families: FamilySelection(namespace: options.namespace) { _ in false }
    )
  }

  /// Takes what rules read, or everything where a history is asked for.
  mutating func select(_ options: RuleEngine.Options, policy: HistoryPolicy, hasRules: Bool) {
    isIdle = !hasRules && options.retentionMilliseconds == nil
    feed.select(
      FamilySelection(namespace: options.namespace) { name in
        options.retentionMilliseconds != nil || policy.isRead(name)
      }, target: SeriesFeed.Target(options))
  }

  /// Takes in the newest page.
  ///
  /// - Parameter isForced: also where that was just done.
  /// - Returns: how long it took, in seconds.
  mutating func scrape(nowMilliseconds now: Int64, isForced: Bool) -> Double {
    guard !isIdle else { return 0 }
    let began = ContinuousClock.now
    if !isForced, let last, began - last < Self.freshness { return 0 }
    let page = registry.page()
    let seconds = (ContinuousClock.now - began).seconds
    let values = feed.values(of: page)
    observer?.page(page, values, now)
    feed.take(page, values, atMilliseconds: now, tookSeconds: seconds)
    let ended = ContinuousClock.now
    last = ended
    if let problem = feed.lastError, problem != loggedProblem {
      loggedProblem = problem
      log.error("samples are missing for rules", metadata: ["error": "\(problem)"])
    }
    return (ended - began).seconds
  }
}

extension SeriesFeed.Target {
  init(_ options: RuleEngine.Options) {
    self.init(
      job: options.job, instance: options.instance, namespace: options.namespace,
      areEdgesFloats: options.dialect == .prometheus3)
  }
}
