import NIOCore
import Redis
import Runtime

/// Looks at servers for a plan; only reads.
public struct LoadLook: Sendable {
  let servers: [LoadTest.Server]
  let context: ConnectionContext

  private static let keyCount = 1000
  private static let pageSize = 250

  public init(_ servers: [LoadTest.Server], in context: ConnectionContext) {
    (self.servers, self.context) = (servers, context)
  }

  /// Calls per second of all servers together, between two looks.
  ///
  /// - Throws: ``RedisError`` where one cannot be asked.
  public func mix(seconds: Double) async throws -> [String: Double] {
    let first = try await looks()
    try await Task.sleep(for: .seconds(seconds))
    let second = try await looks()
    var mix: [String: Double] = [:]
    for (old, new) in zip(first, second) { mix.merge(new.rates(since: old)) { $0 + $1 } }
    return mix
  }

  private func looks() async throws -> [CommandMix] {
    var looks: [CommandMix] = []
    for server in servers {
      looks.append(
        try await with(server) { connection in
          let info = await connection.send(CommandBatch([["INFO", "commandstats"]]), deadline: .now() + .seconds(5))
          if let failure = info.failure { throw failure }
          guard !info.replies[0].isError, let text = info.replies[0].bytes else {
            throw RedisError(reply: info.replies[0], to: ["INFO", "commandstats"])
          }
          return CommandMix(InfoText(text), at: .now)
        })
    }
    return looks
  }

  private func with<Value: Sendable>(
    _ server: LoadTest.Server, _ body: (Connection) async throws -> Value
  ) async throws -> Value {
    let connection = try await Connection.open(server.options, in: context, deadline: .now() + .seconds(5))
    defer { connection.close() }
    return try await body(connection)
  }

  /// The lengths of strings among keys at random; empty where the server refuses to tell.
  public func valueBytes() async -> [Int] {
    var lengths: [Int] = []
    for server in servers {
      let found = try? await with(server) { connection in
        var lengths: [Int] = []
        for _ in 0..<(Self.keyCount / Self.pageSize / max(1, min(servers.count, 4))) {
          let ask = Array(repeating: Command(["RANDOMKEY"]), count: Self.pageSize)
          let keys = await connection.send(CommandBatch(ask), deadline: .now() + .seconds(5))
          let named = keys.replies.replies(in: 0..<keys.replies.count).compactMap { $0.isError ? nil : $0.bytes }
          guard keys.failure == nil, !named.isEmpty else { break }
          let lens = await connection.send(
            CommandBatch(named.map { Command(bytes: [Array("STRLEN".utf8), Array($0)]) }),
            deadline: .now() + .seconds(5))
          guard lens.failure == nil else { break }
          lengths += lens.replies.replies(in: 0..<lens.replies.count).compactMap { $0.isError ? nil : $0.integer }
        }
        return lengths
      }
      lengths += found ?? []
    }
    return lengths
  }
}
