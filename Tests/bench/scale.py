"""Redline with a thousand nodes, as one simulator plays them.

    Tests/bench/run --scale [--nodes N] [--seconds N] [--variant NAME]... [--brief]

Every node answers with the captured replies of a Redis 7.4, is polled every 5 s and probed every second, without TLS.
Prints progress on standard error and a Markdown table on standard output.
"""

import argparse
import contextlib
import dataclasses
import ipaddress
import math
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from harness import exporters, http  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.paths import REDLINE, ROOT  # noqa: E402
from harness.process import Process, rollup_bytes  # noqa: E402
from measure import cpu_seconds, progress, quantile, table, verdict  # noqa: E402

REPLIES = ROOT / "Tests" / "FleetTests" / "Fixtures" / "servers" / "redis-7.4.1"
FIRST = "127.77.0.1"
POLL_SECONDS = 5
SCRAPE_SECONDS = 15
HUNG_SHARE = 0.3
# Flags by variant. The first is what the targets are for: a fleet with some 480 series a node.
VARIANTS = {"lean": ["--exclude-latency-histogram-metrics"], "full": []}
GZIP = {"Accept-Encoding": "gzip"}
IDENTITY = {"Accept-Encoding": "identity"}


class Nodes:
    """The simulated servers; the first `hung` of them can be made to fall silent."""

    def __init__(self, check: Check, count: int):
        compiler = next(filter(None, map(shutil.which, ("gcc", "cc", "clang"))))
        program = check.folder / "simulator"
        if not program.exists():
            subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-o", program, HERE / "simulator.c"], check=True)
        self.count, self.hung, self.port = count, int(count * HUNG_SHARE), check.free_port()
        first = int(ipaddress.ip_address(FIRST))
        self.addresses = [f"{ipaddress.ip_address(first + index)}:{self.port}" for index in range(count)]
        self.process = Process(check, "simulator", [
            str(program), FIRST, str(self.port), str(count), str(self.hung), str(REPLIES)])
        check.until(lambda: "ready" in self.process.output(), 10, "the simulator listens")

    def hang(self) -> None:
        self.process.signal(signal.SIGUSR1)

    def heal(self) -> None:
        self.process.signal(signal.SIGUSR2)

    def config(self, further: str = "") -> str:
        def workload(name: str, addresses: list[str]) -> str:
            return (f"- name: {name}\n  kind: custom\n  topology: static\n"
                    f"  seeds: [{', '.join(map(repr, addresses))}]\n")

        return (f"defaults: {{poll_interval: {POLL_SECONDS}s, timeout: 2s}}\nworkloads:\n"
                + workload("doomed", self.addresses[:self.hung]) + workload("healthy", self.addresses[self.hung:])
                + further)


@dataclasses.dataclass
class Window:
    """What a stretch of time cost. CPU as a share of one core; times in seconds."""

    cpu: float
    polls_per_second: float
    lateness_p99: float
    probe_p99: float


class Watch:
    """A Redline that watches the nodes."""

    def __init__(self, check: Check, nodes: Nodes, flags: list[str], further: str = ""):
        self.check, self.nodes = check, nodes
        path = check.file("redline.yml", nodes.config(further))
        self.redline = exporters.redline(check, None, f"--config.file={path}", *flags)
        check.until(lambda: self.up() == nodes.count, 60, "every node is up", pause=1)
        # The first polls were spread, and the next ones are of the whole interval.
        time.sleep(min(2 * POLL_SECONDS, nodes.count / 20))

    def page(self, *names: str):
        return self.redline.page("/metrics?" + "&".join(f"name[]={name}" for name in names), seconds=30)

    def up(self) -> int:
        return int(sum(self.page("redis_up").named("redis_up").values()))

    def evaluations(self) -> int:
        name = "redis_exporter_rule_evaluations_total"
        return int(sum(self.page(name).named(name).values()))

    def evidence(self) -> int:
        name = "redis_exporter_evidence_total"
        return int(sum(self.page(name).named(name).values()))

    def recorder(self) -> dict[str, float]:
        names = {"cpu": "redis_exporter_recorder_cpu_seconds_total", "bytes": "redis_exporter_recorder_bytes",
                 "dropped": "redis_exporter_recorder_dropped_total"}
        page = self.page(*names.values())
        return {key: sum(page.named(name).values()) for key, name in names.items()}

    def buckets(self) -> dict[str, dict[float, float]]:
        """Of the healthy workload: how late its polls began, and what its probes took, over all nodes."""
        families = {"lateness": "redis_exporter_poll_lateness_seconds", "probe": "redis_probe_duration_seconds"}
        page = self.page(*families.values(), "redis_exporter_scrapes_total")
        found = {"polls": {0.0: sum(page.named("redis_exporter_scrapes_total").values())}}
        for key, name in families.items():
            sums: dict[float, float] = {}
            for (series, labels), value in page.families[name].series.items():
                pairs = dict(labels)
                if series.endswith("_bucket") and pairs["workload"] == "healthy":
                    edge = float(pairs["le"].replace("Inf", "inf"))
                    sums[edge] = sums.get(edge, 0) + value
            found[key] = sums
        return found

    @contextlib.contextmanager
    def window(self):
        """Yields a list that holds the ``Window`` of the time inside once that is over."""
        result: list[Window] = []
        before = self.buckets()
        began, used = time.monotonic(), cpu_seconds(self.redline.pid)
        yield result
        used, seconds = cpu_seconds(self.redline.pid) - used, time.monotonic() - began
        after = self.buckets()
        new = {key: {edge: count - before[key].get(edge, 0) for edge, count in edges.items()}
               for key, edges in after.items()}
        result.append(Window(used / seconds, new["polls"][0.0] / seconds, quantile(0.99, new["lateness"]),
                             quantile(0.99, new["probe"])))

    def quiet(self, seconds: float) -> Window:
        with self.window() as result:
            time.sleep(seconds)
        return result[0]

    def scraped(self, seconds: float, scrapers: int) -> Window:
        """While so many scrapers ask at once, with gzip, every 15 s."""
        with self.window() as result:
            for _ in range(max(1, round(seconds / SCRAPE_SECONDS))):
                began = time.monotonic()
                self.at_once(scrapers, GZIP)
                time.sleep(max(0, min(seconds, SCRAPE_SECONDS) - (time.monotonic() - began)))
        return result[0]

    def burnt(self, seconds: float) -> Window:
        """While pages are rendered and compressed without a pause: the work executor is never idle."""
        with self.window() as result:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.scrape(GZIP)
        return result[0]

    def scrape(self, headers: dict[str, str]) -> http.Response:
        response = self.redline.get(headers=headers, seconds=60)
        if response.status != 200:
            raise RuntimeError(f"/metrics: {response.status}")
        return response

    def at_once(self, count: int, headers: dict[str, str]) -> float:
        """Seconds until the last of so many pages, asked for at once, has come."""
        seconds: list[float] = []
        threads = [threading.Thread(target=lambda: seconds.append(self.scrape(headers).seconds)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return max(seconds)

    def page_seconds(self, count: int, headers: dict[str, str], repeats: int = 5) -> float:
        times = []
        for _ in range(repeats):
            times.append(self.at_once(count, headers))
            time.sleep(0.5)
        return statistics.median(times)

    def resident(self) -> int:
        return rollup_bytes(self.redline.pid)["Rss"]


class Figures(dict):
    """Numbers of one variant by measure."""


def measure(check: Check, nodes: Nodes, flags: list[str], options: argparse.Namespace) -> Figures:
    figures = Figures()
    watch = Watch(check, nodes, flags)
    seconds = options.seconds

    def note(name: str, window: Window) -> None:
        progress(f"  {name}: {window.cpu:.1%} of a core, lateness p99 {window.lateness_p99 * 1e3:.2f} ms, "
                 f"probe p99 {window.probe_p99 * 1e3:.2f} ms, {window.polls_per_second:.0f} polls/s")
        figures[f"cpu {name}"] = window.cpu
        figures[f"lateness {name}"] = window.lateness_p99
        figures[f"probe {name}"] = window.probe_p99
        figures[f"polls {name}"] = window.polls_per_second

    note("quiet", watch.quiet(seconds))
    figures["memory quiet"] = watch.resident()
    for scrapers, name in ((1, "one scraper"), (2, "two scrapers")):
        note(name, watch.scraped(seconds, scrapers))
        figures[f"memory {name}"] = watch.resident()
    progress("  pages")
    figures["page gzip"] = watch.page_seconds(1, GZIP)
    figures["page gzip two"] = watch.page_seconds(2, GZIP)
    packed = watch.scrape(GZIP)
    figures["bytes gzip"] = len(packed.body)
    note("busy", watch.burnt(min(seconds, 15)))
    nodes.hang()
    time.sleep(min(seconds, 3 * POLL_SECONDS))
    note("hung", watch.quiet(seconds))
    figures["memory hung"] = watch.resident()
    nodes.heal()
    check.until(lambda: watch.up() == nodes.count, 60, "every node is up again", pause=1)
    # Last: a page that nobody compresses is held whole while it is sent.
    figures["page identity"] = watch.page_seconds(1, IDENTITY)
    plain = watch.scrape(IDENTITY)
    figures["bytes identity"] = len(plain.body)
    figures["series"] = sum(1 for line in plain.body.split(b"\n") if line and not line.startswith(b"#"))
    watch.redline.stop()
    judging = Watch(check, nodes, flags, f"rules: {{files: ['{ROOT}/alerts/*.yml']}}\n")
    check.until(lambda: judging.evaluations() > 0, 60, "rules are evaluated", pause=1)
    note("judging", judging.quiet(max(seconds, 2 * SCRAPE_SECONDS)))
    figures["memory judging"] = judging.resident()
    # Every hung node is an alert at once, and evidence is gathered about it.
    nodes.hang()
    note("alerting", judging.quiet(seconds))
    figures["evidence"] = judging.evidence()
    progress(f"  {figures['evidence']:.0f} looks for evidence")
    nodes.heal()
    judging.redline.stop()
    folder = check.folder / "recording"
    recording = Watch(check, nodes, flags, f"rules: {{files: ['{ROOT}/alerts/*.yml']}}\n"
                      f"recorder: {{keep: 24h, size: 4GiB, path: '{folder}'}}\n")
    check.until(lambda: recording.evaluations() > 0, 60, "rules are evaluated", pause=1)
    # What a file begins with is no part of what a day costs: series come with the second look at a server.
    time.sleep(min(3 * SCRAPE_SECONDS, max(3 * POLL_SECONDS, 1.5 * seconds)))
    before = recording.recorder()
    began = time.monotonic()
    note("recording", recording.quiet(max(seconds, 4 * SCRAPE_SECONDS)))
    passed = time.monotonic() - began
    after = recording.recorder()
    figures["memory recording"] = recording.resident()
    figures["recorder cpu"] = (after["cpu"] - before["cpu"]) / passed / figures["cpu quiet"]
    figures["recorder bytes"] = (after["bytes"] - before["bytes"]) / passed * 86400 / nodes.count
    figures["recorder dropped"] = after["dropped"]
    progress(f"  recorder: {figures['recorder cpu']:.2%} of polling, {figures['recorder bytes'] / 1e6:.2f} MB a node and day, "
             f"{after['dropped']:.0f} dropped")
    recording.redline.stop()
    shutil.rmtree(folder, ignore_errors=True)
    return figures


def measure_dead_name(check: Check, nodes: Nodes, flags: list[str], seconds: float) -> Figures | None:
    """The same with a member whose name never resolves: its DNS server takes questions and answers none.

    Redline sees a resolv.conf of its own, which takes a mount namespace; nil where this user may not have one.
    """
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver = "127.77.255.254"
    try:
        silent.bind((resolver, 53))
    except PermissionError:
        return None
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode:
        return None
    conf = check.file("resolv.conf", f"nameserver {resolver}\n")
    wrapper = check.file("redline-nameless", "#!/bin/sh\nexec unshare -m sh -c '"
                         f"mount --bind {conf} /etc/resolv.conf && exec \"$0\" \"$@\"' {REDLINE} \"$@\"\n")
    wrapper.chmod(0o755)
    program, exporters.REDLINE = exporters.REDLINE, wrapper
    try:
        watch = Watch(check, nodes, flags, "- name: nameless\n  kind: custom\n  topology: static\n"
                      "  seeds: ['nowhere.redline.test:6379']\n")
    finally:
        exporters.REDLINE = program
    silent.settimeout(30)
    silent.recv(512)
    window = watch.quiet(seconds)
    watch.redline.stop()
    return Figures(lateness=window.lateness_p99, cpu=window.cpu)


def measure_peer(check: Check, nodes: Nodes) -> Figures:
    """One pass of the peer over all nodes by /scrape, one after another on one connection."""
    peer = exporters.peer(check, f"redis://{nodes.addresses[0]}")
    with http.connect(peer.port, seconds=60) as connection, connection.makefile("rb") as stream:
        def scrape(address: str) -> bytes:
            connection.sendall(http.request_bytes(f"/scrape?target=redis://{address}", headers=GZIP))
            response = http.read_response(stream)
            if response.status != 200:
                raise RuntimeError(f"peer: {response.status}")
            return response.body

        for address in nodes.addresses[:50]:
            scrape(address)
        used, began = cpu_seconds(peer.pid), time.monotonic()
        size = sum(len(scrape(address)) for address in nodes.addresses)
        figures = Figures(cpu=(cpu_seconds(peer.pid) - used) / POLL_SECONDS, seconds=time.monotonic() - began, bytes=size)
    figures["memory"] = peer.rss_bytes()
    peer.stop()
    return figures


def print_table(variants: list[Figures], dead: Figures | None, peer: Figures | None, nodes: Nodes) -> None:
    first = variants[0]
    rows: list[list[str]] = []

    def row(name: str, values: list[float], form, theirs: str = "", target: str = "", met: list[bool] | None = None) -> None:
        verdicts = [verdict(one) for one in met or []]
        shown = verdicts[0] if len(set(verdicts)) == 1 else ", ".join(verdicts)
        rows.append([name, *(form(value) for value in values), *[""] * (len(variants) - len(values)), theirs, target, shown])

    def each(key: str) -> list[float]:
        return [figures[key] for figures in variants]

    def percent(value: float) -> str:
        return f"{value * 100:.1f} %"

    def megabytes(value: float) -> str:
        return f"{value / 1e6:.0f} MB"

    def milliseconds(value: float) -> str:
        return "" if math.isnan(value) else f"{value * 1e3:.1f} ms" if value < 0.02 else f"{value * 1e3:.0f} ms"

    row("series", each("series"), lambda value: f"{value:.0f}", target=f"≥ {450 * nodes.count}",
        met=[value >= 450 * nodes.count for value in each("series")])
    row("polls per second", each("polls quiet"), lambda value: f"{value:.0f}")
    for name, text in (("quiet", "nobody scrapes"), ("one scraper", "one scraper, gzip, every 15 s"),
                       ("two scrapers", "two scrapers at once"), ("hung", "30 % of them hang"),
                       ("judging", "the rules of alerts/ judged"), ("recording", "judged and recorded")):
        values = each(f"cpu {name}")
        theirs = percent(peer["cpu"]) if peer and name == "one scraper" else ""
        row(f"CPU of one core, {text}", values, percent, theirs, "< 25 %", [value < 0.25 for value in values])
    for name, text in (("quiet", "nobody scrapes"), ("one scraper", "one scraper"), ("two scrapers", "two scrapers at once"),
                       ("hung", "30 % of them hang")):
        values = each(f"memory {name}")
        theirs = megabytes(peer["memory"]) if peer and name == "one scraper" else ""
        row(f"resident memory, {text}", values, megabytes, theirs, "< 150 MB", [value < 150e6 for value in values])
    row("resident memory, the rules of alerts/ judged", each("memory judging"), megabytes)
    row("resident memory, judged and recorded", each("memory recording"), megabytes)
    row("CPU of the flight recorder, of what polling costs", each("recorder cpu"), percent, target="≤ 2 %",
        met=[value <= 0.02 for value in each("recorder cpu")])
    row("its files, a node and day", each("recorder bytes"), lambda value: f"{value / 1e6:.1f} MB")
    row("poll lateness p99, judged and recorded", each("lateness recording"), milliseconds)
    row("poll lateness p99", each("lateness quiet"), milliseconds)
    row("poll lateness p99, the rules of alerts/ judged", each("lateness judging"), milliseconds,
        target="unchanged (within 1 ms)",
        met=[figures["lateness judging"] <= figures["lateness quiet"] + 0.001 for figures in variants])
    healthy = [(figures["lateness quiet"], figures["lateness hung"]) for figures in variants]
    row("poll lateness p99 of the healthy, 30 % hang", each("lateness hung"), milliseconds, target="≤ 10 % or 20 ms more",
        met=[hung <= quiet + max(0.1 * quiet, 0.02) for quiet, hung in healthy])
    row("poll lateness p99 of the healthy, 30 % hang, judged, evidence gathered", each("lateness alerting"), milliseconds,
        target="≤ 10 % or 20 ms more",
        met=[figures["lateness alerting"] <= figures["lateness judging"] + max(0.1 * figures["lateness judging"], 0.02)
             for figures in variants])
    if dead:
        row("poll lateness p99, a name never resolves", [dead["lateness"]], milliseconds, target="unchanged (within 1 ms)",
            met=[dead["lateness"] <= first["lateness quiet"] + 0.001])
    row("probe p99", each("probe quiet"), milliseconds)
    row("probe p99, the rules of alerts/ judged", each("probe judging"), milliseconds)
    row("probe p99, pages rendered without a pause", each("probe busy"), milliseconds, target="unchanged (within 1 ms)",
        met=[figures["probe busy"] <= figures["probe quiet"] + 0.001 for figures in variants])
    row("/metrics, gzip", each("page gzip"), milliseconds, target="< 300 ms",
        met=[value < 0.3 for value in each("page gzip")])
    row("/metrics, gzip, two at once", each("page gzip two"), milliseconds)
    row("/metrics, not compressed", each("page identity"), milliseconds)
    row("/metrics, size with gzip", each("bytes gzip"), lambda value: f"{value / 1e6:.1f} MB")
    row("/metrics, size", each("bytes identity"), megabytes)
    series = [f"{figures['series'] / nodes.count:,.0f} series a node" for figures in variants]
    print(table([f"{nodes.count:,} nodes", *series, "peer 1.45", "target", "met"], rows))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30, help="length of each measurement")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="these only")
    parser.add_argument("--brief", action="store_true", help="neither the peer nor a name that never resolves")
    options = parser.parse_args()
    if not 10 <= options.nodes <= 10_000:
        parser.error("--nodes: 10 to 10000")
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            nodes = Nodes(check, options.nodes)
            names = options.variant or list(VARIANTS)
            variants = []
            for name in names:
                progress(name)
                variants.append(measure(check, nodes, VARIANTS[name], options))
            dead = peer = None
            if not options.brief:
                progress("a name that never resolves")
                dead = measure_dead_name(check, nodes, VARIANTS[names[0]], options.seconds)
                if not dead:
                    progress("  left out: it takes port 53 and a mount namespace, which this user may not have")
                progress("peer")
                peer = measure_peer(check, nodes)
                progress(f"  one pass took {peer['seconds']:.1f} s")
            print_table(variants, dead, peer, nodes)


if __name__ == "__main__":
    main()
