"""Workloads of the kind session: is anybody logged out?"""

from .common import (CLIENTS, FORBIDDEN_EVICTIONS, HIT_RATIO_ALONE, LATENCY_P99, LOST_BY_CRASH, LOST_BY_FAILOVER,
                     MEMORY_SHARE, OPERATIONS, REJECTED, REPLICATION_LAG, SLOW_SHARE, TOP_COMMANDS, UP)
from .model import Dashboard, Row, panel

DASHBOARD = Dashboard("redline-session", "Redline / Session", "Workloads whose keys must stay until they expire.", (
    Row("Is anybody logged out?", (panel(
        "Keys", "none", "Keys of the masters. A sudden fall logs people out.",
        "sum by (environment, workload) (redis_db_keys{$where} $masters)", runbook="RedisFlushExecuted", low=0),
        FORBIDDEN_EVICTIONS, HIT_RATIO_ALONE, panel(
        "Expired keys", "ops", "Keys whose time was up.",
        "sum by (environment, workload) (rate(redis_expired_keys_total{$where}[$__rate_interval]) $masters)", low=0))),
    Row("Can people get in?", (OPERATIONS, LATENCY_P99, CLIENTS, REJECTED, panel(
        "Error replies", "ops", "Commands that the masters refuse or fail.",
        ("rate(redis_total_error_replies{$where}[$__rate_interval]) $masters", "{{instance}}"),
        runbook="RedisAuthFailures", low=0), SLOW_SHARE, TOP_COMMANDS, MEMORY_SHARE)),
    Row("What would be lost?", (LOST_BY_CRASH, LOST_BY_FAILOVER, REPLICATION_LAG, UP)),
    Row("Coordination", (panel(
        "Locks", "none", "Locks that are held, and those that nobody takes away should their holder die.",
        ("redis_locks{$where}", "{{workload}} held"), ("redis_locks_without_ttl{$where}", "{{workload}} without TTL"),
        runbook="RedisLockWithoutTTL", low=0), panel(
        "Open circuit breakers", "none", "Services that are not called for now.",
        "redis_circuits_open{$where}", runbook="RedisCircuitOpen", low=0), panel(
        "Locks against their contract", "none",
        "Locks that live longer than was declared, and those that are nearly always held.",
        ("redis_locks_over_ttl{$where}", "{{workload}} over their TTL"),
        ("redis_locks_held_long{$where}", "{{workload}} held for longer"),
        ("redis_locks_contended{$where}", "{{workload}} contended"), runbook="RedisLocksLong", low=0), panel(
        "How long locks are held", "s", "With their renewals, where servers name locks as they change.",
        ("histogram_quantile(0.5, sum by (environment, workload, le) "
         "(rate(redis_lock_held_seconds_bucket{$where}[$__rate_interval])))", "{{workload}} p50"),
        ("histogram_quantile(0.99, sum by (environment, workload, le) "
         "(rate(redis_lock_held_seconds_bucket{$where}[$__rate_interval])))", "{{workload}} p99"),
        runbook="RedisLockOverrun", low=0), panel(
        "Locks that expired while held", "ops", "Their holders died, or worked on without them.",
        ("sum by (environment, workload, release) (rate(redis_lock_expired_total{$where}[$__rate_interval]))",
         "{{workload}} release {{release}}"), runbook="RedisLockOverrun", low=0), panel(
        "Requests that are worked on", "none",
        "Idempotency keys in processing, those that stay so for too long, and those that never expire.",
        ("redis_idempotency_processing{$where}", "{{workload}} in processing"),
        ("redis_idempotency_stuck{$where}", "{{workload}} stuck"),
        ("redis_idempotency_without_ttl{$where}", "{{workload}} without TTL"), runbook="RedisIdempotencyStuck", low=0))),
    Row("Do rate limits hold?", (panel(
        "Windows in which calls were refused", "percentunit", "Share of the clients' windows that ended lately.",
        ("redis_rate_limit_over_ratio{$where}", "{{limit}}"), low=0), panel(
        "Counters with a wrong expiry", "none",
        "Those that are forgotten before their window ends, those that stay, and those that never expire.",
        ("redis_rate_limit_expiring_early{$where}", "{{limit}} early"),
        ("redis_rate_limit_expiring_late{$where}", "{{limit}} late"),
        ("redis_rate_limit_without_ttl{$where}", "{{limit}} without TTL"), runbook="RedisRateLimitForgets", low=0), panel(
        "Keys of rate limits", "none", "What is kept for clients.", ("redis_rate_limit_keys{$where}", "{{limit}}"), low=0),
        panel("Memory of sliding rate limits", "bytes", "Sets of calls, refused ones among them where they are added.",
              ("redis_rate_limit_memory_bytes{$where}", "{{limit}}"), low=0)))),
    workloads=',kind="session"')
