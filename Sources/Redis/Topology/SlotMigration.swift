import Runtime

/// One of Valkey 9's atomic slot migrations, as CLUSTER GETSLOTMIGRATIONS of one of its two nodes describes it.
///
/// Nodes remember those that have ended for a while.
public struct SlotMigration: Sendable, Equatable {
  public enum Stage: Sendable, Equatable {
    case underWay, succeeded, failed, cancelled
  }

  /// The same on both nodes.
  public let name: String
  /// Whether the node that says it gives the slots away; else it takes them.
  public let isExport: Bool
  public let slots: [ClosedRange<Int>]
  public let sourceID: String
  public let targetID: String
  /// By the server's clock, in seconds since the epoch.
  public let createdSeconds: Double
  /// When the node last had a sign of the other one or went a step further, by its own clock.
  public let lastSignSeconds: Double
  public let stage: Stage
  /// As the server names the step: `snapshotting`, `streaming`, `failed`.
  public let state: String
  /// Why it failed; empty where the server does not tell.
  public let message: String
  /// Bytes that are still to be sent; nil where the server does not tell.
  public let remainingBytes: Double?

  public var slotCount: Int { slots.reduce(0) { $0 + $1.count } }

  /// - Returns: nil for what describes no migration.
  public init?(_ reply: Reply) {
    guard let name = reply.field("name")?.text, !name.isEmpty, let state = reply.field("state")?.text else {
      return nil
    }
    self.name = name
    self.state = state
    switch state.lowercased() {
    case "success": stage = .succeeded
    case "failed": stage = .failed
    case "cancelled", "canceled": stage = .cancelled
    default: stage = .underWay
    }
    isExport = reply.field("operation")?.text?.lowercased() == "export"
    var room = ClusterNodes.slotCount
    slots = (reply.field("slot_ranges")?.text ?? "").split(separator: " ").compactMap { word in
      let ends = word.split(separator: "-", maxSplits: 1).map { Int($0) }
      guard let first = ends.first ?? nil, let last = ends.last ?? nil, 0 <= first, first <= last,
        last < ClusterNodes.slotCount, last - first < room
      else { return nil }
      room -= last - first + 1
      return first...last
    }
    sourceID = (reply.field("source_node")?.text ?? "").cut(toBytes: ForeignText.hostByteLimit)
    targetID = (reply.field("target_node")?.text ?? "").cut(toBytes: ForeignText.hostByteLimit)
    func seconds(_ field: String) -> Double { Double(max(0, reply.field(field)?.integer ?? 0)) }
    createdSeconds = seconds("create_time")
    lastSignSeconds = max(createdSeconds, seconds("last_update_time"), seconds("last_ack_time"))
    message = reply.field("message")?.text ?? ""
    remainingBytes = reply.field("remaining_repl_size")?.double
  }

  /// Migrations that are read of one node.
  public static let limit = 1000
}
