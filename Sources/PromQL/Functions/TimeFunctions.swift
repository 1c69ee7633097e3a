/// The clock and the calendar, in UTC.
enum TimeFunctions {
  static let all = [
    Function("time", [], result: .scalar, .special { _, _, steps in
      .scalar((0..<steps.count).map { Double(steps.time($0)) / 1000 })
    }),
    Function("timestamp", [.vector], .special { try timestamp($0, $1, $2) }),
    calendar("minute") { $0.minute },
    calendar("hour") { $0.hour },
    calendar("day_of_week") { $0.weekday },
    calendar("day_of_month") { $0.day },
    calendar("day_of_year") { $0.dayOfYear },
    calendar("days_in_month") { $0.daysInMonth },
    calendar("month") { $0.month },
    calendar("year") { $0.year },
  ]

  private static func calendar(_ name: String, _ field: @escaping @Sendable (CivilTime) -> Int) -> Function {
    Function(name, [.vector], counts: 0...1, .perTime(field))
  }

  /// Of a selector the times of its samples, of anything else that of the evaluation.
  private static func timestamp(
    _ evaluation: Evaluation, _ call: Expression.Call, _ steps: Steps
  ) throws -> Evaluation.Value {
    if case .selector(let selector) = call.arguments[0].unwrapped {
      let table = try evaluation.newest(selector, steps) { Double($0.timestampMilliseconds) / 1000 }
      return .vector(try table.withoutMetricNames())
    }
    var table = try evaluation.vector(call.arguments[0], steps)
    for row in 0..<table.rowCount {
      for step in 0..<steps.count where !table[row, step].isStalenessMarker {
        table[row, step] = Double(steps.time(step)) / 1000
      }
    }
    return .vector(try table.withoutMetricNames())
  }
}
