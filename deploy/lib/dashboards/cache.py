"""Workloads of the kind cache: does it keep load off the database?"""

from .common import (CLIENTS, EVICTIONS, HIT_RATIO, LATENCY_P99, MEMORY_SHARE, NETWORK, OPERATIONS, REPLICATION_LAG,
                     SLOW_SHARE, TOP_COMMANDS, UP)
from .model import Dashboard, Row, panel

DASHBOARD = Dashboard("redline-cache", "Redline / Cache", "Workloads that may evict.", (
    Row("Does it hold what is asked for?", (HIT_RATIO, panel(
        "Lookups", "ops", "Of the masters: those that find their key, and those that the database has to answer.",
        ("sum by (workload) (rate(redis_keyspace_hits_total{$where}[$__rate_interval]) $masters)", "{{workload}} hits"),
        ("sum by (workload) (rate(redis_keyspace_misses_total{$where}[$__rate_interval]) $masters)",
         "{{workload}} misses"),
        runbook="RedisHitRatioLow", low=0), EVICTIONS, panel(
        "Expired keys", "ops", "Keys whose time was up.",
        "sum by (environment, workload) (rate(redis_expired_keys_total{$where}[$__rate_interval]) $masters)", low=0))),
    Row("Memory", (MEMORY_SHARE, panel(
        "Fragmentation", "none", "Memory of the process over what is in use. Well above 1.5 much of it is empty.",
        ("redis_mem_fragmentation_ratio{$where}", "{{instance}}"), low=0), panel(
        "Keys", "none", "Keys of the masters.",
        "sum by (environment, workload) (redis_db_keys{$where} $masters)", low=0), panel(
        "Keys that expire", "percentunit", "Share of the keys with a TTL. The others stay until they are evicted.",
        "sum by (environment, workload) (redis_db_keys_expiring{$where} $masters) "
        "/ sum by (environment, workload) (redis_db_keys{$where} $masters)", low=0, high=1))),
    Row("What holds the memory?", (panel(
        "Memory by prefix", "bytes", "Estimated from a sample of the keys, where the workload has keyspace.",
        ("redis_prefix_memory_bytes{$where}", "{{workload}} {{prefix}}"), runbook="RedisPrefixGrowth", low=0), panel(
        "Keys without TTL by prefix", "none", "Estimated from the same sample. They stay until they are evicted.",
        ("redis_prefix_keys_without_ttl{$where}", "{{workload}} {{prefix}}"), runbook="RedisEvictionCannotFree", low=0), panel(
        "Keys that expire in the fullest second", "percentunit",
        "Of those with a TTL. Above 1% many leave at once; spread their TTLs by a tenth at random.",
        ("redis_ttl_crowding_ratio{$where}", "{{workload}}"), runbook="RedisExpiryWaveAhead", low=0, high=1), panel(
        "Keys that were looked at", "none", "By the newest sample of the keys.",
        ("redis_keyspace_sample_keys{$where}", "{{workload}}"), low=0), panel(
        "Big keys", "none", "Of 1 MiB or what keyspace.big_key says, by the last pass over every key.",
        ("redis_big_keys{$where}", "{{workload}}"), runbook="RedisBigKey", low=0), panel(
        "Memory of big keys", "bytes", "What they take together. A sample alone misses them.",
        ("redis_big_keys_memory_bytes{$where}", "{{workload}}"), runbook="RedisBigKey", low=0), panel(
        "The largest key", "percentunit", "Of maxmemory of its server; streams are left out.",
        ("redis_big_key_largest_maxmemory_ratio{$where}", "{{workload}}"), runbook="RedisBigKey", low=0), panel(
        "Age of the last pass over every key", "s", "It takes the time that samples and watches leave: hours for very many keys.",
        ("time() - redis_keyspace_census_timestamp_seconds{$where}", "{{workload}}"), low=0))),
    Row("Load", (OPERATIONS, LATENCY_P99, TOP_COMMANDS, SLOW_SHARE, CLIENTS, NETWORK)),
    Row("Topology", (UP, REPLICATION_LAG, panel(
        "Slots", "none", "Hash slots by state. Requests for those that are not ok fail.",
        ("redis_workload_slots{$where}", "{{workload}} {{state}}"), runbook="RedisSlotsUncovered", low=0), panel(
        "Slots that move", "none", "Slots that wander to another master, and slots that two masters claim.",
        ("redis_workload_slots_moving{$where}", "{{workload}} moving"),
        ("redis_workload_slots_disputed{$where}", "{{workload}} disputed"), runbook="RedisSlotsUncovered", low=0)))),
    workloads=',kind="cache"')
