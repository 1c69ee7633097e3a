"""The three workloads. Each knows how its nodes are configured, how they find together, and what is wrong with them."""

from ..place import Place
from .cache import Cache
from .queues import Queues
from .sessions import Sessions
from .workload import Workload

KINDS: dict[str, type[Workload]] = {"cache": Cache, "sessions": Sessions, "queues": Queues}


def all_workloads(place: Place) -> list[Workload]:
    return [kind(place) for kind in KINDS.values()]


def workload_of(place: Place, node_name: str) -> Workload:
    """The workload that a node belongs to; Sentinels belong to the sessions they watch."""
    name = node_name.rpartition("-")[0]
    return KINDS["sessions" if name == "sentinel" else name](place)
