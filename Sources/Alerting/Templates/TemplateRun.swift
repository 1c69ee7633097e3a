/// One carrying out of a template.
struct TemplateRun {
  /// Ends a pass through a loop's body.
  private enum Flow {
    case on, breakLoop, continueLoop
  }

  private let template: Template
  let context: TemplateContext
  let limits: TemplateLimits
  private var output = ""
  private var steps = 0
  private var depth = 0
  /// The template whose nodes are being walked, and its variables, the innermost last.
  private var current: String
  private var variables: [(name: String, value: TemplateValue)] = []
  /// Where errors say that they happened.
  private var place: (offset: Int, source: () -> String) = (0, { "" })

  init(_ template: Template, context: TemplateContext) {
    self.template = template
    self.context = context
    limits = template.limits
    current = template.name
  }

  mutating func expand(_ data: TemplateValue) throws(TemplateError) -> String {
    variables = [("$", data)]
    _ = try walk(template.nodes[template.name] ?? [], dot: data)
    return output
  }

  // MARK: Nodes

  private mutating func walk(_ nodes: [TemplateNode], dot: TemplateValue) throws(TemplateError) -> Flow {
    for node in nodes {
      try count()
      let flow = try walk(node, dot: dot)
      if flow != .on { return flow }
    }
    return .on
  }

  private mutating func walk(_ node: TemplateNode, dot: TemplateValue) throws(TemplateError) -> Flow {
    switch node.kind {
    case .text(let text): try write(text)
    case .action(let pipe):
      let value = try evaluate(pipe, dot: dot)
      if pipe.variables.isEmpty {
        at(node.offset, { pipe.source })
        try write(value.printed)
      }
    case .branch(let pipe, let then, let otherwise, let bindsDot):
      let known = variables.count
      defer { variables.removeSubrange(known...) }
      let value = try evaluate(pipe, dot: dot)
      if value.isTrue { return try walk(then, dot: bindsDot ? value : dot) }
      return try walk(otherwise ?? [], dot: dot)
    case .range(let pipe, let body, let otherwise):
      return try range(pipe, body, otherwise, dot: dot)
    case .template(let name, let pipe):
      try call(name, pipe, dot: dot, offset: node.offset)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .on
  }

  private mutating func range(
    _ pipe: TemplatePipe, _ body: [TemplateNode], _ otherwise: [TemplateNode]?, dot: TemplateValue
  ) throws(TemplateError) -> Flow {
    let known = variables.count
    defer { variables.removeSubrange(known...) }
    let value = try evaluate(pipe, dot: dot)
    let elements: [(TemplateValue, TemplateValue)]
    switch value {
    case .none: elements = []
    case .samples(let samples): elements = samples.enumerated().map { (.int($0.offset), .sample($0.element)) }
    case .labels(let labels): elements = sorted(labels).map { (.string($0.key), .string($0.value)) }
    case .map(let map): elements = sorted(map).map { (.string($0.key), $0.value) }
    case .int(let count):
      guard count <= limits.steps else { throw error("more than \(limits.steps) steps") }
      elements = (0..<max(0, count)).map { (.int($0), .int($0)) }
    default: throw error("range can't iterate over \(value.plain)")
    }
    if elements.isEmpty { return try walk(otherwise ?? [], dot: dot) }
    let mark = variables.count
    for (key, element) in elements {
      try count()
      // With one variable it is the element; with two, the first is the key.
      if pipe.isAssignment {
        if let name = pipe.variables.last { try assign(name, element) }
        if pipe.variables.count > 1 { try assign(pipe.variables[0], key) }
      } else {
        if !pipe.variables.isEmpty { variables[mark - 1].value = element }
        if pipe.variables.count > 1 { variables[mark - 2].value = key }
      }
      let flow = try walk(body, dot: element)
      variables.removeSubrange(mark...)
      if flow == .breakLoop { break }
    }
    return .on
  }

  private func sorted<Value>(_ map: [String: Value]) -> [(key: String, value: Value)] {
    map.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
  }

  private mutating func call(
    _ name: String, _ pipe: TemplatePipe?, dot: TemplateValue, offset: Int
  ) throws(TemplateError) {
    at(offset, { "{{template \(GoQuote.quoted(name))\(pipe.map { " " + $0.source } ?? "")}}" })
    guard let body = template.nodes[name] else { throw error("template \(GoQuote.quoted(name)) not defined") }
    guard depth < limits.depth else { throw error("exceeded maximum template depth (\(limits.depth))") }
    let argument = try pipe.map { pipe throws(TemplateError) in try evaluate(pipe, dot: dot) } ?? .none
    let outer = (current, variables)
    depth += 1
    current = name
    variables = [("$", argument)]
    _ = try walk(body, dot: argument)
    (current, variables) = outer
    depth -= 1
  }

  private mutating func write(_ text: String) throws(TemplateError) {
    output += text
    guard output.utf8.count <= limits.outputBytes else { throw error("more than \(limits.outputBytes) bytes of text") }
  }

  private mutating func count() throws(TemplateError) {
    steps += 1
    guard steps <= limits.steps else { throw error("more than \(limits.steps) steps") }
  }

  // MARK: Pipelines

  private mutating func evaluate(_ pipe: TemplatePipe, dot: TemplateValue) throws(TemplateError) -> TemplateValue {
    at(pipe.offset, { pipe.source })
    var value: TemplateValue?
    for command in pipe.commands { value = try evaluate(command, dot: dot, final: value) }
    let result = value ?? .none
    for variable in pipe.variables {
      if pipe.isAssignment { try assign(variable, result) } else { variables.append((variable, result)) }
    }
    return result
  }

  private mutating func assign(_ name: String, _ value: TemplateValue) throws(TemplateError) {
    guard let index = variables.lastIndex(where: { $0.name == name }) else {
      throw error("undefined variable: \(name)")
    }
    variables[index].value = value
  }

  private mutating func evaluate(
    _ command: TemplateCommand, dot: TemplateValue, final: TemplateValue?
  ) throws(TemplateError) -> TemplateValue {
    try count()
    let first = command.words[0]
    let arguments = Array(command.words.dropFirst())
    switch first.kind {
    case .identifier(let name):
      at(first)
      return try function(name, arguments, final, dot: dot, at: (command.offset, { command.source }))
    case .field(let names):
      at(first)
      return try fields(names, of: dot, arguments, final, dot: dot, operand: first)
    case .variable(let name, let names) where !names.isEmpty:
      at(first)
      return try fields(names, of: try variable(name), arguments, final, dot: dot, operand: first)
    case .chain(let inner, let names):
      at(first)
      let receiver = try value(of: inner, dot: dot)
      return try fields(names, of: receiver, arguments, final, dot: dot, operand: first)
    default:
      if case .nil = first.kind { throw error("nil is not a command") }
      at(first)
      guard arguments.isEmpty, final == nil else {
        throw error("can't give argument to non-function \(first.source)")
      }
      return try value(of: first, dot: dot)
    }
  }

  /// The value of an operand that stands alone.
  private mutating func value(of operand: TemplateOperand, dot: TemplateValue) throws(TemplateError) -> TemplateValue {
    try count()
    at(operand)
    switch operand.kind {
    case .bool(let value): return .bool(value)
    case .number(let number):
      if number.isSpelledFloat, let float = number.float { return .float(float) }
      return number.int.map { .int($0) } ?? .float(number.float ?? 0)
    case .string(let text, _): return .string(text)
    case .dot: return dot
    case .nil: return .none
    case .identifier(let name):
      return try function(name, [], nil, dot: dot, at: (operand.offset, { operand.source }))
    case .field(let names): return try fields(names, of: dot, [], nil, dot: dot, operand: operand)
    case .variable(let name, let names):
      return try fields(names, of: try variable(name), [], nil, dot: dot, operand: operand)
    case .pipe(let pipe): return try evaluate(pipe, dot: dot)
    case .chain(let inner, let names):
      let receiver = try value(of: inner, dot: dot)
      return try fields(names, of: receiver, [], nil, dot: dot, operand: operand)
    }
  }

  private func variable(_ name: String) throws(TemplateError) -> TemplateValue {
    guard let found = variables.last(where: { $0.name == name }) else { throw error("undefined variable: \(name)") }
    return found.value
  }

  // MARK: Fields and functions

  /// `.a.b arguments`: the arguments are for the last name.
  private mutating func fields(
    _ names: [String], of receiver: TemplateValue, _ arguments: [TemplateOperand], _ final: TemplateValue?,
    dot: TemplateValue, operand: TemplateOperand
  ) throws(TemplateError) -> TemplateValue {
    var receiver = receiver
    for (index, name) in names.enumerated() {
      if case .none = receiver { return .none }
      let isLast = index == names.count - 1
      if let method = TemplateMethod.named(name, of: receiver) {
        let values = try isLast ? self.values(method.parameters, name, arguments, final, dot: dot) : []
        guard values.count == method.parameters.count else {
          throw error("wrong number of args for \(name): want \(method.parameters.count) got \(values.count)")
        }
        receiver = method.body(receiver, values)
        continue
      }
      let hasArguments = isLast && (!arguments.isEmpty || final != nil)
      switch receiver.field(name) {
      case .value(let value):
        if hasArguments { throw error("\(name) \(receiver.argumentsProblem)") }
        receiver = value
      case .missing: throw error("can't evaluate field \(name) in type \(receiver.typeName)")
      }
    }
    return receiver
  }

  private mutating func function(
    _ name: String, _ arguments: [TemplateOperand], _ final: TemplateValue?, dot: TemplateValue,
    at place: (offset: Int, source: () -> String)
  ) throws(TemplateError) -> TemplateValue {
    guard let function = TemplateFunction.all[name] else {
      throw error("\(GoQuote.quoted(name)) is not a defined function")
    }
    let given = arguments.count + (final == nil ? 0 : 1)
    if let problem = function.problem(withArgumentCount: given, written: arguments.count) {
      throw error("wrong number of args for \(name): \(problem)")
    }
    if let stopsAt = function.stopsAt {
      // `and` and `or` leave alone what they need not look at.
      var value: TemplateValue = .none
      for argument in arguments {
        value = try self.value(of: argument, dot: dot)
        if value.isTrue == stopsAt { return value }
      }
      return final ?? value
    }
    let values = try self.values(function.types(count: given), name, arguments, final, dot: dot)
    do {
      return try function.body(values, self)
    } catch {
      at(place.offset, place.source)
      throw self.error("error calling \(name): \(error)")
    }
  }

  private mutating func values(
    _ types: [TemplateType], _ name: String, _ arguments: [TemplateOperand], _ final: TemplateValue?,
    dot: TemplateValue
  ) throws(TemplateError) -> [TemplateValue] {
    var values: [TemplateValue] = []
    guard arguments.count + (final == nil ? 0 : 1) == types.count else {
      throw error(
        "wrong number of args for \(name): want \(types.count) got \(arguments.count + (final == nil ? 0 : 1))")
    }
    for (argument, type) in zip(arguments, types) {
      at(argument)
      if let problem = type.problem(withLiteral: argument) { throw error(problem) }
      let value = try value(of: argument, dot: dot)
      if let problem = type.problem(with: value) { throw error(problem) }
      values.append(value)
    }
    if let final {
      if let problem = types[types.count - 1].problem(with: final) { throw error(problem) }
      values.append(final)
    }
    return values
  }

  // MARK: Errors

  private mutating func at(_ operand: TemplateOperand) { at(operand.offset, { operand.source }) }

  private mutating func at(_ offset: Int, _ source: @escaping () -> String) { place = (offset, source) }

  private func error(_ problem: String) -> TemplateError {
    let before = template.text.utf8.prefix(place.offset)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let column = before.reversed().prefix { $0 != UInt8(ascii: "\n") }.count
    return TemplateError(
      name: template.name, line: line, column: column, executing: (current, place.source()), problem: problem)
  }
}
