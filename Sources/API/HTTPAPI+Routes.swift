import PromQL
import Runtime
import Web

extension PrometheusAPI {
  /// Works out one answer.
  typealias Handler = @Sendable (APIParameters, inout APIAnswer) async throws -> Void

  /// Where the work of an answer is done.
  enum Place {
    /// It reads many series: on one of the threads for queries, when one is free.
    case queries
    /// It is short, and is answered while queries are in line.
    case compute
  }

  static let prefix = "/api/v1/"

  /// Every path under `/api/v1/`. What is read by GET can be read by POST with a form.
  var routes: [Route] {
    [
      route("query", .queries, query), route("query_range", .queries, queryRange),
      route("query_exemplars", .compute, exemplars), route("format_query", .compute, formatQuery),
      route("parse_query", .compute, parseQuery),
      route("series", .queries, series), route("labels", .queries, labelNames),
      route(under: "label/", .queries, labelValues), route("metadata", .compute, metadata),
      route("rules", .compute, rules), route("alerts", .compute, alerts),
      route("alertmanagers", .compute, alertmanagers), route("targets", .compute, targets),
      route("targets/metadata", .compute, targetMetadata),
      route("status/buildinfo", .compute, buildInfo), route("status/runtimeinfo", .compute, runtimeInfo),
      route("status/config", .compute, configuration), route("status/flags", .compute, flags),
      route("status/tsdb", .queries, storeStatistics),
      Route(under: Self.prefix, methods: Method.allCases) { request in
        APIError(.notFound, "there is no \(request.path.prefix(200)) here").response
      },
    ]
  }

  private static let methods: [Method] = [.get, .head, .post]

  private func route(_ path: String, _ place: Place, _ handler: @escaping Handler) -> Route {
    Route(Self.prefix + path, methods: Self.methods) { request in await respond(to: request, at: place, handler) }
  }

  private func route(under path: String, _ place: Place, _ handler: @escaping Handler) -> Route {
    Route(under: Self.prefix + path, methods: Self.methods) { request in
      await respond(to: request, rest: request.rest(under: Self.prefix + path) ?? "", at: place, handler)
    }
  }

  /// A query that has held as much leaves enough behind to be worth the milliseconds of giving it back.
  private static let largeQueryBytes = 16 << 20

  private func respond(
    to request: Request, rest: String = "", at place: Place, _ handler: @escaping Handler
  ) async -> Response {
    guard isOn() else {
      return APIError(
        .notFound, "no rules are evaluated and no history is kept: name rules or a history in the configuration file"
      ).response
    }
    do {
      let parameters = try APIParameters(
        form: Form(request), rest: rest, settings: settings(), nowMilliseconds: nowMilliseconds(),
        longestSeconds: limits.seconds)
      let work = { @Sendable () async throws -> Response in
        let reservation = QueryReservation(memory)
        defer { if reservation.peakBytes >= Self.largeQueryBytes { Allocator.giveBackFree() } }
        var answer = APIAnswer(limitBytes: limits.answerBytes, reservation: reservation)
        try await handler(parameters, &answer)
        return try answer.response()
      }
      switch place {
      case .queries: return try await gate.run(until: parameters.deadline, work)
      case .compute: return try await withTaskExecutorPreference(WorkExecutor.compute) { try await work() }
      }
    } catch {
      return APIError(error).response
    }
  }
}
