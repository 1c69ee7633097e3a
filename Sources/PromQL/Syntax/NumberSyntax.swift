/// Numbers and durations, as text and back.
public enum NumberSyntax {
  /// Decimal, hexadecimal (`0x1F`), octal (`017`), with a fraction or exponent; without a sign.
  static func number(_ word: String, allowsUnderscores: Bool) -> Double? {
    var digits = Array(word.utf8)
    if digits.contains(UInt8(ascii: "_")) {
      guard allowsUnderscores, hasUnderscoresBetweenDigits(digits) else { return nil }
      digits.removeAll { $0 == UInt8(ascii: "_") }
    }
    if digits.count > 2, digits[0] == UInt8(ascii: "0"), digits[1] | 0x20 == UInt8(ascii: "x") {
      let number = digits.dropFirst(2)
      return UInt64(String(decoding: number, as: UTF8.self), radix: 16).map { Double($0) }
    }
    if digits.count > 1, digits[0] == UInt8(ascii: "0"), digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 8 }),
      let octal = Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    {
      return Double(octal)
    }
    let isDecimal = digits.allSatisfy {
      isDigit($0) || [UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-")].contains($0)
        || $0 | 0x20 == UInt8(ascii: "e")
    }
    guard isDecimal, let value = Double(String(decoding: digits, as: UTF8.self)), value.isFinite else { return nil }
    return value
  }

  private static func hasUnderscoresBetweenDigits(_ word: [UInt8]) -> Bool {
    word.indices.allSatisfy { index in
      guard word[index] == UInt8(ascii: "_") else { return true }
      guard index > 0, index + 1 < word.count else { return false }
      return (isDigit(word[index - 1]) || isLetter(word[index - 1])) && word[index + 1] != UInt8(ascii: "_")
        && word[index + 1] != UInt8(ascii: ".")
    }
  }

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ("ms", 1),
  ]

  /// `1h30m`: whole numbers with units y, w, d, h, m, s, ms, the longer ones first and each once; nil past 292 years.
  public static func durationMilliseconds(_ word: String) -> Int64? {
    var rest = Array(word.utf8)[...]
    var remaining = units[...]
    var total: Int64 = 0
    guard !rest.isEmpty else { return nil }
    while !rest.isEmpty {
      let digits = rest.prefix(while: isDigit)
      rest = rest.dropFirst(digits.count)
      let name = String(decoding: rest.prefix(while: isLetter), as: UTF8.self)
      rest = rest.dropFirst(name.utf8.count)
      guard let count = Int64(String(decoding: digits, as: UTF8.self)),
        let index = remaining.firstIndex(where: { $0.name == name })
      else { return nil }
      let part = count.multipliedReportingOverflow(by: units[index].milliseconds)
      let sum = total.addingReportingOverflow(part.partialValue)
      guard !part.overflow, !sum.overflow, sum.partialValue <= Int64.max / 1_000_000 else { return nil }
      total = sum.partialValue
      remaining = units[(index + 1)...]
    }
    return total
  }

  /// As `durationMilliseconds` reads it back, such as `1h30m`.
  public static func duration(milliseconds: Int64) -> String {
    if milliseconds == 0 { return "0s" }
    if milliseconds < 0 { return "-" + duration(milliseconds: -milliseconds) }
    var rest = milliseconds
    var text = ""
    for unit in units {
      // Years and weeks only where nothing is left: 400d reads better than 1y5w.
      let isExactOnly = unit.name == "y" || unit.name == "w"
      if rest == 0 || (isExactOnly && rest % unit.milliseconds != 0) { continue }
      let count = rest / unit.milliseconds
      if count > 0 { text += "\(count)\(unit.name)" }
      rest %= unit.milliseconds
    }
    return text
  }

  /// The shortest decimal that gives the number back, without an exponent: what Go calls format 'f', precision -1.
  static func decimal(_ value: Double) -> String { GoNumber.format(value, .fixed, precision: nil) }
}
