/// What error budgets are kept for. Raw values are label values: they never change.
public enum BudgetObjective: String, Sendable, CaseIterable {
  /// The share of probes that the masters answer.
  case availability
  /// The share of probes that they answer within the objective's time; a p99 leaves 1 of 100.
  case latency
}

/// What of a span of time is known, and what it used of a budget; all in seconds.
public struct BudgetAmount: Sendable, Equatable {
  /// Redline was there and saw how probes went.
  public var knownSeconds = 0.0
  /// Of those, the share that missed the objective: of one of three masters that does not answer for 30 s, 10 s.
  public var badSeconds = 0.0
  /// The bad seconds, each divided by the share that the objective of its time left: so long would a budget last that is
  /// used evenly. 30 days of it are the budget of 30 days, whatever the objectives were.
  public var spentSeconds = 0.0

  public init() {}

  init(known: Double, bad: Double, spent: Double) {
    (knownSeconds, badSeconds, spentSeconds) = (known, bad, spent)
  }

  static func + (left: BudgetAmount, right: BudgetAmount) -> BudgetAmount {
    BudgetAmount(
      known: left.knownSeconds + right.knownSeconds, bad: left.badSeconds + right.badSeconds,
      spent: left.spentSeconds + right.spentSeconds)
  }

  static func += (left: inout BudgetAmount, right: BudgetAmount) { left = left + right }

  static func * (amount: BudgetAmount, factor: Double) -> BudgetAmount {
    BudgetAmount(
      known: amount.knownSeconds * factor, bad: amount.badSeconds * factor, spent: amount.spentSeconds * factor)
  }
}
