extension Timestamp: Comparable {
  public static func < (a: Timestamp, b: Timestamp) -> Bool { a.epochMs < b.epochMs }

  /// Reads RFC 3339, such as `2026-11-27T00:00:00Z` or `2026-11-27T02:00:00.5+02:00`, for the years 0 to 9999.
  ///
  /// Nil for anything else: a date without a time or offset, a day that its month does not have, a leap second.
  /// Digits below a millisecond are cut off.
  public static func parse(_ text: some StringProtocol) -> Timestamp? {
    var reader = DigitReader(text)
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take("t"), let hour = reader.number(2), reader.take(":"),
      let minute = reader.number(2), reader.take(":"), let second = reader.number(2),
      (1...12).contains(month), hour < 24, minute < 60, second < 60
    else { return nil }
    let days = days(year: year, month: month, day: day)
    // A day past the end of its month comes back as another date.
    guard day >= 1, civilDate(days: days) == (year, month, day) else { return nil }
    var fractionMs: Int64 = 0
    if reader.take(".") {
      guard let fraction = reader.fractionMs() else { return nil }
      fractionMs = fraction
    }
    guard let offset = reader.offset(), reader.isAtEnd else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - Int64(offset.minutes) * 60
    let epochMs = seconds * 1000 + fractionMs
    guard (yearZeroMs...yearLastMs).contains(epochMs) else { return nil }
    return Timestamp(epochMs: epochMs)
  }

  private static let yearZeroMs: Int64 = -62_167_219_200_000
  private static let yearLastMs: Int64 = 253_402_300_799_999

  /// The number of a Gregorian date's day, counted from 1970-01-01; the reverse of `civilDate`.
  static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let fromMarch = month <= 2 ? year - 1 : year
    let era = (fromMarch >= 0 ? fromMarch : fromMarch - 399) / 400
    let yearOfEra = fromMarch - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  /// RFC 3339 in UTC, without the milliseconds when there are none.
  var shortText: String {
    let text = description
    return epochMs % 1000 == 0 ? text.dropLast(5) + "Z" : text
  }
}

/// Takes fixed forms off the front of a text in ASCII.
struct DigitReader {
  private var rest: ArraySlice<UInt8>

  init(_ text: some StringProtocol) {
    rest = Array(text.utf8)[...]
  }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: scalar) else { return false }
    rest.removeFirst()
    return true
  }

  /// A number of exactly so many digits.
  mutating func number(_ digits: Int) -> Int64? {
    guard rest.count >= digits else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(digits) {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    rest.removeFirst(digits)
    return value
  }

  /// One or more digits after a decimal point, as milliseconds.
  mutating func fractionMs() -> Int64? {
    var value: Int64 = 0
    var count = 0
    while let digit = number(1) {
      if count < 3 { value = value * 10 + digit }
      count += 1
    }
    guard count > 0 else { return nil }
    for _ in count..<max(count, 3) { value *= 10 }
    return value
  }

  /// `Z`, `z`, or `+hh:mm` and `-hh:mm` up to a day.
  mutating func offset() -> UTCOffset? {
    if take("Z") || take("z") { return .utc }
    let isWest = take("-")
    guard isWest || take("+"), let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    let total = Int(hours * 60 + minutes)
    return UTCOffset(minutes: isWest ? -total : total)
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
