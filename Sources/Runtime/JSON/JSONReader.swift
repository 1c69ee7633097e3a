/// One JSON value. Numbers are Doubles: integers are exact below 2^53.
public indirect enum JSONValue: Sendable, Equatable {
  public struct Member: Sendable, Equatable {
    public let name: String
    public let value: JSONValue
  }

  case null
  case boolean(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// In the order of the text; no name occurs twice.
  case object([Member])

  /// The value of that name; nil where this is no object or has none.
  public subscript(name: String) -> JSONValue? { members.first { $0.name == name }?.value }

  /// Empty where this is no object.
  public var members: [Member] {
    if case .object(let members) = self { members } else { [] }
  }
  /// Empty where this is no array.
  public var elements: [JSONValue] {
    if case .array(let elements) = self { elements } else { [] }
  }
  public var number: Double? {
    if case .number(let value) = self { value } else { nil }
  }
  public var string: String? {
    if case .string(let text) = self { text } else { nil }
  }
}

/// What is wrong with a text that should be JSON, and where. It never repeats the text, which may be secret.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  /// In bytes, from 0.
  public let offset: Int
  /// From 1; the column in characters.
  public let line: Int
  public let column: Int
  /// What is expected there.
  public let problem: String
  /// What to do; nil where that goes without saying.
  public let hint: String?

  public var description: String { "\(line):\(column): \(problem)\(hint.map { "; \($0)" } ?? "")" }
}

/// A strict reader of JSON (RFC 8259): a name given twice, broken UTF-8, half a surrogate pair and numbers that no Double
/// holds are errors.
public struct JSONReader {
  public struct Limits: Sendable {
    public var bytes = 8 << 20
    /// How deep arrays and objects may lie in one another.
    public var depth = 64

    public init(bytes: Int = 8 << 20, depth: Int = 64) {
      self.bytes = bytes
      self.depth = depth
    }
  }

  private let bytes: [UInt8]
  private let limits: Limits
  private var index = 0

  private init(_ bytes: [UInt8], _ limits: Limits) throws(JSONError) {
    self.bytes = bytes
    self.limits = limits
    guard bytes.count <= limits.bytes else {
      throw error("the text is longer than \(limits.bytes) bytes", at: limits.bytes)
    }
  }

  /// The one value that the text is.
  public static func value(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) -> JSONValue {
    var reader = try JSONReader(bytes, limits)
    let value = try reader.value(depth: 0)
    try reader.end("value")
    return value
  }

  /// An object whose values are all strings.
  public static func texts(_ bytes: [UInt8], limits: Limits = Limits()) throws(JSONError) -> [String: String] {
    var reader = try JSONReader(bytes, limits)
    var texts: [String: String] = [:]
    reader.skipSpace()
    guard reader.take("{") else { throw reader.error("a JSON object is expected here", hint: "start with {") }
    try reader.members { (reader, name) throws(JSONError) in
      texts[name] = try reader.string("a value in double quotes")
    }
    try reader.end("object")
    return texts
  }

  private mutating func end(_ what: String) throws(JSONError) {
    skipSpace()
    guard index == bytes.count else { throw error("nothing may follow the \(what)") }
  }

  // MARK: Values

  /// - Parameter depth: of what it lies in.
  private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
    skipSpace()
    guard index < bytes.count else { throw error("a value is expected here") }
    switch bytes[index] {
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      guard depth < limits.depth else { throw error("values lie more than \(limits.depth) deep in one another") }
      return try take("{") ? object(depth: depth + 1) : array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string("a text"))
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
    case UInt8(ascii: "t"): return try word("true", .boolean(true))
    case UInt8(ascii: "f"): return try word("false", .boolean(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: throw error("a value is expected here")
    }
  }

  private mutating func word(_ word: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
    guard bytes[index...].starts(with: word.utf8) else { throw error("a value is expected here") }
    index += word.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
    var all: [JSONValue.Member] = []
    try members { (reader, name) throws(JSONError) in
      all.append(JSONValue.Member(name: name, value: try reader.value(depth: depth)))
    }
    return .object(all)
  }

  /// What follows the brace that opens an object.
  private mutating func members(
    _ body: (inout JSONReader, String) throws(JSONError) -> Void
  ) throws(JSONError) {
    var names: Set<String> = []
    skipSpace()
    if take("}") { return }
    repeat {
      skipSpace()
      let start = index
      let name = try string("a name in double quotes")
      // Before the value: nothing is read of what does not count.
      guard names.insert(name).inserted else { throw error("the same name was given before", at: start) }
      skipSpace()
      guard take(":") else { throw error("a colon is expected here") }
      skipSpace()
      try body(&self, name)
      skipSpace()
    } while take(",")
    guard take("}") else { throw error("a comma or } is expected here") }
  }

  private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
    _ = take("[")
    var all: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(all) }
    repeat {
      all.append(try value(depth: depth))
      skipSpace()
    } while take(",")
    guard take("]") else { throw error("a comma or ] is expected here") }
    return .array(all)
  }

  private mutating func number() throws(JSONError) -> Double {
    let start = index
    func digit(_ index: Int) -> Bool { index < bytes.count && bytes[index] &- UInt8(ascii: "0") < 10 }
    func skipDigits() throws(JSONError) {
      guard digit(index) else { throw error("a digit is expected here") }
      while digit(index) { index += 1 }
    }
    _ = take("-")
    if take("0") {
      guard !digit(index) else { throw error("no digit may follow a 0 at the beginning of a number") }
    } else {
      try skipDigits()
    }
    if take(".") { try skipDigits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try skipDigits()
    }
    guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)), value.isFinite else {
      throw error("the number is too large", at: start)
    }
    return value
  }

  // MARK: Texts

  private mutating func string(_ expected: String) throws(JSONError) -> String {
    guard take("\"") else { throw error("\(expected) is expected here") }
    let start = index
    var content: [UInt8] = []
    while index < bytes.count {
      let byte = bytes[index]
      index += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let text = String(validating: content, as: UTF8.self) else {
          throw error("the text is not UTF-8", at: start)
        }
        return text
      case UInt8(ascii: "\\"): try escape(into: &content)
      case 0..<0x20: throw error("a control character must be written as an escape", at: index - 1)
      default: content.append(byte)
      }
    }
    throw error("the text that starts here has no closing quote", at: start - 1)
  }

  private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
    let start = index - 1
    guard index < bytes.count else { throw error("the file ends within an escape", at: start) }
    let byte = bytes[index]
    index += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): content.append(byte)
    case UInt8(ascii: "b"): content.append(0x08)
    case UInt8(ascii: "f"): content.append(0x0C)
    case UInt8(ascii: "n"): content.append(0x0A)
    case UInt8(ascii: "r"): content.append(0x0D)
    case UInt8(ascii: "t"): content.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexUnit(at: start)
      if (0xD800..<0xDC00).contains(code), take("\\"), take("u") {
        let low = try hexUnit(at: start)
        guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair is missing", at: start) }
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw error("half of a surrogate pair is missing", at: start) }
      content += Array(String(Character(scalar)).utf8)
    default: throw error("this escape is not known to JSON", at: start)
    }
  }

  private mutating func hexUnit(at start: Int) throws(JSONError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard index < bytes.count, let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
        throw error("four hexadecimal digits are expected after \\u", at: start)
      }
      unit = unit << 4 | UInt32(digit)
      index += 1
    }
    return unit
  }

  // MARK: Bytes

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: scalar) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  private func error(_ problem: String, at place: Int? = nil, hint: String? = nil) -> JSONError {
    let offset = min(place ?? index, bytes.count)
    let before = bytes[..<offset]
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONError(
      offset: offset, line: before.count { $0 == UInt8(ascii: "\n") } + 1,
      // Bytes 10xxxxxx continue a character.
      column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1, problem: problem, hint: hint)
  }
}
