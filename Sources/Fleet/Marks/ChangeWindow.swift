import Runtime

/// A maintenance window that a mark of a change opened.
public struct ChangeWindow: Sendable, Equatable {
  public let from: WallTime
  /// Not included.
  public internal(set) var until: WallTime
  /// Of the mark.
  public let text: String

  /// Without an end in the mark.
  static let usualSeconds = 3600.0
  /// However late the end in the mark.
  static let longestSeconds = 4 * 3600.0

  /// The time of day of its end, for people: `14:30:05 UTC`.
  public var end: String { "\(EvidenceText.clock(until)) UTC" }

  func contains(_ time: WallTime) -> Bool { from <= time && time < until }
}

/// The windows that are open or to come, by workload. Workloads read it at each look, so it is no actor's.
final class ChangeWindows: Sendable {
  private let all = Lock<[String: [ChangeWindow]]>([:])

  func set(_ windows: [String: [ChangeWindow]]) { all.withLock { $0 = windows } }

  /// The window that is open and ends last; nil where none is.
  func open(_ workload: String, at time: WallTime) -> ChangeWindow? {
    all.withLock { $0[workload] }?.filter { $0.contains(time) }.max { $0.until < $1.until }
  }
}
