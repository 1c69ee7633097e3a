import Fleet
import Runtime
import Testing

@testable import Drills

@Suite struct LoadCourseTests {
  /// Probes ten times a second over ten seconds, of a server that answers within a millisecond and stands still for a time.
  ///
  /// - Returns: what each turn waited for.
  private static func waits(stallSeconds: Double) -> [Double] {
    let start = Monotonic(seconds: 1000)
    var schedule = ProbeSchedule(start: start, intervalSeconds: 0.1, timeoutSeconds: 5)
    let stall = (start + 4.05)..<(start + 4.05 + stallSeconds)
    var waits: [Double] = []
    var underWay: (due: Monotonic, answered: Monotonic)?
    for tick in 0..<10_000 {
      let now = start + Double(tick) * 0.001
      if let probe = underWay, now >= probe.answered {
        waits += schedule.answer(afterSeconds: now - probe.due, at: now).map(\.waitSeconds)
        underWay = nil
      }
      let due = schedule.nextTurn
      if schedule.takeTurn(at: now, mayTry: true) {
        let ready = now + 0.001
        underWay = (due, stall.contains(ready) ? stall.upperBound : ready)
      }
    }
    return waits
  }

  @Test func aStallOfASecondIsSeenByEachProbeThatWasDue() throws {
    let stalled = Self.waits(stallSeconds: 1)
    #expect(stalled.count >= 99)
    #expect(try #require(LoadCourse.p99(stalled)) > 0.8)
    #expect(stalled.count { $0 > 0.04 } == 10)
    #expect(try #require(LoadCourse.p99(Self.waits(stallSeconds: 0))) < 0.005)
  }

  @Test func the99thOfAHundredCounts() {
    #expect(LoadCourse.p99([]) == nil)
    #expect(LoadCourse.p99([7]) == 7)
    #expect(LoadCourse.p99((1...100).map(Double.init).shuffled()) == 99)
    #expect(LoadCourse.p99((1...1000).map(Double.init)) == 990)
    #expect(LoadCourse.p99((1...101).map(Double.init)) == 100)
  }

  private static let start = Monotonic(seconds: 1000)

  /// Ten seconds of quiet at 100 commands a second, and then a load for some seconds.
  private static func course(
    _ rules: LoadRules = LoadRules(), seconds: Int = 10, wait: Double = 0.001, late: Double = 0,
    _ sample: (_ second: Int) -> LoadSample
  ) -> LoadCourse {
    var course = LoadCourse(rules)
    for second in 0...10 {
      let now = start + Double(second)
      course.note(LoadSample(at: now, commands: second * 100, limitBytes: 1000, busySeconds: 0), of: "a")
      for _ in 0..<10 { course.note(ProbeSchedule.Ended(waitSeconds: 0.001, isAnswered: true), at: now) }
    }
    course.beginLoad(at: start + 10)
    for second in 1...seconds {
      let now = start + 10 + Double(second)
      course.note(sample(second), of: "a")
      for _ in 0..<10 {
        course.note(ProbeSchedule.Ended(waitSeconds: wait, isAnswered: true), at: now)
        course.note(lateSeconds: late, at: now)
      }
    }
    return course
  }

  /// 300 commands a second.
  private static func sample(
    _ second: Int, errors: Int = 0, evictions: Int = 0, refused: Int = 0, used: Int = 100, lag: Double? = nil
  ) -> LoadSample {
    LoadSample(
      at: start + 10 + Double(second), commands: 1000 + second * 300, errors: errors, evictions: evictions,
      refusedClients: refused, usedBytes: used, limitBytes: 1000, busySeconds: Double(second) * 0.5, lagSeconds: lag)
  }

  private static func stop(_ course: LoadCourse, after seconds: Int = 10) -> LoadCourse.Stop? {
    course.reasonToStop(at: start + 10 + Double(seconds))
  }

  @Test func aLoadThatIsBorneGoesOn() {
    let course = Self.course { Self.sample($0) }
    #expect(Self.stop(course) == nil)
    #expect(course.baseRate == 100 && course.loadRate == 300 && course.reachedFactor == 3)
    #expect(course.p99Seconds == 0.001)
    // Before the load nothing ends it.
    #expect(LoadCourse(LoadRules()).reasonToStop(at: Self.start) == nil)
  }

  @Test func eachHarmEndsIt() {
    var rules = LoadRules()
    rules.areEvictionsAllowed = false
    #expect(Self.stop(Self.course { Self.sample($0, errors: $0 * 15) }) == .errors)
    #expect(Self.stop(Self.course { Self.sample($0, errors: $0 * 14) }) == nil)
    #expect(Self.stop(Self.course { Self.sample($0, used: 900) }) == .memory)
    #expect(Self.stop(Self.course { Self.sample($0, used: 899) }) == nil)
    #expect(Self.stop(Self.course(rules) { Self.sample($0, evictions: $0 == 10 ? 1 : 0) }) == .evictions)
    #expect(Self.stop(Self.course { Self.sample($0, evictions: $0) }) == nil)
    #expect(Self.stop(Self.course(wait: 0.011) { Self.sample($0) }) == .latency)
    #expect(Self.stop(Self.course(wait: 0.01) { Self.sample($0) }) == nil)
    #expect(Self.stop(Self.course(late: 0.006) { Self.sample($0) }) == .lateProbes)
    // A cache that may evict is full by design.
    rules.areEvictionsAllowed = true
    #expect(Self.stop(Self.course(rules) { Self.sample($0, evictions: $0, used: 1000) }) == nil)
  }

  private static func outcome(_ course: LoadCourse, stop: LoadCourse.Stop? = nil, end: ChildEnd = .exited(0))
    -> LoadOutcome
  {
    LoadOutcome(
      workload: "carts", course: course, stop: stop, command: end, loadSeconds: 10, startedAt: WallTime(seconds: 1),
      endedAt: WallTime(seconds: 30))
  }

  private static func told(_ outcome: LoadOutcome) -> [String] {
    outcome.results.filter { $0.answer != .ok }.map { "\($0.check) \($0.answer.rawValue)" }
  }

  @Test func theObjectivesJudge() throws {
    var rules = LoadRules()
    (rules.factor, rules.p99Seconds, rules.memoryRatio, rules.lagSeconds) = (3, 0.005, 0.5, 2)
    rules.areEvictionsAllowed = false
    let good = Self.outcome(Self.course(rules) { Self.sample($0, lag: 1) })
    #expect(Self.told(good) == [])
    #expect(
      good.report.verdict == .ok && good.report.numbers["factor"] == 3 && good.report.numbers["busy_ratio"] == 0.5
    )
    #expect(Self.told(Self.outcome(Self.course(rules, wait: 0.006) { Self.sample($0) })) == ["load-latency finding"])
    #expect(Self.told(Self.outcome(Self.course(rules) { Self.sample($0, used: 501) })) == ["load-memory finding"])
    #expect(
      Self.told(Self.outcome(Self.course(rules) { Self.sample($0, evictions: $0) })) == ["load-evictions finding"])
    #expect(Self.told(Self.outcome(Self.course(rules) { Self.sample($0, refused: $0) })) == ["load-refused finding"])
    #expect(Self.told(Self.outcome(Self.course(rules) { Self.sample($0, lag: 3) })) == ["load-lag finding"])
    #expect(Self.told(Self.outcome(Self.course(rules) { Self.sample($0, errors: $0 * 15) })) == ["load-errors finding"])
    #expect(
      Self.told(Self.outcome(Self.course(rules, late: 0.006) { Self.sample($0) }, stop: .lateProbes))
        == ["load-command unknown", "load-probes unknown"])
  }

  @Test func aFactorThatWasNotReachedIsToldAndProvesNothing() {
    var rules = LoadRules()
    rules.factor = 4
    let outcome = Self.outcome(Self.course(rules) { Self.sample($0) })
    #expect(Self.told(outcome) == ["load-factor unknown"])
    #expect(outcome.report.verdict == .unknown)
    // Of the peak that a daemon knows.
    (rules.factor, rules.peakRate) = (3, 150)
    #expect(Self.told(Self.outcome(Self.course(rules) { Self.sample($0) })) == ["load-factor unknown"])
  }

  @Test func aGeneratorThatFailsProvesNothing() {
    let course = Self.course { Self.sample($0) }
    #expect(Self.told(Self.outcome(course, end: .exited(1))) == ["load-command unknown"])
    // SIGTERM at the end of its time is how it should end.
    #expect(Self.told(Self.outcome(course, end: .exited(143))) == [])
    #expect(Self.told(Self.outcome(course, stop: .errors, end: .exited(143))) == ["load-command finding"])
  }
}
