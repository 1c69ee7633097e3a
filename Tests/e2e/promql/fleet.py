"""The fleet whose history is kept: a cluster, a Sentinel group and queues, with the faults that alerts are for."""

from .history import (HOUR, Fault, Series, Signal, absent, constant, counter, day, during, noisy, only)

JOB = "redline"
NODES = {"cache": 6, "sessions": 3, "queues": 3}
# Masters at the start; the group of sessions fails over to its second node at hour 20.
MASTERS = {"cache": 3, "sessions": 1, "queues": 1}
FAILOVER_HOUR = 20.0
MIB = 1024.0 * 1024

FULL = Fault(5, 7)
POOR_HITS = Fault(9, 11)
LAGGING = Fault(12, 13)
DOWN = Fault(14, 14.5)
REJECTING = Fault(15, 15.5)
EVICTION_STORM = Fault(24.5, 26)
SLOW = Fault(16, 17)
STUCK_STREAM = Fault(17, 19)
RESTARTED_HOUR = 18.0
FLUSHED_HOUR = 21.0


class Node:
    def __init__(self, workload: str, index: int):
        self.workload, self.index = workload, index
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

    def all_series(self) -> list[Series]:
        probes = self.probes()
        return probes + self.objectives() + [
            self.series("redis_up", during(self.gap, 0, 1) if self.gap else constant(1), survives=True),
            self.series("redis_instance_role", lambda seconds: float(self.role_is_master(seconds)), role="master"),
            self.series("redis_instance_role", lambda seconds: float(not self.role_is_master(seconds)), role="replica"),
            self.series("redis_memory_used_bytes", noisy(self.memory, 0.01, self.seed)),
            self.series("redis_memory_max_bytes", constant(1024 * MIB)),
            self.series("redis_mem_not_counted_for_eviction_bytes", noisy(lambda seconds: 65536, 0.5, self.seed + 1)),
            self.series("redis_connected_clients", noisy(lambda seconds: 50 + 200 * day(seconds), 0.2, self.seed + 2)),
            self.series("redis_max_clients", constant(10_000)),
            self.series("redis_keyspace_hits_total",
                        counter(lambda seconds: self.traffic(seconds) * self.hit_share(seconds), self.resets, 1e6)),
            self.series("redis_keyspace_misses_total",
                        counter(lambda seconds: self.traffic(seconds) * (1 - self.hit_share(seconds)), self.resets, 1e5)),
            self.series("redis_commands_processed_total",
                        counter(lambda seconds: self.traffic(seconds) * 2.5, self.resets, 5e6)),
            self.series("redis_evicted_keys_total", counter(self.evictions, self.resets)),
            self.series("redis_rejected_connections_total", counter(
                lambda seconds: 0.5 if self.name == "queues-1" and seconds in REJECTING else 0, self.resets)),
            self.series("redis_errors_total", counter(
                lambda seconds: 0.2 if self.name == "sessions-1" and seconds > FAILOVER_HOUR * HOUR else 0), err="READONLY"),
            self.series("redis_commands_total", counter(
                lambda seconds: 1 / 60 if self.name == "cache-1" and 0 <= seconds - FLUSHED_HOUR * HOUR < 60 else 0),
                cmd="flushall"),
            self.series("redis_replica_lag_seconds", only(
                lambda seconds: 45.0 if self.name == "sessions-3" and seconds in LAGGING else round(day(seconds * 7), 2),
                Fault(0, 0 if self.starts_as_master else 26))),
        ]

    def objectives(self) -> list[Series]:
        wanted = {"memory_used_ratio": 0.85, "replication_lag_seconds": 10, "latency_p99_seconds": 0.01,
                  "evictions_allowed": float(self.workload == "cache"), "memory_pages": float(self.workload != "cache"),
                  "availability_ratio": 0.999}
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
            self.series("redis_probe_success", during(self.gap, 0, 1) if self.gap else constant(1), True)]


def workload_series(workload: str) -> list[Series]:
    labels = {"job": JOB, "workload": workload, "environment": "test"}
    replicas = NODES[workload] - MASTERS[workload]
    online = during(DOWN, replicas - 1, replicas) if workload == "queues" else constant(replicas)
    found = [Series("redis_workload_replicas_online", labels, online),
             Series("redis_workload_replicas_expected", labels, constant(replicas)),
             Series("redis_workload_in_maintenance", labels, constant(0))]
    if workload == "sessions":
        at = FAILOVER_HOUR * HOUR
        found += [Series("redis_failovers_total", labels | {"master_name": "sessions", "kind": "automatic"},
                         lambda seconds: float(seconds >= at))]
    if workload == "queues":
        group = labels | {"instance": "queues-1", "db": "db0", "stream": "orders", "group": "workers"}
        found += [Series("redis_stream_group_lag", group, noisy(
            lambda seconds: 50_000 if seconds in STUCK_STREAM else 20 + 100 * day(seconds), 0.3, 5))]
    return found


def history() -> list[Series]:
    nodes = [Node(workload, index) for workload, count in NODES.items() for index in range(1, count + 1)]
    return [one for node in nodes for one in node.all_series()] + [
        one for workload in NODES for one in workload_series(workload)]
