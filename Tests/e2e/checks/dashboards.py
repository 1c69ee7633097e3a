"""The Grafana dashboards on the lab: every query of every panel has an answer, and faults move what they should.

There is no Grafana here: the queries are asked as Grafana asks them, of each data source that it is provisioned with.
"""

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import time

from harness import budgets, exporters, grafana, http, results
from harness.check import Check
from harness.grafana import Panel, Source, expanded
from harness.lab import Lab
from harness.monitoring import Prometheus
from harness.paths import E2E, REDLINE, ROOT
from harness.resp import ReplyError

TIMEOUT_SECONDS = 300
WAITS = True
MEMBERS = 12
# Some ratios are of the last minutes and want more lookups than a lab that has just started has seen.
SETTLING_SECONDS = 40
JOBS = ("redline", "redline-b")
# As somebody writes it who has no Prometheus and looks at Redline itself with Grafana.
HISTORY = "history: { retention: 2h }\n"
KINDS = {"timeseries", "stat", "state-timeline", "table"}
FUNCTIONS_OF_CONSTANTS = re.compile(r"\b(vector|scalar|absent|absent_over_time)\s*\(")


class Site:
    """The lab, a pair of redlines, and the data sources from which Grafana can draw it.

    `sources` has each with the name of its job: a Redline that answers for itself calls its own series so as well.
    """

    def __init__(self, check: Check):
        self.check = check
        self.lab = Lab(check)
        self.lab.up()
        shipped = pathlib.Path(self.lab.does("config").strip()).read_text()
        config = check.file("redline.yml", shipped.replace(
            "  environment: lab\n", "  environment: lab\n  poll_interval: 1s\n", 1).replace(
            # Which locks are contended is known after 20 walks.
            "    watches:\n", "    watches:\n      interval: 2s\n", 1) + HISTORY)
        # What is left of an error budget needs an hour.
        for job in JOBS:
            first = exporters.redline(
                check, None, f"--config.file={check.file('first.yml', shipped)}", f"--storage.path={check.folder}/{job}.db")
            first.signal(signal.SIGTERM)
            first.wait(20)
            for workload in ("cache", "sessions", "queues"):
                budgets.seed(check.folder / f"{job}.db", workload, days=1)
                results.seed(check.folder / f"{job}.db", workload)
        self.redlines = [exporters.redline(check, None, f"--config.file={config}",
                                           f"--storage.path={check.folder}/{job}.db", "--include-config-metrics")
                         for job in JOBS]
        self.prometheus = Prometheus(check, "\n".join([
            "global: {scrape_interval: 1s}", "scrape_configs:",
            *(f"- {{job_name: {job}, honor_labels: true, static_configs: [{{targets: ['127.0.0.1:{redline.port}']}}]}}"
              for job, redline in zip(JOBS, self.redlines))]))
        self.sources = [(Source(self.prometheus.port), JOBS[0]), (Source(self.redlines[0].port), JOBS[0])]
        for source, job in self.sources:
            check.until(lambda: self._is_filled(source, job), 40 + source.range + source.interval,
                        f"the data source at {source.port} has every member for as long as panels look back", pause=1)

    def _is_filled(self, source: Source, job: str) -> bool:
        """Every member has been up for as long as the panels look back."""
        found = source.series(
            f'sum(sum_over_time(redis_up{{workload!="",job="{job}"}}[{source.range + source.interval}s:1s]))', True)
        return bool(found) and found[0][1][0] >= MEMBERS * (source.range + source.interval - 2)

    def answers(self, source: Source, job: str, dashboard: str, title: str, index: int = 0) -> list:
        found = grafana.named(dashboard)
        target = found.panel(title).targets[index]
        return source.series(expanded(target["expr"], found.variables(source, job)), target["instant"])


@dataclasses.dataclass(frozen=True)
class Moved:
    """A panel whose greatest newest value a fault brings above a limit, or whose least one below it."""

    dashboard: str
    title: str
    above: float | None = None
    below: float | None = None
    query: int = 0

    def is_so(self, site: Site, source: Source, job: str) -> bool:
        """Where a panel has several lines, one that moved is enough."""
        newest = [numbers[-1] for _, numbers in site.answers(source, job, self.dashboard, self.title, self.query)]
        if self.above is not None:
            return max(newest) > self.above
        return min(newest) < self.below


def trouble(source: Source, panel: Panel, values: dict[str, str]) -> list[str]:
    """What keeps the panel from being drawn whole; a stat is one number."""
    found = []
    for target in panel.targets:
        query = expanded(target["expr"], values)
        try:
            series = source.series(query, target["instant"])
        except AssertionError as error:
            found.append(f"{panel.name}: {error}")
            continue
        if not series:
            found.append(f"{panel.name} is empty: {query}")
        elif panel.content["type"] == "stat" and len(series) != 1:
            found.append(f"{panel.name} has {len(series)} numbers: {query}")
    return found


def troubles_of(source: Source, dashboard: grafana.Dashboard, values: dict[str, str]) -> list[str]:
    return [text for panel in dashboard.panels for text in trouble(source, panel, values)]


def check_every_panel_and_what_faults_move(check: Check) -> None:
    site = Site(check)
    for source, job in site.sources:
        for dashboard in grafana.dashboards():
            values = dashboard.variables(source, job)
            troubles = troubles_of(source, dashboard, values)
            deadline = time.monotonic() + SETTLING_SECONDS
            while troubles and time.monotonic() < deadline:
                time.sleep(2)
                troubles = troubles_of(source, dashboard, values)
            check.none(troubles, f"{dashboard.uid} at {source.port}")
    names_of_the_exporter(check, site)
    for text, fault, moved in FAULTS:
        for source, job in site.sources:
            # A busy machine stalls servers as well: what it did must be over.
            check.until(lambda: not moved.is_so(site, source, job), 90, f"{moved} is not so before {text}", pause=1)
        fault(site)
        for source, job in site.sources:
            check.until(lambda: moved.is_so(site, source, job), 40, f"{text} moves {moved}", pause=0.5)
    annotations_are_drawn(check, site)


def names_of_the_exporter(check: Check, site: Site) -> None:
    """What public dashboards ask of redis_exporter, asked of the same data source."""
    wanted = [line for line in (E2E / "dashboards" / "exporter_names.txt").read_text().splitlines()
              if not line.startswith("#")]
    check.that(len(wanted) > 80, "the list of names is whole")
    for source, job in site.sources:
        check.none([name for name in wanted if not source.series(f'{name}{{job="{job}"}}', True)],
                   f"names that public dashboards ask for, at {source.port}")


def annotations_are_drawn(check: Check, site: Site) -> None:
    """After the faults there has been a failover; a save and a rewrite are asked for, and a change is marked."""
    token = (site.lab.folder / "secrets" / "marks").read_text().strip()
    for redline in site.redlines:
        marked = http.get(redline.port, "/api/v1/marks", "POST", {"Authorization": f"Bearer {token}"},
                          json.dumps({"text": "a new version", "tags": ["workload:queues", "kind:change"]}).encode())
        check.equal(marked.status, 200, f"a change is marked: {marked.text}")
    for command in ("BGSAVE", "BGREWRITEAOF"):
        check.until(lambda: site.lab.ask("queues-2", command), 10, f"queues-2 takes {command}")
        check.until(lambda: b"rdb_bgsave_in_progress:0" in site.lab.ask("queues-2", "INFO", "persistence"), 10,
                    "queues-2 has saved")
    for source, job in site.sources:
        for dashboard in grafana.dashboards():
            values = dashboard.variables(source, job) | {"workload": "(queues)"}
            for annotation in dashboard.annotations:
                query = expanded(annotation["expr"], values)
                check.until(lambda: source.series(query, False), 20, f"{dashboard.uid}: {annotation['name']}: {query}")


# Faults. Each leaves the others room: they are of different members, or are healed.

def hang(site: Site) -> None:
    site.lab.does("hang", "sessions-3" if site.lab.master_of_sessions() != "sessions-3" else "sessions-2")


def slow_down(site: Site) -> None:
    """A server that stands still for a third of a second, time and again."""
    pid = site.lab.pid_of("queues-1")
    for _ in range(12):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.3)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.1)


def turn_away(site: Site) -> None:
    with site.lab.client("queues-3") as client:
        limit = int(client("CONFIG", "GET", "maxclients")[1])
        client("CONFIG", "SET", "maxclients", 1)
        try:
            for _ in range(20):
                try:
                    site.lab.ask("queues-3", "PING")
                except (OSError, ReplyError):
                    continue
        finally:
            client("CONFIG", "SET", "maxclients", limit)


def lag(site: Site) -> None:
    site.lab.does("lag", "queues")


def take_lock(site: Site) -> None:
    site.lab.does("deadlock")


def open_circuit(site: Site) -> None:
    site.lab.does("circuit")


def miss(site: Site) -> None:
    """Lookups of a key that is not there, on a master whose slot it is in."""
    master = next(name for name in site.lab.ports()
                  if name.startswith("cache-") and site.lab.ask(name, "ROLE")[0] == b"master")
    with site.lab.client(master) as client:
        for number in range(100):
            try:
                client("GET", f"absent:{number}")
                break
            except ReplyError:
                continue
        for _ in range(8000):
            client("GET", f"absent:{number}")


def flush(site: Site) -> None:
    site.lab.does("flush", "cache")


def fill(site: Site) -> None:
    site.lab.does("fill", "cache", seconds=60)


def fail_over(site: Site) -> None:
    site.lab.does("failover", "queues")


FAULTS = (
    ("a server that stands still", slow_down, Moved("redline-peak", "Latency p99", above=0.05)),
    ("consumers that stop", lag, Moved("redline-queue", "Entries that wait", above=100)),
    ("a lock without a TTL", take_lock, Moved("redline-session", "Locks", above=0, query=1)),
    ("an open circuit breaker", open_circuit, Moved("redline-session", "Open circuit breakers", above=0)),
    ("too few connections", turn_away, Moved("redline-peak", "Rejected connections", above=0)),
    ("a hung replica", hang, Moved("redline-fleet", "Members down", above=0)),
    ("lookups in vain", miss, Moved("redline-cache", "Hit ratio", below=0.8)),
    ("keys that are flushed", flush, Moved("redline-cache", "Keys", below=400)),
    ("a full cache", fill, Moved("redline-cache", "Evicted keys", above=1)),
    ("a failover", fail_over, Moved("redline-failover", "Failovers", above=0)),
)


# What can be judged without a lab

def check_dashboards_are_what_the_tables_say(check: Check) -> None:
    told = subprocess.run([str(ROOT / "deploy" / "dashboards"), "--check"], capture_output=True, text=True, timeout=20)
    check.equal(told.returncode, 0, f"deploy/dashboards --check exits ({told.stderr})")


def check_dashboards_explain_themselves(check: Check) -> None:
    dashboards = grafana.dashboards()
    check.equal(sorted(dashboard.uid for dashboard in dashboards), sorted(
        f"redline-{name}" for name in ("fleet", "cache", "session", "queue", "peak", "failover", "daemon")), "uids")
    runbooks = {path.stem for path in (ROOT / "alerts" / "runbooks").glob("*.md")}
    complaints = []
    for dashboard in dashboards:
        check.equal(dashboard.path.name, f"{dashboard.uid}.json", "a file is called as its dashboard")
        check.equal([annotation["name"] for annotation in dashboard.annotations],
                    ["Failovers", "RDB saves", "AOF rewrites", "Marks", "Maintenance windows"], f"annotations of {dashboard.uid}")
        numbers = [panel["id"] for panel in dashboard.content["panels"]]
        check.equal(len(set(numbers)), len(numbers), f"numbers of panels of {dashboard.uid}")
        complaints += overlaps(dashboard)
        for panel in dashboard.panels:
            content = panel.content
            complaints += [f"{panel.name}: no {key}" for key in ("title", "description", "targets")
                           if not content.get(key)]
            if not content["fieldConfig"]["defaults"].get("unit"):
                complaints.append(f"{panel.name}: no unit")
            if content["type"] not in KINDS:
                complaints.append(f"{panel.name}: of the kind {content['type']}")
            for link in content["links"]:
                found = re.fullmatch(r"\$\{redline\}/runbooks/(\w+)", link["url"])
                if not found or found[1] not in runbooks:
                    complaints.append(f"{panel.name}: there is no runbook {link['url']}")
    check.none(complaints, "panels that do not explain themselves")


def overlaps(dashboard: grafana.Dashboard) -> list[str]:
    """Panels that lie over others or beyond the edge."""
    taken, complaints = {}, []
    for panel in dashboard.content["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        for other in {taken[cell] for cell in cells if cell in taken}:
            complaints.append(f"{dashboard.uid}: {panel['title']} lies over {other}")
        if place["x"] + place["w"] > 24:
            complaints.append(f"{dashboard.uid}: {panel['title']} is too wide")
        taken |= dict.fromkeys(cells, panel["title"])
    return complaints


def check_dashboards_ask_for_what_is_exported(check: Check) -> None:
    """Names of the catalogue alone, and no constant that hides that there is nothing."""
    rows = subprocess.run([str(REDLINE), "families"], capture_output=True, text=True, timeout=20).stdout.splitlines()
    exported = set()
    for name, kind in (row.split("\t")[:2] for row in rows):
        exported.add(name)
        if kind in ("histogram", "summary"):
            exported |= {f"{name}_{part}" for part in ("sum", "count", "bucket")}
    complaints = []
    for dashboard in grafana.dashboards():
        queries = [(panel.name, target["expr"]) for panel in dashboard.panels for target in panel.targets]
        queries += [(f"{dashboard.uid}: {annotation['name']}", annotation["expr"])
                    for annotation in dashboard.annotations]
        for variable in dashboard.content["templating"]["list"]:
            if variable["type"] == "query":
                queries.append((f"{dashboard.uid}: ${variable['name']}", variable["query"]["query"]))
        for name, query in queries:
            metrics = set(re.findall(r"\b(?:redis|process)_\w+", re.sub(r'"[^"]*"', "", query)))
            complaints += [f"{name}: {metric} is not exported" for metric in sorted(metrics - exported)]
            if not metrics:
                complaints.append(f"{name}: asks for nothing: {query}")
            if FUNCTIONS_OF_CONSTANTS.search(query) or re.search(r"\bor\b", query):
                complaints.append(f"{name}: falls back on something else: {query}")
            if 'job="$job"' not in query and "$job" not in name:
                complaints.append(f"{name}: takes both of a pair: {query}")
    check.none(complaints, "queries")
