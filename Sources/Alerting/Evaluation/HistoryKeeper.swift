import Config
import PromQL
import Runtime
import Storage

/// Keeps a sample a minute of what rules look back over for longer than a few minutes, so that their windows and
/// baselines are not empty after a restart.
struct HistoryKeeper: Sendable {
  let store: Store
  let series: SeriesStore

  /// Shorter windows fill up by themselves before an alert that was restored is let go.
  static let shortestReachMilliseconds: Int64 = HistoryPolicy.shortestMilliseconds + 60_000

  /// Puts what was kept into the series store. To be done before anything else is in there.
  func load(policy: HistoryPolicy, nowMilliseconds now: Int64) async {
    let kept = await store.history.load(sinceMs: now - policy.longestMilliseconds)
    var batches: [Int64: SeriesBatch] = [:]
    for one in kept {
      guard let labels = try? JSONStringMap.parse(Array(one.labels.utf8), file: "history") else { continue }
      let identity = Labels(labels.map { Labels.Pair($0.key, $0.value) })
      let since = now - policy.milliseconds(for: labels[Labels.metricName] ?? "")
      guard let reference = try? series.reference(to: identity) else { continue }
      for point in one.points where point.atMs >= since && point.atMs < now {
        batches[point.atMs, default: SeriesBatch()].append(point.value, to: reference)
      }
    }
    let origin = series.openOrigin()
    for (time, batch) in batches.sorted(by: { $0.key < $1.key }) {
      _ = try? series.append(batch, atMilliseconds: time, from: origin, isComplete: false)
    }
    // Whoever gives these series from here on takes them over.
    try? series.close(origin, endingSeriesAtMilliseconds: nil)
  }

  /// Writes down the newest sample of each series that is looked back over.
  func keep(nowMilliseconds now: Int64, policy: HistoryPolicy) async {
    guard let newest = try? series.selectNewest([], fromMilliseconds: now - 60_000, throughMilliseconds: now) else {
      return
    }
    let points = newest.compactMap { one -> HistoryPoint? in
      guard let sample = one.samples.last, !sample.isStale,
        policy.milliseconds(for: one.labels[Labels.metricName] ?? "") > Self.shortestReachMilliseconds
      else { return nil }
      let pairs = one.labels.pairs.map { "\(jsonString($0.name)):\(jsonString($0.value))" }
      return HistoryPoint(labels: "{\(pairs.joined(separator: ","))}", atMs: now, value: sample.value)
    }
    store.history.retain(ms: policy.longestMilliseconds)
    store.history.append(points)
  }
}
