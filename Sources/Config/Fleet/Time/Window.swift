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

extension ScalarType<Window> {
  /// `start/end` in RFC 3339 or a weekly window such as `Mon 02:00-04:00 UTC`.
  public static var window: ScalarType {
    ScalarType(placeholder: .once(Timestamp(epochMs: 0)..<Timestamp(epochMs: 1)), name: "window") {
      text throws(Mismatch) in
      try Window.parse(text)
    }
  }
}
