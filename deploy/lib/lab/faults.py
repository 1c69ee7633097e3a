"""What can be broken on purpose, one function each, and how it is mended."""

import shutil
import time

from .cluster_client import ClusterClient
from .lifecycle import start_members
from .node import Node
from .place import Place
from .resp import Connection, ReplyError
from .terminal import Refused, await_true, say, step
from .traffic.sessions import CIRCUIT_SECONDS
from .workloads import KINDS, workload_of
from .workloads.cache import Cache
from .workloads.queues import Queues
from .workloads.sessions import Sessions
from .workloads.workload import role_of

LOAD_SECONDS = 10
FILL_SECONDS = 60
FILL_VALUE = "x" * 10_000
FILL_BATCH = 300
FILL_KEYS = 12_000
BACKLOG_STREAM = "orders"


def kill(place: Place, name: str) -> None:
    node = place.member(name)
    with step(f"Killing {name} (SIGKILL)"):
        if node.daemon.pid is None:
            say(f"    {name} is down already")
        node.kill()


def hang(place: Place, name: str) -> None:
    node = place.member(name)
    if node.daemon.pid is None:
        raise Refused(f"{name} is down: deploy/lab heal {name}")
    with step(f"Halting {name} (SIGSTOP)"):
        node.halt()
        await_true(lambda: node.daemon.is_stopped, 5, f"{name} is halted", pause=0.01)


def restart(place: Place, name: str) -> None:
    node = place.member(name)
    with step(f"Restarting {name}"):
        node.stop()
        node.launch(*workload_of(place, name).start_options(node))
        node.await_answer()


def replace(place: Place, name: str) -> None:
    """A new server at the same address: nothing of the old one is left, so run id and node id are others."""
    node, workload = place.member(name), workload_of(place, name)
    if node.workload in KINDS and role_of(node) == "master":
        raise Refused(f"{name} is a master, its data would be lost: deploy/lab failover {workload.name} first")
    with step(f"Replacing {name} by an empty server at the same address"):
        node.kill()
        shutil.rmtree(node.folder)
        workload.create(node)
        node.launch(*workload.start_options(node))
        node.await_answer()
        workload.converge()


def load(place: Place, name: str, seconds: float = LOAD_SECONDS) -> None:
    """Restarts a node so that it takes about `seconds` to load its file; comes back while it does."""
    node = place.member(name)
    if node.workload not in ("sessions", "queues"):
        raise Refused(f"{name} keeps nothing on disk: choose a node of sessions or queues")
    with step(f"Restarting {name} with a file that takes about {seconds:g} s to load"):
        try:
            # One base file: its keys can be counted, and its loading answers between them.
            node.ask("BGREWRITEAOF")
        except ReplyError:
            pass  # One is under way, which is as good.
        await_true(lambda: node.info("persistence")["aof_rewrite_in_progress"] == "0"
                   and node.info("persistence")["aof_rewrite_scheduled"] == "0", 20, f"{name} has rewritten its file")
        keys = max(1, node.ask("DBSIZE"))
        node.stop()
        node.launch(*workload_of(place, name).start_options(node), "--key-load-delay",
                    str(int(seconds * 1_000_000 / keys)), "--loading-process-events-interval-bytes", "1024")
        node.await_answer(loading=True)


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
        with master_of_queues(place) as connection:
            for start in range(0, entries, 100):
                count = min(100, entries - start)
                connection.exchange([("XADD", BACKLOG_STREAM, "*", "order", f"burst-{start + index}")
                                     for index in range(count)])


def master_of_queues(place: Place) -> Connection:
    master = Queues(place).master
    if not master.is_running:
        raise Refused(f"{master.name}, the master of the queues, is not running")
    return master.connect(seconds=5)


def deadlock(place: Place, name: str) -> None:
    """A lock whose holder forgot the TTL."""
    with step(f"Taking lock:{name} without a TTL"), master_of_sessions(place) as connection:
        place.set_fault(f"deadlock-{name}")
        connection("SET", f"lock:{name}", "held-for-ever")


def open_circuit(place: Place, service: str) -> None:
    """Traffic renews the failures until the sessions are healed."""
    with step(f"Opening the circuit of {service}"), master_of_sessions(place) as connection:
        place.set_fault(f"circuit-{service}")
        connection("SET", f"circuit:{service}:failures", 5, "EX", CIRCUIT_SECONDS)


def master_of_sessions(place: Place) -> Connection:
    # As the Sentinels have it: after a failover the old master may not know yet that it is none.
    master = Sessions(place).master
    if master is None or not master.is_running:
        raise Refused("the master of the sessions is not running")
    return master.connect()


def close_locks_and_circuits(place: Place) -> None:
    keys = [f"lock:{name.removeprefix('deadlock-')}" if name.startswith("deadlock-")
            else f"circuit:{name.removeprefix('circuit-')}:failures"
            for name in place.faults() if name.startswith(("deadlock-", "circuit-"))]
    if keys:
        place.clear_faults("deadlock-", "circuit-")
        with master_of_sessions(place) as connection:
            connection("DEL", *keys)


def add(place: Place, workload_name: str) -> None:
    workload = KINDS[workload_name](place)
    if not workload.nodes:
        raise Refused("the lab is not up: deploy/lab up")
    node = place.node(place.spare(workload_name))
    with step(f"Adding {node.name} as a replica"):
        workload.create(node)
        node.launch(*workload.start_options(node))
        node.await_answer()
        workload.converge()


def remove(place: Place, name: str) -> None:
    node, workload = place.member(name), workload_of(place, name)
    if node.workload not in KINDS:
        raise Refused("the three sentinels stay; kill one instead")
    if role_of(node) == "master":
        raise Refused(f"{name} is a master: deploy/lab failover {workload.name} first")
    with step(f"Removing {name}"):
        node.stop()
        shutil.rmtree(node.folder)
        node.daemon.record.unlink(missing_ok=True)
        workload.forget(node)
        workload.converge()


def heal(place: Place, target: str | None) -> None:
    """A node, a workload with the faults that were laid on it, or everything."""
    if target is not None and target not in KINDS:
        node, workload = place.member(target), workload_of(place, target)
        with step(f"Healing {target}"):
            start_members(workload, [node])
            if all(member.is_running for member in workload.members):
                workload.converge()
            else:
                say(f"    others of {workload.name} are still out")
        return
    if not place.nodes():
        raise Refused("the lab is not up: deploy/lab up")
    for name in KINDS if target is None else [target]:
        workload = KINDS[name](place)
        with step(f"Healing {name}"):
            start_members(workload, workload.members)
            workload.converge()
            if name == "cache":
                empty_cache_of_filling(place)
            elif name == "sessions":
                close_locks_and_circuits(place)
            else:
                place.clear_faults("consumers-paused")
