import Metrics
import Redis
import Runtime

/// Slots that nobody serves.
struct SlotsUncovered: Check {
  let id = "slots-uncovered"
  private static let slots = Family.gauge(
    "workload_slots", "Slots of the cluster by the state of their owner; with full coverage, 16384 are ok.",
    labels: ["state"], traits: [.event])
  private static let shards = Family.gauge("workload_shards", "Masters with slots.")
  var families: [Family] { [Self.slots, Self.shards] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.cluster else { return }
    let coverage = view.coverage
    let unassigned = ClusterNodes.slotCount - coverage.assigned
    let counts = [
      ("ok", coverage.ok), ("pfail", coverage.pfail), ("fail", coverage.fail), ("unassigned", unassigned),
    ]
    for (name, count) in counts { verdict.add(Self.slots, Double(count), .text(name)) }
    verdict.add(Self.shards, Double(view.shards.count))
    if unassigned > 0 { verdict.find(.critical, "\(unassigned) slots have no owner") }
    if coverage.fail > 0 { verdict.find(.critical, "\(coverage.fail) slots belong to a failed master") }
    if coverage.pfail > 0 { verdict.find(.warning, "\(coverage.pfail) slots belong to a master that may have failed") }
  }
}

/// Nodes of the cluster give slots to different owners.
struct SlotsDisputed: Check {
  let id = "slots-disputed"
  private static let disputed = Family.gauge(
    "workload_slots_disputed", "Slots on whose owner the nodes of the cluster disagree.")
  var families: [Family] { [Self.disputed] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let count = state.cluster?.disputedSlotCount else { return }
    verdict.add(Self.disputed, Double(count))
    if count > 0 { verdict.find(.warning, "Nodes disagree on who owns \(count) slots") }
  }
}

/// Slots are on their way to another master.
struct SlotsMoving: Check {
  let id = "slots-moving"
  private static let moving = Family.gauge(
    "workload_slots_moving", "Slots that are being moved between masters.")
  var families: [Family] { [Self.moving] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.cluster else { return }
    var slots = Set(view.migratingSlots.keys).union(view.importingSlots.keys)
    for migration in state.slotMigrations where migration.stage == .underWay {
      slots.formUnion(migration.slots.joined())
    }
    verdict.add(Self.moving, Double(slots.count))
    if !slots.isEmpty {
      verdict.find(.info, slots.count == 1 ? "1 slot is being moved" : "\(slots.count) slots are being moved")
    }
  }
}

/// Slots did not reach the master that they were to be moved to, or no longer come closer to it.
struct SlotMigrationTroubled: Check {
  let id = "slot-migration-troubled"
  private static let troubled = Family.gauge(
    "workload_slot_migrations_troubled",
    "Slot migrations that have failed within the last hour, or that neither node has made progress with for half a minute.",
    labels: ["trouble"], traits: [.values(["failed", "stuck"], of: "trouble")])
  var families: [Family] { [Self.troubled] }
  /// How long a failure is told.
  private static let tellSeconds = 3600.0
  /// Both nodes have a sign of one another every second.
  private static let silenceSeconds = 30.0

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    let all = state.slotMigrations
    guard state.up.contains(where: { $0.facts.slotMigrations != nil }) else { return }
    let failed = all.filter { migration in
      migration.stage == .failed && state.serverSeconds - migration.lastSignSeconds <= Self.tellSeconds
        && !all.contains { $0.isAfter(migration) && [.succeeded, .underWay].contains($0.stage) }
    }
    let stuck = all.filter {
      $0.stage == .underWay && state.serverSeconds - $0.lastSignSeconds > Self.silenceSeconds
    }
    verdict.add(Self.troubled, Double(failed.count), "failed")
    verdict.add(Self.troubled, Double(stuck.count), "stuck")
    for migration in failed {
      let age = span(state.serverSeconds - migration.lastSignSeconds)
      let reason = printable(Array(migration.message.utf8.prefix(128))[...])
      verdict.find(
        .warning, .shard(state.name(migration.sourceID)),
        "\(route(migration, state)) failed \(age) ago: \(reason.isEmpty ? "the server names no reason" : reason)")
    }
    for migration in stuck {
      let age = span(state.serverSeconds - migration.lastSignSeconds)
      let step = printable(Array(migration.state.utf8.prefix(64))[...])
      verdict.find(
        .warning, .shard(state.name(migration.sourceID)), "\(route(migration, state)) is stuck in \(step) for \(age)")
    }
  }

  private func route(_ migration: SlotMigration, _ state: WorkloadState) -> String {
    let count = migration.slotCount
    let slots = count == 1 ? "1 slot" : "\(count) slots"
    return "The migration of \(slots) from \(state.name(migration.sourceID)) to \(state.name(migration.targetID))"
  }
}

extension SlotMigration {
  /// Whether it began later and moves at least the same slots.
  fileprivate func isAfter(_ other: SlotMigration) -> Bool {
    guard createdSeconds > other.createdSeconds else { return false }
    return other.slots.allSatisfy { range in
      slots.contains { $0.contains(range.lowerBound) && $0.contains(range.upperBound) }
    }
  }
}

extension WorkloadState {
  /// Each migration once, as the node says of it that knows the newest.
  fileprivate var slotMigrations: [SlotMigration] {
    var newest: [String: SlotMigration] = [:]
    for migration in up.flatMap({ $0.facts.slotMigrations ?? [] }) {
      let known = newest[migration.name]
      let isNewer = known.map {
        $0.stage == .underWay && ($0.lastSignSeconds < migration.lastSignSeconds || migration.stage != .underWay)
      }
      if isNewer ?? true { newest[migration.name] = migration }
    }
    return newest.values.sorted { ($0.createdSeconds, $0.name) < ($1.createdSeconds, $1.name) }
  }

  /// The time by the clocks of the servers, on the average of those that tell.
  fileprivate var serverSeconds: Double {
    let offsets = up.compactMap(\.facts.clockOffsetSeconds)
    return wall.seconds + (offsets.isEmpty ? 0 : offsets.reduce(0, +) / Double(offsets.count))
  }
}

/// The cluster itself finds a node failed.
struct ClusterNodeFailed: Check {
  let id = "cluster-node-failed"
  let scope = CheckScope.all
  private static let health = Family.gauge(
    "cluster_node_health",
    "Health of the node as most masters see it: 1 for the current state, 0 for the others; ok, pfail, fail or unknown.",
    labels: ["instance", "state"], traits: [.values(ClusterView.Health.allCases.map(\.rawValue), of: "state")])
  var families: [Family] { [Self.health] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for node in state.cluster?.members ?? [] {
      if let member = state[node.address] { verdict.add(Self.health, oneOf: node.health, [.text(member.instance)]) }
      guard node.health == .fail else { continue }
      let name = state.name(node.id)
      verdict.find(.warning, .node(name), "The cluster finds \(name) failed")
    }
  }
}

/// No replica could take over from a master of the cluster.
struct MasterWithoutReplica: Check {
  let id = "master-without-replica"
  private static let orphaned = Family.gauge(
    "workload_orphaned_masters", "Masters with slots and without a working replica.")
  var families: [Family] { [Self.orphaned] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.cluster else { return }
    verdict.add(Self.orphaned, Double(view.orphanedMasterIDs.count))
    for name in view.orphanedMasterIDs.map({ state.name($0) }).sorted() {
      verdict.find(.warning, .shard(name), "\(name) has no replica that could take over")
    }
  }
}

extension WorkloadState {
  /// nil while no node of the cluster has listed its members.
  var cluster: ClusterView? { following.cluster.flatMap { $0.members.isEmpty ? nil : $0 } }

  /// What a node of the cluster is called, by its id.
  func name(_ id: String) -> String { following.cluster?[id].map { name($0.address) } ?? id }
}
