"""Redline for a while on the lab, with a fault every minute: what it takes stays flat, and healthy nodes miss no poll.

    Tests/bench/run --soak [--minutes N] [--binary FILE]

It has storage, all rules, an Alertmanager, and clients that scrape, query and look at pages. First every fault is brought
and healed once, since each makes servers carry out commands that have had no series before. Then each minute brings the
next fault of the list, which is healed half a minute later. Prints progress on standard error and a Markdown table on standard
output; exits 1 when something is not as it should be: memory, descriptors or threads that grow, a healthy member without
a fresh poll, an error in the log that no fault explains, or work that was dropped.
"""

import argparse
import dataclasses
import datetime
import json
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from harness import exporters, http  # noqa: E402
from harness.check import Check, Failed  # noqa: E402
from harness.exposition import Page  # noqa: E402
from harness.lab import Lab  # noqa: E402
from harness.monitoring import Alertmanager, Receiver  # noqa: E402
from harness.paths import ROOT  # noqa: E402
from harness.process import Process  # noqa: E402
from measure import cpu_seconds, progress, quantile, table, verdict  # noqa: E402

POLL_SECONDS = 5
SAMPLE_SECONDS = 5
FAULT_SECONDS = 60
HEAL_AFTER_SECONDS = 30
# So long after it was healed a member may still be on its way back: a breaker tries again within this time.
AFTERMATH_SECONDS = 20
# The jitter of a turn is a tenth; the rest is for a machine that does other things as well.
FRESH_SECONDS = POLL_SECONDS * 1.1 + 1
MEMBERS = 15
MEGABYTE = 1 << 20
WORKLOADS = {"cache": 6, "sessions": 3, "queues": 3}


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is done to the lab. `touched` are the names of the nodes that it is done to."""

    text: str
    commands: tuple[tuple[str, ...], ...]
    touched: frozenset[str]


@dataclasses.dataclass
class Window:
    """When a fault was on. It ends when all is well again, and for a while nothing is said of the nodes it touched."""

    fault: Fault
    began: float
    ended: float | None = None

    def covers(self, moment: float) -> bool:
        return self.began <= moment <= (self.ended or moment) + AFTERMATH_SECONDS


@dataclasses.dataclass(frozen=True)
class Sample:
    seconds: float
    anonymous: int
    held: float
    series: int
    descriptors: int
    threads: int


def whole(workload: str) -> frozenset[str]:
    return frozenset(f"{workload}-{index}" for index in range(1, WORKLOADS[workload] + 1))


class Site:
    """The lab and the Redline that watches it, with all that a production has around it."""

    def __init__(self, check: Check, program: str | None):
        self.check = check
        self.lab = Lab(check)
        self.lab.up()
        self.receiver = Receiver(check)
        shipped = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
        alertmanager = Alertmanager(check, re.sub(r"http://localhost:500[12]/", self.receiver.url, shipped))
        watched = pathlib.Path(self.lab.does("config").strip()).read_text()
        config = check.file("redline.yml", watched + "\n".join([
            f"rules: {{ files: ['{ROOT}/alerts/*.yml'] }}", "history: { retention: 5m }",
            f"alerting: {{ alertmanagers: [{{ url: 'http://{alertmanager.address}' }}] }}", ""]))
        flags = ("--log-format=json", f"--config.file={config}", f"--storage.path={check.folder}/redline.db")
        if program is None:
            self.redline = exporters.redline(check, None, *flags)
        else:
            self.redline = exporters.Exporter(check, "redline", program, None, flags, None, None, True)
        check.until(lambda: list(self.by_name(self.page(), "redis_up").values()) == [1] * MEMBERS, 60,
                    "all members are watched")

    def page(self) -> Page:
        return self.redline.page(seconds=20)

    def name_of(self, address: str) -> str:
        """What the lab calls a node; Sentinels have no alias in the configuration."""
        return next((name for name, port in self.lab.ports().items() if address == f"127.0.0.1:{port}"), address)

    def by_name(self, page: Page, family: str) -> dict[str, float]:
        return {self.name_of(labels["instance"]): value for labels, value in values(page, family)}

    def role(self, node: str) -> str:
        return self.lab.ask(node, "ROLE")[0].decode()

    def of_role(self, workload: str, role: str) -> str:
        """The name of a running member with that role."""
        return next(name for name in sorted(whole(workload)) if self.role(name) == role)

    def faults(self) -> list[Fault]:
        """In this order, again and again; who is master is found out anew each time."""
        def of(text: str, *commands: tuple[str, ...], touched: frozenset[str] | set[str] = frozenset()) -> Fault:
            return Fault(text, commands, frozenset(touched))

        def one(text: str, command: str, workload: str, role: str) -> Fault:
            node = self.of_role(workload, role)
            # Sentinels cut the connections of every member that they turn to another master.
            touched = whole(workload) if (workload, role) == ("sessions", "master") else {node}
            return of(f"{text} ({node})", (command, node), touched=touched)

        makers = [
            lambda: one("a killed replica", "kill", "sessions", "slave"),
            lambda: one("a hung replica", "hang", "cache", "slave"),
            lambda: of("a planned failover of the queues", ("failover", "queues"), touched=whole("queues")),
            lambda: one("a killed master under Sentinel", "kill", "sessions", "master"),
            lambda: of("consumers that stop", ("lag", "queues")),
            lambda: one("a restarted replica", "restart", "queues", "slave"),
            lambda: of("a planned failover of a shard", ("failover", "cache"), touched=whole("cache")),
            lambda: of("a full cache", ("fill", "cache")),
            lambda: of("a hung Sentinel", ("hang", "sentinel-1"), touched={"sentinel-1"}),
            lambda: of("a lock without a TTL and an open circuit", ("deadlock",), ("circuit",)),
            lambda: one("a killed master of a shard", "kill", "cache", "master"),
            lambda: of("a flushed cache", ("flush", "cache")),
            lambda: one("an empty server at a replica's address", "replace", "queues", "slave"),
            lambda: one("a replica that loads for ten seconds", "load", "sessions", "slave"),
            lambda: of("a planned failover under Sentinel", ("failover", "sessions"), touched=whole("sessions")),
        ]
        return makers


def values(page: Page, name: str) -> list[tuple[dict[str, str], float]]:
    family = page.families.get(name)
    return [(dict(labels), value) for (_, labels), value in family.series.items()] if family else []


def total(page: Page, name: str) -> float:
    return sum(value for _, value in values(page, name))


class Clients:
    """A Prometheus that scrapes, a Grafana that queries, and somebody who looks at the pages."""

    QUERIES = ("sum by (workload) (rate(redis_commands_processed_total[1m]))", "redis_up",
               "histogram_quantile(0.99, sum by (workload, le) (rate(redis_probe_duration_seconds_bucket[1m])))")

    def __init__(self, port: int):
        self.port = port
        self.asked = 0
        self.complaints: list[str] = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._repeat, args=(seconds, action), daemon=True)
                         for seconds, action in ((5, self._scrape), (10, self._query), (15, self._look))]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(30)

    def _repeat(self, seconds: float, action) -> None:
        while not self._end.wait(seconds):
            action()

    def _get(self, path: str, **headers: str) -> None:
        try:
            answer = http.get(self.port, path, headers=headers, seconds=15)
            if answer.status != 200:
                self.complaints.append(f"{path}: {answer.status}")
        except OSError as error:
            self.complaints.append(f"{path}: {error}")
        self.asked += 1

    def _scrape(self) -> None:
        self._get("/metrics", **{"Accept-Encoding": "gzip"})

    def _query(self) -> None:
        now = time.time()
        for query in self.QUERIES:
            self._get("/api/v1/query_range?" + urllib.parse.urlencode(
                {"query": query, "start": now - 240, "end": now, "step": 5}))

    def _look(self) -> None:
        for path in ("/", "/alerts", "/events", "/api/v1/rules"):
            self._get(path)


def threads_of(process: Process) -> int:
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"^Threads:\s+(\d+)", status, re.MULTILINE)[1])


class Soak:
    def __init__(self, site: Site, minutes: float):
        self.site = site
        self.seconds = minutes * 60
        self.windows: list[Window] = []
        self.samples: list[Sample] = []
        self.missed: list[str] = []
        self.failed: list[str] = []

    def warm_up(self) -> None:
        for maker in self.site.faults():
            for command in maker().commands:
                self.site.lab.does(*command, seconds=90)
            self.site.lab.does("heal", seconds=90)
        time.sleep(AFTERMATH_SECONDS)

    def run(self) -> None:
        self.began = began = time.time()
        faults = threading.Thread(target=self._bring_faults, args=(began,), daemon=True)
        faults.start()
        while (now := time.time()) < began + self.seconds or faults.is_alive():
            self._take(now)
            time.sleep(max(0.0, SAMPLE_SECONDS - (time.time() - now)))
        faults.join()
        self.resident = self.site.redline.rss_bytes()

    def _bring_faults(self, began: float) -> None:
        makers = self.site.faults()
        index = 0
        while time.time() + FAULT_SECONDS <= began + self.seconds + 1:
            turn = time.time()
            fault = makers[index % len(makers)]()
            window = Window(fault, turn)
            self.windows.append(window)
            progress(f"{turn - began:5.0f} s  {fault.text}")
            try:
                for command in fault.commands:
                    self.site.lab.does(*command, seconds=90)
                time.sleep(max(0.0, HEAL_AFTER_SECONDS - (time.time() - turn)))
                self.site.lab.does("heal", seconds=90)
            except Failed as error:
                self.failed.append(f"{fault.text}: {error}")
            window.ended = time.time()
            index += 1
            time.sleep(max(0.0, FAULT_SECONDS - (time.time() - turn)))

    def _touched(self, moment: float) -> set[str]:
        return {name for window in self.windows if window.covers(moment) for name in window.fault.touched}

    def _take(self, now: float) -> None:
        redline = self.site.redline
        before = self._touched(now)
        text = redline.get(seconds=20).text
        answered = time.time()
        excused = before | self._touched(answered)
        page = Page(text)
        up = self.site.by_name(page, "redis_up")
        newest = self.site.by_name(page, "redis_exporter_last_success_timestamp_seconds")
        for name in sorted(self.site.lab.ports().keys() - excused):
            if up.get(name) != 1:
                self.missed.append(f"{name} is not up at {now:.0f}")
            elif answered - newest.get(name, 0) > FRESH_SECONDS:
                self.missed.append(f"{name} was polled {answered - newest.get(name, 0):.1f} s ago at {now:.0f}")
        self.samples.append(Sample(
            now, redline.anonymous_bytes(), total(page, "redis_exporter_history_bytes"), len(page.family_of),
            redline.descriptors(), threads_of(redline)))
        self.last = page

    # What it was like

    def unexplained(self) -> tuple[int, list[str]]:
        """How many errors the log has, and those that no fault explains: the node's name must be one that was touched."""
        entries = [json.loads(line) for line in self.site.redline.output().splitlines() if '"error"' in line]
        errors = [entry for entry in entries
                  if entry.get("level", "").lower() == "error" and moment_of(entry) >= self.began]
        names = {f"127.0.0.1:{port}": name for name, port in self.site.lab.ports().items()}
        found = []
        for entry in errors:
            text = json.dumps(entry)
            about = {name for address, name in names.items() if address in text or f'"{name}"' in text}
            if not about or not about <= self._touched(moment_of(entry)):
                found.append(text)
        return len(errors), found


def moment_of(entry: dict) -> float:
    """Seconds since 1970 of a line of the log."""
    return datetime.datetime.fromisoformat(entry["time"]).timestamp()


def flat(samples: list[Sample], quantity, tolerance: float) -> tuple[str, bool]:
    """Means of the first and the last quarter of the time."""
    quarter = max(1, len(samples) // 4)
    first = statistics.fmean(quantity(one) for one in samples[:quarter])
    last = statistics.fmean(quantity(one) for one in samples[-quarter:])
    greatest = max(quantity(one) for one in samples)
    return f"{first:.1f} to {last:.1f}, at most {greatest:.1f}", last - first <= tolerance


def judged(soak: Soak, clients: Clients, cpu_share: float) -> list[list[str]]:
    samples, page = soak.samples, soak.last
    usual = statistics.fmean(one.anonymous for one in samples) / MEGABYTE
    rows = []

    def row(name: str, value: str, target: str, met: bool | None) -> None:
        rows.append([name, value, target, verdict(met)])

    row("faults", f"{len(soak.windows)} in {soak.seconds / 60:g} minutes, {len(soak.failed)} that went wrong", "0 wrong",
        not soak.failed)
    text, met = flat(samples, lambda one: (one.anonymous - one.held) / MEGABYTE, max(4.0, 0.1 * usual))
    row("memory without kept samples, MiB", text, "flat: at most 10 % or 4 MiB more", met)
    row("kept samples, MiB", flat(samples, lambda one: one.held / MEGABYTE, 0)[0], "", None)
    row("resident memory at the end, MiB", f"{soak.resident / MEGABYTE:.1f}, the program's own pages included", "", None)
    row("series on the page", flat(samples, lambda one: one.series, 0)[0], "", None)
    text, met = flat(samples, lambda one: one.descriptors, 3)
    row("descriptors", text, "flat: at most 3 more", met)
    text, met = flat(samples, lambda one: one.threads, 0.5)
    row("threads", text, "flat", met)
    row("CPU of a core", f"{cpu_share:.1%}", "", None)
    row("missed polls of healthy nodes", f"{len(soak.missed)} in {len(samples)} looks at {MEMBERS} nodes", "0",
        not soak.missed)
    lateness: dict[float, float] = {}
    for (name, labels), value in page.families["redis_exporter_poll_lateness_seconds"].series.items():
        if name.endswith("_bucket"):
            edge = float(dict(labels)["le"])
            lateness[edge] = lateness.get(edge, 0) + value
    row("poll lateness p99", f"{quantile(0.99, lateness) * 1e3:.1f} ms", "", None)
    count, unexplained = soak.unexplained()
    row("errors in the log", f"{count}, {len(unexplained)} unexplained", "0 unexplained", not unexplained)
    row("requests that failed", f"{len(clients.complaints)} of {clients.asked}", "0", not clients.complaints)
    for name, what in (("redis_exporter_rule_evaluation_failures_total", "failed evaluations of rules"),
                       ("redis_exporter_rule_group_iterations_missed_total", "missed turns of rule groups"),
                       ("redis_exporter_notifications_dropped_total", "dropped notifications"),
                       ("redis_exporter_storage_dropped_events_total", "events that were not stored"),
                       ("redis_exporter_history_refused_samples_total", "refused samples")):
        row(what, f"{total(page, name):g}", "0", total(page, name) == 0)
    row("notifications", f"{total(page, 'redis_exporter_notifications_sent_total'):g} alerts sent, "
        f"{len(soak.site.receiver.notifications)} pages", "some", bool(soak.site.receiver.notifications))
    for line in (soak.failed + soak.missed + unexplained + clients.complaints)[:60]:
        progress(f"  {line}")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--binary", help="this program instead of the release build")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-soak."))
    check = Check(folder)
    try:
        with check.closing:
            site = Site(check, options.binary)
            clients = Clients(site.redline.port)
            soak = Soak(site, options.minutes)
            soak.warm_up()
            began, used = time.monotonic(), cpu_seconds(site.redline.pid)
            soak.run()
            share = (cpu_seconds(site.redline.pid) - used) / (time.monotonic() - began)
            clients.stop()
            rows = judged(soak, clients, share)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(table([f"soak of {options.minutes:g} minutes", "redline", "target", "met"], rows))
    return 1 if any("no" in row[3] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
