/// Functions that write labels.
enum LabelFunctions {
  static let all = [
    Function("label_replace", [.vector, .string, .string, .string, .string], .special { try replace($0, $1, $2) }),
    Function("label_join", [.vector, .string, .string, .string], counts: 3...1000, .special { try join($0, $1, $2) }),
  ]

  private static func replace(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let (target, source) = (try evaluation.string(call.arguments[1]), try evaluation.string(call.arguments[3]))
    let replacement = RegexReplacement(try evaluation.string(call.arguments[2]))
    let regex = try Regex(
      evaluation.string(call.arguments[4]), dotMatchesNewline: evaluation.dialect == .prometheus3)
    try check(target, "destination", call, evaluation)
    let (targetBytes, sourceBytes) = (Array(target.utf8), Array(source.utf8))
    let table = try evaluation.vector(call.arguments[0], steps).relabelled { labels in
      let value = labels.value(of: sourceBytes)
      try evaluation.work(value.count)
      guard let captures = regex.captures(value) else { return labels }
      let limit = Labels.valueLimitBytes
      guard let value = replacement.expanded(captures, of: regex, limitBytes: limit) else {
        throw tooLong(target, call)
      }
      let changed = labels.setting(targetBytes, to: value[...])
      try evaluation.hold(changed.byteCount)
      return changed
    }
    return .vector(table)
  }

  private static func join(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let target = try evaluation.string(call.arguments[1])
    let separator = Array(try evaluation.string(call.arguments[2]).utf8)
    let sources = try call.arguments.dropFirst(3).map(evaluation.string)
    try check(target, "destination", call, evaluation)
    for source in sources { try check(source, "source", call, evaluation) }
    let (targetBytes, sourceBytes) = (Array(target.utf8), sources.map { Array($0.utf8) })
    let table = try evaluation.vector(call.arguments[0], steps).relabelled { labels in
      let values = sourceBytes.map(labels.value)
      let count = values.reduce(separator.count * max(0, values.count - 1)) { $0 + $1.count }
      guard count <= Labels.valueLimitBytes else { throw tooLong(target, call) }
      let changed = labels.setting(targetBytes, to: Array(values.joined(separator: separator))[...])
      try evaluation.hold(changed.byteCount)
      return changed
    }
    return .vector(table)
  }

  private static func tooLong(_ name: String, _ call: Expression.Call) -> EvaluationError {
    EvaluationError(
      "\(call.function.name): the value of the label \(quoted(name)) would be longer than \(Labels.valueLimitBytes) bytes"
    )
  }

  private static func check(
    _ name: String, _ role: String, _ call: Expression.Call, _ evaluation: Evaluation
  ) throws {
    let isValid = evaluation.dialect.hasWideSyntax ? !name.isEmpty : LabelNameSyntax.isPlainLabelName(name)
    guard isValid else {
      throw EvaluationError("\(call.function.name): \(quoted(name)) cannot be the name of the \(role) label")
    }
  }
}

/// A template for what an expression matched: `$1`, `${1}`, `$name`, `${name}`, and `$$` for a dollar sign.
struct RegexReplacement {
  private enum Part {
    case text([UInt8])
    case group(String)
  }
  private var parts: [Part] = []

  /// What does not stand for a group is taken as it is.
  init(_ template: String) {
    var rest = Array(template.utf8)[...]
    let dollar = UInt8(ascii: "$")
    while let start = rest.firstIndex(of: dollar) {
      parts.append(.text(Array(rest[..<start])))
      rest = rest[(start + 1)...]
      if rest.first == dollar {
        parts.append(.text([dollar]))
        rest = rest.dropFirst()
      } else if let name = Self.name(&rest) {
        parts.append(.group(name))
      } else {
        parts.append(.text([dollar]))
      }
    }
    parts.append(.text(Array(rest)))
  }

  /// The name of a group behind a dollar sign: in braces, or as many word characters as follow.
  private static func name(_ rest: inout ArraySlice<UInt8>) -> String? {
    let isBraced = rest.first == UInt8(ascii: "{")
    let name = rest.dropFirst(isBraced ? 1 : 0).prefix(while: isWordByte)
    let behind = rest[name.endIndex...]
    guard !name.isEmpty, !isBraced || behind.first == UInt8(ascii: "}") else { return nil }
    rest = behind.dropFirst(isBraced ? 1 : 0)
    return String(decoding: name, as: UTF8.self)
  }

  /// A group that does not exist or took no part is empty. Nil when the text would be longer than the limit.
  func expanded(_ captures: [ArraySlice<UInt8>?], of regex: Regex, limitBytes: Int) -> [UInt8]? {
    var result: [UInt8] = []
    for part in parts {
      switch part {
      case .text(let bytes): result += bytes
      case .group(let name):
        guard let group = Int(name) ?? regex.group(named: name), captures.indices.contains(group) else { continue }
        if let text = captures[group] { result += text }
      }
      if result.count > limitBytes { return nil }
    }
    return result
  }

  /// The same, however long.
  func expanded(_ captures: [ArraySlice<UInt8>?], of regex: Regex) -> [UInt8] {
    expanded(captures, of: regex, limitBytes: .max) ?? []
  }
}
