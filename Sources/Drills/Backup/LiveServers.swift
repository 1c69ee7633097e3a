import Fleet
import NIOCore
import Redis
import Runtime

/// What the servers of a workload say of themselves now, as far as a backup is compared with it.
public struct LiveServer: Sendable, Equatable {
  public let instance: String
  public let isMaster: Bool
  /// Of its history of writes, and of the one before.
  public let replicationIDs: Set<String>
  public let replicationOffset: Int?
  public let startedAt: WallTime?
  /// Keys of each database.
  public let keys: [Int: Int]

  public init(
    instance: String, isMaster: Bool, replicationIDs: Set<String>, replicationOffset: Int?, startedAt: WallTime?,
    keys: [Int: Int]
  ) {
    self.instance = instance
    self.isMaster = isMaster
    self.replicationIDs = replicationIDs
    self.replicationOffset = replicationOffset
    self.startedAt = startedAt
    self.keys = keys
  }

  /// - Parameter now: when INFO was answered.
  init(instance: String, _ info: InfoText, now: WallTime) {
    let ids = ["master_replid", "master_replid2"].compactMap { info.text($0) }.filter { id in
      id.utf8.count == 40 && !id.allSatisfy { $0 == "0" }
    }
    self.init(
      instance: instance, isMaster: info.text("role") == "master", replicationIDs: Set(ids),
      replicationOffset: info.integer("master_repl_offset"),
      startedAt: info.integer("uptime_in_seconds").map { now - Double($0) },
      keys: BackupContents(info).databases.mapValues(\.keys))
  }

  /// Asks a server for INFO; nil where it does not answer.
  public static func ask(
    _ instance: String, _ options: ConnectionOptions, in context: ConnectionContext
  ) async -> LiveServer? {
    guard let connection = try? await Connection.open(options, in: context, deadline: .now() + .seconds(5)) else {
      return nil
    }
    defer { connection.close() }
    let asked = await connection.send(CommandBatch([["INFO"]]), deadline: .now() + .seconds(5))
    guard asked.failure == nil, !asked.replies[0].isError, let text = asked.replies[0].bytes else { return nil }
    return LiveServer(instance: instance, InfoText(text), now: .now)
  }
}
