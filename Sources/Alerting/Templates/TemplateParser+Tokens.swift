/// The parser's way through the tokens, and the errors of a place in them.
extension TemplateParser {
  func peek() -> TemplateToken { tokens[min(position, tokens.count - 1)] }

  mutating func next() -> TemplateToken {
    defer { position += 1 }
    return peek()
  }

  mutating func back() { position -= 1 }

  mutating func skipSpace() { while peek().kind == .space { position += 1 } }

  mutating func nextNonSpace() -> TemplateToken {
    skipSpace()
    return next()
  }

  func peekNonSpace() -> TemplateToken {
    tokens[min(position, tokens.count - 1)...].first { $0.kind != .space } ?? tokens[tokens.count - 1]
  }

  mutating func expectRightDelimiter(in context: String) throws(TemplateError) {
    let token = nextNonSpace()
    guard token.kind == .rightDelimiter else { throw unexpected(token, in: context) }
  }

  func unexpected(_ token: TemplateToken, in context: String) -> TemplateError {
    token.kind == .error ? error(token.value) : error("unexpected \(token.described) in \(context)")
  }

  func error(_ problem: String) -> TemplateError {
    let offset = tokens[max(0, min(position, tokens.count) - 1)].offset
    let line = text.utf8.prefix(offset).count { $0 == UInt8(ascii: "\n") } + 1
    return TemplateError(name: name, line: line, column: nil, executing: nil, problem: problem)
  }
}

extension TemplateToken {
  func `is`(_ keyword: String) -> Bool { kind == .keyword && value == keyword }
}
