import Runtime
import Storage

/// What is known of a workload's error budgets by the time of day: minutes for two days, hours for five weeks. Pure.
///
/// Rows are bounded by their number, not by their age: a clock that jumps ahead for a moment takes nothing away.
struct BudgetHistory: Sendable {
  /// A length of steps, and the rows that they stand in.
  enum Step: Int64, Sendable, CaseIterable {
    case minute = 60
    case hour = 3600

    var seconds: Double { Double(rawValue) }
    /// Steps of a row.
    var count: Int { self == .minute ? 60 : 24 }
    var rowSeconds: Int64 { rawValue * Int64(count) }
    /// Rows that are held.
    var rowLimit: Int { self == .minute ? 50 : 36 }
  }

  private struct Place: Hashable {
    let step: Step
    /// Rows since 1970.
    let row: Int64
  }

  private var minutes: [Int64: BudgetRow] = [:]
  private var hours: [Int64: BudgetRow] = [:]
  /// The time of the newest look; it goes back with the clock.
  private var newest = WallTime.distantPast
  private var changed: Set<Place> = []

  /// Times before 1970 and after the year 9999 are nobody's.
  private static let times = 0.0..<253_402_300_800

  // MARK: Counting

  /// Counts a span, cut at the minutes.
  ///
  /// - Parameters:
  ///   - amount: of the whole span.
  ///   - seconds: its length, at most some minutes.
  mutating func add(_ amount: BudgetAmount, of objective: BudgetObjective, seconds: Double, endingAt end: WallTime) {
    guard seconds > 0, Self.times.contains(end.seconds - seconds), Self.times.contains(end.seconds) else { return }
    look(at: end)
    var from = end.seconds - seconds
    while from < end.seconds {
      let minute = Int64(clamping: (from / 60).rounded(.down))
      let until = min(end.seconds, Double(minute + 1) * 60)
      add(amount * ((until - from) / seconds), of: objective, minute: minute)
      from = until
    }
  }

  private mutating func add(_ amount: BudgetAmount, of objective: BudgetObjective, minute: Int64) {
    let (hour, day) = (minute / 60, minute / 1440)
    let added = minutes[hour, default: Self.row(.minute)].add(amount, of: objective, at: Int(minute % 60))
    guard added != BudgetAmount() else { return }
    hours[day, default: Self.row(.hour)].add(added, of: objective, at: Int(hour % 24))
    changed.formUnion([Place(step: .minute, row: hour), Place(step: .hour, row: day)])
  }

  private static func row(_ step: Step) -> BudgetRow { BudgetRow(count: step.count, stepSeconds: step.seconds) }

  /// Takes note of the time; rows that are over are made small, and those beyond the limits go.
  mutating func look(at now: WallTime) {
    guard Self.times.contains(now.seconds) else { return }
    let before = newest
    newest = now
    let hour = Int64(clamping: (now.seconds / 3600).rounded(.down))
    guard before == .distantPast || Int64(clamping: (before.seconds / 3600).rounded(.down)) != hour else { return }
    for row in minutes.keys where row != hour { minutes[row]?.compact() }
    for row in hours.keys where row != hour / 24 { hours[row]?.compact() }
    Self.bound(&minutes, to: Step.minute.rowLimit, around: hour, ahead: 24)
    Self.bound(&hours, to: Step.hour.rowLimit, around: hour / 24, ahead: 1)
    // Where nothing is kept over restarts, nobody takes them.
    changed = changed.filter { ($0.step == .minute ? minutes : hours)[$0.row] != nil }
  }

  /// Rows further ahead than a day were written by a clock that was wrong; of too many the oldest go.
  private static func bound(_ rows: inout [Int64: BudgetRow], to limit: Int, around now: Int64, ahead: Int64) {
    rows = rows.filter { $0.key <= now + ahead || rows.count <= limit }
    for row in rows.keys.sorted().dropLast(limit) { rows[row] = nil }
  }

  // MARK: Reading

  /// What a span used, in seconds since 1970; of a step that it cuts, the share that lies in it.
  func amount(of objective: BudgetObjective, from: Double, to: Double) -> BudgetAmount {
    let longest = Double(Step.hour.rowSeconds) * Double(Step.hour.rowLimit + 1)
    let (from, to) = (max(from, to - longest), to)
    guard from < to, Self.times.contains(to), Self.times.overlaps(from..<to) else { return BudgetAmount() }
    var sum = BudgetAmount()
    let first = Int64(clamping: (max(0, from) / 3600).rounded(.down))
    let last = Int64(clamping: (to / 3600).rounded(.up))
    var next = first
    while next < last {
      let hour = next
      let start = Double(hour) * 3600
      if hour % 24 == 0, from <= start, to >= start + 86_400 {
        sum += hours[hour / 24]?.total(of: objective) ?? BudgetAmount()
        next += 24
        continue
      }
      next += 1
      if from > start || to < start + 3600, let row = minutes[hour] {
        for minute in 0..<60 {
          sum += row[objective, minute] * share(from, to, of: start + Double(minute) * 60, 60)
        }
      } else if let row = hours[hour / 24] {
        sum += row[objective, Int(hour % 24)] * share(from, to, of: start, 3600)
      }
    }
    return sum
  }

  /// The share of a step that lies in a span. What is known of the step that runs lies before now.
  private func share(_ from: Double, _ to: Double, of start: Double, _ seconds: Double) -> Double {
    let isRunning = newest.seconds > start && newest.seconds < start + seconds
    let end = isRunning ? newest.seconds : start + seconds
    return max(0, min(to, end) - max(from, start)) / (end - start)
  }

  /// When what is known of a span begins: to the minute where minutes are held, else to the hour.
  func knownSince(_ objective: BudgetObjective, after from: Double) -> WallTime? {
    for day in hours.keys.sorted() where Double(day + 1) * 86_400 > from {
      for hour in 0..<24 where hours[day]?[objective, hour].knownSeconds ?? 0 > 0 {
        let start = Double(day * 24 + Int64(hour)) * 3600
        guard start + 3600 > from else { continue }
        let row = minutes[day * 24 + Int64(hour)]
        let minute = (0..<60).first { row?[objective, $0].knownSeconds ?? 0 > 0 } ?? 0
        return WallTime(seconds: max(from, start + Double(minute) * 60))
      }
    }
    return nil
  }

  // MARK: The file

  /// The rows that changed since this was last called.
  mutating func takeChanges(workload: String, of steps: [Step] = Step.allCases) -> [StoredBudget] {
    let taken = changed.filter { steps.contains($0.step) }
    changed.subtract(taken)
    return taken.compactMap { place in
      let row = place.step == .minute ? minutes[place.row] : hours[place.row]
      return row.map { row in
        StoredBudget(
          StoredBudget.Key(
            workload: workload, stepSeconds: place.step.rawValue, startSeconds: place.row * place.step.rowSeconds),
          amounts: row.bytes)
      }
    }
  }

  /// Has all rows written again, as into another file.
  mutating func markAllChanged() {
    changed.formUnion(minutes.keys.map { Place(step: .minute, row: $0) })
    changed.formUnion(hours.keys.map { Place(step: .hour, row: $0) })
  }

  /// Takes over what the file holds, beside what was counted since the start.
  mutating func adopt(_ stored: [StoredBudget]) {
    let own = (minutes, hours)
    (minutes, hours) = ([:], [:])
    for record in stored {
      guard let step = Step(rawValue: record.key.stepSeconds), record.key.startSeconds >= 0,
        Self.times.contains(Double(record.key.startSeconds)), record.key.startSeconds % step.rowSeconds == 0,
        let row = BudgetRow(record.amounts, count: step.count, stepSeconds: step.seconds)
      else { continue }
      let place = record.key.startSeconds / step.rowSeconds
      if step == .minute { minutes[place] = row } else { hours[place] = row }
    }
    // The minutes are written more often than the hours that they make.
    for (hour, row) in minutes {
      for objective in BudgetObjective.allCases {
        let (total, place) = (row.total(of: objective), Int(hour % 24))
        let known = hours[hour / 24]?[objective, place] ?? BudgetAmount()
        guard total.knownSeconds > known.knownSeconds else { continue }
        hours[hour / 24, default: Self.row(.hour)].add(
          BudgetAmount(
            known: total.knownSeconds - known.knownSeconds, bad: max(0, total.badSeconds - known.badSeconds),
            spent: max(0, total.spentSeconds - known.spentSeconds)), of: objective, at: place)
      }
    }
    for (hour, row) in own.0 {
      for objective in BudgetObjective.allCases {
        for minute in 0..<60 { add(row[objective, minute], of: objective, minute: hour * 60 + Int64(minute)) }
      }
    }
    Self.bound(&minutes, to: Step.minute.rowLimit, around: .max / 2, ahead: 0)
    Self.bound(&hours, to: Step.hour.rowLimit, around: .max / 2, ahead: 0)
  }
}
