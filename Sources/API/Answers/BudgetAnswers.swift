import Fleet
import Runtime
import Web

/// Error budgets: what was used of them in a span of time.
struct BudgetAnswers: Sendable {
  let view: FleetView

  /// `budgets?workload=NAME&from=&to=`: of all workloads, and of the last 30 days, unless it says otherwise.
  func budgets(_ parameters: APIParameters, _ answer: inout APIAnswer) async throws {
    let to = try parameters.time("to", otherwise: parameters.nowMilliseconds)
    let from = try parameters.time("from", otherwise: to - Int64(ErrorBudget.days * 86_400_000))
    guard from < to else { throw APIError.invalid("from", "the span ends before it begins") }
    let name = parameters.form.value("workload")
    if let name, await !view.names().contains(name) { throw FleetAnswers.unknownWorkload(name, parameters) }
    let used = await view.budgets(ofWorkload: name, from: WallTime(epochMs: from), to: WallTime(epochMs: to))
    let limit = answer.limit
    try answer.data.object { json throws(APIError) in
      json.key("budgets")
      try json.list(used, within: limit) { Self.write($1, to: &$0) }
    }
  }

  private static func write(_ use: BudgetUse, to json: inout JSONWriter) {
    json.object { json in
      json.field("workload", use.workload)
      json.field("objective", use.objective.rawValue)
      json.field("target", use.target)
      json.field("from", at: use.from)
      json.field("to", at: use.to)
      json.field("knownSeconds", rounded(use.amount.knownSeconds))
      json.field("badSeconds", rounded(use.amount.badSeconds))
      json.field("budgetSeconds", rounded(use.budgetSeconds))
      json.field("usedRatio", use.usedRatio)
    }
  }

  /// How a workload stands with a budget; what too little is known of is left out.
  static func write(_ budget: ErrorBudget, to json: inout JSONWriter) {
    json.object { json in
      json.field("objective", budget.objective.rawValue)
      json.field("target", budget.target)
      if let seconds = budget.limitSeconds { json.field("withinSeconds", seconds) }
      json.field("days", ErrorBudget.days)
      json.field("knownSeconds", rounded(budget.amount.knownSeconds))
      if let time = budget.knownSince { json.field("knownSince", at: time) }
      json.field("badSeconds", rounded(budget.amount.badSeconds))
      if let ratio = budget.remainingRatio { json.field("remainingRatio", ratio) }
      json.key("burn")
      json.object { json in
        for window in ErrorBudget.Window.allCases {
          if let rate = budget.burn[window] { json.field(window.rawValue, rate) }
        }
      }
    }
  }

  /// Sums of halves of seconds have no more in them.
  private static func rounded(_ seconds: Double) -> Double { (seconds * 1000).rounded() / 1000 }
}
