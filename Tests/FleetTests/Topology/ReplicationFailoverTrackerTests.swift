import Redis
import Runtime
import Testing

@testable import Fleet

@Suite struct ReplicationFailoverTrackerTests {
  /// Members as steps: `A:m` a master, `B:A` a replica of A, `C:-` one that does not answer, `A:m:x` the process x at A;
  /// nil is a restart that keeps the state. Then the failover that is counted, as `A>B kind`.
  struct Step: Sendable {
    let seconds: Double
    let members: String?
    var failover: String?
  }

  struct Course: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let steps: [Step]
  }

  static let courses: [Course] = [
    Course(
      testDescription: "steady",
      steps: [Step(seconds: 0, members: "A:m B:A C:A"), Step(seconds: 5, members: "A:m B:A C:A")]),
    Course(
      testDescription: "manual, step by step",
      steps: [
        Step(seconds: 0, members: "A:m B:A C:A"), Step(seconds: 1, members: "A:m B:m C:A"),
        Step(seconds: 2, members: "A:m B:m C:B", failover: "A>B manual"), Step(seconds: 3, members: "A:B B:m C:B"),
      ]),
    Course(
      testDescription: "manual with one replica: two masters for a while are no failover",
      steps: [
        Step(seconds: 0, members: "B:m A:B"), Step(seconds: 1, members: "B:m A:m"),
        Step(seconds: 9, members: "B:m A:m"),
        Step(seconds: 10, members: "B:A A:m", failover: "B>A manual"),
      ]),
    Course(
      testDescription: "the master dies and another takes over",
      steps: [
        Step(seconds: 0, members: "A:m B:A C:A"), Step(seconds: 1, members: "A:- B:A C:A"),
        Step(seconds: 3, members: "A:- B:m C:A"), Step(seconds: 4, members: "A:- B:m C:B", failover: "A>B automatic"),
        Step(seconds: 5, members: "A:- B:m C:B"), Step(seconds: 60, members: "A:m:new B:m C:B"),
        Step(seconds: 61, members: "A:B:new B:m C:B"),
      ]),
    Course(
      testDescription: "it is back as a replica, as another process, before anybody looked",
      steps: [
        Step(seconds: 0, members: "A:m B:A"), Step(seconds: 5, members: "A:B:new B:m", failover: "A>B automatic"),
      ]),
    Course(
      testDescription: "nobody follows the new master yet",
      steps: [
        Step(seconds: 0, members: "A:m B:A"), Step(seconds: 2, members: "A:- B:A"),
        Step(seconds: 3, members: "A:- B:m"), Step(seconds: 6, members: "A:- B:m", failover: "A>B automatic"),
      ]),
    Course(
      testDescription: "a poll that fails while there are two masters",
      steps: [
        Step(seconds: 0, members: "A:m B:A"), Step(seconds: 1, members: "A:m B:m"),
        Step(seconds: 2, members: "A:- B:m"),
        Step(seconds: 3, members: "A:m B:m"),
      ]),
    Course(
      testDescription: "a master that is restarted in place",
      steps: [
        Step(seconds: 0, members: "A:m B:A"), Step(seconds: 5, members: "A:- B:A"),
        Step(seconds: 20, members: "A:m:new B:A"),
      ]),
    Course(
      testDescription: "the same master under another name",
      steps: [Step(seconds: 0, members: "A:m:x B:A"), Step(seconds: 5, members: "D:m:x B:D")]),
    Course(
      testDescription: "while the daemon was away",
      steps: [
        Step(seconds: 0, members: "A:m B:A C:A"), Step(seconds: 1, members: nil),
        Step(seconds: 8, members: "A:- B:-"), Step(seconds: 8.5, members: "A:- B:m"),
        Step(seconds: 9, members: "A:B B:m C:B", failover: "A>B missed"), Step(seconds: 10, members: "A:B B:m C:B"),
      ]),
    Course(
      testDescription: "after a restart from a replica as seed",
      steps: [
        Step(seconds: 0, members: "A:m B:A C:A"), Step(seconds: 1, members: nil), Step(seconds: 2, members: "C:A"),
        Step(seconds: 3, members: "A:m B:A C:A"),
      ]),
  ]

  static func address(_ letter: Substring) -> NodeAddress {
    NodeAddress(host: "10.0.0.\(Int(letter.utf8.first ?? 0) - 64)", port: 6379)
  }

  @Test(arguments: courses) func counts(_ course: Course) {
    var tracker = ReplicationFailoverTracker()
    #expect(tracker.state.counts == [.automatic: 0, .manual: 0, .missed: 0])
    var keys: [String] = []
    for step in course.steps {
      guard let text = step.members else {
        var state = ReplicationFailoverTracker.State(text: tracker.state.text)
        state.counts = tracker.state.counts
        #expect(state == tracker.state)
        tracker = ReplicationFailoverTracker(state: state)
        continue
      }
      let words = text.split(separator: " ").map { $0.split(separator: ":") }
      let view = ReplicationView(
        words.map { parts in
          let isMaster = parts[1] == "m"
          return ReplicationView.Member(
            Self.address(parts[0]),
            facts: parts[1] == "-"
              ? nil
              : ReplicationFacts(
                isMaster: isMaster, masterAddress: isMaster ? nil : Self.address(parts[1]), isLinkUp: !isMaster))
        })
      let members = words.map { parts in
        let runID = String(parts.count > 2 ? parts[2] : parts[0])
        return (
          Self.address(parts[0]),
          ReplicationFailoverTracker.Member(
            answers: parts[1] != "-", runID: parts[1] == "-" ? nil : runID, replicationID: "id\(parts[0])")
        )
      }
      let found = tracker.observe(view, Dictionary(uniqueKeysWithValues: members), at: .init(seconds: step.seconds))
      func letter(_ address: NodeAddress?) -> String {
        guard let address else { return "?" }
        return String(UnicodeScalar(UInt8(64 + (Int(address.host.split(separator: ".")[3]) ?? 0))))
      }
      let told = found.map { "\(letter($0.from))>\(letter($0.to)) \($0.kind.rawValue)" }
      #expect(told == step.failover, "at \(step.seconds)")
      if let found {
        keys.append(found.key)
        #expect(found.mark == "id\(letter(found.to))", "what two daemons know it by")
      }
    }
    #expect(tracker.state.counts.values.reduce(0, +) == keys.count)
    #expect(keys == keys.indices.map { "\($0 + 1)" })
  }
}
