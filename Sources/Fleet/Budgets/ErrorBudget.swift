import Config
import Runtime

/// How a workload stands with one of its error budgets.
public struct ErrorBudget: Sendable, Equatable {
  /// Over which time it is used.
  public enum Window: String, Sendable, CaseIterable {
    case fiveMinutes = "5m"
    case halfHour = "30m"
    case hour = "1h"
    case sixHours = "6h"
    case day = "1d"
    case threeDays = "3d"

    public var seconds: Double {
      switch self {
      case .fiveMinutes: 300
      case .halfHour: 1800
      case .hour: 3600
      case .sixHours: 6 * 3600
      case .day: 86_400
      case .threeDays: 3 * 86_400
      }
    }
  }

  public static let days = 30.0
  static let seconds = days * 86_400
  /// A burn rate needs this share of its window to be known: as much as the short window beside it is of a long one.
  public static let knownShare = 1.0 / 12
  /// What is left needs so much to be known.
  public static let knownSeconds = 3600.0

  public let objective: BudgetObjective
  /// The share that must be good, by the objective in force; below 1.
  public let target: Double
  /// For latency, the time within which a probe must be answered.
  public let limitSeconds: Double?
  /// Of the last 30 days.
  public let amount: BudgetAmount
  /// When what is known of them begins.
  public let knownSince: WallTime?
  /// How many times faster it is used than would last for 30 days; what is not known counts as not used. Windows are left
  /// out while too little of them is known.
  public let burn: [Window: Double]

  /// The share of the budget of 30 days that is left at most: what is not known counts as not used. Below 0 once more is
  /// used; nil while less than an hour is known.
  public var remainingRatio: Double? {
    amount.knownSeconds >= Self.knownSeconds ? 1 - amount.spentSeconds / Self.seconds : nil
  }
}

extension ErrorBudget {
  /// nil where the objective is off or leaves nothing.
  init?(_ objective: BudgetObjective, _ objectives: Objectives, in history: BudgetHistory, at now: WallTime) {
    guard let left = objectives.shareLeft(by: objective) else { return nil }
    self.objective = objective
    target = objective == .latency ? 1 - left : objectives.availabilityRatio ?? 1 - left
    limitSeconds = objective == .latency ? objectives.latencyP99?.seconds : nil
    let from = now.seconds - Self.seconds
    amount = history.amount(of: objective, from: from, to: now.seconds)
    knownSince = history.knownSince(objective, after: from)
    var burn: [Window: Double] = [:]
    for window in Window.allCases {
      let amount = history.amount(of: objective, from: now.seconds - window.seconds, to: now.seconds)
      guard amount.knownSeconds >= window.seconds * Self.knownShare else { continue }
      burn[window] = amount.spentSeconds / window.seconds
    }
    self.burn = burn
  }
}

/// What a span of time used of a budget.
public struct BudgetUse: Sendable, Equatable {
  public let workload: String
  public let objective: BudgetObjective
  public let target: Double
  public let from: WallTime
  public let to: WallTime
  public let amount: BudgetAmount
  /// The bad seconds that the objective in force allows in 30 days.
  public var budgetSeconds: Double { ErrorBudget.seconds * (1 - target) }
  /// The share of the budget of 30 days that the span used; each second by the objective of its time.
  public var usedRatio: Double { amount.spentSeconds / ErrorBudget.seconds }
}
