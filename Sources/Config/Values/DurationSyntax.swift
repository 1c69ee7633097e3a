/// The syntax of durations: numbers with units, such as `1h2m3.5s` or `300ms`; a bare `0` needs no unit.
public enum DurationSyntax: Sendable {
  /// `time.ParseDuration` of Go: ns, us, µs, ms, s, m, h.
  case go
  /// Go's units and those of Prometheus: d (24 h), w (7 d) and y (365 d).
  case extended

  private static let goUnits: [String: Int64] = [
    "ns": 1, "us": 1_000, "\u{B5}s": 1_000, "\u{3BC}s": 1_000, "ms": 1_000_000, "s": 1_000_000_000,
    "m": 60_000_000_000, "h": 3_600_000_000_000,
  ]
  private static let longUnits: [String: Int64] = [
    "d": 86_400_000_000_000, "w": 604_800_000_000_000, "y": 31_536_000_000_000_000,
  ]

  /// The duration, or nil when the text is not one or passes 292 years. Fractions below a nanosecond are cut off.
  public func parse(_ text: String) -> Duration? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" { return .zero }
    guard !rest.isEmpty else { return nil }
    var totalNs: Int64 = 0
    while !rest.isEmpty {
      guard let part = Self.number(&rest), let unitNs = unit(&rest) else { return nil }
      let whole = part.whole.multipliedReportingOverflow(by: unitNs)
      let fraction = Int64(exactly: (Double(part.fraction) / part.scale * Double(unitNs)).rounded(.towardZero)) ?? 0
      let withFraction = whole.partialValue.addingReportingOverflow(fraction)
      let sum = totalNs.addingReportingOverflow(withFraction.partialValue)
      guard !whole.overflow, !withFraction.overflow, !sum.overflow else { return nil }
      totalNs = sum.partialValue
    }
    return .nanoseconds(isNegative ? -totalNs : totalNs)
  }

  /// Digits with an optional fraction, taken off the front. Digits beyond what an Int64 holds exactly are dropped.
  private static func number(_ rest: inout Substring) -> (whole: Int64, fraction: Int64, scale: Double)? {
    let whole = rest.prefix(while: isDigit)
    rest.removeFirst(whole.count)
    var fraction: Substring = ""
    if rest.first == "." {
      rest.removeFirst()
      fraction = rest.prefix(while: isDigit)
      rest.removeFirst(fraction.count)
    }
    guard !(whole.isEmpty && fraction.isEmpty), let value = Int64(whole.isEmpty ? "0" : whole) else { return nil }
    var scale = 1.0
    var fractionValue: Int64 = 0
    for digit in fraction.utf8.prefix(15) {
      fractionValue = fractionValue * 10 + Int64(digit - UInt8(ascii: "0"))
      scale *= 10
    }
    return (value, fractionValue, scale)
  }

  private func unit(_ rest: inout Substring) -> Int64? {
    let name = rest.prefix { !Self.isDigit($0) && $0 != "." }
    rest.removeFirst(name.count)
    if let unitNs = Self.goUnits[String(name)] { return unitNs }
    return self == .extended ? Self.longUnits[String(name)] : nil
  }

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }
}

extension Duration {
  /// The value in seconds.
  public var seconds: Double {
    Double(components.seconds) + Double(components.attoseconds) * 1e-18
  }
}
