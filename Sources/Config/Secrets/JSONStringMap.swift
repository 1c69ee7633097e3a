/// A strict reader of one JSON object (RFC 8259) whose values are all strings. Anything else, a name given twice and
/// broken UTF-8 are errors. They give the place and never a name or value, since both may be secret.
public struct JSONStringMap {
  private let bytes: [UInt8]
  private let file: String
  private var index = 0

  public static func parse(_ bytes: [UInt8], file: String) throws(ConfigError) -> [String: String] {
    var reader = JSONStringMap(bytes: bytes, file: file)
    return try reader.object()
  }

  private init(bytes: [UInt8], file: String) {
    self.bytes = bytes
    self.file = file
  }

  private mutating func object() throws(ConfigError) -> [String: String] {
    var result: [String: String] = [:]
    skipSpace()
    guard take("{") else { throw error("a JSON object is expected here", hint: "start with {") }
    skipSpace()
    if !take("}") {
      repeat {
        skipSpace()
        let start = index
        let name = try string("a name in double quotes")
        skipSpace()
        guard take(":") else { throw error("a colon is expected here") }
        skipSpace()
        let value = try string("a value in double quotes")
        guard result.updateValue(value, forKey: name) == nil else {
          throw error("the same name was given before", at: start)
        }
        skipSpace()
      } while take(",")
      guard take("}") else { throw error("a comma or } is expected here") }
    }
    skipSpace()
    guard index == bytes.count else { throw error("nothing may follow the object") }
    return result
  }

  private mutating func string(_ expected: String) throws(ConfigError) -> String {
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

  private mutating func escape(into content: inout [UInt8]) throws(ConfigError) {
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
      var scalar = try hexUnit(at: start)
      if (0xD800..<0xDC00).contains(scalar), take("\\"), take("u") {
        let low = try hexUnit(at: start)
        guard (0xDC00..<0xE000).contains(low) else { throw error("half of a surrogate pair is missing", at: start) }
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
      }
      guard let scalar = Unicode.Scalar(scalar) else { throw error("half of a surrogate pair is missing", at: start) }
      content += Array(String(Character(scalar)).utf8)
    default: throw error("this escape is not known to JSON", at: start)
    }
  }

  private mutating func hexUnit(at start: Int) throws(ConfigError) -> UInt32 {
    var unit: UInt32 = 0
    for _ in 0..<4 {
      guard index < bytes.count, let digit = hexDigit(bytes[index]) else {
        throw error("four hexadecimal digits are expected after \\u", at: start)
      }
      unit = unit << 4 | UInt32(digit)
      index += 1
    }
    return unit
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard index < bytes.count, bytes[index] == UInt8(ascii: scalar) else { return false }
    index += 1
    return true
  }

  private mutating func skipSpace() {
    while index < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[index]) { index += 1 }
  }

  private func error(_ problem: String, at place: Int? = nil, hint: String? = nil) -> ConfigError {
    let before = bytes[..<(place ?? index)]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    // Bytes 10xxxxxx continue a character.
    let column = before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1
    return ConfigError(.file(file, SourceMark(line: line, column: column)), problem: problem, hint: hint)
  }
}
