/// The amounts of consecutive steps of time, for each objective: an hour of minutes, or a day of hours.
///
/// Most steps are alike, all known and nothing bad. Such a column is one number, in memory and in the file.
struct BudgetRow: Sendable, Equatable {
  private enum Column: Sendable, Equatable {
    case even(Float)
    case each([Float])
  }

  let count: Int
  /// What one step spans, in seconds: no step knows more.
  let stepSeconds: Double
  /// Known, bad and spent of the first objective, then of the next.
  private var columns: [Column]

  private static let amountCount = 3
  private static var columnCount: Int { amountCount * BudgetObjective.allCases.count }

  init(count: Int, stepSeconds: Double) {
    self.count = count
    self.stepSeconds = stepSeconds
    columns = Array(repeating: .even(0), count: Self.columnCount)
  }

  /// The amount of a step, by its place from 0 to `count - 1`.
  subscript(objective: BudgetObjective, index: Int) -> BudgetAmount {
    let first = Self.first(objective)
    return BudgetAmount(known: value(first, index), bad: value(first + 1, index), spent: value(first + 2, index))
  }

  private static func first(_ objective: BudgetObjective) -> Int { objective == .availability ? 0 : amountCount }

  private func value(_ column: Int, _ index: Int) -> Double {
    switch columns[column] {
    case .even(let value): Double(value)
    case .each(let values): Double(values[index])
    }
  }

  private mutating func set(_ column: Int, _ index: Int, to value: Double) {
    let value = Float(value)
    switch columns[column] {
    case .even(let other) where other == value: return
    case .even(let other):
      var values = [Float](repeating: other, count: count)
      values[index] = value
      columns[column] = .each(values)
    case .each(var values):
      columns[column] = .even(0)
      values[index] = value
      columns[column] = .each(values)
    }
  }

  /// Adds to a step what it has room for: after the clock was set back, a time that is known already is not counted again.
  ///
  /// - Returns: what was added.
  @discardableResult
  mutating func add(_ amount: BudgetAmount, of objective: BudgetObjective, at index: Int) -> BudgetAmount {
    let old = self[objective, index]
    let room = max(0, stepSeconds - old.knownSeconds)
    let added = amount.knownSeconds > room ? amount * (room / amount.knownSeconds) : amount
    guard added != BudgetAmount() else { return added }
    let new = old + added
    let first = Self.first(objective)
    set(first, index, to: new.knownSeconds)
    set(first + 1, index, to: new.badSeconds)
    set(first + 2, index, to: new.spentSeconds)
    return added
  }

  /// All steps together.
  func total(of objective: BudgetObjective) -> BudgetAmount {
    let first = Self.first(objective)
    return BudgetAmount(known: sum(first), bad: sum(first + 1), spent: sum(first + 2))
  }

  private func sum(_ column: Int) -> Double {
    switch columns[column] {
    case .even(let value): Double(value) * Double(count)
    case .each(let values): values.reduce(0) { $0 + Double($1) }
    }
  }

  /// Makes columns of equal numbers one number; what is known is rounded to 1/600 of a step, since clocks drift a little.
  mutating func compact() {
    for index in columns.indices {
      guard case .each(var values) = columns[index] else { continue }
      if index % Self.amountCount == 0 {
        let unit = Float(stepSeconds / 600)
        for place in values.indices { values[place] = (values[place] / unit).rounded() * unit }
      }
      columns[index] = values.allSatisfy { $0 == values[0] } ? .even(values[0]) : .each(values)
    }
  }
}

// MARK: The file

extension BudgetRow {
  private static let format: UInt8 = 1

  /// `format { 0, number | 1, number of each step }`, a pair of braces for each column; numbers are big-endian floats.
  var bytes: [UInt8] {
    var bytes = [Self.format]
    for column in columns {
      switch column {
      case .even(let value):
        bytes.append(0)
        Self.append(value, to: &bytes)
      case .each(let values):
        bytes.append(1)
        for value in values { Self.append(value, to: &bytes) }
      }
    }
    return bytes
  }

  /// nil for bytes that are none of ours. What no clock could make is cut: a file may be damaged.
  init?(_ bytes: [UInt8], count: Int, stepSeconds: Double) {
    self.init(count: count, stepSeconds: stepSeconds)
    guard bytes.first == Self.format else { return nil }
    var rest = bytes.dropFirst()
    for index in columns.indices {
      guard let kind = rest.popFirst(), kind <= 1 else { return nil }
      var values: [Float] = []
      for _ in 0..<(kind == 0 ? 1 : count) {
        guard rest.count >= 4 else { return nil }
        let bits = rest.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        rest = rest.dropFirst(4)
        let value = Float(bitPattern: bits)
        guard value.isFinite, value >= 0 else { return nil }
        // Of three columns, two are times within the step; the third is bounded by the strictest objective there is.
        let isTime = index % Self.amountCount < 2
        values.append(min(value, Float(isTime ? stepSeconds : stepSeconds / Self.smallestShare)))
      }
      columns[index] = kind == 0 ? .even(values[0]) : .each(values)
    }
    guard rest.isEmpty else { return nil }
  }

  /// The share that an objective leaves is not taken to be smaller.
  static let smallestShare = 1e-9

  private static func append(_ value: Float, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt32(24), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }
}
