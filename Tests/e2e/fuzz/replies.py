"""A reply as a text with numeric places: they are found once, and spliced from then on."""

import dataclasses
import re

# A number that stands for itself: no part of a name, of a run id or of an address.
NUMBER = re.compile(rb"(?<![A-Za-z0-9_])-?\d+(?:\.\d+)?(?:(?![A-Za-z0-9_])|(?=[KMGTB%]\b))")
ADDRESS = re.compile(rb"\d+\.\d+\.\d+\.\d+")
# A text of lines `name:value`, below titles.
INFO = re.compile(rb"(?:#[^\n]*\r\n|\r\n)*\w+:[^\r\n]*\r\n")
INTEGERS = range(-(1 << 63), 1 << 63)

DIGITS = b"9" * (1 << 20)
# Each is a way to be extreme; none is what a server says in earnest.
EXTREMES = tuple(str(value).encode() for value in (
    (1 << 63) - 1, -(1 << 63), 1 << 63, -(1 << 63) - 1, (1 << 64) - 1, 1 << 64, 1 << 62, -(1 << 62), (1 << 53) - 1, 1 << 53,
    (1 << 53) + 1, -(1 << 53), 1 << 31, (1 << 31) - 1, -(1 << 31), (1 << 32) - 1, 1 << 32, -1, 0)) + (
    b"1e300", b"-1e300", b"1e-300", b"1e400", b"-1e400", b"1e18", b"1e19", b"0.1", b"nan", b"NaN", b"-nan", b"inf", b"-inf",
    b"Infinity", b"-0", b"", b"-", b"00000000000000000000007", b"0x7fffffffffffffff", b" 5", b"5 ", b"\t", b"1_000", b"1,5",
    "\u0663\u0664".encode(), "\uff15".encode())


@dataclasses.dataclass(frozen=True, slots=True)
class Leaf:
    """A string or an integer of a reply: its bytes are `reply[start:end]`, with header and line end `reply[head:stop]`."""

    kind: bytes
    head: int
    start: int
    end: int
    stop: int


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    leaf: int
    start: int
    end: int


def bulk(content: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(content), content)


def is_integer(text: bytes) -> bool:
    """Whether it is an integer of RESP, as a server would write it."""
    return re.fullmatch(rb"0|-?[1-9]\d{0,18}", text) is not None and int(text) in INTEGERS


def leaves(reply: bytes) -> list[Leaf]:
    found, position = [], 0
    while position < len(reply):
        line = reply.index(b"\r\n", position)
        kind = reply[position:position + 1]
        stop = line + 2
        if kind == b"$" and (length := int(reply[position + 1:line])) >= 0:
            found.append(Leaf(kind, position, stop, stop + length, stop + length + 2))
            stop += length + 2
        elif kind in b"+-:":
            found.append(Leaf(kind, position, position + 1, line, stop))
        position = stop
    return found


class Template:
    """One reply of a server, and what becomes of it."""

    def __init__(self, reply: bytes):
        self.reply = reply
        self.leaves = leaves(reply)
        self.infos = {number for number, leaf in enumerate(self.leaves) if INFO.match(reply[leaf.start:leaf.end])}
        self.places = [place for number in range(len(self.leaves)) for place in self._places(number)]

    def _places(self, number: int):
        leaf = self.leaves[number]
        text = self.reply[leaf.start:leaf.end]
        addresses = [match.span() for match in ADDRESS.finditer(text)]
        for match in NUMBER.finditer(text):
            line = text.rfind(b"\n", 0, match.start()) + 1
            if number in self.infos and text.find(b":", line, match.start()) < 0:
                continue
            if not any(start <= match.start() < end for start, end in addresses):
                yield Place(number, leaf.start + match.start(), leaf.start + match.end())

    def with_numbers(self, changes: dict[int, bytes]) -> bytes:
        """The reply with other texts at these places, framed as it must be."""
        by_leaf: dict[int, list[tuple[Place, bytes]]] = {}
        for index in sorted(changes):
            place = self.places[index]
            by_leaf.setdefault(place.leaf, []).append((place, changes[index]))
        out, position = [], 0
        for number, edits in by_leaf.items():
            leaf = self.leaves[number]
            out += [self.reply[position:leaf.head], self._leaf(leaf, edits)]
            position = leaf.stop
        return b"".join([*out, self.reply[position:]])

    def _leaf(self, leaf: Leaf, edits: list[tuple[Place, bytes]]) -> bytes:
        parts, position = [], leaf.start
        for place, value in edits:
            parts += [self.reply[position:place.start], value]
            position = place.end
        content = b"".join([*parts, self.reply[position:leaf.end]])
        if leaf.kind == b":" and is_integer(content):
            return b":%s\r\n" % content
        # What is no integer of RESP is text in its place: the frame stays sound.
        if leaf.kind == b":" or (leaf.kind == b"$"):
            return bulk(content)
        return leaf.kind + re.sub(rb"[\r\n]", b" ", content) + b"\r\n"

    def takes(self, index: int, value: bytes) -> bool:
        """Whether a server could say so there: an integer of RESP has 64 bits."""
        return self.leaves[self.places[index].leaf].kind != b":" or is_integer(value)

    def with_leaf(self, number: int, coded: bytes) -> bytes:
        leaf = self.leaves[number]
        return self.reply[:leaf.head] + coded + self.reply[leaf.stop:]

    def without(self, index: int) -> bytes:
        """The reply of a server that does not know this field: without its line, its `name=value`, or with a word for it."""
        place = self.places[index]
        leaf = self.leaves[place.leaf]
        text, at = self.reply[leaf.start:leaf.end], place.start - leaf.start
        if leaf.kind == b"$" and b"\n" in text:
            start = text.rfind(b"\n", 0, at) + 1
            end = text.find(b"\n", at) + 1 or len(text)
            if place.leaf not in self.infos and b"=" in text[start:at]:
                start = max(start, text.rfind(b" ", 0, at))
                stops = [stop for stop in (text.find(b" ", at), text.find(b"\n", at)) if stop >= 0]
                end = min(stops, default=len(text))
            return self.with_leaf(place.leaf, bulk(text[:start] + text[end:]))
        return self.with_leaf(place.leaf, bulk(b"unknown"))

    def name_of(self, index: int) -> str:
        """What is before the place on its line; of one that is alone, the text before it in the reply."""
        place = self.places[index]
        leaf = self.leaves[place.leaf]
        before = self.reply[leaf.start:place.start]
        name = before[before.rfind(b"\n") + 1:]
        if not name and place.leaf:
            previous = self.leaves[place.leaf - 1]
            name = self.reply[previous.start:previous.end] + b" "
        return f"{name[-60:].decode(errors='replace')}[{index}]"
