"""Members that come and go: replicas beyond the first, up to the ports that were chosen."""

import shutil

from .node_faults import SLOW_LOAD
from .place import Place
from .terminal import Refused, step
from .workloads import KINDS, workload_of
from .workloads.workload import role_of


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
        place.clear_faults(SLOW_LOAD + name)
        workload.forget(node)
        workload.converge()
