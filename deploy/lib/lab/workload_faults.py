"""What can be done to a whole workload on purpose, and how what does not pass by itself is undone."""

import time

from .cluster_client import ClusterClient
from .node import Node
from .place import Place
from .terminal import Refused, say, step
from .traffic.sessions import CIRCUIT_SECONDS
from .workloads import KINDS, workload_of
from .workloads.cache import Cache
from .workloads.queues import Queues
from .workloads.sessions import Sessions

FILL_SECONDS = 60
FILL_VALUE = "x" * 10_000
FILL_BATCH = 300
FILL_KEYS = 12_000
BACKLOG_STREAM = "orders"


def failover(place: Place, target: str) -> None:
    """`target` is a workload, or a node whose shard it is about."""
    node = None if target in KINDS else place.member(target)
    workload = KINDS[target](place) if node is None else workload_of(place, target)
    if not workload.nodes:
        raise Refused("the lab is not up: deploy/lab up")
    with step(f"Failing over {target}"):
        old, new = workload.failover(None if node is None or node.workload == "sentinel" else node)
        workload.adjust()
        say(f"    master was {old}, is {new}")


def fill_cache(place: Place) -> None:
    """Writes until every master evicts."""
    cache = Cache(place)
    with step("Filling the cache until every master evicts"), Filling(cache) as client:
        masters = cache.masters()
        before = {node.name: evicted(node) for node in masters}
        deadline = time.monotonic() + FILL_SECONDS
        written = 0
        while waiting := [node for node in masters if evicted(node) == before[node.name]]:
            if time.monotonic() > deadline or not masters:
                names = " ".join(node.name for node in waiting)
                raise Refused(f"no eviction within {FILL_SECONDS} s: {names or 'no master runs'}")
            batch = [("SET", f"fill:{(written + index) % FILL_KEYS}", FILL_VALUE) for index in range(FILL_BATCH)]
            client.exchange(batch)
            written += FILL_BATCH
            time.sleep(0.02)
        say(f"    {written} values of {len(FILL_VALUE) // 1000} kB; deploy/lab heal cache removes them")


class Filling(ClusterClient):
    def __init__(self, cache: Cache):
        if not cache.running:
            raise Refused("no cache node runs: deploy/lab up")
        super().__init__([node.port for node in cache.running], seconds=5)

    def __enter__(self) -> "Filling":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def evicted(node: Node) -> int:
    return int(node.info("stats")["evicted_keys"])


def empty_cache_of_filling(place: Place) -> None:
    with Filling(Cache(place)) as client:
        for start in range(0, FILL_KEYS, 1000):
            client.exchange([("UNLINK", f"fill:{index}") for index in range(start, start + 1000)])


def flush_cache(place: Place) -> None:
    with step("FLUSHALL on every master of the cache"):
        for node in Cache(place).masters():
            node.ask("FLUSHALL", seconds=5)


def lag_queues(place: Place, entries: int) -> None:
    """The consumers stop reading while the producers go on, and a burst makes the backlog visible at once."""
    with step(f"Stopping the consumers of the queues, and adding {entries} orders"):
        place.set_fault("consumers-paused")
        with Queues(place).connect_to_master() as connection:
            for start in range(0, entries, 100):
                count = min(100, entries - start)
                connection.exchange([("XADD", BACKLOG_STREAM, "*", "order", f"burst-{start + index}")
                                     for index in range(count)])


def deadlock(place: Place, name: str) -> None:
    """A lock whose holder forgot the TTL."""
    with step(f"Taking lock:{name} without a TTL"), Sessions(place).connect_to_master() as connection:
        place.set_fault(f"deadlock-{name}")
        connection("SET", f"lock:{name}", "held-for-ever")


def open_circuit(place: Place, service: str) -> None:
    """Traffic renews the failures until the sessions are healed."""
    with step(f"Opening the circuit of {service}"), Sessions(place).connect_to_master() as connection:
        place.set_fault(f"circuit-{service}")
        connection("SET", f"circuit:{service}:failures", 5, "EX", CIRCUIT_SECONDS)


def close_locks_and_circuits(place: Place) -> None:
    keys = [f"lock:{name.removeprefix('deadlock-')}" if name.startswith("deadlock-")
            else f"circuit:{name.removeprefix('circuit-')}:failures"
            for name in place.faults() if name.startswith(("deadlock-", "circuit-"))]
    if keys:
        place.clear_faults("deadlock-", "circuit-")
        with Sessions(place).connect_to_master() as connection:
            connection("DEL", *keys)
