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

/// A word of the language.
struct Token: Equatable {
  enum Kind: Equatable {
    /// Letters, digits, underscores; colons too outside of braces and brackets. Keywords are among them: which word is
    /// one depends on where it stands.
    case identifier
    case number(Double)
    /// Written with units, such as `1h30m`.
    case duration(milliseconds: Int64)
    case string(String)
    /// An operator or a bracket.
    case symbol(Symbol)
    case end
  }

  enum Symbol: String, Equatable {
    case leftParenthesis = "("
    case rightParenthesis = ")"
    case leftBrace = "{"
    case rightBrace = "}"
    case leftBracket = "["
    case rightBracket = "]"
    case comma = ","
    case colon = ":"
    case at = "@"
    case assign = "="
    case equal = "=="
    case notEqual = "!="
    case matches = "=~"
    case matchesNot = "!~"
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case modulo = "%"
    case power = "^"
  }

  let kind: Kind
  let range: SourceRange
  /// As written.
  let text: String

  /// How errors speak of it.
  var described: String {
    switch kind {
    case .identifier: "\(quoted(text))"
    case .number: "number \(quoted(text))"
    case .duration: "duration \(quoted(text))"
    case .string: "string \(text)"
    case .symbol: "\(quoted(text))"
    case .end: "end of input"
    }
  }
}

/// The words that mean something of their own; upper and lower case are alike.
enum Keyword: String {
  case bool, by, without, on, ignoring, offset, start, end
  case groupLeft = "group_left"
  case groupRight = "group_right"

  init?(_ token: Token) {
    guard token.kind == .identifier else { return nil }
    self.init(rawValue: token.text.lowercased())
  }

  /// Keywords that cannot be the name of a metric.
  static let reserved: Set<String> = ["bool", "on", "ignoring", "group_left", "group_right", "atan2", "inf", "nan"]

  /// What Prometheus has behind a feature flag, or only for native histograms.
  static let refusedAggregators: Set<String> = ["limitk", "limit_ratio"]
  static let refusedModifiers: Set<String> = ["anchored", "smoothed"]
  static let ofDurations: Set<String> = ["step", "range", "min_of", "max_of"]
  static let refusedMatchings: Set<String> = ["fill", "fill_left", "fill_right"]
}

/// Whose results a query gives where the two major versions of Prometheus differ.
public enum Dialect: String, Sendable, CaseIterable {
  /// Prometheus 2.42, whose promtool Debian 12 ships.
  case prometheus2 = "2.x"
  /// Prometheus 3, the default.
  case prometheus3 = "3.x"

  /// Ranges and lookbacks leave out the sample exactly at their start.
  var hasOpenRanges: Bool { self == .prometheus3 }
  /// `10m` as a number, `1_000`, names in quotes, numbers as durations, `offset 0s`.
  var hasWideSyntax: Bool { self == .prometheus3 }
}
