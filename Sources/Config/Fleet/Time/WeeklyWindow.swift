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
