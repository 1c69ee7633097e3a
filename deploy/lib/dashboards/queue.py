"""Workloads of the kind queue: does work get done, and is any lost?"""

from .common import (CLIENTS, FORBIDDEN_EVICTIONS, LATENCY_P99, LOST_BY_CRASH, LOST_BY_FAILOVER, MEMORY_SHARE,
                     OPERATIONS, REPLICATION_LAG, UP)
from .model import Dashboard, Row, panel

DASHBOARD = Dashboard("redline-queue", "Redline / Queue", "Workloads of streams and lists of work.", (
    Row("Does work get done?", (panel(
        "Entries that wait", "none", "Entries that a group has not read yet.",
        ("redis_stream_group_lag{$where}", "{{stream}} {{group}}"), runbook="RedisStreamLagHigh", low=0), panel(
        "Age of what waits", "s", "How old the next entry is that a group reads.",
        ("redis_stream_group_lag_seconds{$where}", "{{stream}} {{group}}"), runbook="RedisStreamLagHigh", low=0), panel(
        "Unacknowledged entries", "none", "Entries that were read and are not done.",
        ("redis_stream_group_messages_pending{$where}", "{{stream}} {{group}}"),
        runbook="RedisStreamPendingOld", low=0),
        panel("Oldest unacknowledged entry", "s", "Since when a consumer has had the oldest one.",
              ("redis_stream_group_oldest_pending_seconds{$where}", "{{stream}} {{group}}"),
              runbook="RedisStreamPendingOld", low=0), panel(
        "Entries added", "ops", "What producers write.",
        ("rate(redis_stream_entries_added_total{$where}[$__rate_interval])", "{{stream}}"), low=0), panel(
        "Entries read", "ops", "What consumers take.",
        ("deriv(redis_stream_group_entries_read{$where}[$__rate_interval])", "{{stream}} {{group}}"),
        runbook="RedisStreamLagHigh"), panel(
        "Consumers", "none", "Consumers of each group.",
        ("redis_stream_group_consumers{$where}", "{{stream}} {{group}}"),
        runbook="RedisStreamGroupWithoutConsumer", low=0), panel(
        "Length of streams", "none", "Entries that a stream holds, done or not.",
        ("redis_stream_length{$where}", "{{stream}}"), low=0))),
    Row("Is any work lost?", (FORBIDDEN_EVICTIONS, MEMORY_SHARE, LOST_BY_CRASH, LOST_BY_FAILOVER, panel(
        "Delayed flushes of the AOF", "ops", "Writes that waited for a disk that does not keep up.",
        ("deriv(redis_aof_delayed_fsync{$where}[$__rate_interval])", "{{instance}}"),
        runbook="RedisRecoveryPointCrash"),
        REPLICATION_LAG)),
    Row("Load", (OPERATIONS, LATENCY_P99, CLIENTS, panel(
        "Blocked clients", "none", "Consumers that wait for work. None at all may mean that there are no consumers.",
        ("redis_blocked_clients{$where}", "{{instance}}"), runbook="RedisStreamGroupWithoutConsumer", low=0), UP))),
    workloads=',kind="queue"')
