import PromQL
import Runtime
import Storage

/// Keeps a sample a minute of what rules look back over for longer than a few minutes, so that their windows and
/// baselines are not empty after a restart.
struct BaselineStore: Sendable {
  let store: Store
  let series: SeriesStore

  /// Shorter windows fill up by themselves before an alert that was restored is let go.
  static let shortestReachMilliseconds: Int64 = HistoryPolicy.shortestMilliseconds + 60_000

  /// What was kept of a span of time, both ends included.
  func kept(_ span: ClosedRange<Int64>) async -> [HistorySeries] {
    await store.history.load(sinceMs: span.lowerBound, untilMs: span.upperBound)
  }

  /// Writes down the newest sample of each series that is looked back over.
  func keep(nowMilliseconds now: Int64, policy: HistoryPolicy) {
    guard let newest = try? series.selectNewest([], fromMilliseconds: now - 60_000, throughMilliseconds: now) else {
      return
    }
    let points = newest.compactMap { one -> HistoryPoint? in
      guard let sample = one.samples.last, !sample.isStale,
        policy.milliseconds(for: one.labels[Labels.metricName] ?? "") > Self.shortestReachMilliseconds
      else { return nil }
      return HistoryPoint(labels: one.labels.json, atMs: now, value: sample.value)
    }
    store.history.retain(ms: policy.longestMilliseconds)
    store.history.append(points)
  }
}

/// Puts what was kept into a series store, an hour at a time: one hour of all series is all that is in memory twice.
///
/// A series takes samples in the order of their times only, so this goes from the oldest on, and nothing else may give
/// these series until it is done. No clock and no I/O.
struct HistoryIntake {
  static let spanMilliseconds: Int64 = 3_600_000

  private struct Known {
    let name: String
    /// Nil for a series that cannot be had.
    let reference: SeriesReference?
    /// Its older samples are kept no longer.
    let sinceMilliseconds: Int64
  }

  private let series: SeriesStore
  private let origin: SeriesOrigin
  private let endMilliseconds: Int64
  private var nextMilliseconds: Int64
  /// The series seen so far by their text.
  private var known: [String: Known] = [:]
  private(set) var pointCount = 0
  /// Spans that were left out.
  private(set) var skippedCount = 0
  /// When the samples of each metric begin, in milliseconds since 1970.
  private(set) var beginnings: [String: Int64] = [:]

  /// How long each metric is kept.
  var policy: HistoryPolicy {
    didSet { known = [:] }
  }

  init(into series: SeriesStore, policy: HistoryPolicy, nowMilliseconds now: Int64) {
    self.series = series
    self.policy = policy
    origin = series.openOrigin()
    endMilliseconds = now
    nextMilliseconds = now - policy.longestMilliseconds
  }

  /// The next span to read, both ends included; nil when all is there.
  ///
  /// - Parameter hurries: leaves out all spans but the last one. Rules need the newest samples most, and a baseline can
  ///   do with what was read first.
  mutating func nextSpan(hurries: Bool) -> ClosedRange<Int64>? {
    guard nextMilliseconds < endMilliseconds else { return nil }
    let spans = (endMilliseconds - nextMilliseconds - 1) / Self.spanMilliseconds
    if hurries, spans > 0 {
      skippedCount += Int(spans)
      nextMilliseconds += spans * Self.spanMilliseconds
    }
    let start = nextMilliseconds
    nextMilliseconds = min(start + Self.spanMilliseconds, endMilliseconds)
    return start...(nextMilliseconds - 1)
  }

  /// Takes in what was kept of a span.
  mutating func take(_ kept: [HistorySeries]) {
    var batches: [Int64: SeriesBatch] = [:]
    for one in kept {
      let known = known(one.labels)
      guard let reference = known.reference else { continue }
      let points = one.points.drop { $0.atMs < known.sinceMilliseconds }
      guard let first = points.first?.atMs else { continue }
      beginnings[known.name] = min(beginnings[known.name] ?? .max, first)
      for point in points { batches[point.atMs, default: SeriesBatch()].append(point.value, to: reference) }
      pointCount += points.count
    }
    for (time, batch) in batches.sorted(by: { $0.key < $1.key }) {
      _ = try? series.append(batch, atMilliseconds: time, from: origin, isComplete: false)
    }
  }

  /// The source that gives these series from here on takes them over.
  func finish() {
    try? series.close(origin, endingSeriesAtMilliseconds: nil)
  }

  private mutating func known(_ text: String) -> Known {
    if let known = known[text] { return known }
    let labels = Labels(json: text)
    let name = labels?[Labels.metricName] ?? ""
    let found = Known(
      name: name, reference: labels.flatMap { try? series.reference(to: $0) },
      sinceMilliseconds: endMilliseconds - policy.milliseconds(for: name))
    known[text] = found
    return found
  }
}
