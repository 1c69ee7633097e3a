/// Writes RESP3 as the RESP that the reader knows: a push, a set and a map become arrays, other kinds what comes next to them.
/// Pure: bytes come in as they do, and each value is looked at once, by its first line.
struct RESP3Translator {
  /// Bytes of a first line, which may be a status or an error.
  private static let lineLimit = 1 << 16

  private var line: [UInt8] = []
  /// Bytes of a string that are still to come, with its end of line.
  private var bodyCount = 0

  /// - Throws: ``ReplyError`` when the bytes are no RESP3.
  mutating func translate(_ bytes: some Collection<UInt8>) throws(ReplyError) -> [UInt8] {
    var translated: [UInt8] = []
    translated.reserveCapacity(bytes.count)
    var rest = bytes[...]
    while let byte = rest.first {
      if bodyCount > 0 {
        let part = rest.prefix(bodyCount)
        translated += part
        bodyCount -= part.count
        rest = rest.dropFirst(part.count)
        continue
      }
      guard line.count < Self.lineLimit else { throw .malformed("a line that does not end") }
      line.append(byte)
      rest = rest.dropFirst()
      if byte == UInt8(ascii: "\n") {
        translated += try value(line)
        line = []
      }
    }
    return translated
  }

  private mutating func value(_ line: [UInt8]) throws(ReplyError) -> [UInt8] {
    if line.elementsEqual("_\r\n".utf8) { return Array("$-1\r\n".utf8) }
    guard line.count > 3, line.suffix(2).elementsEqual("\r\n".utf8) else { throw .malformed("a line without an end") }
    let content = line[1..<(line.count - 2)]
    func retyped(_ type: Unicode.Scalar) -> [UInt8] { [UInt8(ascii: type)] + line.dropFirst() }
    switch line[0] {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "*"): return line
    case UInt8(ascii: ">"), UInt8(ascii: "~"): return retyped("*")
    case UInt8(ascii: ","), UInt8(ascii: "("): return retyped("+")
    case UInt8(ascii: "#"): return Array((content.first == UInt8(ascii: "t") ? ":1\r\n" : ":0\r\n").utf8)
    case UInt8(ascii: "$"), UInt8(ascii: "="):
      guard let count = parseInteger(content), count <= Limits.replyBytes else {
        throw .malformed("a string of no length")
      }
      if count >= 0 { bodyCount = count + 2 }
      return retyped("$")
    case UInt8(ascii: "%"):
      guard let count = parseInteger(content), 0...Limits.arrayElements ~= count else {
        throw .malformed("a map of no length")
      }
      return Array("*\(2 * count)\r\n".utf8)
    default: throw .malformed("a value of another kind")
    }
  }
}
