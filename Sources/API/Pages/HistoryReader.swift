import PromQL
import Runtime
import Web

/// Reads series of the store with PromQL for a page, under small limits.
///
/// In queries `$` is the namespace and its underline, and `@` the matcher of whom the page is about.
struct HistoryReader: Sendable {
  let store: SeriesStore
  let namespace: String
  /// `instance` or `workload`, and its value.
  let subject: (label: String, value: String)
  let now: WallTime

  private var options: QueryOptions {
    var options = QueryOptions()
    // Longer than most polls are apart, and short enough for a gap to be seen as one.
    options.lookbackMilliseconds = 60_000
    options.limits.samples = 2_000_000
    options.limits.seconds = 2
    return options
  }

  /// What selects the series of whom the page is about.
  var matcher: String { "\(subject.label)=\(quoted(subject.value))" }

  private func query(_ text: String) throws -> Query {
    let prefix = namespace.isEmpty ? "" : "\(namespace)_"
    return try Query(text.replacing("$", with: prefix).replacing("@", with: "{\(matcher)}"))
  }

  func vector(_ text: String, at time: WallTime) throws -> [VectorSample] {
    let result = try query(text).value(atMilliseconds: time.epochMs, in: store, options: options)
    guard case .vector(let samples) = result.value else { return [] }
    return samples
  }

  /// ``TimeSeries/pointLimit`` values up to now, one for each step; nil where there is none.
  func series(_ text: String, stepSeconds: Double) throws -> [Double?] {
    try allSeries(text, stepSeconds: stepSeconds).first?.points
      ?? [Double?](repeating: nil, count: TimeSeries.pointLimit)
  }

  /// As ``series(_:stepSeconds:)``, of every series that the query gives.
  func allSeries(_ text: String, stepSeconds: Double) throws -> [(labels: Labels, points: [Double?])] {
    let step = Int64(clamping: stepSeconds * 1000)
    let count = TimeSeries.pointLimit
    let start = now.epochMs - Int64(count - 1) * step
    let result = try query(text).values(
      fromMilliseconds: start, throughMilliseconds: now.epochMs, stepMilliseconds: step, in: store,
      options: options)
    guard case .matrix(let all) = result.value else { return [] }
    return all.map { series in
      var points = [Double?](repeating: nil, count: count)
      for sample in series.samples where !sample.isStale {
        let index = Int((sample.timestampMilliseconds - start) / step)
        if points.indices.contains(index) { points[index] = sample.value }
      }
      return (series.labels, points)
    }
  }
}
