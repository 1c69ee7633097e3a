import Runtime

extension Evaluation {
  func aggregation(_ node: Expression.Aggregation, _ steps: Steps) throws -> Table {
    switch node.aggregator {
    case .countValues: return try countValues(node, steps)
    case .topk, .bottomk: return try best(node, steps)
    default: break
    }
    let parameters = try node.parameter.map { try scalar($0, steps) }
    let table = try vector(node.expression, steps)
    if let parameters, table.rowCount > 0 {
      for q in parameters { annotations.checkQuantile(q, at: node.parameter!.place) }
    }
    let grouping = Grouping(table.labels, by: node.grouping, isWithout: node.isWithout)
    try chargeCells(grouping.labels.count, steps)
    let perCell = MemoryLayout<Accumulator?>.stride + (node.aggregator == .quantile ? 64 : 0)
    try hold(grouping.labels.count * steps.count * perCell)
    var accumulators: [Accumulator?] = Array(repeating: nil, count: grouping.labels.count * steps.count)
    for row in 0..<table.rowCount {
      let start = grouping.groupOfRow[row] * steps.count
      for step in 0..<steps.count {
        let value = table[row, step]
        if value.isStalenessMarker { continue }
        if accumulators[start + step] == nil {
          accumulators[start + step] = Accumulator(node.aggregator, first: value)
        } else {
          accumulators[start + step]?.add(value, node.aggregator)
        }
      }
    }
    var result = Table(stepCount: steps.count)
    result.reserveRows(grouping.labels.count)
    for (group, labels) in grouping.labels.enumerated() {
      result.append(labels) { step in
        accumulators[group * steps.count + step]?.result(node.aggregator, parameters?[step] ?? 0) ?? .absent
      }
    }
    return result
  }

  /// topk and bottomk: the elements themselves, best first within each group where there is one step.
  private func best(_ node: Expression.Aggregation, _ steps: Steps) throws -> Table {
    let limits = try scalar(node.parameter!, steps)
    if limits.contains(where: \.isNaN) {
      throw EvaluationError("Parameter value is NaN", detail: node.aggregator.rawValue)
    }
    let table = try vector(node.expression, steps)
    let grouping = Grouping(table.labels, by: node.grouping, isWithout: node.isWithout)
    let isBetter: (Double, Double) -> Bool = node.aggregator == .topk ? { $0 > $1 } : { $0 < $1 }

    var members: [[Int]] = Array(repeating: [], count: grouping.labels.count)
    for (row, group) in grouping.groupOfRow.enumerated() { members[group].append(row) }
    var isKept = Array(repeating: false, count: table.rowCount * steps.count)
    var order: [Int] = []
    for step in 0..<steps.count {
      let limit = try Self.elementCount(limits[step], node, available: table.rowCount)
      if limit < 1 { continue }
      try work(table.rowCount * 256)
      for rows in members {
        let present = rows.filter { !table[$0, step].isStalenessMarker }
        let sorted = present.sorted { a, b in
          let (x, y) = (table[a, step], table[b, step])
          if x.isNaN || y.isNaN { return !x.isNaN && y.isNaN }
          return isBetter(x, y)
        }
        for row in sorted.prefix(limit) { isKept[row * steps.count + step] = true }
        if steps.count == 1 { order += sorted.prefix(limit) }
      }
    }
    if steps.count == 1 { return table.ordered(order) }
    var result = Table(stepCount: steps.count)
    for row in 0..<table.rowCount {
      result.append(table.labels[row]) { isKept[row * steps.count + $0] ? table[row, $0] : .absent }
    }
    return result
  }

  private static func elementCount(
    _ value: Double, _ node: Expression.Aggregation, available: Int
  ) throws -> Int {
    guard value.magnitude < 9.2e18 else {
      throw EvaluationError(
        "the parameter of \(node.aggregator.rawValue) is out of bounds: \(NumberSyntax.decimal(value))")
    }
    return min(Int(clamping: value), available)
  }

  /// How often each value occurs, the value as a label.
  private func countValues(_ node: Expression.Aggregation, _ steps: Steps) throws -> Table {
    let name = try string(node.parameter!)
    guard dialect.hasWideSyntax ? !name.isEmpty : LabelNameSyntax.isPlainLabelName(name) else {
      throw EvaluationError("count_values: \(quoted(name)) cannot be the name of a label")
    }
    let nameBytes = Array(name.utf8)
    let table = try vector(node.expression, steps)
    let grouping = Grouping(
      table.labels, by: node.grouping.filter { node.isWithout || $0 != name }, isWithout: node.isWithout)
    var rows: [Labels: Int] = [:]
    var labels: [Labels] = []
    var counts: [[Double]] = []
    for row in 0..<table.rowCount {
      try work(steps.count * 256)
      for step in 0..<steps.count where !table[row, step].isStalenessMarker {
        let text = NumberSyntax.decimal(table[row, step])
        let key = grouping.labels[grouping.groupOfRow[row]].setting(nameBytes, to: Array(text.utf8)[...])
        if rows[key] == nil {
          try charge(steps.count)
          try hold(2 * key.byteCount)
          rows[key] = labels.count
          labels.append(key)
          counts.append(Array(repeating: 0, count: steps.count))
        }
        counts[rows[key]!][step] += 1
      }
    }
    var result = Table(stepCount: steps.count)
    for (row, rowLabels) in labels.enumerated() {
      result.append(rowLabels) { counts[row][$0] == 0 ? .absent : counts[row][$0] }
    }
    return result
  }
}

/// Which group each row of a table belongs to.
struct Grouping {
  /// The labels of each group, in the order in which they first appear.
  private(set) var labels: [Labels] = []
  /// For each row the number of its group.
  private(set) var groupOfRow: [Int] = []

  init(_ rows: [Labels], by names: [String], isWithout: Bool) {
    let names = LabelNames(isWithout ? names + [Labels.metricName] : names)
    groupOfRow.reserveCapacity(rows.count)
    if names.sorted.isEmpty, !isWithout {
      labels = rows.isEmpty ? [] : [.empty]
      groupOfRow = Array(repeating: 0, count: rows.count)
      return
    }
    var groups: [Labels: Int] = [:]
    for row in rows {
      let key = isWithout ? row.dropping(names) : row.keeping(names)
      if let group = groups[key] {
        groupOfRow.append(group)
      } else {
        groups[key] = labels.count
        groupOfRow.append(labels.count)
        labels.append(key)
      }
    }
  }
}

/// What an aggregator keeps of one group at one step.
enum Accumulator {
  case sum(KahanSum)
  case average(RunningMean)
  case count(Int)
  case extreme(Double)
  case group
  /// Welford's method.
  case variance(count: Double, mean: Double, squares: Double)
  case values([Double])

  /// Of the group's first value.
  init(_ aggregator: Aggregator, first value: Double) {
    switch aggregator {
    case .sum: self = .sum(KahanSum(value))
    case .avg: self = .average(RunningMean(first: value))
    case .count: self = .count(1)
    case .min, .max: self = .extreme(value)
    case .stddev, .stdvar: self = .variance(count: 1, mean: value, squares: value.isFinite ? 0 : .nan)
    case .quantile: self = .values([value])
    case .group, .topk, .bottomk, .countValues: self = .group
    }
  }

  @inline(__always)
  mutating func add(_ value: Double, _ aggregator: Aggregator) {
    switch self {
    case .sum(var sum):
      sum.add(value)
      self = .sum(sum)
    case .average(var mean):
      mean.add(value)
      self = .average(mean)
    case .count(let count): self = .count(count + 1)
    case .extreme(let best):
      // NaN stays only when there is nothing else.
      let isBetter = aggregator == .max ? value > best : value < best
      if isBetter || best.isNaN { self = .extreme(value) }
    case .group: break
    case .variance(let count, let mean, let squares):
      let delta = value - mean
      let newMean = mean + delta / (count + 1)
      self = .variance(count: count + 1, mean: newMean, squares: squares + delta * (value - newMean))
    case .values(var values):
      self = .group
      values.append(value)
      self = .values(values)
    }
  }

  /// - Parameter parameter: of quantile.
  func result(_ aggregator: Aggregator, _ parameter: Double) -> Double {
    switch self {
    case .sum(let sum): sum.value
    case .average(let mean): mean.value
    case .count(let count): Double(count)
    case .extreme(let best): best
    case .group: 1
    case .variance(let count, _, let squares):
      aggregator == .stddev ? (squares / count).squareRoot() : squares / count
    case .values(let values): Quantile.of(values, parameter)
    }
  }
}
