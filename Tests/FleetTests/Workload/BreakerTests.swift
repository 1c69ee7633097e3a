import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite struct BreakerTests {
  /// Steps as `seconds fail|refuse|succeed|try?|wake`, where `try+` may and `try-` may not.
  @Test(arguments: [
    ("four failures", "0 fail,1 fail,2 fail,3 fail,4 try+", false),
    ("five failures", "0 fail,1 fail,2 fail,3 fail,4 fail,4.5 try-,5 try+,5.1 try-", true),
    ("a success between", "0 fail,1 fail,2 fail,3 fail,4 succeed,5 fail,6 try+", false),
    ("quiet for 60 s between", "0 fail,1 fail,2 fail,3 fail,64 fail,65 try+", false),
    ("each failure keeps the count for another 60 s", "0 fail,50 fail,100 fail,150 fail,200 fail,200.5 try-", true),
    (
      "the wait doubles up to 8 s",
      "0 fail,0 fail,0 fail,0 fail,0 fail,1 try+,1 fail,2.9 try-,3 try+,3 fail,6.9 try-,7 try+,7 fail,14.9 try-,15 try+,15 fail,22.9 try-,23 try+",
      true
    ),
    ("a success closes", "0 fail,0 fail,0 fail,0 fail,0 fail,1 try+,1 succeed,1 try+,1 fail,1 try+", false),
    ("a poll that was under way", "0 fail,0 fail,0 fail,0 fail,0 fail,0.9 fail,1 try+", true),
    ("no connection left", "0 refuse,7.9 try-,8 try+,8 fail,15.9 try-,16 try+", true),
    ("woken", "0 fail,0 fail,0 fail,0 fail,0 fail,0.1 try-,0.2 wake,0.2 try+", true),
    ("waking a closed one changes nothing", "0 wake,0 try+", false),
  ])
  func courses(name: String, steps: String, isOpen: Bool) {
    var breaker = Breaker()
    for step in steps.split(separator: ",") {
      let words = step.split(separator: " ")
      let seconds = Double(words[0]) ?? .nan
      switch words[1] {
      case "fail": breaker.fail(at: .init(seconds: seconds), jitter: 0.5)
      case "refuse": breaker.fail(at: .init(seconds: seconds), jitter: 0.5, isRefusal: true)
      case "succeed": breaker.succeed()
      case "wake": breaker.wake(at: .init(seconds: seconds))
      case "try+", "try-":
        let mayTry = breaker.mayTry(at: .init(seconds: seconds))
        #expect(mayTry == (words[1] == "try+"), "\(name): \(step)")
      default: Issue.record("\(step)")
      }
    }
    #expect(breaker.isOpen == isOpen)
  }

  @Test(arguments: [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2), (-7, 0.8), (7, 1.2)])
  func jitterSpreadsTheWait(jitter: Double, wait: Double) throws {
    var breaker = Breaker()
    for _ in 0..<5 { breaker.fail(at: 10, jitter: jitter) }
    let retry = try #require(breaker.retry)
    #expect(abs((retry - Monotonic(seconds: 10)) - wait) < 1e-9)
    #expect(breaker.openedCount == 1 && breaker.failureCount == 5)
  }
}

@Suite struct RosterTests {
  /// A step lists members as `a` up, `-b` down, with the number expected; what must change, as `+a` arrived, `?b` went,
  /// `!b` returned, `~b` ghost, `/b` dropped.
  struct Step: Sendable {
    let seconds: Double
    let listed: String
    let expected: Int?
    let changes: String
    init(_ seconds: Double, _ listed: String, _ expected: Int?, _ changes: String = "") {
      (self.seconds, self.listed, self.expected, self.changes) = (seconds, listed, expected, changes)
    }
  }

  struct Course: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let steps: [Step]
  }

  static func text(_ change: Roster.Change) -> String {
    func letter(_ address: NodeAddress) -> String { String(decoding: [UInt8(97 + address.port - 7000)], as: UTF8.self) }
    return switch change {
    case .arrived(let address): "+" + letter(address)
    case .went(let address): "?" + letter(address)
    case .returned(let address): "!" + letter(address)
    case .becameGhost(let address): "~" + letter(address)
    case .dropped(let address): "/" + letter(address)
    }
  }

  @Test(arguments: [
    Course(
      testDescription: "a member dies and comes back",
      steps: [
        Step(0, "a b c", 3, "+a +b +c"), Step(5, "a -b c", 3, "?b"), Step(9999, "a -b c", 3),
        Step(10_000, "a b c", 3, "!b"),
      ]),
    Course(
      testDescription: "a member vanishes and stays missing while it is expected",
      steps: [Step(0, "a b c", 3, "+a +b +c"), Step(5, "a c", 3, "?b"), Step(90_000, "a c", 3)]),
    Course(
      testDescription: "replaced at another address, and remembered for ever by the Sentinels",
      steps: [
        Step(0, "a b c", 3, "+a +b +c"), Step(5, "a -b c", 3, "?b"), Step(60, "a -b c d", 3, "+d ~b"),
        Step(61, "a -b c d", 3),
        Step(660, "a -b c d", 3, "/b"), Step(661, "a -b c d", 3), Step(999, "a b c d", 3, "+b"),
      ]),
    Course(
      testDescription: "a ghost that is needed again",
      steps: [
        Step(0, "a b", 2, "+a +b"), Step(5, "a -b c", 2, "+c ?b ~b"), Step(6, "a -b -c", 2, "?b ?c"),
        Step(7, "a b -c", 2, "!b ~c"),
      ]),
    Course(
      testDescription: "forgotten after it was dropped, it is new",
      steps: [
        Step(0, "a b", 1, "+a +b"), Step(1, "a -b", 1, "?b ~b"), Step(601, "a -b", 1, "/b"), Step(602, "a", 1),
        Step(603, "a -b", 1, "+b ~b"),
      ]),
    Course(
      testDescription: "without a number, listed is expected",
      steps: [
        Step(0, "a b c", nil, "+a +b +c"), Step(5, "a -b c", nil, "?b"), Step(9999, "a -b c", nil),
        Step(10_000, "a c", nil, "~b"),
        Step(10_600, "a c", nil, "/b"),
      ]),
    Course(
      testDescription: "removed for good",
      steps: [
        Step(0, "a b c", 2, "+a +b +c"), Step(5, "a b", 2, "?c ~c"), Step(9, "a b", 2), Step(10, "a b", 2, "/c"),
        Step(11, "a b", 2),
      ]),
    Course(
      testDescription: "a topology that cannot be read removes nobody",
      steps: [Step(0, "a b", nil, "+a +b"), Step(5, "", nil), Step(9999, "", nil), Step(10_000, "a b", nil)]),
    Course(testDescription: "down from the start", steps: [Step(0, "a -b", 2, "+a +b"), Step(5, "a b", 2, "!b")]),
  ])
  func courses(_ course: Course) {
    var roster = Roster()
    for step in course.steps {
      let listings = step.listed.split(separator: " ").map { word in
        Roster.Listing(place(String(word.suffix(1))), isUp: !word.hasPrefix("-"), answers: nil)
      }
      let changes = roster.update(listings, expectedCount: step.expected, at: .init(seconds: step.seconds)).map(
        Self.text)
      // Within one step the order of different members is of no account.
      #expect(changes.sorted() == step.changes.split(separator: " ").map(String.init).sorted(), "at \(step.seconds)")
    }
  }

  @Test func itsOwnAnswerIsTheBetterEvidence() {
    var roster = Roster()
    _ = roster.update([.init(place("a"), isUp: true, answers: false)], expectedCount: 1, at: 0)
    #expect(roster.members[place("a")] == .missing(since: 0))
    _ = roster.update([.init(place("a"), isUp: false, answers: true)], expectedCount: 1, at: 1)
    #expect(roster.members[place("a")] == .present)
    #expect(Roster.State.names.contains(Roster.State.ghost(since: 0).name))
  }

  @Test func membersAreBounded() {
    var options = Roster.Options()
    options.memberLimit = 10
    var roster = Roster(options)
    let many = (0..<100).map { Roster.Listing(NodeAddress(host: "h", port: $0), isUp: $0 % 2 == 0, answers: nil) }
    let changes = roster.update(many, expectedCount: nil, at: 0)
    #expect(changes.count == 10)
    #expect(roster.members.count == 10)
  }
}
