"""What the week is recorded from: the lab, the Redline that watches it, and a scrape every five seconds."""

import contextlib
import dataclasses
import datetime
import json
import os
import pathlib
import re
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator

from harness import exporters, http
from harness.check import Check, Failed
from harness.clock import Clock
from harness.lab import SERVERS, Lab
from harness.paths import tool
from harness.process import Process
from harness.resp import Redis, ReplyError
from harness.versions import USUAL, program
from measure import progress
from precision_layout import HOUR, SCRAPE_SECONDS, Stretch

SETTLE_SECONDS = 10
SAVE_SECONDS = 8
CALM_SECONDS = 20
# How many times as long it may be until it has so long a part without a slow probe, which would be repeated for hours.
CALM_TRIALS = 3
NEWER = "redis-7.4"
# The objective of latency of every kind of workload, an edge of the histogram of probes.
SLOW_SECONDS = 0.01


@dataclasses.dataclass(frozen=True)
class Part:
    """A stretch, its role in what it belongs to, and the name of that in the table; none of the quiet before and after."""

    role: str
    owner: str | None
    stretch: Stretch


@dataclasses.dataclass
class Recording:
    """When the page was taken, and what rules ask for of it."""

    times: list[float] = dataclasses.field(default_factory=list)
    pages: list[dict[str, float]] = dataclasses.field(default_factory=list)
    types: dict[str, str] = dataclasses.field(default_factory=dict)
    parts: list[Part] = dataclasses.field(default_factory=list)

    @property
    def series(self) -> list[str]:
        return sorted({name for page in self.pages for name in page})

    def quiet(self, stretch: Stretch) -> Stretch:
        """The longest part of a stretch in which no member has answered a probe later than its objective; where there is
        none, that between two scrapes in which the fewest were late."""
        inside = [index for index, moment in enumerate(self.times) if stretch.begin <= moment <= stretch.end]
        late = {index: self.late(index) for index in inside}
        runs: list[list[int]] = []
        for index in inside:
            if runs and late[index] <= late[runs[-1][-1]]:
                runs[-1].append(index)
            else:
                runs.append([index])
        best = max(runs, key=len, default=[])
        if len(best) < 2 < len(inside):
            best = min((list(pair) for pair in zip(inside, inside[1:])), key=lambda pair: late[pair[1]] - late[pair[0]])
        return Stretch(stretch.name, self.times[best[0]], self.times[best[-1]]) if len(best) > 1 else stretch

    def late(self, index: int) -> float:
        """How many probes of a page were slow so far."""
        edge = f'le="{SLOW_SECONDS:g}"'
        page = self.pages[index]
        return sum(page.get(series.replace(edge, 'le="+Inf"'), value) - value for series, value in page.items()
                   if series.startswith("redis_probe_duration_seconds_bucket{") and edge in series)

    def write(self, path: pathlib.Path) -> None:
        names = self.series
        path.write_text(json.dumps({
            "times": self.times, "types": self.types, "series": names,
            "parts": [(one.role, one.owner, one.stretch.name, one.stretch.begin, one.stretch.end) for one in self.parts],
            "pages": [[page.get(name) for name in names] for page in self.pages]}), encoding="utf-8")

    @classmethod
    def read(cls, path: pathlib.Path) -> "Recording":
        kept = json.loads(path.read_text(encoding="utf-8"))
        return cls(kept["times"], [{name: value for name, value in zip(kept["series"], page) if value is not None}
                                   for page in kept["pages"]], kept["types"],
                   [Part(role, owner, Stretch(*rest)) for role, owner, *rest in kept["parts"]])


class Recorder:
    """A scraper."""

    def __init__(self, port: int, wanted: set[str]):
        # Budgets sum up the recording's own hours and days: what is laid out has others, and no sum can be put right.
        self.port, self.wanted = port, {name for name in wanted if "_error_budget_" not in name}
        self.recording = Recording()
        self._end = threading.Event()
        self._paused = threading.Event()
        self._names: dict[str, str] = {}
        self._open: tuple[str, str | None, str, float] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.mark(None)
        self._end.set()
        self._thread.join(30)

    def mark(self, role: str | None, owner: str | None = None, name: str = "") -> None:
        """Ends the stretch that is on, and begins the next."""
        now = time.time()
        if self._open:
            role_of_last, owner_of_last, name_of_last, begin = self._open
            self.recording.parts.append(Part(role_of_last, owner_of_last, Stretch(name_of_last, begin, now)))
        self._open = None if role is None else (role, owner, name, now)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        self._paused.set()
        yield
        self._paused.clear()

    def _run(self) -> None:
        turn = time.time()
        while not self._end.wait(max(0.0, turn - time.time())):
            turn += SCRAPE_SECONDS
            if self._paused.is_set():
                continue
            with contextlib.suppress(OSError):
                answer = http.get(self.port, "/metrics", seconds=SCRAPE_SECONDS - 1)
                if answer.status == 200:
                    self._take(time.time(), answer.text)

    def _take(self, now: float, text: str) -> None:
        page: dict[str, float] = {}
        for line in text.splitlines():
            if line[0] == "#":
                if line.startswith("# TYPE "):
                    _, _, family, kind = line.split(" ")
                    self.recording.types[family] = kind
                continue
            series, _, value = line.rpartition(" ")
            if series.partition("{")[0] in self.wanted:
                page[self._names.setdefault(series, series)] = float(value)
        self.recording.times.append(now)
        self.recording.pages.append(page)


class Site:
    """The lab, its clocks and its Redline: what events are made with."""

    def __init__(self, check: Check, wanted: Iterable[str]):
        self.check = check
        self.folder = check.folder
        self.server_clock = Clock(Check(self._folder("servers")))
        self.own_clock = Clock(Check(self._folder("own")))
        self.use_server(USUAL)
        self.lab = Lab(check)
        self.lab.up()
        self.watched = pathlib.Path(self.lab.does("config").strip()).read_text(encoding="utf-8")
        self.config = check.file("redline.yml", self.watched)
        self.redline = exporters.redline(
            check, None, f"--config.file={self.config}", f"--storage.path={check.folder}/redline.db",
            environment=self.own_clock.environment)
        self.recorder = Recorder(self.redline.port, set(wanted))
        check.until(lambda: self.up() == SERVERS, 60, "all members are watched")

    def _folder(self, name: str) -> pathlib.Path:
        (self.folder / name).mkdir()
        return self.folder / name

    def up(self) -> int:
        return sum(value == 1 for value in self.redline.page().named("redis_up").values())

    def use_server(self, server: str) -> None:
        """What servers are started with from now on, on a clock of theirs."""
        words = " ".join(f"{name}={value}" for name, value in self.server_clock.environment.items())
        path = self.check.file(f"server-{server}", f'#!/bin/sh\nexec env {words} {program(server)} "$@"\n')
        path.chmod(0o755)
        os.environ["LAB_REDIS_SERVER"] = str(path)

    def nodes(self, workload: str) -> list[str]:
        return [name for name in self.lab.ports() if name.rpartition("-")[0] == workload]

    def of_role(self, workload: str, role: str) -> list[str]:
        """Its members that say so of themselves."""
        found = []
        for name in self.nodes(workload):
            with contextlib.suppress(OSError, ReplyError):
                if self.lab.ask(name, "ROLE")[0].decode() == role:
                    found.append(name)
        return found

    def masters(self, workload: str) -> list[str]:
        return self.of_role(workload, "master")

    def replicas(self, workload: str) -> list[str]:
        return self.of_role(workload, "slave")

    def lay(self, *words: str) -> None:
        self.lab.does(*words, seconds=120)

    def await_above(self, family: str, limit: float) -> None:
        """Until the page shows it. What lasts is laid out again and again as it was recorded: not as it began."""
        self.check.until(lambda: max(self.redline.page().named(family).values(), default=0) > limit, 150,
                         f"{family} is above {limit:g}")

    def set(self, node: str, key: str, value) -> None:
        """As it should be done: a restart keeps it."""
        with self.lab.client(node) as client:
            client("CONFIG", "SET", key, value)
            client("CONFIG", "REWRITE")

    def configure(self, text: str) -> None:
        self.config.write_text(text, encoding="utf-8")
        self.redline.get("/-/reload")

    @contextlib.contextmanager
    def maintenance(self, workload: str) -> Iterator[None]:
        """A window around now."""
        now = datetime.datetime.now(datetime.timezone.utc)
        window = "/".join((now + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ") for minutes in (-1, 60))
        line = f"  - name: {workload}\n"
        self.configure(self.watched.replace(line, f'{line}    maintenance: ["{window}"]\n'))
        time.sleep(SCRAPE_SECONDS + 1)
        yield
        self.configure(self.watched)

    def restart_redline(self) -> None:
        self.redline.stop()
        Process.__init__(self.redline, self.check, self.redline.name, self.redline.arguments, self.own_clock.environment)

    def dump(self, node: str) -> None:
        """A backup over the network, as a replica would take the data."""
        environment = os.environ | {"REDISCLI_AUTH": self.lab.password()} if node.startswith("sessions") else os.environ
        told = subprocess.run([tool("redis-cli"), "-p", str(self.lab.ports()[node]), "--rdb", str(self.folder / "dump.rdb")],
                              capture_output=True, text=True, timeout=60, env=environment)
        if told.returncode != 0:
            raise Failed(f"redis-cli --rdb of {node}: {told.stdout}{told.stderr}")

    def pipeline(self, node: str, commands: list[tuple], seconds: float = 30) -> None:
        with self.lab.client(node, seconds) as client:
            for start in range(0, len(commands), 500):
                batch = commands[start:start + 500]
                client.socket.sendall(b"".join(map(encoded, batch)))
                for _ in batch:
                    client._element()

    @contextlib.contextmanager
    def crowd(self, node: str, count: int) -> Iterator[list[Redis]]:
        """Clients that stay connected."""
        clients: list[Redis] = []
        try:
            for _ in range(count):
                with contextlib.suppress(OSError, ReplyError):
                    clients.append(self.lab.client(node))
            yield clients
        finally:
            for client in clients:
                client.close()

    def record_save(self, role: str, owner: str | None) -> None:
        """The hourly dump of the sessions, which the layout repeats."""
        self.recorder.mark(role, owner, "the hourly dump")
        # Times of dumps are in whole seconds: that of this one lies within the stretch.
        time.sleep(1)
        for node in self.nodes("sessions"):
            with contextlib.suppress(OSError, ReplyError):
                self.lab.ask(node, "BGSAVE")
        time.sleep(SAVE_SECONDS - 1)

    # How an event is recorded

    def record_calm(self, name: str) -> None:
        self.recorder.mark("settle", None, f"after {name}")
        time.sleep(SETTLE_SECONDS)
        self.record_save("save", None)
        self.recorder.mark("calm", None, f"quiet after {name}")
        began = time.time()
        for _ in range(CALM_TRIALS):
            time.sleep(CALM_SECONDS)
            if self.recorder.recording.quiet(Stretch("", began, time.time())).seconds >= CALM_SECONDS - 1.5 * SCRAPE_SECONDS:
                return
        progress(f"  the machine is busy: probes were slow in the quiet after {name}")

    def forget(self, happening) -> None:
        self.recorder.mark(None)
        self.recorder.recording.parts[:] = [part for part in self.recorder.recording.parts if part.owner != happening.name]
        self.lay("heal")
        time.sleep(SETTLE_SECONDS)

    def record(self, happening) -> None:
        progress(f"{time.strftime('%H:%M:%S')}  {happening.text}")
        self.recorder.mark("begin", happening.name, happening.text)
        played = happening.play(self)
        next(played)
        if happening.holds_minutes:
            time.sleep(SCRAPE_SECONDS + 1)
            if happening.holds_minutes * 60 > HOUR:
                self.record_save("hold-save", happening.name)
            self.recorder.mark("hold", happening.name, happening.text)
            time.sleep(happening.held_seconds)
        self.recorder.mark("end", happening.name, happening.text)
        if next(played, "over") != "over":
            raise Failed(f"{happening.text}: one yield, not two")
        if happening.is_fault:
            self.lay("heal")
        self.record_calm(happening.text)


def encoded(words: tuple) -> bytes:
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def words_of_rules(files: Iterable[pathlib.Path]) -> set[str]:
    """Everything in the expressions of rule files that may be the name of a series."""
    texts = (re.sub(r"^ +annotations:\n(?: {6,}.*\n)+", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
             for file in files)
    return {word for text in texts for word in re.findall(r"[a-zA-Z_:][\w:]*", text)}
