"""The faults of `page.py`: laid on the lab again and again at random times, until both sides have told of each."""

import contextlib
import dataclasses
import os
import random
import signal
import threading
import time

from failover import Announcements
from harness.check import Check
from harness.lab import Lab
from harness.resp import Redis, ReplyError
from measure import progress
from page_sides import INTERVAL_SECONDS, PHASES, Labels, Side

# Connections that a node of the cache has to spare.
ROOM = 40
PATIENCE_SECONDS = 120


@dataclasses.dataclass
class Outcome:
    """Of one scenario: seconds by side, from each fault to the alert and to the page."""

    told: dict[str, list[float]]
    paged: dict[str, list[float]]


class Scenario:
    """A fault that is laid on one workload of the lab, again and again, at random times."""

    name: str
    # The time counts from the one to the other.
    fault: str
    news: str
    p99_seconds: float | None = None
    has_pages = True

    def __init__(self, check: Check, lab: Lab, sides: list[Side]):
        self.check, self.lab, self.sides = check, lab, sides
        self.outcome = Outcome({side.name: [] for side in sides}, {side.name: [] for side in sides})
        self.failure: Exception | None = None

    def alert(self, side: Side, run: int) -> Labels:
        """The labels of what is to be told."""
        raise NotImplementedError

    def lay(self, run: int) -> float:
        """Lays the fault; when it was there."""
        raise NotImplementedError

    def began(self, laid: float) -> float:
        """From when the time counts, of a fault that was laid at `laid`; asked once it has been told."""
        return laid

    def lift(self, run: int) -> None:
        """Undoes it."""

    def has_told(self, side: Side, run: int) -> bool:
        return side.told(self.alert(side, run))

    def is_over(self, side: Side, run: int) -> bool:
        """Whether nothing is left of it."""
        wanted = self.alert(side, run)
        wanted.pop("phase", None)
        return not side.told(wanted)

    def of_peer(self, side: Side, run: int) -> Labels:
        return {"phase": str(run % PHASES)} if side.name == "prometheus" else {}

    def work(self, runs: int) -> None:
        """Some runs; what goes wrong is kept as `failure`."""
        try:
            for run in range(runs):
                time.sleep(random.uniform(0, INTERVAL_SECONDS))
                self.once(run)
        except Exception as error:  # noqa: BLE001
            progress(f"{self.name}: {error}")
            self.failure = error

    def once(self, run: int) -> None:
        for side in self.sides:
            self.check.until(lambda side=side: self.is_over(side, run), PATIENCE_SECONDS, f"{side.name} is calm", pause=0.5)
        asked = time.monotonic()
        laid = self.lay(run)
        try:
            told = self.first_told(run)
            began = self.began(laid)
            for side in self.sides:
                self.outcome.told[side.name].append(told[side.name] - began)
                if self.has_pages:
                    paged = self.check.until(lambda side=side: side.paged(self.alert(side, run), asked), 20, "a page")
                    self.outcome.paged[side.name].append(paged - began)
        finally:
            self.lift(run)
        progress(f"{self.name} {run + 1}: " + "; ".join(
            f"{side.name} {self.outcome.told[side.name][-1]:.3f} s"
            + (f", page {self.outcome.paged[side.name][-1]:.3f} s" if self.has_pages else "") for side in self.sides))

    def first_told(self, run: int) -> dict[str, float]:
        """When each side was first seen to have told."""
        seen: dict[str, float] = {}
        start = time.monotonic()
        while len(seen) < len(self.sides):
            for side in self.sides:
                if side.name not in seen and self.has_told(side, run):
                    seen[side.name] = time.monotonic()
            waited = time.monotonic() - start
            if waited > PATIENCE_SECONDS:
                raise RuntimeError(f"run {run + 1}: not told within {PATIENCE_SECONDS} s by all: {seen}")
            # Coarser once it is a matter of many seconds, so that the question itself is no load.
            time.sleep(0.01 if waited < 4 else 0.1)
        return seen


class Failover(Scenario):
    """A replica of sessions is made master by the Sentinels."""

    name = "failover"
    fault, news = "`+switch-master`", "the alert at Alertmanager"
    p99_seconds = 0.5

    def __init__(self, check: Check, lab: Lab, sides: list[Side]):
        super().__init__(check, lab, sides)
        self.sentinels = [name for name in lab.ports() if name.startswith("sentinel")]
        self.heard = Announcements([lab.client(name, seconds=3600) for name in self.sentinels])

    def alert(self, side: Side, run: int) -> Labels:
        return {"alertname": "RedisFailover", "master_name": "sessions", "severity": "critical"} | self.of_peer(side, run)

    def lay(self, run: int) -> float:
        laid = time.monotonic()
        # Refused while a replica is not in step again.
        self.check.until(self.is_ordered, PATIENCE_SECONDS, "a Sentinel begins a failover", pause=0.5)
        return laid

    def is_ordered(self) -> bool:
        try:
            return self.lab.ask(self.sentinels[0], "SENTINEL", "FAILOVER", "sessions") == "OK"
        except ReplyError:
            return False

    def began(self, laid: float) -> float:
        return self.check.until(lambda: self.heard.first_after(laid), 20, "a Sentinel publishes +switch-master")

    def lift(self, run: int) -> None:
        self.check.until(lambda: len(self.heard.times) == len(self.sentinels) * (run + 1), 30, "every Sentinel has published")


class Kill(Scenario):
    """The master of queues, for which no Sentinel steps in, is killed."""

    name = "kill"
    fault, news = "kill -9 of a master", "`RedisDown` pending"
    p99_seconds = 3.0
    has_pages = False

    def alert(self, side: Side, run: int) -> Labels:
        return {"alertname": "RedisDown", "instance": "queues-1"} | self.of_peer(side, run)

    def lay(self, run: int) -> float:
        pid = self.lab.pid_of("queues-1")
        laid = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        return laid

    def has_told(self, side: Side, run: int) -> bool:
        return side.judges(self.alert(side, run), "pending")

    def is_over(self, side: Side, run: int) -> bool:
        return not side.judges({"alertname": "RedisDown", "instance": "queues-1"})

    def lift(self, run: int) -> None:
        self.lab.does("heal", "queues", seconds=90)


class Crowd(Scenario):
    """Clients take every connection of a node of the cache, and knock on."""

    name = "maxclients"
    fault, news = "maxclients exhausted", "the alert at Alertmanager"
    knock_seconds = 0.2

    def __init__(self, check: Check, lab: Lab, sides: list[Side]):
        super().__init__(check, lab, sides)
        self.nodes = [name for name in lab.ports() if name.startswith("cache")]
        for name in self.nodes:
            with lab.client(name) as client:
                info = client.info("clients")
                taken = int(info["connected_clients"]) + int(info["cluster_connections"])
                client("CONFIG", "SET", "maxclients", taken + ROOM)
        self.clients: list[Redis] = []
        self.knocking: threading.Thread | None = None
        self.is_lifted = threading.Event()

    def node(self, run: int) -> str:
        return self.nodes[run % len(self.nodes)]

    def alert(self, side: Side, run: int) -> Labels:
        return {"alertname": "RedisConnectionsRejected", "instance": self.node(run)} | self.of_peer(side, run)

    def lay(self, run: int) -> float:
        while True:
            moment = time.monotonic()
            if not self.knock(run):
                break
        self.is_lifted.clear()
        self.knocking = threading.Thread(target=self.go_on, args=(run,), daemon=True)
        self.knocking.start()
        return moment

    def knock(self, run: int) -> bool:
        """Whether the server took one more client."""
        client = self.lab.client(self.node(run))
        with contextlib.suppress(OSError, ReplyError):
            if client("PING") == "PONG":
                self.clients.append(client)
                return True
        client.close()
        return False

    def go_on(self, run: int) -> None:
        while not self.is_lifted.wait(self.knock_seconds):
            with contextlib.suppress(OSError):
                self.knock(run)

    def lift(self, run: int) -> None:
        self.is_lifted.set()
        self.knocking.join()
        for client in self.clients:
            client.close()
        self.clients = []


SCENARIOS = (Failover, Kill, Crowd)
