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
