/// The names that labels and metrics may have, and how they are printed.
enum LabelNameSyntax {
  /// `[a-zA-Z_][a-zA-Z0-9_]*`
  static func isPlainLabelName(_ name: String) -> Bool {
    matches(name) { isWordByte($0) }
  }

  /// `[a-zA-Z_:][a-zA-Z0-9_:]*`
  static func isPlainMetricName(_ name: String) -> Bool {
    matches(name) { isWordByte($0) || $0 == UInt8(ascii: ":") }
  }

  /// The name as it stands in a query: quoted unless it is a plain label name.
  static func printed(_ name: String) -> String { isPlainLabelName(name) ? name : quoted(name) }

  private static func matches(_ name: String, _ isAllowed: (UInt8) -> Bool) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy(isAllowed)
  }
}

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

@inline(__always) func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }

/// Letters, digits and the underscore.
@inline(__always) func isWordByte(_ byte: UInt8) -> Bool {
  isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
}

/// Text in double quotes with what a query or a terminal would take amiss escaped.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\r": result += "\\r"
    case _ where scalar.value < 0x20 || scalar.value == 0x7F:
      let digits = String(scalar.value, radix: 16)
      result += "\\x" + (digits.count < 2 ? "0" : "") + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
