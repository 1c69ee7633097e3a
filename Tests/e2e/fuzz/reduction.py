"""What ended the daemon: the last odd replies of one workload, as few of them and with as few numbers as still do."""

import asyncio
import contextlib
import pathlib
import shutil
import tempfile
import time

from harness.check import Check

from .campaign import daemon, last_words
from .cast import Part
from .servers import Said, Server, Servers

# Odd and captured replies take turns, since what changes between two polls counts as well.
TURN_SECONDS = 0.6
SECONDS = 2.5
LONGEST_SECONDS = 120.0
AT_ONCE = 4
PATHS = ("/", "/node/{}", "/metrics", "/alerts")


def reduced(program: str, workloads: list[list[Part]], suspects: list[Said], slowness: float) -> str:
    """`suspects` are odd replies, the newest first; of each server and command the newest counts."""
    latest = {(said.part.port, said.command): said for said in reversed(suspects) if said.command != "published"}
    trial = Trial(program, workloads, slowness)
    trials = [[said for said in latest.values() if said.part in parts] for parts in workloads]
    if not (found := asyncio.run(trial.first([each for each in trials if each]))):
        told = "\n    ".join(str(said) for said in suspects[:20])
        return f"the last odd replies of no workload end it again by themselves; the newest were\n    {told}"
    trial.deadline += LONGEST_SECONDS * slowness / 2
    found = asyncio.run(trial.fewest(found, trial.ends))
    for number, said in enumerate(found):
        others = found[:number] + found[number + 1:]
        numbers = asyncio.run(trial.fewest(
            list(said.numbers.items()), lambda some: trial.ends([*others, said.with_numbers(dict(some))])))
        found[number] = said.with_numbers(dict(numbers)) if numbers else said
    said = "\n    ".join(map(str, found))
    return f"this is enough:\n    {said}\n    {trial.words}"


class Trial:
    """Daemons that watch one workload each, whose servers say some odd things again and again."""

    def __init__(self, program: str, workloads: list[list[Part]], slowness: float):
        self.program, self.workloads, self.slowness = program, workloads, slowness
        self.words = ""
        self.deadline = time.monotonic() + LONGEST_SECONDS * slowness

    async def fewest(self, all_of_them: list, ends) -> list:
        """Leaves out halves, then quarters and so on, while it still ends."""
        left, size = all_of_them, len(all_of_them) // 2
        while size and time.monotonic() < self.deadline:
            at = 0
            while at < len(left) and time.monotonic() < self.deadline:
                fewer = left[:at] + left[at + size:]
                if fewer and await ends(fewer):
                    left = fewer
                else:
                    at += size
            size //= 2
        return left

    async def first(self, trials: list[list[Said]]) -> list[Said] | None:
        """The first that ends a daemon, some at once; of one workload one after the other, since the ports are the same."""
        found: list[list[Said]] = []
        room = asyncio.Semaphore(AT_ONCE)

        async def of_one(parts: list[Part]) -> None:
            ports = {part.port for part in parts}
            for trial in trials:
                if trial[0].part.port in ports:
                    async with room:
                        if not found and time.monotonic() < self.deadline and await self.ends(trial):
                            found.append(trial)

        await asyncio.gather(*map(of_one, self.workloads))
        return found[0] if found else None

    async def ends(self, trial: list[Said]) -> bool:
        [parts] = [parts for parts in self.workloads if trial[0].part in parts]
        folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-fuzz."))
        check = Check(folder)
        servers = [Server(part, Servers(0), {said.command: said.reply for said in trial if said.part is part}, TURN_SECONDS)
                   for part in parts]
        try:
            with check.closing, contextlib.ExitStack() as listening:
                for server in servers:
                    await server.start()
                    listening.callback(server.close)
                redline = daemon(check, self.program, [parts], "http://127.0.0.1:9", self.slowness)
                deadline = time.monotonic() + SECONDS * self.slowness
                while time.monotonic() < deadline and redline.child.poll() is None:
                    await asyncio.sleep(0.2)
                    for path in PATHS:
                        with contextlib.suppress(Exception):
                            await asyncio.to_thread(redline.get, path.format(trial[0].part.address), seconds=5)
                if redline.child.poll() is None:
                    return False
                self.words = last_words(redline.output())
                return True
        finally:
            shutil.rmtree(folder, ignore_errors=True)
