import NIOCore
import Runtime
import Transport

/// One HTTP server. A connection that it keeps open serves the next request.
public final class HTTPPeer: Sendable {
  private struct State {
    var idle: HTTPConnection?
    var busy: [ObjectIdentifier: HTTPConnection] = [:]
    var isClosed = false
  }

  public let origin: HTTPOrigin
  /// The one address to connect to, in literal form; nil for those that the host's name has.
  public let address: String?
  private let tls: TLSClientSettings
  private let limits: HTTPLimits
  private let context: HTTPContext
  private let state = Lock(State())

  public init(
    _ origin: HTTPOrigin, address: String? = nil, tls: TLSClientSettings = TLSClientSettings(),
    limits: HTTPLimits = HTTPLimits(), in context: HTTPContext
  ) {
    self.origin = origin
    self.address = address
    self.tls = tls
    self.limits = limits
    self.context = context
  }

  /// Sends the request and waits for the whole response. Redirections are not followed.
  ///
  /// A kept connection that the server closed meanwhile is replaced by a new one without a word.
  ///
  /// - Parameter deadline: covers the look-up of the name, connecting, TLS, the request and the response.
  public func send(_ request: HTTPRequest, deadline: NIODeadline) async throws(HTTPClientError) -> HTTPResponse {
    if let kept = takeIdle() {
      switch await exchange(request, on: kept, deadline: deadline) {
      case .answered(let response, _): return response
      case .failed(let error, let isUnanswered):
        guard isUnanswered, error.errorClass == .closed else { throw error }
      }
    }
    let connection = try await connect(deadline: deadline)
    switch await exchange(request, on: connection, deadline: deadline) {
    case .answered(let response, _): return response
    case .failed(let error, _): throw error
    }
  }

  /// Ends every connection; requests under way end with class `closed`, and later ones too.
  public func close() {
    let connections = state.withLock { state in
      state.isClosed = true
      defer { state.idle = nil }
      return Array(state.busy.values) + (state.idle.map { [$0] } ?? [])
    }
    for connection in connections { connection.close() }
  }

  private func connect(deadline: NIODeadline) async throws(HTTPClientError) -> HTTPConnection {
    var addresses: [String] = []
    if let address {
      addresses = [address]
    } else {
      let (names, host) = (context.names, origin.host)
      addresses = try await value(
        before: deadline, on: context.group.next(),
        orElse: HTTPClientError(.dns, "the name \(host) did not resolve before the deadline")
      ) { await names.addresses(of: host) }
    }
    return try await HTTPConnection.open(
      origin, addresses: addresses, tls: tls, limits: limits, in: context, deadline: deadline)
  }

  private func exchange(
    _ request: HTTPRequest, on connection: HTTPConnection, deadline: NIODeadline
  ) async -> ExchangeOutcome {
    let key = ObjectIdentifier(connection)
    let isClosed = state.withLock { state in
      if !state.isClosed { state.busy[key] = connection }
      return state.isClosed
    }
    guard !isClosed else {
      connection.close()
      return .failed(HTTPClientError(.closed, "the connection to \(origin) is no longer wanted"), isUnanswered: false)
    }
    let outcome = await connection.send(request, deadline: deadline)
    let surplus = state.withLock { state -> HTTPConnection? in
      state.busy[key] = nil
      guard case .answered(_, isReusable: true) = outcome, state.idle == nil, !state.isClosed else { return connection }
      state.idle = connection
      return nil
    }
    surplus?.close()
    return outcome
  }

  private func takeIdle() -> HTTPConnection? {
    let idle = state.withLock { state in
      defer { state.idle = nil }
      return state.idle
    }
    guard let idle, idle.isActive else { return nil }
    guard !idle.isAged else {
      idle.close()
      return nil
    }
    return idle
  }
}

/// What all clients share.
public struct HTTPContext: Sendable {
  public let group: any EventLoopGroup
  public let names: NameResolver
  let tls: TLSContexts

  public init(group: any EventLoopGroup) {
    self.group = group
    names = NameResolver()
    tls = TLSContexts(applicationProtocols: ["http/1.1"])
  }
}

/// The value of `body`, or `late` when the deadline comes first; `body` then goes on by itself.
func value<Value: Sendable>(
  before deadline: NIODeadline, on loop: any EventLoop, orElse late: HTTPClientError,
  _ body: @escaping @Sendable () async -> Value
) async throws(HTTPClientError) -> Value {
  let promise = loop.makePromise(of: Value.self)
  let timer = loop.scheduleTask(deadline: deadline) { promise.fail(late) }
  defer { timer.cancel() }
  Task { promise.succeed(await body()) }
  do {
    return try await promise.futureResult.get()
  } catch {
    throw error as? HTTPClientError ?? late
  }
}
