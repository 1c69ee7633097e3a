import Config
import Fleet
import Logging
import Metrics
import Runtime
import Testing
import Web

@testable import API

/// Results of checks over HTTP: who may hand them in, and what is told of them.
@Suite(.timeLimit(.minutes(1))) struct ResultAnswersTests {
  private static let token = "0123456789-results"

  private static func fixture(_ token: String? = token) async throws -> Fixture {
    let text = """
      workloads:
        - {name: carts, kind: queue, seeds: [a], objectives: {verified: {backup: 1d}}}
        - {name: pages, kind: cache, seeds: [b]}
      """
    let config = try FleetConfig.parse(Array(text.utf8), file: "redline.yml")
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let reports = CheckReportStore(
      config, file: "redline.yml", store: nil, registry: Registry(), log: log,
      clock: { WallTime(seconds: 9000) })
    await reports.start()
    var fixture = Fixture()
    fixture.api.judging.isOn = { false }
    let given: Intakes.Token = { token.map { Secret($0) } }
    let marks = MarkStore(config, store: nil, registry: Registry(), log: log)
    fixture.api.intakes = Intakes(checks: VerifiedChecks(reports, token: given), marks: KeptMarks(marks, token: given))
    return fixture
  }

  private static func body(_ workload: String = "carts", line: String = "fine") -> [UInt8] {
    Array(
      """
      {"check": "backup", "workload": "\(workload)", "startedAt": 5000, "endedAt": 5060, "verdict": "finding",
       "numbers": {"keys_db0": 0}, "lines": [{"verdict": "finding", "text": "\(line)"}]}
      """.utf8)
  }

  private static func post(
    _ fixture: Fixture, _ body: [UInt8] = body(), token: String? = "Bearer \(token)"
  ) async throws -> Fixture.Answer {
    try await fixture.answer(
      Request(
        method: "POST", path: "/api/v1/results", headers: token.map { [.init(name: "Authorization", value: $0)] } ?? [],
        body: body))
  }

  @Test func aResultIsTakenAndTold() async throws {
    let fixture = try await Self.fixture()
    let before = try await fixture.get("results").data
    #expect(before.contains(#""verdict":"never ran","objectiveSeconds":86400,"configured":"1970-01-01T02:30:00Z""#))
    #expect(before.contains(#""overdueSeconds":1000,"command":"redline backup verify redline.yml --workload carts""#))
    #expect(try await Self.post(fixture).data == #"{"check":"backup","workload":"carts","verdict":"finding"}"#)
    let told = try await fixture.get("results", ["workload": "carts", "check": "backup", "limit": "5"]).data
    #expect(told.contains(#""title":"The backup can be restored","verdict":"finding","ended":"1970-01-01T01:24:20Z""#))
    #expect(told.contains(#""startedAt":5000,"endedAt":5060,"verdict":"finding","numbers":{"keys_db0":0}"#))
    #expect(!told.contains("overdue"))
    #expect(
      try await fixture.get("results", ["workload": "pages"]).data == #"{"checks":[],"results":[],"refusedFiles":[]}"#)
  }

  @Test(arguments: [
    nil, "", "Bearer", "Bearer ", "Bearer 0123456789-result", "Bearer 0123456789-results2", "bearer x",
    "Basic 0123456789-results", "0123456789-results",
  ]) func withoutTheTokenNothingIsTaken(shown: String?) async throws {
    let fixture = try await Self.fixture()
    let answer = try await Self.post(fixture, token: shown)
    #expect(answer.status == 401 && answer.errorType == "unauthorized")
    #expect(answer.headers.contains(.init(name: "WWW-Authenticate", value: "Bearer")))
    #expect(try await fixture.get("results").data.contains("never ran"))
  }

  @Test func refusalsSayWhy() async throws {
    let off = try await Self.post(try await Self.fixture(nil))
    #expect(off.status == 403 && off.text.contains("set results.token_file in redline.yml"))
    let short = try await Self.post(try await Self.fixture("p4nted-x9"), token: "Bearer p4nted-x9")
    #expect(short.status == 403 && short.text.contains("shorter than 16 bytes"))
    let fixture = try await Self.fixture()
    let large = try await Self.post(fixture, Self.body(line: String(repeating: "x", count: 70_000)))
    #expect(large.status == 413 && large.errorType == "bad_data")
    let foreign = try await Self.post(fixture, Self.body("other"))
    #expect(foreign.status == 400 && foreign.text.contains("it has carts, pages"))
    let broken = try await Self.post(fixture, Array("{".utf8))
    #expect(broken.status == 400 && broken.text.contains("the result is no JSON"))
    var none = Fixture()
    none.api.judging.isOn = { false }
    #expect(try await Self.post(none).status == 404)
  }
}
