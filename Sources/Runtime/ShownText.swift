extension UInt8 {
  /// An ASCII letter or digit.
  public var isASCIIAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}

extension Unicode.Scalar {
  /// Whether a terminal or a viewer may act on the scalar instead of showing it: controls, what changes the direction of
  /// writing, line separators, and what has no width.
  public var isInvisible: Bool {
    if value < 0x7F { return value < 0x20 }
    if value < 0xA0 { return true }
    switch properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: return true
    default: return false
    }
  }
}

/// The text on one line, U+FFFD in place of each scalar that would not be seen.
public func oneLine(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: \.isInvisible) else { return text }
  var line = ""
  for scalar in text.unicodeScalars { line.unicodeScalars.append(scalar.isInvisible ? "\u{FFFD}" : scalar) }
  return line
}
