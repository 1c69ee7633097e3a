import Runtime

/// One evaluation of a query: what it reads from, what it may still cost, and what it remarked.
final class Evaluation {
  /// What an expression gives, at every step.
  enum Value {
    case scalar([Double])
    case vector(Table)
    case string(String)

    /// Roughly what it takes in memory.
    var byteCount: Int {
      switch self {
      case .scalar(let values): values.count * MemoryLayout<Double>.stride
      case .vector(let table): table.byteCount
      case .string(let text): text.utf8.count
      }
    }
  }

  let query: Query
  let options: QueryOptions
  let source: any SeriesSource
  var annotations = Annotations()
  private let wholeSteps: Steps
  var wholeStart: Int64 { wholeSteps.startMilliseconds }
  /// The end that was asked for, which the last step may not reach.
  private let wholeEnd: Int64
  private var remainingSamples: Int
  /// Samples read and values computed so far.
  var sampleCount: Int { options.limits.samples - remainingSamples }
  private let deadline: ContinuousClock.Instant
  /// The tables that wait for their operator, and what is being computed.
  private var heldBytes = 0
  private var reservedBytes = 0
  private static let slackBytes = 8 << 20
  private var workedBytes = 0
  private static let bytesPerLook = 1 << 20

  /// Times beyond could overflow when ranges and offsets are added.
  private static let largestTimeMilliseconds: Int64 = 900_000_000_000_000_000

  init(
    _ query: Query, steps: Steps, endMilliseconds: Int64, source: any SeriesSource, options: QueryOptions
  ) throws {
    self.query = query
    self.options = options
    self.source = source
    wholeSteps = steps
    wholeEnd = endMilliseconds
    remainingSamples = options.limits.samples
    deadline = .now + .seconds(options.limits.seconds)
    guard steps.startMilliseconds.magnitude <= Self.largestTimeMilliseconds.magnitude else {
      throw EvaluationError("the time of the query is out of bounds")
    }
    try charge(steps.count)
    guard endMilliseconds.magnitude <= Self.largestTimeMilliseconds.magnitude else {
      throw EvaluationError("the time of the query is out of bounds")
    }
  }

  var dialect: Dialect { query.dialect }

  // MARK: Whole queries

  func instantValue() throws -> QueryValue {
    let expression = query.expression
    if expression.type == .matrix { return .matrix(try rangeSeries(expression.unwrapped)) }
    switch try value(of: expression, wholeSteps) {
    case .scalar(let values): return .scalar(values[0])
    case .string(let text): return .string(text)
    case .vector(let table):
      return .vector((0..<table.rowCount).map { VectorSample(labels: table.labels[$0], value: table[$0, 0]) })
    }
  }

  func matrix() throws -> [Series] {
    switch try value(of: query.expression, wholeSteps) {
    case .vector(let table):
      return (0..<table.rowCount).map { Series(labels: table.labels[$0], samples: table.samples($0, wholeSteps)) }
    case .scalar(let values):
      let samples = values.indices.map {
        Sample(timestampMilliseconds: wholeSteps.time($0), value: values[$0])
      }
      return [Series(labels: .empty, samples: samples)]
    case .string: return []
    }
  }

  // MARK: Expressions

  func value(of expression: Expression, _ steps: Steps) throws -> Value {
    try checkTime()
    let before = heldBytes
    let value = try unsettledValue(of: expression, steps)
    // What it took to compute the value is gone now.
    if options.reservation != nil { try settle(before + value.byteCount) }
    return value
  }

  private func unsettledValue(of expression: Expression, _ steps: Steps) throws -> Value {
    switch expression {
    case .number(let node): return .scalar(Array(repeating: node.value, count: steps.count))
    case .string(let node): return .string(node.value)
    case .selector(let node): return .vector(try newest(node, steps) { $0.value })
    case .range, .subquery: throw EvaluationError("a range vector has no value at a single moment")
    case .call(let node): return try call(node, steps)
    case .aggregation(let node): return .vector(try aggregation(node, steps))
    case .binary(let node): return try binary(node, steps)
    case .unary(let node): return try unary(node, steps)
    case .parentheses(let node): return try value(of: node.expression, steps)
    }
  }

  /// The value of an expression whose type is known to be an instant vector.
  func vector(_ expression: Expression, _ steps: Steps) throws -> Table {
    guard case .vector(let table) = try value(of: expression, steps) else {
      throw EvaluationError("\(expression) is not an instant vector")
    }
    return table
  }

  func scalar(_ expression: Expression, _ steps: Steps) throws -> [Double] {
    guard case .scalar(let values) = try value(of: expression, steps) else {
      throw EvaluationError("\(expression) is not a scalar")
    }
    return values
  }

  func string(_ expression: Expression) throws -> String {
    guard case .string(let node) = expression.unwrapped else {
      throw EvaluationError("\(expression) is not a string")
    }
    return node.value
  }

  private func unary(_ node: Expression.Unary, _ steps: Steps) throws -> Value {
    switch try value(of: node.expression, steps) {
    case .scalar(let values): return .scalar(node.isMinus ? values.map { -$0 } : values)
    case .vector(var table):
      guard node.isMinus else { return .vector(table) }
      table.map { -$0 }
      return .vector(try table.withoutMetricNames())
    case .string: throw EvaluationError("\(node.expression) has no sign")
    }
  }

  /// The moments that a selector or subquery reads at.
  func moments(_ shift: TimeShift, _ steps: Steps) -> Moments {
    let fixed: Int64? =
      switch shift.anchor {
      case .milliseconds(let time): time
      case .start: wholeStart
      case .end: wholeEnd
      case nil: nil
      }
    return Moments(steps, fixedMilliseconds: fixed, offsetMilliseconds: shift.offsetMilliseconds)
  }

  // MARK: Limits

  /// Counts samples read or values computed against the limit.
  func charge(_ samples: Int) throws {
    guard samples <= remainingSamples else {
      throw EvaluationError(
        "the query needs more than \(options.limits.samples) samples; narrow its selectors, range or number of steps")
    }
    remainingSamples -= samples
    try hold(samples * MemoryLayout<Sample>.stride)
  }

  /// Counts a series that a source has read.
  func charge(_ series: Series) throws {
    try charge(series.samples.count)
    try hold(series.labels.byteCount)
  }

  /// Counts memory that the value under way takes, until it is there, and looks at the time now and then.
  func hold(_ bytes: Int) throws {
    try work(bytes)
    guard options.reservation != nil else { return }
    let (sum, overflows) = heldBytes.addingReportingOverflow(bytes)
    try settle(overflows ? .max : sum)
  }

  private func settle(_ bytes: Int) throws {
    heldBytes = bytes
    if heldBytes > reservedBytes || heldBytes < reservedBytes - Self.slackBytes, let reservation = options.reservation {
      reservedBytes = try reservation.hold(heldBytes)
    }
  }

  /// Looks at the time when this many bytes more were gone through.
  func work(_ bytes: Int) throws {
    workedBytes &+= bytes
    if workedBytes > Self.bytesPerLook || workedBytes < 0 { try checkTime() }
  }

  func chargeCells(_ rows: Int, _ steps: Steps) throws {
    let (cells, overflows) = rows.multipliedReportingOverflow(by: steps.count)
    try charge(overflows ? Int.max : cells)
  }

  func checkTime() throws {
    workedBytes = 0
    if ContinuousClock.now > deadline {
      throw EvaluationError.timedOut(limitSeconds: options.limits.seconds)
    }
    if Task.isCancelled { throw CancellationError() }
  }
}

extension Evaluation {
  /// The newest sample of each series at every step, no older than the lookback; none where it is stale.
  func newest(
    _ selector: Expression.Selector, _ steps: Steps, _ cell: (Sample) -> Double
  ) throws -> Table {
    let moments = moments(selector.shift, steps)
    let lookback = options.lookbackMilliseconds
    let start = moments.first - lookback + (dialect.hasOpenRanges ? 1 : 0)
    let isAtOneMoment = steps.count == 1 || moments.isFixed
    let found =
      isAtOneMoment
      ? try source.selectNewest(
        selector.matchers, fromMilliseconds: start, throughMilliseconds: moments.last, charge: charge)
      : try source.select(
        selector.matchers, fromMilliseconds: start, throughMilliseconds: moments.last, charge: charge)
    try chargeCells(found.count, steps)
    var table = Table(stepCount: steps.count)
    table.reserveRows(found.count)
    for (index, series) in found.enumerated() {
      if index % 1024 == 1023 { try checkTime() }
      if isAtOneMoment {
        let value = Self.value(series.samples.last, cell)
        table.append(series.labels) { _ in value }
      } else {
        append(series, moments, cell, to: &table)
      }
    }
    return table
  }

  /// The steps only grow, so one walk over the samples serves them all.
  private func append(_ series: Series, _ moments: Moments, _ cell: (Sample) -> Double, to table: inout Table) {
    let samples = series.samples
    let lookback = options.lookbackMilliseconds
    // The sample exactly `lookback` old counts in the closed dialect only.
    let oldestAge = dialect.hasOpenRanges ? lookback - 1 : lookback
    var next = 0
    table.append(series.labels) { step in
      let time = moments.time(step)
      while next < samples.count, samples[next].timestampMilliseconds <= time { next += 1 }
      guard next > 0, time - samples[next - 1].timestampMilliseconds <= oldestAge else { return .absent }
      return Self.value(samples[next - 1], cell)
    }
  }

  private static func value(_ sample: Sample?, _ cell: (Sample) -> Double) -> Double {
    guard let sample, !sample.isStale else { return .absent }
    return cell(sample)
  }
}

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
