"""queues: streams on a master and two replicas. Nothing may be evicted, every write is on disk before its answer.

Nobody fails over by itself here: the lab is the operator, and remembers whom it made master. The last replica stands
for the one in another region.
"""

from ..node import Node
from ..place import write_whole
from ..terminal import Refused
from .workload import Workload, await_role, replication_faults

SETTINGS = """\
maxmemory 64mb
maxmemory-policy noeviction
latency-monitor-threshold 100
save ""
appendonly yes
appendfsync always
repl-diskless-sync-delay 0
"""


class Queues(Workload):
    name = "queues"

    @property
    def _choice(self):
        return self.place.folder / "queues-master"

    @property
    def master(self) -> Node:
        """The node that should be master."""
        name = self._choice.read_text().strip() if self._choice.exists() else "queues-1"
        return self.place.node(name)

    def settings(self, node: Node) -> str:
        master = self.master
        return SETTINGS if node.name == master.name else SETTINGS + f"replicaof 127.0.0.1 {master.port}\n"

    def start_options(self, node: Node) -> list[str]:
        """An old master that comes back must not be one for a moment: the file may still say that it is."""
        master = self.master
        return [] if node.name == master.name else ["--replicaof", "127.0.0.1", str(master.port)]

    def adjust(self) -> None:
        master = self.master
        for node in self.running:
            role = node.ask("ROLE")
            if node.name == master.name:
                wanted = role[0] == b"master" or node.ask("REPLICAOF", "NO", "ONE")
            else:
                follows = role[0] == b"slave" and int(role[2]) == master.port
                wanted = follows or node.ask("REPLICAOF", "127.0.0.1", master.port)
            if wanted is not True:
                node.ask("CONFIG", "REWRITE")

    def faults(self) -> list[str]:
        master = self.master
        if master.ask("ROLE")[0] != b"master":
            return [f"{master.name} is no master"]
        return [text for node in self.nodes if node.name != master.name for text in replication_faults(node, master)]

    def failover(self, node: Node | None) -> tuple[str, str]:
        old = self.master
        candidates = [other for other in self.running if other.name != old.name]
        if node is not None and node.name != old.name:
            candidates = [other for other in candidates if other.name == node.name]
        if not candidates:
            raise Refused("queues has no running replica to promote")
        new = max(candidates, key=replicated_offset)
        if old.is_running:
            # The master holds its writers until the replica has everything, then the two change places.
            old.ask("FAILOVER", "TO", "127.0.0.1", new.port, "TIMEOUT", 5000)
        else:
            new.ask("REPLICAOF", "NO", "ONE")
        await_role(new, "master", 10)
        write_whole(self._choice, new.name + "\n")
        for other in self.running:
            other.ask("CONFIG", "REWRITE")
        return old.name, new.name


def replicated_offset(node: Node) -> int:
    return int(node.info("replication").get("slave_repl_offset", 0))
