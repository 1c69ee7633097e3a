extension Evaluation {
  /// The newest sample of each series at every step, no older than the lookback; none where it is stale.
  func newest(
    _ selector: Expression.Selector, _ steps: Steps, _ cell: (Sample) -> Double
  ) throws -> Table {
    let moments = moments(selector.shift, steps)
    let lookback = options.lookbackMilliseconds
    let start = moments.first - lookback + (dialect.hasOpenRanges ? 1 : 0)
    let isAtOneMoment = steps.count == 1 || moments.isFixed
    let found =
      isAtOneMoment
      ? try source.selectNewest(
        selector.matchers, fromMilliseconds: start, throughMilliseconds: moments.last, charge: charge)
      : try source.select(
        selector.matchers, fromMilliseconds: start, throughMilliseconds: moments.last, charge: charge)
    try chargeCells(found.count, steps)
    var table = Table(stepCount: steps.count)
    table.reserveRows(found.count)
    for (index, series) in found.enumerated() {
      if index % 1024 == 1023 { try checkTime() }
      if isAtOneMoment {
        let value = Self.value(series.samples.last, cell)
        table.append(series.labels) { _ in value }
      } else {
        append(series, moments, cell, to: &table)
      }
    }
    return table
  }

  /// The steps only grow, so one walk over the samples serves them all.
  private func append(_ series: Series, _ moments: Moments, _ cell: (Sample) -> Double, to table: inout Table) {
    let samples = series.samples
    let lookback = options.lookbackMilliseconds
    // The sample exactly `lookback` old counts in the closed dialect only.
    let oldestAge = dialect.hasOpenRanges ? lookback - 1 : lookback
    var next = 0
    table.append(series.labels) { step in
      let time = moments.time(step)
      while next < samples.count, samples[next].timestampMilliseconds <= time { next += 1 }
      guard next > 0, time - samples[next - 1].timestampMilliseconds <= oldestAge else { return .absent }
      return Self.value(samples[next - 1], cell)
    }
  }

  private static func value(_ sample: Sample?, _ cell: (Sample) -> Double) -> Double {
    guard let sample, !sample.isStale else { return .absent }
    return cell(sample)
  }
}
