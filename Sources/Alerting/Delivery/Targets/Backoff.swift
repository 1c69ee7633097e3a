/// How long to wait after one failure more: doubled each time up to a limit, and scattered by a quarter.
struct Backoff: Sendable {
  static let firstSeconds = 0.25

  /// In seconds.
  let limitSeconds: Double
  private var failureCount = 0

  /// Several tries fit between two notices of the same alert.
  init(resendSeconds: Double) { limitSeconds = max(Self.firstSeconds, min(15, resendSeconds / 4)) }

  mutating func reset() { failureCount = 0 }

  mutating func nextSeconds(_ random: () -> Double = { Double.random(in: 0.75...1.25) }) -> Double {
    let seconds = min(limitSeconds, Self.firstSeconds * Double(1 << min(failureCount, 16)))
    failureCount += 1
    return seconds * random()
  }
}
