/// The clock and the calendar, in UTC.
enum TimeFunctions {
  static let all = [
    Function(
      "time", [], result: .scalar,
      .special { _, _, steps in
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

/// A moment in the calendar, in UTC.
///
/// After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years start in March, so that the leap day is
/// the last of one, and 400 of them are one era of 146097 days.
struct CivilTime {
  let year: Int
  /// From 1.
  let month: Int
  /// From 1.
  let day: Int
  /// From Sunday, 0.
  let weekday: Int
  let hour: Int
  let minute: Int

  /// - Parameter seconds: since the epoch; cut to what the calendar can hold.
  init(seconds: Int64) {
    let seconds = min(max(seconds, -Self.farthestSeconds), Self.farthestSeconds)
    let days = Self.floorDivision(seconds, 86_400)
    let secondOfDay = Int(clamping: seconds - days * 86_400)
    hour = secondOfDay / 3600
    minute = secondOfDay / 60 % 60
    // The epoch was a Thursday.
    weekday = Int(days - Self.floorDivision(days + 4, 7) * 7) + 4

    let shifted = days + 719_468
    let era = Self.floorDivision(shifted, 146_097)
    let dayOfEra = Int(shifted - era * 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + Int(era) * 400 + (month <= 2 ? 1 : 0)
  }

  var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  var daysInMonth: Int { month == 2 ? (isLeapYear ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31 }

  /// From 1.
  var dayOfYear: Int {
    let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month - 1]
    return before + day + (month > 2 && isLeapYear ? 1 : 0)
  }

  private static let farthestSeconds: Int64 = 9_000_000_000_000_000

  private static func floorDivision(_ a: Int64, _ b: Int64) -> Int64 {
    a >= 0 ? a / b : -((-a + b - 1) / b)
  }
}
