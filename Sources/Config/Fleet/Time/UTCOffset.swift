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
