import Redis
import Runtime
import Testing

@testable import Fleet

@Suite struct ClusterFailoverTrackerTests {
  /// A view with what its nodes tell: seconds, text (`nil` is a restart that keeps the state), and the failovers that are
  /// counted then, as `from>to kind`.
  struct Step: Sendable {
    let seconds: Double
    let text: String?
    /// `a:down`, `d:mfstart=1`, `b:fail=2`, `a:run=x`: a node is silent, has counted messages, is another process.
    var told = ""
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
  /// As one sees it who asks b, c and e before and d after: nobody's flags say yet that a has failed.
  static let failedOverUnflagged = failedOver.replacing("a slave d 7", with: "a master - 1")
  static let diedLater = failedOver.replacing("a slave d 7", with: "a slave,fail d 7")
  static let backAgain = steady.replacing("a master - 1", with: "a master - 8").replacing(
    "d slave a 1", with: "d slave a 8")
  static let resharded = steady.replacing("0-5460", with: "0-100").replacing(
    "b master - 2 5461-10922", with: "b master - 9 101-10922")

  static let forming = steady.replacing("d slave a 1", with: "d master - 4")
  static let asked = "a:mfstart=1 d:mfstart=1"

  static let courses: [Course] = [
    Course(testDescription: "steady", steps: [Step(seconds: 0, text: steady), Step(seconds: 5, text: steady)]),
    Course(
      testDescription: "a master is killed",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 1, text: failing, told: "a:down"),
        Step(seconds: 2, text: failedOverDead, told: "a:down b:fail=1", failovers: ["a>d automatic"]),
        Step(seconds: 3, text: failedOverDead), Step(seconds: 4, text: failedOver),
      ]),
    Course(
      testDescription: "killed between two polls",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOverDead, told: "a:down", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "killed between two polls, with a view that shows no flag",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOverUnflagged, told: "c:fail=1", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "killed between two polls, and only our own poll tells",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOverUnflagged, told: "a:down", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "killed and started again between two polls",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOver, told: "a:run=other", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "hung and back between two polls: the same process all the time",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOver, told: "a:fail=1 b:fail=1 c:fail=1", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "manual, and back",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: failedOver, told: asked, failovers: ["a>d manual"]),
        Step(seconds: 10, text: backAgain, told: "a:mfstart=2 d:mfstart=2", failovers: ["d>a manual"]),
        Step(seconds: 15, text: backAgain, told: "a:mfstart=2 d:mfstart=2"),
      ]),
    Course(
      testDescription: "manual, and the old master is stopped at once for an upgrade",
      steps: [
        Step(seconds: 0, text: steady),
        Step(seconds: 5, text: diedLater, told: "a:down d:mfstart=1 b:fail=1", failovers: ["a>d manual"]),
      ]),
    Course(
      testDescription: "a manual failover that came to nothing does not excuse a failure later",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: steady, told: asked),
        Step(seconds: 30, text: steady, told: asked),
        Step(
          seconds: 35, text: failedOverDead, told: "a:down d:mfstart=1 b:fail=1", failovers: ["a>d automatic"]),
      ]),
    Course(
      testDescription: "manual, where the request was seen before the promotion",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: steady, told: asked),
        Step(seconds: 6, text: failedOver, told: asked, failovers: ["a>d manual"]),
      ]),
    Course(
      testDescription: "taken over by force from a master that is well",
      steps: [Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOver, failovers: ["a>d manual"])]),
    Course(
      testDescription: "the new master is not heard, the old one is down",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOverDead, told: "a:down d:down"),
        Step(seconds: 8, text: failedOverDead, told: "a:down d:down"),
        Step(seconds: 11, text: failedOverDead, told: "a:down d:down", failovers: ["a>d automatic"]),
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
      testDescription: "the daemon is killed before it knows the kind",
      steps: [
        Step(seconds: 0, text: steady), Step(seconds: 5, text: failedOverDead, told: "a:down d:down"),
        Step(seconds: 6, text: nil), Step(seconds: 7, text: failedOverDead, failovers: ["a>d missed"]),
        Step(seconds: 9, text: failedOverDead),
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

  /// What each node tells of itself: its role by the view, nothing of failures but what `told` adds.
  private func testimonies(_ step: Step, _ view: ClusterView) -> [ClusterTestimony] {
    let told = step.told.split(separator: " ").map { $0.split(whereSeparator: { ":=".contains($0) }).map(String.init) }
    return view.members.map { member in
      var (runID, messages) = (member.id, ClusterTestimony.Messages(manualRequestCount: 0, failNoticeCount: 0))
      var answers = true
      for words in told where words[0] == member.id {
        switch words[1] {
        case "mfstart": messages.manualRequestCount = Int(words[2]) ?? 0
        case "fail": messages.failNoticeCount = Int(words[2]) ?? 0
        case "run": runID = words[2]
        default: answers = false
        }
      }
      return ClusterTestimony(
        id: member.id, ended: .init(seconds: step.seconds),
        answer: answers
          ? .init(runID: runID, isMaster: member.isMaster, messages: messages, failingMasters: []) : nil)
    }
  }

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
      let view = ClusterView([clusterReport(text, by: "b")])
      let found = tracker.observe(view, testimonies(step, view), at: .init(seconds: step.seconds))
      let told = found.map { "\($0.fromID ?? "")>\($0.key.prefix { $0 != "/" }) \($0.kind.rawValue)" }
      #expect(told == step.failovers, "at \(step.seconds)")
      #expect(found.allSatisfy { $0.subject == "5461 slots" && $0.epoch.map { $0 >= 7 } ?? false })
      total += found.count
    }
    #expect(tracker.state.counts.values.reduce(0, +) == total)
    #expect(!tracker.isJudging && (tracker.state.lastFailover != nil) == (total > 0))
  }

  /// Where CLUSTER INFO is denied, flags and the old master itself have to do.
  @Test(arguments: [(failedOverDead, "automatic"), (failedOver, "manual")])
  func judgesWithoutCounts(_ after: String, _ kind: String) {
    var tracker = ClusterFailoverTracker()
    var found: [String] = []
    for seconds in stride(from: 0.0, through: 16, by: 1) {
      let view = ClusterView([clusterReport(seconds < 2 ? Self.steady : after, by: "b")])
      let testimonies = view.members.map { member in
        ClusterTestimony(
          id: member.id, ended: .init(seconds: seconds),
          answer: .init(runID: member.id, isMaster: member.isMaster, messages: nil, failingMasters: []))
      }
      found += tracker.observe(view, testimonies, at: .init(seconds: seconds)).map(\.kind.rawValue)
      #expect(tracker.isJudging == (2..<7 ~= seconds))
    }
    #expect(found == [kind])
  }

  @Test func messagesAreReadFromClusterInfo() {
    func messages(_ lines: String) -> ClusterTestimony.Messages? {
      ClusterTestimony.Messages(InfoText(bytes: Array(lines.replacing("\n", with: "\r\n").utf8)))
    }
    #expect(messages("cluster_state:ok\n") == nil)
    let ping = "cluster_stats_messages_ping_sent:5\n"
    #expect(messages(ping) == .init(manualRequestCount: 0, failNoticeCount: 0))
    let more = "cluster_stats_messages_mfstart_received:1\ncluster_stats_messages_fail_sent:5\n"
    #expect(
      messages(ping + more + "cluster_stats_messages_fail_received:2\n")
        == .init(manualRequestCount: 1, failNoticeCount: 7))
  }
}
