/// A straight line through the highest values of days, by least squares.
struct ReportTrend: Sendable, Equatable {
  let perDay: Double
  /// What the line says of the newest day.
  let newest: Double
  let dayCount: Int

  /// Fewer days than these say nothing about a year.
  static let leastDays = 14

  /// - Returns: nil for too few days.
  init?(_ points: [ReportSeries.Point]) {
    guard let first = points.first, let last = points.last, points.count >= Self.leastDays,
      last.at - first.at >= Double(Self.leastDays - 1) * 86_400
    else { return nil }
    let xs = points.map { ($0.at - last.at) / 86_400 }
    let count = Double(points.count)
    let (meanX, meanY) = (xs.reduce(0, +) / count, points.reduce(0) { $0 + $1.value } / count)
    let (xx, xy) = zip(xs, points).reduce((0.0, 0.0)) { sums, pair in
      (sums.0 + (pair.0 - meanX) * (pair.0 - meanX), sums.1 + (pair.0 - meanX) * (pair.1.value - meanY))
    }
    guard xx > 0 else { return nil }
    perDay = xy / xx
    newest = meanY - perDay * meanX
    dayCount = points.count
  }

  /// How many times as much it will be in a year; nil where the line is not above 0.
  var yearFactor: Double? { newest > 0 ? max(0, (newest + 365 * perDay) / newest) : nil }
}
