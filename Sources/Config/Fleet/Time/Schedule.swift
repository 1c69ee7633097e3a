/// Windows taken together, in the order they were written.
public struct Schedule: Sendable, Hashable {
  public let windows: [Window]

  public init(_ windows: [Window]) {
    self.windows = windows
  }

  public var isEmpty: Bool { windows.isEmpty }

  public func contains(_ time: Timestamp) -> Bool {
    windows.contains { $0.occurrences(endingAfter: time).contains { $0.contains(time) } }
  }

  /// The first moment after `time` at which `contains` gives the other answer; nil when it never does again.
  public func nextChange(after time: Timestamp) -> Timestamp? {
    guard contains(time) else {
      return windows.flatMap { $0.occurrences(endingAfter: time) }.map(\.lowerBound).filter { $0 > time }.min()
    }
    let weekMs: Int64 = 7 * 86_400_000
    var end = time
    // Where the weekly windows alone began to carry the end on: after a week without a gap they never leave one.
    var weeklyStart = time
    while true {
      let running = windows.map { window in
        (window, end: window.occurrences(endingAfter: end).filter { $0.contains(end) }.map(\.upperBound).max())
      }
      guard let (window, next) = running.max(by: { ($0.end ?? end) < ($1.end ?? end) }), let next else { return end }
      end = next
      if case .once = window { weeklyStart = end }
      if end.epochMs - weeklyStart.epochMs > weekMs { return nil }
    }
  }

  /// These windows and then those of the other that are not among them.
  func joined(_ other: Schedule) -> Schedule {
    Schedule(windows + other.windows.filter { !windows.contains($0) })
  }
}
