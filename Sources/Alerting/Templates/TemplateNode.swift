/// What a template does, in order.
struct TemplateNode: Sendable {
  indirect enum Kind: Sendable {
    case text(String)
    /// Prints the value, unless it declares or assigns.
    case action(TemplatePipe)
    case branch(TemplatePipe, then: [TemplateNode], otherwise: [TemplateNode]?, bindsDot: Bool)
    case range(TemplatePipe, body: [TemplateNode], otherwise: [TemplateNode]?)
    case template(name: String, TemplatePipe?)
    case breakLoop
    case continueLoop
  }
  let kind: Kind
  let offset: Int
}

/// `$x := command | command`.
struct TemplatePipe: Sendable {
  let offset: Int
  var isAssignment = false
  var variables: [String] = []
  var commands: [TemplateCommand] = []

  /// As Go prints it in errors.
  var source: String {
    let left = variables.isEmpty ? "" : variables.joined(separator: ", ") + (isAssignment ? " = " : " := ")
    return left + commands.map(\.source).joined(separator: " | ")
  }
}

/// A function, field or value with its arguments.
struct TemplateCommand: Sendable {
  let offset: Int
  var words: [TemplateOperand] = []

  var source: String { words.map(\.source).joined(separator: " ") }
}

struct TemplateOperand: Sendable {
  indirect enum Kind: Sendable {
    case bool(Bool)
    case number(TemplateNumber)
    case string(String, literal: String)
    case dot
    case `nil`
    case identifier(String)
    case field([String])
    case variable(String, fields: [String])
    case pipe(TemplatePipe)
    case chain(TemplateOperand, fields: [String])
  }
  let kind: Kind
  let offset: Int

  var source: String {
    switch kind {
    case .bool(let value): String(value)
    case .number(let number): number.text
    case .string(_, let literal): literal
    case .dot: "."
    case .nil: "nil"
    case .identifier(let name): name
    case .field(let names): names.map { "." + $0 }.joined()
    case .variable(let name, let fields): ([name] + fields).joined(separator: ".")
    case .pipe(let pipe): "(\(pipe.source))"
    case .chain(let operand, let fields): operand.source + fields.map { "." + $0 }.joined()
    }
  }
}

/// A number as written; Go decides by its spelling and by its use what it is.
struct TemplateNumber: Sendable {
  let text: String
  let int: Int?
  let float: Double?
  /// True where the spelling alone makes it a float.
  let isSpelledFloat: Bool

  enum Problem: Error {
    case illegal, overflow, character, complex
  }

  init(_ text: String, isCharacter: Bool) throws(Problem) {
    self.text = text
    if isCharacter {
      guard let character = GoQuote.unquoted(text), character.unicodeScalars.count == 1 else { throw .character }
      let value = character.unicodeScalars.first!.value
      (int, float, isSpelledFloat) = (Int(value), Double(value), false)
      return
    }
    if text.hasSuffix("i") { throw .complex }
    let isNegative = text.hasPrefix("-")
    let body = (isNegative || text.hasPrefix("+") ? text.dropFirst() : text[...]).filter { $0 != "_" }
    let lower = body.lowercased()
    let radix = ["0x": 16, "0o": 8, "0b": 2][String(lower.prefix(2))]
    let hasPoint = lower.contains(".") || (radix == 16 ? lower.contains("p") : lower.contains("e"))
    let isOctal = radix == nil && body.count > 1 && body.hasPrefix("0") && !hasPoint
    let digits = String(radix == nil ? body : String(body.dropFirst(2)))
    let magnitude = hasPoint ? nil : UInt64(digits, radix: radix ?? (isOctal ? 8 : 10))
    let parsed = Double((isNegative ? "-" : "") + body)
    let isFloat = hasPoint || (radix == nil && !isOctal)
    var whole = magnitude.flatMap { isNegative ? Int("-\($0)") : Int(exactly: $0) }
    if whole == nil, isFloat, hasPoint, let parsed, let exact = Int(exactly: parsed) { whole = exact }
    let value = isFloat ? parsed : whole.map(Double.init)
    guard whole != nil || value != nil else { throw .illegal }
    if whole == nil, !hasPoint { throw .overflow }
    (int, float, isSpelledFloat) = (whole, value, hasPoint)
  }
}
