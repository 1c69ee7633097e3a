"""How soon a fault becomes an alert, in Redline and in Prometheus with redis_exporter, side by side.

    Tests/bench/run --page [--runs N] [--scenario NAME]...

Both watch one lab (`deploy/lab`), see the same faults and tell an Alertmanager of their own, with the same group_wait of
0 s. Redline evaluates all of `alerts/*.yml` in the daemon, polls every 5 s and has an evaluation interval of 15 s, as by
default. Beside it are Debian's Prometheus, with a scrape and an evaluation every 15 s, and Debian's
prometheus-redis-exporter 1.45, asked for each server and each Sentinel by `/scrape`.

Its rules have the same `for`: RedisDown is that of the pack. RedisFailover fires when Sentinels named two addresses for
a master, as this redis_exporter exports no epochs. RedisConnectionsRejected has one condition more: a server without a
free connection refuses redis_exporter too, which opens one for each scrape and then exports no count of refusals, only
that writing failed; any failed scrape is taken as the alert, sooner than a rule that people could live with. How long
Prometheus takes depends on when a group has its turn after a scrape, which the group's name decides: there are five
groups alike, whose turns the runs count one after another. The windows of 5 and 10 minutes for which a failover and
refused connections are told are shortened on both sides, or one run could not be told from the next.

Prints progress on standard error and a Markdown table on standard output.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import random
import re
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from checks.alert_rules import ALERTS  # noqa: E402
from failover import Announcements  # noqa: E402
from harness import exporters, http  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.lab import SERVERS, Lab  # noqa: E402
from harness.monitoring import Alertmanager, Prometheus, Receiver  # noqa: E402
from harness.resp import Redis, ReplyError  # noqa: E402
from measure import progress, table, verdict  # noqa: E402

INTERVAL_SECONDS = 15
PHASES = 5
# By file: the text, what stands in its place, how often it is there.
SHORTENED = {
    "failover.yml": [("[10m", "[30s", 6), ("< 600\n", "< 30\n", 2)],
    "connections.yml": [("[5m]", "[1m]", 3)],
}
FAILOVER_OF_PEER = """alert: RedisFailover
    expr: |
      count by (environment, master_name) (
        count by (environment, master_name, master_address) (last_over_time(redis_sentinel_master_status[30s]))) > 1
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.master_name }} has failed over"}
"""
WARM_UP_SECONDS = 75
# Connections that a node of the cache has to spare.
ROOM = 40
PATIENCE_SECONDS = 120
RATIO = 10

Labels = dict[str, str]


# MARK: Both sides

class Stamped(list):
    """What is appended, with the time at which it was."""

    def append(self, item) -> None:
        super().append((time.monotonic(), item))


class Side:
    """One that judges, the Alertmanager that it tells, and who is paged."""

    def __init__(self, check: Check, name: str):
        self.name = name
        self.receiver = Receiver(check)
        self.receiver.notifications = Stamped()
        self.alertmanager = Alertmanager(check, (
            "route: {receiver: people, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 12h}\n"
            f"receivers: [{{name: people, webhook_configs: [{{url: '{self.receiver.url}', send_resolved: false}}]}}]\n"),
            name=f"alertmanager-{name}")
        # Of what judges.
        self.port = 0

    def told(self, wanted: Labels) -> bool:
        """Whether its Alertmanager holds such an alert for active."""
        filters = urllib.parse.urlencode([("filter", f'{name}="{value}"') for name, value in wanted.items()])
        return bool(json.loads(http.get(self.alertmanager.port, f"/api/v2/alerts?{filters}").text))

    def judges(self, wanted: Labels, state: str | None = None) -> bool:
        """Whether it has such an alert itself, in this state or in any."""
        alerts = json.loads(http.get(self.port, "/api/v1/alerts").text)["data"]["alerts"]
        return any(wanted.items() <= alert["labels"].items() and state in (None, alert["state"]) for alert in alerts)

    def up(self) -> int:
        query = urllib.parse.urlencode({"query": "count(redis_up == 1)"})
        result = json.loads(http.get(self.port, f"/api/v1/query?{query}").text)["data"]["result"]
        return int(result[0]["value"][1]) if result else 0

    def paged(self, wanted: Labels, since: float) -> float | None:
        """When people first heard of such an alert."""
        return min((moment for moment, page in list(self.receiver.notifications) if moment > since
                    for alert in page["alerts"] if wanted.items() <= alert["labels"].items()), default=None)


def pack(check: Check) -> pathlib.Path:
    """The folder with the rules of the pack, windows shortened."""
    for path in sorted(ALERTS.glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        for found, instead, count in SHORTENED.get(path.name, []):
            if text.count(found) != count:
                raise RuntimeError(f"{path.name} has {found!r} {text.count(found)} times, not {count}: adapt {__file__}")
            text = text.replace(found, instead)
        check.file(f"rules/{path.name}", text)
    return check.folder / "rules"


def redline(check: Check, lab: Lab, rules_folder: pathlib.Path) -> Side:
    side = Side(check, "redline")
    config = check.file("redline.yml", pathlib.Path(lab.does("config").strip()).read_text(encoding="utf-8") + (
        f"rules: {{files: ['{rules_folder}/*.yml'], interval: {INTERVAL_SECONDS}s, runbooks: '{ALERTS}/runbooks'}}\n"
        f"alerting: {{alertmanagers: [{{url: 'http://{side.alertmanager.address}'}}]}}\n"))
    side.port = exporters.redline(check, None, f"--config.file={config}", f"--storage.path={check.folder}/redline.db").port
    return side


def rules_of_prometheus(rules_folder: pathlib.Path) -> str:
    """The three alerts in groups alike, each of which has its turn at a time of its own."""
    found = {}
    for file in ("availability.yml", "connections.yml"):
        text = (rules_folder / file).read_text(encoding="utf-8")
        for part in re.split(r"^  - (?=alert: )", text, flags=re.MULTILINE)[1:]:
            name = re.match(r"alert: (\S+)", part)[1]
            found[name] = re.split(r"^- name:|^  - ", part, flags=re.MULTILINE)[0]
    refused = "        >= 1\n"
    if found["RedisConnectionsRejected"].count(refused) != 1:
        raise RuntimeError(f"RedisConnectionsRejected is another rule: adapt {__file__}")
    rejected = found["RedisConnectionsRejected"].replace(
        refused, f"{refused}      or max without (job, err) (redis_exporter_last_scrape_error) == 1\n")
    lines = ["groups:\n"]
    for phase in range(PHASES):
        lines.append(f"- name: page-{phase}\n  rules:\n")
        for text in (found["RedisDown"], rejected, FAILOVER_OF_PEER):
            lines.append("  - " + text.replace("labels: {", f'labels: {{phase: "{phase}", ').rstrip() + "\n")
    return "".join(lines)


def peer(check: Check, lab: Lab, rules_folder: pathlib.Path) -> Side:
    side = Side(check, "prometheus")
    addresses = {name: f"redis://127.0.0.1:{port}" for name, port in lab.ports().items()}
    passwords = {address: lab.password() for name, address in addresses.items() if name.startswith("sessions")}
    secret = check.file("passwords.json", json.dumps(passwords))
    exporter = exporters.peer(check, "", f"--redis.password-file={secret}")
    targets = [{"targets": [f"127.0.0.1:{exporter.port}"],
                "labels": {"__param_target": address, "instance": name, "environment": "lab"}
                | ({} if name.startswith("sentinel") else {"workload": name.rpartition("-")[0]})}
               for name, address in addresses.items()]
    path = check.file("peer/rules.yml", rules_of_prometheus(rules_folder))
    side.port = Prometheus(check, json.dumps({
        "global": {"scrape_interval": f"{INTERVAL_SECONDS}s", "evaluation_interval": f"{INTERVAL_SECONDS}s"},
        "rule_files": [str(path)],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [side.alertmanager.address]}]}]},
        "scrape_configs": [{"job_name": "redis", "metrics_path": "/scrape", "static_configs": targets}]})).port
    return side


# MARK: Faults

@dataclasses.dataclass
class Outcome:
    """Of one scenario: seconds by side, from each fault to the alert and to the page."""

    told: dict[str, list[float]]
    paged: dict[str, list[float]]


class Scenario:
    """A fault that is laid on one workload of the lab, again and again, at random times."""

    name: str
    # From where to where.
    title: str
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
    title = "`+switch-master` to the alert at Alertmanager"
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
    title = "kill -9 of a master to `RedisDown` pending"
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
    title = "maxclients exhausted to the alert at Alertmanager"
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
        threading.Thread(target=self.go_on, args=(run,), daemon=True).start()
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
        for client in self.clients:
            client.close()
        self.clients = []


SCENARIOS = (Failover, Kill, Crowd)


# MARK: The table

def worst(seconds: list[float]) -> float:
    """p99."""
    return sorted(seconds)[min(len(seconds) - 1, math.floor(len(seconds) * 0.99))]


def rows(scenario: Scenario) -> list[list[str]]:
    def row(title: str, seconds: dict[str, list[float]], p99_seconds: float | None, has_target: bool) -> list[str]:
        ours, theirs = seconds["redline"], seconds["prometheus"]
        ratio = statistics.median(theirs) / statistics.median(ours)
        targets = ([f"p99 < {p99_seconds:g} s"] if p99_seconds else []) + [f"ratio ≥ {RATIO}"]
        met = ratio >= RATIO and (p99_seconds is None or worst(ours) < p99_seconds)
        return [title, f"{statistics.median(ours):.2f} s", f"{worst(ours):.2f} s", f"{statistics.median(theirs):.1f} s",
                f"{worst(theirs):.1f} s", f"{ratio:.0f}", ", ".join(targets) if has_target else "reported",
                verdict(met if has_target else None)]

    found = [row(scenario.title, scenario.outcome.told, scenario.p99_seconds, True)]
    if scenario.has_pages:
        found.append(row(scenario.title.partition(" to ")[0] + " to the webhook", scenario.outcome.paged, None, False))
    return found


def measure(check: Check, runs: int, kinds: list[type[Scenario]]) -> list[Scenario]:
    lab = Lab(check)
    lab.up()
    folder = pack(check)
    sides = [redline(check, lab, folder), peer(check, lab, folder)]
    for side in sides:
        check.until(lambda side=side: side.up() == SERVERS, 90, f"{side.name} sees every server", pause=1)
    progress(f"both see the lab; history for the rules' windows: {WARM_UP_SECONDS} s")
    time.sleep(WARM_UP_SECONDS)
    scenarios = [kind(check, lab, sides) for kind in kinds]
    # Each has a workload of its own, so they run beside one another.
    workers = [threading.Thread(target=scenario.work, args=(runs,)) for scenario in scenarios]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return scenarios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="faults of each kind; 20 take about 25 minutes")
    parser.add_argument("--scenario", action="append", choices=[kind.name for kind in SCENARIOS], help="these only")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs: 1 or more")
    kinds = [kind for kind in SCENARIOS if not options.scenario or kind.name in options.scenario]
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            scenarios = measure(check, options.runs, kinds)
    print(table([f"{options.runs} runs", "redline p50", "redline p99", "Prometheus p50", "Prometheus p99", "ratio of medians",
                 "target", "met"],
                [row for scenario in scenarios if scenario.outcome.told["redline"] for row in rows(scenario)]))
    if any(scenario.failure for scenario in scenarios):
        sys.exit("not all runs were made; the lines above say why")


if __name__ == "__main__":
    main()
