import Alerting
import Fleet
import Metrics
import Redis

/// What rules may rely on: the families of the catalogue with what is known of their labels.
enum RuleCatalogue {
  /// Labels that Prometheus or the configuration put on every series.
  static let targetLabels: Set<String> = ["job", "instance", "workload", "environment", "master_name", "team"]

  /// Metrics for which 0 means no limit.
  private static let unlimitedAtZero = ["memory_max_bytes", "config_maxmemory"]

  /// Gauges by type only, as redis_exporter has them; what they show grows until the server restarts.
  private static let growing: Set<String> = [
    "aof_delayed_fsync", "cluster_incompatible_ops", "defrag_hits", "defrag_key_hits", "defrag_key_misses",
    "defrag_misses", "master_repl_offset", "repl_offset", "slave_repl_offset", "slave_read_repl_offset",
    "slowlog_last_id",
  ]
  private static let growingEndings = ["_total", "_epoch", "_sent", "_received", "_offset_bytes", "_last_id"]

  /// Every value that a label can have, by family and label.
  private static let values: [String: [String: Set<String>]] = [
    "instance_info": ["role": ["master", "slave"], "redis_mode": ["standalone", "cluster", "sentinel"]],
    "instance_role": ["role": ["master", "replica"]],
    "exporter_target_state": ["state": Set(RedisError.Class.allCases.map(\.rawValue) + ["unknown", "up"])],
    "exporter_connection_failures_total": ["class": Set(RedisError.Class.allCases.map(\.rawValue))],
    "failovers_total": ["kind": Set(FailoverRecord.Kind.allCases.map(\.rawValue))],
    "failover_phase_seconds": ["phase": Set(FailoverRecord.Phase.allCases.map(\.rawValue))],
    "replica_state": ["state": Set(ReplicationLag.State.allCases.map(\.rawValue))],
    "recovery_point_basis": ["basis": Set(RecoveryPoint.Basis.allCases.map(\.rawValue))],
    "cluster_node_health": ["state": Set(ClusterView.Health.allCases.map(\.rawValue))],
    "workload_member_state": ["state": Set(Roster.State.names)],
  ]

  /// - Parameter further: labels besides `targetLabels` that the user's targets carry.
  static func make(namespace: String = "redis", targetLabels further: Set<String> = []) -> MetricCatalogue {
    let exposition = Exposition(namespace: namespace)
    let metrics = FamilyCatalogue.all.map { family in
      MetricCatalogue.Metric(
        exposition.fullName(of: family), kind(of: family), labels: Set(family.labelNames),
        values: values[family.name] ?? [:])
    }
    return MetricCatalogue(
      metrics, targetLabels: targetLabels.union(further),
      zeroMeansUnlimited: Set(unlimitedAtZero.map { namespace.isEmpty ? $0 : "\(namespace)_\($0)" }))
  }

  private static func kind(of family: Family) -> MetricCatalogue.Kind {
    switch family.type {
    case .counter: .counter
    case .gauge:
      growing.contains(family.name) || growingEndings.contains { family.name.hasSuffix($0) } ? .growingGauge : .gauge
    case .histogram: .histogram
    case .summary: .summary
    case .untyped: .untyped
    }
  }
}
