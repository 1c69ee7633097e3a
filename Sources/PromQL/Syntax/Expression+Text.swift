import Runtime

extension Expression: CustomStringConvertible {
  /// The query in one line and one style; it parses to the same tree.
  public var description: String {
    switch self {
    case .number(let node): node.text
    case .string(let node): quoted(node.value)
    case .selector(let node): node.text + node.shift.text
    case .range(let node):
      "\(node.selector.text)[\(NumberSyntax.duration(milliseconds: node.rangeMilliseconds))]\(node.selector.shift.text)"
    case .subquery(let node): node.text
    case .call(let node): node.function.name + "(" + node.arguments.map(\.description).joined(separator: ", ") + ")"
    case .aggregation(let node): node.text
    case .binary(let node):
      "\(node.left) \(node.operation.rawValue)\(node.returnsBool ? " bool" : "")\(node.matching?.text ?? "") "
        + "\(node.right)"
    case .unary(let node): (node.isMinus ? "-" : "+") + node.expression.description
    case .parentheses(let node): "(\(node.expression))"
    }
  }

  fileprivate static func list(_ names: [String]) -> String {
    "(" + names.map(LabelNameSyntax.printed).joined(separator: ", ") + ")"
  }
}

extension Expression.NumberLiteral {
  fileprivate var text: String {
    guard isDuration else { return NumberSyntax.decimal(value) }
    return NumberSyntax.duration(milliseconds: Int64(clamping: (value * 1000).rounded()))
  }
}

extension Expression.Selector {
  /// Without offset and `@`.
  fileprivate var text: String {
    let isPlain = metricName.map(LabelNameSyntax.isPlainMetricName) ?? false
    var listed = matchers.filter { metricName == nil || $0.name != Labels.metricName }.map(\.description).sorted()
    if let metricName, !isPlain { listed.insert(quoted(metricName), at: 0) }
    return (isPlain ? metricName! : "") + (listed.isEmpty ? "" : "{\(listed.joined(separator: ","))}")
  }
}

extension Expression.Subquery {
  fileprivate var text: String {
    let step = stepMilliseconds.map { NumberSyntax.duration(milliseconds: $0) } ?? ""
    return "\(expression)[\(NumberSyntax.duration(milliseconds: rangeMilliseconds)):\(step)]\(shift.text)"
  }
}

extension Expression.Aggregation {
  fileprivate var text: String {
    let clause =
      isWithout ? " without \(Expression.list(grouping)) " : grouping.isEmpty ? "" : " by \(Expression.list(grouping)) "
    return "\(aggregator.rawValue)\(clause)(\(parameter.map { "\($0), " } ?? "")\(expression))"
  }
}

extension VectorMatching {
  fileprivate var text: String {
    let isGrouped = cardinality == .manyToOne || cardinality == .oneToMany
    guard isOn || !labels.isEmpty || isGrouped else { return "" }
    let group =
      isGrouped ? (cardinality == .manyToOne ? " group_left " : " group_right ") + Expression.list(included) : ""
    return (isOn ? " on " : " ignoring ") + Expression.list(labels) + group
  }
}

extension TimeShift {
  fileprivate var text: String {
    var text = ""
    switch anchor {
    case .milliseconds(let time):
      let digits = "\(time.magnitude % 1000)"
      let fraction = String(repeating: "0", count: 3 - digits.count) + digits
      text = " @ \(time < 0 ? "-" : "")\(time.magnitude / 1000).\(fraction)"
    case .start: text = " @ start()"
    case .end: text = " @ end()"
    case nil: break
    }
    if offsetMilliseconds != 0 { text += " offset \(NumberSyntax.duration(milliseconds: offsetMilliseconds))" }
    return text
  }
}
