import Glibc

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

/// An arithmetic or comparison operator between two vectors: finds the partners and computes their values.
struct VectorMatch {
  private let node: Expression.Binary
  private let matching: VectorMatching
  private let evaluation: Evaluation
  private let dialect: Dialect
  private let included: [[UInt8]]

  init(_ node: Expression.Binary, _ matching: VectorMatching, _ evaluation: Evaluation) {
    self.node = node
    self.matching = matching
    self.evaluation = evaluation
    dialect = evaluation.dialect
    included = matching.included.map { Array($0.utf8) }
  }

  private var isOneToMany: Bool { matching.cardinality == .oneToMany }

  func result(_ left: Table, _ right: Table) throws -> Table {
    // The "one" side is the right one except for group_right.
    let (many, one) = isOneToMany ? (right, left) : (left, right)
    if many.rowCount == 0 || one.rowCount == 0 { return Table(stepCount: left.stepCount) }
    var signatures = Signatures(matching)
    let signaturesOfOne = one.labels.map { signatures.number(of: $0) }
    let countOfOne = signatures.count
    let signaturesOfMany = many.labels.map { signatures.number(of: $0) }
    var partners: [[Int]] = Array(repeating: [], count: countOfOne)
    for (row, signature) in signaturesOfOne.enumerated() { partners[signature].append(row) }
    try checkDuplicates(partners, signatures, one, many)
    let areSignaturesResults = giveSignatures

    var result = Table(stepCount: left.stepCount)
    result.reserveRows(many.rowCount)
    var taken = Taken(signatureCount: countOfOne, stepCount: left.stepCount)
    for row in 0..<many.rowCount where signaturesOfMany[row] < countOfOne {
      let signature = signaturesOfMany[row]
      // Many partners take turns over the steps of a range.
      if row % 256 == 255 || partners[signature].count > 8 { try evaluation.checkTime() }
      for partner in partners[signature] {
        let labels =
          areSignaturesResults ? signatures.labels[signature] : labels(many.labels[row], one.labels[partner])
        try result.append(labels) { step in
          let (a, b) = (many[row, step], one[partner, step])
          if a.isStalenessMarker || b.isStalenessMarker { return .absent }
          let (x, y) = isOneToMany ? (b, a) : (a, b)
          let value = node.operation.element(x, y, returnsBool: node.returnsBool, kept: x)
          // Prometheus 3 counts matches, 2 counts those that a comparison lets pass.
          if dialect == .prometheus3 || !value.isStalenessMarker {
            try take(&taken, signature, step, labels)
          }
          return value
        }
      }
    }
    return try result.joined()
  }

  /// What is left of an element between single sides is what it was matched on.
  private var giveSignatures: Bool {
    matching.cardinality == .oneToOne && node.dropsMetricName(in: dialect)
      && !(matching.isOn && matching.labels.contains(Labels.metricName))
  }

  /// Two series of the one side with the same signature at the same step, while the other side has any.
  private func checkDuplicates(
    _ partners: [[Int]], _ signatures: Signatures, _ one: Table, _ many: Table
  ) throws {
    guard partners.contains(where: { $0.count > 1 }) else { return }
    let isManyPresent = (0..<one.stepCount).map { step in
      (0..<many.rowCount).contains { !many[$0, step].isStalenessMarker }
    }
    for (signature, rows) in partners.enumerated() where rows.count > 1 {
      for step in 0..<one.stepCount where isManyPresent[step] {
        let present = rows.filter { !one[$0, step].isStalenessMarker }
        if present.count < 2 { continue }
        let pair = present.prefix(2).map { one.labels[$0].bracedDescription }.sorted()
        throw EvaluationError(
          "found duplicate series for the match group \(signatures.labels[signature].bracedDescription) on the "
            + "\(isOneToMany ? "left" : "right") hand-side of the operation: [\(pair[0]), \(pair[1])]"
            + ";many-to-many matching not allowed: matching labels must be unique on one side")
      }
    }
  }

  /// The steps at which a signature has found its partner, or the result labels it has given by group_left.
  private struct Taken {
    var steps: [Bool]
    var labels: [Int: Set<Labels>] = [:]
    let stepCount: Int

    init(signatureCount: Int, stepCount: Int) {
      steps = Array(repeating: false, count: signatureCount * stepCount)
      self.stepCount = stepCount
    }
  }

  @inline(__always)
  private func take(_ taken: inout Taken, _ signature: Int, _ step: Int, _ labels: Labels) throws {
    let index = signature * taken.stepCount + step
    if matching.cardinality == .oneToOne {
      guard !taken.steps[index] else {
        throw EvaluationError(
          "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)")
      }
      taken.steps[index] = true
      return
    }
    // A set for each step of each match group.
    try evaluation.hold(96)
    if !taken.labels[index, default: []].insert(labels).inserted {
      throw EvaluationError("multiple matches for labels: grouping labels must ensure unique matches")
    }
  }

  /// The labels of a match: those of the many side, cut to what was matched on where both sides are single.
  private func labels(_ many: Labels, _ one: Labels) -> Labels {
    var labels = node.dropsMetricName(in: dialect) ? many.withoutMetricName : many
    if matching.cardinality == .oneToOne {
      let names = LabelNames(matching.labels)
      labels = matching.isOn ? labels.keeping(names) : labels.dropping(names)
    }
    for name in included { labels = labels.setting(name, to: one.value(of: name)) }
    return labels
  }
}

extension BinaryOperator {
  /// The value of an arithmetic operator; of a comparison whether it holds, as 1 or 0.
  @inline(__always)
  func result(_ left: Double, _ right: Double) -> Double {
    switch self {
    case .add: left + right
    case .subtract: left - right
    case .multiply: left * right
    case .divide: left / right
    case .modulo: fmod(left, right)
    case .power: pow(left, right)
    case .atan2: Glibc.atan2(left, right)
    default: holds(left, right) ? 1 : 0
    }
  }

  /// Whether a comparison holds.
  @inline(__always)
  func holds(_ left: Double, _ right: Double) -> Bool {
    switch self {
    case .equal: left == right
    case .notEqual: left != right
    case .greater: left > right
    case .less: left < right
    case .greaterOrEqual: left >= right
    case .lessOrEqual: left <= right
    default: false
    }
  }

  /// The value between elements of vectors: a comparison without `bool` keeps `kept` where it holds.
  @inline(__always)
  func element(_ left: Double, _ right: Double, returnsBool: Bool, kept: Double) -> Double {
    if !isComparison || returnsBool { return result(left, right) }
    return holds(left, right) ? kept : .absent
  }
}

extension Expression.Binary {
  /// What is computed is no longer the metric; Prometheus 2 forgot that of atan2.
  func dropsMetricName(in dialect: Dialect) -> Bool {
    if operation == .atan2, dialect == .prometheus2 { return false }
    return operation.isArithmetic || returnsBool
  }
}
