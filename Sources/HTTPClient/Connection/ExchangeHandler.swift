import NIOCore
import NIOHTTP1
import NIOSSL
import NIOTLS
import Runtime
import Transport

/// What came of one request.
enum ExchangeOutcome: Sendable {
  /// The response, and whether the connection serves for another request.
  case answered(HTTPResponse, isReusable: Bool)
  /// Why none came, and whether the server had said nothing yet. The connection is closed then.
  case failed(HTTPClientError, isUnanswered: Bool)
}

/// Sends one request at a time and gathers its response. Lives on its channel's event loop.
///
/// A request is written once TLS is settled, so that no credentials go to a server whose name is wrong.
final class ExchangeHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private struct Pending {
    let request: HTTPRequest
    let timer: Scheduled<Void>
    let completion: (ExchangeOutcome) -> Void
    var sent: WallTime?
    var head: HTTPResponseHead?
    var answered = WallTime(seconds: 0)
    var body: [UInt8] = []
  }

  private let origin: HTTPOrigin
  /// The name that the certificate must carry beyond what NIOSSL checks; see `peerIsCertified(as:)`.
  private let requiredName: String?
  private let limit: ByteLimit
  private var isReady: Bool
  private var context: ChannelHandlerContext?
  private var pending: Pending?
  /// Why the connection ended, once it has.
  private var failure: HTTPClientError?

  init(origin: HTTPOrigin, requiredName: String?, limit: ByteLimit) {
    self.origin = origin
    self.requiredName = requiredName
    self.limit = limit
    isReady = !origin.usesTLS
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func send(_ request: HTTPRequest, deadline: NIODeadline, completion: @escaping (ExchangeOutcome) -> Void) {
    guard pending == nil, failure == nil, let context, context.channel.isActive else {
      let failure = failure ?? HTTPClientError(.closed, "\(origin) closed the connection between two requests")
      return completion(.failed(failure, isUnanswered: true))
    }
    let timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.endLate() }
    pending = Pending(request: request, timer: timer, completion: completion)
    limit.restart()
    if isReady { write() }
  }

  private func write() {
    guard let context, let request = pending?.request else { return }
    var headers = HTTPHeaders([("Host", origin.authority)] + request.headers)
    if request.method == .post { headers.add(name: "Content-Length", value: String(request.body.count)) }
    let head = HTTPRequestHead(
      version: .http1_1, method: HTTPMethod(rawValue: request.method.rawValue), uri: request.target, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if !request.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: request.body)))), promise: nil)
    }
    pending?.sent = .now
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      pending?.answered = .now
      pending?.head = head
    case .body(let buffer): pending?.body += buffer.readableBytesView
    case .end: complete()
    }
  }

  private func complete() {
    guard let pending, let head = pending.head else { return }
    self.pending = nil
    pending.timer.cancel()
    let response = HTTPResponse(
      status: Int(head.status.code), headers: head.headers.map { ($0.name, $0.value) }, body: pending.body,
      sent: pending.sent ?? pending.answered, answered: pending.answered)
    if !head.isKeepAlive {
      failure = HTTPClientError(.closed, "\(origin) closed the connection")
      context?.close(promise: nil)
    }
    pending.completion(.answered(response, isReusable: head.isKeepAlive))
  }

  // MARK: The end

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted = event {
      if let requiredName, !context.peerIsCertified(as: requiredName) {
        end(HTTPClientError(.tls, "TLS: the certificate of \(origin) is not for \(requiredName)"))
      }
      isReady = true
      if failure == nil { write() }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(HTTPClientError(.closed, "\(origin) closed the connection before its answer was complete"))
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end(HTTPClientError(error, origin: origin))
  }

  private func endLate() {
    let stage =
      !isReady
      ? "the TLS handshake with \(origin) was not done" : "\(origin) had not answered"
    end(HTTPClientError(.timeout, "\(stage) before the deadline"))
  }

  /// Ends the exchange under way, and the connection.
  func end(_ reason: HTTPClientError) {
    if failure == nil { failure = reason }
    if let pending {
      self.pending = nil
      pending.timer.cancel()
      pending.completion(.failed(reason, isUnanswered: !limit.hasStarted))
    }
    context?.close(promise: nil)
  }
}

extension HTTPClientError {
  /// The class and words for an error of the channel or of its TLS and HTTP handlers.
  init(_ error: any Error, origin: HTTPOrigin) {
    switch error {
    case let error as HTTPClientError: self = error
    case HTTPParserError.invalidEOFState, NIOSSLError.uncleanShutdown:
      self.init(.closed, "\(origin) closed the connection before its answer was complete")
    case let error as HTTPParserError: self.init(.protocol, "the answer of \(origin) is not HTTP: \(error)")
    case let error as IOError:
      let isReset = error.errnoCode == 104 || error.errnoCode == 32
      self.init(isReset ? .closed : .connect, "\(origin): \(systemError(error.errnoCode))")
    default:
      guard let problem = TLSProblem(error) else {
        self.init(.connect, "\(origin): \(error)")
        return
      }
      self.init(.tls, "\(origin) \(problem.sentence)")
    }
  }
}

/// Counts what the server sends for one response, and ends the connection when that is too much.
final class ByteLimit: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private let limitBytes: Int
  private var receivedBytes = 0

  init(_ limitBytes: Int) { self.limitBytes = limitBytes }

  /// Whether anything came since the last restart.
  var hasStarted: Bool { receivedBytes > 0 }

  func restart() { receivedBytes = 0 }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    receivedBytes += unwrapInboundIn(data).readableBytes
    guard receivedBytes <= limitBytes else {
      context.fireErrorCaught(HTTPClientError(.limit, "the server's answer is larger than \(limitBytes) bytes"))
      return
    }
    context.fireChannelRead(data)
  }
}
