/// String literals: `"…"` and `'…'` with Go's escapes, and raw `` `…` ``.
enum StringSyntax {
  struct Fault: Error {
    let message: String
    let offset: Int
  }

  /// The value of the literal that starts at `start`, and the offset behind it.
  static func read(_ bytes: [UInt8], from start: Int) throws(Fault) -> (value: String, end: Int) {
    let quote = bytes[start]
    let isRaw = quote == UInt8(ascii: "`")
    var value: [UInt8] = []
    var offset = start + 1
    while true {
      guard offset < bytes.count, isRaw || bytes[offset] != UInt8(ascii: "\n") else {
        throw Fault(message: "the string has no closing quote", offset: start)
      }
      let byte = bytes[offset]
      if byte == quote { break }
      if byte == UInt8(ascii: "\\"), !isRaw {
        try readEscape(bytes, &offset, quote: quote, into: &value)
      } else {
        value.append(byte)
        offset += 1
      }
    }
    guard let text = String(validating: value, as: UTF8.self) else {
      throw Fault(message: "the string is not UTF-8", offset: start)
    }
    return (text, offset + 1)
  }

  private static func readEscape(
    _ bytes: [UInt8], _ offset: inout Int, quote: UInt8, into value: inout [UInt8]
  ) throws(Fault) {
    let start = offset
    guard offset + 1 < bytes.count else { throw Fault(message: "the string has no closing quote", offset: start) }
    let letter = bytes[offset + 1]
    offset += 2
    if letter == quote { return value.append(quote) }
    if let plain = plainEscapes[letter] { return value.append(plain) }
    let digits: (count: Int, base: UInt32)
    switch letter {
    case UInt8(ascii: "x"): digits = (2, 16)
    case UInt8(ascii: "u"): digits = (4, 16)
    case UInt8(ascii: "U"): digits = (8, 16)
    case UInt8(ascii: "0")...UInt8(ascii: "7"):
      digits = (3, 8)
      offset -= 1
    default: throw Fault(message: "unknown escape in the string; write \\\\ for a backslash", offset: start)
    }
    var code: UInt32 = 0
    for _ in 0..<digits.count {
      guard offset < bytes.count, let digit = digit(bytes[offset]), digit < digits.base else {
        throw Fault(message: "the escape needs \(digits.count) digits", offset: start)
      }
      code = code &* digits.base &+ digit
      offset += 1
    }
    if digits.count <= 3 {
      guard let byte = UInt8(exactly: code) else { throw Fault(message: "the escape is past \\377", offset: start) }
      value.append(byte)
    } else {
      guard let scalar = Unicode.Scalar(code) else {
        throw Fault(message: "the escape is not a Unicode character", offset: start)
      }
      value.append(contentsOf: Array(String(Character(scalar)).utf8))
    }
  }

  private static func digit(_ byte: UInt8) -> UInt32? {
    if isDigit(byte) { return UInt32(byte - UInt8(ascii: "0")) }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? UInt32(letter) + 10 : nil
  }

  private static let plainEscapes: [UInt8: UInt8] = [
    UInt8(ascii: "a"): 7, UInt8(ascii: "b"): 8, UInt8(ascii: "f"): 12, UInt8(ascii: "n"): 10, UInt8(ascii: "r"): 13,
    UInt8(ascii: "t"): 9, UInt8(ascii: "v"): 11, UInt8(ascii: "\\"): UInt8(ascii: "\\"),
  ]
}
