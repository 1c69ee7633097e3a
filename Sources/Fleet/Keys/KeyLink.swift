import Metrics
import NIOCore
import Redis

/// The connections of key work: one batch at a time over all of them, at the pace of a ``DutyCycle``.
///
/// Commands that the server refuses are left out for an hour. One that was never accepted is tried alone before many of
/// its kind are sent, so that a refusal costs the server one error.
actor KeyLink {
  private struct Line {
    var connection: Connection
    var database: Int
    var usedAt: NIODeadline
    /// The smallest round trip that was seen; nil where PING is refused.
    var tripSeconds: Double?
    var batchCount = 0
    /// Whether the server was asked not to take key work for use of the keys.
    var isTouchSettled = false
  }
  /// Who comes first.
  private struct Passes {
    /// Passes that go before what is done in the rest of the time.
    var count = 0
    /// Batches of theirs since somebody else had a turn.
    var batchCount = 0
    /// Whether somebody needs the connections between passes, too.
    var areConnectionsKept = false
  }
  private let options: ConnectionOptions
  private let context: ConnectionContext
  private let timeout: TimeAmount
  private let cost: KeyWorkCost
  private var duty: DutyCycle
  private var lines: [Endpoint?: Line] = [:]
  private var refusals = Refusals()
  private var accepted: Set<String> = []
  private var avoidsTouching = false
  /// Who refuses PING, or CLIENT NO-TOUCH: nothing is lost that anybody would look for.
  private var unwilling: Set<Courtesy> = []
  private var isStopped = false
  /// What nodes of the cluster call themselves.
  private var names: [Endpoint: String] = [:]
  private let turns = Turns()
  private var passes = Passes()
  /// Of the batches of this turn.
  private var chargedSeconds = 0.0

  init(
    _ options: ConnectionOptions, context: ConnectionContext, duty: DutyCycle, timeout: TimeAmount, cost: KeyWorkCost
  ) {
    self.options = options
    self.context = context
    self.duty = duty
    self.timeout = timeout
    self.cost = cost
  }

  /// Where the target itself listens.
  nonisolated var target: Endpoint { options.address.endpoint }

  /// Sends commands in one write, after the wait that is owed for those before.
  ///
  /// - Parameter node: a node of the target's cluster, or nil for the target.
  /// - Returns: a reply for each command; nil for those that the server refuses.
  /// - Throws: ``RedisError`` when a reply did not come, or the server cannot serve now (loading, busy, no login).
  func send(_ commands: [Command], to node: Endpoint? = nil, database: Int = 0) async throws(RedisError) -> [Reply?] {
    try await timed(commands, to: node, database: database).replies
  }

  /// The same, with the server's share of the time that it took.
  ///
  /// - Parameter inRest: whether it came after ``waitForRest()``.
  func timed(
    _ commands: [Command], to node: Endpoint? = nil, database: Int = 0, inRest: Bool = false
  ) async throws(RedisError) -> (replies: [Reply?], seconds: Double) {
    if !inRest { passes.batchCount += 1 }
    // Walks and streams share the link: two batches at once would open a connection each, and close one another's.
    await turns.take()
    defer { turns.pass() }
    let now = NIODeadline.now()
    guard refusals.allows(Self.selection(of: database), at: now) else { return (commands.map { _ in nil }, 0) }
    chargedSeconds = 0
    let wanted = commands.indices.filter { refusals.allows(commands[$0].verb, at: now) }
    var replies = [Reply?](repeating: nil, count: commands.count)
    var tried: Set<String> = []
    let probes = wanted.filter { !accepted.contains(commands[$0].verb) && tried.insert(commands[$0].verb).inserted }
    if !probes.isEmpty, probes.count < wanted.count {
      try await exchange(commands, probes, node, database, &replies)
    }
    let rest = wanted.filter { replies[$0] == nil && refusals.allows(commands[$0].verb, at: now) }
    if !rest.isEmpty { try await exchange(commands, rest, node, database, &replies) }
    return (replies, chargedSeconds)
  }

  /// A sample, or a walk of watches, begins: what has all the time of the world waits for it.
  func beginPass() { passes.count += 1 }
  func endPass() { passes.count -= 1 }

  /// Waits for what time passes leave. While they last, one batch in so many is of others all the same.
  func waitForRest() async {
    while passes.count > 0, passes.batchCount < Self.passBatches, !Task.isCancelled {
      try? await Task.sleep(for: .milliseconds(50))
    }
    passes.batchCount = 0
  }

  private static let passBatches = 8

  /// Whether connections stay open between passes.
  func keep(_ areKept: Bool) { passes.areConnectionsKept = areKept }

  /// From now on keys that are looked at do not count as used where the server can leave that out (Redis 7.2): which keys it
  /// evicts, and what OBJECT IDLETIME says, then stays as applications make it.
  func avoidTouching(_ isKnown: Bool) { avoidsTouching = isKnown }

  /// Nodes may show a certificate for these names instead of their addresses.
  func know(names: [Endpoint: String]) { self.names = names }

  /// Closes all connections that nobody needs meanwhile.
  func closeUnlessKept() { if passes.areConnectionsKept { closeAged() } else { close() } }

  /// Closes all connections; the next batch opens what it needs.
  func close() {
    for line in lines.values { line.connection.close() }
    lines = [:]
  }

  /// Closes connections whose names may lead elsewhere by now. For between two passes: a cursor belongs to one server.
  func closeAged() {
    for (node, line) in lines where line.connection.isAged { drop(node) }
  }

  /// Somebody else has asked the same server: what that took is waited for before the next batch.
  func charge(busySeconds seconds: Double) { duty.note(busySeconds: seconds, at: Self.seconds(.now())) }

  /// From now on batches take at most this share of the time.
  func limit(dutyRatio: Double) {
    let wanted = DutyCycle(ratio: dutyRatio)
    if wanted.ratio != duty.ratio {
      duty = wanted
      cost.noteDuty(wanted.ratio)
    }
  }

  /// Takes note that credentials or permissions may have changed.
  func reset() {
    refusals = Refusals()
    unwilling = []
    close()
  }

  /// Closes all connections for good: what is under way fails.
  func stop() {
    isStopped = true
    close()
  }

  // MARK: One batch

  private func exchange(
    _ commands: [Command], _ indices: [Int], _ node: Endpoint?, _ database: Int, _ replies: inout [Reply?]
  ) async throws(RedisError) {
    let chosen = indices.map { commands[$0] }
    let isReused = lines[node]?.connection.isActive ?? false
    let answered: Replies?
    do throws(RedisError) {
      answered = try await attempt(chosen, node, database)
    } catch {
      // The server may close a connection that rested; that is no failure. A script is not run twice.
      guard isReused, error.errorClass == .closed, !isStopped, !chosen.contains(where: { $0.verb.hasPrefix("EVAL") })
      else { throw error }
      answered = try await attempt(chosen, node, database)
    }
    guard let answered else { return }
    for (place, index) in indices.enumerated() {
      let reply = answered[place]
      if reply.isError {
        try note(reply, to: commands[index])
      } else {
        accepted.insert(commands[index].verb)
      }
      replies[index] = isRefusal(reply) ? nil : reply
    }
  }

  /// - Returns: nil when there is no such database.
  private func attempt(_ commands: [Command], _ node: Endpoint?, _ database: Int) async throws(RedisError) -> Replies? {
    try await pace()
    let connection = try await open(node)
    try await greet(connection, node)
    if lines[node]?.database != database {
      let select: Command = ["SELECT", "\(database)"]
      let reply = try await run([select], on: connection, node)[0]
      if reply.isError {
        try note(reply, to: select)
        refuse(Self.selection(of: database), reply)
        return nil
      }
      lines[node]?.database = database
    }
    return try await run(commands, on: connection, node)
  }

  private func run(
    _ commands: [Command], on connection: Connection, _ node: Endpoint?
  ) async throws(RedisError) -> Replies {
    let batch = CommandBatch(commands)
    let exchange = await connection.send(batch, deadline: .now() + timeout)
    let seconds = Double((exchange.ended - exchange.sent).nanoseconds) / 1e9
    let tripSeconds = lines[node]?.tripSeconds.map { min($0, seconds) }
    lines[node]?.tripSeconds = tripSeconds
    let charged = Self.charged(seconds, tripSeconds: tripSeconds)
    chargedSeconds += charged
    duty.note(busySeconds: charged, at: Self.seconds(exchange.ended))
    cost.note(exchange, of: batch, busySeconds: charged, isTarget: node == nil)
    if let failure = exchange.failure {
      drop(node)
      throw failure
    }
    lines[node]?.usedAt = exchange.ended
    return exchange.replies
  }

  /// The way there and back is no work of the server. A fifth of it is kept, since it varies.
  static func charged(_ seconds: Double, tripSeconds: Double?) -> Double {
    max(0, seconds - 0.8 * (tripSeconds ?? 0))
  }

  /// What a new connection begins with; the round trip is measured again from time to time.
  private func greet(_ connection: Connection, _ node: Endpoint?) async throws(RedisError) {
    let count = lines[node]?.batchCount ?? 0
    lines[node]?.batchCount = count + 1
    if count < 3 || count % 128 == 0, !unwilling.contains(.ping(node)) {
      let ping: Command = ["PING"]
      let exchange = await connection.send(CommandBatch([ping]), deadline: .now() + timeout)
      cost.note(exchange, of: CommandBatch([ping]), busySeconds: 0, isTarget: node == nil)
      if let failure = exchange.failure {
        drop(node)
        throw failure
      }
      if isRefusal(exchange.replies[0]) {
        unwilling.insert(.ping(node))
      } else if !exchange.replies[0].isError {
        let seconds = Double((exchange.ended - exchange.sent).nanoseconds) / 1e9
        let known = lines[node]?.tripSeconds
        lines[node]?.tripSeconds = min(known ?? seconds, seconds)
      }
    }
    guard avoidsTouching, lines[node]?.isTouchSettled == false else { return }
    lines[node]?.isTouchSettled = true
    guard !unwilling.contains(.noTouch(node)) else { return }
    if try await run([Self.noTouch], on: connection, node)[0].isError { unwilling.insert(.noTouch(node)) }
  }

  private enum Courtesy: Hashable {
    case ping(Endpoint?)
    case noTouch(Endpoint?)
  }

  static let noTouch: Command = ["CLIENT", "NO-TOUCH", "ON"]

  private func pace() async throws(RedisError) {
    let wait = duty.waitSeconds(at: Self.seconds(.now()))
    if wait > 0 { try? await Task.sleep(for: .seconds(wait)) }
    if isStopped || Task.isCancelled { throw RedisError(.closed, "key work was stopped") }
  }

  private func open(_ node: Endpoint?) async throws(RedisError) -> Connection {
    if let line = lines[node], line.connection.isActive { return line.connection }
    drop(node)
    if lines.count >= KeyWorkLimits.connections, let oldest = lines.min(by: { $0.value.usedAt < $1.value.usedAt }) {
      drop(oldest.key)
    }
    var options = options
    if case .tcp(let host, let port)? = node {
      options.address = RedisAddress(endpoint: .tcp(host: host, port: port), usesTLS: options.address.usesTLS)
      options.announcedName = node.flatMap { names[$0] }
      options.mayConnect = AddressPolicy(target: target).check(of: NodeAddress(host: host, port: port))
    }
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(options, on: context.pollLoop, in: context, deadline: .now() + timeout)
    } catch {
      if node == nil { cost.node.noteFailure(error.errorClass) }
      throw error
    }
    cost.noteConnect(connection, isTarget: node == nil)
    guard !isStopped else {
      connection.close()
      throw RedisError(.closed, "key work was stopped")
    }
    lines[node] = Line(connection: connection, database: options.address.database, usedAt: .now())
    return connection
  }

  private func drop(_ node: Endpoint?) { lines.removeValue(forKey: node)?.connection.close() }

  private static func seconds(_ time: NIODeadline) -> Double { Double(time.uptimeNanoseconds) / 1e9 }

  // MARK: Error replies

  private func note(_ reply: Reply, to command: Command) throws(RedisError) {
    let error = RedisError(reply: reply, to: Command([command.verb]))
    if [.loading, .busy, .auth].contains(error.errorClass) || reply.errorCode == "MASTERDOWN" { throw error }
    guard isRefusal(reply) else {
      accepted.insert(command.verb)
      return
    }
    accepted.remove(command.verb)
    refuse(command.verb, reply)
  }

  private func refuse(_ verb: String, _ reply: Reply) {
    _ = refusals.note(verb, reason: reply.errorCode ?? "", at: .now())
    cost.noteRefused(refusals.byCollector.keys.sorted())
  }

  private static func selection(of database: Int) -> String { "SELECT \(database)" }

  /// Whether the server will not run the command at all; a key that is not permitted is another matter.
  private func isRefusal(_ reply: Reply) -> Bool {
    guard reply.isError, let text = reply.text else { return false }
    if reply.errorCode == "NOPERM" { return !text.contains(" access ") }
    let lowered = text.prefix(40).lowercased()
    return lowered.hasPrefix("err unknown command") || lowered.hasPrefix("err unknown subcommand")
  }
}
