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
    let authenticator = configuration.authenticator
    let judgesItself = routes.judgesItself(request)
    if !judgesItself, let refusal = await authenticator.judge(request).refusal {
      response = refusal
    } else {
      var request = request
      request.isLoggedIn = !judgesItself && authenticator.asksForLogin
      response = await routes.respond(to: request)
    }
    for header in configuration.headers {
      response.headers.removeAll { equalIgnoringCase($0.name, header.name) }
      response.headers.append(header)
    }
    return response
  }
}

/// What one client, and all of them, may take of the server; for its lifetime.
public struct ServerLimits: Sendable {
  /// The most connections at once. A little before that each further one takes the seat of one that only waits.
  public var connectionLimit = 512
  /// The most connections from one client, which is an IPv4 address or 64 bits of an IPv6 address; 0 for any number.
  public var perAddressLimit = 256
  /// The memory for the headers of one connection; longer ones are answered with 431.
  public var connectionMemoryBytes = 32 * 1024
  /// From the connection, or the first byte of a further request, to the end of the headers.
  public var headerDeadlineSeconds = 10.0
  /// From the end of the headers to the last byte of the answer. A handler gets nine tenths of it.
  public var responseDeadlineSeconds = 30.0
  /// How long a connection may stay open between requests. Longer than usual scrape intervals, so that they reuse it.
  public var idleTimeoutSeconds = 130.0

  public init() {}
}

/// What is wrong and what to do, for the log and the operator. It never holds a secret.
public struct WebError: Error, Equatable, CustomStringConvertible {
  public let description: String

  public init(_ description: String) { self.description = description }
}

extension WebError: FileFailure {
  public init(file: String, reason: String) { self.init("\(file) cannot be read: \(reason)") }
}

/// What file descriptors are needed for, checked before the first is opened.
///
/// The runtime aborts the process when it cannot open a file of its own, so too few are an error at startup.
public struct DescriptorBudget: Sendable {
  /// For files, the event loops, the database and the runtime.
  public static let spare = 64

  public var limit: Int
  public var webConnections: Int
  public var redisConnections: Int

  public init(limit: Int, webConnections: Int, redisConnections: Int) {
    self.limit = limit
    self.webConnections = webConnections
    self.redisConnections = redisConnections
  }

  /// Nil when the limit suffices, or the sum and what to do.
  public var shortage: String? {
    let needed = webConnections + redisConnections + Self.spare
    guard needed > limit else { return nil }
    return "too few file descriptors: \(webConnections) web connections + \(redisConnections) Redis connections + "
      + "\(Self.spare) spare = \(needed), but the limit is \(limit); raise it (ulimit -Hn \(needed), or LimitNOFILE=\(needed) "
      + "in the systemd unit), or allow fewer web connections"
  }
}
