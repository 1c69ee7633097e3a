import Runtime

/// What may happen at most: a number at once, which grows back with time.
struct Allowance<Time: Moment>: Sendable {
  private(set) var capacity: Double
  let perSecond: Double
  private var left: Double
  private var last: Time?
  /// How often it was used up.
  private(set) var refusedCount = 0

  init(_ capacity: Double, perSecond: Double) {
    self.capacity = capacity
    self.perSecond = perSecond
    left = capacity
  }

  /// - Parameter now: by a clock that only goes forward.
  mutating func take(at now: Time) -> Bool {
    left = min(capacity, left + max(0, now - (last ?? now)) * perSecond)
    last = now
    guard left >= 1 else {
      refusedCount += 1
      return false
    }
    left -= 1
    return true
  }

  /// Raises what may happen at once; what was used stays used.
  mutating func widen(to capacity: Double) {
    guard capacity > self.capacity else { return }
    left += capacity - self.capacity
    self.capacity = capacity
  }
}
