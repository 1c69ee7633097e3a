import Runtime
import TestSupport
import Testing

@testable import Fleet

struct ProbeScheduleTests {
  /// A schedule that can be changed within an expectation.
  private final class Bench {
    private var schedule: ProbeSchedule

    init(timeoutSeconds: Double) {
      schedule = ProbeSchedule(start: 100, intervalSeconds: 1, timeoutSeconds: timeoutSeconds)
    }

    var nextTurn: Monotonic { schedule.nextTurn }
    var missedCount: Int { schedule.missedCount }

    func takeTurn(at now: Monotonic, mayTry: Bool) -> Bool { schedule.takeTurn(at: now, mayTry: mayTry) }
    func fail(at now: Monotonic) -> [ProbeSchedule.Ended] { schedule.fail(at: now) }
    func expire(at now: Monotonic) -> [ProbeSchedule.Ended] { schedule.expire(at: now) }
    func answer(afterSeconds roundTrip: Double, at now: Monotonic) -> [ProbeSchedule.Ended] {
      schedule.answer(afterSeconds: roundTrip, at: now)
    }
  }

  private func schedule(timeoutSeconds: Double = 2) -> Bench { Bench(timeoutSeconds: timeoutSeconds) }

  private func answered(_ seconds: Double) -> ProbeSchedule.Ended { .init(waitSeconds: seconds, isAnswered: true) }
  private func failed(_ seconds: Double) -> ProbeSchedule.Ended { .init(waitSeconds: seconds, isAnswered: false) }

  @Test func turnsComeAtFixedTimesHoweverLateTheyAreTaken() {
    let schedule = schedule()
    for (taken, next) in [(100.0, 101.0), (101.9, 102.0), (102.0, 103.0)] as [(Monotonic, Monotonic)] {
      #expect(schedule.takeTurn(at: taken, mayTry: true))
      #expect(schedule.answer(afterSeconds: 0.001, at: taken + 0.001) == [answered(0.001)])
      #expect(schedule.nextTurn == next)
    }
    #expect(!schedule.takeTurn(at: 102.9, mayTry: true), "nothing is due")
    #expect(schedule.missedCount == 0)
  }

  @Test func missedTurnsWaitForTheAnswer() {
    let schedule = schedule(timeoutSeconds: 10)
    var sent = 0
    for turn in 0..<4 where schedule.takeTurn(at: .init(seconds: 100 + Double(turn)), mayTry: true) { sent += 1 }
    #expect(sent == 1 && schedule.missedCount == 3)
    #expect(
      schedule.answer(afterSeconds: 3.5, at: 103.5)
        == [answered(2.5), answered(1.5), answered(0.5), answered(3.5)])
    #expect(schedule.takeTurn(at: 104, mayTry: true), "the schedule goes on where it would have been")
  }

  @Test func noTurnWaitsLongerThanTheTimeout() {
    let schedule = schedule()
    #expect(schedule.takeTurn(at: 100, mayTry: true))
    #expect(!schedule.takeTurn(at: 101, mayTry: true))
    #expect(schedule.fail(at: 102) == [failed(2)], "the turn at 101 still waits")
    #expect(schedule.expire(at: 102.9).isEmpty)
    #expect(schedule.expire(at: 103) == [failed(2)])
    #expect(schedule.takeTurn(at: 103, mayTry: true))
    #expect(schedule.answer(afterSeconds: 0.1, at: 103.1) == [answered(0.1)])
  }

  @Test func aRefusalCountsAsTheWholeTimeoutAndAReturnEndsTheWaiting() {
    let schedule = schedule()
    #expect(schedule.takeTurn(at: 100, mayTry: true))
    #expect(schedule.fail(at: 100.001) == [failed(2)])
    #expect(!schedule.takeTurn(at: 101, mayTry: false), "the breaker is open")
    #expect(schedule.takeTurn(at: 102, mayTry: true))
    #expect(schedule.answer(afterSeconds: 0.01, at: 102.5) == [answered(1.5), answered(0.01)])
    #expect(schedule.missedCount == 1)
  }

  /// Down for a minute: each second is one failed turn, none is held and none is lost.
  @Test func everyTurnEndsOnce() {
    let schedule = schedule()
    var ended: [ProbeSchedule.Ended] = []
    for turn in 0..<60 {
      let now = Monotonic(seconds: 100 + Double(turn))
      ended += schedule.expire(at: now)
      if schedule.takeTurn(at: now, mayTry: turn.isMultiple(of: 8)) { ended += schedule.fail(at: now) }
    }
    ended += schedule.expire(at: 200)
    #expect(ended == Array(repeating: failed(2), count: 60))
    #expect(schedule.missedCount == 60 - 8)
  }

  /// What the daemon itself sleeps through is not the server's time.
  @Test func turnsSleptThroughAreCountedButTellNothing() {
    let schedule = schedule()
    #expect(schedule.takeTurn(at: 1_000_100, mayTry: true))
    #expect(schedule.missedCount == 1_000_000)
    #expect(schedule.answer(afterSeconds: 0.001, at: 1_000_100.001) == [answered(0.001)])
    #expect(schedule.nextTurn == 1_000_101)
  }

  @Test func turnsSleptThroughDuringAProbeWaitWithIt() {
    let schedule = schedule(timeoutSeconds: 3)
    #expect(schedule.takeTurn(at: 100, mayTry: true))
    #expect(!schedule.takeTurn(at: 102.5, mayTry: true))
    #expect(schedule.missedCount == 2)
    #expect(
      schedule.answer(afterSeconds: 2.75, at: 102.75) == [answered(1.75), answered(0.75), answered(2.75)])
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
  func turnsBeginAtSlots(_ seconds: Double, _ offset: Double) {
    let start = Prober.start(after: .init(seconds: seconds), bySeconds: offset).seconds
    let slots = start / Prober.slotSeconds
    #expect(abs(slots - slots.rounded()) < 1e-6)
    #expect(start > seconds + offset - 1e-9 && start < seconds + offset + Prober.slotSeconds + 1e-9)
  }
}
