"""What one cluster node believes about all of them: CLUSTER NODES, read."""

import dataclasses

from ..node import Node

SLOTS = 16384


@dataclasses.dataclass(frozen=True)
class Member:
    id: str
    port: int
    flags: frozenset[str]
    master: str
    slots: frozenset[int]

    @property
    def is_self(self) -> bool:
        return "myself" in self.flags

    @property
    def is_master(self) -> bool:
        return "master" in self.flags

    @property
    def is_failed(self) -> bool:
        return bool(self.flags & {"fail", "fail?", "noaddr"})

    @property
    def is_handshaking(self) -> bool:
        return "handshake" in self.flags


def view_of(node: Node) -> list[Member]:
    lines = node.ask("CLUSTER", "NODES").decode().splitlines()
    return [member(line.split()) for line in lines if line]


def member(words: list[str]) -> Member:
    """`id host:port@bus flags master ping pong epoch link slot…`; slots in migration are in brackets."""
    slots: set[int] = set()
    for word in words[8:]:
        if not word.startswith("["):
            first, _, last = word.partition("-")
            slots.update(range(int(first), int(last or first) + 1))
    port = words[1].partition("@")[0].rpartition(":")[2]
    return Member(words[0], int(port), frozenset(words[2].split(",")), words[3], frozenset(slots))


def unowned_ranges(views: list[list[Member]]) -> list[tuple[int, int]]:
    """The slots that nobody has in any view, as first and last of each stretch."""
    owned = {slot for view in views for member in view for slot in member.slots}
    ranges: list[tuple[int, int]] = []
    for slot in range(SLOTS):
        if slot in owned:
            continue
        if ranges and ranges[-1][1] == slot - 1:
            ranges[-1] = (ranges[-1][0], slot)
        else:
            ranges.append((slot, slot))
    return ranges
