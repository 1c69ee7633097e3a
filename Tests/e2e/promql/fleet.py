"""The fleet whose history is kept: a cluster, a Sentinel group and queues, with the faults that alerts are for."""

from .history import (HOUR, Fault, Series, Signal, absent, constant, counter, day, during, noisy, only)
from .workloads import (DOWN, FAILOVER_HOUR, JOB, MASTERS, NODES, exporter_series, plain_series, workload_series)

MIB = 1024.0 * 1024

FULL = Fault(5, 7)
POOR_HITS = Fault(9, 11)
LAGGING = Fault(12, 13)
REJECTING = Fault(15, 15.5)
EVICTION_STORM = Fault(24.5, 26)
SLOW = Fault(16, 17)
LOADING = Fault(2, 2.25)
UNANSWERED = Fault(3, 3.5)
GUESSING = Fault(4.5, 5)
CROWDED = Fault(7.5, 8)
PAUSED = Fault(17, 17.1)
UNLIMITED = Fault(8, 10)
NO_FORK = Fault(10, 11)
MISSET = Fault(11, 12)
UNSAVED = Fault(13, 13.5)
NO_BACKUP = Fault(19, 23)
DISK_FULL = Fault(1, 1.25)
FULL_SYNCS = Fault(22.5, 23.5)
UNPOLLED = Fault(4, 4.25)
REFUSED = Fault(6, 9)
RESTARTED_HOUR = 18.0
FLUSHED_HOUR = 21.0


class Node:
    def __init__(self, workload: str, index: int, start_seconds: int):
        self.workload, self.index, self.start_seconds = workload, index, start_seconds
        self.name = f"{workload}-{index}"
        self.seed = sum(map(ord, self.name))
        self.starts_as_master = index <= MASTERS[workload]
        # One replica of the queues is down for half an hour, and its metrics with it.
        self.gap = DOWN if self.name == "queues-3" else None
        self.resets = (RESTARTED_HOUR,) if self.name == "cache-2" else ()

    def role_is_master(self, seconds: float) -> bool:
        if self.workload == "sessions" and seconds >= FAILOVER_HOUR * HOUR:
            return self.index == 2
        return self.starts_as_master

    def series(self, name: str, signal: Signal, survives: bool = False, **labels: str) -> Series:
        """`survives`: what the daemon says of a node that it cannot poll."""
        if self.gap and not survives:
            signal = absent(signal, self.gap)
        return Series(name, {"job": JOB, "workload": self.workload, "instance": self.name, "environment": "test"} | labels,
                      signal)

    def traffic(self, seconds: float) -> float:
        return (200 if self.role_is_master(seconds) else 20) * (0.3 + day(seconds)) * (1 + self.index / 10)

    def hit_share(self, seconds: float) -> float:
        return 0.55 if self.workload == "cache" and seconds in POOR_HITS else 0.93

    def evictions(self, seconds: float) -> float:
        if self.name == "sessions-1":
            return 0.05 if seconds in FULL else 0
        if self.workload != "cache" or not self.role_is_master(seconds):
            return 0
        return 3 * (0.2 + day(seconds)) * (8 if seconds in EVICTION_STORM else 1)

    def memory(self, seconds: float) -> float:
        share = 0.93 if self.name == "sessions-1" and seconds in FULL else 0.35 + 0.2 * day(seconds)
        return share * 1024 * MIB

    def here(self, name: str, fault: Fault, inside: float, outside: float = 0) -> Signal:
        """`inside` while the fault lasts, on the node of that name alone."""
        return during(fault, inside, outside) if self.name == name else constant(outside)

    def all_series(self) -> list[Series]:
        return self.probes() + self.objectives() + self.own_series() + self.persistence() + self.counts()

    def own_series(self) -> list[Series]:
        return [
            self.series("redis_up", during(self.gap, 0, 1) if self.gap else constant(1), survives=True),
            self.series("redis_instance_role", lambda seconds: float(self.role_is_master(seconds)), role="master"),
            self.series("redis_instance_role", lambda seconds: float(not self.role_is_master(seconds)), role="replica"),
            self.series("redis_memory_used_bytes", noisy(self.memory, 0.01, self.seed)),
            self.series("redis_memory_max_bytes", self.here("queues-1", UNLIMITED, 0, 1024 * MIB)),
            self.series("redis_mem_not_counted_for_eviction_bytes", noisy(lambda seconds: 65536, 0.5, self.seed + 1)),
            self.series("redis_uptime_in_seconds", constant(1e6)),
            self.series("redis_db_keys", constant(1000), db="db0"),
            self.series("redis_db_keys_expiring", self.here("sessions-1", FULL, 200, 900), db="db0"),
            self.series("redis_instance_info", constant(1), maxmemory_policy="volatile-lru"),
            self.series("redis_connected_clients", noisy(
                lambda seconds: 9000 if self.name == "sessions-2" and seconds in CROWDED else 50 + 200 * day(seconds),
                0.2 if self.name != "sessions-2" else 0.02, self.seed + 2)),
            self.series("redis_connected_slaves", lambda seconds: float(
                self.role_is_master(seconds) and NODES[self.workload] // MASTERS[self.workload] - 1)),
            self.series("redis_max_clients", constant(10_000)),
            self.series("redis_clients_paused", self.here("queues-1", PAUSED, 1), reason="client_pause", actions="write"),
            self.series("redis_loading_dump_file", self.here("cache-3", LOADING, 1)),
            self.series("redis_fork_headroom_bytes", self.here("queues-1", NO_FORK, -100 * MIB, 2048 * MIB)),
            self.series("redis_eviction_policy_fits", self.here("sessions-1", MISSET, 0, 1)),
            self.series("redis_persistence_fits", self.here("sessions-2", MISSET, 0, 1)),
            self.series("redis_replica_lag_seconds", only(
                lambda seconds: 45.0 if self.name == "sessions-3" and seconds in LAGGING else round(day(seconds * 7), 2),
                Fault(0, 0 if self.starts_as_master else 26))),
            self.series("redis_replica_resyncs_full", lambda seconds: 0 if self.name != "queues-1" else max(
                0, min(seconds, FULL_SYNCS.end * HOUR) - FULL_SYNCS.begin * HOUR) // 120),
            self.series("redis_exporter_last_success_timestamp_seconds", lambda seconds: self.start_seconds + (
                UNPOLLED.begin * HOUR if self.name == "queues-2" and seconds in UNPOLLED else seconds), survives=True),
            self.series("redis_exporter_collector_refused", self.here("sessions-2", REFUSED, 1), survives=True,
                        collector="slowlog", reason="permission"),
            self.series("redis_workload_member_state", constant(0), survives=True, state="ghost"),
        ]

    def persistence(self) -> list[Series]:
        def saved(seconds: float) -> float:
            known = NO_BACKUP.begin * HOUR if self.workload == "sessions" and seconds in NO_BACKUP else seconds
            return self.start_seconds + known // HOUR * HOUR

        return [
            self.series("redis_recovery_point_crash_seconds", self.here("queues-1", UNSAVED, 5)),
            self.series("redis_server_time_seconds", lambda seconds: self.start_seconds + seconds),
            self.series("redis_rdb_last_save_timestamp_seconds", saved),
            self.series("redis_rdb_changes_since_last_save", noisy(lambda seconds: 100 * day(seconds), 0.2, self.seed + 3)),
            self.series("redis_rdb_ever_saved", constant(1)),
            self.series("redis_rdb_last_bgsave_status", self.here("sessions-2", DISK_FULL, 0, 1)),
            self.series("redis_aof_last_write_status", self.here("sessions-2", DISK_FULL, 0, 1)),
        ]

    def counts(self) -> list[Series]:
        def total(name: str, rate: Signal, first: float = 0, **labels: str) -> Series:
            return self.series(f"redis_{name}_total", counter(rate, self.resets, first), **labels)

        return [
            total("keyspace_hits", lambda seconds: self.traffic(seconds) * self.hit_share(seconds), 1e6),
            total("keyspace_misses", lambda seconds: self.traffic(seconds) * (1 - self.hit_share(seconds)), 1e5),
            total("exporter_lookups", lambda seconds: 0.5),
            total("commands_processed", lambda seconds: self.traffic(seconds) * 2.5, 5e6),
            total("commands_slower_than_objective", lambda seconds: self.traffic(seconds) * (
                0.1 if self.workload == "cache" and seconds in SLOW else 0.002)),
            total("evicted_keys", self.evictions),
            total("expired_keys", constant(1)),
            total("rejected_connections", self.here("queues-1", REJECTING, 0.5)),
            total("exporter_connection_failures", self.here("queues-1", REJECTING, 0.02), **{"class": "maxclients"}),
            total("errors", lambda seconds: 0.2 if self.name == "sessions-1" and seconds > FAILOVER_HOUR * HOUR else 0,
                  err="READONLY"),
            total("errors", self.here("cache-1", GUESSING, 0.1), err="WRONGPASS"),
            total("commands", lambda seconds: 1 / 60 if self.name == "cache-1" and 0 <= seconds - FLUSHED_HOUR * HOUR < 60
                  else 0, cmd="flushall"),
        ]

    def objectives(self) -> list[Series]:
        wanted = {"memory_used_ratio": 0.85, "replication_lag_seconds": 10, "latency_p99_seconds": 0.01,
                  "evictions_allowed": float(self.workload == "cache"), "memory_pages": float(self.workload != "cache"),
                  "availability_ratio": 0.999, "backup_age_seconds": 7200, "rpo_seconds": float(self.workload != "queues")}
        if self.workload == "cache":
            wanted["hit_ratio"] = 0.8
        return [self.series(f"redis_objective_{name}", constant(value), survives=True) for name, value in wanted.items()]

    def probes(self) -> list[Series]:
        """A histogram of one PING a second: a slow hour on the cache moves a part of it past 10 ms."""
        edges = {"0.0025": 0.97, "0.005": 0.98, "0.01": 0.995, "0.1": 1.0, "+Inf": 1.0}
        slow = {"0.0025": 0.2, "0.005": 0.4, "0.01": 0.6, "0.1": 1.0, "+Inf": 1.0}

        def bucket(edge: str) -> Signal:
            return counter(lambda seconds: (slow if self.workload == "cache" and seconds in SLOW else edges)[edge])

        name = "redis_probe_duration_seconds"
        return [self.series(f"{name}_bucket", bucket(edge), True, le=edge) for edge in edges] + [
            self.series(f"{name}_count", counter(lambda seconds: 1.0), True),
            self.series("redis_probe_failures_total", counter(self.here("queues-1", UNANSWERED, 0.5)), True),
            self.series("redis_probe_success", during(self.gap, 0, 1) if self.gap else constant(1), True)]


def history(start_seconds: int) -> list[Series]:
    nodes = [Node(workload, index, start_seconds) for workload, count in NODES.items() for index in range(1, count + 1)]
    return ([one for node in nodes for one in node.all_series()]
            + [one for workload in NODES for one in workload_series(workload, start_seconds)]
            + exporter_series() + plain_series())
