/// How much computing time wrong passwords may cost.
///
/// Seconds of it come back at a steady share of the clock. Time is a parameter; nothing here waits.
struct AttemptBudget {
  typealias Instant = ContinuousClock.Instant

  /// Seconds that come back for every second of the clock.
  static let share = 0.3
  /// The most seconds that gather.
  static let limitSeconds = 2.0

  private var seconds = limitSeconds
  private var updated: Instant
  /// Whether a check is under way: there is one at a time.
  private(set) var isChecking = false

  init(now: Instant) { updated = now }

  /// Whether a check may start now; if so ``finish(_:failed:now:)`` ends it.
  mutating func start(now: Instant) -> Bool {
    refill(now)
    guard !isChecking, seconds > 0 else { return false }
    isChecking = true
    return true
  }

  /// Charges a check that has ended. One that succeeded is free.
  mutating func finish(_ cost: Duration, failed: Bool, now: Instant) {
    refill(now)
    isChecking = false
    if failed { seconds -= cost / .seconds(1) }
  }

  /// How long it takes until a check may start, unless one is under way: nothing when it may now.
  func wait(now: Instant) -> Duration {
    let missing = -seconds / Self.share - max(0, (now - updated) / .seconds(1))
    return .seconds(max(0, missing)) + (seconds > 0 ? .zero : .milliseconds(1))
  }

  private mutating func refill(_ now: Instant) {
    seconds = min(Self.limitSeconds, seconds + Self.share * max(0, (now - updated) / .seconds(1)))
    updated = now
  }
}
