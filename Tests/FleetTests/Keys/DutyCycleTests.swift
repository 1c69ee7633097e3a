import Testing

@testable import Fleet

@Suite struct DutyCycleTests {
  @Test func afterTheBurstABatchIsFollowedByItsShareOfRest() {
    var duty = DutyCycle(ratio: 0.01, burstSeconds: 0)
    duty.note(busySeconds: 0.010, at: 100.010)
    // t (1/duty - 1): what was earned before the batch is capped at the burst, here 0.
    #expect(abs(duty.waitSeconds(at: 100.010) - 1) < 1e-9)
  }

  @Test func littleWorkIsDoneAtOnce() {
    var duty = DutyCycle(ratio: 0.01, burstSeconds: 0.1)
    for batch in 1...9 {
      duty.note(busySeconds: 0.010, at: Double(batch) * 0.010)
      #expect(duty.waitSeconds(at: Double(batch) * 0.010) == 0)
    }
  }

  @Test func restRefillsTheBurstAndNoMore() {
    var duty = DutyCycle(ratio: 0.01, burstSeconds: 0.1)
    duty.note(busySeconds: 0.1, at: 0.1)
    duty.note(busySeconds: 0.1, at: 1_000_000)
    #expect(duty.waitSeconds(at: 1_000_000) < 1e-9)
    duty.note(busySeconds: 0.1, at: 1_000_000.1)
    #expect(duty.waitSeconds(at: 1_000_000.1) > 9)
  }

  @Test(arguments: [0.001, 0.01, 0.1, 0.5, 1.0]) func neverTakesMoreThanItsShare(ratio: Double) {
    var random = SeededRandom(seed: 3)
    var duty = DutyCycle(ratio: ratio, burstSeconds: 0.1)
    var now = 0.0
    var busy = 0.0
    var longest = 0.0
    for _ in 0..<2_000 {
      now += duty.waitSeconds(at: now)
      let batch = Double.random(in: 0...0.02, using: &random)
      now += batch
      busy += batch
      longest = max(longest, batch)
      duty.note(busySeconds: batch, at: now)
      #expect(busy <= ratio * now + 0.1 + longest + 1e-9)
    }
    // And it does use its share.
    #expect(busy >= ratio * now * 0.99)
  }

  @Test(arguments: [-1.0, 0, .nan, 7, .infinity]) func aBadRatioIsMadeAShare(ratio: Double) {
    let duty = DutyCycle(ratio: ratio)
    #expect(duty.ratio > 0 && duty.ratio <= 1)
  }

  @Test func aClockThatStandsStillOwesNoMore() {
    var duty = DutyCycle(ratio: 0.5, burstSeconds: 0)
    duty.note(busySeconds: 1, at: 10)
    duty.note(busySeconds: -5, at: 5)
    #expect(duty.waitSeconds(at: 10) == 2)
  }
}
