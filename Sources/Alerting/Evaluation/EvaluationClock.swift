/// The time that rules are evaluated at: it goes back by no step but such a one, and counts on while the system sleeps.
///
/// It runs on the clock since boot and stays at the wall clock's side: small differences are made up for slowly, and a
/// wall clock that is set is followed by a step of its own. Pure: both readings are handed in.
public struct EvaluationClock: Sendable {
  /// Wall clock less boot clock, in milliseconds.
  public private(set) var offsetMilliseconds: Int64
  private var lastMilliseconds: Int64 = .min

  /// From here on a difference is a clock that was set.
  static let jumpMilliseconds: Int64 = 1000

  public init(wallMilliseconds: Int64, bootMilliseconds: Int64) {
    offsetMilliseconds = wallMilliseconds - bootMilliseconds
  }

  public mutating func now(bootMilliseconds: Int64) -> Int64 {
    lastMilliseconds = max(lastMilliseconds, bootMilliseconds + offsetMilliseconds)
    return lastMilliseconds
  }

  /// Looks at the wall clock; to be done every few seconds.
  ///
  /// - Returns: by how many milliseconds the wall clock was set, 0 mostly and negative when it was put back: what is to be
  ///   handed to ``step(byMilliseconds:)``.
  public mutating func adjust(wallMilliseconds: Int64, bootMilliseconds: Int64) -> Int64 {
    let distance = wallMilliseconds - bootMilliseconds - offsetMilliseconds
    if distance.magnitude >= Self.jumpMilliseconds.magnitude { return distance }
    offsetMilliseconds += distance.signum()
    return 0
  }

  /// Follows a wall clock that was set.
  public mutating func step(byMilliseconds distance: Int64) {
    offsetMilliseconds += distance
    if distance < 0 { lastMilliseconds = .min }
  }

  /// How far it is ahead of a wall clock that was put back, until that is followed.
  public func aheadMilliseconds(wallMilliseconds: Int64, bootMilliseconds: Int64) -> Int64 {
    max(0, bootMilliseconds + offsetMilliseconds - wallMilliseconds)
  }
}
