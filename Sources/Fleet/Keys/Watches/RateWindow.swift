import Config

/// How the name of a key says which window of a rate limit it counts.
enum WindowFormat: String, CaseIterable, Sendable {
  /// Whichever fits.
  case auto
  case day = "yyyyMMdd"
  case hour = "yyyyMMddHH"
  case minute = "yyyyMMddHHmm"
  /// Seconds since the epoch at which the window begins.
  case seconds = "epoch"
  case milliseconds = "epoch_ms"
  /// The number of the window since the epoch.
  case number = "epoch/window"

  /// - Parameters:
  ///   - stamp: the digits in the name.
  ///   - length: of a window, in seconds, where the format does not say.
  /// - Returns: nil where the digits are no such window. Dates are in UTC.
  func window(_ stamp: WindowStamp, length: Double) -> RateWindow? {
    let value = Double(stamp.value)
    switch self {
    case .auto: return nil
    case .day: return date(stamp, digitCount: 8, parts: 0, length: 86_400)
    case .hour: return date(stamp, digitCount: 10, parts: 1, length: 3600)
    case .minute: return date(stamp, digitCount: 12, parts: 2, length: 60)
    case .seconds: return RateWindow(start: value, length: length)
    case .milliseconds: return RateWindow(start: value / 1000, length: length)
    case .number: return RateWindow(start: value * length, length: length)
    }
  }

  /// - Parameter parts: of the time of day.
  private func date(_ stamp: WindowStamp, digitCount: Int, parts: Int, length: Double) -> RateWindow? {
    guard stamp.digitCount == digitCount else { return nil }
    var rest = stamp.value
    func take(_ limit: Int64) -> Int64 {
      defer { rest /= limit }
      return rest % limit
    }
    let minute = parts > 1 ? take(100) : 0
    let hour = parts > 0 ? take(100) : 0
    let (day, month, year) = (take(100), take(100), take(10_000))
    guard minute < 60, hour < 24, 1...12 ~= month, 1...31 ~= day else { return nil }
    let days = Timestamp.days(year: year, month: month, day: day)
    guard Timestamp.civilDate(days: days) == (year, month, day) else { return nil }
    return RateWindow(start: Double(days * 86_400 + hour * 3600 + minute * 60), length: length)
  }
}

/// The digits in a key's name that say which window it counts.
struct WindowStamp: Sendable, Equatable {
  let value: Int64
  let digitCount: Int

  /// - Returns: nil for anything but 1 to 15 digits.
  init?(_ text: some Collection<UInt8>) {
    guard 1...15 ~= text.count, text.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }) else { return nil }
    value = text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    digitCount = text.count
  }
}

/// A window of a rate limit, in seconds since the epoch.
struct RateWindow: Sendable, Equatable {
  let start: Double
  let length: Double
  var end: Double { start + length }

  /// What clocks may differ by.
  var tolerance: Double { max(1, 0.05 * length) }

  /// Whether it is of now, or of not long before; dates of another time zone than UTC may be of later.
  func isNear(_ now: Double) -> Bool { start - now <= tolerance && now - start <= 2 * length }
}

/// Where in the name of a key its window stands: after the last text that stands before the last `*` of the pattern.
struct WindowPlace: Sendable, Equatable {
  private let mark: [UInt8]
  private let suffix: [UInt8]

  /// - Returns: nil where the pattern does not tell: without a `*`, with nothing before the last, or with other wildcards.
  init?(_ pattern: [UInt8]) {
    guard !pattern.contains(where: { "?[]\\".utf8.contains($0) }), let star = pattern.lastIndex(of: UInt8(ascii: "*"))
    else { return nil }
    mark = Array(pattern[..<star].reversed().prefix { $0 != UInt8(ascii: "*") }.reversed())
    suffix = Array(pattern[(star + 1)...])
    if mark.isEmpty { return nil }
  }

  /// - Returns: nil for a key whose window is no number.
  func stamp(in key: [UInt8]) -> WindowStamp? {
    guard key.count >= suffix.count, key.suffix(suffix.count).elementsEqual(suffix) else { return nil }
    let stem = key.dropLast(suffix.count)
    var end = stem.endIndex
    // The last place of the mark; no window has more than 15 digits.
    while end >= mark.count, stem.endIndex - end <= 15 {
      if stem[(end - mark.count)..<end].elementsEqual(mark) { return WindowStamp(stem[end...]) }
      end -= 1
    }
    return nil
  }
}
