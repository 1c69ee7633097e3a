import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime

/// Sends a PING every second on a connection of its own and keeps what came of it. With it goes a question for how many
/// clients there are, a few hundred bytes: that takes the server some microseconds and costs no further packet.
///
/// It runs on the event loop of its connection, which also takes the times: neither other work of the daemon nor a server
/// that hangs adds to what it measures of this one. What fails is not logged: the poller tells.
actor Prober {
  static let interval: TimeAmount = .seconds(1)
  /// Between two publications, unless the success changes: a scrape needs no finer steps.
  static let publishInterval: TimeAmount = .seconds(5)
  /// Probes are sent at multiples of this. Those of one slot wait for one another by a few microseconds.
  static let slotSeconds = 0.005
  static let ping: Command = ["PING"]
  private static let batch = CommandBatch([ping, Crowding.command])
  private static let plainBatch = CommandBatch([ping])

  private let options: ConnectionOptions
  private let timeout: TimeAmount
  private nonisolated let eventLoop: any EventLoop
  /// What tasks that probe should prefer.
  nonisolated let executor: LoopExecutor
  private let context: ConnectionContext
  private let mayConnect: @Sendable () -> Bool
  private let cost: NodeCost
  private let pollNow: @Sendable () -> Void
  private let publish: @Sendable (ProbeCounts, _ missedCount: Int) -> Void

  private nonisolated let answered = Lock<(isAnswered: Bool?, at: Monotonic?)>((nil, nil))
  private nonisolated let newest = Lock(ProbeCounts())
  private var schedule: ProbeSchedule
  private var counts = ProbeCounts()
  private var connection: Connection?
  private var timer: Scheduled<Void>?
  private var published: (at: NIODeadline, isAnswered: Bool?)?
  private var isStopped = false
  /// Whether the connection is to be closed once the probe that is under way has ended.
  private var isConnectionStale = false
  /// Whether the server tells how many clients it has. One that refuses is not asked again on the same connection.
  private var tellsClients = true

  /// - Parameters:
  ///   - timeout: the bound on one probe, with a connect where it needs one.
  ///   - mayConnect: whether a new connection may be tried now. A connection that works is used in any case.
  ///   - cost: where the cost is counted with that of other parts.
  ///   - pollNow: is called when a server that answered no longer does, and at each probe of one that has few connections
  ///     left: then the next poll need not wait for its turn.
  init(
    _ options: ConnectionOptions, timeout: TimeAmount, context: ConnectionContext,
    mayConnect: @escaping @Sendable () -> Bool, cost: NodeCost = NodeCost(),
    pollNow: @escaping @Sendable () -> Void = {},
    publish: @escaping @Sendable (ProbeCounts, _ missedCount: Int) -> Void
  ) {
    var options = options
    // What answers a login and a PING is short.
    options.readBytes = 512
    self.options = options
    self.timeout = timeout
    self.context = context
    self.mayConnect = mayConnect
    self.cost = cost
    self.pollNow = pollNow
    self.publish = publish
    eventLoop = context.probeLoop
    executor = LoopExecutor(eventLoop)
    let interval = Double(Self.interval.nanoseconds) / 1e9
    schedule = ProbeSchedule(
      start: Self.start(after: .now, bySeconds: .random(in: 0..<interval)),
      intervalSeconds: interval,
      timeoutSeconds: Double(timeout.nanoseconds) / 1e9)
  }

  /// A thousand probers do not march in step, but those within a few milliseconds of each other share a wake-up.
  static func start(after now: Monotonic, bySeconds offset: Double) -> Monotonic {
    Monotonic(seconds: ((now.seconds + offset) / slotSeconds).rounded(.up) * slotSeconds)
  }

  nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe eventLoop.executor.asUnownedSerialExecutor()
  }

  /// Whether the newest probe was answered in time; nil before the first.
  nonisolated var isAnswered: Bool? { answered.withLock(\.isAnswered) }
  /// When a probe was last answered; nil before the first.
  nonisolated var lastAnswered: Monotonic? { answered.withLock(\.at) }

  /// What came of all probes until now.
  nonisolated var newestCounts: ProbeCounts { newest.withLock { $0 } }

  /// Probes until the task is cancelled or it is stopped.
  func run() async {
    publishNow()
    while !isStopped, !Task.isCancelled {
      await sleep(until: schedule.nextTurn)
      guard !isStopped, !Task.isCancelled else { break }
      let now = Monotonic.now
      note(schedule.expire(at: now))
      let mayTry = connection?.isActive == true || mayConnect()
      if schedule.takeTurn(at: now, mayTry: mayTry) {
        Task.immediate(executorPreference: executor) { await probe() }
      }
      publishIfDue()
    }
    stop()
  }

  /// Closes the connection; nothing is published any more.
  func stop() {
    isStopped = true
    timer?.cancel()
    dropConnection()
  }

  /// Takes note that credentials or certificates may have changed.
  func reset() {
    if schedule.isUnderWay { isConnectionStale = true } else { dropConnection() }
  }

  /// Wakes on the event loop itself: the shared threads may be busy.
  private func sleep(until moment: Monotonic) async {
    let timer = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(UInt64(clamping: max(0, moment.seconds) * 1e9) + 1))
    {}
    self.timer = timer
    await withCheckedContinuation { continuation in
      timer.futureResult.whenComplete { _ in continuation.resume() }
    }
  }

  private func probe() async {
    let ended: [ProbeSchedule.Ended]
    do throws(RedisError) {
      let exchange = try await answeredPing(deadline: .now() + timeout)
      ended = schedule.answer(
        afterSeconds: Double((exchange.ended - exchange.sent).nanoseconds) / 1e9,
        at: Monotonic(exchange.ended))
      answered.withLock { $0.at = Monotonic(exchange.ended) }
      noteClients(exchange.replies)
    } catch {
      ended = schedule.fail(at: .now)
      dropConnection()
    }
    if isStopped || isConnectionStale { dropConnection() }
    note(ended)
    publishIfDue()
  }

  private func note(_ ended: [ProbeSchedule.Ended]) {
    guard !ended.isEmpty else { return }
    counts.note(ended)
    newest.withLock { $0 = counts }
  }

  /// A connection that the server closed since the last probe is reopened once.
  private func answeredPing(deadline: NIODeadline) async throws(RedisError) -> Exchange {
    if let connection = try await renewed(deadline: deadline) {
      let exchange = await send(on: connection, deadline: deadline)
      guard exchange.failure?.errorClass == .closed else { return try checked(exchange) }
    }
    dropConnection()
    guard !isStopped, mayConnect() else { throw RedisError(.closed, "the server closed the connection") }
    let opened: Connection
    do throws(RedisError) {
      opened = try await Connection.open(options, on: eventLoop, in: context, deadline: deadline)
    } catch {
      cost.noteFailure(error.errorClass)
      throw error
    }
    keep(opened)
    return try checked(await send(on: opened, deadline: deadline))
  }

  /// The connection that is open, or a new one in its place where it is time for that; nil where none is open.
  private func renewed(deadline: NIODeadline) async throws(RedisError) -> Connection? {
    guard let kept = connection, kept.isActive else { return nil }
    let next = try await kept.renewed(options, on: eventLoop, in: context, deadline: deadline) { cost.noteFailure($0) }
    if next !== kept {
      kept.close()
      keep(next)
    }
    return next
  }

  private func keep(_ opened: Connection) {
    cost.noteConnect(opened)
    counts.noteConnect(seconds: opened.connectSeconds)
    connection = opened
    tellsClients = true
  }

  private func send(on connection: Connection, deadline: NIODeadline) async -> Exchange {
    let batch = tellsClients ? Self.batch : Self.plainBatch
    let exchange = await connection.send(batch, deadline: deadline)
    cost.note(exchange, of: batch)
    return exchange
  }

  private func noteClients(_ replies: Replies) {
    guard replies.count > 1 else { return }
    if replies[1].isError {
      // Each further refusal would be another line of its ACL LOG.
      tellsClients = false
    } else if let bytes = replies[1].bytes, Crowding.isCrowded(InfoText(bytes)) {
      pollNow()
    }
  }

  /// A server that does not permit PING has answered it all the same.
  private func checked(_ exchange: Exchange) throws(RedisError) -> Exchange {
    if let failure = exchange.failure { throw failure }
    let reply = exchange.replies[0]
    guard reply.isError else { return exchange }
    let error = RedisError(reply: reply, to: Self.ping)
    guard error.errorClass == .permission else { throw error }
    return exchange
  }

  private func dropConnection() {
    isConnectionStale = false
    connection?.close()
    connection = nil
  }

  private func publishIfDue() {
    if let published, published.isAnswered == counts.isAnswered, .now() < published.at + Self.publishInterval { return }
    publishNow()
  }

  private func publishNow() {
    guard !isStopped else { return }
    let before = answered.withLock { answered in
      defer { answered.isAnswered = counts.isAnswered }
      return answered.isAnswered
    }
    if before == true, counts.isAnswered == false { pollNow() }
    published = (.now(), counts.isAnswered)
    publish(counts, schedule.missedCount)
  }
}
