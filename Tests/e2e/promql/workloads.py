"""What is said of whole workloads, of the daemon itself, and of servers without a workload, faults included."""

from .history import HOUR, Fault, Series, Signal, absent, constant, counter, day, during, noisy, only

JOB = "redline"
NODES = {"cache": 9, "sessions": 3, "queues": 3}
# Masters at the start; the group of sessions fails over to its second node at hour 20.
MASTERS = {"cache": 3, "sessions": 1, "queues": 1}
FAILOVER_HOUR = 20.0
# That of the queues is planned.
PLANNED_FAILOVER_HOUR = 22.2

DOWN = Fault(14, 14.5)
MAINTENANCE = Fault(22, 22.5)
NO_MASTER = Fault(FAILOVER_HOUR - 0.05, FAILOVER_HOUR + 0.05)
TWO_MASTERS = Fault(FAILOVER_HOUR + 0.1, FAILOVER_HOUR + 0.2)
UNCOVERED = Fault(6, 6.25)
ORPHANED = Fault(7, 7.25)
HALF_UPGRADED = Fault(1, 8.5)
DRIFTED = Fault(12, 13)
STUCK_STREAM = Fault(17, 19)
SENTINELS_LOST = Fault(23, 23.5)
LOCK_LEFT = Fault(3, 3.5)
CIRCUIT_OPEN = Fault(4, 4.25)
# What breaks its contract: locks, circuits, requests and rate limits, and scripts that are missing.
OVERRUN = Fault(7, 7.5)
LOCKS_LONG, CIRCUIT_STUCK, UNENDING, FORGOTTEN = Fault(5, 5.5), Fault(6, 6.5), Fault(15, 16), Fault(16, 17)
RAISED_HOUR, SCRIPTS_GONE = 10.0, Fault(11, 12)
# A prefix that holds much more than yesterday while memory is full, and a second in which very many keys expire.
GROWN, WAVE, LARGE = Fault(4.5, 7), Fault(12, 13), Fault(20, 20.5)
UNSEEN_KEYS = Fault(9, 10)
STORAGE_LOST = Fault(5, 5.5)
# A shard that cannot be scraped, and one that the others get no answer of.
SHARD_LOST, SHARD_SILENT = Fault(13, 13.5), Fault(18, 18.5)
BOTH_ABSENT = Fault(25, 25.1)
ONE_ABSENT = Fault(25, 25.4)
DRAINED = Fault(10, 10.5)
# When the budget of latency goes within days, and when those of 30 days do not last.
BURNING, SMOULDERING = Fault(8, 9), Fault(10, 13)
# A backup that could not be restored, and a drill that nobody ran for too long.
BAD_BACKUP, UNTRIED = Fault(15, 16), Fault(15, 18)

# Redlock's servers, of which too many are lost; and one that comes back without its locks.
NO_QUORUM, FORGETFUL_HOUR = Fault(8, 8.3), 16.5

# A server that asks nobody to log in, a right that somebody gave, a certificate that nobody renewed, files that do not count.
OPENED, GRANTED, ENDING, UNDECLARED = Fault(2, 2.5), Fault(11, 12), Fault(13, 14), Fault(18, 19)


def after(hour: float, value: float = 1, before: float = 0) -> Signal:
    return lambda seconds: value if seconds >= hour * HOUR else before


def workload_series(workload: str, start_seconds: int) -> list[Series]:
    labels = {"job": JOB, "environment": "test", "workload": workload, "instance": "redline:9121"}
    replicas = NODES[workload] - MASTERS[workload]

    def one(name: str, signal: Signal, **more: str) -> Series:
        return Series(f"redis_{name}", labels | more, signal)

    found = [
        one("workload_replicas_expected", constant(replicas)),
        one("workload_replicas_online", during(DOWN, replicas - 1, replicas) if workload == "queues" else constant(replicas)),
        one("workload_masters_expected", constant(MASTERS[workload])),
        one("workload_masters_present", during(NO_MASTER, 0, 1) if workload == "sessions" else constant(MASTERS[workload])),
        one("workload_in_maintenance", during(MAINTENANCE, float(workload == "queues"))),
        one("workload_split_brain", during(TWO_MASTERS, float(workload == "sessions"))),
        one("workload_orphaned_masters", during(ORPHANED, float(workload == "cache"))),
        one("workload_versions", during(HALF_UPGRADED, 1 + float(workload == "cache"), 1)),
        one("workload_drifted_settings", during(DRIFTED, 3 * float(workload == "queues"))),
        one("workload_faulty_replicas", during(DOWN, float(workload == "queues")), fault="stuck"),
        one("workload_recovery_point_failover_seconds", during(DOWN, float("inf") if workload == "queues" else 1, 1)),
    ]
    return found + budgets(one, workload) + checks(one, workload, start_seconds) + audit(one, workload, start_seconds) + redlock(one, workload) + {"cache": cluster_series, "sessions": sentinel_series, "queues": queue_series}[workload](one, start_seconds)


def budgets(one, workload: str) -> list[Series]:
    def burn(objective: str, window: str, signal: Signal) -> Series:
        return one("workload_error_budget_burn_rate", signal, objective=objective, window=window)

    fast = during(BURNING, 20, 0.1) if workload == "queues" else constant(0.1)
    smouldering = during(SMOULDERING, 1.5, 0.1) if workload == "sessions" else constant(0.1)
    return [burn("latency", "5m", fast), burn("latency", "30m", fast), burn("latency", "1h", fast),
            burn("latency", "6h", smouldering), burn("latency", "3d", smouldering), burn("availability", "6h", smouldering),
            burn("availability", "3d", smouldering),
            one("workload_error_budget_remaining_ratio", during(SMOULDERING, 0.4, 0.9), objective="latency")]


def checks(one, workload: str, start_seconds: int) -> list[Series]:
    """Backups that are verified each hour, a drill that is late, and a load test that was never run."""
    def hourly(seconds: float) -> float:
        return start_seconds + seconds // HOUR * HOUR

    def drilled(seconds: float) -> float:
        return start_seconds + (seconds >= UNTRIED.end * HOUR) * UNTRIED.end * HOUR

    found = [one("objective_check_age_seconds", constant(2 * HOUR), check="backup"),
             one("objective_check_since_timestamp_seconds", constant(start_seconds), check="backup"),
             one("workload_check_last_timestamp_seconds", hourly, check="backup"),
             one("workload_check_passed", during(BAD_BACKUP, float(workload != "queues"), 1), check="backup")]
    if workload == "sessions":
        found += [one("objective_check_age_seconds", constant(UNTRIED.begin * HOUR), check="drill"),
                  one("objective_check_since_timestamp_seconds", constant(start_seconds), check="drill"),
                  one("workload_check_last_timestamp_seconds", drilled, check="drill"),
                  one("workload_check_passed", constant(1), check="drill")]
    if workload == "cache":
        found += [one("objective_check_age_seconds", constant(30 * 24 * HOUR), check="load"),
                  one("objective_check_since_timestamp_seconds", constant(start_seconds), check="load")]
    return found


def redlock(one, workload: str) -> list[Series]:
    if workload != "queues":
        return []
    return [one("redlock_masters_up", during(NO_QUORUM, 2, 5)), one("redlock_quorum", constant(3)),
            one("redlock_unsafe_restarts_total", after(FORGETFUL_HOUR))]


def audit(one, workload: str, start_seconds: int) -> list[Series]:
    """What looks over the servers find: some of it from the first, some of it new for a while."""
    server = f"{workload}-1"

    def only(fault: Fault, value: float) -> Signal:
        return lambda seconds: value if seconds in fault else None

    found = [one("finding", constant(2), check="bind-wide", instance=server),
             one("finding_known", constant(1), check="bind-wide", instance=server),
             one("instance_declared_drift_settings", during(UNDECLARED, 2 * float(workload == "cache")), instance=server)]
    if workload == "queues":
        found.append(one("finding", only(OPENED, 3), check="open-login", instance=server))
    if workload == "sessions":
        found += [one("finding", only(GRANTED, 3), check="danger-reach", instance=server),
                  one("finding", only(ENDING, 2), check="cert-expiry", instance=server),
                  one("instance_certificate_end_timestamp_seconds", constant(start_seconds + 20 * 24 * HOUR), instance=server)]
    return found


def failovers(one, start_seconds: int, hour: float, kind: str, **more: str) -> list[Series]:
    return [one("failovers_total", after(hour), kind=kind, **more),
            one("failover_last_timestamp_seconds", after(hour, start_seconds + hour * HOUR), **more),
            one("failover_info", lambda seconds: start_seconds + hour * HOUR if seconds >= hour * HOUR else None, kind=kind,
                epoch="1", **{"from": "old", "to": "new"}, **more)]


def cluster_series(one, start_seconds: int) -> list[Series]:
    lost = during(UNCOVERED, 5461)
    return [one("workload_slots", lost, state="fail"), one("workload_slots", constant(0), state="unassigned"),
            one("workload_slots", lambda seconds: 16384 - lost(seconds), state="ok"),
            one("prefix_expiry_peak_keys", during(WAVE, 20_000), prefix="page:*"),
            one("prefix_expiry_peak_timestamp_seconds", only(constant(start_seconds + WAVE.end * HOUR), WAVE), prefix="page:*")]


def sentinel_series(one, start_seconds: int) -> list[Series]:
    """A group of three Sentinels, and the keys that applications keep by agreement."""
    def walked(seconds: float) -> float:
        return start_seconds + (UNSEEN_KEYS.begin * HOUR if seconds in UNSEEN_KEYS else seconds)

    return failovers(one, start_seconds, FAILOVER_HOUR, "automatic", master_name="sessions") + [
        one("workload_sentinel_quorum", during(SENTINELS_LOST, 0, 1)),
        one("workload_sentinels_dissenting", during(SENTINELS_LOST, 1)),
        one("workload_sentinels_present", during(SENTINELS_LOST, 1, 3)),
        one("workload_sentinels_expected", constant(3)),
        *(one("sentinel_subscription_up", during(SENTINELS_LOST, float(index == 1), 1), sentinel=f"sentinel-{index}")
          for index in (1, 2, 3)),
        one("locks_without_ttl", during(LOCK_LEFT, 2)),
        one("circuit_open", during(CIRCUIT_OPEN, 1), service="mail"),
        one("locks_over_ttl", during(LOCKS_LONG, 14, 2)), one("locks_max_long", constant(10)),
        one("locks_held_long", during(LOCKS_LONG, 3)),
        one("lock_acquired_total", counter(constant(0.5)), release="required"),
        one("lock_expired_total", counter(during(OVERRUN, 0.05)), release="required"),
        one("circuits_without_ttl", during(CIRCUIT_STUCK, 1)),
        one("idempotency_keys", constant(40)), one("idempotency_without_ttl", during(UNENDING, 3)),
        one("idempotency_stuck_total", after(RAISED_HOUR)), one("idempotency_stuck", after(RAISED_HOUR)),
        one("rate_limit_keys", constant(40), limit="api"), one("rate_limit_without_ttl", during(UNENDING, 2), limit="api"),
        one("rate_limit_expiring_early", during(FORGOTTEN, 30, 2), limit="api"),
        one("errors_total", counter(during(SCRIPTS_GONE, 2, 0.01)), err="NOSCRIPT"),
        one("commands_total", counter(constant(20)), cmd="evalsha"),
        one("uptime_in_seconds", lambda seconds: 86_400 + seconds),
        one("keyspace_complete", constant(1)),
        one("big_key_largest_maxmemory_ratio", during(LARGE, 0.18, 0.02)),
        one("finding", lambda seconds: 2 if seconds in LARGE else None, check="big-key"),
        one("prefix_growth_lower_bytes", during(GROWN, 200 * 2**20, 2**20), prefix="session:*"),
        one("key_watch_unknown_shards", constant(0)), one("key_watch_first_walks", constant(0)),
        one("key_watch_walk_seconds", constant(2)),
        one("key_watch_last_walk_timestamp_seconds", walked)]


def queue_series(one, start_seconds: int) -> list[Series]:
    group = {"db": "db0", "stream": "orders", "group": "workers"}
    stuck = STUCK_STREAM.begin * HOUR

    return failovers(one, start_seconds, PLANNED_FAILOVER_HOUR, "manual") + [
        one("stream_group_lag", noisy(
            lambda seconds: 50_000 if seconds in STUCK_STREAM else 20 + 100 * day(seconds), 0.3, 5), **group),
        one("stream_group_lag_seconds", noisy(
            lambda seconds: 90 + seconds - stuck if seconds in STUCK_STREAM else 5, 0.05, 6), **group),
        one("stream_group_consumers", during(STUCK_STREAM, 0, 4), **group),
        one("stream_group_oldest_pending_seconds", lambda seconds: max(0, seconds - stuck) if seconds in STUCK_STREAM else 1,
            **group)]


def exporter_series() -> list[Series]:
    """Of a pair of redlines, and of what the first of them keeps."""
    first, second = ({"job": job, "instance": f"{job}:9121"} for job in (JOB, "redline-b"))
    return [
        Series("up", first, during(BOTH_ABSENT, 0, 1)),
        Series("up", second, during(ONE_ABSENT, 0, 1)),
        Series("redis_exporter_shard_info", first | {"shard": "1", "shards": "2"}, constant(1)),
        Series("redis_exporter_shards", first, constant(2)),
        Series("redis_exporter_shard_info", second | {"shard": "2", "shards": "2"}, absent(constant(1), SHARD_LOST)),
        Series("redis_exporter_shards", second, absent(constant(2), SHARD_LOST)),
        Series("redis_exporter_shard_up", first | {"shard": "2", "shards": "2"}, during(SHARD_SILENT, 0, 1)),
        Series("redis_exporter_storage_durable", first, during(STORAGE_LOST, 0, 1)),
        Series("redis_exporter_storage_dropped_events_total", first, counter(during(STORAGE_LOST, 0.2)))]


def plain_series() -> list[Series]:
    """A server that belongs to no workload, as a drop-in exporter shows it, and Sentinels that do not either."""
    labels = {"job": "redis", "instance": "plain:6379"}
    full = Fault(8, 9)

    def one(name: str, signal: Signal, **more: str) -> Series:
        return Series(f"redis_{name}", labels | more, signal)

    return [
        one("up", constant(1)),
        one("instance_info", absent(constant(1), Fault(22, 23)), role="master", maxmemory_policy="noeviction"),
        one("memory_used_bytes", noisy(during(full, 95e6, 40e6), 0.02, 41)),
        one("memory_max_bytes", constant(100e6)),
        one("keyspace_hits_total", counter(lambda seconds: 30 if seconds in DRAINED else 90)),
        one("keyspace_misses_total", counter(lambda seconds: 70 if seconds in DRAINED else 10)),
        one("connected_slave_lag_seconds", during(full, 15, 0.5), slave_ip="10.0.0.7", slave_port="6379",
            slave_state="online"),
    ] + [Series("redis_sentinel_master_config_epoch", {"job": "sentinels", "instance": f"watch-{index}",
                                                      "master_name": "legacy"}, after(FAILOVER_HOUR + 0.5, 4, 3))
         for index in (1, 2, 3)]
