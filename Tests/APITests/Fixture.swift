import Alerting
import PromQL
import Runtime
import Storage
import Testing
import Web

@testable import API

/// An API over a store that the test fills; its now is 10,000 s.
struct Fixture {
  static let nowSeconds: Int64 = 10_000
  let store: SeriesStore
  var api: HTTPAPI
  private let origin: SeriesOrigin

  /// - Parameter executors: of the gate for queries; few of them make it narrow.
  init(groups: [GroupState] = [], slots: Int = 4, events: EventStore? = nil) {
    store = SeriesStore(policy: .everything)
    origin = store.openOrigin()
    let gate = QueryGate(executors: Array(WorkExecutor.queries.prefix(slots)))
    let store = store
    api = HTTPAPI(
      program: HTTPAPI.Program(
        version: "0", compiler: "swift", startMilliseconds: 0, flags: [:], metadata: [], giveBackMemory: {}),
      judging: HTTPAPI.Judging(
        store: store, isOn: { true }, settings: { HTTPAPI.Settings() }, groups: { groups }, alertmanagerURLs: { [] },
        heldSinceMilliseconds: { _ in nil }),
      fleet: FleetView(FleetView.Source(), groups: { groups }), events: events, targets: { [] },
      configurationText: { "" }, gate: gate)
    api.nowMilliseconds = { Self.nowSeconds * 1000 }
  }

  /// Appends one sample of each series.
  func append(_ samples: [Labels: Double], atSeconds seconds: Double) throws {
    var batch = SeriesBatch()
    for (labels, value) in samples { batch.append(value, to: try store.reference(to: labels)) }
    try store.append(batch, atMilliseconds: Int64(seconds * 1000), from: origin, isComplete: false)
  }

  struct Answer {
    let status: Int
    let text: String
    let headers: [Request.Header]

    var errorType: String? {
      guard let start = text.firstRange(of: "\"errorType\":\"") else { return nil }
      return String(text[start.upperBound...].prefix { $0 != "\"" })
    }
    /// What stands in `data`, without the envelope.
    var data: String {
      let head = "{\"status\":\"success\",\"data\":"
      return text.hasPrefix(head) ? String(text.dropFirst(head.count).dropLast()) : text
    }
  }

  func get(_ path: String, _ parameters: KeyValuePairs<String, String> = [:]) async throws -> Answer {
    let items = parameters.map { Request.QueryItem(name: $0.key, value: $0.value) }
    return try await answer(Request(path: "/api/v1/" + path, query: items))
  }

  func post(
    _ path: String, _ body: String, type: String = "application/x-www-form-urlencoded"
  ) async throws -> Answer {
    try await answer(
      Request(
        method: "POST", path: "/api/v1/" + path, headers: [.init(name: "Content-Type", value: type)],
        body: Array(body.utf8)))
  }

  /// The first route of the list that fits, exact ones first, as the server does.
  func answer(_ request: Request) async throws -> Answer {
    let routes = api.routes
    let route = try #require(
      routes.first { !$0.isPrefix && $0.path == request.path }
        ?? routes.filter { $0.isPrefix && request.path.hasPrefix($0.path) }.max { $0.path.count < $1.path.count })
    let response = await route.handler(request)
    return Answer(
      status: response.status, text: String(decoding: response.body.bytes, as: UTF8.self), headers: response.headers)
  }
}
