import PromQL
import Runtime
import Web

/// Why a request to the API has no answer, in Prometheus' types.
struct APIError: Error, Equatable {
  enum Kind: String {
    case badData = "bad_data"
    case execution
    case timeout
    case canceled
    case unavailable
    case notFound = "not_found"
    /// Who asks has not proved to be who may.
    case unauthorized
    /// Nobody may.
    case forbidden
    case `internal`
  }

  let kind: Kind
  let message: String
  let status: Int

  /// - Parameter status: the status that belongs to the type unless given.
  init(_ kind: Kind, _ message: String, status: Int? = nil) {
    self.kind = kind
    self.message = message
    self.status = status ?? Self.status(of: kind)
  }

  /// What any part of the work threw.
  init(_ error: any Error) {
    switch error {
    case let error as APIError: self = error
    case let error as EvaluationError: self.init(Self.kind(of: error.cause), error.description)
    case is CancellationError: self.init(.canceled, "query was canceled")
    case let refusal as Form.Refusal: self.init(.badData, refusal.message, status: refusal.status)
    case let error as SeriesStoreError: self.init(.execution, error.description)
    default: self.init(.internal, "\(error)")
    }
  }

  static func invalid(_ parameter: String, _ problem: String) -> APIError {
    APIError(.badData, "invalid parameter \"\(parameter)\": \(problem)")
  }

  private static func kind(of cause: EvaluationError.Cause) -> Kind {
    switch cause {
    case .query: .execution
    case .time: .timeout
    case .otherQueries: .unavailable
    }
  }

  private static func status(of kind: Kind) -> Int {
    switch kind {
    case .badData: 400
    case .execution: 422
    case .timeout, .canceled, .unavailable: 503
    case .notFound: 404
    case .unauthorized: 401
    case .forbidden: 403
    case .internal: 500
    }
  }

  /// The error envelope.
  var response: Response {
    var json = JSONWriter(escaping: .go)
    json.object { json in
      json.field("status", "error")
      json.field("errorType", kind.rawValue)
      json.field("error", message)
    }
    var response = Response.api(json.bytes, status: status)
    if kind == .unauthorized { response.headers.append(.init(name: "WWW-Authenticate", value: "Bearer")) }
    if kind == .unavailable { response.headers.append(.init(name: "Retry-After", value: status == 429 ? "10" : "1")) }
    return response
  }
}

extension Response {
  /// An answer of the API: what it says is of now, and is never taken for anything but JSON.
  ///
  /// - Parameter companion: let go when the last byte is sent.
  static func api(
    _ bytes: [UInt8], status: Int = 200, holding companion: (any AnyObject & Sendable)? = nil
  ) -> Response {
    var response = Response(
      status: status, contentType: "application/json", body: Payload(bytes, holding: companion))
    response.headers = [
      .init(name: "X-Content-Type-Options", value: "nosniff"), .init(name: "Cache-Control", value: "no-store"),
    ]
    return response
  }
}
