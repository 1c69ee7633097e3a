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
