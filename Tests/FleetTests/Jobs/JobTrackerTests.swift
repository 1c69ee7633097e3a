import Runtime
import Storage
import TestSupport
import Testing

@testable import Fleet

/// When a job is due, with a clock that tests set.
@Suite struct JobTrackerTests {
  private static let day = 86_400.0
  /// Noon of a day.
  private static let noon = WallTime(seconds: 20_000 * day + 43_200)

  @Test func everySoOftenFromTheStartOfTheRunBefore() {
    var tracker = JobTracker(.every(seconds: 900))
    #expect(tracker.due(at: 5000) == 5000)
    tracker.begin(at: 5000)
    #expect(tracker.due(at: 6000) == nil)
    tracker.end(.succeeded, at: 5100)
    #expect(tracker.due(at: 5100) == 5900)
    #expect(tracker.lastSuccess == 5100)
  }

  /// What the page says must not move when the daemon starts again.
  @Test func theLastSuccessIsAsExactAsTheStoreKeepsIt() {
    var tracker = JobTracker(.every(seconds: 900))
    tracker.begin(at: WallTime(seconds: 5000.123_6))
    tracker.end(.succeeded, at: WallTime(seconds: 5000.456_4))
    var restored = JobTracker(.every(seconds: 900))
    let kept = result(.succeeded, from: WallTime(seconds: 5000.123_6), to: WallTime(seconds: 5000.456_4))
    restored.restore([kept], lastSuccess: kept)
    #expect(restored.lastSuccess == tracker.lastSuccess && restored.newest == tracker.newest)
  }

  @Test func atATimeOfTheDay() {
    var tracker = JobTracker(.daily(secondOfDay: 3 * 3600))
    let three = Self.noon + 15 * 3600
    #expect(tracker.due(at: Self.noon) == three)
    tracker.restore([result(.succeeded, from: three - Self.day, to: three - Self.day + 60)], lastSuccess: nil)
    #expect(tracker.due(at: Self.noon) == three)
    // The daemon was down at its time: it is made up for.
    #expect(tracker.due(at: three + 7200) == three)
    tracker.begin(at: three + 7200)
    tracker.end(.succeeded, at: three + 7300)
    #expect(tracker.due(at: three + 7300) == three + Self.day)
  }

  @Test func onDemandIsNeverDue() {
    var tracker = JobTracker(.onDemand)
    tracker.begin(at: 10)
    tracker.end(.failed, at: 20)
    #expect(tracker.due(at: 1e9) == nil)
  }

  @Test func afterAFailureSoonerAndThenLessAndLessOften() {
    var tracker = JobTracker(.every(seconds: Self.day))
    var now = WallTime(seconds: 1000)
    var pauses: [Double] = []
    for _ in 0..<8 {
      tracker.begin(at: now)
      tracker.end(.failed, at: now + 10)
      let due = tracker.due(at: now + 10) ?? 0
      pauses.append(due - now - 10)
      now = due
    }
    #expect(pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600])
    #expect(tracker.isFailing && tracker.lastSuccess == nil && tracker.counts == [.failed: 8])
    tracker.begin(at: now)
    tracker.end(.succeeded, at: now)
    #expect(!tracker.isFailing && tracker.due(at: now) == now + Self.day)
  }

  @Test func neverLessOftenThanPlanned() {
    var tracker = JobTracker(.every(seconds: 30))
    tracker.begin(at: 0)
    tracker.end(.timedOut, at: 5)
    #expect(tracker.due(at: 5) == 30)
  }

  @Test func aRestartKeepsTheTurnAndThePause() {
    var tracker = JobTracker(.every(seconds: Self.day))
    tracker.restore(
      [
        result(.interrupted, from: 9000, to: 9500), result(.failed, from: 8000, to: 8100),
        result(.succeeded, from: 1, to: 2),
      ],
      lastSuccess: result(.succeeded, from: 1, to: 2))
    #expect(tracker.lastSuccess == 2 && tracker.isFailing)
    #expect(tracker.due(at: 9500) == 9620)
    // Counted since the start of this process.
    #expect(tracker.counts.isEmpty)
  }

  /// A clock that was set back by a year, or an honest end that lies before its start.
  @Test func aClockThatWasSetBackHoldsNothingUp() {
    var tracker = JobTracker(.every(seconds: 900))
    tracker.restore([result(.succeeded, from: 1e9, to: 1e9)], lastSuccess: nil)
    #expect(tracker.due(at: 9e8) == 900_000_900)
    tracker.begin(at: 9e8)
    tracker.end(.succeeded, at: 8e8)
    #expect(tracker.newest?.ended == 9e8)
  }

  private func result(_ outcome: JobResult.Outcome, from started: WallTime, to ended: WallTime) -> JobResult {
    JobResult(
      job: "j", startedAtMs: started.epochMs, endedAtMs: ended.epochMs, outcome: outcome, report: "{}")
  }
}
