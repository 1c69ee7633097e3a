import PromQL

extension RuleSubject {
  /// Divisions by a metric in which 0 means that there is no limit: used / 0 is +Inf, which is above any threshold.
  mutating func lookAtDivisions() {
    guard !catalogue.zeroMeansUnlimited.isEmpty else { return }
    var found: [(Expression.Selector, SourceRange)] = []
    expression.walk { node, ancestors in
      guard case .binary(let division) = node, division.operation == .divide || division.operation == .modulo,
        !Self.isBounded(ancestors, below: node)
      else { return }
      for selector in Self.unguarded(division.right) where catalogue.zeroMeansUnlimited.contains(selector.name ?? "") {
        if !isGuardedElsewhere(selector.name ?? "", ancestors) { found.append((selector, division.right.place)) }
      }
    }
    for (selector, place) in found {
      let name = selector.name ?? ""
      note(
        .unguardedDivision, at: place,
        "\(name) is 0 where no limit is set, and a division by it gives +Inf, which is above every threshold",
        "write (\(text(place)) > 0)")
    }
  }

  /// The selectors of a divisor whose zero gets through.
  private static func unguarded(_ expression: Expression) -> [Expression.Selector] {
    switch expression.unwrapped {
    case .selector(let selector): return [selector]
    case .range(let range): return [range.selector]
    case .call(let call):
      // clamp_min(x, 1) and clamp(x, 1, 2) leave no zero.
      if call.function.name == "clamp_min" || call.function.name == "clamp" {
        if call.arguments.count > 1, let least = call.arguments[1].constant, least > 0 { return [] }
      }
      return call.arguments.flatMap(unguarded)
    case .aggregation(let node):
      // A sum over several nodes is 0 only when all are.
      return unguarded(node.expression)
    case .subquery(let node): return unguarded(node.expression)
    case .unary(let node): return unguarded(node.expression)
    case .binary(let node):
      if excludesZero(node) { return [] }
      if node.operation == .and || node.operation == .unless { return unguarded(node.left) }
      // A sum is 0 only when both sides are; a product when one is.
      if node.operation == .add { return [] }
      return unguarded(node.left) + unguarded(node.right)
    case .number, .string, .parentheses: return []
    }
  }

  /// `x > 0`, `x != 0`, `x > 100`, `0 < x`.
  private static func excludesZero(_ node: Expression.Binary) -> Bool {
    guard node.operation.isComparison, !node.returnsBool else { return false }
    if let right = node.right.constant { return !holds(node.operation, 0, right) }
    if let left = node.left.constant { return !holds(node.operation, left, 0) }
    return false
  }

  private static func holds(_ operation: BinaryOperator, _ a: Double, _ b: Double) -> Bool {
    switch operation {
    case .equal: a == b
    case .notEqual: a != b
    case .greater: a > b
    case .less: a < b
    case .greaterOrEqual: a >= b
    case .lessOrEqual: a <= b
    default: true
    }
  }

  /// True when what stands around a division keeps +Inf out: a threshold from above, as in `… > 90 <= 100`.
  private static func isBounded(_ ancestors: [Expression], below node: Expression) -> Bool {
    for ancestor in ancestors {
      guard case .binary(let around) = ancestor else { continue }
      if around.operation.isComparison, !around.returnsBool {
        if let limit = around.right.constant, !holds(around.operation, .infinity, limit) { return true }
        if let limit = around.left.constant, !holds(around.operation, limit, .infinity) { return true }
      }
    }
    return false
  }

  /// True when the whole is joined by `and` with a condition that the metric is above 0.
  private func isGuardedElsewhere(_ name: String, _ ancestors: [Expression]) -> Bool {
    ancestors.contains { ancestor in
      guard case .binary(let around) = ancestor, around.operation == .and else { return false }
      return [around.left, around.right].contains { side in
        side.all.contains { node in
          guard case .binary(let condition) = node, Self.excludesZero(condition) else { return false }
          return condition.left.selectors.contains { $0.name == name } && !Self.holdsDivision(condition.left)
        }
      }
    }
  }

  private static func holdsDivision(_ expression: Expression) -> Bool {
    expression.all.contains { if case .binary(let node) = $0 { node.operation == .divide } else { false } }
  }
}
