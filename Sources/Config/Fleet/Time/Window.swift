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

/// A span of the day that recurs on some days of the week: `Mon 02:00-04:00 UTC`, `Mon-Fri 22:00-06:00 +02:00`.
public struct WeeklyWindow: Sendable, Hashable, CustomStringConvertible {
  public enum Day: Int, Sendable, CaseIterable, Comparable {
    case mon, tue, wed, thu, fri, sat, sun

    var name: String { Self.names[rawValue] }
    static let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]

    public static func < (a: Day, b: Day) -> Bool { a.rawValue < b.rawValue }
  }

  /// The days on which it starts; never empty.
  public let days: Set<Day>
  /// Minutes after midnight, 0 to 1439.
  public let startMinute: Int
  /// 1 to 1440; an end before the start is on the next day.
  public let lengthMinutes: Int
  public let offset: UTCOffset

  /// Days are `Mon` to `Sun`, ranges of them (`Fri-Mon` too) and lists with commas. Times are `hh:mm`, the second
  /// may be `24:00`; equal times mean a whole day.
  static func parse(_ text: String) throws(Mismatch) -> WeeklyWindow {
    let hint = "write it like Mon 02:00-04:00 UTC or Mon-Fri 22:00-06:00 +02:00"
    let words = text.split(separator: " ")
    guard words.count == 3 || words.count == 2 else { throw Mismatch("is not a window", hint: hint) }
    guard words.count == 3 else { throw Mismatch("has no time zone", hint: "add UTC or an offset such as +02:00") }
    guard let days = days(words[0]) else {
      throw Mismatch("does not start with days of the week", hint: "use Mon, Tue, Wed, Thu, Fri, Sat, Sun")
    }
    let times = words[1].split(separator: "-", omittingEmptySubsequences: false)
    guard times.count == 2, let start = minute(times[0]), start < 1440, let end = minute(times[1]) else {
      throw Mismatch("has no times of day", hint: hint)
    }
    guard let offset = UTCOffset.parse(words[2]) else {
      throw Mismatch("has an unknown time zone", hint: "use UTC or a fixed offset such as +02:00")
    }
    let length = end > start ? end - start : end + 1440 - start
    return WeeklyWindow(days: days, startMinute: start, lengthMinutes: length, offset: offset)
  }

  private static func days(_ text: Substring) -> Set<Day>? {
    var days: Set<Day> = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let ends = part.split(separator: "-", omittingEmptySubsequences: false).map { name in
        Day.names.firstIndex { $0.lowercased() == name.lowercased() }
      }
      guard ends.count <= 2, let first = ends.first ?? nil, let last = ends.last ?? nil else { return nil }
      var day = first
      days.insert(Day.allCases[day])
      while day != last {
        day = (day + 1) % 7
        days.insert(Day.allCases[day])
      }
    }
    return days
  }

  private static func minute(_ text: Substring) -> Int? {
    var reader = DigitReader(text)
    guard let hours = reader.number(2), reader.take(":"), let minutes = reader.number(2), reader.isAtEnd, minutes < 60
    else { return nil }
    let total = Int(hours * 60 + minutes)
    return total <= 1440 ? total : nil
  }

  public var description: String {
    let end = startMinute + lengthMinutes
    let days = days.sorted().map(\.name).joined(separator: ",")
    return "\(days) \(clockText(startMinute))-\(clockText(end > 1440 ? end - 1440 : end)) \(offset)"
  }

  /// The occurrences that end after a moment, soonest first, as far as one that starts a week later.
  func occurrences(endingAfter time: Timestamp) -> [Range<Timestamp>] {
    let dayMs: Int64 = 86_400_000
    let offsetMs = Int64(offset.minutes) * 60_000
    let local = time.epochMs + offsetMs
    let today = local >= 0 ? local / dayMs : (local + 1) / dayMs - 1
    // Occurrences last a day at most, so yesterday's may still run.
    return (today - 1...today + 8).compactMap { day in
      // 1970-01-01 was a Thursday.
      let weekday = Int(((day + 3) % 7 + 7) % 7)
      guard days.contains(Day.allCases[weekday]) else { return nil }
      let startMs = day * dayMs + Int64(startMinute) * 60_000 - offsetMs
      let endMs = startMs + Int64(lengthMinutes) * 60_000
      return endMs > time.epochMs ? Timestamp(epochMs: startMs)..<Timestamp(epochMs: endMs) : nil
    }
  }
}

/// How far local time is ahead of UTC: a fixed offset, since named zones and their summer time are not known here.
public struct UTCOffset: Sendable, Hashable, CustomStringConvertible {
  /// -1439 to 1439; positive in the east.
  public let minutes: Int

  public static let utc = UTCOffset(minutes: 0)

  /// `UTC`, `Z` or `+02:00`.
  static func parse(_ text: some StringProtocol) -> UTCOffset? {
    if text == "UTC" { return .utc }
    var reader = DigitReader(text)
    guard let offset = reader.offset(), reader.isAtEnd else { return nil }
    return offset
  }

  public var description: String {
    minutes == 0 ? "UTC" : (minutes < 0 ? "-" : "+") + clockText(abs(minutes))
  }
}

/// Minutes as `hh:mm`.
func clockText(_ minutes: Int) -> String {
  func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
  return "\(two(minutes / 60)):\(two(minutes % 60))"
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
