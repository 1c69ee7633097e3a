import Config
import Logging
import Runtime

/// The HTTP server: routes behind a login, on one socket.
public final class WebServer: Sendable {
  /// What the server listens on.
  public enum Endpoint: Sendable {
    case address(ListenAddress)
    /// A socket that already listens, as systemd hands over; the server closes it in the end.
    case descriptor(Int32)
  }

  private enum State {
    case new
    case running(Daemon)
    case stopped
  }

  private let endpoint: Endpoint
  private let options: ServerLimits
  private let configuration: WebConfiguration
  private let routes: RouteTable
  private let log: Logger
  private let state = Lock(State.new)
  private let stopping = Lock(false)
  private let follower = Lock<Task<Void, Never>?>(nil)

  public init(
    _ endpoint: Endpoint, options: ServerLimits = ServerLimits(), configuration: WebConfiguration, routes: [Route],
    log: Logger
  ) {
    self.endpoint = endpoint
    self.options = options
    self.configuration = configuration
    self.routes = RouteTable(routes)
    self.log = log
  }

  /// Binds and serves. To be called once.
  ///
  /// - Returns: the port, or nil where the socket has none.
  /// - Throws: ``WebError`` that names the address and what to do.
  @discardableResult
  public func start() throws(WebError) -> Int? {
    let listener: Int32
    switch endpoint {
    case .address(let address): listener = try ListenSocket.open(address)
    case .descriptor(let descriptor): listener = try ListenSocket.adopt(descriptor)
    }
    let port = ListenSocket.port(of: listener)
    let tls: (@Sendable () -> TLSContext)? =
      configuration.isTLS ? { @Sendable [configuration] in configuration.tlsContext() } : nil
    let daemon: Daemon
    do throws(WebError) {
      daemon = try Daemon(listener: listener, options: options, tls: tls) { [configuration, routes] request in
        await Self.respond(to: request, configuration, routes)
      }
    } catch {
      ListenSocket.close(listener)
      throw error
    }
    state.withLock { $0 = .running(daemon) }
    if configuration.isTLS { follower.withLock { $0 = Task { [configuration] in await configuration.follow() } } }
    log.info("listening", metadata: ["port": "\(port.map(String.init) ?? "-")", "tls": "\(tls != nil)"])
    return port
  }

  /// Whether ``stop(graceSeconds:)`` has begun: handlers then answer from what they have. Their tasks are cancelled too.
  public var isStopping: Bool { stopping.withLock { $0 } }

  /// Stops accepting, has every waiting request answered, and ends.
  ///
  /// - Parameter graceSeconds: the time for all that; a handler that hangs for three quarters of it is answered for with 503.
  public func stop(graceSeconds: Double = 0.8) async {
    stopping.withLock { $0 = true }
    follower.withLock { $0?.cancel() }
    let daemon = state.withLock { state -> Daemon? in
      defer { state = .stopped }
      if case .running(let daemon) = state { return daemon }
      return nil
    }
    await daemon?.stop(grace: .seconds(graceSeconds))
  }

  private static func respond(
    to request: Request, _ configuration: WebConfiguration, _ routes: RouteTable
  ) async -> Response {
    var response: Response
    if let refusal = await configuration.authenticator.judge(request).refusal {
      response = refusal
    } else {
      response = await routes.respond(to: request)
    }
    for header in configuration.headers {
      response.headers.removeAll { equalIgnoringCase($0.name, header.name) }
      response.headers.append(header)
    }
    return response
  }
}
