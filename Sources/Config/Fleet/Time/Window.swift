/// A span of time, once or every week; its start belongs to it, its end does not.
public enum Window: Sendable, Hashable, CustomStringConvertible {
  case once(Range<Timestamp>)
  case weekly(WeeklyWindow)

  /// `start/end` in RFC 3339, or a weekly window.
  static func parse(_ text: String) throws(Mismatch) -> Window {
    guard text.contains("/") || text.first?.isNumber == true else { return .weekly(try WeeklyWindow.parse(text)) }
    let halves = text.split(separator: "/", omittingEmptySubsequences: false)
    let hint = "write it like 2026-11-27T00:00:00Z/2026-11-30T00:00:00Z or Mon 02:00-04:00 UTC"
    guard halves.count == 2 else { throw Mismatch("is not a window", hint: hint) }
    guard let start = Timestamp.parse(halves[0]) else { throw Mismatch("does not start with a time", hint: hint) }
    guard let end = Timestamp.parse(halves[1]) else { throw Mismatch("does not end with a time", hint: hint) }
    guard start < end else { throw Mismatch("ends before it starts") }
    return .once(start..<end)
  }

  public var description: String {
    switch self {
    case .once(let range): "\(range.lowerBound.shortText)/\(range.upperBound.shortText)"
    case .weekly(let window): window.description
    }
  }

  /// The occurrences that end after a moment, soonest first; those of a week and more when it recurs.
  func occurrences(endingAfter time: Timestamp) -> [Range<Timestamp>] {
    switch self {
    case .once(let range): range.upperBound > time ? [range] : []
    case .weekly(let window): window.occurrences(endingAfter: time)
    }
  }
}

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

extension ScalarType<Window> {
  /// `start/end` in RFC 3339 or a weekly window such as `Mon 02:00-04:00 UTC`.
  public static var window: ScalarType {
    ScalarType(placeholder: .once(Timestamp(epochMs: 0)..<Timestamp(epochMs: 1))) { text throws(Mismatch) in
      try Window.parse(text)
    }
  }
}
