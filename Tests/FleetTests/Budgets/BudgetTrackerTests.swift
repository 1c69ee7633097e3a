import Config
import Redis
import Runtime
import Storage
import Testing

@testable import Fleet

/// A workload whose masters are probed once a second, look by look.
private struct Watched {
  /// 2026-11-28 00:00:00 UTC: a whole day.
  static let midnight = WallTime(seconds: 1_795_824_000)

  var tracker = BudgetTracker()
  var probes: [NodeAddress: ProbeCounts] = [:]
  var look: BudgetTracker.Look
  var now = Monotonic(seconds: 1000)
  var wall = Self.midnight

  init(masters count: Int = 1, availability: Double? = 0.999, latency: Duration? = .milliseconds(10)) throws {
    look = BudgetTracker.Look(
      masters: Set((1...count).map(Self.master)), owedCount: count,
      objectives: try Self.objectives(availability, latency))
    for master in look.masters { probes[master] = ProbeCounts() }
    tracker.restore([])
    // The first looks settle who is there, and open the first span.
    run(0.5)
    run(0.5)
  }

  static func master(_ number: Int) -> NodeAddress { NodeAddress(host: "10.0.0.\(number)", port: 6379) }

  static func objectives(_ availability: Double?, _ latency: Duration?) throws -> Objectives {
    let text = "workloads: [{name: w, kind: custom, topology: static, seeds: ['a:1']}]"
    var objectives = try FleetConfig.parse(Array(text.utf8), file: "t").workloads[0].objectives
    (objectives.availabilityRatio, objectives.latencyP99) = (availability, latency)
    return objectives
  }

  /// Lets time go by in looks of half a second; probes of those that are bad fail, those of slow ones take `slowSeconds`.
  mutating func run(
    _ seconds: Double, bad: Set<NodeAddress> = [], slow: Set<NodeAddress> = [], slowSeconds: Double = 0.08
  ) {
    for _ in 0..<Int(seconds * 2) {
      now = now + 0.5
      wall = wall + 0.5
      for master in look.masters where now.seconds == now.seconds.rounded() {
        let isBad = bad.contains(master)
        probes[master]?.note([
          .init(waitSeconds: isBad ? 2 : slow.contains(master) ? slowSeconds : 0.0004, isAnswered: !isBad)
        ])
      }
      let counts = probes
      tracker.note(look, { counts[$0] }, at: now, wall)
    }
  }

  func amount(_ objective: BudgetObjective = .availability, last seconds: Double) -> BudgetAmount {
    tracker.history.amount(of: objective, from: wall.seconds - seconds, to: wall.seconds)
  }

  func budget(_ objective: BudgetObjective = .availability) throws -> ErrorBudget {
    try #require(ErrorBudget(objective, look.objectives, in: tracker.history, at: wall))
  }
}

private func isNear(_ value: Double?, _ wanted: Double, within distance: Double = 0.01) -> Bool {
  value.map { abs($0 - wanted) <= distance } ?? false
}

@Suite struct BudgetTrackerTests {
  @Test func aCalmHourUsesNothing() throws {
    var watched = try Watched()
    watched.run(3590)
    for objective in BudgetObjective.allCases {
      let budget = try watched.budget(objective)
      #expect(isNear(budget.amount.knownSeconds, 3590, within: 5.1) && budget.amount.badSeconds == 0)
      #expect(budget.burn[.hour] == 0 && budget.burn[.sixHours] == 0)
      #expect(budget.burn[.day] == nil && budget.burn[.threeDays] == nil, "a twelfth of a day is two hours")
    }
    #expect(try watched.budget().remainingRatio == nil, "seconds are missing to an hour")
    watched.run(20)
    #expect(try watched.budget().remainingRatio == 1)
    #expect(try watched.budget().knownSince == Watched.midnight)
  }

  /// One of three masters is dark for 30 s: 10 s of the workload.
  @Test func theShareOfTheMastersThatFailIsBad() throws {
    var watched = try Watched(masters: 3)
    watched.run(600)
    watched.run(30, bad: [Watched.master(2)])
    watched.run(30)
    let budget = try watched.budget()
    #expect(isNear(budget.amount.badSeconds, 10))
    #expect(isNear(budget.amount.spentSeconds, 10_000, within: 1))
    // 10 s bad of 0.3 s that five minutes leave.
    #expect(isNear(budget.burn[.fiveMinutes], 10 / 0.3, within: 0.1))
    #expect(isNear(budget.burn[.hour], 10 / 3.6, within: 0.02))
    // A failed probe is not within the objective for latency either.
    let latency = try watched.budget(.latency)
    #expect(isNear(latency.amount.badSeconds, 10) && isNear(latency.burn[.hour], 10.0 / 36, within: 0.01))
  }

  @Test func aMasterThatIsMissingIsBad() throws {
    var watched = try Watched(masters: 3)
    watched.run(60)
    watched.look.masters.remove(Watched.master(3))
    watched.run(30)
    watched.look.masters.insert(Watched.master(3))
    watched.run(60)
    #expect(isNear(watched.amount(last: 3600).badSeconds, 10, within: 0.4))
  }

  /// The old master is gone, for 4 s there is none, then another one is.
  @Test func aFailoverCostsTheTimeWithoutAMaster() throws {
    var watched = try Watched()
    watched.run(60)
    watched.look.masters = []
    watched.run(4)
    watched.look.masters = [Watched.master(2)]
    watched.probes[Watched.master(2)] = ProbeCounts()
    watched.run(60)
    #expect(isNear(watched.amount(last: 3600).badSeconds, 4, within: 0.6))
    #expect(isNear(watched.amount(last: 3600).knownSeconds, 122, within: 3))
  }

  @Test func twoRivalsAreNoMoreThanTheOneThatShouldBe() throws {
    var watched = try Watched()
    watched.look.masters.insert(Watched.master(2))
    watched.probes[Watched.master(2)] = ProbeCounts()
    watched.run(60, bad: [Watched.master(2)])
    #expect(watched.amount(last: 3600).badSeconds == 0)
  }

  /// Slow answers use the latency budget alone; those between the objective and the next bound are not slow.
  @Test(arguments: [(0.08, 10.0), (0.009, 0)])
  func slowAnswersUseTheBudgetOfLatency(seconds: Double, bad: Double) throws {
    var watched = try Watched(latency: .milliseconds(7))
    watched.run(60)
    watched.run(10, slow: [Watched.master(1)], slowSeconds: seconds)
    watched.run(20)
    #expect(isNear(watched.amount(.latency, last: 3600).badSeconds, bad))
    #expect(watched.amount(.availability, last: 3600).badSeconds == 0)
  }

  @Test func latencyBeyondEveryBoundIsAnswered() throws {
    var watched = try Watched(latency: .seconds(10))
    watched.run(60, bad: [], slow: [Watched.master(1)], slowSeconds: 1.9)
    watched.run(10, bad: [Watched.master(1)])
    watched.run(10)
    #expect(isNear(watched.amount(.latency, last: 3600).badSeconds, 10))
  }

  /// Each second counts by the objective of its time.
  @Test func anObjectiveThatChangesCountsFromThenOn() throws {
    var watched = try Watched()
    watched.run(60)
    watched.run(10, bad: [Watched.master(1)])
    watched.look.objectives = try Watched.objectives(0.99, .milliseconds(100))
    watched.run(10, bad: [Watched.master(1)])
    watched.run(10, slow: [Watched.master(1)])
    watched.run(20)
    let amount = watched.amount(last: 3600)
    #expect(isNear(amount.badSeconds, 20) && isNear(amount.spentSeconds, 10 / 0.001 + 10 / 0.01, within: 1))
    #expect(isNear(watched.amount(.latency, last: 3600).badSeconds, 20), "80 ms are within 100 ms")
  }

  @Test func objectivesThatAreOffOrLeaveNothingHaveNoBudget() throws {
    var watched = try Watched(availability: 1, latency: nil)
    watched.run(60, bad: [Watched.master(1)])
    #expect(BudgetObjective.allCases.allSatisfy { watched.amount($0, last: 3600) == BudgetAmount() })
    #expect(ErrorBudget(.availability, watched.look.objectives, in: watched.tracker.history, at: watched.wall) == nil)
    #expect(ErrorBudget(.latency, watched.look.objectives, in: watched.tracker.history, at: watched.wall) == nil)
  }

  @Test func maintenanceIsNotCounted() throws {
    var watched = try Watched()
    watched.run(600)
    watched.look.isInMaintenance = true
    watched.run(600, bad: [Watched.master(1)])
    watched.look.isInMaintenance = false
    watched.run(60)
    let amount = watched.amount(last: 3600)
    #expect(amount.badSeconds == 0 && isNear(amount.knownSeconds, 660, within: 6))
  }

  // MARK: What was not seen

  @Test func membersThatAreNotMadeOutYetAreNoOutage() throws {
    var watched = try Watched(masters: 3)
    watched.tracker = BudgetTracker()
    watched.tracker.restore([])
    let all = watched.look.masters
    watched.look.masters = [Watched.master(1)]
    watched.run(5)
    watched.look.masters = all
    watched.run(30)
    #expect(watched.amount(last: 3600).badSeconds == 0)
    #expect(isNear(watched.amount(last: 3600).knownSeconds, 30, within: 5.6))
    // One that stays away is missed after a while.
    watched.tracker.begin()
    watched.look.masters = [Watched.master(1)]
    watched.run(BudgetTracker.settlingSeconds + 30)
    #expect(isNear(watched.amount(last: 3600).badSeconds, 20, within: 4))
  }

  /// Whoever was not polled yet may be the master that is missing.
  @Test func whoIsNotReadIsUnknown() throws {
    var watched = try Watched(masters: 2)
    watched.run(60)
    watched.look.masters.remove(Watched.master(2))
    watched.look.unreadCount = 1
    watched.run(20)
    let amount = watched.amount(last: 3600)
    #expect(amount.badSeconds == 0 && isNear(amount.knownSeconds, 69, within: 2))
  }

  @Test func aProberThatBeginsAnewTellsNothingOfTheTimeBefore() throws {
    var watched = try Watched()
    watched.run(60)
    watched.probes[Watched.master(1)] = ProbeCounts()
    watched.run(4)
    watched.run(60)
    let amount = watched.amount(last: 3600)
    #expect(amount.badSeconds == 0 && (115...121).contains(amount.knownSeconds))
  }

  @Test func aGapIsUnknown() throws {
    var watched = try Watched()
    watched.run(60)
    watched.now = watched.now + 600
    watched.wall = watched.wall + 600
    watched.run(60)
    #expect(isNear(watched.amount(last: 3600).knownSeconds, 115, within: 6))
    #expect(try watched.budget().burn[.fiveMinutes] == 0)
  }

  // MARK: Clocks

  /// An hour that is lived again is not counted again.
  @Test func aClockThatIsSetBackCountsNothingTwice() throws {
    var watched = try Watched()
    watched.run(3600)
    watched.run(60, bad: [Watched.master(1)])
    watched.wall = Watched.midnight + 600
    watched.run(600)
    watched.run(60, bad: [Watched.master(1)])
    let from = Watched.midnight.seconds
    let amount = watched.tracker.history.amount(of: .availability, from: from, to: from + 7200)
    #expect(amount.knownSeconds <= 3661 && isNear(amount.badSeconds, 60, within: 1))
    // Later the hours go on.
    watched.run(3600)
    #expect(isNear(watched.amount(last: 1800).knownSeconds, 1800, within: 6))
  }

  @Test func aClockThatJumpsAheadForAMomentTakesNothingAway() throws {
    var watched = try Watched()
    watched.run(3600)
    watched.run(100, bad: [Watched.master(1)])
    let before = watched.wall
    watched.wall = watched.wall + 20 * 365 * 86_400
    watched.run(3 * 3600)
    #expect(watched.amount(last: 30 * 86_400).badSeconds <= 5, "the span in which it jumped")
    watched.wall = before
    watched.run(60)
    let amount = watched.amount(last: 30 * 86_400)
    #expect(isNear(amount.badSeconds, 100, within: 1) && isNear(amount.knownSeconds, 3760, within: 8))
  }

  /// A window that cuts a minute takes its share; what leaves it leaves evenly.
  @Test func whatIsOverLeavesTheWindow() throws {
    var watched = try Watched()
    watched.run(60)
    watched.run(60, bad: [Watched.master(1)])
    watched.run(210)
    #expect(isNear(watched.amount(last: 300).badSeconds, 60, within: 1))
    watched.run(60)
    #expect(isNear(watched.amount(last: 300).badSeconds, 30, within: 1))
    watched.run(120)
    #expect(watched.amount(last: 300).badSeconds == 0)
    #expect(isNear(watched.amount(last: 3600).badSeconds, 60, within: 1))
  }

  // MARK: Restarts

  @Test func aRestartGoesOnWhereItWas() throws {
    var watched = try Watched()
    watched.run(3600)
    watched.run(30, bad: [Watched.master(1)])
    watched.run(30)
    var rows: [StoredBudget.Key: StoredBudget] = [:]
    for row in watched.tracker.takeChanges(workload: "w", fileNumber: 1, isLast: true, at: watched.wall) {
      rows[row.key] = row
    }
    var next = watched
    next.tracker = BudgetTracker()
    // What is counted before the file is read comes on top.
    next.wall = next.wall + 600
    next.run(60)
    #expect(next.tracker.takeChanges(workload: "w", fileNumber: 1, at: next.wall).isEmpty, "nothing is read yet")
    next.tracker.restore(Array(rows.values))
    next.run(60)
    let amount = next.amount(last: 30 * 86_400)
    #expect(isNear(amount.badSeconds, 30, within: 0.1) && isNear(amount.knownSeconds, 3660 + 115, within: 12))
    #expect(next.amount(.latency, last: 30 * 86_400).badSeconds == amount.badSeconds)
  }

  /// Right after a start, before anything is counted: the minute that runs is all there, whatever of it is over.
  @Test func theMinuteThatRunsIsWholeAfterARestart() throws {
    var watched = try Watched()
    watched.run(125)
    watched.run(10, bad: [Watched.master(1)])
    let rows = watched.tracker.takeChanges(workload: "w", fileNumber: 1, isLast: true, at: watched.wall)
    let counted = watched.amount(last: 3600).badSeconds
    #expect(counted > 5)
    watched.tracker = BudgetTracker()
    watched.tracker.restore(rows)
    watched.run(0.5)
    #expect(isNear(watched.amount(last: 3600).badSeconds, counted, within: 0.1))
  }

  /// After kill -9 the file has minutes whose hour it does not have.
  @Test func minutesMakeTheHourThatWasNotWritten() throws {
    var watched = try Watched()
    watched.run(300)
    watched.run(20, bad: [Watched.master(1)])
    var rows = watched.tracker.takeChanges(workload: "w", fileNumber: 1, at: watched.wall)
    rows.removeAll { $0.key.stepSeconds == 3600 }
    var history = BudgetHistory()
    history.adopt(rows)
    let from = watched.wall.seconds - 30 * 86_400
    #expect(history.amount(of: .availability, from: from, to: watched.wall.seconds + 86_400).badSeconds >= 15)
  }

  @Test func badSecondsAreWrittenAtOnceAndOthersByTheMinute() throws {
    var watched = try Watched()
    watched.run(6)
    _ = watched.tracker.takeChanges(workload: "w", fileNumber: 1, at: watched.wall)
    watched.run(6)
    #expect(watched.tracker.takeChanges(workload: "w", fileNumber: 1, at: watched.wall).isEmpty)
    watched.run(6, bad: [Watched.master(1)])
    #expect(watched.tracker.takeChanges(workload: "w", fileNumber: 1, at: watched.wall).count == 1)
    watched.run(60)
    #expect(watched.tracker.takeChanges(workload: "w", fileNumber: 1, at: watched.wall).count == 1)
    // Another file lacks everything.
    #expect(watched.tracker.takeChanges(workload: "w", fileNumber: 2, at: watched.wall).count == 2)
  }

  @Test(
    arguments: [
      [], [0], [1], [2, 0, 0, 0, 0], [1, 0, 0x7f, 0x80, 0, 0], [1] + [UInt8](repeating: 0xff, count: 4000),
      [1] + [UInt8](repeating: 0, count: 31),
    ] as [[UInt8]])
  func bytesThatAreDamagedSayNothing(_ bytes: [UInt8]) {
    #expect(BudgetRow(bytes, count: 60, stepSeconds: 60) == nil)
    var history = BudgetHistory()
    let starts: [Int64] = [0, -3600, 3601, .max, .min, 1_795_824_000]
    history.adopt(
      starts.flatMap { start in
        [60, 3600, 7].map {
          StoredBudget(.init(workload: "w", stepSeconds: $0, startSeconds: start), amounts: bytes)
        }
      })
    #expect(history.amount(of: .latency, from: -.infinity, to: 1_795_910_400) == BudgetAmount())
  }

  @Test func numbersThatNoClockMadeAreCut() throws {
    // Known, bad and spent: the largest number there is.
    let huge: [UInt8] = [0, 0x7f, 0x7f, 0xff, 0xff]
    let row = try #require(BudgetRow([1] + (0..<6).flatMap { _ in huge }, count: 60, stepSeconds: 60))
    #expect(row[.latency, 59].knownSeconds == 60 && row[.availability, 0].badSeconds == 60)
    #expect(row.total(of: .availability).spentSeconds.isFinite)
  }

  // MARK: Bounds

  @Test func withoutAFileNothingPilesUp() {
    var history = BudgetHistory()
    for hour in 0..<(60 * 24) {
      history.add(
        BudgetAmount(known: 5, bad: 1, spent: 100), of: .latency, seconds: 5,
        endingAt: Watched.midnight + Double(hour) * 3600 + 60)
    }
    #expect((86...88).contains(history.takeChanges(workload: "w").count))
  }

  /// Five weeks and more of a thousand workloads: what one holds, in memory and in the file.
  @Test func aThousandWorkloadsAreBounded() throws {
    var history = BudgetHistory()
    var file: [StoredBudget.Key: Int] = [:]
    let start = Watched.midnight.seconds
    for minute in 0..<(40 * 1440) {
      let isBad = minute % 977 == 0
      for objective in BudgetObjective.allCases {
        history.add(
          BudgetAmount(known: 60, bad: isBad ? 3 : 0, spent: isBad ? 3000 : 0), of: objective, seconds: 60,
          endingAt: WallTime(seconds: start + Double(minute + 1) * 60))
      }
      guard minute % 30 == 29 else { continue }
      for row in history.takeChanges(workload: "w") { file[row.key] = row.amounts.count }
    }
    let end = start + 40 * 86_400
    let month = history.amount(of: .availability, from: end - 30 * 86_400, to: end)
    #expect(month.knownSeconds == 30 * 86_400 && isNear(month.badSeconds, 3 * 30 * 1440 / 977, within: 6))
    history.markAllChanged()
    let held = history.takeChanges(workload: "w")
    #expect(held.count == 86)
    let bytes = held.reduce(0) { $0 + $1.amounts.count }
    // A thousand of them are 20 MB at most, and in the file as much.
    #expect(bytes < 20_000 && file.values.allSatisfy { $0 < 1500 })
    #expect(1000 * held.count <= StoreLimits.budgetRows)
  }
}
