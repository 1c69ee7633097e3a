import Glibc

/// Trends: lines of least squares and double exponential smoothing.
enum RegressionFunctions {
  static let all = [
    Function("deriv", [.matrix], .perWindow { window, _ in
      guard window.count >= 2 else { return nil }
      return line(window, fromMilliseconds: window.first.timestampMilliseconds).slope
    }),
    Function("predict_linear", [.matrix, .scalar], .perWindow { window, scalars in
      guard window.count >= 2 else { return nil }
      let line = line(window, fromMilliseconds: window.timeMilliseconds)
      return line.slope * scalars[0] + line.intercept
    }),
    Function("holt_winters", [.matrix, .scalar, .scalar], .perWindow { try smoothed($0, $1) }),
    // The name that Prometheus 3 gave holt_winters.
    Function(
      "double_exponential_smoothing", [.matrix, .scalar, .scalar], dialects: [.prometheus3],
      .perWindow { try smoothed($0, $1) }),
  ]

  /// Slope per second, and the value at the given time.
  private static func line(_ window: Window, fromMilliseconds origin: Int64) -> (slope: Double, intercept: Double) {
    let firstValue = window.first.value
    var isConstant = true
    var (sumX, sumY, sumXY, sumX2) = (KahanSum(), KahanSum(), KahanSum(), KahanSum())
    for sample in window.slice {
      if sample.value != firstValue { isConstant = false }
      let x = Double(sample.timestampMilliseconds - origin) / 1000
      sumX.add(x)
      sumY.add(sample.value)
      sumXY.add(x * sample.value)
      sumX2.add(x * x)
    }
    if isConstant { return firstValue.isInfinite ? (.nan, .nan) : (0, firstValue) }
    let n = Double(window.count)
    let (x, y) = (sumX.sum + sumX.compensation, sumY.sum + sumY.compensation)
    let covariance = (sumXY.sum + sumXY.compensation) - x * y / n
    let variance = (sumX2.sum + sumX2.compensation) - x * x / n
    let slope = covariance / variance
    return (slope, y / n - slope * x / n)
  }

  private static func smoothed(_ window: Window, _ factors: [Double]) throws -> Double? {
    let (smoothing, trend) = (factors[0], factors[1])
    guard smoothing > 0, smoothing < 1 else {
      throw EvaluationError("the smoothing factor must be between 0 and 1, got \(NumberSyntax.decimal(smoothing))")
    }
    guard trend > 0, trend < 1 else {
      throw EvaluationError("the trend factor must be between 0 and 1, got \(NumberSyntax.decimal(trend))")
    }
    guard window.count >= 2 else { return nil }
    let start = window.indices.lowerBound
    var (previous, level) = (0.0, window.samples[start].value)
    var slope = window.samples[start + 1].value - window.samples[start].value
    for (step, sample) in window.slice.dropFirst().enumerated() {
      if step > 0 { slope = trend * (level - previous) + (1 - trend) * slope }
      let next = smoothing * sample.value + (1 - smoothing) * (level + slope)
      (previous, level) = (level, next)
    }
    return level
  }
}
