"""Who is master, what would be lost, and is it on disk?"""

from .common import LOST_BY_CRASH, LOST_BY_FAILOVER, REPLICATION_LAG, UP
from .model import Dashboard, Row, panel, stat

DASHBOARD = Dashboard("redline-failover", "Redline / Failover and persistence",
                      "Roles, replication, recovery points, RDB and AOF.", (
    Row("Now", (
        stat("Failovers", "none", "Within the time that is shown.",
             "round(sum(increase(redis_failovers_total{$where}[$__range])))", red_from=1, runbook="RedisFailover"),
        stat("Split brain", "none", "Workloads with two masters for the same keys.",
             "sum(redis_workload_split_brain{$where})", red_from=1, runbook="RedisSplitBrain"),
        stat("Faulty replicas", "none", "Replicas that are stuck, chained, misled or loop.",
             "sum(redis_workload_faulty_replicas{$where})", red_from=1, runbook="RedisReplicaFaulty"),
        stat("Failed saves", "none", "Members whose last RDB save or AOF rewrite failed.",
             "sum(1 - redis_rdb_last_bgsave_status{$where}) + sum(1 - redis_aof_last_bgrewrite_status{$where})",
             red_from=1, runbook="RedisPersistenceFailing"))),
    Row("Who is master?", (panel(
        "Masters", "none", "Which members are masters.",
        ('redis_instance_role{$where,role="master"}', "{{instance}}"),
        kind="state-timeline", states=("replica", "master", "blue"), runbook="RedisFailover"), UP, panel(
        "Failovers", "none", "Since Redline began to count, by kind.",
        ("sum by (workload, kind) (redis_failovers_total{$where})", "{{workload}} {{kind}}"),
        runbook="RedisFailover", low=0), panel(
        "Sentinels", "none", "Sentinels that are there, and those of another opinion on who is master.",
        ("redis_workload_sentinels_present{$where}", "{{workload}} present"),
        ("redis_workload_sentinels_dissenting{$where}", "{{workload}} dissenting"),
        objective="redis_workload_sentinel_quorum{$where}", runbook="RedisSentinelQuorumLost", low=0))),
    Row("Replication", (REPLICATION_LAG, LOST_BY_FAILOVER, panel(
        "Replicas in step", "none", "Replicas that follow a master.",
        "redis_workload_replicas_online{$where}", objective="redis_workload_replicas_expected{$where}",
        runbook="RedisReplicaMissing", low=0), panel(
        "Lag in bytes", "bytes", "What a replica still has to get. Beyond the backlog it needs a full sync.",
        ("redis_replica_lag_bytes{$where}", "{{instance}}"), runbook="RedisReplicationLagHigh", low=0), panel(
        "Full syncs", "none", "Since the server started. Each sends all data.",
        ("redis_replica_resyncs_full{$where}", "{{instance}}"), runbook="RedisFullSyncLoop", low=0), panel(
        "Replication backlog", "bytes", "What a replica may miss and still catch up.",
        ("redis_repl_backlog_history_bytes{$where}", "{{instance}}"), runbook="RedisFullSyncLoop", low=0))),
    Row("Persistence", (LOST_BY_CRASH, panel(
        "Age of the RDB file", "s", "Of the masters.", ("redis_rdb_age_seconds{$where}", "{{instance}}"),
        objective="max by (environment, workload) (redis_objective_backup_age_seconds{$where})",
        runbook="RedisBackupOld", low=0), panel(
        "Changes since the last save", "none", "Writes that are not in the RDB file.",
        ("redis_rdb_changes_since_last_save{$where}", "{{instance}}"), runbook="RedisBackupOld", low=0), panel(
        "Duration of saves", "s", "Of the last RDB save and of the last AOF rewrite; none yet is below zero.",
        ("redis_rdb_last_bgsave_duration_sec{$where}", "{{instance}} RDB"),
        ("redis_aof_last_rewrite_duration_sec{$where}", "{{instance}} AOF"), runbook="RedisPersistenceFailing"), panel(
        "Size of the AOF", "bytes", "It grows until it is rewritten.",
        ("redis_aof_current_size_bytes{$where}", "{{instance}}"), runbook="RedisPersistenceFailing", low=0), panel(
        "Delayed flushes of the AOF", "ops", "Writes that waited for a disk that does not keep up.",
        ("deriv(redis_aof_delayed_fsync{$where}[$__rate_interval])", "{{instance}}"),
        runbook="RedisRecoveryPointCrash"), panel(
        "Duration of forks", "s", "For so long the last fork held up every client.",
        ("redis_latest_fork_seconds{$where}", "{{instance}}"), runbook="RedisLatencyP99High", low=0), panel(
        "Headroom for a fork", "bytes", "Memory of the machine that is left when a save copies as much as ever before.",
        ("redis_fork_headroom_bytes{$where}", "{{instance}}"), runbook="RedisForkHeadroomGone")))))
