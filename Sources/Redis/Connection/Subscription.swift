import NIOCore
import Runtime

/// A connection of its own that listens to what a Sentinel publishes, kept alive by PING.
public final class Subscription: Sendable {
  public struct Message: Sendable {
    /// What was published, cut: the reply itself would keep all bytes that came with it.
    public let event: SentinelEvent
    /// When it arrived.
    public let time: WallTime
  }

  /// What went over the connection.
  public enum Traffic: Sendable {
    /// It was opened, with so many commands to log in.
    case opened(loginCommandCount: Int)
    case sent(byteCount: Int)
    case received(byteCount: Int)
  }

  /// How often PING is sent. Its answer must come before the next is due, else the server counts as gone.
  public static let keepAliveInterval: TimeAmount = .seconds(3)
  /// Messages that wait for their reader; of more than that the oldest are lost.
  static let waitingLimit = 4096

  /// Everything that was published, in order; ends when the connection does. For one reader.
  public let messages: AsyncStream<Message>
  private let yields: AsyncStream<Message>.Continuation
  private let connection: Connection
  private let end = Lock<RedisError?>(nil)

  /// Why the connection ended; nil while it has not.
  public var failure: RedisError? { end.withLock { $0 } }

  /// Connects, logs in and subscribes to every channel that matches `pattern`.
  ///
  /// It returns when the server has confirmed: whatever is published from then on is heard.
  ///
  /// - Parameter passed: is called for each command and each message, on the connection's event loop.
  /// - Throws: ``RedisError``.
  public static func open(
    _ options: ConnectionOptions, pattern: String, in context: ConnectionContext, deadline: NIODeadline,
    passed: @escaping @Sendable (Traffic) -> Void = { _ in }
  ) async throws(RedisError) -> Subscription {
    let connection = try await Connection.open(options, in: context, deadline: deadline)
    passed(.opened(loginCommandCount: connection.loginCommandCount))
    let subscription = Subscription(connection)
    let confirmed = connection.eventLoop.makePromise(of: Void.self)
    connection.onLoop { handler in
      let listener = Listener(handler, loop: connection.eventLoop, confirmed: confirmed, passed: passed)
      listener.start(["PSUBSCRIBE", pattern], deadline: deadline, yields: subscription.yields) { reason in
        subscription.end.withLock { $0 = reason }
        subscription.yields.finish()
      }
    }
    do {
      try await confirmed.futureResult.get()
    } catch {
      connection.close()
      throw error as? RedisError ?? RedisError(.closed, "\(error)")
    }
    return subscription
  }

  private init(_ connection: Connection) {
    self.connection = connection
    (messages, yields) = AsyncStream.makeStream(
      of: Message.self, bufferingPolicy: .bufferingNewest(Self.waitingLimit))
  }

  /// When another one is to take its place, since its name may lead elsewhere by then; nil for never.
  public var renewalDue: NIODeadline? { connection.renewal.withLock { $0.due } }

  public func close() { connection.close() }
}

/// The side of a subscription that lives on the event loop.
private final class Listener {
  private let handler: ConnectionHandler
  private let loop: any EventLoop
  private let confirmed: EventLoopPromise<Void>
  private let passed: @Sendable (Subscription.Traffic) -> Void
  private var isConfirmed = false
  private var isHeard = true
  private var isOver = false
  private var timer: Scheduled<Void>?

  init(
    _ handler: ConnectionHandler, loop: any EventLoop, confirmed: EventLoopPromise<Void>,
    passed: @escaping @Sendable (Subscription.Traffic) -> Void
  ) {
    self.handler = handler
    self.passed = passed
    self.loop = loop
    self.confirmed = confirmed
  }

  func start(
    _ command: Command, deadline: NIODeadline, yields: AsyncStream<Subscription.Message>.Continuation,
    ended: @escaping (RedisError) -> Void
  ) {
    handler.listen { replies in
      self.isHeard = true
      self.passed(.received(byteCount: replies.bytes.count))
      let now = WallTime.now
      for reply in replies.replies(in: 0..<replies.count) {
        if reply.isError, !self.isConfirmed {
          self.handler.end(RedisError(reply: reply, to: command))
        } else if Self.isMessage(reply) {
          guard let event = SentinelEvent(reply) else { continue }
          yields.yield(Subscription.Message(event: event, time: now))
        } else if !self.isConfirmed {
          self.isConfirmed = true
          self.confirmed.succeed()
        }
      }
    } ended: { reason in
      self.isOver = true
      self.timer?.cancel()
      self.confirmed.fail(reason)
      ended(reason)
    }
    write(command)
    guard !isOver else { return }
    timer = loop.assumeIsolated().scheduleTask(deadline: deadline) {
      guard self.isConfirmed else {
        return self.handler.end(RedisError(.timeout, "the subscription was not confirmed before the deadline"))
      }
      self.keepAlive()
    }
  }

  private func write(_ command: Command) {
    passed(.sent(byteCount: command.encoded.count))
    handler.write(command)
  }

  private func keepAlive() {
    guard isHeard else { return handler.end(RedisError(.timeout, "the server does not answer PING")) }
    isHeard = false
    write(["PING"])
    timer = loop.assumeIsolated().scheduleTask(in: Subscription.keepAliveInterval) { self.keepAlive() }
  }

  /// `message` or `pmessage`, and no confirmation or answer to PING.
  private static func isMessage(_ reply: Reply) -> Bool {
    guard let kind = reply.elements?[0]?.bytes else { return false }
    return kind.elementsEqual("pmessage".utf8) || kind.elementsEqual("message".utf8)
  }
}
