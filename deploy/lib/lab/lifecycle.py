"""Bringing the lab up and taking it down."""

from .node import Node
from .place import Place
from .terminal import say, step
from .traffic import control
from .watch import write_watch_file
from .workloads import all_workloads, workload_of
from .workloads.workload import Workload


def start_members(workload: Workload, nodes: list[Node]) -> None:
    """Starts what is down and resumes what is halted, all at once, then waits until each answers."""
    for node in nodes:
        node.resume()
        node.launch(*workload.start_options(node))
    for node in nodes:
        node.await_answer(loading=True)


def up(place: Place, rate: int | None) -> None:
    place.settle_ports()
    for name in place.first_members():
        # Those that exist keep what they have become; an `up` that was killed halfway is taken up again.
        workload_of(place, name).create(place.node(name))
    workloads = all_workloads(place)
    idle = [node.name for workload in workloads for node in workload.members if not node.is_running]
    if idle:
        with step(f"Starting {len(idle)} Redis processes"):
            for workload in workloads:
                start_members(workload, workload.nodes)
    for workload in workloads:
        with step(f"Bringing {workload.name} together"):
            # Sentinels last: one that finds its master without replicas looks again only after ten seconds.
            start_members(workload, workload.members)
            workload.converge()
    control.start(place, rate)
    write_watch_file(place, 1)


def down(place: Place) -> None:
    """Ends every recorded process, members or not, and removes everything but the ports that were chosen."""
    running = [daemon for daemon in place.daemons() if daemon.pid is not None]
    if running:
        with step(f"Stopping {len(running)} processes"):
            control.stop(place)
            # Their data goes with them, so nothing is gained by letting them save it.
            for daemon in running:
                daemon.kill()
    place.clear()
    say("The lab is down; nothing is left running.")
