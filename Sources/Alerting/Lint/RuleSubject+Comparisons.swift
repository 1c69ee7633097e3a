import PromQL

extension RuleSubject {
  /// Comparisons that can never hold, or never end.
  mutating func lookAtComparisons() {
    for case .binary(let node) in expression.all where node.operation.isComparison {
      lookAtCount(node)
      lookAtLifetime(node)
    }
  }

  /// `count(x) < 1`: a count of nothing is no 0 but nothing, so it never holds.
  private mutating func lookAtCount(_ node: Expression.Binary) {
    guard case .aggregation(let count) = node.left.unwrapped, count.aggregator == .count || count.aggregator == .group,
      let limit = node.right.constant, !node.returnsBool
    else { return }
    let wantsZero =
      switch node.operation {
      case .less: limit <= 1
      case .lessOrEqual, .equal: limit < 1
      default: false
      }
    guard wantsZero else { return }
    let counted = text(node.left.place)
    note(
      .countOfNothing, at: node.place,
      "a \(count.aggregator.rawValue) over no series is no series, not 0, so this never holds",
      count.grouping.isEmpty
        ? "write absent(\(text(count.expression.place))), or (\(counted) or vector(0)) \(node.operation.rawValue) \(text(node.right.place))"
        : "take the groups from a metric that is always there: write "
          + "redis_up unless on (\(count.grouping.joined(separator: ", "))) \(text(count.expression.place))")
  }

  /// `evicted_total > 0`: true from the first event until the server restarts.
  private mutating func lookAtLifetime(_ node: Expression.Binary) {
    guard case .selector(let selector) = node.left.unwrapped, let name = selector.name,
      catalogue.metric(name)?.kind == .counter, node.right.constant != nil,
      node.operation == .greater || node.operation == .greaterOrEqual || node.operation == .notEqual
    else { return }
    // Next to a condition on the same counter's movement it is a filter, not a verdict.
    let isFilter = expression.all.contains { other in
      guard case .binary(let around) = other else { return false }
      return !around.operation.isComparison && around.operation != .or
        && (around.left.place.contains(node.left.place.lowerBound)
          || around.right.place.contains(node.left.place.lowerBound))
    }
    guard !isFilter else { return }
    note(
      .lifetimeCounter, at: node.place,
      "\(name) counts since the server started, so once true this stays true",
      "write increase(\(text(selector.place))[5m]) \(node.operation.rawValue) \(text(node.right.place))")
  }
}
