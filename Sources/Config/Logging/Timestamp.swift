import Runtime

/// A moment of the UTC calendar, printed as RFC 3339 with milliseconds: `2026-08-06T09:30:00.125Z`.
public struct Timestamp: Sendable, Hashable, CustomStringConvertible {
  /// Milliseconds since 1970-01-01T00:00:00Z, for the years 0 to 9999.
  public let epochMs: Int64

  public init(epochMs: Int64) {
    self.epochMs = epochMs
  }

  public init(_ wall: WallTime) { self.init(epochMs: wall.epochMs) }

  public var description: String {
    let dayMs: Int64 = 86_400_000
    let days = Self.flooredQuotient(epochMs, dayMs)
    let ms = epochMs - days * dayMs
    let (year, month, day) = Self.civilDate(days: days)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(ms / 3_600_000, 2)):"
      + "\(padded(ms / 60_000 % 60, 2)):\(padded(ms / 1000 % 60, 2)).\(padded(ms % 1000, 3))Z"
  }

  /// The Gregorian date of a day counted from 1970-01-01.
  ///
  /// Counts from 0000-03-01, so that the leap day is the last of its year, in eras of 400 years = 146,097 days; the
  /// months from March on have 153 days in every five (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  public static func civilDate(days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = flooredQuotient(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func flooredQuotient(_ a: Int64, _ b: Int64) -> Int64 {
    a >= 0 ? a / b : -((-a + b - 1) / b)
  }

  private func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
