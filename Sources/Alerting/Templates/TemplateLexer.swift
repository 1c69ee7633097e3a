import Runtime

/// Cuts a template's text into tokens: text between actions, and what stands inside `{{` and `}}`.
struct TemplateLexer {
  private let bytes: [UInt8]
  private var position = 0
  private var isInAction = false
  private var parenthesisDepth = 0
  /// The text after an action that ended with ` -}}` loses the space at its start.
  private var trimsNextText = false
  private var isFinished = false

  init(_ text: String) {
    bytes = Array(text.utf8)
  }

  /// After an error or the end only the end follows.
  mutating func next() -> TemplateToken {
    if isFinished { return TemplateToken(kind: .end, value: "", offset: bytes.count) }
    let token = isInAction ? inAction() : outside()
    if token.kind == .error || token.kind == .end { isFinished = true }
    return token
  }

  // MARK: Text

  private mutating func outside() -> TemplateToken {
    while true {
      if trimsNextText {
        trimsNextText = false
        while let byte = peek(), Self.isSpace(byte) { position += 1 }
      }
      let start = position
      let open = find("{{", from: position) ?? bytes.count
      if open > start {
        var end = open
        if hasTrimMark(after: open) { while end > start, Self.isSpace(bytes[end - 1]) { end -= 1 } }
        position = open
        if end > start { return token(.text, start, end) }
      }
      guard open < bytes.count else { return TemplateToken(kind: .end, value: "", offset: bytes.count) }
      let body = open + 2 + (hasTrimMark(after: open) ? 2 : 0)
      guard has("/*", at: body) else {
        position = body
        isInAction = true
        parenthesisDepth = 0
        return token(.leftDelimiter, open, open + 2)
      }
      if let problem = skipComment(from: body) { return error(problem, at: open) }
    }
  }

  private mutating func skipComment(from start: Int) -> String? {
    guard let close = find("*/", from: start + 2) else { return "unclosed comment" }
    position = close + 2
    guard let width = rightDelimiterWidth() else { return "comment ends before closing delimiter" }
    trimsNextText = width > 2
    position += width
    return nil
  }

  private func hasTrimMark(after open: Int) -> Bool {
    open + 3 < bytes.count && bytes[open + 2] == UInt8(ascii: "-") && Self.isSpace(bytes[open + 3])
  }

  /// Bytes of `}}` or ` -}}` at the position, nil when it is neither. The space of the latter may be consumed already.
  private func rightDelimiterWidth() -> Int? {
    if has("}}", at: position) { return 2 }
    if let byte = peek(), Self.isSpace(byte), has("-}}", at: position + 1) { return 4 }
    return nil
  }

  // MARK: Actions

  private mutating func inAction() -> TemplateToken {
    let start = position
    if let width = rightDelimiterWidth() {
      guard parenthesisDepth == 0 else { return error("unclosed left paren", at: start) }
      position += width
      trimsNextText = width > 2
      isInAction = false
      return token(.rightDelimiter, position - 2, position)
    }
    guard let byte = peek() else { return error("unclosed action", at: start) }
    switch byte {
    case _ where Self.isSpace(byte):
      while let next = peek(), Self.isSpace(next) {
        if rightDelimiterWidth() == 4 { break }
        position += 1
      }
      return token(.space, start, position)
    case UInt8(ascii: "="): return single(.assign)
    case UInt8(ascii: ":"):
      position += 1
      guard peek() == UInt8(ascii: "=") else { return error("expected :=", at: start) }
      position += 1
      return token(.declare, start, position)
    case UInt8(ascii: "|"): return single(.pipe)
    case UInt8(ascii: "\""): return quoted(UInt8(ascii: "\""), .string, "unterminated quoted string")
    case UInt8(ascii: "'"): return quoted(UInt8(ascii: "'"), .character, "unterminated character constant")
    case UInt8(ascii: "`"): return raw()
    case UInt8(ascii: "$"):
      position += 1
      return word(.variable, from: start)
    case UInt8(ascii: "."):
      if let next = peek(1), !next.isASCIIDigit || position + 1 >= bytes.count {
        position += 1
        return word(.field, from: start)
      }
      return number()
    case _ where byte.isASCIIDigit || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"): return number()
    case UInt8(ascii: "("):
      parenthesisDepth += 1
      return single(.leftParenthesis)
    case UInt8(ascii: ")"):
      parenthesisDepth -= 1
      return parenthesisDepth < 0 ? error("unexpected right paren", at: start) : single(.rightParenthesis)
    default:
      let (scalar, width) = scalar(at: position)
      if Self.isWord(scalar) { return word(.identifier, from: start) }
      guard scalar.isASCII, GoQuote.isPrintable(scalar) else {
        return error("unrecognized character in action: \(GoQuote.named(scalar))", at: start)
      }
      position += width
      return token(.other, start, position)
    }
  }

  private mutating func single(_ kind: TemplateToken.Kind) -> TemplateToken {
    position += 1
    return token(kind, position - 1, position)
  }

  /// A name, with its `.` or `$` consumed already where it has one.
  private mutating func word(_ kind: TemplateToken.Kind, from start: Int) -> TemplateToken {
    while position < bytes.count {
      let (scalar, width) = scalar(at: position)
      guard Self.isWord(scalar) else { break }
      position += width
    }
    if position < bytes.count, !isTerminator(at: position) {
      return error("bad character \(GoQuote.named(scalar(at: position).scalar))", at: start)
    }
    let found = token(kind, start, position)
    switch found.value {
    case ".": return TemplateToken(kind: .dot, value: ".", offset: start)
    case "nil": return TemplateToken(kind: .nil, value: "nil", offset: start)
    case "true", "false": return TemplateToken(kind: .bool, value: found.value, offset: start)
    case let word where TemplateToken.keywords.contains(word):
      return TemplateToken(kind: .keyword, value: word, offset: start)
    default: return found
    }
  }

  /// What may follow a name: `$x+2` is refused rather than misunderstood.
  private func isTerminator(at place: Int) -> Bool {
    let byte = bytes[place]
    return Self.isSpace(byte) || ".,|:)(}".utf8.contains(byte)
  }

  private mutating func quoted(
    _ quote: UInt8, _ kind: TemplateToken.Kind, _ problem: String
  ) -> TemplateToken {
    let start = position
    position += 1
    while let byte = peek(), byte != UInt8(ascii: "\n") {
      position += 1
      if byte == quote { return token(kind, start, position) }
      if byte == UInt8(ascii: "\\") {
        guard let next = peek(), next != UInt8(ascii: "\n") else { break }
        position += 1
      }
    }
    return error(problem, at: start)
  }

  private mutating func raw() -> TemplateToken {
    guard let close = find("`", from: position + 1) else {
      return error("unterminated raw quoted string", at: position)
    }
    defer { position = close + 1 }
    return token(.rawString, position, close + 1)
  }

  private mutating func number() -> TemplateToken {
    let start = position
    let isWhole = scanNumber()
    if isWhole, let sign = peek(), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      guard scanNumber(), bytes[position - 1] == UInt8(ascii: "i") else { return badNumber(start) }
      return token(.complex, start, position)
    }
    return isWhole ? token(.number, start, position) : badNumber(start)
  }

  private mutating func badNumber(_ start: Int) -> TemplateToken {
    error("bad number syntax: \(GoQuote.quoted(String(decoding: bytes[start..<position], as: UTF8.self)))", at: start)
  }

  /// Takes what looks like a number; whether it is one, the parser decides.
  private mutating func scanNumber() -> Bool {
    accept("+-")
    var digits = "0123456789_"
    if accept("0") {
      if accept("xX") {
        digits = "0123456789abcdefABCDEF_"
      } else if accept("oO") {
        digits = "01234567_"
      } else if accept("bB") {
        digits = "01_"
      }
    }
    acceptRun(digits)
    if accept(".") { acceptRun(digits) }
    if digits.utf8.count == 11, accept("eE") {
      accept("+-")
      acceptRun("0123456789_")
    }
    if digits.utf8.count == 23, accept("pP") {
      accept("+-")
      acceptRun("0123456789_")
    }
    accept("i")
    guard position < bytes.count else { return true }
    let (scalar, width) = scalar(at: position)
    guard Self.isWord(scalar) else { return true }
    position += width
    return false
  }

  // MARK: Bytes

  @discardableResult private mutating func accept(_ allowed: String) -> Bool {
    guard let byte = peek(), allowed.utf8.contains(byte) else { return false }
    position += 1
    return true
  }

  private mutating func acceptRun(_ allowed: String) {
    while accept(allowed) {}
  }

  private func peek(_ ahead: Int = 0) -> UInt8? {
    position + ahead < bytes.count ? bytes[position + ahead] : nil
  }

  private func has(_ text: String, at place: Int) -> Bool { bytes[min(place, bytes.count)...].starts(with: text.utf8) }

  private func find(_ text: String, from start: Int) -> Int? {
    guard start <= bytes.count - text.utf8.count else { return nil }
    return (start...(bytes.count - text.utf8.count)).first { has(text, at: $0) }
  }

  private func scalar(at place: Int) -> (scalar: Unicode.Scalar, width: Int) {
    if bytes[place] < 0x80 { return (Unicode.Scalar(bytes[place]), 1) }
    let scalar = String(decoding: bytes[place..<min(place + 4, bytes.count)], as: UTF8.self).unicodeScalars.first!
    return (scalar, String(scalar).utf8.count)
  }

  private func token(_ kind: TemplateToken.Kind, _ start: Int, _ end: Int) -> TemplateToken {
    TemplateToken(kind: kind, value: String(decoding: bytes[start..<end], as: UTF8.self), offset: start)
  }

  private func error(_ problem: String, at place: Int) -> TemplateToken {
    TemplateToken(kind: .error, value: problem, offset: place)
  }

  private static func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == "_" { return true }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber:
      return true
    default: return false
    }
  }
}

/// A piece of a template's text.
struct TemplateToken: Equatable {
  enum Kind: Equatable {
    case text, leftDelimiter, rightDelimiter, space, pipe, leftParenthesis, rightParenthesis
    case assign, declare
    case bool, number, complex, character, string, rawString
    case identifier, field, variable, dot, `nil`
    case keyword
    /// Any other printable character, a comma for one.
    case other
    /// The value is the error's text.
    case error
    case end
  }

  let kind: Kind
  let value: String
  /// Bytes before it in the text.
  let offset: Int

  /// As error texts of Go show it.
  var described: String {
    switch kind {
    case .end: return "EOF"
    case .error: return value
    case .keyword, .dot, .nil: return "<\(value)>"
    default:
      let characters = value.unicodeScalars
      guard value.utf8.count > 10 else { return GoQuote.quoted(value) }
      return GoQuote.quoted(String(String.UnicodeScalarView(characters.prefix(10)))) + "..."
    }
  }

  static let keywords: Set<String> = [
    "block", "break", "continue", "define", "else", "end", "if", "range", "template", "with",
  ]
}
