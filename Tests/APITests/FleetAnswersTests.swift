import Runtime
import TestSupport
import Testing

@testable import API
@testable import Alerting
@testable import Fleet

/// The answers of Redline's own about the fleet and its events.
@Suite struct FleetAnswersTests {
  private func fixture(_ overviews: WorkloadOverview...) -> Fixture {
    var fixture = Fixture()
    fixture.api.fleetView = FleetView(
      .init(overviews: { name in overviews.filter { name == nil || $0.name == name } }), groups: { [] })
    // They are there without rules and without a history.
    fixture.api.judging.isOn = { false }
    return fixture
  }

  private static let budget = ErrorBudget(
    objective: .latency, target: 0.99, limitSeconds: 0.01,
    amount: BudgetAmount(known: 864_000, bad: 6480.0004, spent: 648_000), knownSince: 1, burn: [.hour: 0.25])

  private static var troubled: WorkloadOverview {
    var overview = unwell
    overview.budgets = [budget]
    return overview
  }

  private static let unwell = WorkloadStandingTests.overview(
    .critical, since: 1.5,
    findings: [
      Finding(
        check: "node-down", group: .health, severity: .critical, subject: .node("a:1"), text: "a:1 <is> down",
        since: 1)
    ],
    unknowns: [Blindness(check: "settings-drift", group: .posture, subject: .workload, reason: "+config|get")])

  @Test func aWorkload() async throws {
    let answer = try await fixture(Self.troubled).get("fleet")
    #expect(answer.status == 200)
    #expect(
      answer.data.replacing(/for \d+ d/, with: "for long") == #"""
        {"summary":"w is critical for long: a:1 \u003cis\u003e down.","workloads":[{"name":"w","state":"critical","since":"1970-01-01T00:00:01.5Z","stateByChecks":"critical","kind":"cache","topology":"static","environment":"prod","windows":["maintenance"],"membersPresent":1,"membersExpected":2,"failovers":{"count":3,"last":"1970-01-01T00:00:50Z","summary":"manual","outageSeconds":3.5,"lostBytes":{"least":5,"most":900},"lostWrites":{"least":1}},"traffic":{"operationsPerSecond":1200,"memoryUsedRatio":0.5,"memoryObjectiveRatio":0.8,"evictionsAllowed":false,"clients":7},"budgets":[{"objective":"latency","target":0.99,"withinSeconds":0.01,"days":30,"knownSeconds":864000,"knownSince":"1970-01-01T00:00:01Z","badSeconds":6480,"remainingRatio":0.75,"burn":{"1h":0.25}}],"members":[],"findings":[{"check":"node-down","severity":"critical","group":"health","subject":{"kind":"node","name":"a:1"},"text":"a:1 \u003cis\u003e down","since":"1970-01-01T00:00:01Z"}],"unknown":[{"check":"settings-drift","group":"posture","subject":{"kind":"workload"},"reason":"+config|get"}],"alerts":[]}],"undelivered":[]}
        """#)
  }

  @Test func oneByName() async throws {
    let fixture = fixture(Self.troubled)
    #expect(try await fixture.get("fleet/w").data == fixture.get("fleet").data)
    for name in ["x", "", "w/", "W"] {
      let answer = try await fixture.get("fleet/\(name)")
      #expect(answer.status == 404 && answer.errorType == "not_found", "\(name)")
    }
    #expect(
      try await self.fixture().get("fleet").data
        == #"{"summary":"No workload is watched.","workloads":[],"undelivered":[]}"#)
  }

  @Test func whatASpanUsed() async throws {
    let use = BudgetUse(
      workload: "w", objective: .availability, target: 0.75, from: 100, to: 200,
      amount: BudgetAmount(known: 90, bad: 30, spent: 129_600))
    let asked = Lock<[String]>([])
    var fixture = Fixture()
    fixture.api.fleetView = FleetView(
      .init(
        names: { ["w"] },
        budgets: { name, from, to in
          asked.withLock { $0.append("\(name ?? "all") \(from.seconds) \(to.seconds)") }
          return [use]
        }), groups: { [] })
    let answer = try await fixture.get("budgets", ["workload": "w", "from": "100", "to": "200"])
    #expect(
      answer.data
        == #"{"budgets":[{"workload":"w","objective":"availability","target":0.75,"from":"1970-01-01T00:01:40Z","to":"1970-01-01T00:03:20Z","knownSeconds":90,"badSeconds":30,"budgetSeconds":648000,"usedRatio":0.05}]}"#
    )
    #expect(try await fixture.get("budgets", ["to": "2592000"]).status == 200)
    #expect(asked.withLock { $0 } == ["w 100.0 200.0", "all 0.0 2592000.0"])
    #expect(try await fixture.get("budgets", ["workload": "x"]).errorType == "not_found")
    #expect(try await fixture.get("budgets", ["from": "9", "to": "9"]).errorType == "bad_data")
  }

  /// To judge a workload takes what its size takes: a question about one judges that one.
  @Test func onlyWhatIsAskedForIsJudged() async throws {
    let asked = Lock<[String?]>([])
    let verdict = CheckResult(
      check: "c", group: .health, workload: "w", instance: nil, answer: .ok, severity: nil, text: "", reason: nil,
      since: nil)
    var fixture = Fixture()
    fixture.api.fleetView = FleetView(
      .init(
        overviews: { name in
          asked.withLock { $0.append(name) }
          return [Self.troubled]
        },
        results: { name in
          asked.withLock { $0.append(name) }
          return [verdict]
        }), groups: { [] })
    _ = try await (fixture.get("fleet/w"), fixture.get("checks", ["workload": "w"]))
    _ = try await (fixture.get("fleet"), fixture.get("checks"))
    #expect(asked.withLock { $0 } == ["w", "w", nil, nil])
  }

  @Test func listsAndTextsAreBounded() async throws {
    let findings = (0..<500).map { number in
      Finding(
        check: "c", group: .health, severity: .warning, subject: .node("n\(number)"),
        text: String(repeating: "x", count: 5000), since: 0)
    }
    let answer = try await fixture(WorkloadStandingTests.overview(.degraded, findings: findings)).get("fleet")
    #expect(answer.text.contains(#""warnings":["300 further findings of w are not listed"]"#))
    #expect(answer.text.utf8.count < 200 * 800)
  }

  /// Who is not told of alerts stands beside the workloads, as on their page.
  @Test func alertsThatAreNotDelivered() async throws {
    var fixture = fixture(Self.troubled)
    #expect(try await fixture.get("fleet").data.hasSuffix(#""undelivered":[]}"#))
    let trouble = DeliveryState.Trouble(
      since: WallTime(seconds: 7), errorClass: "connect", message: "nobody <there>", isRefusal: false)
    fixture.api.judging.deliveries = {
      [
        DeliveryState(alertmanager: "http://a:1", trouble: nil, lastSuccess: WallTime(seconds: 5), waitingCount: 0),
        DeliveryState(alertmanager: "http://b:1", trouble: trouble, lastSuccess: nil, waitingCount: 2),
      ]
    }
    let cut =
      #"{"alertmanager":"http://b:1","waiting":2,"failingSince":"1970-01-01T00:00:07Z","problem":"connect: nobody \u003cthere\u003e"}"#
    #expect(try await fixture.get("fleet/w").data.hasSuffix(#""undelivered":[\#(cut)]}"#))
    let told = try await fixture.get("notifications")
    #expect(
      told.data
        == #"{"alertmanagers":[{"alertmanager":"http://a:1","waiting":0,"lastAccepted":"1970-01-01T00:00:05Z"},\#(cut)],"notifications":[],"page":1,"hasMore":false},"warnings":["notifications are not kept: start redline with --storage.path"]"#
    )
    #expect(try await fixture.get("notifications", ["page": "0"]).status == 400)
  }

  @Test func eventsThatAreNotKept() async throws {
    let answer = try await fixture().get("events", ["workload": "w", "page": "2"])
    #expect(answer.status == 200 && answer.text.contains("events are not kept"))
    #expect(answer.text.contains(#""data":{"events":[],"page":2,"hasMore":false}"#))
  }

  @Test(arguments: [
    ("kind", "nothing"), ("kind", "other"), ("page", "0"), ("page", "-1"), ("page", "101"), ("page", "x"),
    ("page", "1.5"),
  ])
  func wrongFilters(name: String, value: String) async throws {
    let answer = try await fixture().get("events", [name: value])
    #expect(answer.status == 400 && answer.errorType == "bad_data" && answer.text.contains(value))
  }
}
