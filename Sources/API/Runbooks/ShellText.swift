import Runtime

/// Text that came from elsewhere, as part of a command that somebody pastes into a terminal.
enum ShellText {
  /// The text as one word; nil for one that no quotes make harmless: a terminal acts on control characters before a shell
  /// sees them, and what has no width or turns the direction of writing does not look like what it is.
  static func word(_ text: String) -> String? {
    guard !text.isEmpty, !text.unicodeScalars.contains(where: \.isInvisible) else { return nil }
    if text.utf8.allSatisfy(isPlain) { return text }
    return "'\(text.replacing("'", with: "'\\''"))'"
  }

  /// A host or address as one word; nil for what is none: one that begins with `-` would be an option.
  static func host(_ text: String) -> String? {
    let isHost =
      !text.isEmpty && text.first != "-"
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "-"): true
        default: isAlphanumeric(byte)
        }
      }
    return isHost ? text : nil
  }

  /// As it stands between double quotes of PromQL.
  static func promQL(_ text: String) -> String? {
    guard !text.unicodeScalars.contains(where: \.isInvisible) else { return nil }
    return text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
  }

  /// What no shell reads as anything but itself, at any place of a word.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "/"),
      UInt8(ascii: "@"), UInt8(ascii: ","), UInt8(ascii: "+"):
      true
    default: isAlphanumeric(byte)
    }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
}
