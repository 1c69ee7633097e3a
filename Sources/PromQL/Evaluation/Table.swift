/// Instant vectors at every step: a row for each series, a cell for each step.
///
/// An absent cell holds the staleness marker: selectors never give it as a value, and arithmetic cannot make it.
struct Table {
  let stepCount: Int
  private(set) var labels: [Labels] = []
  private(set) var cells: [Double] = []

  init(stepCount: Int) { self.stepCount = stepCount }

  var rowCount: Int { labels.count }

  /// Roughly what it takes in memory.
  var byteCount: Int {
    labels.reduce(cells.count * MemoryLayout<Double>.stride) { $0 + $1.byteCount }
  }

  mutating func reserveRows(_ count: Int) {
    labels.reserveCapacity(count)
    cells.reserveCapacity(count * stepCount)
  }

  @inline(__always) subscript(row: Int, step: Int) -> Double {
    get { cells[row * stepCount + step] }
    set { cells[row * stepCount + step] = newValue }
  }

  /// Appends a row with the value of each step; it is left out when all are absent.
  @inline(__always)
  mutating func append(_ rowLabels: Labels, _ value: (_ step: Int) throws -> Double) rethrows {
    let start = cells.count
    var isEmpty = true
    for step in 0..<stepCount {
      let value = try value(step)
      if !value.isStalenessMarker { isEmpty = false }
      cells.append(value)
    }
    if isEmpty { cells.removeSubrange(start...) } else { labels.append(rowLabels) }
  }

  /// Every present value changed.
  @inline(__always)
  mutating func map(_ transform: (Double) -> Double) {
    for index in cells.indices where !cells[index].isStalenessMarker { cells[index] = transform(cells[index]) }
  }

  /// The rows with other labels. Rows that come to have the same are joined where no step holds both.
  func relabelled(_ change: (Labels) throws -> Labels) throws -> Table {
    var result = Table(stepCount: stepCount)
    result.cells = cells
    result.labels = try labels.map(change)
    return try result.joined()
  }

  /// The rows without the metric's name; see `relabelled`.
  func withoutMetricNames() throws -> Table {
    var result = self
    result.labels = labels.map(\.withoutMetricName)
    return isOfOneMetric ? result : try result.joined()
  }

  /// The rows without the metric's name, an error where two come to be alike, even at different steps.
  func withoutMetricNamesOfDistinctRows() throws -> Table {
    var result = self
    result.labels = labels.map(\.withoutMetricName)
    if isOfOneMetric { return result }
    var known: Set<Labels> = Set(minimumCapacity: rowCount)
    for labels in result.labels where !known.insert(labels).inserted { throw Self.conflict(labels) }
    return result
  }

  /// Rows of one metric cannot come to be alike without its name.
  private var isOfOneMetric: Bool {
    guard let first = labels.first?.value(of: Labels.metricNameBytes) else { return true }
    return labels.allSatisfy { $0.value(of: Labels.metricNameBytes) == first }
  }

  private static func conflict(_ labels: Labels) -> EvaluationError {
    EvaluationError(
      "vector cannot contain metrics with the same labelset", detail: "more than one series gives \(labels)")
  }

  /// Rows with the same labels made one; an error where a step holds more than one of them.
  func joined() throws -> Table {
    var known: Set<Labels> = Set(minimumCapacity: rowCount)
    if labels.allSatisfy({ known.insert($0).inserted }) { return self }
    var rows: [Labels: Int] = Dictionary(minimumCapacity: rowCount)
    var result = Table(stepCount: stepCount)
    result.reserveRows(rowCount)
    for row in 0..<rowCount {
      if let other = rows[labels[row]] {
        for step in 0..<stepCount where !self[row, step].isStalenessMarker {
          guard result[other, step].isStalenessMarker else { throw Self.conflict(labels[row]) }
          result[other, step] = self[row, step]
        }
      } else {
        rows[labels[row]] = result.rowCount
        result.append(labels[row]) { self[row, $0] }
      }
    }
    return result
  }

  /// The rows in another order.
  func ordered(_ rows: [Int]) -> Table {
    var result = Table(stepCount: stepCount)
    result.reserveRows(rows.count)
    for row in rows { result.append(labels[row]) { self[row, $0] } }
    return result
  }

  /// The present values of a row with their times.
  func samples(_ row: Int, _ steps: Steps) -> [Sample] {
    var samples: [Sample] = []
    for step in 0..<stepCount where !self[row, step].isStalenessMarker {
      samples.append(Sample(timestampMilliseconds: steps.time(step), value: self[row, step]))
    }
    return samples
  }
}

extension Double {
  /// The value of a cell that holds none.
  static var absent: Double { .stalenessMarker }
}

/// The moments that an expression is evaluated at.
struct Steps: Equatable {
  let startMilliseconds: Int64
  let intervalMilliseconds: Int64
  let count: Int

  init(startMilliseconds: Int64, intervalMilliseconds: Int64, count: Int) {
    self.startMilliseconds = startMilliseconds
    self.intervalMilliseconds = intervalMilliseconds
    self.count = count
  }

  /// Up to the last step that is not past the end; none when the end is before the start.
  init(startMilliseconds: Int64, intervalMilliseconds: Int64, endMilliseconds: Int64) {
    let (span, overflows) = endMilliseconds.subtractingReportingOverflow(startMilliseconds)
    let count = overflows ? Int.max : span < 0 ? 0 : Int(min(span / intervalMilliseconds, .max - 1)) + 1
    self.init(startMilliseconds: startMilliseconds, intervalMilliseconds: intervalMilliseconds, count: count)
  }

  @inline(__always) func time(_ step: Int) -> Int64 { startMilliseconds + Int64(step) * intervalMilliseconds }
}

/// The moments of a selector behind its offset and `@`: those of the steps, shifted, or one for all of them.
struct Moments {
  private let steps: Steps
  private let offsetMilliseconds: Int64
  private let fixedMilliseconds: Int64?

  init(_ steps: Steps, fixedMilliseconds: Int64?, offsetMilliseconds: Int64) {
    self.steps = steps
    self.offsetMilliseconds = offsetMilliseconds
    self.fixedMilliseconds = fixedMilliseconds
  }

  @inline(__always) func time(_ step: Int) -> Int64 { (fixedMilliseconds ?? steps.time(step)) - offsetMilliseconds }

  var first: Int64 { time(0) }
  var last: Int64 { time(max(0, steps.count - 1)) }
  /// Every step has the same moment.
  var isFixed: Bool { fixedMilliseconds != nil }
}
