import Runtime

/// Aggregations over the samples of a range.
enum OverTimeFunctions {
  static let all = [
    Function("avg_over_time", [.matrix], .perWindow { window, _ in average(window) }),
    Function("count_over_time", [.matrix], .perWindow { window, _ in Double(window.count) }),
    Function("last_over_time", [.matrix], .special { try last($0, $1, $2) }),
    Function(
      "mad_over_time", [.matrix], dialects: [.prometheus3], .perWindow { window, _ in medianDeviation(window) }),
    Function("max_over_time", [.matrix], .perWindow { window, _ in extreme(window, isBetter: >) }),
    Function("min_over_time", [.matrix], .perWindow { window, _ in extreme(window, isBetter: <) }),
    Function("present_over_time", [.matrix], .perWindow { _, _ in 1 }),
    Function("quantile_over_time", [.scalar, .matrix], .special { try quantile($0, $1, $2) }),
    Function("stddev_over_time", [.matrix], .perWindow { window, _ in variance(window).squareRoot() }),
    Function("stdvar_over_time", [.matrix], .perWindow { window, _ in variance(window) }),
    Function("sum_over_time", [.matrix], .perWindow { window, _ in sum(window) }),
    Function("absent_over_time", [.matrix], .special { try absent($0, $1, $2) }),
  ]

  private static func average(_ window: Window) -> Double {
    var mean = RunningMean(first: window.first.value)
    for sample in window.slice.dropFirst() { mean.add(sample.value) }
    return mean.value
  }

  private static func sum(_ window: Window) -> Double {
    var sum = KahanSum()
    for sample in window.slice { sum.add(sample.value) }
    return sum.value
  }

  /// The first that no other beats; NaN only when nothing else is there.
  private static func extreme(_ window: Window, isBetter: (Double, Double) -> Bool) -> Double {
    var best = window.first.value
    for sample in window.slice where isBetter(sample.value, best) || best.isNaN { best = sample.value }
    return best
  }

  /// Of the population (Welford's method).
  private static func variance(_ window: Window) -> Double {
    var count = 0.0
    var mean = KahanSum()
    var squares = KahanSum()
    for sample in window.slice {
      count += 1
      let delta = sample.value - (mean.sum + mean.compensation)
      mean.add(delta / count)
      squares.add(delta * (sample.value - (mean.sum + mean.compensation)))
    }
    return (squares.sum + squares.compensation) / count
  }

  private static func medianDeviation(_ window: Window) -> Double {
    let values = window.slice.map(\.value)
    if values.contains(where: \.isNaN) { return .nan }
    let median = Quantile.of(values, 0.5)
    return Quantile.of(values.map { ($0 - median).magnitude }, 0.5)
  }

  private static func quantile(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let table = try evaluation.perWindow(call, steps) { window, scalars in
      Quantile.of(window.slice.map(\.value), scalars[0])
    }
    if table.rowCount > 0 {
      for q in try evaluation.scalar(call.arguments[0], steps) {
        evaluation.annotations.checkQuantile(q, at: call.arguments[0].place)
      }
    }
    return .vector(table)
  }

  /// Keeps the metric's name, as an offset would.
  private static func last(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    .vector(try evaluation.perWindow(call, steps, keepsMetricName: true) { window, _ in window.last.value })
  }

  private static func absent(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let ranges = try evaluation.rangeVector(call.arguments[0], steps)
    var isPresent = Array(repeating: false, count: steps.count)
    for series in ranges.series {
      ranges.forEachWindow(of: series) { step, _ in isPresent[step] = true }
    }
    var table = Table(stepCount: steps.count)
    table.append(VectorFunctions.labelsOfAbsent(call.arguments[0])) { isPresent[$0] ? .absent : 1 }
    return .vector(table)
  }
}

/// Quantiles of samples, interpolated between the two nearest ranks.
enum Quantile {
  /// Below 0 gives -Inf, above 1 +Inf; NaN values sort first.
  static func of(_ values: [Double], _ q: Double) -> Double {
    if values.isEmpty || q.isNaN { return .nan }
    if q < 0 { return -.infinity }
    if q > 1 { return .infinity }
    let sorted = values.sorted { $0 < $1 || ($0.isNaN && !$1.isNaN) }
    let rank = q * Double(sorted.count - 1)
    let lower = max(0, Int(clamping: rank.rounded(.down)))
    let upper = min(sorted.count - 1, lower + 1)
    let weight = rank - rank.rounded(.down)
    return sorted[lower] * (1 - weight) + sorted[upper] * weight
  }
}
