import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Transport

/// One connection to a server; one request at a time.
final class HTTPConnection: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<ExchangeHandler>
  private let opened = NIODeadline.now()
  /// What stands between may lead to another server by then.
  private static let maximumAge = TimeAmount.seconds(60)

  private init(channel: any Channel, handler: NIOLoopBound<ExchangeHandler>) {
    self.channel = channel
    self.handler = handler
  }

  /// Connects to the first of the addresses that takes the connection; each gets its share of the time left.
  ///
  /// - Parameter addresses: literal addresses of the origin's host.
  static func open(
    _ origin: HTTPOrigin, addresses: [String], tls settings: TLSClientSettings, limits: HTTPLimits,
    in context: HTTPContext, deadline: NIODeadline
  ) async throws(HTTPClientError) -> HTTPConnection {
    let sslContext = origin.usesTLS ? try await context.tlsContext(for: settings) : nil
    let name = settings.serverName.flatMap { $0.isEmpty ? nil : $0 } ?? origin.host
    // An IP address is no server name: NIOSSL then checks the certificate against the address itself.
    let serverName = (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
    let requiredName = settings.skipsVerification ? nil : serverName
    let loop = context.group.next()
    var last = HTTPClientError(.dns, "the name \(origin.host) does not resolve")
    for (index, address) in addresses.enumerated() {
      let remaining = deadline - .now()
      guard remaining > .zero else { throw HTTPClientError(.timeout, "no connection to \(origin) before the deadline") }
      do {
        let remote = try SocketAddress(ipAddress: address, port: origin.port)
        let made = MadeHandler(of: ExchangeHandler.self, on: loop)
        let channel = try await ClientBootstrap(group: loop)
          .connectTimeout(remaining / (addresses.count - index))
          .channelOption(.socketOption(.tcp_nodelay), value: 1)
          .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
              let pipeline = channel.pipeline.syncOperations
              if let sslContext {
                try pipeline.addHandler(NIOSSLClientHandler(context: sslContext, serverHostname: serverName))
              }
              let limit = ByteLimit(limits.responseBytes)
              try pipeline.addHandler(limit)
              try pipeline.addHTTPClientHandlers(leftOverBytesStrategy: .dropBytes)
              let handler = ExchangeHandler(origin: origin, requiredName: requiredName, limit: limit)
              made.note(handler)
              try pipeline.addHandler(handler)
            }
          }
          .connect(to: remote).get()
        return HTTPConnection(channel: channel, handler: try await made.get())
      } catch let error as ChannelError {
        last = HTTPClientError(.timeout, "no connection to \(origin) before the deadline (\(error))")
      } catch {
        last = HTTPClientError(error, origin: origin)
      }
    }
    throw last
  }

  func send(_ request: HTTPRequest, deadline: NIODeadline) async -> ExchangeOutcome {
    await withCheckedContinuation { continuation in
      channel.eventLoop.execute { [handler] in
        handler.value.send(request, deadline: deadline) { continuation.resume(returning: $0) }
      }
    }
  }

  var isActive: Bool { channel.isActive }
  var isAged: Bool { NIODeadline.now() - opened >= Self.maximumAge }

  func close() { channel.close(mode: .all, promise: nil) }
}

extension HTTPContext {
  fileprivate func tlsContext(for settings: TLSClientSettings) async throws(HTTPClientError) -> NIOSSLContext {
    do { return try await tls.context(for: settings) } catch { throw HTTPClientError(.tls, error.message) }
  }
}

extension TimeAmount {
  fileprivate static func / (a: TimeAmount, b: Int) -> TimeAmount { .nanoseconds(max(1, a.nanoseconds / Int64(b))) }
}
