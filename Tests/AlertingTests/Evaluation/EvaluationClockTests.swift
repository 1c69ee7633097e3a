import Testing

@testable import Alerting

@Suite(.timeLimit(.minutes(1))) struct EvaluationClockTests {
  @Test func aClockPutForwardIsFollowedByAStep() {
    var clock = EvaluationClock(wallMilliseconds: 1_000_000, bootMilliseconds: 5_000)
    #expect(clock.adjust(wallMilliseconds: 1_002_000, bootMilliseconds: 7_000) == 0)
    #expect(clock.now(bootMilliseconds: 7_000) == 1_002_000)
    #expect(clock.adjust(wallMilliseconds: 1_303_000, bootMilliseconds: 8_000) == 300_000)
    #expect(clock.now(bootMilliseconds: 8_000) == 1_003_000)
    clock.step(byMilliseconds: 300_000)
    #expect(clock.now(bootMilliseconds: 8_000) == 1_303_000)
    #expect(clock.adjust(wallMilliseconds: 1_304_000, bootMilliseconds: 9_000) == 0)
  }

  @Test func aClockPutBackIsFollowedByAStep() {
    var clock = EvaluationClock(wallMilliseconds: 1_000_000, bootMilliseconds: 0)
    #expect(clock.adjust(wallMilliseconds: 400_000, bootMilliseconds: 1_000) == -601_000)
    #expect(clock.now(bootMilliseconds: 1_000) == 1_001_000)
    #expect(clock.aheadMilliseconds(wallMilliseconds: 400_000, bootMilliseconds: 1_000) == 601_000)
    clock.step(byMilliseconds: -601_000)
    #expect(clock.now(bootMilliseconds: 1_000) == 400_000)
    #expect(clock.aheadMilliseconds(wallMilliseconds: 400_000, bootMilliseconds: 1_000) == 0)
  }

  @Test func smallDifferencesAreMadeUpForSlowly() {
    var clock = EvaluationClock(wallMilliseconds: 10_000, bootMilliseconds: 0)
    var last = clock.now(bootMilliseconds: 0)
    for second in 1...100 {
      let boot = Int64(second) * 1000
      #expect(clock.adjust(wallMilliseconds: 10_000 + boot - 50, bootMilliseconds: boot) == 0)
      let now = clock.now(bootMilliseconds: boot)
      #expect(now > last)
      last = now
    }
    #expect(clock.offsetMilliseconds == 9_950)
  }
}
