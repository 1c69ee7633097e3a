import Metrics
import Redis

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
    let count = Set(view.migratingSlots.keys).union(view.importingSlots.keys).count
    verdict.add(Self.moving, Double(count))
    if count > 0 { verdict.find(.info, "\(count) slots are being moved") }
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
