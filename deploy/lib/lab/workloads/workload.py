"""What the workloads share: members, and being brought to the state that they should have."""

import time

from ..node import Node
from ..place import Place, write_whole
from ..resp import Connection, ReplyError
from ..terminal import Refused, await_none

CONVERGE_SECONDS = 60

COMMON = """\
port {port}
bind 127.0.0.1 -::1
protected-mode no
dir "{folder}"
"""


class Workload:
    name: str

    def __init__(self, place: Place):
        self.place = place

    @property
    def nodes(self) -> list[Node]:
        """Its data nodes."""
        return self.place.nodes(self.name)

    @property
    def members(self) -> list[Node]:
        """Its data nodes and whatever watches them."""
        return self.nodes

    @property
    def running(self) -> list[Node]:
        return [node for node in self.nodes if node.is_running]

    @property
    def master(self) -> Node | None:
        """The node that takes the writes, of a workload that has one."""
        return None

    def connect_to_master(self) -> Connection:
        master = self.master
        if master is None or not master.is_running:
            raise Refused(f"the master of {self.name} is not running")
        return master.connect(seconds=5)

    def settings(self, node: Node) -> str:
        """The lines of a new node's configuration file."""
        raise NotImplementedError

    def start_options(self, node: Node) -> list[str]:
        """What its configuration file cannot know when it starts again."""
        return []

    def adjust(self) -> None:
        """One round of what an operator would do to bring the members together; harmless when nothing is to be done."""

    def faults(self) -> list[str]:
        """What is wrong among members that all run."""
        raise NotImplementedError

    def failover(self, node: Node | None) -> tuple[str, str]:
        """Makes a replica (of `node`'s shard, where one is given) master; the names of the old and the new one."""
        raise NotImplementedError

    def forget(self, node: Node) -> None:
        """Tells the others that `node`, which has been stopped, will not come back."""

    def create(self, node: Node) -> None:
        """Makes `node` a member, with an empty folder and a configuration file."""
        node.folder.mkdir(parents=True, exist_ok=True)
        if not node.config.exists():
            common = COMMON.format(port=node.port, folder=node.folder)
            write_whole(node.config, common + self.settings(node))

    def complaints(self) -> list[str]:
        """Everything that is not as it should be, for a person to read; empty when all is well."""
        if not self.members:
            return [f"{self.name} has no nodes"]
        absent = [text for node in self.members for text in node.absence()]
        if absent:
            return absent
        try:
            return self.faults()
        except (OSError, ReplyError) as error:
            return [f"{self.name}: {error}"]

    def converge(self, seconds: float = CONVERGE_SECONDS) -> None:
        """Adjusts until there is nothing to complain about; nodes that were left down stay down."""
        def left() -> list[str]:
            try:
                self.adjust()
            except (OSError, ReplyError):
                pass  # Nodes that just start or change roles refuse; the next round asks again.
            return self.complaints()

        await_none(left, seconds)


def role_of(node: Node) -> str:
    """`master` or `slave` as ROLE says, or `loading`, or `unreachable`."""
    try:
        return node.ask("ROLE")[0].decode()
    except ReplyError as error:
        return "loading" if str(error).startswith("LOADING") else "unreachable"
    except OSError:
        return "unreachable"


def await_role(node: Node, role: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (seen := role_of(node)) != role:
        if time.monotonic() > deadline:
            raise Refused(f"{node.name} is not {role} after {seconds:g} s, but {seen}")
        time.sleep(0.05)


def replication_faults(replica: Node, master: Node) -> list[str]:
    """Whether `replica` follows `master` and has what it has."""
    role = replica.ask("ROLE")
    if role[0] != b"slave":
        return [f"{replica.name} is {role[0].decode()}, not a replica of {master.name}"]
    if int(role[2]) != master.port:
        return [f"{replica.name} follows another node than {master.name}"]
    return [] if role[3] == b"connected" else [f"{replica.name} is {role[3].decode()} with {master.name}"]
