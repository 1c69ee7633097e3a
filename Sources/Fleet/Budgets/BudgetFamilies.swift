import Metrics

/// The families of error budgets.
enum BudgetFamilies {
  private static let objectives = Family.Trait.values(BudgetObjective.allCases.map(\.rawValue), of: "objective")

  static let remaining = Family.gauge(
    "workload_error_budget_remaining_ratio",
    "Share of the 30-day error budget that is left at most, since time that redline did not see counts as not used; negative once more is used; absent while less than an hour is known, and where the objective is off. For availability a second is bad by the share of probes that the masters do not answer, for latency by the share not answered within the objective, where 1% is the budget.",
    labels: ["objective"], unit: .ratio, traits: [objectives])
  static let burn = Family.gauge(
    "workload_error_budget_burn_rate",
    "How many times faster than in 30 days the error budget is used over the window: 1 uses it up in 30 days, 14.4 in 2 days. Time that redline did not see counts as not used; absent while less than a twelfth of the window is known.",
    labels: ["objective", "window"],
    traits: [objectives, .values(ErrorBudget.Window.allCases.map(\.rawValue), of: "window")])
  static let known = Family.gauge(
    "workload_error_budget_known_seconds",
    "How much of the last 30 days redline has seen of the objective; maintenance windows are not counted.",
    labels: ["objective"], unit: .seconds, traits: [objectives])

  static let all = [remaining, burn, known]

  static func add(_ budgets: [ErrorBudget], into sink: inout SampleSink) {
    for budget in budgets {
      let objective = LabelValue.text(budget.objective.rawValue)
      sink.add(known, budget.amount.knownSeconds, objective)
      if let ratio = budget.remainingRatio { sink.add(remaining, ratio, objective) }
      for window in ErrorBudget.Window.allCases {
        if let rate = budget.burn[window] { sink.add(burn, rate, [objective, .text(window.rawValue)]) }
      }
    }
  }
}
