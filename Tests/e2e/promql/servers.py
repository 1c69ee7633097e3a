"""An hour of three servers as redis_exporter shows them, in which everything breaks once that common rules look for."""

from .history import Fault, Series, Signal, absent, constant, during

LENGTH_SECONDS = 3600.0
STEP_SECONDS = 15.0


def minutes(begin: float, end: float) -> Fault:
    return Fault(begin / 60, end / 60)


GONE, CROWDED, FULL, NO_MASTER, TWO_MASTERS, FLAPPING, LOST = (
    minutes(5, 12), minutes(10, 20), minutes(15, 25), minutes(21, 29), minutes(30, 35), minutes(36, 42), minutes(45, 55))


def stepwise(rate: Signal) -> Signal:
    """A counter of samples that are 15 s apart."""
    values, total = [], 0.0
    for index in range(int(LENGTH_SECONDS / STEP_SECONDS) + 1):
        values.append(float(int(total)))
        total += rate(index * STEP_SECONDS) * STEP_SECONDS
    return lambda seconds: values[round(seconds / STEP_SECONDS)]


def hour(labels: dict[str, str], prefix: str = "redis") -> list[Series]:
    """Series with these labels besides `instance`; the first server is the master."""
    found: list[Series] = []
    for index in (1, 2, 3):
        def one(name: str, signal: Signal, index=index, **more: str) -> None:
            found.append(Series(f"{prefix}_{name}", labels | {"instance": f"server-{index}:6379"} | more, signal))

        is_first = index == 1

        def replicas(seconds: float, is_first=is_first) -> float:
            if not is_first or seconds in LOST:
                return 0
            return 2 - float(seconds in FLAPPING and int(seconds / STEP_SECONDS) % 2)

        one("up", during(GONE, float(index != 2), 1))
        one("memory_used_bytes", during(FULL, 95e6 if is_first else 60e6, 60e6 if is_first else 50e6))
        one("memory_used_rss_bytes", lambda seconds: 80e6 + 1000 * seconds)
        # One has a limit that is lowered below what it holds, and one has none.
        one("memory_max_bytes", constant({1: 100e6, 2: 100e6, 3: 0}[index]))
        one("total_system_memory_bytes", constant(100e6 if is_first else 1000e6))
        one("evicted_keys_total", stepwise(during(FULL, 0.1 if is_first else 0)))
        one("connected_clients", during(CROWDED, {1: 950, 2: 120, 3: 2}[index], 50))
        one("config_maxclients", constant(1000))
        one("rejected_connections_total", stepwise(during(CROWDED, 1 if is_first else 0)))
        master = absent(constant(1), NO_MASTER) if is_first else (
            lambda seconds, index=index: 1.0 if index == 2 and seconds in TWO_MASTERS else None)
        one("instance_info", master, role="master")
        one("instance_info", lambda seconds, is_first=is_first: 1.0 if not is_first else None, role="slave")
        one("connected_slaves", replicas)
        one("rdb_last_save_timestamp_seconds", constant(-50 * 3600.0 if index == 3 else 0))
        one("cluster_slots_fail", during(LOST, 100))
        one("cluster_slots_pfail", during(LOST, 100))
        one("cluster_state", during(LOST, 0, 1))
        one("slowlog_length", constant(128))
    return found
