/// A template of Go's `text/template`, read once and carried out for every sample of a rule.
///
/// Actions, pipelines, variables, `if`, `range`, `with`, `define`, `template`, `block`, `break`, `continue`, and the
/// functions of `TemplateFunction`. Methods are known for what those functions give: times and durations.
public struct Template: Sendable {
  public let name: String
  let text: String
  let limits: TemplateLimits
  /// By name, that of the text as a whole under `name`.
  let nodes: [String: [TemplateNode]]

  public init(_ text: String, name: String, limits: TemplateLimits = .standard) throws(TemplateError) {
    self.text = text
    self.name = name
    self.limits = limits
    nodes = try TemplateParser.parse(text, name: name, limits: limits)
  }

  public func expand(_ data: TemplateData, in context: TemplateContext) throws(TemplateError) -> String {
    try expand(.data(data), in: context)
  }

  func expand(_ dot: TemplateValue, in context: TemplateContext) throws(TemplateError) -> String {
    var run = TemplateRun(self, context: context)
    return try run.expand(dot)
  }
}

/// The template of a rule's label or annotation, with `$labels`, `$externalLabels`, `$externalURL` and `$value`.
public struct AlertTemplate: Sendable {
  /// What Prometheus puts before every text; errors count their columns with it.
  private static let definitions =
    "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"

  /// The text as the rule has it.
  public let text: String
  /// Nil for text without an action, which needs no carrying out.
  private let template: Template?

  public init(_ text: String, alert: String, limits: TemplateLimits = .standard) throws(TemplateError) {
    self.text = text
    template =
      text.contains("{{") ? try Template(Self.definitions + text, name: "__alert_\(alert)", limits: limits) : nil
  }

  /// The string constants of a template that asks queries: the queries are among them.
  var queryTexts: [String] {
    guard let template, text.contains("query") else { return [] }
    return template.nodes.values.flatMap { $0 }.flatMap(\.strings)
  }

  /// The text for one sample. A template that fails gives a text that says why, as in Prometheus: the alert must fire.
  public func expand(_ data: TemplateData, in context: TemplateContext) -> String {
    guard let template else { return text }
    do {
      return try template.expand(data, in: context)
    } catch {
      return "<error expanding template: error executing template \(template.name): \(error)>"
    }
  }
}

extension TemplateNode {
  /// Every string constant in it.
  fileprivate var strings: [String] {
    switch kind {
    case .text, .breakLoop, .continueLoop: []
    case .action(let pipe): pipe.strings
    case .branch(let pipe, let then, let otherwise, _):
      pipe.strings + then.flatMap(\.strings) + (otherwise ?? []).flatMap(\.strings)
    case .range(let pipe, let body, let otherwise):
      pipe.strings + body.flatMap(\.strings) + (otherwise ?? []).flatMap(\.strings)
    case .template(_, let pipe): pipe?.strings ?? []
    }
  }
}

extension TemplatePipe {
  fileprivate var strings: [String] { commands.flatMap(\.words).flatMap(\.strings) }
}

extension TemplateOperand {
  fileprivate var strings: [String] {
    switch kind {
    case .string(let value, _): [Self.withoutVerbs(value)]
    case .pipe(let pipe): pipe.strings
    case .chain(let operand, _): operand.strings
    default: []
    }
  }

  /// A format of printf with something in the place of what is put in.
  private static func withoutVerbs(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let percent = rest.firstIndex(of: "%"), rest.index(after: percent) < rest.endIndex {
      result += rest[..<percent] + (rest[rest.index(after: percent)] == "q" ? "\"x\"" : "x")
      rest = rest[rest.index(percent, offsetBy: 2)...]
    }
    return result + rest
  }
}

/// Why a template cannot be read or carried out. Printed as Go's `text/template` would say it.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name of the template as a whole, such as `__alert_RedisDown`.
  public let name: String
  /// Line in the template's text, from 1.
  public let line: Int
  /// Bytes before the place in its line, counted with what is put before a rule's text; nil while reading.
  public let column: Int?
  /// The template and the piece of it that was being carried out; nil while reading.
  public let executing: (template: String, piece: String)?
  public let problem: String

  public var description: String {
    guard let executing, let column else { return "template: \(name):\(line): \(problem)" }
    return "template: \(name):\(line):\(column): executing \(GoQuote.quoted(executing.template)) at "
      + "<\(executing.piece)>: \(problem)"
  }

  public static func == (a: TemplateError, b: TemplateError) -> Bool { a.description == b.description }
}

/// What the templates of one rule may cost.
public struct TemplateLimits: Sendable {
  /// Bytes of the text.
  public let textBytes: Int
  /// Actions, list and argument evaluations of one expansion.
  public let steps: Int
  /// Bytes that one expansion may write.
  public let outputBytes: Int
  /// Blocks, parentheses and templates inside one another.
  public let depth: Int

  public static let standard = TemplateLimits(textBytes: 1 << 16, steps: 200_000, outputBytes: 1 << 18, depth: 64)

  public init(textBytes: Int, steps: Int, outputBytes: Int, depth: Int) {
    self.textBytes = textBytes
    self.steps = steps
    self.outputBytes = outputBytes
    self.depth = depth
  }
}
