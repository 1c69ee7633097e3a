import Glibc

/// Between which numbers lies how many were to be expected, where some were seen: Garwood's exact bounds of a Poisson mean,
/// by the cube roots of Wilson and Hilferty. They are within 1 % of the exact ones from two on.
struct CountInterval: Sendable, Equatable {
  let lower: Double
  let upper: Double

  /// As many standard deviations as leave out 5 %.
  static let usualZ = 1.96

  /// - Parameter z: how sure it is to be, in standard deviations.
  init(_ count: Int, z: Double = usualZ) {
    let seen = Double(max(0, count))
    lower = seen == 0 ? 0 : seen * Self.cube(1 - 1 / (9 * seen) - z / (3 * seen.squareRoot()))
    let next = seen + 1
    upper = next * Self.cube(1 - 1 / (9 * next) + z / (3 * next.squareRoot()))
  }

  /// A root below nothing is nothing.
  private static func cube(_ root: Double) -> Double {
    let root = max(0, root)
    return root * root * root
  }
}

/// A number that a sample tells, with the bounds between which the true one is in 95 of 100 samples.
public struct SampledAmount: Sendable, Equatable {
  public let value: Double
  /// nil where too little was seen to say.
  public let lower: Double?
  public let upper: Double?

  init(_ value: Double, lower: Double?, upper: Double?) {
    (self.value, self.lower, self.upper) = (value, lower, upper)
  }

  /// What is known and not estimated.
  init(exact value: Double) { self.init(value, lower: value, upper: value) }

  /// With what is known beside the sample.
  static func + (amount: SampledAmount, known: Double) -> SampledAmount {
    SampledAmount(amount.value + known, lower: amount.lower.map { $0 + known }, upper: amount.upper.map { $0 + known })
  }

  /// - Parameters:
  ///   - variance: of the estimate; 0 where all keys were looked at.
  ///   - isSigned: whether the number may be below 0, as that of a change may.
  init(_ value: Double, variance: Double, isSigned: Bool = false) {
    let width = CountInterval.usualZ * max(0, variance).squareRoot()
    self.init(value, lower: isSigned ? value - width : max(0, value - width), upper: value + width)
  }
}

/// Sums over the windows of a sample, for an estimate by ratio: what belongs to something, for each key of the window.
///
/// A window is the unit: keys that SCAN returns together may have more in common than others.
struct WindowSums: Sendable, Equatable {
  private var amount = 0.0
  private var amountSquares = 0.0
  private var amountByKeys = 0.0

  /// - Parameter keyCount: keys of the window, of whatever kind.
  mutating func add(_ amount: Double, keyCount: Double) {
    self.amount += amount
    amountSquares += amount * amount
    amountByKeys += amount * keyCount
  }

  /// What all windows hold of it.
  var total: Double { amount }

  /// - Parameters:
  ///   - keyTotal: keys that there are.
  ///   - windows: all of them, those among them that hold nothing of it.
  func estimate(keyTotal: Double, _ windows: WindowTotals) -> (value: Double, variance: Double) {
    guard windows.keyCount > 0 else { return (0, 0) }
    let ratio = amount / windows.keyCount
    let value = keyTotal * ratio
    // Every key was looked at.
    guard !windows.areAllKeys else { return (value, 0) }
    let count = Double(windows.count)
    guard count > 1 else { return (value, keyTotal * keyTotal * amountSquares / (windows.keyCount * windows.keyCount)) }
    // Σ(y − R·n)², without a second look at the windows.
    let squares = max(0, amountSquares - 2 * ratio * amountByKeys + ratio * ratio * windows.keySquares)
    let share = keyTotal / windows.keyCount
    // Starts are drawn independently of one another, and windows may overlap: that only a part of the keys was not looked at
    // makes nothing narrower.
    return (value, share * share * count / (count - 1) * squares)
  }
}

/// The windows of a sample of one database.
struct WindowTotals: Sendable, Equatable {
  private(set) var count = 0
  private(set) var keyCount = 0.0
  private(set) var keySquares = 0.0
  /// Whether together they hold each key once.
  var areAllKeys = false

  mutating func add(keyCount: Double) {
    count += 1
    self.keyCount += keyCount
    keySquares += keyCount * keyCount
  }
}
