import Config
import Metrics
import Redis
import Runtime

/// More than one member holds itself for master of the same data.
struct SplitBrain: Check {
  let id = "split-brain"
  private static let isSplit = Family.gauge(
    "workload_split_brain", "Whether more than one member is master of the same data: 1 yes, 0 no.", traits: [.event])
  var families: [Family] { [Self.isSplit] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    if let view = state.following.replication {
      let isSplit = state.rivals.isSplit(at: state.now)
      verdict.add(Self.isSplit, isSplit ? 1 : 0)
      if isSplit { verdict.find(.critical, Self.text(([view.master].compactMap { $0 } + view.rivals).map(state.name))) }
    }
    if let view = state.cluster {
      let split = view.shards.filter { $0.masterIDs.count > 1 }
      verdict.add(Self.isSplit, split.isEmpty ? 0 : 1)
      for shard in split {
        let names = shard.masterIDs.map { state.name($0) }
        verdict.find(.critical, .shard(state.name(shard.masterID)), Self.text(names))
      }
    }
  }

  private static func text(_ names: [String]) -> String {
    "Split brain: \(names.sorted().prefix(5).joined(separator: ", ")) each hold themselves for master"
  }
}

/// A master was replaced, and the Sentinels have yet to tell it: what is written there is lost.
struct DemotedMaster: Check {
  let id = "demoted-master"
  let scope = CheckScope.members
  private static let demoted = Family.gauge(
    "workload_demoted_masters",
    "Former masters that the Sentinels have not yet made replicas; writes to them are lost.")
  var families: [Family] { [Self.demoted] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard state.following.replication != nil else { return }
    let demoted = state.rivals.demoted(at: state.now)
    verdict.add(Self.demoted, Double(demoted.count))
    for address in demoted {
      let name = state.name(address)
      verdict.find(
        .warning, node: name, "was replaced as master and does not know it yet: writes to it are lost")
    }
  }
}

/// Replicas that follow nobody, the wrong one, another replica or each other.
struct ReplicaFaults: Check {
  let id = "replica-faulty"
  let scope = CheckScope.members
  private static let faults = Family.gauge(
    "workload_faulty_replicas",
    "Replicas with a fault, by fault: stuck without a master, misled to a wrong master, chained behind a replica, or in a loop.",
    labels: ["fault"])
  var families: [Family] { [Self.faults] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    if let view = state.following.replication {
      let syncing = Set(view.syncingReplicas)
      add(
        stuck: view.offlineReplicas.keys.filter { !syncing.contains($0) }, misled: view.misledReplicas,
        chained: view.chainedReplicas, looping: view.loopingReplicas, state.name, into: &verdict)
    }
    if let view = state.cluster {
      add(
        stuck: view.stuckReplicaIDs, misled: nil, chained: view.chainedReplicaIDs, looping: view.loopingReplicaIDs,
        state.name, into: &verdict)
    }
  }

  private func add<Replica: Hashable>(
    stuck: [Replica], misled: [Replica]?, chained: [Replica], looping: [Replica], _ name: (Replica) -> String,
    into verdict: inout Verdict
  ) {
    for (fault, replicas) in [("stuck", stuck), ("misled", misled), ("chained", chained), ("looping", looping)] {
      if let replicas { verdict.add(Self.faults, Double(replicas.count), .text(fault)) }
    }
    // A loop is a chain too, and a chain leads to another master: each replica is named once.
    let loops = Set(looping)
    let chains = Set(chained).subtracting(loops)
    func find(_ severity: Finding.Severity, _ replicas: some Sequence<Replica>, _ what: String) {
      for replica in replicas.map(name).sorted() { verdict.find(severity, node: replica, what) }
    }
    find(.critical, looping, "is a replica that follows itself by way of others")
    find(.warning, stuck, "is a replica without a link to its master")
    find(.warning, chains, "is a replica of a replica")
    find(.warning, (misled ?? []).filter { !chains.contains($0) && !loops.contains($0) }, "follows another master")
  }
}

/// A replica is in a full sync.
struct ReplicaSyncing: Check {
  let id = "replica-syncing"
  let scope = CheckScope.members

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for address in state.following.replication?.syncingReplicas.sorted() ?? [] {
      let name = state.name(address)
      verdict.find(.info, node: name, "is in a full sync")
    }
  }
}

/// The master has replicas that are no members.
struct UnwatchedReplicas: Check {
  let id = "replica-unwatched"
  private static let strangers = Family.gauge(
    "workload_unwatched_replicas",
    "Replicas that the master lists and that are not members of the workload, with clients that only read as replicas do."
  )
  var families: [Family] { [Self.strangers] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    guard let view = state.following.replication else { return }
    verdict.add(Self.strangers, Double(view.strangers.count + view.strangersWithoutAddress))
    if !view.strangers.isEmpty {
      let names = view.strangers.sorted().prefix(5).map(state.name).joined(separator: ", ")
      verdict.find(.info, "Replicas that are not watched: \(names)")
    }
    let count = view.strangersWithoutAddress
    if count > 0 {
      let clients = count == 1 ? "1 client reads" : "\(count) clients read"
      verdict.find(.info, "\(clients) from the master as a replica does, such as `redis-cli --rdb` for a backup")
    }
  }
}

/// A replica's data is later than the objective allows.
struct ReplicationLagHigh: Check {
  let id = "replication-lag-high"
  let scope = CheckScope.members
  private static let seconds = Family.gauge(
    "replica_lag_seconds",
    "Replica lag in seconds, from the master's offset history; grows while the replica is offline.",
    labels: ["instance"], unit: .seconds)
  private static let bytes = Family.gauge(
    "replica_lag_bytes", "Replica lag in bytes; absent while the replica is not online.",
    labels: ["instance"], unit: .bytes)
  private static let link = Family.gauge(
    "replica_state",
    "State of the replica as its master reports it: 1 for the current state, 0 for the others; online, syncing, disconnected or absent.",
    labels: ["instance", "state"], traits: [.values(ReplicationLag.State.allCases.map(\.rawValue), of: "state")])
  var families: [Family] { [Self.seconds, Self.bytes, Self.link] }

  func judge(_ state: WorkloadState, into verdict: inout Verdict) {
    for member in state.members {
      guard let lag = member.lag else { continue }
      let instance = LabelValue(member.instance)
      verdict.add(Self.seconds, lag.seconds, instance)
      if let bytes = lag.bytes { verdict.add(Self.bytes, Double(bytes), instance) }
      verdict.add(Self.link, oneOf: lag.state, [instance])
      guard member.answers == true, let limit = state.objectives.replicationLag?.seconds, lag.seconds > limit
      else { continue }
      let link = lag.state == .online ? "" : " (\(lag.state.rawValue))"
      verdict.find(
        .warning, node: member.instance, "is \(span(lag.seconds)) behind its master\(link)")
    }
  }
}
