import Glibc

/// Floats as Go's `strconv.FormatFloat` writes them, so that a query and an annotation read the same as in Prometheus.
public enum GoNumber {
  public enum Style: Sendable {
    /// `%e`, `%f`, `%g`.
    case exponent, fixed, general
    /// `%x` and `%b`: a power of two times a hexadecimal fraction or a decimal integer.
    case hexadecimal, binary
  }

  /// What `%v` gives: the shortest digits that round-trip, with an exponent from 1e+06 on and below 1e-04.
  public static func plain(_ value: Double) -> String { format(value, .general, precision: nil) }

  /// - Parameter precision: digits after the point (`exponent`, `fixed`) or significant digits (`general`); nil is as
  ///   few as round-trip.
  public static func format(_ value: Double, _ style: Style, precision: Int?) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
    let sign = value.sign == .minus ? "-" : ""
    let magnitude = value.magnitude
    switch style {
    case .exponent:
      let decimal = precision.map { rounded(magnitude, significant: $0 + 1) } ?? shortest(magnitude)
      return sign + exponential(decimal, digitsAfterPoint: precision)
    case .fixed:
      return sign + (precision.map { printed(magnitude, "%.*f", $0) } ?? positional(shortest(magnitude)))
    case .general:
      let decimal = precision.map { rounded(magnitude, significant: max($0, 1)).trimmed } ?? shortest(magnitude)
      let power = decimal.exponent - 1
      let isLong = power < -4 || power >= max(precision ?? 6, 1)
      return sign + (isLong ? exponential(decimal, digitsAfterPoint: nil) : positional(decimal))
    case .hexadecimal: return sign + hexadecimal(magnitude, digitsAfterPoint: precision)
    case .binary:
      let isNormal = magnitude.isNormal
      let integer = magnitude.significandBitPattern | (isNormal ? 1 << 52 : 0)
      let power = (isNormal ? Int(magnitude.exponent) : -1022) - 52
      return "\(sign)\(integer)p\(power < 0 ? "-" : "+")\(power.magnitude)"
    }
  }

  private static func hexadecimal(_ magnitude: Double, digitsAfterPoint: Int?) -> String {
    var power = magnitude == 0 ? 0 : Int(magnitude.exponent)
    // 1 and 52 bits after the point; the significand of what is below the normal range is the same.
    var bits = magnitude == 0 ? 0 : 1 << 52 | magnitude.significand.significandBitPattern
    let places = digitsAfterPoint ?? 13
    if places < 13 {
      let unit: UInt64 = 1 << UInt64(52 - 4 * places)
      let rest = bits % unit
      bits -= rest
      if rest > unit / 2 || (rest == unit / 2 && bits / unit % 2 == 1) { bits += unit }
      if bits >> 53 != 0 { (bits, power) = (bits >> 1, power + 1) }
    }
    let all = String(bits & (1 << 52 - 1), radix: 16)
    var digits = Array((String(repeating: "0", count: 13 - all.utf8.count) + all).utf8)
    if let digitsAfterPoint {
      digits = Array(digits.prefix(digitsAfterPoint)) + [UInt8](repeating: zero, count: max(0, digitsAfterPoint - 13))
    } else {
      while digits.last == zero { digits.removeLast() }
    }
    let size = String(power.magnitude)
    return "0x\(bits >> 52)" + (digits.isEmpty ? "" : "." + text(digits[...])) + (power < 0 ? "p-" : "p+")
      + (size.utf8.count < 2 ? "0" : "") + size
  }

  /// 0.digits times ten to the exponent; zero is one digit 0 with exponent 1.
  struct Decimal {
    var digits: [UInt8]
    var exponent: Int

    /// Without the zeros at the end, down to one digit.
    var trimmed: Decimal {
      var digits = digits
      while digits.count > 1, digits.last == zero { digits.removeLast() }
      return Decimal(digits: digits, exponent: exponent)
    }
  }

  private static let zero = UInt8(ascii: "0")

  /// The fewest digits that read back as the same value: what Swift prints too, in another dress.
  private static func shortest(_ magnitude: Double) -> Decimal {
    guard magnitude != 0 else { return Decimal(digits: [zero], exponent: 1) }
    var digits: [UInt8] = []
    var pointAt: Int?
    var power = 0
    var text = Substring(magnitude.description)
    if let mark = text.firstIndex(of: "e") {
      power = Int(text[text.index(after: mark)...]) ?? 0
      text = text[..<mark]
    }
    for byte in text.utf8 {
      if byte == UInt8(ascii: ".") { pointAt = digits.count } else { digits.append(byte) }
    }
    var exponent = (pointAt ?? digits.count) + power
    while digits.count > 1, digits.first == zero {
      digits.removeFirst()
      exponent -= 1
    }
    return Decimal(digits: digits, exponent: exponent).trimmed
  }

  private static func rounded(_ magnitude: Double, significant: Int) -> Decimal {
    let text = printed(magnitude, "%.*e", significant - 1)
    let parts = text.split(separator: "e")
    let digits = parts[0].utf8.filter { $0 != UInt8(ascii: ".") }
    let power = Int(parts[1]) ?? 0
    return Decimal(digits: Array(digits), exponent: magnitude == 0 ? 1 : power + 1)
  }

  private static func exponential(_ decimal: Decimal, digitsAfterPoint: Int?) -> String {
    var rest = Array(decimal.digits.dropFirst())
    if let digitsAfterPoint {
      rest =
        Array(rest.prefix(digitsAfterPoint)) + [UInt8](repeating: zero, count: max(0, digitsAfterPoint - rest.count))
    }
    let power = decimal.exponent - 1
    let size = String(power.magnitude)
    return text(decimal.digits.prefix(1)) + (rest.isEmpty ? "" : "." + text(rest[...])) + (power < 0 ? "e-" : "e+")
      + (size.utf8.count < 2 ? "0" : "") + size
  }

  private static func positional(_ decimal: Decimal) -> String {
    let exponent = decimal.exponent
    if exponent <= 0 { return "0." + String(repeating: "0", count: -exponent) + text(decimal.digits[...]) }
    if exponent >= decimal.digits.count {
      return text(decimal.digits[...]) + String(repeating: "0", count: exponent - decimal.digits.count)
    }
    return text(decimal.digits[..<exponent]) + "." + text(decimal.digits[exponent...])
  }

  private static func text(_ digits: ArraySlice<UInt8>) -> String { String(decoding: digits, as: UTF8.self) }

  /// The C library rounds the exact value half to even, as Go does.
  private static func printed(_ magnitude: Double, _ format: String, _ precision: Int) -> String {
    var buffer = [CChar](repeating: 0, count: 512 + precision)
    let count = unsafe withVaList([Int32(precision), magnitude]) { arguments in
      unsafe vsnprintf(&buffer, buffer.count, format, arguments)
    }
    return String(decoding: buffer.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
