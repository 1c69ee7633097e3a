import Fleet
import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct TimelineTests {
  @Test func theFirstThatTellsOfAStepCounts() {
    let timeline = Timeline()
    timeline.note(.sdown, "a finds it down", at: Monotonic(seconds: 2))
    timeline.note(.sdown, "b finds it down", at: Monotonic(seconds: 3))
    #expect(timeline.first(.sdown) == Monotonic(seconds: 2))
    #expect(timeline.entries.map(\.text) == ["a finds it down"])
  }

  @Test func aSwitchIsOneWhoeverTellsOfIt() {
    let timeline = Timeline()
    let (one, other) = (NodeAddress(host: "a", port: 1), NodeAddress(host: "b", port: 1))
    for second in 1...3 { timeline.noteSwitch(to: one, "to a", at: Monotonic(seconds: Double(second))) }
    #expect(timeline.switches.count == 1 && timeline.first(.switched) == Monotonic(seconds: 1))
    timeline.noteSwitch(to: other, "to b", at: Monotonic(seconds: 9))
    #expect(timeline.switches.map(\.to) == [one, other])
  }

  @Test func itIsBounded() {
    let timeline = Timeline()
    for number in 0..<1000 { timeline.note("\(number)") }
    #expect(timeline.entries.count == 200)
  }
}
