"""What can go wrong with a Redis besides its death, done to nodes of the lab for real."""

import contextlib
import threading
import time

from .check import Check
from .lab import Lab
from .resp import ReplyError


class Faults:
    def __init__(self, check: Check, lab: Lab):
        self.check, self.lab = check, lab

    def evict(self, name: str) -> None:
        """A policy that the workload forbids and too little memory, for as long as it takes to lose keys."""
        with self.lab.client(name) as client:
            before = [client("CONFIG", "GET", setting)[1] for setting in ("maxmemory-policy", "maxmemory")]
            for index in range(200):
                client("SET", f"victim:{index}", "v" * 10_000, "EX", 600)
            client("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
            client("CONFIG", "SET", "maxmemory", int(client.info("memory")["used_memory"]) - 500_000)
            self.check.until(lambda: int(client.info("stats")["evicted_keys"]) > 0, 10, f"{name} evicts")
            client("CONFIG", "SET", "maxmemory", before[1])
            client("CONFIG", "SET", "maxmemory-policy", before[0])

    def fill(self, name: str) -> None:
        """To about 94 % of what it may use; some of that does not count."""
        with self.lab.client(name) as client:
            limit = int(client("CONFIG", "GET", "maxmemory")[1])
            self.check.that(limit >= 32_000_000, f"{name} may use {limit} bytes")
            number = 0
            while int(client.info("memory")["used_memory"]) < 0.93 * limit:
                client("SET", f"ballast:{number}", "b" * 1_000_000)
                number += 1

    def empty(self, name: str) -> None:
        with self.lab.client(name) as client:
            client("DEL", *client("KEYS", "ballast:*"))

    def cut_off(self, name: str) -> None:
        """The replica's credentials are wrong from now on, so that its link does not come up again."""
        with self.lab.client(name) as client:
            client("CONFIG", "SET", "masteruser", "nobody", "masterauth", "wrong")
            client("CLIENT", "KILL", "TYPE", "master")

    def join(self, name: str) -> None:
        with self.lab.client(name) as client:
            client("CONFIG", "SET", "masteruser", "", "masterauth", "")

    def exhaust(self, name: str) -> None:
        """Opens connections until maxclients, which is set low for that, refuses some; then lets go of all."""
        with self.lab.client(name) as client, contextlib.ExitStack() as held:
            before = client("CONFIG", "GET", "maxclients")[1]
            client("CONFIG", "SET", "maxclients", int(client.info("clients")["connected_clients"]) + 8)
            refused = 0
            while refused < 5:
                connection = held.enter_context(self.lab.client(name))
                try:
                    connection("PING")
                except (ReplyError, OSError):
                    refused += 1
            client("CONFIG", "SET", "maxclients", before)

    def evicted(self, name: str) -> int:
        with self.lab.client(name) as client:
            return int(client.info("stats")["evicted_keys"])

    def cache_replica(self) -> str:
        return self._cache_nodes(b"slave")[0]

    def cache_masters(self) -> list[str]:
        return self._cache_nodes(b"master")

    def _cache_nodes(self, role: bytes) -> list[str]:
        return [name for name in self.lab.ports() if name.startswith("cache-") and self.lab.ask(name, "ROLE")[0] == role]


class Stream:
    """Commands of one kind on a node of the cache, so many a second, until it ends; the rate may be changed."""

    def __init__(self, check: Check, lab: Lab, name: str, per_second: float, command):
        self.per_second = per_second
        self._command = command
        self._ending = threading.Event()
        self._client = lab.client(name)
        self._tag = self._own_tag()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        check.closing.callback(self.end)

    def end(self) -> None:
        if not self._ending.is_set():
            self._ending.set()
            self._thread.join(5)
            self._client.close()

    def _own_tag(self) -> str:
        """A tag whose slot the node has."""
        for number in range(10_000):
            with contextlib.suppress(ReplyError):
                self._client("GET", f"{{{number}}}")
                return f"{{{number}}}"
        raise AssertionError("the node has no slot")

    def _run(self) -> None:
        number, owed, last = 0, 0.0, time.monotonic()
        while not self._ending.wait(0.05):
            now = time.monotonic()
            owed, last = min(owed + (now - last) * self.per_second, self.per_second), now
            for _ in range(int(owed)):
                number += 1
                self._client(*self._command(f"{self._tag}:{number}"))
            owed -= int(owed)


def misses(check: Check, lab: Lab, name: str, per_second: float) -> Stream:
    """Look-ups that find nothing."""
    return Stream(check, lab, name, per_second, lambda key: ("GET", f"absent:{key}"))


def writes(check: Check, lab: Lab, name: str, per_second: float) -> Stream:
    """New keys of ten kilobytes, each of which has to be evicted once the node is full."""
    return Stream(check, lab, name, per_second, lambda key: ("SET", f"new:{key}", "n" * 10_000, "EX", 600))
