"""From a fault to its page: redline on the lab, Debian's Prometheus and Alertmanager with the shipped files, a webhook.

Each fault gives one page, which resolves: with one redline, and with a pair that watches the same fleet.
"""

import dataclasses
import pathlib
import re
import signal
import time

from harness import exporters, http
from harness.check import Check
from harness.lab import Lab
from harness.monitoring import Alertmanager, Prometheus, Receiver
from harness.paths import ROOT

TIMEOUT_SECONDS = 400
# Long waits are cut by this, in the rules and in Alertmanager. A node may be down for its whole 30 seconds, though: the
# lab's Sentinels fail over within that time, as Sentinels should.
HASTE = 10
PAIR = ("redline", "redline-b")
MEMBERS = 12
HEAL_SECONDS = 75


def hastened_minutes(text: str) -> str:
    """Rules whose minutes pass ten times faster; what they name in seconds stays, but for the 600 of failovers.

    Those that wait for minutes still wait longer than those that wait for 30 seconds, whose consequences they may tell.
    """
    text = re.sub(r"< 600\b", f"< {600 // HASTE}", text)
    text = re.sub(r"^( +for: )(\d+)m$", lambda found: f"{found[1]}{35 + int(found[2]) * 60 // HASTE}s", text,
                  flags=re.MULTILINE)
    return re.sub(r"\b(\d+)m\b", lambda found: f"{int(found[1]) * 60 // HASTE}s", text)


def hastened(text: str) -> str:
    """All of Alertmanager's times, ten times faster."""
    def faster(found: re.Match) -> str:
        return f": {int(found[1]) * {'s': 1, 'm': 60, 'h': 3600}[found[2]] * 1000 // HASTE}ms"

    return re.sub(r": (\d+)([smh])$", faster, text, flags=re.MULTILINE)


def with_replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        if text.count(old) < 1:
            raise AssertionError(f"{old!r} is not in the file that is shipped")
        text = text.replace(old, new)
    return text


@dataclasses.dataclass(frozen=True)
class Incident:
    """What is wrong with which workload, and with which of its members where it is about one."""

    alert: str
    workload: str
    instance: str | None = None
    severity: str = "critical"

    @property
    def labels(self) -> dict[str, str]:
        # The lab's Sentinels call the master as the workload is called.
        member = {"instance": self.instance} if self.instance else {"master_name": self.workload}
        return self.group | {"severity": self.severity} | member

    @property
    def group(self) -> dict[str, str]:
        return {"alertname": self.alert, "environment": "lab", "workload": self.workload}


def shipped_alertmanager(check: Check, name: str, receiver: Receiver) -> Alertmanager:
    shipped = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
    return Alertmanager(check, with_replaced(hastened(shipped), {"http://localhost:5001/": receiver.url}), name)


class Chain:
    """Prometheus that scrapes some redlines, its Alertmanager, and the pages that come out."""

    def __init__(self, check: Check, name: str, redlines: list[exporters.Exporter]):
        self.name = name
        self.receiver = Receiver(check)
        self.alertmanager = shipped_alertmanager(check, f"alertmanager-{name}", self.receiver)
        shipped = {path.name: path.read_text() for path in sorted((ROOT / "alerts").glob("*.yml"))}
        check.equal(sum(text.count("< 600\n") for text in shipped.values()), 3, "rules that look back on failovers")
        rules = [check.file(f"{name}/alerts/{path}", hastened_minutes(text)) for path, text in shipped.items()]
        shipped = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
        if len(redlines) == 1:
            shipped = shipped.partition("- job_name: redline-b")[0]
        addresses = {f"localhost:{9121 + index}": f"127.0.0.1:{redline.port}" for index, redline in enumerate(redlines)}
        config = with_replaced(shipped, addresses | {
            "localhost:9093": self.alertmanager.address, "../../alerts/*.yml": str(rules[0].parent / "*.yml"),
            "scrape_interval: 15s": "scrape_interval: 2s", "evaluation_interval: 15s": "evaluation_interval: 1s"})
        self.prometheus = Prometheus(check, config, f"prometheus-{name}")

    def statuses(self, incident: Incident) -> list[str]:
        return [sent["status"] for sent in self.receiver.notifications if sent["groupLabels"] == incident.group]

    def is_paged(self, incident: Incident) -> bool:
        return "firing" in self.statuses(incident)

    def is_resolved(self, incident: Incident) -> bool:
        return "resolved" in self.statuses(incident)

    def story(self) -> list[str]:
        """Every notification in a line, for a person to read when something is wrong."""
        return [f"{self.name}: {sent['status']} " + "; ".join(
            f"{alert['status']} {sorted(alert['labels'].items())}" for alert in sent["alerts"])
            for sent in self.receiver.notifications]


class Site:
    """The lab, a pair of redlines that watch it, a chain for the first of them alone and one for both."""

    def __init__(self, check: Check):
        self.check = check
        self.lab = Lab(check)
        self.lab.up()
        shipped = pathlib.Path(self.lab.does("config").strip()).read_text()
        # What a failover takes of a month is not what it takes of a month that passes ten times faster.
        watch = check.file("redline.yml", with_replaced(
            shipped, {"  environment: lab\n": "  environment: lab\n  poll_interval: 1s\n"}
            | {f"    kind: {kind}\n": f"    kind: {kind}\n    objectives: {{ availability: off }}\n"
               for kind in ("cache", "session")}
            # Nor do 10 s of lag pass faster: a replica that is cut off would be missing before it is late.
            | {"    kind: queue\n": "    kind: queue\n    objectives: { availability: off, replication_lag: 3s }\n"}))
        self.redlines = [
            exporters.redline(check, None, f"--config.file={watch}", f"--storage.path={check.folder}/{name}.db")
            for name in PAIR]
        self.alone = Chain(check, "alone", self.redlines[:1])
        self.pair = Chain(check, "pair", self.redlines)
        self.chains = [self.alone, self.pair]
        for chain, jobs in ((self.alone, PAIR[:1]), (self.pair, PAIR)):
            for job in jobs:
                check.until(lambda: chain.prometheus.value(
                    f'sum(min_over_time(redis_up{{job="{job}",workload!=""}}[6s]))') == MEMBERS, 60,
                    f"{chain.name}: {job} has every member up")

    def await_pages(self, seconds: float, *incidents: Incident) -> None:
        self._await(lambda chain, incident: chain.is_paged(incident), "pages", seconds, incidents)

    def await_resolution(self, seconds: float, *incidents: Incident) -> None:
        self._await(lambda chain, incident: chain.is_resolved(incident), "tells the end of", seconds, incidents)

    def _await(self, is_so, does: str, seconds: float, incidents: tuple[Incident, ...]) -> None:
        for incident in incidents:
            for chain in self.chains:
                self.check.until(lambda: is_so(chain, incident), seconds,
                                 f"{chain.name} {does} {incident}; it has sent {chain.story()}")

    # Faults

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

    def cache_replica(self) -> str:
        return next(name for name in self.lab.ports() if name.startswith("cache-")
                    and self.lab.ask(name, "ROLE")[0] == b"slave")


def check_one_page_for_each_fault(check: Check) -> None:
    site = Site(check)
    replica, old_master = site.cache_replica(), site.lab.master_of_sessions()
    evictions = Incident("RedisEvictionsForbidden", "queues", "queues-1")
    memory = Incident("RedisMemoryHigh", "queues", "queues-1")
    lag = Incident("RedisReplicationLagHigh", "queues", "queues-3", "warning")
    hung = Incident("RedisDown", "cache", replica)
    failover = Incident("RedisFailover", "sessions")
    # What cuts the replica off: its password is wrong.
    turned_away = Incident("RedisAuthFailures", "queues", "queues-1", "warning")
    killed = Incident("RedisDown", "queues", "queues-1")

    for chain in site.chains:
        check.equal(chain.prometheus.query('ALERTS{alertstate="firing"}'), [], f"{chain.name}: alerts of a healthy lab")
    site.evict("queues-1")
    site.cut_off("queues-3")
    site.fill("queues-1")
    site.lab.does("hang", replica)
    site.lab.does("kill", old_master)
    site.await_pages(30, failover)
    for chain in site.chains:
        check.until(lambda: not chain.prometheus.query('ALERTS{alertname="RedisDown",workload="sessions"}'), 15,
                    f"{chain.name}: RedisDown leaves the old master to RedisFailover")
    site.lab.does("heal", "sessions", seconds=HEAL_SECONDS)
    site.await_pages(90, evictions, lag, turned_away, hung, memory)

    site.empty("queues-1")
    site.join("queues-3")
    site.lab.does("heal", replica, seconds=HEAL_SECONDS)
    site.await_resolution(60, lag, turned_away, hung)
    # A master that nobody replaces, whose replicas fall behind: one page of it, too.
    site.lab.does("kill", "queues-1")
    site.await_pages(75, killed)
    series_are_whole(check, site.pair)
    # What the pair has told does not depend on both.
    site.redlines[1].signal(signal.SIGKILL)
    site.await_resolution(60, memory, failover, evictions)
    site.lab.does("heal", "queues", seconds=HEAL_SECONDS)
    site.await_resolution(60, killed)

    incidents = [evictions, memory, lag, turned_away, hung, failover, killed]
    for chain in site.chains:
        check.none(chain.prometheus.ailing_rules(), f"{chain.name}: rules that cannot be evaluated")
        one_page_each(check, chain, incidents)


def one_page_each(check: Check, chain: Chain, incidents: list[Incident]) -> None:
    for incident in incidents:
        check.equal(chain.statuses(incident), ["firing", "resolved"], f"{chain.name}: what is sent of {incident}")
    for sent in chain.receiver.notifications:
        check.equal([alert["labels"] for alert in sent["alerts"]],
                    [incident.labels for incident in incidents if incident.group == sent["groupLabels"]],
                    f"{chain.name}: the alerts of a page, among {chain.story()}")
        check.that(all(alert["annotations"]["summary"] for alert in sent["alerts"]), "a page says what it is about")


def series_are_whole(check: Check, chain: Chain) -> None:
    """Each redline of a pair writes its own series: none is written twice, none jumps between two daemons' values."""
    prometheus = chain.prometheus
    for trouble in ("duplicate_timestamp", "out_of_order", "out_of_bounds"):
        page = http.get(prometheus.port).text
        found = re.search(rf"^prometheus_target_scrapes_sample_{trouble}_total (\S+)$", page, re.MULTILINE)
        check.equal(found and found[1], "0", f"samples that are refused: {trouble}")
    check.that("Error on ingesting" not in prometheus.output(), "Prometheus complains about samples")
    for family, count in (("redis_up", MEMBERS), ("redis_workload_info", 3), ("redis_failovers_total", 9)):
        seen = {labels["job"]: value for labels, value in
                prometheus.query(f'count by (job) ({family}{{workload!=""}})')}
        check.equal(seen, {job: count for job in PAIR}, f"series of {family} by job")
    # The daemon's own count of polls: two that write into one series take it back and forth.
    resets = prometheus.value('sum(resets(redis_exporter_scrapes_total{workload!=""}[10m]))')
    check.equal(resets, 0, "counters that were set back")
    steps = prometheus.query('changes(redis_failovers_total{workload="sessions",kind="automatic"}[10m])')
    check.equal({labels["job"]: value for labels, value in steps}, dict.fromkeys(PAIR, 1), "steps of the failovers")


def check_pages_of_alerts(check: Check) -> None:
    """How alerts become pages: by kind and workload, and not where another alert is the cause."""
    receiver = Receiver(check)
    alertmanager = shipped_alertmanager(check, "alertmanager", receiver)
    down = [Incident("RedisDown", "cache", instance).labels for instance in ("cache-1", "cache-2")]
    failover = Incident("RedisFailover", "sessions").labels
    elsewhere = Incident("RedisDown", "sessions", "sessions-3").labels | {"environment": "another"}
    lags = [Incident("RedisReplicationLagHigh", workload, f"{workload}-3", "warning").labels
            for workload in ("cache", "sessions", "queues")]
    began = time.monotonic()
    alertmanager.receive(*down, failover, elsewhere, *lags)
    check.until(lambda: len(receiver.notifications) == 4, 20, "four pages")
    check.that(time.monotonic() - began >= 30 / HASTE - 0.5, "all but the failover wait for others of their kind")
    check.equal(sorted(labels["workload"] for labels in alertmanager.inhibited()), ["cache", "sessions"],
                "lags whose cause is told")
    first, *rest = [[alert["labels"] for alert in sent["alerts"]] for sent in receiver.notifications]
    check.equal(first, [failover], "the first page")
    for page in (down, [elsewhere], [lags[2]]):
        check.that(page in rest, f"{page} is no page, among {rest}")


def check_planned_work_pages_nobody(check: Check) -> None:
    """A maintenance window holds back what it brings about; servers without a workload hold nothing back of each other."""
    receiver = Receiver(check)
    alertmanager = shipped_alertmanager(check, "alertmanager", receiver)
    work = {"environment": "lab", "workload": "sessions"}
    held = Incident("RedisDown", "sessions", "sessions-2").labels
    slots = work | {"alertname": "RedisSlotsUncovered", "severity": "critical"}
    down = {"alertname": "RedisDown", "instance": "10.0.0.1:6379", "severity": "critical"}
    lag = {"alertname": "RedisReplicationLagHigh", "instance": "10.0.0.2:6379", "severity": "warning"}
    alertmanager.receive(
        work | {"alertname": "RedisMaintenance", "severity": "info"},
        work | {"alertname": "RedisFailover", "master_name": "sessions", "severity": "info", "maintenance": "true"},
        {"alertname": "Watchdog", "severity": "none"}, held, slots, down, lag)
    check.until(lambda: len(receiver.notifications) >= 3, 20, "three pages")
    # Long enough for one more group.
    time.sleep(60 / HASTE)
    pages = [[alert["labels"] for alert in sent["alerts"]] for sent in receiver.notifications]
    for labels in (slots, down, lag):
        check.that([labels] in pages, f"{labels} is no page, among {pages}")
    check.equal(len(pages), 3, f"pages, which are {pages}")
    check.equal(alertmanager.inhibited(), [held], "alerts that the window holds back")
