/// Functions of whole vectors.
enum VectorFunctions {
  static let all = [
    Function("absent", [.vector], .special { try absent($0, $1, $2) }),
    Function("scalar", [.vector], result: .scalar, .special { .scalar(try scalar($0, $1, $2)) }),
    Function("vector", [.scalar], .special { evaluation, call, steps in
      let values = try evaluation.scalar(call.arguments[0], steps)
      var table = Table(stepCount: steps.count)
      table.append(.empty) { values[$0] }
      return .vector(table)
    }),
    Function("sort", [.vector], .special { try sort($0, $1, $2, isBefore: <) }),
    Function("sort_desc", [.vector], .special { try sort($0, $1, $2, isBefore: >) }),
  ]

  private static func absent(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    let table = try evaluation.vector(call.arguments[0], steps)
    var result = Table(stepCount: steps.count)
    result.append(labelsOfAbsent(call.arguments[0])) { step in
      (0..<table.rowCount).contains { !table[$0, step].isStalenessMarker } ? .absent : 1
    }
    return .vector(result)
  }

  /// What the matchers of a selector say for certain: the labels with an `=` matcher, but none that is matched twice.
  static func labelsOfAbsent(_ expression: Expression) -> Labels {
    let matchers: [LabelMatcher]
    switch expression {
    case .selector(let node): matchers = node.matchers
    case .range(let node): matchers = node.selector.matchers
    default: return .empty
    }
    var pairs: [String: String] = [:]
    var seen: Set<String> = []
    for matcher in matchers where matcher.name != Labels.metricName {
      if matcher.comparison == .equal, !seen.contains(matcher.name) {
        pairs[matcher.name] = matcher.value
        seen.insert(matcher.name)
      } else {
        pairs[matcher.name] = nil
      }
    }
    return Labels(pairs.map { Labels.Pair($0.key, $0.value) })
  }

  /// The only value of each step, NaN where there is none or more than one.
  private static func scalar(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> [Double] {
    let table = try evaluation.vector(call.arguments[0], steps)
    return (0..<steps.count).map { step in
      var found: Double?
      for row in 0..<table.rowCount where !table[row, step].isStalenessMarker {
        if found != nil { return .nan }
        found = table[row, step]
      }
      return found ?? .nan
    }
  }

  /// By value, NaN last. The series of a range query have no order, so there it does nothing but say so.
  private static func sort(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps, isBefore: (Double, Double) -> Bool
  ) throws -> Evaluation.Value {
    let table = try evaluation.vector(call.arguments[0], steps)
    guard steps.count == 1 else {
      evaluation.annotations.add(
        .warning, "sort is ineffective for range queries since results are always ordered by labels", at: call.place)
      return .vector(table)
    }
    let rows = (0..<table.rowCount).sorted {
      let (a, b) = (table[$0, 0], table[$1, 0])
      if a.isNaN || b.isNaN { return !a.isNaN && b.isNaN }
      return isBefore(a, b)
    }
    return .vector(table.ordered(rows))
  }
}
