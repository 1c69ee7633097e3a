import Runtime

/// Writes block-style YAML that `YAMLNode.parse` reads back as the same texts.
struct YAMLWriter {
  private(set) var text = ""
  private var indent = 0
  /// True between the dash of a list's entry and its first key, which stands on the same line.
  private var isAfterDash = false

  /// `key: value`; left out when the value is nil.
  mutating func field(_ key: String, _ value: String?) {
    guard let value else { return }
    line("\(Self.scalar(key)): \(Self.scalar(value))")
  }

  /// A list of texts in flow style, `[a, b]`; left out when it is empty.
  mutating func list(_ key: String, _ values: [String]) {
    guard !values.isEmpty else { return }
    line("\(Self.scalar(key)): [\(values.map(Self.scalar).joined(separator: ", "))]")
  }

  /// `key:` and under it what the closure writes; `{}` when that is nothing.
  mutating func mapping(_ key: String, _ body: (inout YAMLWriter) -> Void) {
    line("\(Self.scalar(key)):")
    let length = text.utf8.count
    indent += 2
    body(&self)
    indent -= 2
    if text.utf8.count == length { text = text.dropLast() + " {}\n" }
  }

  /// `key:` and under it one mapping for each element; left out when there are none.
  mutating func mappings<Element>(_ key: String, _ elements: [Element], _ body: (inout YAMLWriter, Element) -> Void) {
    guard !elements.isEmpty else { return }
    line("\(Self.scalar(key)):")
    indent += 4
    for element in elements {
      isAfterDash = true
      body(&self, element)
    }
    indent -= 4
  }

  private mutating func line(_ content: String) {
    text += isAfterDash ? String(repeating: " ", count: indent - 2) + "- " : String(repeating: " ", count: indent)
    isAfterDash = false
    text += content + "\n"
  }

  /// The text without quotes where YAML takes it as it stands, in lists too, else in double quotes.
  static func scalar(_ text: String) -> String {
    let isPlain = text.utf8.enumerated().allSatisfy { index, byte in
      switch byte {
      case _ where byte.isASCIIAlphanumeric, UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "."): true
      case UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "="): index > 0
      default: false
      }
    }
    if isPlain, !text.isEmpty, !text.hasSuffix(":"), !["null", "Null", "NULL", "...", "---"].contains(text) {
      return text
    }
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\t": quoted += "\\t"
      case _
      where scalar.value < 0x20 || (0x7F...0xA0).contains(scalar.value)
        || (0x2028...0x2029).contains(scalar.value) || scalar.value == 0xFEFF
        || (0xFFFE...0xFFFF).contains(scalar.value):
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}

/// The duration with units from hours down, such as `1h30m` or `2s500ms`, as `DurationSyntax` reads it.
func durationText(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  guard duration > .zero else { return "0s" }
  let parts: [(Int64, String)] = [
    (seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s"), (attoseconds / 1_000_000_000_000_000, "ms"),
    (attoseconds / 1_000_000_000_000 % 1000, "us"), (attoseconds / 1_000_000_000 % 1000, "ns"),
  ]
  return parts.filter { $0.0 > 0 }.map { "\($0.0)\($0.1)" }.joined()
}
