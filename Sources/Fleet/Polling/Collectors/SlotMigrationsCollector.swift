import Metrics
import Redis
import Runtime

/// CLUSTER GETSLOTMIGRATIONS: the atomic slot migrations that a node of Valkey 9 takes part in, and those that it remembers.
struct SlotMigrationsCollector: Collector {
  let name = "slot_migrations"
  var families: [Family] {
    [Self.active, Self.slots, Self.remaining, Self.silence, Self.ended, Self.lastFailure]
  }
  let lost: String? = "slot migrations that move, fail or are stuck"

  static let operations = ["export", "import"]
  private static let outcomes: [(name: String, stage: SlotMigration.Stage)] = [
    ("success", .succeeded), ("failed", .failed), ("cancelled", .cancelled),
  ]
  private static let source = "CLUSTER GETSLOTMIGRATIONS"

  private static let active = gauge(
    "active", "Slot migrations under way: the node exports or imports the slots", "state")
  private static let slots = gauge("slots", "Slots of the migrations under way", "slot_ranges")
  private static let remaining = gauge(
    "remaining_bytes", "Bytes that the migrations under way have still to send", "remaining_repl_size", .bytes)
  private static let silence = gauge(
    "silence_seconds",
    "Seconds since the migrations under way last had a sign of the other node, for the one that waits longest; absent while none is under way",
    "last_ack_time", .seconds)
  private static let ended = gauge(
    "remembered", "Slot migrations that have ended and that the node still remembers, by how they ended", "state",
    labels: ["operation", "outcome"], traits: [.values(outcomes.map(\.name), of: "outcome")])
  private static let lastFailure = gauge(
    "last_failure_timestamp_seconds",
    "When the last slot migration failed that the node remembers, in seconds since the epoch; absent where none did",
    "last_update_time", .seconds)

  private static func gauge(
    _ name: String, _ help: String, _ field: String, _ unit: Unit = .none, labels: [String] = ["operation"],
    traits: [Family.Trait] = []
  ) -> Family {
    .gauge(
      "cluster_slot_migrations_\(name)", "\(help) (\(source) \(field)).", labels: labels, unit: unit,
      traits: traits + [.since("Valkey 9.0"), .values(operations, of: "operation")])
  }

  func commands(for server: ServerFacts, _ options: CollectorOptions) -> [Command] {
    server.isClusterEnabled && server.mode != .sentinel && server.migratesSlotsAtomically
      ? [["CLUSTER", "GETSLOTMIGRATIONS"]] : []
  }

  /// Without the server's message, which may be of any kind.
  func recording(of command: Command) -> ReplyRecording {
    .pairs([
      "name", "operation", "slot_ranges", "source_node", "target_node", "create_time", "last_update_time",
      "last_ack_time",
      "state", "remaining_repl_size",
    ])
  }

  func collect(_ poll: PollContext, into sink: inout SampleSink) throws(CollectorError) {
    guard let all = poll.slotMigrations else { throw CollectorError("\(Self.source) is no list") }
    let now = poll.info.serverSeconds ?? poll.now.seconds
    for operation in Self.operations {
      let label = LabelValue.text(operation)
      let own = all.filter { $0.isExport == (operation == "export") }
      let active = own.filter { $0.stage == .underWay }
      sink.add(Self.active, Double(active.count), label)
      sink.add(Self.slots, Double(active.reduce(0) { $0 + $1.slotCount }), label)
      let remaining = active.compactMap(\.remainingBytes)
      if remaining.count == active.count { sink.add(Self.remaining, remaining.reduce(0, +), label) }
      if let last = active.map(\.lastSignSeconds).min() { sink.add(Self.silence, max(0, now - last), label) }
      for (name, stage) in Self.outcomes {
        sink.add(Self.ended, Double(own.count { $0.stage == stage }), [label, .text(name)])
      }
      if let last = own.filter({ $0.stage == .failed }).map(\.lastSignSeconds).max() {
        sink.add(Self.lastFailure, last, label)
      }
    }
  }
}

extension ServerFacts {
  /// Whether slots move as a whole, and the server tells how (Valkey 9).
  var migratesSlotsAtomically: Bool { valkeyVersion.map { $0 >= Version(9) } ?? false }
}

struct SlotMigrations: SharedReading {
  let all: [SlotMigration]

  static func read(_ poll: PollContext) -> SlotMigrations? {
    poll.reply(to: SlotMigrationsCollector.self)?.elements.map { elements in
      SlotMigrations(all: elements.prefix(SlotMigration.limit).compactMap { SlotMigration($0) })
    }
  }
}

extension PollContext {
  /// nil where CLUSTER GETSLOTMIGRATIONS was not answered.
  var slotMigrations: [SlotMigration]? { reading(SlotMigrations.self)?.all }
}
