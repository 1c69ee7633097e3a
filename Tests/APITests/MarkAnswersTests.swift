import Config
import Fleet
import Logging
import Metrics
import Runtime
import Testing
import Web

@testable import API

/// Marks over HTTP: who may hand them in, and what is answered.
@Suite(.timeLimit(.minutes(1))) struct MarkAnswersTests {
  private static let token = "0123456789-marks"

  private static func fixture(_ token: String? = token) throws -> Fixture {
    let config = try FleetConfig.parse(
      Array("workloads: [{name: carts, kind: queue, seeds: [a]}]\n".utf8), file: "redline.yml")
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let given: Intakes.Token = { token.map { Secret($0) } }
    let reports = CheckReportStore(config, file: "redline.yml", store: nil, registry: Registry(), log: log)
    var fixture = Fixture()
    fixture.api.judging.isOn = { false }
    fixture.api.intakes = Intakes(
      checks: VerifiedChecks(reports, token: given),
      marks: KeptMarks(MarkStore(config, store: nil, registry: Registry(), log: log), token: given))
    return fixture
  }

  private static func post(
    _ fixture: Fixture, _ body: String, token: String? = "Bearer \(token)"
  ) async throws -> Fixture.Answer {
    try await fixture.answer(
      Request(
        method: "POST", path: "/api/v1/marks", headers: token.map { [.init(name: "Authorization", value: $0)] } ?? [],
        body: Array(body.utf8)))
  }

  @Test func aMarkIsTakenAndTold() async throws {
    let fixture = try Self.fixture()
    let taken = try await Self.post(fixture, #"{"text": "deploy", "tags": ["workload:carts", "kind:change"]}"#)
    #expect(taken.data.contains(#""kind":"change","workload":"carts"},"window":{"workload":"carts","from":""#))
    #expect(taken.data.contains("kept in memory alone"))
    let told = try await fixture.get("marks", ["workload": "carts", "kind": "change"]).data
    #expect(told.contains(#""text":"deploy","tags":["workload:carts","kind:change"],"kind":"change""#))
    #expect(
      try await fixture.get("marks", ["kind": "deploy"]).data.hasPrefix(#"{"marks":[],"page":1,"hasMore":false}"#))
    #expect(try await fixture.get("marks", ["kind": "none"]).status == 400)
    #expect(try await fixture.get("annotations").data.hasPrefix(#"{"annotations":[]}"#))
  }

  @Test func whoMayNotOrIsWrongIsTold() async throws {
    let fixture = try Self.fixture()
    #expect(try await Self.post(fixture, "{}", token: nil).status == 401)
    #expect(try await Self.post(fixture, "{}", token: "Bearer \(Self.token)x").status == 401)
    #expect(try await Self.post(fixture, "{}").status == 400)
    #expect(try await Self.post(fixture, #"{"text": "x", "tags": ["workload:pages"]}"#).status == 400)
    #expect(try await Self.post(fixture, #"{"text": "x", "tags": ["node:nowhere"]}"#).status == 400)
    #expect(try await Self.post(fixture, String(repeating: " ", count: 4097)).status == 413)
    #expect(try await Self.post(try Self.fixture(nil), "{}").status == 403)
    #expect(try await Self.post(try Self.fixture("0815-few"), "{}").status == 403)
    #expect(try await Self.post(Fixture(), "{}").status == 404)
    for index in 0..<101 {
      let status = try await Self.post(fixture, "{\"text\": \"\(index)\"}").status
      #expect(status == (index < 100 ? 200 : 429))
    }
  }
}
