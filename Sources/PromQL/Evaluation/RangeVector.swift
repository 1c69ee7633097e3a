/// A range vector at every step: series of samples with the ranges that each step looks at.
struct RangeVector {
  /// Without staleness markers.
  let series: [Series]
  let rangeMilliseconds: Int64
  let moments: Moments
  let steps: Steps
  let dialect: Dialect

  /// Calls `body` for every step at which the series has samples in the range.
  @inline(__always)
  func forEachWindow(of series: Series, _ body: (_ step: Int, Window) throws -> Void) rethrows {
    var sliding = SlidingRange(dialect: dialect)
    for step in 0..<steps.count {
      let end = moments.time(step)
      let start = end - rangeMilliseconds
      let indices = sliding.indices(series.samples, from: start, through: end)
      if indices.isEmpty { continue }
      try body(
        step,
        Window(
          samples: series.samples, indices: indices, startMilliseconds: start, endMilliseconds: end,
          timeMilliseconds: steps.time(step)))
    }
  }
}

extension Evaluation {
  /// The series and ranges of a range selector or a subquery.
  func rangeVector(_ expression: Expression, _ steps: Steps) throws -> RangeVector {
    switch expression.unwrapped {
    case .range(let node):
      let moments = moments(node.selector.shift, steps)
      let start = moments.first - node.rangeMilliseconds + (dialect.hasOpenRanges ? 1 : 0)
      let found = try source.select(
        node.selector.matchers, fromMilliseconds: start, throughMilliseconds: moments.last, charge: charge)
      return RangeVector(
        series: found.map(Self.withoutStaleSamples), rangeMilliseconds: node.rangeMilliseconds, moments: moments,
        steps: steps, dialect: dialect)
    case .subquery(let node):
      let moments = moments(node.shift, steps)
      return RangeVector(
        series: try subquerySeries(node, moments), rangeMilliseconds: node.rangeMilliseconds, moments: moments,
        steps: steps, dialect: dialect)
    default: throw EvaluationError("\(expression) is not a range vector")
    }
  }

  /// What a range vector alone gives as the value of a whole query.
  func rangeSeries(_ expression: Expression) throws -> [Series] {
    let steps = Steps(startMilliseconds: wholeStart, intervalMilliseconds: 1, count: 1)
    let vector = try rangeVector(expression, steps)
    var result: [Series] = []
    for series in vector.series {
      vector.forEachWindow(of: series) { _, window in
        result.append(Series(labels: series.labels, samples: Array(window.slice)))
      }
    }
    return result
  }

  /// The inner expression at absolute multiples of the step, so that the samples do not move with the query.
  private func subquerySeries(_ node: Expression.Subquery, _ moments: Moments) throws -> [Series] {
    let interval = node.stepMilliseconds ?? options.subqueryStepMilliseconds
    let earliest = moments.first - node.rangeMilliseconds
    var start = earliest - earliest.remainder(modulo: interval)
    if start < earliest || (dialect.hasOpenRanges && start == earliest) { start += interval }
    let steps = Steps(startMilliseconds: start, intervalMilliseconds: interval, endMilliseconds: moments.last)
    if steps.count == 0 { return [] }
    try charge(steps.count)
    let table = try vector(node.expression, steps)
    try chargeCells(table.rowCount, steps)
    return (0..<table.rowCount).map { Series(labels: table.labels[$0], samples: table.samples($0, steps)) }
  }

  private static func withoutStaleSamples(_ series: Series) -> Series {
    guard series.samples.contains(where: \.isStale) else { return series }
    return Series(labels: series.labels, samples: series.samples.filter { !$0.isStale })
  }
}

extension Int64 {
  /// The remainder from 0 up to `divisor`, also of negative numbers.
  fileprivate func remainder(modulo divisor: Int64) -> Int64 {
    let remainder = self % divisor
    return remainder < 0 ? remainder + divisor : remainder
  }
}

/// The samples of one series in a range, and the range itself: what a function over a range computes from.
struct Window {
  /// Those of the whole query, without staleness markers; `indices` are those in the range, at least one.
  let samples: [Sample]
  let indices: Range<Int>
  /// The range, in milliseconds since the epoch.
  let startMilliseconds: Int64
  let endMilliseconds: Int64
  /// The moment of the evaluation: other than the end of the range behind an offset.
  let timeMilliseconds: Int64

  @inline(__always) var count: Int { indices.count }
  @inline(__always) var first: Sample { samples[indices.lowerBound] }
  @inline(__always) var last: Sample { samples[indices.upperBound - 1] }
  @inline(__always) var slice: ArraySlice<Sample> { samples[indices] }
  var rangeSeconds: Double { Double(endMilliseconds - startMilliseconds) / 1000 }
}

/// Finds the samples of ranges that never move back, in one walk over the samples.
struct SlidingRange {
  private let hasOpenStart: Bool
  private var lower = 0
  private var upper = 0

  init(dialect: Dialect) { hasOpenStart = dialect.hasOpenRanges }

  @inline(__always)
  mutating func indices(_ samples: [Sample], from start: Int64, through end: Int64) -> Range<Int> {
    while upper < samples.count, samples[upper].timestampMilliseconds <= end { upper += 1 }
    let firstKept = hasOpenStart ? start + 1 : start
    while lower < upper, samples[lower].timestampMilliseconds < firstKept { lower += 1 }
    return lower..<upper
  }
}
