import NIOCore
import Runtime

/// A connection of its own on which a server names each key with one of some prefixes that is written, deleted or expires, of
/// any database, and which answers questions beside that.
///
/// It speaks RESP3, and listens to a channel that nobody publishes to: the server then takes it for a subscriber and cuts it
/// where it does not read (at 32 MB by default). What it does not read would be kept without a bound otherwise.
public final class Tracking: Sendable {
  /// What the server named at once.
  public struct Push: Sendable {
    /// nil for every key there is, as after FLUSHALL.
    public let names: [[UInt8]]?
    /// When it came, in seconds of a clock that only goes forward.
    public let seconds: Double
    /// By how much it may have come earlier than that, since this process stood still.
    public let doubtSeconds: Double
  }

  /// What became of questions.
  public struct Answers: Sendable {
    /// In the order of the questions; fewer of them where `failure` is set.
    public let replies: [Reply]
    /// Why not all came. The connection is closed then.
    public let failure: RedisError?
    public let sent: NIODeadline
    public let ended: NIODeadline
  }

  /// Why nothing is heard.
  public struct Failure: Error, Sendable {
    public let error: RedisError
    /// What the user may not do, as an ACL names it; nil for any other reason.
    public let refused: String?

    public init(_ error: RedisError, refused: String? = nil) { (self.error, self.refused) = (error, refused) }
  }

  /// What it listens to. Nobody publishes there.
  public static let channel = "redline:none"

  private let connection: Connection
  private let listener: NIOLoopBoundBox<TrackingListener?>
  private let end: Lock<RedisError?>

  private init(_ connection: Connection, _ listener: NIOLoopBoundBox<TrackingListener?>, _ end: Lock<RedisError?>) {
    (self.connection, self.listener, self.end) = (connection, listener, end)
  }

  /// Connects, logs in, and asks for the names.
  ///
  /// - Parameters:
  ///   - prefixes: none may be the beginning of another.
  ///   - courtesies: commands that may be refused.
  ///   - passed: is called for what goes over the connection, on its event loop.
  ///   - heard: is handed what the server names, and what the process missed meanwhile, on the event loop.
  ///   - ended: is called once, when the connection has.
  /// - Throws: ``Failure``.
  public static func open(
    _ options: ConnectionOptions, prefixes: [[UInt8]], courtesies: [Command] = [], on loop: any EventLoop,
    in context: ConnectionContext, deadline: NIODeadline,
    passed: @escaping @Sendable (Subscription.Traffic) -> Void, heard: @escaping @Sendable (Push) -> Void,
    ended: @escaping @Sendable () -> Void
  ) async throws(Failure) -> Tracking {
    var options = options
    options.mayUpgrade = true
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(options, on: loop, in: context, deadline: deadline)
    } catch {
      throw Failure(error)
    }
    let greeting = [hello] + courtesies
    passed(.opened(loginCommandCount: connection.loginCommandCount + greeting.count + 2))
    let exchange = await connection.send(CommandBatch(greeting), deadline: deadline)
    do throws(Failure) {
      if let failure = exchange.failure { throw Failure(failure) }
      if exchange.replies[0].isError { throw refusal(exchange.replies[0], of: hello) }
      let (listener, end) = (
        NIOLoopBoundBox.makeEmptyBox(valueType: TrackingListener.self, eventLoop: connection.eventLoop),
        Lock<RedisError?>(nil)
      )
      connection.onLoop { handler in
        let made = TrackingListener(handler, loop: connection.eventLoop, passed: passed, heard: heard)
        listener.value = made
        made.start { reason in
          end.withLock { $0 = reason }
          listener.value = nil
          ended()
        }
      }
      let tracking = Tracking(connection, listener, end)
      let commands = [subscribe, track(prefixes)]
      let answers = await tracking.ask(commands, deadline: deadline)
      if let failure = answers.failure { throw Failure(failure) }
      for (command, reply) in zip(commands, answers.replies) where reply.isError { throw refusal(reply, of: command) }
      return tracking
    } catch {
      connection.close()
      throw error
    }
  }

  /// What the server has to allow, in a form that leaves a connection as it was.
  public static let trials: [Command] = [hello, subscribe, ["CLIENT", "TRACKING", "OFF"]]

  private static let hello: Command = ["HELLO", "3"]
  private static let subscribe: Command = ["SUBSCRIBE", channel]

  private static func track(_ prefixes: [[UInt8]]) -> Command {
    Command(
      bytes: ["CLIENT", "TRACKING", "ON", "BCAST"].map { Array($0.utf8) }
        + prefixes.flatMap { [Array("PREFIX".utf8), $0] })
  }

  private static func refusal(_ reply: Reply, of command: Command) -> Failure {
    let words = command.arguments.prefix(2).map { String(decoding: $0, as: UTF8.self) }
    let verb = words[0] == "CLIENT" ? words.joined(separator: " ") : words[0]
    let error = RedisError(reply: reply, to: Command([verb]))
    guard error.errorClass == .permission else { return Failure(error) }
    let isChannel = command == subscribe && reply.text?.contains(" channel") == true
    return Failure(
      error, refused: isChannel ? "&" + channel : verb.lowercased().split(separator: " ").joined(separator: "|"))
  }

  /// Why the connection ended; nil while it has not.
  public var failure: RedisError? { end.withLock { $0 } }

  /// Whether the name that it was opened by leads elsewhere by now; false where that is not known.
  public func hasMoved(_ endpoint: Endpoint, in context: ConnectionContext) async -> Bool {
    guard endpoint.isNamed, let mine = connection.remoteIP else { return false }
    guard let now = try? await context.names.resolve(endpoint) else { return false }
    return now.ipAddress != mine
  }

  /// Sends questions in one write, whose answers are no arrays. One call at a time.
  public func ask(_ commands: [Command], deadline: NIODeadline) async -> Answers {
    let batch = CommandBatch(commands)
    return await withCheckedContinuation { continuation in
      connection.onLoop { [listener, end] _ in
        guard let live = listener.value else {
          let failure = end.withLock { $0 } ?? RedisError(.closed, "the connection is closed")
          let now = NIODeadline.now()
          return continuation.resume(returning: Answers(replies: [], failure: failure, sent: now, ended: now))
        }
        live.ask(batch, deadline: deadline) { continuation.resume(returning: $0) }
      }
    }
  }

  public func close() { connection.close() }
}

/// The side of it that lives on the event loop.
private final class TrackingListener {
  private struct Question {
    let count: Int
    let sent: NIODeadline
    let timer: Scheduled<Void>
    let completion: (Tracking.Answers) -> Void
    var replies: [Reply] = []
  }

  private let handler: ConnectionHandler
  private let loop: any EventLoop
  private let passed: @Sendable (Subscription.Traffic) -> Void
  private let heard: @Sendable (Tracking.Push) -> Void
  private var question: Question?
  private var beat = NIODeadline.now()
  private var heart: Scheduled<Void>?

  /// How often it is looked whether the process stands still, and after how long without such a look it did.
  private static let beatInterval = TimeAmount.milliseconds(100)
  private static let stillInterval = TimeAmount.milliseconds(250)

  init(
    _ handler: ConnectionHandler, loop: any EventLoop, passed: @escaping @Sendable (Subscription.Traffic) -> Void,
    heard: @escaping @Sendable (Tracking.Push) -> Void
  ) {
    (self.handler, self.loop, self.passed, self.heard) = (handler, loop, passed, heard)
  }

  func start(ended: @escaping (RedisError) -> Void) {
    handler.listen {
      self.take($0)
    } ended: { reason in
      self.heart?.cancel()
      self.complete(reason)
      ended(reason)
    }
    keepBeating()
  }

  private func keepBeating() {
    beat = .now()
    heart = loop.assumeIsolated().scheduleTask(in: Self.beatInterval) { self.keepBeating() }
  }

  func ask(_ batch: CommandBatch, deadline: NIODeadline, completion: @escaping (Tracking.Answers) -> Void) {
    precondition(question == nil, "one question at a time")
    let timer = loop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.handler.end(RedisError(.timeout, "the answers did not come before the deadline"))
    }
    question = Question(count: batch.commands.count, sent: .now(), timer: timer, completion: completion)
    passed(.sent(byteCount: batch.encoded.count))
    handler.write(batch.encoded)
  }

  private func complete(_ failure: RedisError?) {
    guard let question else { return }
    self.question = nil
    question.timer.cancel()
    question.completion(
      Tracking.Answers(replies: question.replies, failure: failure, sent: question.sent, ended: .now()))
  }

  private func take(_ replies: Replies) {
    passed(.received(byteCount: replies.bytes.count))
    let now = NIODeadline.now()
    let doubt = now - beat > Self.stillInterval ? Double((now - beat).nanoseconds) / 1e9 : 0
    for reply in replies.replies(in: 0..<replies.count) {
      guard let named = Self.named(in: reply) else {
        question?.replies.append(reply)
        continue
      }
      let names = named.elements.map { $0.compactMap { name in name.bytes.map { Array($0) } } }
      heard(Tracking.Push(names: names, seconds: Double(now.uptimeNanoseconds) / 1e9, doubtSeconds: doubt))
    }
    if let question, question.replies.count >= question.count { complete(nil) }
  }

  /// The names in a push, an array or nil; nil for anything else.
  private static func named(in reply: Reply) -> Reply? {
    guard let elements = reply.elements, elements.count == 2 else { return nil }
    return elements[0]?.bytes?.elementsEqual("invalidate".utf8) == true ? elements[1] : nil
  }
}
