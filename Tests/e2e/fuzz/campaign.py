"""One daemon with all that it can do switched on, odd servers around it, and its pages asked for all the while."""

import asyncio
import concurrent.futures
import contextlib
import dataclasses
import json
import pathlib
import random
import re
import shutil
import signal
import time
import traceback

from harness.check import Check, Failed
from harness.exporters import Exporter
from harness.fake_alertmanager import FakeAlertmanager
from harness.paths import ROOT

from . import cast, pages
from .judge import Judge
from .servers import Said, Server, Servers

FLAGS = ("--web.max-age=0s", "--include-config-metrics", "--include-modules-metrics", "--include-system-metrics",
         "--include-rdb-file-size-metric", "--include-sentinel-peer-info", "--export-client-list", "--export-client-port",
         "--export-client-aggregates", "--ping-on-connect", "--web.enable-openmetrics",
         "--log-level=ERROR")
MEBIBYTE = 1 << 20
RSS_LIMIT_BYTES = 512 * MEBIBYTE
# Pages that are asked for at once, each by a process of its own.
READERS = 2
PAGE_SECONDS = 10.0
END_SECONDS = 30.0
# Single numbers that must leave all else alone: of all, and of those in each command that has had so many.
KEPT_SHARE = 0.9
ENOUGH = 40
# A server that is not polled for so long stands still: a breaker pauses 8 s at most.
SILENCE_SECONDS = 20.0


@dataclasses.dataclass
class Limits:
    """How many replies are enough, in how many seconds they must have been asked for, and what ends it before.

    `slowness` is how many times longer everything may take; a sanitizer makes the daemon several times slower, and larger.
    """

    replies: int
    seconds: float
    slowness: float = 1.0
    rss_bytes: int | None = RSS_LIMIT_BYTES
    complaints: int = 1

    @property
    def page_seconds(self) -> float:
        return PAGE_SECONDS * self.slowness


@dataclasses.dataclass
class Outcome:
    seconds: float = 0
    replies: int = 0
    mutated: int = 0
    pages: int = 0
    slowest_page: float = 0
    peak_rss: int = 0
    posts: int = 0
    judge: Judge | None = None
    complaints: list[str] = dataclasses.field(default_factory=list)
    # What was said last, the newest first, when the daemon ended by itself.
    suspects: list[Said] = dataclasses.field(default_factory=list)
    by_command: dict[str, int] = dataclasses.field(default_factory=dict)

    def summary(self) -> str:
        return (f"{self.replies} replies ({self.mutated} odd) in {self.seconds:.0f} s, "
                f"{self.replies / max(self.seconds, 1):.0f} a second; {self.pages} pages, the slowest {self.slowest_page:.2f} s; "
                f"{self.peak_rss / MEBIBYTE:.0f} MiB at most; {self.posts} requests to the Alertmanager; "
                f"{100 * self.judge.share:.2f} % of {self.judge.total} single numbers left all else alone")


def parts_of(check: Check) -> list[list[cast.Part]]:
    """The servers, by workload."""
    ports = iter(check.free_port, None)
    found = []
    for folder in cast.kinds():
        for make in (cast.pair, cast.queue, cast.cluster):
            found += [make(folder, ports, False), make(folder, ports, True)]
    for folder in sorted(cast.TOPOLOGIES.iterdir()):
        kind = next(one for one in cast.kinds() if one.name == folder.name)
        for is_wild in (False, True):
            servers = cast.pair(kind, ports, is_wild)
            found.append(servers + cast.sentinels(folder, servers, ports, is_wild))
    return found


def workload(number: int, parts: list[cast.Part]) -> str:
    """The lines of redline.yml for one of them."""
    role = parts[-1].role
    seeds = ", ".join(f'"{part.address}"' for part in parts if role != "sentinel" or part.role == "sentinel")
    kind = {"master": "session", "replica": "session", "queue": "queue", "cluster node": "cache", "sentinel": "session"}[role]
    replication = f"topology: replication, seeds: [{seeds}]"
    how = {"master": replication, "replica": replication, "queue": f"topology: static, seeds: [{seeds}]",
           "cluster node": f"topology: cluster, seeds: [{seeds}]",
           "sentinel": f"topology: sentinel, sentinel: {{master_name: mymaster, seeds: [{seeds}]}}"}[role]
    return f"  - {{name: w{number}, kind: {kind}, {how}}}"


def configuration(workloads: list[list[cast.Part]], alertmanager: str, slowness: float) -> str:
    settings = (f"poll_interval: {100 * slowness:.0f}ms, timeout: {1000 * slowness:.0f}ms, "
                "watches: {interval: 1s, streams: {enabled: true, consumers: true}}")
    lines = [workload(number, parts)[:-1] + f", {settings}}}" for number, parts in enumerate(workloads)]
    return "\n".join(["workloads:", *lines, f"rules: {{files: ['{ROOT}/alerts/*.yml'], interval: 3s, scrape_interval: 2s}}",
                      "history: {retention: 1m, memory_mb: 64}",
                      f"alerting: {{alertmanagers: [{{url: '{alertmanager}'}}], resend_delay: 5s}}", ""])


def daemon(check: Check, program: str, workloads: list[list[cast.Part]], alertmanager: str, slowness: float) -> Exporter:
    config = check.file("redline.yml", configuration(workloads, alertmanager, slowness))
    return Exporter(check, "redline", program, None,
                    (f"--config.file={config}", f"--storage.path={check.folder}/redline.db", *FLAGS), backtraces(), None, False)


def backtraces() -> dict[str, str]:
    """What has a crash tell where it was; a program without the compiler beside it says nothing by itself."""
    swift = shutil.which("swift")
    teller = pathlib.Path(swift).resolve().parents[1] / "libexec/swift/linux/swift-backtrace-static" if swift else None
    if teller is None or not teller.exists():
        return {}
    return {"SWIFT_BACKTRACE": f"enable=yes,color=no,threads=crashed,limit=16,interactive=no,swift-backtrace={teller}"}


class Campaign:
    def __init__(self, check: Check, program: str, seed: int, limits: Limits, progress=None):
        self.check, self.program, self.seed, self.limits = check, program, seed, limits
        self.progress = progress or (lambda text: None)
        self.servers = Servers(seed)
        self.outcome = Outcome()
        self.over = asyncio.Event()

    def complain(self, text: str) -> None:
        self.outcome.complaints.append(text)
        if len(self.outcome.complaints) >= self.limits.complaints or self.redline.child.poll() is not None:
            self.over.set()

    async def run(self) -> Outcome:
        self.workloads = workloads = parts_of(self.check)
        await self.servers.start([part for parts in workloads for part in parts])
        alertmanager = FakeAlertmanager(self.check)
        self.redline = daemon(self.check, self.program, workloads, alertmanager.url, self.limits.slowness)
        self.outcome.judge = judge = Judge(self.redline.port, self.limits.page_seconds)
        began = time.monotonic()
        with concurrent.futures.ProcessPoolExecutor(READERS) as readers:
            await self.listening()
            tasks = [asyncio.create_task(self.held(each)) for each in (
                self.watch(began), self.posts(alertmanager), *(self.read(readers, number) for number in range(READERS)),
                *(self.judged(judge, server) for server in self.servers.all if not server.part.is_wild))]
            await self.over.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.outcome.seconds = time.monotonic() - began
            await asyncio.to_thread(self.end)
        self.outcome.replies, self.outcome.mutated = self.servers.replies, self.servers.mutated
        self.outcome.by_command = dict(self.servers.by_command)
        self.servers.close()
        return self.outcome

    def ended(self, code: int) -> None:
        self.outcome.suspects = list(reversed(self.servers.said))
        self.complain(f"the daemon ended with {code}: {last_words(self.redline.output())}")

    async def held(self, task) -> None:
        """A part of the run that fails fails the run."""
        try:
            await task
        except Exception:  # noqa: BLE001 - whatever it is, nobody would look any more
            self.complain(traceback.format_exc())
            self.over.set()

    def end(self) -> None:
        """It ends in order, and has had nothing to say that a sanitizer would."""
        if self.redline.child.poll() is None:
            self.redline.signal(signal.SIGTERM)
            try:
                code = self.redline.wait(END_SECONDS * self.limits.slowness)
                # A crash that is still being written down is seen as a page that does not come.
                if code < 0:
                    self.ended(code)
                elif code:
                    self.complain(f"it ended with {code} when it was asked to end")
            except Failed as error:
                self.complain(str(error))
        for report in re.findall(r"^.*(?:WARNING|ERROR): \w*Sanitizer.*$", self.redline.output(), re.MULTILINE):
            self.complain(report)
        judge = self.outcome.judge
        shares = {"all commands": (judge.kept.total(), judge.total)} | {
            command: (judge.kept[command], judge.kept[command] + judge.lost[command]) for command in judge.lost}
        for name, (kept, total) in shares.items():
            if total >= ENOUGH and kept < KEPT_SHARE * total:
                self.complain(f"{name}: {kept} of {total} single numbers left all else alone")

    async def listening(self) -> None:
        deadline = time.monotonic() + 6 * self.limits.page_seconds
        while True:
            try:
                if self.redline._listens():
                    return
            except OSError:
                if time.monotonic() > deadline:
                    raise Failed("the daemon does not listen") from None
            await asyncio.sleep(0.1)

    async def watch(self, began: float) -> None:
        """The daemon lives, is healthy and small, and asks every server."""
        counts: dict[object, tuple[int, float]] = {}
        told = began
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            if (code := self.redline.child.poll()) is not None:
                self.ended(code)
                return
            # It may end right now, and is asked again then.
            with contextlib.suppress(OSError, KeyError):
                self.outcome.peak_rss = max(self.outcome.peak_rss, self.redline.rss_bytes())
            if self.limits.rss_bytes and self.outcome.peak_rss > self.limits.rss_bytes:
                self.complain(f"resident memory is {self.outcome.peak_rss / MEBIBYTE:.0f} MiB")
            for server in self.servers.all:
                seen = counts.get(server)
                if seen is None or seen[0] != server.answered:
                    counts[server] = (server.answered, now)
                elif now - seen[1] > SILENCE_SECONDS + self.limits.page_seconds and not server.part.is_wild:
                    self.complain(f"{server.part.name} ({server.part.address}) is polled no more: {server.held}")
            if now - told > 10:
                told = now
                judge = self.outcome.judge
                self.progress(f"{now - began:.0f} s: {self.servers.replies} replies, {self.outcome.pages} pages, "
                              f"{self.outcome.peak_rss / MEBIBYTE:.0f} MiB, {judge.kept.total()} of {judge.total} single "
                              "numbers left all else alone")
            if self.servers.replies >= self.limits.replies:
                self.over.set()
            elif now - began > self.limits.seconds:
                self.complain(f"{self.servers.replies} replies in {self.limits.seconds:.0f} s, not {self.limits.replies}")
                self.over.set()

    async def read(self, readers, number: int) -> None:
        """One page after another, and /-/healthy in between."""
        addresses = [server.part.address for server in self.servers.all]
        loop = asyncio.get_running_loop()
        # The daemon's own limits do not grow with the slowness of a sanitizer.
        healthy = ("/-/healthy", {}, str, (200,) if self.limits.slowness == 1 else (200, 503))
        for request in pages.requests(random.Random(f"{self.seed} pages {number}"), addresses):
            for each in (request, healthy):
                seconds, complaint = await loop.run_in_executor(
                    readers, pages.ask, self.redline.port, *each, self.limits.page_seconds)
                self.outcome.pages += 1
                self.outcome.slowest_page = max(self.outcome.slowest_page, seconds)
                # Whether it has ended during an answer is for `watch` to say.
                if complaint and self.redline.child.poll() is None:
                    await asyncio.sleep(0.5)
                    if self.redline.child.poll() is None:
                        self.complain(complaint)

    async def posts(self, alertmanager: FakeAlertmanager) -> None:
        """What the Alertmanager is sent is JSON."""
        while True:
            await asyncio.sleep(1)
            with alertmanager.writing:
                posts = list(alertmanager.posts)
                for each in (alertmanager.posts, alertmanager.times, alertmanager.headers, alertmanager.paths):
                    each.clear()
            self.outcome.posts += len(posts)
            try:
                for post in posts:
                    json.loads(post, parse_constant=pages.no_constant)
            except (Failed, ValueError) as error:
                self.complain(f"an alert is no JSON: {error}")

    async def judged(self, judge: Judge, server: Server) -> None:
        while True:
            try:
                await judge.run(server)
            except OSError as error:
                await asyncio.sleep(0.5)
                if self.redline.child.poll() is None:
                    self.complain(f"/scrape?target={server.part.address}: {error!r}")


def last_words(text: str) -> str:
    """The reason of a crash and the frames that are ours."""
    reason = re.search(r"Fatal error[^\n]*|[^\n]*[Cc]rash[^\n]*|[^\n]*Sanitizer[^\n]*", text)
    frames = re.findall(r"[^\n]*(?:Swift runtime failure|at /[^\n]*Sources/|Sources/)[^\n]*", text)
    return "\n    ".join([reason[0] if reason else text[-600:], *(frame.strip()[:200] for frame in frames[:8])])
