/// When a pass over keys is tried next: at its interval, and after failures at growing ones. Pure.
struct PassSchedule: Sendable, Equatable {
  let intervalSeconds: Double
  private(set) var failureCount = 0

  /// The longest rest after failures, unless the interval is longer.
  static let longestRestSeconds = 300.0
  private static let shortestRestSeconds = 0.01

  init(intervalSeconds: Double) { self.intervalSeconds = max(Self.shortestRestSeconds, intervalSeconds) }

  mutating func noteSuccess() { failureCount = 0 }
  mutating func noteFailure() { failureCount += 1 }

  /// What is left of the interval; after failures the interval, doubled with each.
  ///
  /// - Parameter jitter: a tenth more or less, so that many do not come at once.
  func restSeconds(afterSeconds spent: Double, jitter: Double = .random(in: 0.9...1.1)) -> Double {
    let rest =
      failureCount == 0
      ? max(Self.shortestRestSeconds, intervalSeconds - spent)
      : min(
        max(Self.longestRestSeconds, intervalSeconds), intervalSeconds * Double(1 << min(failureCount - 1, 16)))
    return rest * jitter
  }
}
