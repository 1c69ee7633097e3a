"""What can be done to one node on purpose."""

import os
import shutil

from .node import Node
from .place import Place
from .resp import ReplyError
from .terminal import Refused, await_true, say, step
from .workloads import KINDS, workload_of
from .workloads.workload import Workload, role_of

LOAD_SECONDS = 10
LOAD_LIMIT_SECONDS = 45
BALLAST_KEYS = 2000
BALLAST_SECONDS = 300
SLOW_LOAD = "slow-load-"


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
        place.clear_faults(SLOW_LOAD + name)
        workload.create(node)
        node.launch(*workload.start_options(node))
        node.await_answer()
        workload.converge()


def load(place: Place, name: str, seconds: float = LOAD_SECONDS) -> None:
    """Restarts a node so that it takes about `seconds` to load its file; comes back while it does."""
    node, workload = place.member(name), workload_of(place, name)
    if node.workload not in ("sessions", "queues"):
        raise Refused(f"{name} keeps nothing on disk: choose a node of sessions or queues")
    if not 1 <= seconds <= LOAD_LIMIT_SECONDS:
        raise Refused(f"--seconds: {seconds:g} is not from 1 to {LOAD_LIMIT_SECONDS}")
    with step(f"Restarting {name} with a file that takes about {seconds:g} s to load"):
        add_ballast(workload)
        try:
            # One base file, whose loading answers between keys; that of a log of commands does so rarely.
            node.ask("BGREWRITEAOF")
        except ReplyError:
            pass  # One is under way, which is as good.
        await_true(lambda: node.info("persistence")["aof_rewrite_in_progress"] == "0"
                   and node.info("persistence")["aof_rewrite_scheduled"] == "0", 20, f"{name} has rewritten its file")
        keys = max(1, node.ask("DBSIZE"))
        node.stop()
        place.set_fault(SLOW_LOAD + name)
        node.launch(*workload.start_options(node), "--key-load-delay", str(int(seconds * 1_000_000 / keys)),
                    "--loading-process-events-interval-bytes", "1024")
        node.await_answer(loading=True)


def add_ballast(workload: Workload) -> None:
    """Many keys of a kilobyte that nothing compresses: the server then answers every few milliseconds of its load."""
    with workload.connect_to_master() as connection:
        for start in range(0, BALLAST_KEYS, 500):
            connection.exchange([("SET", f"ballast:{index}", os.urandom(1024), "EX", BALLAST_SECONDS)
                                 for index in range(start, start + 500)])
        connection("WAIT", len(workload.running) - 1, 3000)


def end_slow_loads(place: Place, nodes: list[Node]) -> None:
    """A Sentinel may have had the delay written into the configuration file: it must go there too."""
    for node in nodes:
        if SLOW_LOAD + node.name in place.faults():
            place.clear_faults(SLOW_LOAD + node.name)
            node.ask("CONFIG", "SET", "key-load-delay", 0)
            node.ask("CONFIG", "REWRITE")
