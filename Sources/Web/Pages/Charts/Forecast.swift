/// When a number reaches a limit if it goes on as it did: a straight line through its points, by least squares.
///
/// Silent where the line does not fit, such as over a dump or a deploy, and where it leads nowhere soon.
public struct Forecast: Sendable, Equatable {
  /// From the newest point.
  public let seconds: Double
  /// How far back it was fitted.
  public let fittedSeconds: Double

  /// The least share of the points' spread that the line must explain (R²).
  static let leastFit = 0.9
  static let leastPoints = 20
  /// Later than this is not told, nor farther than so many times what was fitted.
  static let horizonSeconds = 7 * 86_400.0
  static let farthest = 12.0

  /// - Parameters:
  ///   - points: evenly spaced, oldest first; nil where there is none.
  ///   - limit: above the newest point.
  public init?(_ points: [Double?], stepSeconds: Double, limit: Double) {
    let known = points.enumerated().compactMap { index, value in
      value.map { (x: Double(index) * stepSeconds, y: $0) }
    }
    guard known.count >= Self.leastPoints, let first = known.first, let last = known.last, last.y < limit else {
      return nil
    }
    let count = Double(known.count)
    let (meanX, meanY) = (known.reduce(0) { $0 + $1.x } / count, known.reduce(0) { $0 + $1.y } / count)
    let (xx, yy, xy) = known.reduce((0.0, 0.0, 0.0)) { sums, point in
      let (dx, dy) = (point.x - meanX, point.y - meanY)
      return (sums.0 + dx * dx, sums.1 + dy * dy, sums.2 + dx * dy)
    }
    guard xx > 0, yy > 0, xy > 0, xy * xy / (xx * yy) >= Self.leastFit else { return nil }
    let seconds = (limit - last.y) / (xy / xx)
    let fitted = last.x - first.x
    guard seconds <= min(Self.horizonSeconds, Self.farthest * fitted) else { return nil }
    (self.seconds, fittedSeconds) = (seconds, fitted)
  }
}
