import Config
import Runtime
import Web

/// How a report says times and numbers.
struct ReportWords: Sendable {
  let span: ReportSpan

  /// `03:12:04.3`, with the date where the span is not of one day.
  func time(_ time: WallTime) -> String {
    let text = Self.stamp(time)
    let clock = "\(text.dropFirst(11).prefix(10))"
    return isOneDay ? clock : "\(text.prefix(10)) \(clock)"
  }

  func time(seconds: Double) -> String { time(WallTime(seconds: seconds)) }

  /// `03:12:04.3 to 03:14:00.1`; what lies outside the span is said to.
  func span(_ from: WallTime?, _ to: WallTime?) -> String {
    "\(from.map(time) ?? "before this span") to \(to.map(time) ?? "after this span")"
  }

  /// `2026-11-30T03:12:04.300Z`
  static func stamp(_ time: WallTime) -> String { "\(Timestamp(epochMs: time.epochMs))" }

  /// The same without what is below a second.
  static func shortStamp(_ time: WallTime) -> String { "\(stamp(time).prefix(19))Z" }

  private var isOneDay: Bool { Self.stamp(span.from).prefix(10) == Self.stamp(span.to).prefix(10) }

  /// `12.5 s`, `1.8 ms`, `10 µs`, `3 min 5 s`
  static func seconds(_ value: Double) -> String {
    guard value.isFinite, value >= 0 else { return TimeSeries.Unit.seconds.words(value) }
    if value > 0, value < 0.0001 { return "\(count((value * 1e6).rounded())) µs" }
    if value < 1 { return TimeSeries.Unit.seconds.words(value) }
    if value < 120 { return "\(count((value * 10).rounded() / 10)) s" }
    let whole = Int(clamping: value.rounded())
    let parts = [(whole / 86_400, "d"), (whole / 3600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")]
    return parts.drop { $0.0 == 0 }.prefix(2).filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
  }

  /// `93.4 %`, with as many decimals as tell it from none and from all.
  static func share(_ value: Double) -> String {
    guard value.isFinite else { return "not known" }
    let percent = value * 100
    let edge = min(abs(percent), abs(100 - percent))
    let scale = edge == 0 || edge >= 10 ? 1.0 : edge >= 0.1 ? 10 : 1000
    return "\(TimeSeries.Unit.count.words((percent * scale * 10).rounded() / (scale * 10))) %"
  }

  static func count(_ value: Double) -> String { TimeSeries.Unit.count.words(value) }

  /// `1 probe`, `3 probes`
  static func count(_ value: Double, _ one: String, _ many: String? = nil) -> String {
    "\(count(value)) \(value == 1 ? one : many ?? one + "s")"
  }
}

extension JSONWriter {
  mutating func field(_ name: String, stamp time: WallTime?) {
    guard let time else { return }
    field(name, ReportWords.stamp(time))
  }

  /// Text of servers and rules, without secrets.
  mutating func field(_ name: String, foreign text: String) {
    field(name, KnownSecrets.masked(text, sparesWords: true))
  }

  mutating func field(_ name: String, known value: Double?) {
    if let value { field(name, value) }
  }
}
