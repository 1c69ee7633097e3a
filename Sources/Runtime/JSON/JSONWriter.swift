/// Puts JSON (RFC 8259) together byte by byte; commas, line breaks and indentation come by themselves.
///
/// The caller keeps the grammar: one value at the top, in an object a key before each value.
public struct JSONWriter: Sendable {
  /// What of a text is written as an escape. All of it reads back as the same text.
  public enum Escaping: Sendable {
    /// Only what JSON asks for: quotes, backslashes, and control characters as `\u000a`.
    case necessary
    /// As Go's `encoding/json` does: also `<`, `>`, `&`, U+2028 and U+2029; `\n`, `\r` and `\t` in their short form.
    case go
    /// Also whatever a terminal would act on instead of showing it; `\n`, `\r` and `\t` in their short form.
    case invisible
  }

  public enum Layout: Sendable {
    case compact
    /// Each value on a line of its own, two spaces deeper than what it belongs to.
    case indented
  }

  public private(set) var bytes: [UInt8] = []
  private let escaping: Escaping
  private let layout: Layout
  private var depth = 0
  /// How deep the array is whose elements stand on lines of their own; nil outside of one.
  private var linesDepth: Int?

  public init(escaping: Escaping = .necessary, layout: Layout = .compact) {
    self.escaping = escaping
    self.layout = layout
  }

  /// What the body writes, as text.
  public static func text(escaping: Escaping = .necessary, _ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter(escaping: escaping)
    body(&json)
    return json.text
  }

  public var text: String { String(decoding: bytes, as: UTF8.self) }

  public mutating func reserveCapacity(_ count: Int) { bytes.reserveCapacity(count) }

  // MARK: Structure

  /// Adds text as it stands: an envelope that is open where a value is due, what closes it, or a line break at the end.
  public mutating func verbatim(_ text: String) { bytes += text.utf8 }

  public mutating func object<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try nested(UInt8(ascii: "{"), UInt8(ascii: "}"), body)
  }

  public mutating func array<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    try nested(UInt8(ascii: "["), UInt8(ascii: "]"), body)
  }

  /// An array with each element on one line.
  public mutating func lines<Failure: Error>(
    _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    let before = linesDepth
    try nested(UInt8(ascii: "["), UInt8(ascii: "]")) { json throws(Failure) in
      json.linesDepth = json.depth
      try body(&json)
    }
    linesDepth = before
  }

  public mutating func key(_ name: String) {
    string(name)
    bytes.append(UInt8(ascii: ":"))
    if layout == .indented { bytes.append(UInt8(ascii: " ")) }
  }

  private mutating func nested<Failure: Error>(
    _ opening: UInt8, _ closing: UInt8, _ body: (inout JSONWriter) throws(Failure) -> Void
  ) throws(Failure) {
    begin()
    bytes.append(opening)
    depth += 1
    try body(&self)
    let isOnLines = isOnLines
    depth -= 1
    if bytes.last != opening, isOnLines { breakLine() }
    bytes.append(closing)
  }

  private var isOnLines: Bool { layout == .indented || linesDepth == depth }

  private mutating func breakLine() {
    bytes.append(UInt8(ascii: "\n"))
    guard layout == .indented else { return }
    for _ in 0..<depth { bytes += [UInt8(ascii: " "), UInt8(ascii: " ")] }
  }

  /// A comma unless this is the first of its list or the value of a key. Every value ends in another byte than these.
  private mutating func begin() {
    switch bytes.last {
    case nil, UInt8(ascii: ":"), UInt8(ascii: " "): return
    case UInt8(ascii: "{"), UInt8(ascii: "["): break
    default: bytes.append(UInt8(ascii: ","))
    }
    if depth > 0, isOnLines { breakLine() }
  }

  // MARK: Values

  public mutating func string(_ text: String) {
    begin()
    bytes.append(UInt8(ascii: "\""))
    switch escaping {
    case .necessary: escapeNecessary(text)
    case .go: escapeGo(text)
    case .invisible: escapeInvisible(text)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  public mutating func integer(_ value: some BinaryInteger) {
    begin()
    bytes += String(value).utf8
  }

  /// The shortest decimal that reads back as the same value; `null` for what is infinite or no number, which JSON does
  /// not know.
  public mutating func number(_ value: Double) {
    guard value.isFinite else { return null() }
    begin()
    let isWhole = value.magnitude < 9_007_199_254_740_992 && value == value.rounded(.towardZero)
    bytes += (isWhole && (value != 0 || value.sign == .plus) ? String(Int64(clamping: value)) : "\(value)").utf8
  }

  public mutating func boolean(_ value: Bool) {
    begin()
    bytes += (value ? "true" : "false").utf8
  }

  public mutating func null() {
    begin()
    bytes += "null".utf8
  }

  /// A value of the caller's own making, as the bytes that the body adds.
  public mutating func value(_ body: (inout [UInt8]) -> Void) {
    begin()
    body(&bytes)
  }

  /// What a ``JSONReader`` has read.
  public mutating func write(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .boolean(let value): boolean(value)
    case .number(let value): number(value)
    case .string(let text): string(text)
    case .array(let elements): array { json in for element in elements { json.write(element) } }
    case .object(let members):
      object { json in
        for member in members {
          json.key(member.name)
          json.write(member.value)
        }
      }
    }
  }

  public mutating func strings(_ texts: some Sequence<String>) {
    array { json in for text in texts { json.string(text) } }
  }

  /// An object of texts, sorted by the bytes of their names.
  public mutating func texts(_ texts: [String: String]) {
    object { json in
      for (name, text) in texts.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.field(name, text)
      }
    }
  }

  // MARK: Fields of an object

  public mutating func field(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  public mutating func field(_ name: String, _ value: some BinaryInteger) {
    key(name)
    integer(value)
  }

  public mutating func field(_ name: String, _ value: Double) {
    key(name)
    number(value)
  }

  public mutating func field(_ name: String, _ value: Bool) {
    key(name)
    boolean(value)
  }

  // MARK: Escapes

  private mutating func escapeNecessary(_ text: String) {
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20: escape(UInt16(byte))
      default: bytes.append(byte)
      }
    }
  }

  private mutating func escapeGo(_ text: String) {
    var previous: (UInt8, UInt8) = (0, 0)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case ..<0x20: escapeControl(byte)
      case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): escape(UInt16(byte))
      // U+2028 and U+2029 end a line in JavaScript.
      case 0xA8, 0xA9:
        if previous == (0xE2, 0x80) {
          bytes.removeLast(2)
          escape(0x2000 | UInt16(byte & 0x7F))
        } else {
          bytes.append(byte)
        }
      default: bytes.append(byte)
      }
      previous = (previous.1, byte)
    }
  }

  private mutating func escapeInvisible(_ text: String) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": bytes += [UInt8(ascii: "\\"), UInt8(ascii: scalar)]
      case "\n", "\r", "\t": escapeControl(UInt8(ascii: scalar))
      case _ where scalar.isInvisible: for unit in String(scalar).utf16 { escape(unit) }
      default: bytes += String(scalar).utf8
      }
    }
  }

  private mutating func escapeControl(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
    case UInt8(ascii: "\r"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
    case UInt8(ascii: "\t"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
    default: escape(UInt16(byte))
    }
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)

  /// `\u2028`
  private mutating func escape(_ unit: UInt16) {
    bytes += [UInt8(ascii: "\\"), UInt8(ascii: "u")]
    for shift in stride(from: 12 as UInt16, through: 0, by: -4) {
      bytes.append(Self.hexDigits[Int(unit >> shift & 15)])
    }
  }
}
