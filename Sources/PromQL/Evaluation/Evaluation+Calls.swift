import Runtime

extension Evaluation {
  func call(_ node: Expression.Call, _ steps: Steps) throws -> Value {
    switch node.function.implementation {
    case .perValue(let function):
      var table = try vector(node.arguments[0], steps)
      table.map(function)
      return .vector(try table.withoutMetricNames())
    case .perValueWithScalars(let function): return .vector(try perValue(node, steps, function))
    case .perTime(let field): return .vector(try perTime(node, steps, field))
    case .perWindow(let function): return .vector(try perWindow(node, steps, function))
    case .special(let function): return try function(self, node, steps)
    }
  }

  private func perValue(
    _ node: Expression.Call, _ steps: Steps, _ function: (Double, [Double]) -> Double?
  ) throws -> Table {
    let scalars = try node.arguments.dropFirst().map { try scalar($0, steps) }
    let scalarsOfStep = (0..<steps.count).map { step in scalars.map { $0[step] } }
    let table = try vector(node.arguments[0], steps)
    var result = Table(stepCount: steps.count)
    result.reserveRows(table.rowCount)
    for row in 0..<table.rowCount {
      result.append(table.labels[row]) { step in
        let value = table[row, step]
        return value.isStalenessMarker ? .absent : function(value, scalarsOfStep[step]) ?? .absent
      }
    }
    return try result.withoutMetricNames()
  }

  private func perTime(_ node: Expression.Call, _ steps: Steps, _ field: (CivilTime) -> Int) throws -> Table {
    guard let argument = node.arguments.first else {
      var table = Table(stepCount: steps.count)
      table.append(.empty) { Self.field(Double(steps.time($0)) / 1000, field) }
      return table
    }
    var table = try vector(argument, steps)
    table.map { Self.field($0, field) }
    return try table.withoutMetricNames()
  }

  private static func field(_ seconds: Double, _ field: (CivilTime) -> Int) -> Double {
    // What no calendar reaches is cut; Prometheus gives there whatever its processor makes of the conversion.
    let bounded = seconds.isNaN ? 0 : max(-9e15, min(9e15, seconds.rounded(.towardZero)))
    return Double(field(CivilTime(seconds: Int64(clamping: bounded))))
  }

  /// A function of every range that holds a sample; the other arguments are scalars.
  func perWindow(
    _ node: Expression.Call, _ steps: Steps, keepsMetricName: Bool = false,
    _ function: (Window, [Double]) throws -> Double?
  ) throws -> Table {
    var scalars: [[Double]] = []
    var range: Expression?
    for argument in node.arguments {
      if argument.type == .matrix { range = argument } else { scalars.append(try scalar(argument, steps)) }
    }
    guard let range else { throw EvaluationError("\(node.function.name) needs a range vector") }
    let ranges = try rangeVector(range, steps)
    try chargeCells(ranges.series.count, steps)
    let scalarsOfStep = scalars.isEmpty ? [] : (0..<steps.count).map { step in scalars.map { $0[step] } }

    var table = Table(stepCount: steps.count)
    table.reserveRows(ranges.series.count)
    var cells = Array(repeating: Double.absent, count: steps.count)
    for (index, series) in ranges.series.enumerated() {
      if index % 64 == 63 { try checkTime() }
      for step in cells.indices { cells[step] = .absent }
      try ranges.forEachWindow(of: series) { step, window in
        cells[step] = try function(window, scalarsOfStep.isEmpty ? [] : scalarsOfStep[step]) ?? .absent
      }
      table.append(series.labels) { cells[$0] }
    }
    noteGauges(table, node)
    return keepsMetricName ? table : try table.withoutMetricNamesOfDistinctRows()
  }

  /// `rate` and `increase` of what is not named like a counter.
  private func noteGauges(_ table: Table, _ node: Expression.Call) {
    guard node.function.name == "rate" || node.function.name == "increase" else { return }
    var known: ArraySlice<UInt8> = []
    for labels in table.labels {
      let name = labels.value(of: Labels.metricNameBytes)
      if name.isEmpty || name == known { continue }
      known = name
      let text = String(decoding: name, as: UTF8.self)
      if !["_total", "_sum", "_count", "_bucket"].contains(where: text.hasSuffix) {
        annotations.add(
          .info,
          "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \(quoted(text))",
          at: node.arguments[0].place)
      }
    }
  }
}
