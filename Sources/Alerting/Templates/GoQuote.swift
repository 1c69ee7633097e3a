/// Go's quoting of text, both ways.
enum GoQuote {
  /// As `strconv.Quote`: letters of any script stay, what cannot be seen is escaped.
  static func quoted(_ text: String, quote: Character = "\"", asciiOnly: Bool = false) -> String {
    var result = String(quote)
    for scalar in text.unicodeScalars { result += escaped(scalar, quote: quote, asciiOnly: asciiOnly) }
    result.append(quote)
    return result
  }

  static func escaped(_ scalar: Unicode.Scalar, quote: Character, asciiOnly: Bool) -> String {
    if Character(scalar) == quote || scalar == "\\" { return "\\\(scalar)" }
    if isPrintable(scalar), scalar.isASCII || !asciiOnly { return String(scalar) }
    switch scalar {
    case "\u{7}": return "\\a"
    case "\u{8}": return "\\b"
    case "\u{C}": return "\\f"
    case "\n": return "\\n"
    case "\r": return "\\r"
    case "\t": return "\\t"
    case "\u{B}": return "\\v"
    default: break
    }
    let value = scalar.value
    if value < 0x20 || value == 0x7F { return "\\x" + hex(value, width: 2) }
    return value < 0x1_0000 ? "\\u" + hex(value, width: 4) : "\\U" + hex(value, width: 8)
  }

  static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == " " { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator, .paragraphSeparator:
      return false
    default: return true
    }
  }

  static func hex(_ value: UInt32, width: Int, uppercase: Bool = false) -> String {
    let digits = String(value, radix: 16, uppercase: uppercase)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// `U+00E9 'é'`, as `%#U` prints it.
  static func named(_ scalar: Unicode.Scalar) -> String {
    let code = "U+" + hex(scalar.value, width: 4, uppercase: true)
    return isPrintable(scalar) ? "\(code) '\(scalar)'" : code
  }

  /// What stands in a literal in `"`, `` ` `` or `'` quotes, or nil when Go refuses it.
  static func unquoted(_ literal: String) -> String? {
    guard let quote = literal.unicodeScalars.first, literal.unicodeScalars.count >= 2,
      literal.unicodeScalars.last == quote
    else { return nil }
    var rest = literal.unicodeScalars.dropFirst().dropLast()
    if quote == "`" {
      return String(String.UnicodeScalarView(rest.filter { $0 != "\r" }))
    }
    var bytes: [UInt8] = []
    while let scalar = rest.popFirst() {
      guard scalar == "\\" else {
        if scalar == quote || scalar == "\n" { return nil }
        bytes += Array(String(scalar).utf8)
        continue
      }
      guard let code = rest.popFirst() else { return nil }
      switch code {
      case "a": bytes.append(7)
      case "b": bytes.append(8)
      case "f": bytes.append(12)
      case "n": bytes.append(10)
      case "r": bytes.append(13)
      case "t": bytes.append(9)
      case "v": bytes.append(11)
      case "\\": bytes.append(UInt8(ascii: "\\"))
      case "'", "\"":
        guard code == quote else { return nil }
        bytes.append(UInt8(code.value))
      case "x":
        guard let value = number(&rest, digits: 2, radix: 16) else { return nil }
        bytes.append(UInt8(value))
      case "u", "U":
        guard let value = number(&rest, digits: code == "u" ? 4 : 8, radix: 16), let found = Unicode.Scalar(value)
        else { return nil }
        bytes += Array(String(found).utf8)
      case "0"..."7":
        guard let tail = number(&rest, digits: 2, radix: 8) else { return nil }
        let value = (code.value - 48) * 64 + tail
        guard value < 256 else { return nil }
        bytes.append(UInt8(value))
      default: return nil
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func number(_ rest: inout Substring.UnicodeScalarView, digits: Int, radix: Int) -> UInt32? {
    let text = String(String.UnicodeScalarView(rest.prefix(digits)))
    guard text.unicodeScalars.count == digits, !text.hasPrefix("+"), !text.hasPrefix("-"),
      let value = UInt32(text, radix: radix)
    else { return nil }
    rest = rest.dropFirst(digits)
    return value
  }
}
