import NIOCore
import NIOTLS
import Runtime
import Transport

/// What came of one batch of commands.
public struct Exchange: Sendable {
  /// The replies that came, in order; fewer than there were commands when `failure` is set.
  public let replies: Replies
  /// Why not all replies came. The connection is closed then.
  public let failure: RedisError?
  /// The place of the command whose reply took most, where the failure is that the replies are larger than a bound.
  public let largest: Int?
  /// When the batch was written, by the event loop's clock.
  public let sent: NIODeadline
  /// When the last reply, or the failure, came.
  public let ended: NIODeadline
  public let receivedBytes: Int
}

/// Sends one batch at a time and reads its replies. Lives on its channel's event loop.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private struct Pending {
    /// Another one for each exchange of the connection.
    let number: Int
    let expectedCount: Int
    let sent: NIODeadline
    let completion: (Exchange) -> Void
    var receivedBytes = 0
  }

  private let reader = ReplyReader()
  /// Where the server is asked to speak RESP3, which the reader does not know.
  private var translator: RESP3Translator?
  /// The name that the server's certificate must carry beyond what NIOSSL checks; see `peerIsCertified(as:)`.
  private let requiredName: String?
  private let usesTLS: Bool
  private var hasReceived = false
  /// Whether the peer is known to be who it should be: before that nothing is written, least of all a login.
  private var isVerified: Bool
  /// When the server's certificate ends, as the handshake showed it; nil without TLS.
  private(set) var certificateEnd: WallTime?
  /// What waits for that.
  private var held: [[UInt8]] = []
  private var context: ChannelHandlerContext?
  private var pending: Pending?
  private var exchangeCount = 0
  /// Why the connection ended, once it has.
  private var failure: RedisError?
  /// Is handed what comes unasked, once the connection listens to a server's messages.
  private var listener: ((Replies) -> Void)?
  private var ended: ((RedisError) -> Void)?
  /// Is handed all bytes as they come, once the connection carries something other than replies.
  private var rawReceiver: (([UInt8]) -> Void)?

  /// - Parameters:
  ///   - usesTLS: whether the handshake has to end before anything is written.
  ///   - mayUpgrade: whether the server may be asked for RESP3.
  init(usesTLS: Bool = false, requiredName: String? = nil, mayUpgrade: Bool = false) {
    translator = mayUpgrade ? RESP3Translator() : nil
    isVerified = !usesTLS
    self.usesTLS = usesTLS
    self.requiredName = requiredName
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }
  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func send(_ batch: CommandBatch, deadline: NIODeadline, completion: @escaping (Exchange) -> Void) {
    let now = NIODeadline.now()
    guard pending == nil, failure == nil, let context, context.channel.isActive else {
      let failure =
        failure ?? RedisError(.closed, "the server closed the connection between two polls")
      completion(
        Exchange(
          replies: Replies(nodes: [], bytes: [], roots: []), failure: failure, largest: nil, sent: now, ended: now,
          receivedBytes: 0))
      return
    }
    exchangeCount += 1
    pending = Pending(
      number: exchangeCount, expectedCount: batch.commands.count, sent: now, completion: completion)
    ExchangeTimeouts.of(context.eventLoop).add(self, exchange: exchangeCount, deadline: deadline)
    write(batch.encoded, context)
  }

  func isUnderWay(exchange number: Int) -> Bool { pending?.number == number }

  /// Ends the exchange, if it is still under way.
  func timeOut(exchange number: Int) {
    guard let pending, pending.number == number else { return }
    end(
      isVerified
        ? RedisError(
          .timeout, "\(reader.completeCount) of \(pending.expectedCount) replies came before the deadline")
        : RedisError(.timeout, "no TLS handshake came before the deadline", cause: .silentHandshake))
  }

  private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
    guard isVerified else { return held.append(bytes) }
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
  }

  private func feed(_ buffer: ByteBuffer) throws(ReplyError) {
    var problem: ReplyError?
    if let translated = try translator?.translate(buffer.readableBytesView) {
      unsafe translated.withUnsafeBytes { bytes in
        do throws(ReplyError) { unsafe try reader.feed(bytes) } catch { problem = error }
      }
    } else {
      unsafe buffer.withUnsafeReadableBytes { bytes in
        do throws(ReplyError) { unsafe try reader.feed(bytes) } catch { problem = error }
      }
    }
    if let problem { throw problem }
  }

  /// Hands every reply to `receive` from now on, and the reason for the connection's end to `ended`.
  func listen(receive: @escaping (Replies) -> Void, ended: @escaping (RedisError) -> Void) {
    if let failure { return ended(failure) }
    (listener, self.ended) = (receive, ended)
  }

  /// As ``listen(receive:ended:)``, with bytes in the place of replies.
  func receiveRaw(_ receive: @escaping ([UInt8]) -> Void, ended: @escaping (RedisError) -> Void) {
    if let failure { return ended(failure) }
    (rawReceiver, self.ended) = (receive, ended)
  }

  /// Sends what is answered through ``listen(receive:ended:)``.
  func write(_ command: Command) { write(command.encoded) }

  /// The same with the bytes of several commands.
  func write(_ bytes: [UInt8]) {
    guard let context, failure == nil else { return }
    write(bytes, context)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let buffer = unwrapInboundIn(data)
    pending?.receivedBytes += buffer.readableBytes
    if !hasReceived {
      hasReceived = true
      if !usesTLS, buffer.readableBytesView.starts(with: Self.tlsAlert) { return end(Self.tlsServer) }
    }
    if let rawReceiver { return rawReceiver(Array(buffer.readableBytesView)) }
    var problem: ReplyError?
    do throws(ReplyError) { try feed(buffer) } catch { problem = error }
    switch problem {
    case .malformed?:
      end(RedisError(.protocol, "what answers does not speak the protocol of Redis", cause: .wrongAddress))
    case .tooLarge(let what, let place)?: end(RedisError(.limit, "the server's replies have \(what)"), largest: place)
    case nil:
      if let listener {
        if reader.completeCount > 0 { listener(reader.take()) }
        return
      }
      guard let pending else { return endUnasked(buffer.readableBytes) }
      guard reader.completeCount >= pending.expectedCount else { return }
      let surplus = reader.completeCount - pending.expectedCount
      complete(surplus == 0 ? nil : RedisError(.protocol, "the server sent \(surplus) replies too many"))
    }
  }

  /// How TLS 1.0 and later begin to say that something is wrong.
  private static let tlsAlert: [UInt8] = [0x15, 0x03]
  private static let tlsServer = RedisError(.tls, "the server speaks TLS on this port", cause: .tlsServer)

  /// Bytes came that nothing asked for. A full server says so without being asked and hangs up.
  private func endUnasked(_ count: Int) {
    let replies = reader.take()
    let isRefusal = replies.count > 0 && replies[0].isError
    end(
      isRefusal
        ? RedisError(reply: replies[0], to: ["connecting"])
        : RedisError(.protocol, "the server sent \(count) bytes that nothing asked for"))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case TLSUserEvent.handshakeCompleted = event {
      certificateEnd = context.peerCertificateEnd
      if let requiredName, !context.peerIsCertified(as: requiredName) {
        held = []
        end(RedisError(.tls, "the server's certificate is not for \(requiredName)", cause: .otherName))
      } else {
        isVerified = true
        for bytes in held { write(bytes, context) }
        held = []
      }
    }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) {
    end(closed)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if isVerified, TLSProblem(error) == .ended { return end(closed) }
    let error = connectionError(error, "the connection failed")
    end(error.errorClass == .closed ? closed : error)
  }

  private var closed: RedisError {
    hasReceived || usesTLS
      ? RedisError(.closed, "the server closed the connection")
      : RedisError(.closed, "the server closed the connection before its first answer", cause: .closedAtOnce)
  }

  /// Ends the batch under way, and the connection.
  func end(_ reason: RedisError, largest: Int? = nil) {
    if failure == nil { failure = reason }
    complete(reason, largest: largest)
    let ended = ended
    (listener, rawReceiver, self.ended) = (nil, nil, nil)
    ended?(reason)
  }

  private func complete(_ reason: RedisError?, largest: Int? = nil) {
    guard let pending else {
      if reason != nil { context?.close(promise: nil) }
      return
    }
    self.pending = nil
    pending.completion(
      Exchange(
        replies: reader.take(), failure: reason, largest: largest, sent: pending.sent, ended: .now(),
        receivedBytes: pending.receivedBytes))
    if let reason {
      failure = reason
      context?.close(promise: nil)
    }
  }
}

/// The class and words for an error of the channel or of its TLS handler.
func connectionError(_ error: any Error, _ what: String) -> RedisError {
  switch error {
  case let error as RedisError: return error
  case let error as IOError:
    let isClosed = error.errnoCode == 104
    return RedisError(
      isClosed ? .closed : .connect, "\(what): \(systemError(error.errnoCode))", cause: isClosed ? nil : .wrongAddress)
  default:
    guard let problem = TLSProblem(error) else { return RedisError(.connect, what) }
    return RedisError(.tls, "the server \(problem.sentence)", cause: problem.cause)
  }
}

extension TLSProblem {
  fileprivate var cause: RedisError.Cause? {
    switch self {
    case .unknownAuthority: .unknownAuthority
    case .otherName: .otherName
    case .noTLS: .plainServer
    case .wantsClientCertificate, .refusesClientCertificate: .clientCertificate
    case .ended: .silentHandshake
    case .noCommonVersion, .other: nil
    }
  }
}
