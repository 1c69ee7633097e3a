/// Reads a template's text into nodes.
struct TemplateParser {
  let name: String
  let text: String
  let limits: TemplateLimits
  var tokens: [TemplateToken] = []
  var position = 0
  var depth = 0
  private var loopDepth = 0
  /// Variables that may be used here, the innermost last.
  var variables: [String] = ["$"]
  private var templates: [String: [TemplateNode]] = [:]

  /// The templates by name, that of the text as a whole under `name`.
  static func parse(
    _ text: String, name: String, limits: TemplateLimits
  ) throws(TemplateError) -> [String: [TemplateNode]] {
    guard text.utf8.count <= limits.textBytes else {
      throw TemplateError(
        name: name, line: 1, column: nil, executing: nil, problem: "longer than \(limits.textBytes) bytes")
    }
    var parser = TemplateParser(name: name, text: text, limits: limits)
    return try parser.parse()
  }

  private init(name: String, text: String, limits: TemplateLimits) {
    self.name = name
    self.text = text
    self.limits = limits
    var lexer = TemplateLexer(text)
    repeat { tokens.append(lexer.next()) } while tokens.last?.kind != .end
  }

  private mutating func parse() throws(TemplateError) -> [String: [TemplateNode]] {
    var root: [TemplateNode] = []
    while peek().kind != .end {
      if try parseDefinition() { continue }
      switch try item() {
      case .node(let node): root.append(node)
      case .end: throw error("unexpected {{end}}")
      case .otherwise: throw error("unexpected {{else}}")
      }
    }
    try add(name, root)
    return templates
  }

  // MARK: Blocks

  private enum Item {
    case node(TemplateNode)
    case end
    /// `{{else}}`; the word is what follows in the same action, `if` or `with`.
    case otherwise(word: String?)
  }

  private mutating func parseDefinition() throws(TemplateError) -> Bool {
    let start = position
    guard next().kind == .leftDelimiter else {
      position = start
      return false
    }
    guard nextNonSpace().is("define") else {
      position = start
      return false
    }
    let name = try templateName(nextNonSpace(), in: "define clause")
    try expectRightDelimiter(in: "define clause")
    let outer = (variables, loopDepth)
    (variables, loopDepth) = (["$"], 0)
    let (body, end) = try list()
    (variables, loopDepth) = outer
    guard case .end = end else { throw error("unexpected {{else}} in define clause") }
    try add(name, body)
    return true
  }

  private mutating func add(_ name: String, _ nodes: [TemplateNode]) throws(TemplateError) {
    if let known = templates[name], !Self.isEmpty(known) {
      guard Self.isEmpty(nodes) else { throw error("multiple definition of template \(GoQuote.quoted(name))") }
      return
    }
    templates[name] = nodes
  }

  private static func isEmpty(_ nodes: [TemplateNode]) -> Bool {
    nodes.allSatisfy { if case .text(let text) = $0.kind { text.allSatisfy(\.isWhitespace) } else { false } }
  }

  /// Items until `{{end}}` or `{{else}}`, which is returned too.
  private mutating func list() throws(TemplateError) -> ([TemplateNode], Item) {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else { throw error("blocks are nested deeper than \(limits.depth)") }
    var nodes: [TemplateNode] = []
    while peekNonSpace().kind != .end {
      let item = try item()
      guard case .node(let node) = item else { return (nodes, item) }
      nodes.append(node)
    }
    _ = nextNonSpace()
    throw error("unexpected EOF")
  }

  private mutating func item() throws(TemplateError) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .text: return .node(TemplateNode(kind: .text(token.value), offset: token.offset))
    case .leftDelimiter: return try action()
    default: throw unexpected(token, in: "input")
    }
  }

  private mutating func action() throws(TemplateError) -> Item {
    let token = nextNonSpace()
    if token.kind == .keyword {
      switch token.value {
      case "if": return .node(try branch("if", bindsDot: false))
      case "with": return .node(try branch("with", bindsDot: true))
      case "range": return .node(try range())
      case "template": return .node(try template())
      case "block": return .node(try block())
      case "break", "continue": return .node(try loopControl(token))
      case "end":
        try expectRightDelimiter(in: "end")
        return .end
      case "else":
        let next = peekNonSpace()
        if next.kind == .keyword, next.value == "if" || next.value == "with" {
          return .otherwise(word: nextNonSpace().value)
        }
        try expectRightDelimiter(in: "else")
        return .otherwise(word: nil)
      default: break
      }
    }
    back()
    let offset = peek().offset
    return .node(TemplateNode(kind: .action(try pipeline("command", until: .rightDelimiter)), offset: offset))
  }

  private mutating func branch(_ word: String, bindsDot: Bool) throws(TemplateError) -> TemplateNode {
    let known = variables.count
    defer { variables.removeSubrange(known...) }
    let pipe = try pipeline(word, until: .rightDelimiter)
    let (body, end) = try list()
    let otherwise = try otherwise(after: end, chains: word)
    return TemplateNode(
      kind: .branch(pipe, then: body, otherwise: otherwise, bindsDot: bindsDot), offset: pipe.offset)
  }

  /// What stands after `{{else}}`; `{{else if x}}` is a branch of its own that shares the end.
  private mutating func otherwise(
    after end: Item, chains: String?
  ) throws(TemplateError) -> [TemplateNode]? {
    guard case .otherwise(let word) = end else { return nil }
    if let word {
      guard word == chains else { throw error("unexpected <\(word)> in input") }
      return [try branch(word, bindsDot: word == "with")]
    }
    let (nodes, last) = try list()
    guard case .end = last else { throw error("expected end; found {{else}}") }
    return nodes
  }

  private mutating func range() throws(TemplateError) -> TemplateNode {
    let known = variables.count
    defer { variables.removeSubrange(known...) }
    let pipe = try pipeline("range", until: .rightDelimiter)
    loopDepth += 1
    let (body, end) = try list()
    loopDepth -= 1
    let otherwise = try otherwise(after: end, chains: nil)
    return TemplateNode(kind: .range(pipe, body: body, otherwise: otherwise), offset: pipe.offset)
  }

  private mutating func loopControl(_ token: TemplateToken) throws(TemplateError) -> TemplateNode {
    let last = nextNonSpace()
    guard last.kind == .rightDelimiter else { throw unexpected(last, in: "{{\(token.value)}}") }
    guard loopDepth > 0 else { throw error("{{\(token.value)}} outside {{range}}") }
    return TemplateNode(kind: token.value == "break" ? .breakLoop : .continueLoop, offset: token.offset)
  }

  private mutating func template() throws(TemplateError) -> TemplateNode {
    let token = nextNonSpace()
    let name = try templateName(token, in: "template clause")
    guard nextNonSpace().kind != .rightDelimiter else {
      return TemplateNode(kind: .template(name: name, nil), offset: token.offset)
    }
    back()
    let pipe = try pipeline("template clause", until: .rightDelimiter)
    return TemplateNode(kind: .template(name: name, pipe), offset: token.offset)
  }

  private mutating func block() throws(TemplateError) -> TemplateNode {
    let token = nextNonSpace()
    let name = try templateName(token, in: "block clause")
    let pipe = try pipeline("block clause", until: .rightDelimiter)
    let outer = (variables, loopDepth)
    (variables, loopDepth) = (["$"], 0)
    let (body, end) = try list()
    (variables, loopDepth) = outer
    guard case .end = end else { throw error("unexpected {{else}} in block clause") }
    try add(name, body)
    return TemplateNode(kind: .template(name: name, pipe), offset: token.offset)
  }

  private func templateName(_ token: TemplateToken, in context: String) throws(TemplateError) -> String {
    guard token.kind == .string || token.kind == .rawString else { throw unexpected(token, in: context) }
    guard let name = GoQuote.unquoted(token.value) else { throw error("invalid syntax") }
    return name
  }
}

/// What stands in an action: commands, their operands, and variables.
extension TemplateParser {
  mutating func pipeline(
    _ context: String, until end: TemplateToken.Kind
  ) throws(TemplateError) -> TemplatePipe {
    depth += 1
    defer { depth -= 1 }
    guard depth <= limits.depth else { throw error("values are nested deeper than \(limits.depth)") }
    var pipe = TemplatePipe(offset: peekNonSpace().offset)
    try declarations(&pipe, context)
    while true {
      let token = nextNonSpace()
      switch token.kind {
      case end:
        guard !pipe.commands.isEmpty else { throw error("missing value for \(context)") }
        for (index, command) in pipe.commands.enumerated().dropFirst() {
          switch command.words[0].kind {
          case .bool, .dot, .nil, .number, .string:
            throw error("non executable command in pipeline stage \(index + 1)")
          default: break
          }
        }
        return pipe
      case .bool, .character, .complex, .dot, .field, .identifier, .number, .nil, .rawString, .string, .variable,
        .leftParenthesis:
        back()
        pipe.commands.append(try command())
      default: throw unexpected(token, in: context)
      }
    }
  }

  /// `$x :=`, `$x =`, and in a range `$i, $x :=`.
  private mutating func declarations(_ pipe: inout TemplatePipe, _ context: String) throws(TemplateError) {
    while peekNonSpace().kind == .variable {
      let start = position
      let variable = nextNonSpace().value
      let token = peekNonSpace()
      if token.kind == .assign || token.kind == .declare {
        _ = nextNonSpace()
        pipe.isAssignment = token.kind == .assign
        pipe.variables.append(variable)
        variables.append(variable)
        return
      }
      guard token.kind == .other, token.value == "," else {
        position = start
        return
      }
      _ = nextNonSpace()
      pipe.variables.append(variable)
      variables.append(variable)
      guard context == "range", pipe.variables.count < 2 else { throw error("too many declarations in \(context)") }
      switch peekNonSpace().kind {
      case .variable, .rightDelimiter, .rightParenthesis: continue
      default: throw error("range can only initialize variables")
      }
    }
  }

  private mutating func command() throws(TemplateError) -> TemplateCommand {
    var command = TemplateCommand(offset: peekNonSpace().offset)
    loop: while true {
      _ = peekNonSpace()
      skipSpace()
      if let operand = try operand() { command.words.append(operand) }
      let token = next()
      switch token.kind {
      case .space: continue
      case .rightDelimiter, .rightParenthesis:
        back()
        break loop
      case .pipe: break loop
      default: throw unexpected(token, in: "operand")
      }
    }
    guard !command.words.isEmpty else { throw error("empty command") }
    return command
  }

  private mutating func operand() throws(TemplateError) -> TemplateOperand? {
    guard let term = try term() else { return nil }
    guard peek().kind == .field else { return term }
    let offset = peek().offset
    var fields: [String] = []
    while peek().kind == .field { fields.append(String(next().value.dropFirst())) }
    switch term.kind {
    case .field(let names): return TemplateOperand(kind: .field(names + fields), offset: offset)
    case .variable(let name, let names):
      return TemplateOperand(kind: .variable(name, fields: names + fields), offset: offset)
    case .bool, .string, .number, .nil, .dot:
      throw error("unexpected . after term \(GoQuote.quoted(term.source))")
    default: return TemplateOperand(kind: .chain(term, fields: fields), offset: offset)
    }
  }

  private mutating func term() throws(TemplateError) -> TemplateOperand? {
    let token = nextNonSpace()
    func made(_ kind: TemplateOperand.Kind) -> TemplateOperand { TemplateOperand(kind: kind, offset: token.offset) }
    switch token.kind {
    case .identifier:
      guard TemplateFunction.all[token.value] != nil else {
        throw error("function \(GoQuote.quoted(token.value)) not defined")
      }
      return made(.identifier(token.value))
    case .dot: return made(.dot)
    case .nil: return made(.nil)
    case .bool: return made(.bool(token.value == "true"))
    case .variable:
      guard variables.contains(token.value) else {
        throw error("undefined variable \(GoQuote.quoted(token.value))")
      }
      return made(.variable(token.value, fields: []))
    case .field: return made(.field([String(token.value.dropFirst())]))
    case .number, .complex, .character: return made(.number(try number(token)))
    case .leftParenthesis:
      return made(.pipe(try pipeline("parenthesized pipeline", until: .rightParenthesis)))
    case .string, .rawString:
      guard let value = GoQuote.unquoted(token.value) else { throw error("invalid syntax") }
      return made(.string(value, literal: token.value))
    default:
      back()
      return nil
    }
  }

  private func number(_ token: TemplateToken) throws(TemplateError) -> TemplateNumber {
    do throws(TemplateNumber.Problem) {
      if token.kind == .complex { throw .complex }
      return try TemplateNumber(token.value, isCharacter: token.kind == .character)
    } catch {
      switch error {
      case .illegal: throw self.error("illegal number syntax: \(GoQuote.quoted(token.value))")
      case .overflow: throw self.error("integer overflow: \(GoQuote.quoted(token.value))")
      case .character: throw self.error("malformed character constant: \(token.value)")
      case .complex: throw self.error("complex numbers are not supported: \(GoQuote.quoted(token.value))")
      }
    }
  }
}

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
