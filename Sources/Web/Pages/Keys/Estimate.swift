import Runtime

/// A number that a sample tells, with the bounds between which the true one is in 95 of 100 samples.
public struct Estimate: Sendable, Equatable {
  public var value: Double
  /// nil where too little was seen to say.
  public var lower: Double?
  public var upper: Double?

  public init(_ value: Double, lower: Double?, upper: Double?) {
    (self.value, self.lower, self.upper) = (value, lower, upper)
  }

  /// `12,000 ± 300`, or `40 (29 to 54)` where the bounds are not as far from the number.
  ///
  /// - Parameter words: a number with its unit.
  public func text(_ words: (Double) -> String) -> String {
    guard let lower, let upper else { return "\(words(value)), uncertain" }
    if lower == upper { return words(value) }
    if value == 0 { return "at most \(words(upper))" }
    let (below, above) = (value - lower, upper - value)
    return abs(below - above) <= 0.05 * above
      ? "\(words(value)) ± \(words(Self.rounded(above)))" : "\(words(value)) (\(words(lower)) to \(words(upper)))"
  }

  /// Of a change: `+12 MiB ± 1.4 MiB`, `−3 KiB ± 120 B`.
  func change(_ words: (Double) -> String) -> String {
    let sign = value > 0 ? "+" : value < 0 ? "−" : ""
    let text = "\(sign)\(words(value.magnitude))"
    guard let upper, lower != nil else { return "\(text), uncertain" }
    return upper == value ? text : "\(text) ± \(words(Self.rounded(upper - value)))"
  }

  /// Whether the truth may be 0, or nobody can say.
  var mayBeZero: Bool {
    guard let lower, let upper else { return true }
    return !(lower > 0 || upper < 0)
  }

  /// To two places: a bound is no more exact.
  private static func rounded(_ value: Double) -> Double {
    var step = 1.0
    while value.isFinite, value / step >= 100 { step *= 10 }
    return (value / step).rounded() * step
  }

  /// `1,234`; what is larger is told to three places.
  public static func count(_ value: Double) -> String {
    var step = 1.0
    while value.isFinite, value.magnitude / step >= 10_000 { step *= 10 }
    let digits = Array(String(Int(clamping: (value / step).rounded() * step)))
    var text = ""
    for (place, digit) in digits.enumerated() {
      if place > 0, (digits.count - place) % 3 == 0, digits[place - 1] != "-" { text.append(",") }
      text.append(digit)
    }
    return text
  }

  /// `0.6 %`, `43 %`: below a tenth with one decimal.
  public static func percent(_ ratio: Double) -> String {
    let tenths = Int(clamping: (ratio * 1000).rounded())
    return tenths >= 100 || tenths % 10 == 0
      ? "\(Int(clamping: (ratio * 100).rounded())) %" : "\(tenths / 10).\(tenths % 10) %"
  }
}
