import Redis
import Runtime
import Testing

@testable import Fleet

@Suite struct HitRatioTrackerTests {
  private let address = Readings.address(1)

  private func reading(
    _ hits: Int, _ misses: Int, at seconds: Double, role: String = "master", runID: String = "one", port: Int = 1
  ) -> MemberReading {
    let facts = Readings.facts(
      "role:\(role)\nrun_id:\(runID)\nmaster_host:h\nmaster_port:1\nkeyspace_hits:\(hits)\nkeyspace_misses:\(misses)\n")
    return MemberReading(Readings.address(port), answers: true, facts: facts, began: .init(seconds: seconds))
  }

  private func tracker(_ readings: [MemberReading], own: Double = 0) -> HitRatioTracker {
    var tracker = HitRatioTracker()
    for reading in readings { tracker.note([reading], ownLookups: { _ in own }) }
    return tracker
  }

  @Test func theShareOfTheWindowCountsAndNotThatOfALife() {
    let seen = tracker([
      reading(1_000_000, 0, at: 0), reading(1_000_500, 500, at: 50), reading(1_000_900, 2100, at: 100),
    ])
    #expect(seen.ratio == HitRatioTracker.Ratio(value: 0.3, lookupsPerSecond: 30))
  }

  @Test func littleIsNoVerdict() {
    #expect(tracker([reading(0, 0, at: 0), reading(0, 5000, at: 59)]).ratio == nil, "too short")
    #expect(tracker([reading(0, 0, at: 0), reading(0, 900, at: 100)]).ratio == nil, "too few lookups")
    let replica = tracker([reading(0, 0, at: 0, role: "slave"), reading(0, 9000, at: 100, role: "slave")])
    #expect(replica.ratio == nil)
  }

  @Test func aRestartAndAResetBeginAnew() {
    let restarted = tracker([reading(900, 0, at: 0), reading(0, 9000, at: 100, runID: "two")])
    #expect(restarted.ratio == nil)
    let reset = tracker([reading(90_000, 0, at: 0), reading(10, 10, at: 100), reading(9010, 10, at: 200)])
    #expect(reset.ratio?.value == 1)
  }

  /// 1000 lookups of its own among 3000: the clients hit 1000 of 2000.
  @Test func itsOwnLookupsAreTakenOff() {
    var tracker = HitRatioTracker()
    tracker.note([reading(0, 0, at: 0)], ownLookups: { _ in 0 })
    tracker.note([reading(2000, 1000, at: 100)], ownLookups: { _ in 1000 })
    #expect(tracker.ratio?.value == 0.5)
  }

  @Test func aDayIsHeldInFewMarks() {
    var tracker = HitRatioTracker()
    for second in 0..<86_400 {
      tracker.note([reading(second * 100, second * 50, at: Double(second))], ownLookups: { _ in 0 })
    }
    #expect(abs((tracker.ratio?.lookupsPerSecond ?? 0) - 150) < 1)
    #expect(tracker.markCount < 40)
  }
}
