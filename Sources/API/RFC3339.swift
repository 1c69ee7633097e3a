import Config

/// Moments as RFC 3339 writes them: `2026-11-28T03:15:02.5Z`, `2026-11-28T04:15:02+01:00`.
public enum RFC3339 {
  /// Milliseconds since 1970; nil for a text that is no such moment. Further decimals are cut off.
  public static func milliseconds(_ text: String) -> Int64? {
    var rest = text.utf8[...]
    func digits(_ count: Int) -> Int64? {
      let field = rest.prefix(count)
      guard field.count == count, field.allSatisfy({ isDigit($0) }) else { return nil }
      rest = rest.dropFirst(count)
      return Int64(String(Substring(field)))
    }
    func take(_ allowed: String) -> Bool {
      guard let first = rest.first, allowed.utf8.contains(first) else { return false }
      rest = rest.dropFirst()
      return true
    }
    guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2), take("Tt"),
      let hour = digits(2), take(":"), let minute = digits(2), take(":"), let second = digits(2)
    else { return nil }
    guard (1...12).contains(month), day >= 1, hour < 24, minute < 60, second < 60 else { return nil }
    let days = days(year: year, month: month, day: day)
    guard Timestamp.civilDate(days: days) == (year, month, day) else { return nil }
    var fraction: Int64 = 0
    if take(".") {
      let decimals = rest.prefix { isDigit($0) }
      guard !decimals.isEmpty else { return nil }
      rest = rest.dropFirst(decimals.count)
      for place in 0..<3 {
        let digit = decimals.dropFirst(place).first.map { Int64($0 - UInt8(ascii: "0")) } ?? 0
        fraction = fraction * 10 + digit
      }
    }
    var offsetMinutes: Int64 = 0
    if !take("Zz") {
      let isNegative = rest.first == UInt8(ascii: "-")
      guard take("+-"), let hours = digits(2), take(":"), let minutes = digits(2), hours < 24, minutes < 60 else {
        return nil
      }
      offsetMinutes = (hours * 60 + minutes) * (isNegative ? -1 : 1)
    }
    guard rest.isEmpty else { return nil }
    let minutes = (days * 24 + hour) * 60 + minute - offsetMinutes
    return (minutes * 60 + second) * 1000 + fraction
  }

  /// As Go's `time.RFC3339Nano`: without zeros at the end of the fraction. Nil is Go's time zero.
  static func text(milliseconds: Int64?) -> String {
    guard let milliseconds else { return "0001-01-01T00:00:00Z" }
    var text = "\(Timestamp(epochMs: milliseconds))"
    text.removeLast()
    while text.hasSuffix("0") { text.removeLast() }
    if text.hasSuffix(".") { text.removeLast() }
    return text + "Z"
  }

  private static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

  /// The day counted from 1970-01-01; the inverse of ``Timestamp/civilDate(days:)``.
  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
