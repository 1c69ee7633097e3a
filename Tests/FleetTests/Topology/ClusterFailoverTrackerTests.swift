import Redis
import Testing

@testable import Fleet

@Suite struct ClusterFailoverTrackerTests {
  /// Views as steps: seconds, text (`nil` is a restart that keeps the state), and the failovers seen, as `from>to kind`.
  struct Step: Sendable {
    let seconds: Double
    let text: String?
    var failovers: [String] = []
  }

  struct Course: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let steps: [Step]
  }

  static let steady = ClusterViewTests.steady
  static let failing = steady.replacing("a master", with: "a master,fail")
  static let failedOver = ClusterViewTests.failedOver
  static let failedOverDead = failedOver.replacing("a slave d 7", with: "a master,fail - 1")
  static let backAgain = steady.replacing("a master - 1", with: "a master - 8").replacing(
    "d slave a 1", with: "d slave a 8")
  static let resharded = steady.replacing("0-5460", with: "0-100").replacing(
    "b master - 2 5461-10922", with: "b master - 9 101-10922")

  static let forming = steady.replacing("d slave a 1", with: "d master - 4")

  static let courses: [Course] = [
    Course(testDescription: "steady", steps: [Step(seconds: 0, text: steady), Step(seconds: 5, text: steady)]),
    Course(
      testDescription: "a master is killed",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 1, text: failing),
        Step(seconds: 2, text: failedOverDead, failovers: ["a>d automatic"]), Step(seconds: 3, text: failedOverDead),
        Step(seconds: 4, text: failedOver),
      ]),
    Course(
      testDescription: "killed between two polls",
      steps: [Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOverDead, failovers: ["a>d automatic"])]),
    Course(
      testDescription: "manual, and back",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOver, failovers: ["a>d manual"]),
        Step(seconds: 10, text: backAgain, failovers: ["d>a manual"]), Step(seconds: 15, text: backAgain),
      ]),
    Course(
      testDescription: "a report from before does not count twice",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOver, failovers: ["a>d manual"]),
        Step(seconds: 6, text: steady), Step(seconds: 7, text: failedOver),
      ]),
    Course(
      testDescription: "a master without slots became a replica and then took over",
      steps: [
        Step(seconds: 0, text: forming), Step(seconds: 2, text: steady),
        Step(seconds: 5, text: failedOver, failovers: ["a>d manual"]),
      ]),
    Course(
      testDescription: "while the daemon was down",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 60, text: nil),
        Step(seconds: 70, text: failedOver, failovers: ["a>d missed"]),
        Step(seconds: 75, text: failedOver),
      ]),
    Course(
      testDescription: "after an outage of everything",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: ""),
        Step(seconds: 400, text: failedOver, failovers: ["a>d missed"]),
      ]),
    Course(testDescription: "resharding", steps: [Step(seconds: 0, text: steady), Step(seconds: 5, text: resharded)]),
    Course(
      testDescription: "the first view",
      steps: [Step(seconds: 0, text: failedOver), Step(seconds: 5, text: failedOver)]),
  ]

  @Test(arguments: courses)
  func counts(_ course: Course) {
    var tracker = ClusterFailoverTracker()
    #expect(tracker.state.counts == [.automatic: 0, .manual: 0, .missed: 0])
    var total = 0
    for step in course.steps {
      guard let text = step.text else {
        tracker = ClusterFailoverTracker(state: tracker.state)
        continue
      }
      let found = tracker.observe(ClusterView([clusterReport(text, by: "b")]), atSeconds: step.seconds)
      #expect(found.map { "\($0.fromID)>\($0.toID) \($0.kind.rawValue)" } == step.failovers, "at \(step.seconds)")
      #expect(found.allSatisfy { $0.slotCount == 5461 && $0.epoch >= 7 })
      total += found.count
      if !found.isEmpty { #expect(tracker.state.lastFailoverSeconds == step.seconds) }
    }
    #expect(tracker.state.counts.values.reduce(0, +) == total)
  }
}
