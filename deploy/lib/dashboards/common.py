"""Panels that several dashboards show, so that the same question has the same answer everywhere."""

import dataclasses

from .model import panel

HIT_RATIO = panel(
    "Hit ratio", "percentunit", "Lookups that find their key, of all lookups of the masters, without Redline's own.",
    "redis_workload_hit_ratio{$where}",
    objective="max by (environment, workload) (redis_objective_hit_ratio{$where})",
    runbook="RedisHitRatioLow", low=0, high=1)

# Where there is no objective: a session that is not found is often one that has expired.
HIT_RATIO_ALONE = dataclasses.replace(HIT_RATIO, objective=None, runbook=None)

LATENCY_P99 = panel(
    "Latency p99", "s", "One probe of the masters in a hundred takes at least so long. It waits where a client would.",
    "histogram_quantile(0.99, sum by (environment, workload, le) ("
    "rate(redis_probe_duration_seconds_bucket{$where}[$__rate_interval]) $masters))",
    objective="max by (environment, workload) (redis_objective_latency_p99_seconds{$where})",
    runbook="RedisLatencyP99High", low=0)

LATENCY_P99_IN_PEAK = dataclasses.replace(
    LATENCY_P99, red_from=0.005, description=f"{LATENCY_P99.description} In a peak it has to stay below 5 ms.")

OPERATIONS = panel(
    "Operations per second", "ops", "Commands that the masters carry out.",
    "sum by (environment, workload) (rate(redis_commands_processed_total{$where}[$__rate_interval]) $masters)", low=0)

MEMORY_SHARE = panel(
    "Memory of maxmemory", "percentunit", "As Redis counts for eviction. Members without a limit have no line.",
    ("redis_memory_used_ratio{$where}", "{{instance}}"),
    objective="max by (environment, workload) (redis_objective_memory_used_ratio{$where})",
    runbook="RedisMemoryHigh", low=0)

EVICTIONS = panel(
    "Evicted keys", "ops", "Keys that the masters lose to memory pressure.",
    "sum by (environment, workload) (rate(redis_evicted_keys_total{$where}[$__rate_interval]) $masters)",
    runbook="RedisEvictionsAboveBaseline", low=0)

FORBIDDEN_EVICTIONS = panel(
    "Evicted keys", "ops", "No key of this workload may be lost to memory pressure: any eviction is data that is gone.",
    ("rate(redis_evicted_keys_total{$where}[$__rate_interval])", "{{instance}}"),
    runbook="RedisEvictionsForbidden", low=0)

CLIENTS = panel(
    "Clients of maxclients", "percentunit", "Connections, of those that the server takes.",
    ("redis_connected_clients{$where} / redis_config_maxclients{$where}", "{{instance}}"),
    runbook="RedisClientsNearLimit", low=0)

REJECTED = panel(
    "Rejected connections", "ops", "Connections that a full server turned away.",
    ("rate(redis_rejected_connections_total{$where}[$__rate_interval])", "{{instance}}"),
    runbook="RedisConnectionsRejected", low=0)

SLOW_SHARE = panel(
    "Commands slower than the objective", "percentunit",
    "Counted by the servers, without the network: large values, KEYS, or scripts that run long.",
    "sum by (environment, workload) (rate(redis_commands_slower_than_objective_total{$where}[$__rate_interval])) "
    "/ sum by (environment, workload) (rate(redis_commands_processed_total{$where}[$__rate_interval]))",
    runbook="RedisSlowCommandShare", red_from=0.01, low=0)

TOP_COMMANDS = panel(
    "Busiest commands", "percentunit", "Share of a core that each command takes, the eight busiest.",
    ("topk(8, sum by (cmd) (rate(redis_commands_duration_seconds_total{$where}[$__rate_interval])))", "{{cmd}}"), low=0)

NETWORK = panel(
    "Network", "Bps", "What the servers send and receive.",
    ("sum by (workload) (rate(redis_net_output_bytes_total{$where}[$__rate_interval]))", "{{workload}} sends"),
    ("sum by (workload) (rate(redis_net_input_bytes_total{$where}[$__rate_interval]))", "{{workload}} receives"), low=0)

REPLICATION_LAG = panel(
    "Replication lag", "s", "How far each replica is behind its master.",
    ("redis_replica_lag_seconds{$where}", "{{instance}}"),
    objective="max by (environment, workload) (redis_objective_replication_lag_seconds{$where})",
    runbook="RedisReplicationLagHigh", low=0)

LOST_BY_CRASH = panel(
    "Writes that a crash would lose", "s", "Age of the newest write that is safe on the disk of each master.",
    ("redis_recovery_point_crash_seconds{$where}", "{{instance}}"),
    objective="max by (environment, workload) (redis_objective_rpo_seconds{$where})",
    runbook="RedisRecoveryPointCrash", low=0)

LOST_BY_FAILOVER = panel(
    "Writes that a failover would lose", "s", "Age of the newest write that the best replica has.",
    "redis_workload_recovery_point_failover_seconds{$where}",
    objective="max by (environment, workload) (redis_objective_rpo_seconds{$where})",
    runbook="RedisRecoveryPointFailover", low=0)

UP = panel(
    "Members", "none", "Which members answer.", ("redis_up{$where}", "{{instance}}"),
    kind="state-timeline", states=("down", "up", "red"), runbook="RedisDown")

