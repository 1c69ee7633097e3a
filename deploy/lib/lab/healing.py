"""Undoing what was done on purpose, and what happened besides."""

from .lifecycle import start_members
from .node_faults import end_slow_loads
from .place import Place
from .terminal import Refused, say, step
from .traffic import control
from .workload_faults import close_locks_and_circuits, empty_cache_of_filling
from .workloads import KINDS, workload_of


def heal(place: Place, target: str | None) -> None:
    """A node, a workload with the faults that were laid on it, or everything."""
    if target is not None and target not in KINDS:
        node, workload = place.member(target), workload_of(place, target)
        with step(f"Healing {target}"):
            start_members(workload, [node])
            end_slow_loads(place, [node])
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
            end_slow_loads(place, workload.members)
            workload.converge()
            if name == "cache":
                empty_cache_of_filling(place)
            elif name == "sessions":
                close_locks_and_circuits(place)
            else:
                place.clear_faults("consumers-paused")
    # Turned off on purpose, it has no record.
    if target is None and place.traffic.record.exists():
        control.start(place, None)
