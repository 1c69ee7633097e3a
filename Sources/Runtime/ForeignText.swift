/// Text of servers and clients, cut to what is kept and shown of it.
public enum ForeignText {
  /// Bytes of one text of a server that becomes a label, a part of an event, a log line or a page. The longest that are
  /// honest, lists of a module's users and settings of buffers, have a few hundred.
  public static let byteLimit = 1024
  /// Bytes of a host's name or address; DNS has 253.
  public static let hostByteLimit = 255
}

extension String {
  /// The text itself, or as many of its first characters as fit with an ellipsis.
  public func cut(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var text = ""
    var bytes = "…".utf8.count
    for scalar in unicodeScalars {
      bytes += UTF8.width(scalar)
      if bytes > limit { break }
      text.unicodeScalars.append(scalar)
    }
    return text + "…"
  }

  /// Bytes as they came, as text of at most `limit` bytes.
  ///
  /// What is no UTF-8 becomes U+FFFD. A longer text is cut between two characters and gets `…` and a hash of the whole, so
  /// that two long ones stay two.
  public init(foreign bytes: some Collection<UInt8>, upToBytes limit: Int = ForeignText.byteLimit) {
    let text = String(decoding: bytes.prefix(limit + 1), as: UTF8.self)
    guard text.utf8.count > limit else {
      self = text
      return
    }
    let hash = FNV1a.hash(bytes)
    self = text.cut(toBytes: limit - 17) + String(hash, radix: 16)
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
