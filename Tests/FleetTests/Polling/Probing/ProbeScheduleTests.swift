import Testing

@testable import Fleet

struct ProbeScheduleTests {
  /// A schedule that can be changed within an expectation.
  private final class Bench {
    private var schedule: ProbeSchedule

    init(timeoutSeconds: Double) {
      schedule = ProbeSchedule(startSeconds: 100, intervalSeconds: 1, timeoutSeconds: timeoutSeconds)
    }

    var nextSeconds: Double { schedule.nextSeconds }
    var missedCount: Int { schedule.missedCount }

    func takeTurn(atSeconds now: Double, mayTry: Bool) -> Bool { schedule.takeTurn(atSeconds: now, mayTry: mayTry) }
    func fail(atSeconds now: Double) -> [ProbeSchedule.Ended] { schedule.fail(atSeconds: now) }
    func expire(atSeconds now: Double) -> [ProbeSchedule.Ended] { schedule.expire(atSeconds: now) }
    func answer(afterSeconds roundTrip: Double, atSeconds now: Double) -> [ProbeSchedule.Ended] {
      schedule.answer(afterSeconds: roundTrip, atSeconds: now)
    }
  }

  private func schedule(timeoutSeconds: Double = 2) -> Bench { Bench(timeoutSeconds: timeoutSeconds) }

  private func answered(_ seconds: Double) -> ProbeSchedule.Ended { .init(waitSeconds: seconds, isAnswered: true) }
  private func failed(_ seconds: Double) -> ProbeSchedule.Ended { .init(waitSeconds: seconds, isAnswered: false) }

  @Test func turnsComeAtFixedTimesHoweverLateTheyAreTaken() {
    let schedule = schedule()
    for (taken, next) in [(100.0, 101.0), (101.9, 102.0), (102.0, 103.0)] {
      #expect(schedule.takeTurn(atSeconds: taken, mayTry: true))
      #expect(schedule.answer(afterSeconds: 0.001, atSeconds: taken + 0.001) == [answered(0.001)])
      #expect(schedule.nextSeconds == next)
    }
    #expect(!schedule.takeTurn(atSeconds: 102.9, mayTry: true), "nothing is due")
    #expect(schedule.missedCount == 0)
  }

  @Test func missedTurnsWaitForTheAnswer() {
    let schedule = schedule(timeoutSeconds: 10)
    var sent = 0
    for turn in 0..<4 where schedule.takeTurn(atSeconds: 100 + Double(turn), mayTry: true) { sent += 1 }
    #expect(sent == 1 && schedule.missedCount == 3)
    #expect(
      schedule.answer(afterSeconds: 3.5, atSeconds: 103.5)
        == [answered(2.5), answered(1.5), answered(0.5), answered(3.5)])
    #expect(schedule.takeTurn(atSeconds: 104, mayTry: true), "the schedule goes on where it would have been")
  }

  @Test func noTurnWaitsLongerThanTheTimeout() {
    let schedule = schedule()
    #expect(schedule.takeTurn(atSeconds: 100, mayTry: true))
    #expect(!schedule.takeTurn(atSeconds: 101, mayTry: true))
    #expect(schedule.fail(atSeconds: 102) == [failed(2)], "the turn at 101 still waits")
    #expect(schedule.expire(atSeconds: 102.9).isEmpty)
    #expect(schedule.expire(atSeconds: 103) == [failed(2)])
    #expect(schedule.takeTurn(atSeconds: 103, mayTry: true))
    #expect(schedule.answer(afterSeconds: 0.1, atSeconds: 103.1) == [answered(0.1)])
  }

  @Test func aRefusalCountsAsTheWholeTimeoutAndAReturnEndsTheWaiting() {
    let schedule = schedule()
    #expect(schedule.takeTurn(atSeconds: 100, mayTry: true))
    #expect(schedule.fail(atSeconds: 100.001) == [failed(2)])
    #expect(!schedule.takeTurn(atSeconds: 101, mayTry: false), "the breaker is open")
    #expect(schedule.takeTurn(atSeconds: 102, mayTry: true))
    #expect(schedule.answer(afterSeconds: 0.01, atSeconds: 102.5) == [answered(1.5), answered(0.01)])
    #expect(schedule.missedCount == 1)
  }

  /// Down for a minute: each second is one failed turn, none is held and none is lost.
  @Test func everyTurnEndsOnce() {
    let schedule = schedule()
    var ended: [ProbeSchedule.Ended] = []
    for turn in 0..<60 {
      let now = 100 + Double(turn)
      ended += schedule.expire(atSeconds: now)
      if schedule.takeTurn(atSeconds: now, mayTry: turn.isMultiple(of: 8)) { ended += schedule.fail(atSeconds: now) }
    }
    ended += schedule.expire(atSeconds: 200)
    #expect(ended == Array(repeating: failed(2), count: 60))
    #expect(schedule.missedCount == 60 - 8)
  }

  /// What the daemon itself sleeps through is not the server's time.
  @Test func turnsSleptThroughAreCountedButTellNothing() {
    let schedule = schedule()
    #expect(schedule.takeTurn(atSeconds: 1_000_100, mayTry: true))
    #expect(schedule.missedCount == 1_000_000)
    #expect(schedule.answer(afterSeconds: 0.001, atSeconds: 1_000_100.001) == [answered(0.001)])
    #expect(schedule.nextSeconds == 1_000_101)
  }

  @Test func turnsSleptThroughDuringAProbeWaitWithIt() {
    let schedule = schedule(timeoutSeconds: 3)
    #expect(schedule.takeTurn(atSeconds: 100, mayTry: true))
    #expect(!schedule.takeTurn(atSeconds: 102.5, mayTry: true))
    #expect(schedule.missedCount == 2)
    #expect(
      schedule.answer(afterSeconds: 2.75, atSeconds: 102.75) == [answered(1.75), answered(0.75), answered(2.75)])
  }

  @Test func theObjectivesAreEdges() {
    for edge in [0.0025, 0.005, 0.01] { #expect(ProbeFamilies.durationEdges.contains(edge)) }
    var distribution = Distribution(.init(ProbeFamilies.durationEdges))
    for value in [0.0025, 0.00250001, 0.01, 99] { distribution.observe(value) }
    let at = { (edge: Double) in distribution.cumulative[ProbeFamilies.durationEdges.firstIndex(of: edge)!] }
    #expect(at(0.001) == 0 && at(0.0025) == 1 && at(0.005) == 2 && at(0.01) == 3 && at(5) == 3)
    #expect(distribution.count == 4 && abs(distribution.sum - 99.01500001) < 1e-9)
  }

  /// Turns of many servers fall on common slots, at most one slot after their own chance.
  @Test(arguments: [(100.0, 0.0), (100.0012, 0.4), (99.9999, 0.9999), (12345.678, 0.5)])
  func turnsBeginAtSlots(_ now: Double, _ offset: Double) {
    let start = Prober.startSeconds(after: now, by: offset)
    let slots = start / Prober.slotSeconds
    #expect(abs(slots - slots.rounded()) < 1e-6)
    #expect(start > now + offset - 1e-9 && start < now + offset + Prober.slotSeconds + 1e-9)
  }
}
