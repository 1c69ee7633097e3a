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
