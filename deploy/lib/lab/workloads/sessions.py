"""sessions: a master and two replicas that three Sentinels watch. Nothing may be evicted; hourly RDB and AOF."""

import contextlib
import time

from ..node import Node
from ..resp import ReplyError, pairs
from ..terminal import Refused
from .workload import Workload, replication_faults

MASTER_NAME = "sessions"
QUORUM = 2
FAILOVER_SECONDS = 20

# The user of redline drill: no more than deploy/docs/drills.md grants.
DRILL_USER = "drill"
DRILL_RULES = ("~redline:canary:* resetchannels -@all +set +get +unlink +info +role +ping +cluster +client|pause "
               "+client|unpause +client|kill +client|setname +replicaof +config|get")

SETTINGS = """\
user {drill_user} on >{drill_password} {drill_rules}
requirepass {password}
masterauth {password}
maxmemory 64mb
maxmemory-policy noeviction
latency-monitor-threshold 100
save 3600 1
appendonly yes
appendfsync everysec
repl-diskless-sync-delay 0
"""

SENTINEL_SETTINGS = """\
sentinel monitor {name} 127.0.0.1 {master} {quorum}
sentinel auth-pass {name} {password}
sentinel down-after-milliseconds {name} 3000
sentinel failover-timeout {name} 10000
sentinel parallel-syncs {name} 1
"""


class Sessions(Workload):
    name = "sessions"

    @property
    def sentinels(self) -> list[Node]:
        return self.place.nodes("sentinel")

    @property
    def members(self) -> list[Node]:
        return self.nodes + self.sentinels

    def settings(self, node: Node) -> str:
        password = self.place.password(self.name)
        master = self._agreed_port() or self.place.ports()["sessions-1"][0]
        if node.workload == "sentinel":
            return SENTINEL_SETTINGS.format(name=MASTER_NAME, master=master, quorum=QUORUM, password=password)
        own = SETTINGS.format(password=password, drill_user=DRILL_USER, drill_rules=DRILL_RULES,
                              drill_password=self.place.password("drill"))
        return own if node.port == master else own + f"replicaof 127.0.0.1 {master}\n"

    def _believed_ports(self) -> dict[str, int]:
        """The port of the master by each Sentinel that answers."""
        believed = {}
        for sentinel in self.sentinels:
            if sentinel.is_running:
                with contextlib.suppress(OSError, ReplyError):
                    address = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME)
                    believed[sentinel.name] = int(address[1])
        return believed

    def _agreed_port(self) -> int | None:
        believed = list(self._believed_ports().values())
        return max(believed, key=believed.count) if believed else None

    @property
    def master(self) -> Node | None:
        """The one that most Sentinels name."""
        port = self._agreed_port()
        return next((node for node in self.nodes if node.port == port), None)

    def faults(self) -> list[str]:
        believed = self._believed_ports()
        ports = set(believed.values())
        if len(ports) != 1:
            return [f"the sentinels name {len(ports)} masters"]
        master = next((node for node in self.nodes if node.port in ports), None)
        if master is None:
            return ["the sentinels name a master that is no member"]
        if master.ask("ROLE")[0] != b"master":
            return [f"{master.name}, which the sentinels name, is no master"]
        found = []
        for node in self.nodes:
            if node.port != master.port:
                found += replication_faults(node, master)
        for sentinel in self.sentinels:
            found += self._sentinel_faults(sentinel)
        return found

    def _sentinel_faults(self, sentinel: Node) -> list[str]:
        seen = pairs(sentinel.ask("SENTINEL", "MASTER", MASTER_NAME))
        found = []
        if seen["flags"] != "master":
            found.append(f"{sentinel.name} sees the master as {seen['flags']}")
        if seen["num-slaves"] != str(len(self.nodes) - 1):
            found.append(f"{sentinel.name} knows {seen['num-slaves']} of {len(self.nodes) - 1} replicas")
        if seen["num-other-sentinels"] != str(len(self.sentinels) - 1):
            found.append(f"{sentinel.name} knows {seen['num-other-sentinels']} other sentinels")
        for replica in map(pairs, sentinel.ask("SENTINEL", "REPLICAS", MASTER_NAME)):
            if replica["flags"] != "slave":
                found.append(f"{sentinel.name} sees a replica as {replica['flags']}")
        return found

    def failover(self, node: Node | None) -> tuple[str, str]:
        old = self._agreed_port()
        if old is None:
            raise Refused("no sentinel answers")
        names = {node.port: node.name for node in self.nodes}
        deadline = time.monotonic() + FAILOVER_SECONDS
        self._order_failover(deadline)
        while True:
            ports = set(self._believed_ports().values())
            if len(ports) == 1 and old not in ports:
                new = ports.pop()
                return names.get(old, str(old)), names.get(new, str(new))
            if time.monotonic() > deadline:
                raise Refused(f"the sentinels agree on no new master after {FAILOVER_SECONDS} s")
            time.sleep(0.1)

    def _order_failover(self, deadline: float) -> None:
        """One Sentinel takes the order; each may refuse for a while, when a failover is under way or just over."""
        last = "no sentinel answers"
        while time.monotonic() < deadline:
            for sentinel in self.sentinels:
                if not sentinel.is_running:
                    continue
                try:
                    sentinel.ask("SENTINEL", "FAILOVER", MASTER_NAME)
                    return
                except (OSError, ReplyError) as error:
                    last = str(error)
            time.sleep(0.3)
        raise Refused(f"no sentinel starts a failover: {last}")

    def forget(self, node: Node) -> None:
        """RESET makes a Sentinel learn again from the master, which the removed node does not follow any more."""
        for sentinel in self.sentinels:
            if sentinel.is_running:
                sentinel.ask("SENTINEL", "RESET", MASTER_NAME)
