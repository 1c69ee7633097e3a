import Runtime

/// A query as text in Prometheus' style. What it gives parses to the same tree, but for the one that `text(of:)` of a
/// matching names.
struct QueryPrinter {
  let dialect: Dialect

  /// On one line.
  func line(_ expression: Expression) -> String {
    switch expression {
    case .number(let node): text(of: node)
    case .string(let node): quoted(node.value)
    case .selector(let node): text(of: node) + text(of: node.shift)
    case .range(let node):
      text(of: node.selector) + "[\(NumberSyntax.duration(milliseconds: node.rangeMilliseconds))]"
        + text(of: node.selector.shift)
    case .subquery(let node): line(node.expression) + window(of: node)
    case .call(let node): node.function.name + "(" + node.arguments.map(line).joined(separator: ", ") + ")"
    case .aggregation(let node):
      "\(head(of: node))(\(node.parameter.map { "\(line($0)), " } ?? "")\(line(node.expression)))"
    case .binary(let node): "\(line(node.left)) \(operation(of: node)) \(line(node.right))"
    case .unary(let node): (node.isMinus ? "-" : "+") + line(node.expression)
    case .parentheses(let node): "(\(line(node.expression)))"
    }
  }

  private static let lineLimitBytes = 100

  /// On several lines where one would be longer than 100 bytes.
  func lines(_ expression: Expression, level: Int = 0) -> String {
    let indent = String(repeating: "  ", count: level)
    let whole = line(expression)
    if whole.utf8.count <= Self.lineLimitBytes {
      // Prometheus forgets to indent a subquery.
      if case .subquery = expression { return whole }
      return indent + whole
    }
    func inside(_ operands: [Expression]) -> String {
      "(\n" + operands.map { lines($0, level: level + 1) }.joined(separator: ",\n") + "\n\(indent))"
    }
    switch expression {
    case .number, .string, .selector, .range: return indent + whole
    case .subquery(let node): return lines(node.expression, level: level) + window(of: node)
    case .call(let node):
      return indent + node.function.name + (node.arguments.isEmpty ? "()" : inside(node.arguments))
    case .aggregation(let node):
      return indent + head(of: node) + inside((node.parameter.map { [$0] } ?? []) + [node.expression])
    case .binary(let node):
      return lines(node.left, level: level + 1) + "\n\(indent)\(operation(of: node))\n"
        + lines(node.right, level: level + 1)
    case .unary(let node):
      return indent + (node.isMinus ? "-" : "+") + lines(node.expression, level: level).dropFirst(indent.utf8.count)
    case .parentheses(let node): return indent + inside([node.expression])
    }
  }

  private func text(of number: Expression.NumberLiteral) -> String {
    guard number.isDuration else { return GoNumber.plain(number.value) }
    return NumberSyntax.duration(milliseconds: Int64(clamping: (number.value * 1000).rounded()))
  }

  /// Without offset and `@`.
  private func text(of selector: Expression.Selector) -> String {
    let name = selector.metricName
    let isPlain = name.map(LabelNameSyntax.isPlainMetricName) ?? false
    var listed = selector.matchers.filter { name == nil || $0.name != Labels.metricName }.map(\.description).sorted()
    if let name, !isPlain { listed.insert(quoted(name), at: 0) }
    return (isPlain ? name! : "") + (listed.isEmpty ? "" : "{\(listed.joined(separator: ","))}")
  }

  private func window(of subquery: Expression.Subquery) -> String {
    let step = subquery.stepMilliseconds.map { NumberSyntax.duration(milliseconds: $0) } ?? ""
    let range = NumberSyntax.duration(milliseconds: subquery.rangeMilliseconds)
    return "[\(range):\(step)]\(text(of: subquery.shift))"
  }

  private func head(of aggregation: Expression.Aggregation) -> String {
    let name = aggregation.aggregator.rawValue
    if aggregation.isWithout { return "\(name) without \(list(aggregation.grouping)) " }
    return aggregation.grouping.isEmpty ? name : "\(name) by \(list(aggregation.grouping)) "
  }

  private func operation(of node: Expression.Binary) -> String {
    node.operation.rawValue + (node.returnsBool ? " bool" : "") + (node.matching.map(text) ?? "")
  }

  private func text(of matching: VectorMatching) -> String {
    let isGrouped = matching.cardinality == .manyToOne || matching.cardinality == .oneToMany
    // Prometheus 2 forgets group_left behind an empty `ignoring ()`, and with it what the query means.
    let isListed = matching.isOn || !matching.labels.isEmpty || (isGrouped && dialect == .prometheus3)
    guard isListed else { return "" }
    let side = matching.cardinality == .manyToOne ? "group_left" : "group_right"
    return (matching.isOn ? " on " : " ignoring ") + list(matching.labels)
      + (isGrouped ? " \(side) \(list(matching.included))" : "")
  }

  private func list(_ names: [String]) -> String {
    "(" + names.map(LabelNameSyntax.printed).joined(separator: ", ") + ")"
  }

  private func text(of shift: TimeShift) -> String {
    var text = ""
    switch shift.anchor {
    case .milliseconds(let time):
      let digits = "\(time.magnitude % 1000)"
      let fraction = String(repeating: "0", count: 3 - digits.count) + digits
      text = " @ \(time < 0 ? "-" : "")\(time.magnitude / 1000).\(fraction)"
    case .start: text = " @ start()"
    case .end: text = " @ end()"
    case nil: break
    }
    if shift.offsetMilliseconds != 0 {
      text += " offset \(NumberSyntax.duration(milliseconds: shift.offsetMilliseconds))"
    }
    return text
  }
}

extension Expression: CustomStringConvertible {
  public var description: String { QueryPrinter(dialect: .prometheus3).line(self) }
}
