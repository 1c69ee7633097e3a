import Config
import NIOCore
import Redis
import Runtime

/// How many keys of a list a workload has, asked by MEMORY USAGE, which moves neither hits nor misses.
public struct KeyPresence: Sendable, Equatable {
  public var presentCount = 0
  public var absentCount = 0
  /// Keys that could not be asked about, and why the first of them could not.
  public var unknownCount = 0
  public var problem: String?

  /// The most keys of a list.
  public static let keyLimit = 10_000
  private static let batchCount = 200
  private static let timeout: TimeAmount = .seconds(2)

  public init() {}

  /// - Parameters:
  ///   - keys: of database 0, at most ``keyLimit``.
  ///   - members: those of the one workload; its masters are asked, with the workload's own login.
  public static func look(
    at keys: [[UInt8]], of members: [FleetMember], in context: ConnectionContext
  ) async -> KeyPresence {
    var presence = KeyPresence()
    let masters = members.filter { $0.role == .master }
    let slots = masters.map { $0.node.poller.newest?.member?.value.cluster?.nodes.first(where: \.isMyself)?.slots }
    var byMaster: [Int: [[UInt8]]] = [:]
    for key in keys.prefix(keyLimit) {
      let slot = clusterSlot(of: key)
      let owner = masters.indices.first { slots[$0].map { $0.contains { $0.contains(slot) } } ?? true }
      if let owner {
        byMaster[owner, default: []].append(key)
      } else {
        presence.miss(1, masters.isEmpty ? "no master answers" : "no master serves slot \(slot)")
      }
    }
    for (owner, keys) in byMaster.sorted(by: { $0.key < $1.key }) {
      await presence.ask(masters[owner], keys, in: context)
    }
    return presence
  }

  private mutating func ask(_ master: FleetMember, _ keys: [[UInt8]], in context: ConnectionContext) async {
    let connection: Connection
    do throws(RedisError) {
      connection = try await Connection.open(
        master.node.poller.options.connection, in: context, deadline: .now() + Self.timeout)
    } catch {
      return miss(keys.count, "\(master.instance): \(error)")
    }
    defer { connection.close() }
    var start = 0
    while start < keys.count {
      let batch = keys[start..<min(start + Self.batchCount, keys.count)]
      start += batch.count
      let commands = batch.map { Command(bytes: [Array("MEMORY".utf8), Array("USAGE".utf8), $0]) }
      let exchange = await connection.send(CommandBatch(commands), deadline: .now() + Self.timeout)
      for index in 0..<exchange.replies.count {
        let reply = exchange.replies[index]
        if reply.isNull {
          absentCount += 1
        } else if reply.integer != nil {
          presentCount += 1
        } else {
          miss(1, "\(master.instance) answers \(reply.errorCode ?? "something else") to MEMORY USAGE")
        }
      }
      if let failure = exchange.failure {
        return miss(keys.count - start + batch.count - exchange.replies.count, "\(master.instance): \(failure)")
      }
    }
  }

  private mutating func miss(_ count: Int, _ reason: String) {
    unknownCount += count
    problem = problem ?? reason
  }
}
