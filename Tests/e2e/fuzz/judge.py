"""Whether one extreme number leaves all else alone: a member's own page, after a poll that met the number."""

import asyncio
import collections
import re
import time

from harness.http import request_bytes

from .mutation import Single, shown
from .servers import Server

TYPE = re.compile(rb"^# TYPE (\S+)", re.MULTILINE)
UP = re.compile(rb"^redis_up(?:\{[^\n]*\})? 1$", re.MULTILINE)
# Pages of a server that says nothing odd, which show what is always there.
BASELINE_PAGES = 5
# A command that is not part of every poll is waited for so long.
RARE_SECONDS = 4.0
SETTLE_SECONDS = 30.0
EXAMPLES = 5
NOTHING = frozenset()


class Judge:
    """Counts, by command, numbers that left all else alone, and the others. `examples` are some of those."""

    def __init__(self, port: int, seconds: float):
        self.port, self.seconds = port, seconds
        self.kept: collections.Counter[str] = collections.Counter()
        self.lost: collections.Counter[str] = collections.Counter()
        self.unasked: collections.Counter[str] = collections.Counter()
        self.examples: dict[str, list[str]] = {}
        self.stuck: list[str] = []

    async def families(self, server: Server) -> frozenset[bytes]:
        """Of a page that is made after this moment; none when redis_up is not 1."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        try:
            writer.write(request_bytes(f"/scrape?target={server.part.address}", headers={"Connection": "close"}))
            # Unlike wait_for it never swallows that the task is cancelled.
            async with asyncio.timeout(self.seconds):
                body = await reader.read(-1)
        finally:
            writer.close()
        if not body.startswith(b"HTTP/1.1 200 ") or not body.endswith(b"\n"):
            raise ConnectionError(f"{body[:100]!r} … {body[-100:]!r}")
        return frozenset(TYPE.findall(body)) if UP.search(body) else NOTHING

    async def settled(self, server: Server, baseline: frozenset[bytes]) -> bool:
        """Whether the server, which says nothing odd now, is seen whole again in time."""
        server.hold(None)
        deadline = time.monotonic() + SETTLE_SECONDS + self.seconds
        while time.monotonic() < deadline:
            if (found := await self.families(server)) and found >= baseline:
                return True
            await asyncio.sleep(0.1)
        return False

    async def baseline(self, server: Server) -> frozenset[bytes]:
        await self.settled(server, NOTHING)
        # Some families tell of what changed between two polls.
        pages = [await self.families(server) for _ in range(BASELINE_PAGES)]
        return frozenset.intersection(*pages)

    async def without(self, server: Server, single: Single) -> frozenset[bytes]:
        server.hold(single, server.templates[single.command].without(single.place))
        found = await self.families(server)
        if server.held_count == 0:
            await self.met(server)
            found = await self.families(server)
        return found

    async def met(self, server: Server) -> bool:
        """Whether the daemon has asked for what is held."""
        deadline = time.monotonic() + RARE_SECONDS
        while server.held_count == 0 and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        return server.held_count > 0

    async def run(self, server: Server) -> None:
        """Tries one number after another on one server, until it is cancelled."""
        baseline = await self.baseline(server)
        own: dict[tuple[str, int], frozenset[bytes]] = {}
        for single in server.singles:
            if self.unasked[single.command] > 20 and single.command not in server.asked:
                continue
            server.hold(single)
            found = await self.families(server)
            if server.held_count == 0:
                if not await self.met(server):
                    self.unasked[single.command] += 1
                    continue
                found = await self.families(server)
            missing = baseline - found
            if missing and found:
                # What a server lacks that does not know the field is the field's own.
                place = (single.command, single.place)
                if place not in own:
                    own[place] = baseline - await self.without(server, single)
                missing -= own[place]
            if found and not missing:
                self.kept[single.command] += 1
                continue
            self.lost[single.command] += 1
            name = server.templates[single.command].name_of(single.place)
            what = "redis_up is not 1" if not found else f"without {', '.join(sorted(map(bytes.decode, missing)))[:200]}"
            self.examples.setdefault(single.command, []).append(f"{server.part.name}, {name} = {shown(single.value)}: {what}")
            if not await self.settled(server, baseline):
                # What the number has left behind; from here on only more may be missing.
                left = baseline - await self.families(server)
                self.stuck.append(f"{self.examples[single.command][-1]}; it does not come back: {len(left)} families")
                baseline -= left

    @property
    def total(self) -> int:
        return self.kept.total() + self.lost.total()

    @property
    def share(self) -> float:
        return self.kept.total() / max(1, self.total)

    def told(self) -> list[str]:
        """Examples of what was lost, and what did not come back."""
        return [text for texts in self.examples.values() for text in texts[:EXAMPLES]] + self.stuck[:EXAMPLES]

    def table(self) -> list[str]:
        return [f"{command}: {self.kept[command]} of {self.kept[command] + self.lost[command]}"
                for command in sorted({*self.kept, *self.lost})]
