"""cache: a Redis Cluster of three masters and three replicas. It may evict, and keeps nothing on disk."""

import contextlib

from ..node import Node
from ..place import MEMBERS
from ..resp import ReplyError, fields
from ..terminal import Refused
from .cluster_view import Member, unowned_ranges, view_of
from .workload import Workload, await_role

SLOTS = 16384
MASTERS = MEMBERS["cache"] // 2

SETTINGS = """\
cluster-enabled yes
cluster-port {bus}
cluster-config-file nodes.conf
cluster-node-timeout 3000
# A shard that is lost costs its own keys only: the rest of a cache goes on.
cluster-require-full-coverage no
maxmemory 16mb
maxmemory-policy allkeys-lru
latency-monitor-threshold 100
save ""
appendonly no
repl-diskless-sync-delay 0
"""


class Cache(Workload):
    name = "cache"

    def settings(self, node: Node) -> str:
        return SETTINGS.format(bus=node.bus)

    def views(self) -> dict[str, list[Member]]:
        """What each running node believes, by its name."""
        return {node.name: view_of(node) for node in self.running}

    def adjust(self) -> None:
        views = self.views()
        identities = {name: next(member.id for member in view if member.is_self) for name, view in views.items()}
        self._introduce(views, identities)
        self._forget_replaced(views, identities)
        if all(any(member.id == identity and not member.is_handshaking for member in view)
               for view in views.values() for identity in identities.values()):
            self._give_slots(views, identities)
            self._place_replicas()

    def _introduce(self, views: dict[str, list[Member]], identities: dict[str, str]) -> None:
        first = self.running[0]
        known = {member.id for member in views[first.name]}
        for index, node in enumerate(self.running):
            if len(views[node.name]) == 1:
                # Distinct epochs from the start spare the masters an argument about them.
                with contextlib.suppress(ReplyError):
                    node.ask("CLUSTER", "SET-CONFIG-EPOCH", index + 1)
            if identities[node.name] not in known:
                first.ask("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus)

    def _forget_replaced(self, views: dict[str, list[Member]], identities: dict[str, str]) -> None:
        """Identities whose address another node has taken, or that no member has any more."""
        alive = set(identities.values())
        ports = {node.port for node in self.nodes}
        taken = {node.port for node in self.running}
        for node in self.running:
            for member in views[node.name]:
                gone = member.port in taken or member.port not in ports
                if gone and member.id not in alive and not member.is_handshaking and not member.slots:
                    # Refused for a node's own master, until its failover is over.
                    with contextlib.suppress(ReplyError):
                        node.ask("CLUSTER", "FORGET", member.id)

    def _give_slots(self, views: dict[str, list[Member]], identities: dict[str, str]) -> None:
        unowned = unowned_ranges(list(views.values()))
        if unowned == [(0, SLOTS - 1)]:
            for index, node in enumerate(self.running[:MASTERS]):
                first, last = index * SLOTS // MASTERS, (index + 1) * SLOTS // MASTERS - 1
                node.ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            return
        owners = {member.id: len(member.slots) for view in views.values() for member in view if member.is_master}
        masters = [node for node in self.running if identities[node.name] in owners]
        if unowned and masters:
            poorest = min(masters, key=lambda node: owners[identities[node.name]])
            poorest.ask("CLUSTER", "ADDSLOTSRANGE", *(slot for pair in unowned for slot in pair))

    def _place_replicas(self) -> None:
        """A master without slots becomes a replica of the master that has the fewest; a second replica moves over to
        a master that has none. Each node's word about itself counts, for news of others travels slowly."""
        own = {node.name: self._own(node) for node in self.running}
        followers = self._followers(own)
        if len(followers) < MASTERS:
            return
        for node in self.running:
            member, fewest = own[node.name], min(followers, key=followers.__getitem__)
            idle = member.is_master and not member.slots
            spare = followers.get(member.master, 0) > 1 and followers[fewest] == 0
            if idle or spare:
                node.ask("CLUSTER", "REPLICATE", fewest)
                followers[fewest] += 1
                if spare:
                    followers[member.master] -= 1

    def _followers(self, own: dict[str, Member]) -> dict[str, int]:
        """How many replicas each master with slots has, by its id."""
        following = [member.master for member in own.values() if not member.is_master]
        return {member.id: following.count(member.id) for member in own.values() if member.slots}

    def masters(self) -> list[Node]:
        """The running nodes that have slots."""
        return [node for node in self.running if self._own(node).slots]

    def _own(self, node: Node) -> Member:
        return next(member for member in view_of(node) if member.is_self)

    def faults(self) -> list[str]:
        own = {node.name: self._own(node) for node in self.nodes}
        followers = self._followers(own)
        found = [f"{name} has no replica" for name, member in own.items() if followers.get(member.id) == 0]
        for node in self.nodes:
            state = fields(node.ask("CLUSTER", "INFO"))
            if state["cluster_state"] != "ok" or state["cluster_slots_ok"] != str(SLOTS):
                found.append(f"{node.name} sees the cluster {state['cluster_state']}, "
                             f"{state['cluster_slots_ok']} of {SLOTS} slots")
            view = view_of(node)
            if len(view) != len(self.nodes) or any(member.is_failed or member.is_handshaking for member in view):
                found.append(f"{node.name} does not see every node well")
            if own[node.name].is_master and not own[node.name].slots:
                found.append(f"{node.name} has no slots")
            if not own[node.name].is_master and node.info("replication").get("master_link_status") != "up":
                found.append(f"{node.name} is not linked to its master")
        return found

    def failover(self, node: Node | None) -> tuple[str, str]:
        if not self.running:
            raise Refused("no cache node runs: deploy/lab heal cache")
        chosen = node or self.running[0]
        own = next((member for view in self.views().values() for member in view if member.port == chosen.port), None)
        if own is None:
            raise Refused(f"{chosen.name} is in no running node's view")
        shard = own.id if own.is_master else own.master
        if own.is_master:
            candidates = [other for other in self.running if self._own(other).master == shard]
        else:
            candidates = [chosen] if chosen.is_running else []
        if not candidates:
            raise Refused(f"the shard of {chosen.name} has no running replica")
        new = candidates[0]
        old = next(member for member in view_of(new) if member.id == shard)
        master = next((other for other in self.running if other.port == old.port), None)
        # With FORCE the replica does not wait for a master that cannot answer; the majority still has to agree.
        new.ask("CLUSTER", "FAILOVER", *([] if master else ["FORCE"]))
        await_role(new, "master", 15)
        if master:
            await_role(master, "slave", 15)
        return next(other.name for other in self.nodes if other.port == old.port), new.name

    def forget(self, node: Node) -> None:
        for other in self.running:
            for member in view_of(other):
                if member.port == node.port and not member.is_self:
                    other.ask("CLUSTER", "FORGET", member.id)
