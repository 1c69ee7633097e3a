import Fleet
import NIOCore
import Redis
import Runtime

/// A replica that is asked for a backup, as a new replica of its own would ask.
public struct ReplicaSource: Sendable {
  /// Why it is not asked: a guard.
  public struct Refusal: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
  }

  public let instance: String
  let options: ConnectionOptions
  let context: ConnectionContext

  private static let silence: TimeAmount = .seconds(60)
  private static let limit: TimeAmount = .hours(4)

  public init(instance: String, _ options: ConnectionOptions, in context: ConnectionContext) {
    (self.instance, self.options, self.context) = (instance, options, context)
  }

  /// Writes its data as an RDB file. All is asked on one connection: what is behind an address may change between two.
  ///
  /// - Throws: ``Refusal``, ``BackupTrouble``.
  func save(to path: String, in folder: PrivateFolder) async throws {
    do {
      let connection = try await Connection.open(options, in: context, deadline: .now() + .seconds(5))
      defer { connection.close() }
      let info = try await Self.answer(["INFO"], of: connection)
      let free = SmallFile.freeBytes(onDiskOf: folder.path)
      if let refusal = Self.refusal(InfoText(info.bytes ?? []), freeBytes: free) {
        throw Refusal("\(instance) \(refusal)")
      }
      // The last word before the fork.
      guard Self.isReplica(try await Self.answer(["ROLE"], of: connection)) else {
        throw Refusal("\(instance) is no replica that follows its master: a master is never forked for this")
      }
      try await connection.saveSnapshot(to: path, silence: Self.silence, deadline: .now() + Self.limit)
    } catch let error as RedisError {
      throw BackupTrouble(
        .unreadable, "\(instance) gives no snapshot, for which +info +role +sync are needed: \(error)")
    }
  }

  private static func answer(_ command: Command, of connection: Connection) async throws(RedisError) -> Reply {
    let exchange = await connection.send(CommandBatch([command]), deadline: .now() + .seconds(5))
    if let failure = exchange.failure { throw failure }
    if exchange.replies[0].isError { throw RedisError(reply: exchange.replies[0], to: command) }
    return exchange.replies[0]
  }

  /// Whether ROLE says that it is a replica that has its master's data.
  static func isReplica(_ role: Reply) -> Bool {
    guard let elements = role.elements, elements.count >= 5 else { return false }
    return elements[0]?.text == "slave" && elements[3]?.text == "connected"
  }

  /// Why the server is not forked; nil where it may be.
  ///
  /// - Parameter freeBytes: of the disk that the snapshot goes to; nil where that is not known.
  static func refusal(_ info: InfoText, freeBytes: Double?) -> String? {
    guard info.text("role") == "slave" else { return "is no replica: a master is never forked for this" }
    guard let fork = ForkHeadroom(info) else {
      return "does not tell how much memory its machine has, so whether it may fork is not known"
    }
    let headroom = fork.expectedBytes ?? fork.worstBytes
    guard headroom > 0 else {
      return
        "has no memory for the fork that this needs: fork headroom is \(BackupWords.bytes(Double(-headroom))) below zero"
    }
    let used = Double(info.integer("used_memory") ?? 0)
    if let freeBytes, freeBytes < 2 * used {
      return
        "uses \(BackupWords.bytes(used)), and twice as much is needed below TMPDIR, where \(BackupWords.bytes(freeBytes)) are free"
    }
    return nil
  }
}
