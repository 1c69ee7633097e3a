import Logging
import Metrics
import NIOCore
import NIOPosix
import Redis
import Runtime

/// How a target is polled.
public struct PollerOptions: Sendable {
  public var connection: ConnectionOptions
  public var collectors = CollectorOptions()
  /// The bound on a whole poll: name, connect, TLS, login and replies.
  public var timeout: TimeAmount = .seconds(2)
  /// No credentials are configured for this host, although there are some for others.
  public var withholdsCredentials = false
  /// `instance_role` on every series that comes from the server.
  public var appendsRole = false
  /// Labels on every series of the target; none by default.
  public var labels: [Label] = []

  public struct Label: Sendable, Equatable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(connection: ConnectionOptions) { self.connection = connection }
}

extension PollerOptions {
  var constantLabels: [(name: String, value: LabelValue)] { labels.map { ($0.name, .text($0.value)) } }
}

/// Polls one target. Owns its connection, its plan and its newest snapshot.
///
/// Requests that ask for a fresh snapshot at the same time share one poll; nobody waits longer than the poll's deadline,
/// their own, or until the poller stops.
///
/// It runs on the event loop of its connection: a poll then wakes no other thread until its samples are there. Reading
/// one server's replies takes about 0.1 ms, less than two changes of thread.
public actor Poller {
  public nonisolated let options: PollerOptions
  private nonisolated let eventLoop: any EventLoop
  /// What tasks that poll should prefer.
  nonisolated let executor: LoopExecutor
  private let context: ConnectionContext
  private let collectors: [any Collector]
  private let publish: @Sendable (Samples) -> Void

  private var connection: Connection?
  private var plan: Plan?
  private var refusals = Refusals()
  private var infoCommand: Command = ["INFO", "ALL"]
  private var cost: PollCost
  private var diary: PollDiary
  private nonisolated let newestBox = Lock<Snapshot?>(nil)

  private struct Waiter {
    let id: Int
    let floor: NIODeadline
    let continuation: CheckedContinuation<Snapshot?, Never>
  }
  private var waiters: [Waiter] = []
  private var waiterCount = 0
  private var isPolling = false
  private var isStopped = false

  /// - Parameters:
  ///   - loop: the event loop to live on; nil for any.
  ///   - cost: where the cost is counted with that of other parts.
  ///   - publish: is handed the samples of every poll.
  public init(
    _ options: PollerOptions, collectors: [any Collector], context: ConnectionContext, on loop: (any EventLoop)? = nil,
    log: Logger, cost: NodeCost = NodeCost(), publish: @escaping @Sendable (Samples) -> Void
  ) {
    self.options = options
    self.collectors = collectors
    self.context = context
    eventLoop = loop ?? context.group.next()
    executor = LoopExecutor(eventLoop)
    diary = PollDiary(log: log)
    self.cost = PollCost(cost)
    self.publish = publish
    var sink = SampleSink()
    PollCost.addState(.unknown, into: &sink)
    publish(sink.finish(constantLabels: options.constantLabels))
  }

  public nonisolated var unownedExecutor: UnownedSerialExecutor {
    unsafe eventLoop.executor.asUnownedSerialExecutor()
  }

  /// The newest snapshot, at once; nil before the first poll has ended.
  public nonisolated var newest: Snapshot? { newestBox.withLock { $0 } }

  /// A snapshot of a poll that began at `floor` or later.
  ///
  /// - Parameter deadline: when to make do with the newest there is.
  /// - Returns: nil only when no poll has ever ended.
  public func snapshot(since floor: NIODeadline, until deadline: NIODeadline? = nil) async -> Snapshot? {
    if let newest, newest.started >= floor || isStopped { return newest }
    if isStopped { return nil }
    waiterCount += 1
    let id = waiterCount
    let timer = deadline.map { deadline in
      eventLoop.scheduleTask(deadline: deadline) {
        Task { await self.release { $0.id == id } }
      }
    }
    defer { timer?.cancel() }
    return await withCheckedContinuation { continuation in
      waiters.append(Waiter(id: id, floor: floor, continuation: continuation))
      if !isPolling { startPoll() }
    }
  }

  /// Waits on the event loop, or until the task or the timer, which `hold` is handed, is cancelled.
  func sleep(until deadline: NIODeadline, hold: (Scheduled<Void>) -> Void = { _ in }) async {
    let timer = eventLoop.scheduleTask(deadline: deadline) {}
    hold(timer)
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        timer.futureResult.whenComplete { _ in continuation.resume() }
      }
    } onCancel: {
      timer.cancel()
    }
  }

  /// Ends all waiting with the newest snapshot and closes the connection.
  public func stop() {
    isStopped = true
    release { _ in true }
    connection?.close()
    connection = nil
  }

  /// Forgets refusals and the connection: credentials, certificates or permissions may have changed.
  public func reset() {
    refusals = Refusals()
    plan = nil
    if !isPolling {
      connection?.close()
      connection = nil
    }
  }

  /// Sends what a poll sends and drops the replies, `count` times: a poll without its samples, for measurements.
  ///
  /// - Throws: ``RedisError``, also when no poll has succeeded yet.
  public func exchange(count: Int) async throws(RedisError) {
    guard let connection, let plan else { throw RedisError(.closed, "no poll has succeeded yet") }
    for _ in 0..<count {
      let exchange = await send(plan.batchWithInfo, on: connection, deadline: .now() + options.timeout)
      if let failure = exchange.failure { throw failure }
    }
  }

  private func release(where isReady: (Waiter) -> Bool) {
    let ready = waiters.filter(isReady)
    waiters.removeAll(where: isReady)
    for waiter in ready { waiter.continuation.resume(returning: newest) }
  }

  private func startPoll() {
    isPolling = true
    Task.immediate(executorPreference: executor) {
      await poll()
      isPolling = false
      let started = newest?.started ?? .now()
      // That a server does not answer is news of this moment, whenever the poll began: nobody waits for it twice.
      let hasFailed = newest?.state.isUp == false
      release { hasFailed || $0.floor <= started }
      if !waiters.isEmpty, !isStopped { startPoll() }
    }
  }

  // MARK: One poll

  private func poll() async {
    let started = NIODeadline.now()
    let deadline = started + options.timeout
    var sink = SampleSink()
    var reading = PollReading()
    let state: TargetState
    let previous = newest
    var facts = previous?.facts
    do throws(RedisError) {
      let info = try await readServer(deadline: deadline, reading: &reading, into: &sink)
      facts = plan?.facts
      state = info.integer("loading") == 1 ? .loading : .up
    } catch {
      sink = SampleSink()
      reading = PollReading()
      state = .failed(explained(error))
      if connection == nil || error.errorClass == .maxclients { cost.noteFailure(error.errorClass) }
      dropConnection()
    }
    note(reading.outcomes)
    diary.tell(state, after: previous?.state)
    let duration = Double((NIODeadline.now() - started).nanoseconds) / 1e9
    let now = wallClockSeconds()
    let lastSuccess = state.isUp ? now : previous?.lastSuccessSeconds
    cost.add(
      state, durationSeconds: duration, lastSuccessSeconds: lastSuccess, outcomes: reading.outcomes,
      refusals: refusals, connection: connection, into: &sink)
    let role = options.appendsRole ? facts?.role : nil
    let samples = sink.finish(
      constantLabels: options.constantLabels + (role.map { [("instance_role", .text($0))] } ?? []))
    let snapshot = Snapshot(
      samples: samples, state: state, started: started, endedSeconds: now,
      durationSeconds: duration, facts: facts, member: reading.member, lastSuccessSeconds: lastSuccess)
    newestBox.withLock { $0 = snapshot }
    publish(samples)
  }

  /// Asks INFO and what the plan adds, and runs the collectors.
  ///
  /// A connection that the server closed since the last poll is opened anew once.
  private func readServer(
    deadline: NIODeadline, reading: inout PollReading, into sink: inout SampleSink
  ) async throws(RedisError) -> InfoText {
    let isReused = connection?.isActive ?? false
    do throws(RedisError) {
      return try await readOnce(deadline: deadline, reading: &reading, into: &sink)
    } catch {
      guard isReused, error.errorClass == .closed else { throw error }
      dropConnection()
      return try await readOnce(deadline: deadline, reading: &reading, into: &sink)
    }
  }

  private func readOnce(
    deadline: NIODeadline, reading: inout PollReading, into sink: inout SampleSink
  ) async throws(RedisError) -> InfoText {
    let connection = try await openConnection(deadline: deadline)
    if let expires = plan?.expires, expires <= .now() { plan = nil }
    var exchange = await send(
      plan?.batchWithInfo ?? CommandBatch([infoCommand]), on: connection, deadline: deadline)
    let info = try await readInfo(&exchange, on: connection, deadline: deadline)
    let facts = ServerFacts(info)
    var replies = exchange.replies.replies(in: 1..<max(1, exchange.replies.count))
    var failure = exchange.failure
    if plan?.facts != facts {
      refusals.server(facts.runID)
      let plan = Plan(
        facts: facts, collectors: collectors, options: options.collectors, refusals: refusals,
        info: infoCommand, now: .now())
      self.plan = plan
      replies = []
      if !plan.batch.commands.isEmpty, failure == nil {
        let rest = await send(plan.batch, on: connection, deadline: deadline)
        replies = rest.replies.replies(in: 0..<rest.replies.count)
        failure = rest.failure
      }
    }
    if let plan {
      // Not before: a thousand polls that wait for their replies would hold a thousand sinks.
      sink.reserve(1024)
      reading.read(
        plan, info: info, replies: replies, options: options.collectors,
        nowSeconds: wallClockSeconds(), into: &sink)
    }
    if failure != nil { dropConnection() }
    return info
  }

  /// The INFO of an exchange; asks again without ALL where the server does not know that.
  private func readInfo(
    _ exchange: inout Exchange, on connection: Connection, deadline: NIODeadline
  ) async throws(RedisError) -> InfoText {
    guard exchange.replies.count > 0 else {
      throw exchange.failure ?? RedisError(.protocol, "INFO was not answered")
    }
    if let info = infoText(exchange.replies[0]) { return info }
    let first = RedisError(reply: exchange.replies[0], to: infoCommand)
    guard first.errorClass == .protocol, exchange.failure == nil, infoCommand.arguments.count > 1 else {
      throw exchange.replies[0].isError
        ? first : RedisError(.protocol, "INFO was answered with something that is no INFO text")
    }
    let plain: Command = ["INFO"]
    exchange = await send(CommandBatch([plain]), on: connection, deadline: deadline)
    guard exchange.replies.count > 0 else { throw exchange.failure ?? first }
    guard let info = infoText(exchange.replies[0]) else {
      throw exchange.replies[0].isError
        ? first : RedisError(.protocol, "INFO was answered with something that is no INFO text")
    }
    infoCommand = plain
    plan = nil
    return info
  }

  private func infoText(_ reply: Reply) -> InfoText? {
    guard reply.kind == .string, let bytes = reply.bytes else { return nil }
    let info = InfoText(bytes)
    return info.fields.isEmpty ? nil : info
  }

  private func openConnection(deadline: NIODeadline) async throws(RedisError) -> Connection {
    if let connection, connection.isActive { return connection }
    connection = nil
    let opened = try await Connection.open(options.connection, on: eventLoop, in: context, deadline: deadline)
    cost.noteConnect(opened)
    connection = opened
    return opened
  }

  private func send(
    _ batch: CommandBatch, on connection: Connection, deadline: NIODeadline
  ) async -> Exchange {
    let exchange = await connection.send(batch, deadline: deadline)
    cost.note(exchange, of: batch)
    return exchange
  }

  /// A server that wants credentials from a host that must not get any.
  private func explained(_ error: RedisError) -> RedisError {
    guard error.errorClass == .auth, options.withholdsCredentials else { return error }
    return RedisError(
      .credentialsWithheld,
      "the server wants credentials and none are configured for this host; add it to the password file")
  }

  private func dropConnection() {
    connection?.close()
    connection = nil
  }

  /// Remembers which collectors the server refuses and which answer again.
  private func note(_ outcomes: [(collector: String, outcome: PollReading.Outcome)]) {
    for (collector, outcome) in outcomes {
      switch outcome {
      case .success: refusals.clear(collector)
      case .refused(let reason):
        plan = nil
        if refusals.note(collector, reason: reason, at: .now()) { diary.refused(collector, reason) }
      case .failed, .missing: break
      }
    }
    diary.note(outcomes)
  }
}
