import Runtime
import TestSupport
import Testing

@testable import Alerting

/// What is read of an Alertmanager's answers about its alerts.
@Suite(.timeLimit(.minutes(1))) struct AlertmanagerViewTests {
  private static let alerts = """
    [{"fingerprint": "a1", "labels": {"alertname": "RedisDown", "instance": "cache-1", "zone": "eu"},
      "receivers": [{"name": "pages"}, {"name": "log"}], "status": {"state": "active", "silencedBy": [], "inhibitedBy": []}},
     {"fingerprint": "a2", "labels": {"alertname": "RedisLag", "instance": "cache-2"}, "receivers": [{"name": "tickets"}],
      "status": {"state": "suppressed", "silencedBy": ["s 1", "s2"], "inhibitedBy": ["a1", "gone"], "mutedBy": ["night"]}},
     {"labels": 7, "status": [], "receivers": "x"}, 12, null]
    """
  private static let silence = """
    {"id": "s 1", "createdBy": "anna", "comment": "deploy", "endsAt": "2026-11-28T04:00:00.000Z", "status": {"state": "active"}}
    """

  /// - Parameter answers: by path; 404 for others.
  private func view(_ answers: [String: ScriptedServer.Answer]) async throws -> AlertmanagerView {
    let server = try await ScriptedServer { request in answers[request.target] ?? .response(404) }
    let notifier = try NotifierTests.notifier(NotifierTests.config(["http://127.0.0.1:\(server.port)"]))
    let views = await notifier.views()
    try #require(views.count == 1)
    return views[0]
  }

  @Test func silencesAndInhibitionsAreRead() async throws {
    let view = try await view([
      "/api/v2/alerts": .response(200, body: Self.alerts), "/api/v2/silence/s%201": .response(200, body: Self.silence),
    ])
    let down = try #require(
      view.entry(of: [(name: "alertname", value: "RedisDown"), (name: "instance", value: "cache-1")]))
    #expect(down.mutes.isEmpty && down.receivers == ["pages", "log"])
    let lag = try #require(view.entry(of: [(name: "alertname", value: "RedisLag")]))
    #expect(
      lag.mutes == [
        .silence(by: "anna", comment: "deploy", until: "2026-11-28T04:00:00.000Z"),
        // One that cannot be read is a silence all the same.
        .silence(by: "", comment: "", until: ""), .inhibition(by: "RedisDown"), .inhibition(by: ""), .interval("night"),
      ])
    #expect(view.entry(of: [(name: "alertname", value: "RedisDown"), (name: "instance", value: "cache-9")]) == nil)
    #expect(view.problem.isEmpty && view.entries?.count == 5)
  }

  @Test(arguments: [
    (ScriptedServer.Answer.response(500, body: "no"), "it answered 500: no"),
    (.response(200, body: "<html>"), "its answer is no JSON: 1:1: a value is expected"),
    (.bytes("", closes: true), "closed"),
  ])
  func whatCannotBeReadIsUnknown(_ answer: ScriptedServer.Answer, _ problem: String) async throws {
    let view = try await view(["/api/v2/alerts": answer])
    #expect(view.entries == nil && view.problem.contains(problem), "\(view.problem)")
  }

  @Test func itIsAskedOnceHoweverManyWantToKnow() async throws {
    let count = Lock(0)
    let server = try await ScriptedServer { request in
      if request.target == "/api/v2/alerts" { count.withLock { $0 += 1 } }
      return .response(200, body: "[]")
    }
    let notifier = try NotifierTests.notifier(NotifierTests.config(["http://127.0.0.1:\(server.port)"]))
    await withTaskGroup { group in
      for _ in 0..<20 { group.addTask { #expect(await notifier.views().map(\.entries) == [[]]) } }
    }
    #expect(count.withLock { $0 } == 1)
  }
}
