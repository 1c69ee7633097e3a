import NIOCore
import Redis
import Runtime

/// One server is asked for evidence: one connection of its own, so that no poll waits for it.
struct NodeLook: Sendable {
  /// What came of it, for the record and for rules.
  struct Result: Sendable {
    var node: Evidence.Node
    var facts: NodeFacts
  }

  /// For name, connection, login and everything that is asked.
  static let limit: TimeAmount = .seconds(2)

  let candidate: EvidenceCandidate
  let sources: [any EvidenceSource]
  let masterName: String?
  let past: CounterTracker.Past?
  let earlier: NodeFacts?
  /// From when on what the server has on record is new.
  let since: WallTime

  /// Asks, unless the server failed so often that it is left alone.
  func take(in context: ConnectionContext, clock: @Sendable () -> WallTime) async -> Result {
    if candidate.isLeftAlone, let error = candidate.error { return silent(error, isLeftAlone: true, at: clock()) }
    do throws(RedisError) {
      return try await ask(in: context, clock: clock)
    } catch {
      candidate.cost.noteFailure(error.errorClass)
      return silent(error, isLeftAlone: false, at: clock())
    }
  }

  private func silent(_ error: RedisError, isLeftAlone: Bool, at now: WallTime) -> Result {
    var facts = NodeFacts(instance: candidate.instance, role: candidate.role, wall: now)
    facts.silence = NodeFacts.Silence(
      errorClass: error.errorClass, text: oneLine(error.message.cut(toBytes: 256)), lastAnswer: candidate.lastAnswer,
      isLeftAlone: isLeftAlone)
    let words =
      "\(error.errorClass.rawValue): \(facts.silence?.text ?? "")"
      + (isLeftAlone ? "; it failed so often that it is left alone for now" : "")
    return Result(
      node: Evidence.Node(
        instance: candidate.instance, role: candidate.role.rawValue, silence: KnownSecrets.masked(words),
        atMs: now.epochMs),
      facts: facts)
  }

  private struct Step {
    let source: any EvidenceSource
    let commands: [Command]
  }

  private func ask(in context: ConnectionContext, clock: @Sendable () -> WallTime) async throws(RedisError) -> Result {
    let deadline = NIODeadline.now() + Self.limit
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(
        candidate.connection, on: context.pollLoop, in: context, deadline: deadline)
    } catch {
      // Clients have taken every connection: that is what is to be seen.
      guard error.errorClass == .maxclients, let poller = candidate.poller else { throw error }
      return try await read(clock: clock) { commands throws(RedisError) in
        try await Self.borrow(commands, from: poller, deadline: deadline, otherwise: error)
      }
    }
    defer { connection.close() }
    candidate.cost.noteConnect(connection)
    return try await read(clock: clock) { commands throws(RedisError) in
      try await send(commands, on: connection, deadline: deadline)
    }
  }

  /// How long a poll that becomes due may be held up.
  private static let loan: TimeAmount = .milliseconds(500)

  private static func borrow(
    _ commands: [Command], from poller: Poller, deadline: NIODeadline, otherwise error: RedisError
  ) async throws(RedisError) -> [Reply] {
    while NIODeadline.now() < deadline {
      if let exchange = await poller.lend(CommandBatch(commands), deadline: min(deadline, .now() + loan)) {
        if let failure = exchange.failure { throw failure }
        return exchange.replies.replies(in: 0..<exchange.replies.count)
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    throw error
  }

  /// - Parameter ask: sends commands and gives their replies.
  private func read(
    clock: @Sendable () -> WallTime, _ ask: ([Command]) async throws(RedisError) -> [Reply]
  ) async throws(RedisError) -> Result {
    let infoCommand: Command = ["INFO", "ALL"]
    let first = try await ask([infoCommand])
    guard let reply = first.first, !reply.isError, let bytes = reply.bytes else {
      throw first.first.map { RedisError(reply: $0, to: infoCommand) } ?? RedisError(.protocol, "INFO was not answered")
    }
    let info = InfoText(bytes)
    let server = ServerFacts(info)
    let isCrowded = (info.finite("connected_clients") ?? 0) > Double(ClientsSource.limit)
    let steps = sources.map { source in
      let isLeftOut = source is ClientsSource && isCrowded
      return Step(
        source: source, commands: isLeftOut ? [] : source.commands(for: server, masterName: masterName))
    }
    let commands = steps.flatMap(\.commands)
    let replies = commands.isEmpty ? [] : try await ask(commands)
    let host = await host(steps, replies, info)
    var reading = NodeReading(
      info, instance: candidate.instance, role: candidate.role, past: past, earlier: earlier, since: since,
      wall: clock())
    reading.facts.host = host
    var start = 0
    for step in steps {
      let own = Array(replies[start..<(start + step.commands.count)])
      start += step.commands.count
      // A source that asks nothing of a server that it is not about has nothing to say.
      if step.commands.isEmpty, !step.source.commands(for: server, masterName: masterName).isEmpty,
        !(step.source is ClientsSource)
      {
        continue
      }
      if let refusal = own.first(where: \.isError) {
        reading.sections.append(
          step.source.section([
            "refused: \(refusal.errorCode ?? "an error"); `redline acl` prints the rights that it needs"
          ]))
        guard own.contains(where: { !$0.isError }) else { continue }
      }
      step.source.read(own, into: &reading)
    }
    return Result(
      node: Evidence.Node(
        instance: candidate.instance, role: reading.facts.isMaster ? "master" : candidate.role.rawValue,
        atMs: reading.facts.wall.epochMs, figures: reading.figures.filter(\.value.isFinite), sections: reading.sections),
      facts: reading.facts)
  }

  private func send(
    _ commands: [Command], on connection: Connection, deadline: NIODeadline
  ) async throws(RedisError) -> [Reply] {
    let batch = CommandBatch(commands)
    let exchange = await connection.send(batch, deadline: deadline)
    candidate.cost.note(exchange, of: batch)
    if let failure = exchange.failure { throw failure }
    return exchange.replies.replies(in: 0..<exchange.replies.count)
  }

  /// The machine, where that is asked for and is this one.
  private func host(_ steps: [Step], _ replies: [Reply], _ info: InfoText) async -> NodeFacts.Host? {
    var start = 0
    for step in steps {
      let own = Array(replies[start..<(start + step.commands.count)])
      start += step.commands.count
      guard step.source is HostSource, let process = info.integer("process_id") else { continue }
      let (address, folder) = (candidate.connection.address, HostSource.folder(own))
      return try? await FileWork.shared.value(
        of: "/proc/\(process)", within: .seconds(1), isRecorded: false
      ) { () throws(FileProblem) in NodeFacts.Host.read(address, processID: process, folder: folder) }
    }
    return nil
  }
}
