extension Evaluation {
  func binary(_ node: Expression.Binary, _ steps: Steps) throws -> Value {
    let left = try value(of: node.left, steps)
    let right = try value(of: node.right, steps)
    switch (left, right) {
    case (.scalar(let a), .scalar(let b)):
      return .scalar(a.indices.map { node.operation.result(a[$0], b[$0]) })
    case (.vector(let table), .scalar(let scalars)):
      return .vector(try withScalar(node, table, scalars, isScalarLeft: false))
    case (.scalar(let scalars), .vector(let table)):
      return .vector(try withScalar(node, table, scalars, isScalarLeft: true))
    case (.vector(let a), .vector(let b)):
      let matching = node.matching ?? VectorMatching()
      if node.operation.isSetOperator { return .vector(try combined(node.operation, a, b, matching)) }
      return .vector(try VectorMatch(node, matching, self).result(a, b))
    case (.string, _), (_, .string): throw EvaluationError("\(node.operation.rawValue) is not defined for strings")
    }
  }

  /// A filtering comparison keeps the vector's value on whichever side it stands.
  private func withScalar(
    _ node: Expression.Binary, _ table: Table, _ scalars: [Double], isScalarLeft: Bool
  ) throws -> Table {
    var result = Table(stepCount: table.stepCount)
    result.reserveRows(table.rowCount)
    for row in 0..<table.rowCount {
      result.append(table.labels[row]) { step in
        let value = table[row, step]
        if value.isStalenessMarker { return .absent }
        let (left, right) = isScalarLeft ? (scalars[step], value) : (value, scalars[step])
        return node.operation.element(left, right, returnsBool: node.returnsBool, kept: value)
      }
    }
    return node.dropsMetricName(in: dialect) ? try result.withoutMetricNames() : result
  }

  /// `and`, `or` and `unless`.
  private func combined(
    _ operation: BinaryOperator, _ left: Table, _ right: Table, _ matching: VectorMatching
  ) throws -> Table {
    var signatures = Signatures(matching)
    let leftSignatures = left.labels.map { signatures.number(of: $0) }
    let rightSignatures = right.labels.map { signatures.number(of: $0) }
    let steps = left.stepCount
    let other = operation == .or ? (left, leftSignatures) : (right, rightSignatures)
    var isPresent = Array(repeating: false, count: signatures.count * steps)
    for row in 0..<other.0.rowCount {
      for step in 0..<steps where !other.0[row, step].isStalenessMarker {
        isPresent[other.1[row] * steps + step] = true
      }
    }
    var result = Table(stepCount: steps)
    switch operation {
    case .or:
      result.reserveRows(left.rowCount + right.rowCount)
      for row in 0..<left.rowCount { result.append(left.labels[row]) { left[row, $0] } }
      for row in 0..<right.rowCount {
        result.append(right.labels[row]) { isPresent[rightSignatures[row] * steps + $0] ? .absent : right[row, $0] }
      }
      return try result.joined()
    default:
      let isWanted = operation == .and
      for row in 0..<left.rowCount {
        result.append(left.labels[row]) {
          isPresent[leftSignatures[row] * steps + $0] == isWanted ? left[row, $0] : .absent
        }
      }
      return result
    }
  }
}

/// Numbers for the labels that decide which series match.
struct Signatures {
  private let names: LabelNames
  private let isOn: Bool
  private var numbers: [Labels: Int] = [:]
  /// The labels of each number.
  private(set) var labels: [Labels] = []

  init(_ matching: VectorMatching) {
    isOn = matching.isOn
    names = LabelNames(isOn ? matching.labels : matching.labels + [Labels.metricName])
  }

  var count: Int { labels.count }

  mutating func number(of row: Labels) -> Int {
    let key = isOn ? row.keeping(names) : row.dropping(names)
    if let known = numbers[key] { return known }
    numbers[key] = labels.count
    labels.append(key)
    return labels.count - 1
  }
}
