import Testing
import Web

@testable import API

/// What browsers and programs get of the API beside the data: methods, compression, other sites.
@Suite struct ClientTests {
  private func route(_ path: String, _ fixture: Fixture) throws -> Route {
    try #require(fixture.api.routes.first { $0.path == "/api/v1/" + path })
  }

  private func respond(
    _ path: String, _ fixture: Fixture, method: String = "GET", headers: [String: String] = [:],
    query: [String: String] = [:]
  ) async throws -> Response {
    try await route(path, fixture).handler(
      Request(
        method: method, path: "/api/v1/" + path, query: query.map { .init(name: $0.key, value: $0.value) },
        headers: headers.map { .init(name: $0.key, value: $0.value) }))
  }

  /// As Prometheus 2.42 and 3 have it.
  @Test func methods() throws {
    let fixture = Fixture()
    let forms: Set = [
      "query", "query_range", "query_exemplars", "format_query", "parse_query", "series", "labels",
      // Redline's own.
      "budgets", "fleet", "fleet/", "keys", "shards", "checks", "drift", "events", "evidence", "evidence/",
      "notifications",
      "runbooks",
      "runbooks/", "annotations",
      // Their body is no form, but a result or a mark.
      "results", "marks",
    ]
    for route in fixture.api.routes where route.path != "/api/v1/" {
      guard case .only(let methods) = route.methods else {
        Issue.record("\(route.path) takes anything")
        continue
      }
      let path = String(route.path.dropFirst("/api/v1/".count))
      #expect(methods.contains(.post) == forms.contains(path), "\(path)")
      #expect(methods.contains(.get) && methods.contains(.options) && !methods.contains(.delete), "\(path)")
    }
  }

  @Test func optionsIsAnsweredWithoutTheData() async throws {
    var fixture = Fixture()
    fixture.api.judging.isOn = { false }
    for path in ["query", "rules", ""] {
      let response = try await respond(path, fixture, method: "OPTIONS")
      #expect(response.status == 204 && response.body.count == 0, "\(path)")
    }
  }

  @Test func answersAreCompressedForWhomTakesIt() async throws {
    var fixture = Fixture()
    fixture.api.configurationText = { String(repeating: "a", count: 10_000) }
    let plain = try await respond("status/config", fixture)
    let packed = try await respond("status/config", fixture, headers: ["Accept-Encoding": "deflate, gzip"])
    #expect(plain.body.count > 10_000 && !plain.headers.contains { $0.name == "Content-Encoding" })
    #expect(packed.body.count < 500 && packed.body.bytes.prefix(2) == [0x1F, 0x8B])
    #expect(packed.headers.contains(.init(name: "Content-Encoding", value: "gzip")))
    #expect(packed.headers.contains(.init(name: "Vary", value: "Accept-Encoding")))
    let refused = try await respond("status/config", fixture, headers: ["Accept-Encoding": "gzip;q=0"])
    #expect(refused.body.count == plain.body.count)
    let short = try await respond("query", fixture, headers: ["Accept-Encoding": "gzip"], query: ["query": "1"])
    #expect(!short.headers.contains { $0.name == "Content-Encoding" })
  }

  /// The expression matches a whole origin, as in Prometheus.
  @Test(arguments: [
    ("https?://(a|b)\\.example", "http://a.example", "http://a.example"),
    ("https?://(a|b)\\.example", "https://b.example", "https://b.example"),
    ("https?://(a|b)\\.example", "http://a.example.evil.org", nil), ("https?://(a|b)\\.example", "evil", nil),
    (".*", "http://anything", "*"),
  ]) func otherSites(expression: String, origin: String, allowed: String?) async throws {
    let policy = try CORSPolicy(expression)
    let request = Request(path: "/", headers: [.init(name: "Origin", value: origin)])
    let headers = Dictionary(policy.headers(for: request).map { ($0.name, $0.value) }) { first, _ in first }
    #expect(headers["Access-Control-Allow-Origin"] == allowed)
    #expect(headers["Vary"] == "Origin" && headers["Access-Control-Allow-Methods"] == "GET, POST, OPTIONS")
    #expect(policy.admits(request) == (allowed != nil))
    #expect(policy.headers(for: Request(path: "/")).isEmpty)
  }

  @Test func limitsOfNothing() async throws {
    var fixture = Fixture()
    fixture.api.program.metadata = [.init(name: "a", type: "gauge", help: "", unit: "")]
    #expect(try await fixture.get("metadata", ["limit": "0"]).data == "{}")
    #expect(try await fixture.get("metadata", ["limit": "-1"]).data != "{}")
    #expect(try await fixture.get("targets/metadata", ["limit": "0"]).data == "[]")
    for limit in ["0", "-1", "x"] {
      #expect(try await fixture.get("status/tsdb", ["limit": limit]).status == 400, "\(limit)")
    }
    #expect(try await fixture.get("metadata", ["limit": "x"]).status == 400)
  }
}
