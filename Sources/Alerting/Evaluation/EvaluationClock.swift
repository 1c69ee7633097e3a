/// The time that rules are evaluated at: it never goes back, and counts on while the system sleeps.
///
/// It runs on the clock since boot and stays at the wall clock's side: small differences are made up for slowly, a wall
/// clock that is put forward is followed at once, one that is put back is waited for. Pure: both readings are handed in.
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
  /// - Returns: by how many milliseconds the time has just been put forward, 0 mostly.
  public mutating func adjust(wallMilliseconds: Int64, bootMilliseconds: Int64) -> Int64 {
    let distance = wallMilliseconds - bootMilliseconds - offsetMilliseconds
    if distance >= Self.jumpMilliseconds {
      offsetMilliseconds += distance
      return distance
    }
    if distance > -Self.jumpMilliseconds { offsetMilliseconds += distance.signum() }
    return 0
  }

  /// How far it is ahead of a wall clock that was put back.
  public func aheadMilliseconds(wallMilliseconds: Int64, bootMilliseconds: Int64) -> Int64 {
    max(0, bootMilliseconds + offsetMilliseconds - wallMilliseconds)
  }
}
