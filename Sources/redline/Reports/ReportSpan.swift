import API
import PromQL
import Runtime

/// The span of time that a report is about; both ends belong to it.
struct ReportSpan: Sendable, Equatable {
  let from: WallTime
  let to: WallTime

  var seconds: Double { to - from }

  /// No history of ours or of a Prometheus is asked for more.
  static let longestSeconds = 400 * 86_400.0

  /// Why a span cannot be used: which flag, which value, and what to write.
  struct Problem: Error, CustomStringConvertible {
    let description: String
  }

  init(from: WallTime, to: WallTime) { (self.from, self.to) = (from, to) }

  init(from: String, to: String, now: WallTime) throws(Problem) {
    let begin = try Self.time(from, flag: "from", now: now)
    let end = try Self.time(to, flag: "to", now: now)
    guard begin < end else { throw Problem(description: "--from \(from) is not before --to \(to)") }
    // A clock that is a little behind the daemon's must not refuse what that has just told.
    guard end <= now + 60 else { throw Problem(description: "--to \(to) lies ahead: use now, or a time that is over") }
    guard end - begin <= Self.longestSeconds else {
      throw Problem(description: "--from \(from) is more than 400 days before --to \(to): ask for less")
    }
    self.init(from: begin, to: end)
  }

  /// A moment as it is written: RFC 3339, `now`, or a span back from now such as `-2h` or `now-90m`.
  private static func time(_ text: String, flag: String, now: WallTime) throws(Problem) -> WallTime {
    if text == "now" { return now }
    if let milliseconds = RFC3339.milliseconds(text) { return WallTime(epochMs: milliseconds) }
    let back = text.hasPrefix("now-") ? text.dropFirst(4) : text.hasPrefix("-") ? text.dropFirst(1) : ""
    if let milliseconds = NumberSyntax.durationMilliseconds(String(back)) {
      return now - Double(milliseconds) / 1000
    }
    throw Problem(
      description: "--\(flag) \(text.cut(toBytes: 80)) is no time: use RFC 3339 in UTC or with an offset, such as "
        + "2026-11-30T03:10:00Z, a span back from now, such as -2h, or now")
  }
}

/// A value, or why it is not known.
struct Known<Value: Sendable>: Sendable {
  let value: Value?
  /// Why there is no value, or what is missing in it; empty for nothing.
  let remark: String

  init(_ value: Value, remark: String = "") { (self.value, self.remark) = (value, remark) }

  private init(remark: String) { (value, self.remark) = (nil, remark) }

  static func unknown(_ reason: String) -> Known { Known(remark: reason) }

  func map<Other>(_ body: (Value) -> Other) -> Known<Other> {
    value.map { Known<Other>(body($0), remark: remark) } ?? .unknown(remark)
  }
}
