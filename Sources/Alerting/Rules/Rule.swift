import Config
import PromQL

/// A rule file that was read and found good.
public struct RuleFile: Sendable {
  public let path: String
  public let groups: [RuleGroup]
  /// What is good but not as meant, such as a second document that nobody reads.
  public let remarks: [ConfigError]
  /// As it was read.
  public let text: [UInt8]

  public var ruleCount: Int { groups.reduce(0) { $0 + $1.rules.count } }
}

/// Rules that are evaluated one after another at the same times.
public struct RuleGroup: Sendable {
  public let file: String
  public let name: String
  /// Nil stands for the evaluator's own interval.
  public let intervalMilliseconds: Int64?
  /// How far before the time of the evaluation the rules look; nil stands for the evaluator's own.
  public let queryOffsetMilliseconds: Int64?
  /// The most alerts or series that one rule may give; 0 is no limit.
  public let limit: Int
  public let rules: [Rule]
  public let mark: SourceMark
}

public enum Rule: Sendable {
  case alerting(AlertingRule)
  case recording(RecordingRule)

  /// The alert's name, or the name of the metric that is recorded.
  public var name: String {
    switch self {
    case .alerting(let rule): rule.name
    case .recording(let rule): rule.name
    }
  }

  public var query: Query {
    switch self {
    case .alerting(let rule): rule.query
    case .recording(let rule): rule.query
    }
  }

  /// The labels as written, templates not expanded, the group's among them.
  public var labels: [String: String] {
    switch self {
    case .alerting(let rule): rule.labels.mapValues(\.text)
    case .recording(let rule): rule.labels
    }
  }

  public var place: RulePlace {
    switch self {
    case .alerting(let rule): rule.place
    case .recording(let rule): rule.place
    }
  }
}

public struct AlertingRule: Sendable {
  public let name: String
  public let query: Query
  /// How long the expression has to hold before the alert fires.
  public let forMilliseconds: Int64
  /// How long the alert stays firing after the expression last held.
  public let keepFiringForMilliseconds: Int64
  public let labels: [String: AlertTemplate]
  public let annotations: [String: AlertTemplate]
  public let place: RulePlace
}

public struct RecordingRule: Sendable {
  /// The metric's name.
  public let name: String
  public let query: Query
  public let labels: [String: String]
  public let place: RulePlace
}

/// Where a rule stands.
public struct RulePlace: Sendable {
  public let file: String
  /// `groups[0].rules[3]`
  public let path: String
  /// The rule's first key.
  public let mark: SourceMark
  /// Where the text of `expr` starts in the file.
  let expression: ScalarPlace
}

/// Where the characters of a YAML value stand in its file.
struct ScalarPlace: Sendable {
  /// The first character of the value.
  let start: SourceMark
  /// Spaces before every line but the first; nil where the lines of the value are not those of the file.
  let indent: Int?

  /// - Parameter mark: where YAML says that the value starts, a sign such as `|` or a quote included.
  init(_ mark: SourceMark, in lines: [Substring]) {
    var place = mark
    func rest() -> Substring {
      guard lines.indices.contains(place.line - 1) else { return "" }
      return lines[place.line - 1].dropFirst(place.column - 1)
    }
    // Anchors and tags stand before the value.
    while let first = rest().first, first == "&" || first == "!" {
      let word = rest().prefix { $0 != " " }
      let gap = rest().dropFirst(word.count).prefix { $0 == " " }
      place = SourceMark(line: place.line, column: place.column + word.count + gap.count)
    }
    switch rest().first {
    case "|":
      let line = lines.indices.contains(place.line) ? lines[place.line] : ""
      let indent = line.prefix { $0 == " " }.count
      (start, self.indent) = (SourceMark(line: place.line + 1, column: indent + 1), indent)
    case "\"", "'":
      (start, indent) = (SourceMark(line: place.line, column: place.column + 1), nil)
    default: (start, indent) = (place, nil)
    }
  }

  /// The place of the byte at `offset` of the value.
  func mark(of offset: Int, in text: String) -> SourceMark {
    let before = String(decoding: text.utf8.prefix(offset), as: UTF8.self)
    let lines = before.split(separator: "\n", omittingEmptySubsequences: false)
    let column = lines.last?.count ?? 0
    if lines.count <= 1 { return SourceMark(line: start.line, column: start.column + column) }
    guard let indent else { return start }
    return SourceMark(line: start.line + lines.count - 1, column: indent + column + 1)
  }
}

/// Which names rules may give to metrics, labels and annotations.
enum RuleName {
  /// What is wrong with a label's name, as the end of a sentence; nil when it can be used.
  static func problem(label name: String, dialect: Dialect) -> String? {
    if name == Labels.metricName { return "cannot be set by a rule; it is the metric's name" }
    return problem(annotation: name, dialect: dialect)
  }

  static func problem(annotation name: String, dialect: Dialect) -> String? {
    if name.isEmpty { return "is empty" }
    if dialect == .prometheus3 || matches(name, colons: false) { return nil }
    return "is no name of Prometheus 2: letters, digits and underscores"
  }

  static func problem(metric name: String, dialect: Dialect) -> String? {
    if name.contains("{") || name.contains("}") {
      return "is not a metric name; labels belong under labels, an expression under expr"
    }
    if dialect == .prometheus3 || matches(name, colons: true) { return nil }
    return "is not a metric name of Prometheus 2: letters, digits, underscores and colons"
  }

  private static func matches(_ name: String, colons: Bool) -> Bool {
    for (index, byte) in name.utf8.enumerated() {
      let isLetter = (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
      let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
      guard isLetter || byte == UInt8(ascii: "_") || (colons && byte == UInt8(ascii: ":")) || (isDigit && index > 0)
      else { return false }
    }
    return !name.isEmpty
  }
}

/// Durations as rule files write them: `1h30m`, units from the largest to the smallest, each once.
enum RuleDuration {
  /// Milliseconds, or nil when the text is no duration or longer than 292 years.
  static func milliseconds(_ text: String) -> Int64? { text == "0" ? 0 : NumberSyntax.durationMilliseconds(text) }

  static func text(milliseconds: Int64) -> String { NumberSyntax.duration(milliseconds: milliseconds) }
}
