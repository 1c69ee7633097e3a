import Config

/// A moment in UTC as Go's `time.Time` shows it to a template.
struct GoTime: Sendable, Equatable {
  /// Nanoseconds since 1970.
  let unixNs: Int64

  struct Fields {
    var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int, nanosecond: Int
    /// 0 is Sunday.
    var weekday: Int
    /// From 1.
    var yearDay: Int
  }

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  var fields: Fields {
    let secondNs: Int64 = 1_000_000_000
    let seconds = Self.floored(unixNs, by: secondNs)
    let days = Int(clamping: Self.floored(seconds, by: 86_400))
    let ofDay = Int(clamping: seconds) - days * 86_400
    let (year, month, day) = Timestamp.civilDate(days: Int64(days))
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let beforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][Int(month) - 1]
    return Fields(
      year: Int(year), month: Int(month), day: Int(day), hour: ofDay / 3600, minute: ofDay / 60 % 60,
      second: ofDay % 60, nanosecond: Int(clamping: unixNs - seconds * secondNs), weekday: ((days % 7) + 11) % 7,
      yearDay: beforeMonth + Int(day) + (isLeap && month > 2 ? 1 : 0))
  }

  private static func floored(_ value: Int64, by divisor: Int64) -> Int64 {
    value >= 0 ? value / divisor : -((-(value + 1)) / divisor) - 1
  }

  /// `2015-06-23 13:19:44.128 +0000 UTC`.
  var description: String { formatted("2006-01-02 15:04:05.999999999 -0700 MST") }

  /// The layout with Go's reference time replaced: Mon Jan 2 15:04:05 MST 2006.
  func formatted(_ layout: String) -> String {
    let fields = fields
    var result = ""
    var rest = Substring(layout)
    while !rest.isEmpty {
      if let element = Self.elements.first(where: { $0.begins(rest) }) {
        rest.removeFirst(element.text.count)
        result += element.write(fields)
      } else if let (width, trims) = Self.fraction(rest, afterDigit: result.last?.isNumber == true) {
        let mark = String(rest.prefix(1))
        rest.removeFirst(width + 1)
        var digits = String(Self.padded(fields.nanosecond, 9).prefix(width))
        if trims { while digits.last == "0" { digits.removeLast() } }
        result += digits.isEmpty ? "" : mark + digits
      } else {
        result.append(rest.removeFirst())
      }
    }
    return result
  }

  private struct Element {
    let text: String
    /// Nothing when a small letter follows, as in `Month`.
    let endsWord: Bool
    let write: @Sendable (Fields) -> String

    init(_ text: String, endsWord: Bool = false, _ write: @escaping @Sendable (Fields) -> String) {
      self.text = text
      self.endsWord = endsWord
      self.write = write
    }

    func begins(_ rest: Substring) -> Bool {
      rest.hasPrefix(text) && !(endsWord && startsLowercase(rest.dropFirst(text.count)))
    }
  }

  /// Longer texts before their beginnings.
  private static let elements: [Element] = [
    Element("January") { months[$0.month - 1] },
    Element("Jan", endsWord: true) { String(months[$0.month - 1].prefix(3)) },
    Element("Monday") { weekdays[$0.weekday] },
    Element("Mon", endsWord: true) { String(weekdays[$0.weekday].prefix(3)) },
    Element("MST") { _ in "UTC" },
    Element("2006") { padded($0.year, 4) },
    Element("002") { padded($0.yearDay, 3) },
    Element("01") { padded($0.month, 2) }, Element("02") { padded($0.day, 2) },
    Element("03") { padded(twelve($0.hour), 2) }, Element("04") { padded($0.minute, 2) },
    Element("05") { padded($0.second, 2) }, Element("06") { padded($0.year % 100, 2) },
    Element("15") { padded($0.hour, 2) },
    Element("__2") { spaced($0.yearDay, 3) }, Element("_2006") { "_" + padded($0.year, 4) },
    Element("_2") { spaced($0.day, 2) },
    Element("1") { String($0.month) }, Element("2") { String($0.day) }, Element("3") { String(twelve($0.hour)) },
    Element("4") { String($0.minute) }, Element("5") { String($0.second) },
    Element("PM") { $0.hour >= 12 ? "PM" : "AM" }, Element("pm") { $0.hour >= 12 ? "pm" : "am" },
    Element("-07:00:00") { _ in "+00:00:00" }, Element("-070000") { _ in "+000000" },
    Element("-07:00") { _ in "+00:00" },
    Element("-0700") { _ in "+0000" }, Element("-07") { _ in "+00" },
    Element("Z07:00:00") { _ in "Z" }, Element("Z070000") { _ in "Z" }, Element("Z07:00") { _ in "Z" },
    Element("Z0700") { _ in "Z" }, Element("Z07") { _ in "Z" },
  ]

  /// `.000` or `,999` after a number: digits of a second, with or without zeros at the end.
  private static func fraction(_ rest: Substring, afterDigit: Bool) -> (width: Int, trims: Bool)? {
    guard afterDigit, rest.first == "." || rest.first == ",", let digit = rest.dropFirst().first,
      digit == "0" || digit == "9"
    else { return nil }
    let run = rest.dropFirst().prefix { $0 == digit }
    if let next = rest.dropFirst(run.count + 1).first, next.isNumber { return nil }
    return (min(run.count, 9), digit == "9")
  }

  private static func startsLowercase(_ text: Substring) -> Bool {
    text.first.map { ("a"..."z").contains($0) } ?? false
  }
  private static func twelve(_ hour: Int) -> Int { hour % 12 == 0 ? 12 : hour % 12 }
  private static func spaced(_ number: Int, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - String(number).count)) + String(number)
  }
  fileprivate static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number.magnitude)
    return (number < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}

/// A length of time as Go's `time.Duration` shows it.
struct GoDuration: Sendable, Equatable {
  let ns: Int64

  /// `1h30m0s`, `1.5s`, `300ms`.
  var description: String {
    if ns == 0 { return "0s" }
    let sign = ns < 0 ? "-" : ""
    let size = ns.magnitude
    if size < 1000 { return "\(sign)\(size)ns" }
    if size < 1_000_000 { return sign + Self.decimal(size, unit: 1000) + "µs" }
    if size < 1_000_000_000 { return sign + Self.decimal(size, unit: 1_000_000) + "ms" }
    let minutes = size / 60_000_000_000
    var text = Self.decimal(size % 60_000_000_000, unit: 1_000_000_000) + "s"
    if minutes > 0 { text = "\(minutes % 60)m" + text }
    if minutes >= 60 { text = "\(minutes / 60)h" + text }
    return sign + text
  }

  private static func decimal(_ size: UInt64, unit: UInt64) -> String {
    var fraction = String(size % unit + unit).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return "\(size / unit)" + (fraction.isEmpty ? "" : "." + fraction)
  }
}
