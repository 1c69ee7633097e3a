"""What the lab is doing, for a person: a line per node, a line per workload, a line about traffic."""

from .node import Node
from .place import Place
from .resp import ReplyError
from .terminal import say
from .traffic.control import summary
from .workloads import all_workloads
from .workloads.workload import role_of


def show(place: Place) -> bool:
    """Prints it; true when everything is as it should be."""
    if not place.nodes():
        say("the lab is down; deploy/lab up starts it")
        return False
    say(f"{'NODE':<12} {'ADDRESS':<16} {'PID':>8}  {'STATE':<8} {'ROLE':<9} {'MEMORY':>8} {'CLIENTS':>7}")
    well = True
    for workload in all_workloads(place):
        for node in workload.members:
            say(line(node))
    for workload in all_workloads(place):
        complaints = workload.complaints()
        well = well and not complaints
        say(f"{workload.name}: {'; '.join(complaints) or 'well'}")
    say(f"traffic: {summary(place)}")
    if faults := place.faults():
        say(f"faults that are on: {', '.join(faults)}")
    return well


def line(node: Node) -> str:
    state, role, memory, clients = "running", "-", "-", "-"
    pid = node.daemon.pid
    if absence := node.absence():
        state = absence[0].rpartition(" ")[2]
    else:
        role = role_of(node)
        try:
            if "loading:1" in node.ask("INFO", "persistence").decode():
                state = "loading"
            if role not in ("sentinel", "unreachable"):
                memory = node.info("memory")["used_memory_human"]
            clients = node.info("clients")["connected_clients"]
        except (OSError, ReplyError, KeyError):
            pass
    shown = {"slave": "replica"}.get(role, role)
    return f"{node.name:<12} {node.address:<16} {pid or '-':>8}  {state:<8} {shown:<9} {memory:>8} {clients:>7}"
