import PromQL
import Testing

@testable import Alerting

@Suite struct AlertTrackerTests {
  /// What happens to the alerts of one rule, evaluation by evaluation.
  struct Story: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var forSeconds: Int64 = 0
    var keepFiringForSeconds: Int64 = 0
    var limit = 0
    /// Second, the alerts whose expression holds, and what the tracker then says: `a` pending, `A` firing, `(a)` resolved;
    /// `!` for an error.
    let steps: [(at: Int64, holding: String, state: String)]

    init(
      _ description: String, forSeconds: Int64 = 0, keepFiringForSeconds: Int64 = 0, limit: Int = 0,
      _ steps: [(Int64, String, String)]
    ) {
      testDescription = description
      self.forSeconds = forSeconds
      self.keepFiringForSeconds = keepFiringForSeconds
      self.limit = limit
      self.steps = steps.map { ($0.0, $0.1, $0.2) }
    }
  }

  static let stories = [
    Story("without for it fires at once", [(0, "a", "A"), (60, "a", "A"), (120, "", "(a)")]),
    Story("a short for fires at the second evaluation", forSeconds: 1, [(0, "a", "a"), (60, "a", "A")]),
    Story("for counts from the first time", forSeconds: 120, [(0, "a", "a"), (60, "a", "a"), (120, "a", "A")]),
    Story(
      "a miss starts the wait anew", forSeconds: 120,
      [
        (0, "a", "a"), (60, "a", "a"), (120, "", ""), (180, "a", "a"), (240, "a", "a"), (300, "a", "A"),
      ]),
    Story("a pending alert that ends leaves no trace", forSeconds: 60, [(0, "a", "a"), (30, "", "")]),
    Story(
      "resolved for a quarter of an hour",
      [
        (0, "a", "A"), (60, "", "(a)"), (960, "", "(a)"), (961, "", ""),
      ]),
    Story(
      "resolved and back: pending anew", forSeconds: 60,
      [
        (0, "a", "a"), (60, "a", "A"), (120, "", "(a)"), (180, "a", "a"), (240, "a", "A"),
      ]),
    Story(
      "kept firing until the time is over", keepFiringForSeconds: 120,
      [
        (0, "a", "A"), (60, "", "A"), (120, "", "A"), (179, "", "A"), (180, "", "(a)"),
      ]),
    Story(
      "back while kept firing: the time starts anew", keepFiringForSeconds: 120,
      [
        (0, "a", "A"), (60, "", "A"), (120, "a", "A"), (200, "", "A"), (319, "", "A"), (320, "", "(a)"),
      ]),
    Story(
      "keeping is for firing alerts alone", forSeconds: 60, keepFiringForSeconds: 120, [(0, "a", "a"), (30, "", "")]),
    Story(
      "label sets live apart", forSeconds: 60,
      [
        (0, "a", "a"), (60, "ab", "Ab"), (120, "b", "(a)B"), (180, "ab", "aB"), (240, "", "(b)"),
      ]),
    Story("past the limit all are dropped", limit: 1, [(0, "a", "A"), (60, "ab", "!"), (120, "b", "B")]),
    Story("resolved alerts do not count", limit: 1, [(0, "a", "A"), (60, "b", "(a)B")]),
    Story("kept ones do count", keepFiringForSeconds: 600, limit: 1, [(0, "a", "A"), (60, "b", "!"), (120, "", "")]),
    Story("two alike are an error and change nothing", [(0, "a", "A"), (60, "bb", "!"), (120, "a", "A")]),
  ]

  static func labels(_ name: Character) -> Labels { ["alertname": "X", "name": String(name)] }

  static func found(_ names: String, at now: Int64, value: Double = 1) -> [Alert] {
    names.map { Alert(labels: labels($0), annotations: [:], value: value, activeAtMilliseconds: now) }
  }

  static func told(_ tracker: AlertTracker) -> String {
    tracker.all.map { alert in
      let name = alert.labels["name"] ?? "?"
      return switch alert.state {
      case .pending: name
      case .firing: name.uppercased()
      case .inactive: "(\(name))"
      }
    }.joined()
  }

  @Test(arguments: stories)
  func isTold(_ story: Story) {
    var tracker = AlertTracker()
    let timing = AlertTracker.Timing(
      forMilliseconds: story.forSeconds * 1000, keepFiringForMilliseconds: story.keepFiringForSeconds * 1000)
    for step in story.steps {
      let now = step.at * 1000
      do throws(RuleError) {
        try tracker.update(
          with: Self.found(step.holding, at: now), timing: timing, limit: story.limit, atMilliseconds: now)
        #expect(Self.told(tracker) == step.state, "at \(step.at)")
      } catch {
        #expect(step.state == "!", "at \(step.at): \(error)")
      }
    }
  }

  @Test func raisedForGoesBackToPendingInPrometheus3Alone() throws {
    for (demotes, state) in [(true, "a"), (false, "A")] {
      var tracker = AlertTracker()
      try tracker.update(with: Self.found("a", at: 0), timing: .init(forMilliseconds: 0), limit: 0, atMilliseconds: 0)
      let raised = AlertTracker.Timing(forMilliseconds: 300_000, demotesOnRaisedFor: demotes)
      try tracker.update(with: Self.found("a", at: 60_000), timing: raised, limit: 0, atMilliseconds: 60_000)
      #expect(Self.told(tracker) == state)
    }
  }

  @Test func valueAndAnnotationsFollowTheExpression() throws {
    var tracker = AlertTracker()
    let timing = AlertTracker.Timing(forMilliseconds: 0)
    try tracker.update(with: Self.found("a", at: 0, value: 1), timing: timing, limit: 0, atMilliseconds: 0)
    var second = Self.found("a", at: 60_000, value: 2)
    second[0].annotations = ["summary": "new"]
    try tracker.update(with: second, timing: timing, limit: 0, atMilliseconds: 60_000)
    let alert = try #require(tracker.active.first)
    #expect(alert.value == 2)
    #expect(alert.annotations == ["summary": "new"])
    #expect(alert.activeAtMilliseconds == 0)
    #expect(alert.firedAtMilliseconds == 0)
  }

  @Test func noticesGoOutOnceAMinuteAndAtTheEnd() throws {
    var tracker = AlertTracker()
    let timing = AlertTracker.Timing(forMilliseconds: 15_000)
    var sent: [Int64: [Notification]] = [:]
    for now in stride(from: Int64(0), through: 135_000, by: 15_000) {
      try tracker.update(
        with: Self.found(now < 120_000 ? "a" : "", at: now), timing: timing, limit: 0, atMilliseconds: now)
      sent[now] = tracker.takeNotices(atMilliseconds: now, intervalMilliseconds: 15_000)
    }
    #expect(sent.filter { !$0.value.isEmpty }.keys.sorted() == [15_000, 90_000, 120_000])
    #expect(sent[15_000]?.first?.startsAtMilliseconds == 15_000)
    #expect(sent[15_000]?.first?.endsAtMilliseconds == 255_000)
    #expect(sent[15_000]?.first?.isResolved == false)
    #expect(sent[120_000]?.first?.endsAtMilliseconds == 120_000)
    #expect(sent[120_000]?.first?.isResolved == true)
  }

  @Test func restoredAlertsGoOn() throws {
    var tracker = AlertTracker()
    let kept = Alert(labels: Self.labels("a"), annotations: [:], value: 1, activeAtMilliseconds: 0)
    tracker.restore([kept])
    let timing = AlertTracker.Timing(forMilliseconds: 60_000)
    try tracker.update(with: Self.found("a", at: 60_000), timing: timing, limit: 0, atMilliseconds: 60_000)
    #expect(Self.told(tracker) == "A")
    #expect(tracker.active.first?.activeAtMilliseconds == 0)
  }
}
