/// Cuts the text of a query into tokens.
struct Lexer {
  private let text: String
  private let bytes: [UInt8]
  private let dialect: Dialect
  private let origin: QueryOrigin
  private var offset = 0
  private var isInBraces = false
  private var isInBrackets = false

  init(_ text: String, dialect: Dialect, origin: QueryOrigin) {
    self.text = text
    self.dialect = dialect
    self.origin = origin
    bytes = Array(text.utf8)
  }

  /// All tokens; the last is `.end`.
  static func tokens(_ text: String, dialect: Dialect, origin: QueryOrigin) throws(QuerySyntaxError) -> [Token] {
    var lexer = Lexer(text, dialect: dialect, origin: origin)
    var tokens: [Token] = []
    repeat { tokens.append(try lexer.next()) } while tokens.last?.kind != .end
    return tokens
  }

  private mutating func next() throws(QuerySyntaxError) -> Token {
    skipSpaceAndComments()
    let start = offset
    guard offset < bytes.count else { return token(.end, from: start) }
    let byte = bytes[offset]
    if isDigit(byte) || (byte == UInt8(ascii: ".") && isDigit(peek(1))) { return try numberOrDuration() }
    if isLetter(byte) || byte == UInt8(ascii: "_") || (byte == UInt8(ascii: ":") && !isInBrackets && !isInBraces) {
      return identifier()
    }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"): return try string(quote: byte)
    default: return try symbol()
    }
  }

  private mutating func skipSpaceAndComments() {
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): offset += 1
      case UInt8(ascii: "#"):
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\n") { offset += 1 }
      default: return
      }
    }
  }

  private mutating func identifier() -> Token {
    let start = offset
    let mayHoldColons = !isInBraces && !isInBrackets
    while offset < bytes.count, isWordByte(bytes[offset]) || (mayHoldColons && bytes[offset] == UInt8(ascii: ":")) {
      offset += 1
    }
    return token(.identifier, from: start)
  }

  private mutating func symbol() throws(QuerySyntaxError) -> Token {
    let start = offset
    for length in [2, 1] where offset + length <= bytes.count {
      let candidate = String(decoding: bytes[offset..<(offset + length)], as: UTF8.self)
      guard let symbol = Token.Symbol(rawValue: candidate) else { continue }
      offset += length
      switch symbol {
      case .leftBrace: isInBraces = true
      case .rightBrace: isInBraces = false
      case .leftBracket: isInBrackets = true
      case .rightBracket: isInBrackets = false
      default: break
      }
      return token(.symbol(symbol), from: start)
    }
    let character = String(decoding: bytes[offset...], as: UTF8.self).first!
    throw error("unexpected character \(quoted(String(character)))", start..<(start + 1))
  }

  private mutating func string(quote: UInt8) throws(QuerySyntaxError) -> Token {
    let start = offset
    do throws(StringSyntax.Fault) {
      let (value, end) = try StringSyntax.read(bytes, from: offset)
      offset = end
      return token(.string(value), from: start)
    } catch {
      throw self.error(error.message, error.offset..<(error.offset + 1))
    }
  }

  private mutating func numberOrDuration() throws(QuerySyntaxError) -> Token {
    let start = offset
    // All that may belong to either, so that an error shows the whole word.
    while offset < bytes.count {
      let byte = bytes[offset]
      let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
      let isExponentSign = isSign && (bytes[offset - 1] | 0x20) == UInt8(ascii: "e") && !isHexadecimal(from: start)
      guard isWordByte(byte) || byte == UInt8(ascii: ".") || (isExponentSign && offset > start) else { break }
      offset += 1
    }
    let word = String(decoding: bytes[start..<offset], as: UTF8.self)
    if let value = NumberSyntax.number(word, allowsUnderscores: dialect.hasWideSyntax) {
      return token(.number(value), from: start)
    }
    if let milliseconds = NumberSyntax.durationMilliseconds(word) {
      return token(.duration(milliseconds: milliseconds), from: start)
    }
    throw error("bad number or duration \(quoted(word))", start..<offset)
  }

  private func isHexadecimal(from start: Int) -> Bool {
    start + 1 < bytes.count && bytes[start] == UInt8(ascii: "0") && (bytes[start + 1] | 0x20) == UInt8(ascii: "x")
  }

  private func peek(_ distance: Int) -> UInt8 { offset + distance < bytes.count ? bytes[offset + distance] : 0 }

  private func token(_ kind: Token.Kind, from start: Int) -> Token {
    Token(kind: kind, range: start..<offset, text: String(decoding: bytes[start..<offset], as: UTF8.self))
  }

  private func error(_ message: String, _ range: SourceRange) -> QuerySyntaxError {
    QuerySyntaxError(message, at: range, in: text, origin: origin)
  }
}
