"""Fake servers that all live on one event loop, and count what they have answered."""

import asyncio
import collections
import dataclasses
import itertools
import random
import time

from .cast import Part
from .mutation import Single, shown, singles, wild
from .replies import Template, bulk

TWO_WORDS = {b"INFO", b"CONFIG", b"LATENCY", b"SLOWLOG", b"CLIENT", b"CLUSTER", b"SENTINEL", b"XINFO", b"COMMANDLOG", b"MEMORY"}
FINE = {"CLIENT SETNAME", "CLIENT NO-TOUCH", "CLIENT SETINFO", "SELECT", "READONLY", "AUTH"}
UNKNOWN = b"-ERR unknown command\r\n"
# A share of the time a Sentinel has something to say.
PUBLISH_SECONDS = 0.2
# What was said last is what may have ended the daemon.
KEPT = 3000


@dataclasses.dataclass(frozen=True, eq=False, slots=True)
class Said:
    """A reply that was not the captured one: with these numbers by place, or odd in another way that `text` tells."""

    part: Part
    command: str
    reply: bytes
    template: Template | None = None
    numbers: dict[int, bytes] = dataclasses.field(default_factory=dict)
    text: str = ""

    def with_numbers(self, numbers: dict[int, bytes]) -> "Said":
        return dataclasses.replace(self, reply=self.template.with_numbers(numbers), numbers=numbers)

    def __str__(self) -> str:
        parts = [f"{self.template.name_of(place)} = {shown(value)}" for place, value in itertools.islice(self.numbers.items(), 6)]
        if len(self.numbers) > 6:
            parts.append(f"and {len(self.numbers) - 6} more")
        if self.text:
            parts.append(self.text)
        return f"{self.part.name} ({self.part.address}), {self.command}: {', '.join(parts)}"


class Servers:
    """All servers of a run, and what they have said together."""

    def __init__(self, seed: int):
        self.seed = seed
        self.replies = self.mutated = 0
        self.by_command: collections.Counter[str] = collections.Counter()
        self.said: collections.deque[Said] = collections.deque(maxlen=KEPT)
        self.all: list[Server] = []

    async def start(self, parts: list[Part]) -> None:
        for part in parts:
            server = Server(part, self)
            await server.start()
            self.all.append(server)

    def close(self) -> None:
        for server in self.all:
            server.close()


class Server:
    """One of them. `fixed` are all the odd replies that it gives, every other `turn` seconds, by command."""

    def __init__(self, part: Part, servers: Servers, fixed: dict[str, bytes] | None = None, turn: float = 1):
        self.part, self.servers, self.fixed, self.turn = part, servers, fixed, turn
        self.templates = part.templates()
        self.chance = random.Random(f"{servers.seed} {part.name} {part.is_wild} {part.role}")
        self.singles = singles(self.templates, random.Random(f"{servers.seed} {part.name} singles"))
        self.held: Single | None = None
        self.held_reply = b""
        self.held_count = 0
        self.answered = 0
        self.asked: set[str] = set()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self.connections: set[Connection] = set()
        self.listener = await loop.create_server(lambda: Connection(self), "127.0.0.1", self.part.port)

    def close(self) -> None:
        self.listener.close()
        for connection in list(self.connections):
            connection.transport.abort()

    def hold(self, single: Single | None, reply: bytes = b"") -> None:
        """From now on one command is answered with this one number changed, or with `reply`."""
        self.held, self.held_count = single, 0
        if single:
            self.held_reply = reply or self.templates[single.command].with_numbers({single.place: single.value})
            if not reply:
                self.servers.said.append(Said(self.part, single.command, self.held_reply, self.templates[single.command],
                                              {single.place: single.value}))

    def answer(self, words: list[bytes]) -> bytes | None:
        """None is silence; an empty reply ends the connection."""
        command = words[0].upper()
        if command in TWO_WORDS and len(words) > 1:
            command += b" " + words[1].upper()
        name = command.decode(errors="replace")
        if name == "INFO":
            name = "INFO ALL"
        self.servers.replies += 1
        self.answered += 1
        self.asked.add(name)
        if name not in self.templates:
            return b"+OK\r\n" if name in FINE else UNKNOWN
        self.servers.by_command[name] += 1
        template = self.templates[name]
        if self.fixed is not None:
            is_odd = time.monotonic() % (2 * self.turn) < self.turn
            return self.fixed.get(name, template.reply) if is_odd else template.reply
        if not self.part.is_wild:
            if self.held and self.held.command == name:
                self.held_count += 1
                self.servers.mutated += 1
                return self.held_reply
            return template.reply
        odd = wild(template, self.chance)
        if odd.reply is not template.reply:
            self.servers.mutated += 1
            self.servers.said.append(Said(self.part, name, odd.reply or b"", template, odd.numbers, odd.text))
        return odd.reply

    def event(self) -> bytes:
        """A message of the subscription with one number changed, or more."""
        template = Template(self.chance.choice(self.part.published))
        self.servers.replies += 1
        self.servers.by_command["published"] += 1
        if self.part.is_wild:
            odd = wild(template, self.chance).reply or b""
        else:
            [single] = itertools.islice(singles({"": template}, self.chance), 1) or [None]
            odd = template.with_numbers({single.place: single.value}) if single else template.reply
        self.servers.mutated += 1
        self.servers.said.append(Said(self.part, "published", odd, text=shown(odd)))
        return odd


class Connection(asyncio.Protocol):
    def __init__(self, server: Server):
        self.server = server
        self.buffer = b""
        self.transport: asyncio.Transport | None = None
        self.publishing: asyncio.TimerHandle | None = None

    def connection_made(self, transport) -> None:
        self.transport = transport
        self.server.connections.add(self)

    def connection_lost(self, _) -> None:
        self.server.connections.discard(self)
        if self.publishing:
            self.publishing.cancel()

    def data_received(self, data: bytes) -> None:
        commands, self.buffer = split(self.buffer + data)
        replies = []
        for words in commands:
            if words[0].upper() == b"PSUBSCRIBE":
                replies.append(b"*3\r\n" + bulk(b"psubscribe") + bulk(words[1]) + b":1\r\n")
                self.publish_later()
            elif self.publishing:
                replies.append(b"*2\r\n$4\r\npong\r\n$0\r\n\r\n")
            elif reply := self.server.answer(words):
                replies.append(reply)
        if replies:
            self.transport.write(b"".join(replies))

    def publish_later(self) -> None:
        self.publishing = asyncio.get_running_loop().call_later(PUBLISH_SECONDS, self.publish)

    def publish(self) -> None:
        if self.server.part.published and self.server.fixed is None:
            self.transport.write(self.server.event())
        self.publish_later()


def split(data: bytes) -> tuple[list[list[bytes]], bytes]:
    """The whole commands at the beginning, and what is left."""
    commands, done = [], 0
    while data.startswith(b"*", done):
        line = data.find(b"\r\n", done)
        if line < 0:
            break
        words, at = [], line + 2
        for _ in range(int(data[done + 1:line])):
            line = data.find(b"\r\n", at)
            if line < 0:
                return commands, data[done:]
            length = int(data[at + 1:line])
            word = data[line + 2:line + 2 + length]
            at = line + length + 4
            if at > len(data):
                return commands, data[done:]
            words.append(word)
        commands.append(words)
        done = at
    return commands, data[done:]
