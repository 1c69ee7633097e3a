import NIOCore
import NIOPosix
import NIOSSL
import Runtime
import Transport

/// What is needed to reach a server and log in.
public struct ConnectionOptions: Sendable {
  public var address: RedisAddress
  /// Asked at every connect, so that a rotated password serves from the next one on. Nil logs in without one.
  public var credentials: @Sendable () async throws(RedisError) -> Credentials? = { nil }
  /// Used when the address asks for TLS.
  public var tls = TLSClientSettings()
  /// The name by which a server at a literal address is known to its peers. Its certificate may be made out to it, instead of
  /// the address; a ``TLSClientSettings/serverName`` goes before it.
  public var announcedName: String?
  /// CLIENT SETNAME after logging in, or nil.
  public var clientName: String?
  /// PING after logging in, and measure it.
  public var pings = false
  /// The largest piece that is read at once. The connection keeps a buffer of that size.
  public var readBytes = 4 << 10
  /// Whether HELLO 3 may be sent over it.
  public var mayUpgrade = false
  /// READONLY after logging in: a replica of a cluster then answers for its master's keys.
  public var readsReplica = false
  /// Whether the literal IP address that the host was found at may be connected to; nil where any may.
  public var mayConnect: (@Sendable (_ address: String) -> Bool)?
  /// After how long a connection to a host name is replaced by a new one, with a new look-up.
  public var maximumAge = Renewal.maximumAge
  /// Whether one to a literal address is, too: it may be that of a balancer, not of one server.
  public var literalsMayMove = false

  public init(address: RedisAddress) { self.address = address }
}

/// What all connections share.
public struct ConnectionContext: Sendable {
  public let group: MultiThreadedEventLoopGroup
  public let names: NameResolver
  public let tls: TLSContexts

  /// Where probes run. Where there is more than one loop, members are polled on another: reading their replies then adds
  /// nothing to what a probe measures.
  public let probeLoop: any EventLoop
  /// Where members of a fleet are polled.
  public let pollLoop: any EventLoop

  public init(group: MultiThreadedEventLoopGroup) {
    self.group = group
    probeLoop = group.next()
    pollLoop = group.next()
    // A fleet has many names, and some may never resolve.
    names = NameResolver(threadCount: 8)
    tls = TLSContexts()
  }

  private init(_ other: ConnectionContext, names: NameResolver) {
    (group, probeLoop, pollLoop, tls) = (other.group, other.probeLoop, other.pollLoop, other.tls)
    self.names = names
  }

  /// The same with threads and memory of its own for names, which are few: for addresses that anybody may name.
  public var forStrangers: ConnectionContext {
    ConnectionContext(self, names: NameResolver(threadCount: 4, waitingLimit: 64, nameLimit: 2048))
  }
}

extension ConnectionContext {
  fileprivate func tlsContext(for settings: TLSClientSettings) async throws(RedisError) -> NIOSSLContext {
    do { return try await tls.context(for: settings) } catch { throw RedisError(.tls, error.message) }
  }
}

/// One logged-in connection; one batch of commands at a time.
public final class Connection: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<ConnectionHandler>
  /// How long name, connect, TLS and login took together.
  public let connectSeconds: Double
  /// The round trip of the PING after login, where one was asked for.
  public let pingSeconds: Double?
  /// Commands and bytes that the login cost.
  public let loginCommandCount: Int
  let renewal: Lock<Renewal>

  private init(
    channel: any Channel, handler: NIOLoopBound<ConnectionHandler>, connectSeconds: Double,
    pingSeconds: Double?, loginCommandCount: Int, renewal: Renewal
  ) {
    self.renewal = Lock(renewal)
    self.channel = channel
    self.handler = handler
    self.connectSeconds = connectSeconds
    self.pingSeconds = pingSeconds
    self.loginCommandCount = loginCommandCount
  }

  /// Resolves, connects, speaks TLS and logs in, all before `deadline`.
  ///
  /// - Parameter loop: the event loop to live on; by default the next of the group.
  /// - Throws: ``RedisError``.
  public static func open(
    _ options: ConnectionOptions, on loop: (any EventLoop)? = nil, in context: ConnectionContext,
    deadline: NIODeadline
  ) async throws(RedisError) -> Connection {
    let started = NIODeadline.now()
    // Who has no password to give does not knock.
    let credentials = try await options.credentials()
    let remote = try await resolve(options.address.endpoint, in: context, deadline: deadline)
    // The very address that was looked at is connected to: another answer of the name's server comes too late.
    if let address = remote.ipAddress, options.mayConnect?(address) == false {
      throw RedisError(.connect, "\(options.address.endpoint) is at \(address), where no member is expected")
    }
    let eventLoop = loop ?? context.group.next()
    let sslContext = options.address.usesTLS ? try await context.tlsContext(for: options.tls) : nil
    let serverName = serverName(for: options)
    let requiredName =
      options.tls.skipsVerification ? nil : options.tls.serverName.flatMap { Endpoint.isLiteral($0) ? nil : $0 }
    let remaining = deadline - .now()
    guard remaining > .zero else { throw RedisError(.timeout, "no time was left to connect") }
    let made = MadeHandler(of: ConnectionHandler.self, on: eventLoop)
    var bootstrap = ClientBootstrap(group: eventLoop)
      .connectTimeout(remaining)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: options.readBytes))
      .channelOption(.maxMessagesPerRead, value: 16)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          if let sslContext {
            try channel.pipeline.syncOperations.addHandler(
              NIOSSLClientHandler(context: sslContext, serverHostname: serverName))
          }
          let handler = ConnectionHandler(
            usesTLS: sslContext != nil, requiredName: requiredName, mayUpgrade: options.mayUpgrade)
          made.note(handler)
          try channel.pipeline.syncOperations.addHandler(handler)
        }
      }
    // A unix socket refuses the option.
    if case .tcp = options.address.endpoint {
      bootstrap = bootstrap.channelOption(.socketOption(.tcp_nodelay), value: 1)
    }
    let channel: any Channel
    let handler: NIOLoopBound<ConnectionHandler>
    do {
      channel = try await bootstrap.connect(to: remote).get()
      handler = try await made.get()
    } catch {
      if error is ChannelError { throw RedisError(.timeout, "no connection before the deadline", cause: .wrongAddress) }
      throw connectionError(error, "no connection to \(options.address.endpoint)")
    }
    let renewal = Renewal(
      of: options.address.endpoint, openedAt: .now(), age: options.maximumAge, literalsMayMove: options.literalsMayMove)
    let unnamed = Connection(
      channel: channel, handler: handler, connectSeconds: 0, pingSeconds: nil, loginCommandCount: 0, renewal: renewal)
    do throws(RedisError) {
      let login = try await unnamed.logIn(options, credentials, deadline: deadline)
      return Connection(
        channel: channel, handler: handler,
        connectSeconds: Double((NIODeadline.now() - started).nanoseconds) / 1e9,
        pingSeconds: login.pingSeconds, loginCommandCount: login.commandCount, renewal: renewal)
    } catch {
      unnamed.close()
      throw error
    }
  }

  /// An IP address is no server name: NIOSSL then checks the certificate against the address itself.
  private static func serverName(for options: ConnectionOptions) -> String? {
    if let name = options.tls.serverName, !name.isEmpty { return Endpoint.isLiteral(name) ? nil : name }
    guard case .tcp(let host, _) = options.address.endpoint else { return nil }
    return options.address.endpoint.isNamed ? host : options.announcedName
  }

  private static func resolve(
    _ endpoint: Endpoint, in context: ConnectionContext, deadline: NIODeadline
  ) async throws(RedisError) -> SocketAddress {
    if case .tcp(let host, let port) = endpoint,
      let literal = try? SocketAddress(ipAddress: host, port: port)
    {
      return literal
    }
    let promise = context.group.next().makePromise(of: SocketAddress.self)
    let timer = promise.futureResult.eventLoop.scheduleTask(deadline: deadline) {
      promise.fail(RedisError(.dns, "the name did not resolve before the deadline"))
    }
    // The look-up goes on after the deadline: its answer serves the next poll.
    Task {
      do { promise.succeed(try await context.names.resolve(endpoint)) } catch { promise.fail(error) }
    }
    defer { timer.cancel() }
    do {
      return try await promise.futureResult.get()
    } catch {
      throw error as? RedisError ?? RedisError(.dns, "\(error)")
    }
  }

  private func logIn(
    _ options: ConnectionOptions, _ credentials: Credentials?, deadline: NIODeadline
  ) async throws(RedisError) -> (commandCount: Int, pingSeconds: Double?) {
    var commands: [Command] = []
    if let credentials { commands.append(credentials.command) }
    if options.address.database != 0 { commands.append(["SELECT", "\(options.address.database)"]) }
    if options.readsReplica { commands.append(["READONLY"]) }
    let neededCount = commands.count
    if let name = options.clientName { commands.append(["CLIENT", "SETNAME", name]) }
    if !commands.isEmpty {
      let exchange = await send(CommandBatch(commands), deadline: deadline)
      for (index, command) in commands.enumerated()
      where index < exchange.replies.count && exchange.replies[index].isError {
        let error = RedisError(reply: exchange.replies[index], to: Command([command.name]))
        // That the client cannot be named harms nothing, but a server may say there why it hangs up.
        if index < neededCount || [.maxclients, .denied].contains(error.errorClass) { throw error }
      }
      if let failure = exchange.failure { throw failure }
    }
    guard options.pings else { return (commands.count, nil) }
    let ping: Command = ["PING"]
    let exchange = await send(CommandBatch([ping]), deadline: deadline)
    if let failure = exchange.failure { throw failure }
    if exchange.replies[0].isError { throw RedisError(reply: exchange.replies[0], to: ping) }
    return (
      commands.count + 1, Double((exchange.ended - exchange.sent).nanoseconds) / 1e9
    )
  }

  /// Sends the batch in one write and waits for all replies or the deadline.
  ///
  /// It stays on the executor of its caller: an actor on the connection's event loop then changes no thread.
  public nonisolated(nonsending) func send(_ batch: CommandBatch, deadline: NIODeadline) async -> Exchange {
    await withCheckedContinuation { continuation in
      let send = { @Sendable [handler] in
        handler.value.send(batch, deadline: deadline) { continuation.resume(returning: $0) }
      }
      if channel.eventLoop.inEventLoop { send() } else { channel.eventLoop.execute(send) }
    }
  }

  /// When the certificate that the server showed ends; nil without TLS, and before the first reply.
  public func certificateEnd() async -> WallTime? {
    await withCheckedContinuation { continuation in
      onLoop { continuation.resume(returning: $0.certificateEnd) }
    }
  }

  /// Where it goes to; nil for a unix socket.
  public var remoteIP: String? { channel.remoteAddress?.ipAddress }

  /// Gives the connection over to `body`, which runs on its event loop.
  func onLoop(_ body: @escaping @Sendable (ConnectionHandler) -> Void) {
    channel.eventLoop.execute { [handler] in body(handler.value) }
  }

  var eventLoop: any EventLoop { channel.eventLoop }

  public var isActive: Bool { channel.isActive }

  public func close() { channel.close(mode: .all, promise: nil) }
}

extension Command {
  /// The command's first word.
  var name: String { arguments.first.map { String(decoding: $0, as: UTF8.self) } ?? "" }
}
