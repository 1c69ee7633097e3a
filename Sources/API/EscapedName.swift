/// Label names as Prometheus 3 writes them in a path: `U__` and then every character that a plain name has not as its
/// code in hexadecimal, `_2E_`, and the underscore as two.
enum EscapedName {
  static let prefix = "U__"

  /// The name that was meant; a text that is not escaped, or wrongly, stands for itself.
  static func decoded(_ text: String) -> String {
    guard text.hasPrefix(prefix) else { return text }
    var name = ""
    var rest = text.unicodeScalars.dropFirst(prefix.unicodeScalars.count)
    while let scalar = rest.popFirst() {
      guard scalar == "_" else {
        name.unicodeScalars.append(scalar)
        continue
      }
      if rest.first == "_" {
        rest.removeFirst()
        name.append("_")
        continue
      }
      let digits = rest.prefix { $0 != "_" }
      rest = rest.dropFirst(digits.count)
      guard (1...6).contains(digits.count), rest.popFirst() == "_",
        digits.allSatisfy({ $0.isASCII && $0.properties.isHexDigit }),
        let code = UInt32(String(String.UnicodeScalarView(digits)), radix: 16), let decoded = Unicode.Scalar(code)
      else { return text }
      name.unicodeScalars.append(decoded)
    }
    return name
  }
}
