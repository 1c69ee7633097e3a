/// Answers the requests for one path, or for every path under one.
public struct Route: Sendable {
  public typealias Handler = @Sendable (Request) async -> Response

  /// Which methods a route answers.
  public enum Methods: Sendable {
    case any
    case only([Method])
  }

  /// The exact path: `/metrics`; or what the paths begin with: `/node/`.
  public let path: String
  /// Answers every path that begins with ``path`` and that no other route names more exactly.
  public let isPrefix: Bool
  public let methods: Methods
  public let handler: Handler
  /// Which requests of other sites' pages are answered that are refused otherwise.
  let admitsForeign: @Sendable (Request) -> Bool
  /// The method whose requests are let in by the handler itself, not by the server's login; nil for none.
  private(set) var ownLogin: Method?
  /// Whether requests of other sites' pages are refused for GET and HEAD, too, as they are for the other methods.
  var isForOwnSiteOnly: Bool { if case .any = methods { true } else { false } }

  /// - Parameter methods: GET and HEAD unless said otherwise; HEAD is answered like GET, without the body.
  public init(_ path: String, methods: [Method] = [.get, .head], handler: @escaping Handler) {
    self.init(path, isPrefix: false, .only(methods), handler)
  }

  /// The same route, which also answers requests of some other sites' pages, and adds what `headers` says to each answer.
  public func open(
    to admitsForeign: @escaping @Sendable (Request) -> Bool, headers: @escaping @Sendable (Request) -> [Request.Header]
  ) -> Route {
    var route = Route(
      path, isPrefix: isPrefix, methods,
      { [handler] request in
        var response = await handler(request)
        response.headers += headers(request)
        return response
      }, admitsForeign: admitsForeign)
    route.ownLogin = ownLogin
    return route
  }

  /// A route for `/node/a`, `/node/b/c` and whatever else begins with `prefix`; ``Request/rest(under:)`` gives the rest.
  ///
  /// - Parameter prefix: ends in a slash: `/node/`. That path itself is among those answered.
  public init(under prefix: String, methods: [Method] = [.get, .head], handler: @escaping Handler) {
    precondition(prefix.hasSuffix("/"), "the prefix \(prefix) ends in no slash")
    self.init(prefix, isPrefix: true, .only(methods), handler)
  }

  /// The same route, whose handler asks for a proof of its own, such as a token, where a request has this method.
  public func judgingItself(_ method: Method) -> Route {
    var route = self
    route.ownLogin = method
    return route
  }

  /// A route that changes something and does not look at the method, as `/-/reload`; see ``isForOwnSiteOnly``.
  public init(anyMethod path: String, handler: @escaping Handler) {
    self.init(path, isPrefix: false, .any, handler)
  }

  private init(
    _ path: String, isPrefix: Bool, _ methods: Methods, _ handler: @escaping Handler,
    admitsForeign: @escaping @Sendable (Request) -> Bool = { _ in false }
  ) {
    self.path = path
    self.isPrefix = isPrefix
    self.methods = methods
    self.handler = handler
    self.admitsForeign = admitsForeign
  }
}

/// The routes of a server: a visible list, looked up by exact path, then by the longest prefix.
struct RouteTable: Sendable {
  private let exact: [String: Route]
  private let prefixes: [String: Route]

  /// The first route of a path stands.
  init(_ routes: [Route]) {
    exact = Self.byPath(routes.filter { !$0.isPrefix })
    prefixes = Self.byPath(routes.filter(\.isPrefix))
  }

  private static func byPath(_ routes: [Route]) -> [String: Route] {
    Dictionary(routes.map { ($0.path, $0) }) { first, _ in first }
  }

  private func route(for path: String) -> Route? {
    if let route = exact[path] { return route }
    if prefixes.isEmpty { return nil }
    return prefixes.values.filter { path.utf8.starts(with: $0.path.utf8) }.max {
      $0.path.utf8.count < $1.path.utf8.count
    }
  }

  /// Whether the route's own handler judges who sends the request.
  func judgesItself(_ request: Request) -> Bool {
    guard let method = route(for: request.path)?.ownLogin else { return false }
    return method.rawValue == request.method
  }

  func respond(to request: Request) async -> Response {
    guard let route = route(for: request.path) else { return .text("404 page not found\n", status: 404) }
    if case .only(let methods) = route.methods, !methods.contains(where: { $0.rawValue == request.method }) {
      let allowed = methods.map(\.rawValue).joined(separator: ", ")
      return .text("405 method not allowed\n", status: 405, headers: [.init(name: "Allow", value: allowed)])
    }
    if route.isForOwnSiteOnly || !["GET", "HEAD"].contains(request.method), let refusal = request.refusalAsForeign,
      !route.admitsForeign(request)
    {
      return .text("403 \(refusal); send it from a page of this site or by a program, such as curl\n", status: 403)
    }
    return await route.handler(request)
  }
}

/// One HTTP answer.
public struct Response: Sendable {
  public var status: Int
  public var contentType: String
  /// Further headers; a name or value with a line break is left out by the daemon.
  public var headers: [Request.Header]
  public var body: Payload

  public init(status: Int = 200, contentType: String, headers: [Request.Header] = [], body: Payload) {
    self.status = status
    self.contentType = contentType
    self.headers = headers
    self.body = body
  }

  public init(status: Int = 200, contentType: String, headers: [Request.Header] = [], body: [UInt8]) {
    self.init(status: status, contentType: contentType, headers: headers, body: Payload(body))
  }

  /// Plain text, sent as given.
  public static func text(_ text: String, status: Int = 200, headers: [Request.Header] = []) -> Response {
    Response(
      status: status, contentType: "text/plain; charset=utf-8",
      headers: headers + [.init(name: "X-Content-Type-Options", value: "nosniff")], body: Array(text.utf8))
  }

  /// JSON that is already encoded.
  public static func json(_ bytes: [UInt8], status: Int = 200) -> Response {
    Response(status: status, contentType: "application/json", body: bytes)
  }

  /// Shorter ones are hardly made shorter.
  private static let compressedBytes = 256

  /// The same answer, compressed where the request takes that. Long ones take their time: on a thread that may.
  public func compressed(for request: Request) -> Response {
    guard body.count >= Self.compressedBytes,
      ContentEncoding.negotiated(acceptEncoding: request.header("Accept-Encoding")) == .gzip
    else { return self }
    var response = self
    response.body = body.gzipped()
    response.headers += [
      .init(name: "Content-Encoding", value: "gzip"), .init(name: "Vary", value: "Accept-Encoding"),
    ]
    return response
  }

  /// Something of the daemon's own is too slow, full or closing.
  static func unavailable(_ reason: String) -> Response {
    .text(reason + "\n", status: 503, headers: [.init(name: "Retry-After", value: "1")])
  }
}
