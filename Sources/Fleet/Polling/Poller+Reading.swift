import Metrics
import NIOCore
import Redis
import Runtime

/// What a poll says to the server.
extension Poller {
  /// Asks INFO and what the plan adds, and runs the collectors.
  ///
  /// A connection that the server closed since the last poll is reopened once.
  func readServer(
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
    var connection = try await openConnection(deadline: deadline)
    if let expires = plan?.expires, expires <= .now() { plan = nil }
    var exchange = await send(
      plan?.batchWithInfo ?? CommandBatch([infoCommand]), on: connection, deadline: deadline)
    let info = try await readInfo(&exchange, on: connection, deadline: deadline)
    let facts = ServerFacts(info)
    var replies = exchange.replies.replies(in: 1..<max(1, exchange.replies.count))
    var failure = exchange.failure
    // What INFO itself takes cannot be left out.
    var largest = exchange.largest.map { $0 == 0 ? replies.count : $0 - 1 }
    if plan?.facts != facts {
      refusals.server(facts.runID)
      replan(facts)
      replies = []
      // Places are those of the plan before.
      largest = nil
      if failure == nil { (replies, failure, largest) = await sendPlan(on: connection, deadline: deadline) }
    }
    // The reply that is too large takes no other with it: they are asked for once more without it.
    while failure?.errorClass == .limit, noteTooLarge(largest, failure), let next = await reopened(deadline: deadline) {
      connection = next
      replan(facts)
      (replies, failure, largest) = await sendPlan(on: connection, deadline: deadline)
    }
    if let plan {
      var poll = PollContext(
        info: info, server: plan.facts, steps: plan.steps, replies: replies, options: options.collectors,
        now: .now)
      if let find = options.collectors.findFileSize {
        for step in poll.steps {
          if let path = step.collector.file(poll) { poll.fileSizesBytes[path] = await find(path) }
        }
      }
      // Not before: a thousand polls that wait for their replies would hold a thousand sinks.
      sink.reserve(1024)
      reading.read(poll, failure: failure, into: &sink)
    }
    if failure != nil { dropConnection() }
    return info
  }

  private func replan(_ facts: ServerFacts) {
    plan = Plan(
      facts: facts, collectors: collectors, options: options.collectors, refusals: refusals, info: infoCommand,
      now: .now())
  }

  private func sendPlan(
    on connection: Connection, deadline: NIODeadline
  ) async -> (replies: [Reply], failure: RedisError?, largest: Int?) {
    guard let plan, !plan.batch.commands.isEmpty else { return ([], nil, nil) }
    let exchange = await send(plan.batch, on: connection, deadline: deadline)
    return (exchange.replies.replies(in: 0..<exchange.replies.count), exchange.failure, exchange.largest)
  }

  /// - Returns: whether a collector was found that is left out from now on.
  private func noteTooLarge(_ place: Int?, _ failure: RedisError?) -> Bool {
    guard let place, let failure, let step = plan?.step(ofCommand: place) else { return false }
    if refusals.note(step.collector.name, reason: Refusals.tooLarge, at: .now()) {
      pollLog.tooLarge(step.collector.name, step.commands[place - step.replies.lowerBound], failure)
    }
    return true
  }

  private func reopened(deadline: NIODeadline) async -> Connection? {
    dropConnection()
    return try? await openConnection(deadline: deadline)
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
    let kept = connection?.isActive == true ? connection : nil
    connection = kept
    let opened: Connection
    if let kept {
      opened = try await kept.renewed(options.connection, on: eventLoop, in: context, deadline: deadline) {
        cost.noteFailure($0)
      }
      guard opened !== kept else { return kept }
      kept.close()
    } else {
      opened = try await Connection.open(options.connection, on: eventLoop, in: context, deadline: deadline)
    }
    cost.noteConnect(opened)
    guard !isStopped else {
      opened.close()
      throw RedisError(.closed, "the poller was stopped")
    }
    connection = opened
    return opened
  }

  func send(
    _ batch: CommandBatch, on connection: Connection, deadline: NIODeadline
  ) async -> Exchange {
    let exchange = await connection.send(batch, deadline: deadline)
    cost.note(exchange, of: batch)
    return exchange
  }

  func dropConnection() {
    connection?.close()
    connection = nil
  }
}
