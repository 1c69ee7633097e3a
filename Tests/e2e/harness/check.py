"""What a check function gets: a folder, ports, processes that end with it, and assertions that explain themselves."""

import contextlib
import pathlib
import random
import socket
import time

from .versions import USUAL


class Failed(AssertionError):
    """The check's claim does not hold; the text is what a person reads."""


class Ended(Exception):
    """A process that the check needs has ended; waiting on would be vain. The text holds its last words."""


class Skipped(Exception):
    """The check cannot run here; the text says why."""


def is_free(port: int) -> bool:
    """Whether nobody on loopback has the port."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def thorough_only(check):
    """Marks a check function that runs under `--thorough` only."""
    check.is_thorough_only = True
    return check


class Check:
    """`thorough` says that time is no matter: the long form of the check is wanted. `server` is the version of the servers
    that it starts."""

    def __init__(self, folder: pathlib.Path, thorough: bool = False, server: str = USUAL):
        self.folder = folder
        self.thorough = thorough
        self.server = server
        self.closing = contextlib.ExitStack()
        self._ports: set[int] = set()

    def share(self, short, full):
        """`full` under `--thorough`, otherwise `short`: how much of something the check does."""
        return full if self.thorough else short

    def free_port(self) -> int:
        """A loopback port that no outgoing connection takes, never given twice to one check."""
        while True:
            # Below the ephemeral ports, and so is port + 10000, on which a cluster node listens, too.
            port = random.randrange(10_000, 22_000)
            if port not in self._ports and all(map(is_free, (port, port + 10_000))):
                self._ports.add(port)
                return port

    def file(self, name: str, content: str | bytes = "") -> pathlib.Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def that(self, claim: bool, text: str) -> None:
        if not claim:
            raise Failed(text)

    def equal(self, seen, expected, text: str) -> None:
        if seen != expected:
            raise Failed(f"{text}: expected {expected!r}, saw {seen!r}")

    def none(self, complaints: list[str], text: str) -> None:
        """No complaint; otherwise the first forty, and how many there are."""
        if complaints:
            shown = "\n  ".join(complaints[:40])
            raise Failed(f"{text}: {len(complaints)}\n  {shown}")

    def until(self, condition, seconds: float, text: str, pause: float = 0.1):
        """The first true answer of `condition`, asked again until `seconds` have passed."""
        deadline = time.monotonic() + seconds
        last: Exception | None = None
        while True:
            try:
                answer = condition()
                last = None
                if answer:
                    return answer
            except (OSError, Failed) as error:
                last = error
            if time.monotonic() > deadline:
                raise Failed(f"not within {seconds:g} s: {text}" + (f" ({last})" if last else ""))
            time.sleep(pause)
