import Metrics

/// The families that say how a workload stands: replication, recovery points, memory and the shape of its topology.
enum JudgementFamilies {
  static let lag = Family.gauge(
    "replica_lag_seconds",
    "How late the replica's data is, by when its master passed the replica's offset; while it is not online, since it was last.",
    labels: ["instance"], unit: .seconds)
  static let lagBytes = Family.gauge(
    "replica_lag_bytes", "Bytes that the replica is behind its master; absent while it is not online.",
    labels: ["instance"], unit: .bytes)
  static let lagState = Family.gauge(
    "replica_state", "1 for how the master finds the replica, 0 otherwise: online, syncing, disconnected or absent.",
    labels: ["instance", "state"])

  static let crashLoss = Family.gauge(
    "recovery_point_crash_seconds",
    "How many seconds of writes a crash of the master would lose now; infinite where nothing bounds the loss.",
    labels: ["instance"], unit: .seconds)
  static let crashBasis = Family.gauge(
    "recovery_point_basis", "1 for what the loss of a crash rests on, 0 otherwise.", labels: ["instance", "basis"])
  static let failoverLoss = Family.gauge(
    "workload_recovery_point_failover_seconds",
    "How many seconds of writes a failover would lose now; infinite while no replica can be promoted.", unit: .seconds)
  static let hasSaved = Family.gauge(
    "rdb_ever_saved", "Whether the server has written or read a dump since it was started: 1 yes, 0 no.",
    labels: ["instance"])

  static let dumpAge = Family.gauge(
    "rdb_age_seconds",
    "Age of the last good RDB file by the server's own clock; absent where none was written or read.",
    labels: ["instance"], unit: .seconds)
  static let forkCopied = Family.gauge(
    "fork_copied_bytes",
    "The most memory that a child process copied on write, of the last ones of each kind and one under way; absent before the first.",
    labels: ["instance"], unit: .bytes)
  static let forkHeadroom = Family.gauge(
    "fork_headroom_bytes",
    "What the machine's memory leaves beside the server, grown to maxmemory, and a child that copies fork_copied_bytes; negative when a save may need more than there is. Other processes are not known.",
    labels: ["instance"], unit: .bytes)
  static let forkWorstHeadroom = Family.gauge(
    "fork_worst_headroom_bytes",
    "What the machine's memory leaves beside the server as it is and a child that copies all of it.",
    labels: ["instance"], unit: .bytes)

  static let memoryRatio = Family.gauge(
    "memory_used_ratio",
    "Share of maxmemory in use as Redis counts it for evictions, without buffers for replicas and AOF; absent with no limit.",
    labels: ["instance"], unit: .ratio)
  static let memoryLimited = Family.gauge(
    "memory_limit_set", "Whether maxmemory is set: 1 yes, 0 no.", labels: ["instance"])
  static let policyFits = Family.gauge(
    "eviction_policy_fits", "Whether maxmemory-policy is one that the workload allows: 1 yes, 0 no.",
    labels: ["instance"])
  static let persistenceFits = Family.gauge(
    "persistence_fits", "Whether the master persists as the workload asks, as far as that can be read: 1 yes, 0 no.",
    labels: ["instance"])
  static let clockOffset = Family.gauge(
    "clock_offset_seconds", "The server's clock less the exporter's, with the time of a poll as its error.",
    labels: ["instance"], unit: .seconds)

  static let hitRatio = Family.gauge(
    "workload_hit_ratio",
    "Share of lookups on the masters that found their key, over the last 15 minutes and without those of the exporter; absent below 10 a second.",
    unit: .ratio)
  static let splitBrain = Family.gauge(
    "workload_split_brain", "Whether more than one member holds itself for master of the same data: 1 yes, 0 no.")
  static let demotedMasters = Family.gauge(
    "workload_demoted_masters",
    "Members that were replaced as master and that the Sentinels have yet to tell so: what is written there is lost.")
  static let replicaFaults = Family.gauge(
    "workload_faulty_replicas",
    "Replicas with a fault: stuck without a master, misled to a wrong one, chained behind a replica, or in a loop.",
    labels: ["fault"])
  static let strangers = Family.gauge(
    "workload_unwatched_replicas", "Replicas that the master has and that are no members.")
  static let versions = Family.gauge("workload_versions", "Different server versions among the members that are up.")
  static let driftedSettings = Family.gauge(
    "workload_drifted_settings",
    "Settings of CONFIG that differ between members although nothing in their place calls for it.")
  static let slots = Family.gauge(
    "workload_slots", "Slots of the cluster by the state of their owner; 16384 ok is full coverage.",
    labels: ["state"])
  static let slotsDisputed = Family.gauge(
    "workload_slots_disputed", "Slots that nodes of the cluster give to different owners.")
  static let slotsMoving = Family.gauge("workload_slots_moving", "Slots that are being moved between masters.")
  static let shards = Family.gauge("workload_shards", "Masters with slots.")
  static let orphanedMasters = Family.gauge(
    "workload_orphaned_masters", "Masters with slots that no replica stands by.")
  static let nodeHealth = Family.gauge(
    "cluster_node_health",
    "1 for the health of the node by the majority of masters, 0 otherwise: ok, pfail, fail or unknown.",
    labels: ["instance", "state"])
  static let inPeak = Family.gauge(
    "workload_in_peak", "Whether the objectives of a peak event are in force: 1 yes, 0 no.")
  static let inMaintenance = Family.gauge(
    "workload_in_maintenance", "Whether a maintenance window is open: 1 yes, 0 no.")

  static let all = [
    lag, lagBytes, lagState, crashLoss, crashBasis, failoverLoss, hasSaved, dumpAge, forkCopied, forkHeadroom,
    forkWorstHeadroom, hitRatio, memoryRatio, memoryLimited, policyFits,
    persistenceFits, clockOffset, splitBrain, demotedMasters, replicaFaults, strangers, versions, driftedSettings,
    slots, slotsDisputed, slotsMoving,
    shards, orphanedMasters, nodeHealth, inPeak, inMaintenance,
  ]
}
