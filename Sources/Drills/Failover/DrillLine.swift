import Fleet
import NIOCore
import Redis
import Runtime

/// Asks the servers of a drill, with the drill's logins.
struct DrillClient: Sendable {
  let access: DrillAccess
  let context: ConnectionContext

  /// One question over a connection of its own.
  ///
  /// - Parameters:
  ///   - seconds: for all of it.
  ///   - takesErrors: whether an error reply is an answer, too.
  /// - Throws: ``RedisError``.
  func ask(
    _ address: NodeAddress, _ commands: [Command], isSentinel: Bool = false, seconds: Double = 2,
    takesErrors: Bool = false
  ) async throws(RedisError) -> Replies {
    let deadline = NIODeadline.now() + .lasting(seconds)
    let options = isSentinel ? access.sentinel(address) : access.server(address)
    let connection = try await Connection.open(options, in: context, deadline: deadline)
    defer { connection.close() }
    return try await connection.answers(commands, deadline: deadline, takesErrors: takesErrors)
  }
}

extension TimeAmount {
  static func lasting(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(clamping: (seconds * 1e9).rounded())) }
}

extension Connection {
  /// The replies to all commands.
  ///
  /// - Throws: ``RedisError`` where one failed.
  func answers(
    _ commands: [Command], deadline: NIODeadline, takesErrors: Bool = false
  ) async throws(RedisError) -> Replies {
    let exchange = await send(CommandBatch(commands), deadline: deadline)
    if let failure = exchange.failure { throw failure }
    if takesErrors { return exchange.replies }
    for (index, command) in commands.enumerated() where exchange.replies[index].isError {
      throw RedisError(reply: exchange.replies[index], to: command)
    }
    return exchange.replies
  }
}

/// A connection to one server that is opened again when it was lost.
actor DrillLine {
  let address: NodeAddress
  private let client: DrillClient
  private let isSentinel: Bool
  private var connection: Connection?

  init(_ address: NodeAddress, _ client: DrillClient, isSentinel: Bool = false) {
    self.address = address
    self.client = client
    self.isSentinel = isSentinel
  }

  /// - Throws: ``RedisError``, also for an error reply.
  func ask(_ commands: [Command], seconds: Double) async throws(RedisError) -> Replies {
    let deadline = NIODeadline.now() + .lasting(seconds)
    if connection?.isActive != true {
      connection = nil
      let options = isSentinel ? client.access.sentinel(address) : client.access.server(address)
      connection = try await Connection.open(options, in: client.context, deadline: deadline)
    }
    guard let connection else { throw RedisError(.closed, "no connection") }
    return try await connection.answers(commands, deadline: deadline)
  }

  func close() {
    connection?.close()
    connection = nil
  }
}
