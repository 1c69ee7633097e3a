import PromQL
import Web

/// Which other sites' pages a browser lets read the API, as `web.cors.origin` of Prometheus says it.
public struct CORSPolicy: Sendable {
  private let origin: Regex

  /// - Parameter origin: an RE2 expression that matches whole origins, such as `https?://(a|b)\.example`.
  public init(_ origin: String) throws(RegexError) { self.origin = try Regex(origin) }

  /// Whether a page of the request's origin may read the answer.
  func admits(_ request: Request) -> Bool { request.header("Origin").map { origin.matches($0) } ?? false }

  /// The headers that Prometheus sends; none for a request that no page sent.
  func headers(for request: Request) -> [Request.Header] {
    guard let from = request.header("Origin") else { return [] }
    var headers: [Request.Header] = [
      .init(name: "Access-Control-Allow-Headers", value: "Accept, Authorization, Content-Type, Origin"),
      .init(name: "Access-Control-Allow-Methods", value: "GET, POST, OPTIONS"),
      .init(name: "Access-Control-Expose-Headers", value: "Date"), .init(name: "Vary", value: "Origin"),
    ]
    if origin.pattern == ".*" {
      headers.append(.init(name: "Access-Control-Allow-Origin", value: "*"))
    } else if origin.matches(from) {
      headers.append(.init(name: "Access-Control-Allow-Origin", value: from))
    }
    return headers
  }
}
