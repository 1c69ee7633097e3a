/// Answers the requests for one path.
public struct Route: Sendable {
  public typealias Handler = @Sendable (Request) async -> Response

  /// Which methods a route answers.
  public enum Methods: Sendable {
    case any
    case only([Method])
  }

  /// The exact path: `/metrics`.
  public let path: String
  public let methods: Methods
  public let handler: Handler

  /// - Parameter methods: GET and HEAD unless said otherwise; HEAD is answered like GET, without the body.
  public init(_ path: String, methods: [Method] = [.get, .head], handler: @escaping Handler) {
    self.path = path
    self.methods = .only(methods)
    self.handler = handler
  }

  /// A route that does not look at the method, as `/-/reload`.
  public init(anyMethod path: String, handler: @escaping Handler) {
    self.path = path
    self.methods = .any
    self.handler = handler
  }
}

/// The routes of a server: a visible list, looked up by exact path.
struct RouteTable: Sendable {
  private let routes: [String: Route]

  /// The first route of a path stands.
  init(_ routes: [Route]) {
    self.routes = Dictionary(routes.map { ($0.path, $0) }) { first, _ in first }
  }

  func respond(to request: Request) async -> Response {
    guard let route = routes[request.path] else { return .text("404 page not found\n", status: 404) }
    if case .only(let methods) = route.methods, !methods.contains(where: { $0.rawValue == request.method }) {
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      return .text("405 method not allowed\n", status: 405, headers: [.init(name: "Allow", value: allowed)])
    }
    return await route.handler(request)
  }
}
