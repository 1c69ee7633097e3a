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
  public static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
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
