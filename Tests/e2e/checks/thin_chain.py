"""From a fault to its page: redline on the lab, Debian's Prometheus and Alertmanager with the shipped files, a webhook.

Each fault gives one page, which resolves: with one redline, and with a pair that watches the same fleet.
"""

import pathlib
import re
import signal
import time

from harness import exporters, http, shipped
from harness.check import Check
from harness.faults import Faults
from harness.incidents import Incident, Pages
from harness.lab import Lab
from harness.monitoring import Prometheus, Receiver
from harness.paths import ROOT
from harness.shipped import with_replaced

WAITS = True
TIMEOUT_SECONDS = 400
PAIR = ("redline", "redline-b")
MEMBERS = 12
HEAL_SECONDS = 75


class Chain(Pages):
    """Prometheus that scrapes some redlines, its Alertmanager, and the pages that come out."""

    def __init__(self, check: Check, name: str, redlines: list[exporters.Exporter]):
        super().__init__(check, name)
        rules = shipped.rules(check, f"{name}/alerts")
        config = (ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text()
        if len(redlines) == 1:
            config = config.partition("- job_name: redline-b")[0]
        addresses = {f"localhost:{9121 + index}": f"127.0.0.1:{redline.port}" for index, redline in enumerate(redlines)}
        config = with_replaced(config, addresses | {
            "localhost:9093": self.alertmanager.address, "../../alerts/*.yml": str(rules / "*.yml"),
            "scrape_interval: 15s": "scrape_interval: 2s", "evaluation_interval: 15s": "evaluation_interval: 1s"})
        self.prometheus = Prometheus(check, config, f"prometheus-{name}")


class Site:
    """The lab, a pair of redlines that watch it, a chain for the first of them alone and one for both."""

    def __init__(self, check: Check):
        self.lab = Lab(check)
        self.lab.up()
        self.faults = Faults(check, self.lab)
        config = pathlib.Path(self.lab.does("config").strip()).read_text()
        # What a failover takes of a month is not what it takes of a month that passes ten times faster.
        watch = check.file("redline.yml", with_replaced(
            config, {"  environment: lab\n": "  environment: lab\n  poll_interval: 1s\n"}
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
        for chain in self.chains:
            chain.await_pages(seconds, *incidents)

    def await_resolution(self, seconds: float, *incidents: Incident) -> None:
        for chain in self.chains:
            chain.await_resolution(seconds, *incidents)


def check_one_page_for_each_fault(check: Check) -> None:
    site = Site(check)
    replica, old_master = site.faults.cache_replica(), site.lab.master_of_sessions()
    evictions = Incident("RedisEvictionsForbidden", "queues", "queues-1")
    memory = Incident("RedisMemoryHigh", "queues", "queues-1")
    lag = Incident("RedisReplicationLagHigh", "queues", "queues-3", "warning")
    hung = Incident("RedisDown", "cache", replica)
    failover = Incident("RedisFailover", "sessions", master_name="sessions")
    # What cuts the replica off: its password is wrong.
    turned_away = Incident("RedisAuthFailures", "queues", "queues-1", "warning")
    killed = Incident("RedisDown", "queues", "queues-1")

    for chain in site.chains:
        check.equal(chain.prometheus.query('ALERTS{alertstate="firing"}'), [], f"{chain.name}: alerts of a healthy lab")
    site.faults.evict("queues-1")
    site.faults.cut_off("queues-3")
    site.faults.fill("queues-1")
    site.lab.does("hang", replica)
    site.lab.does("kill", old_master)
    site.await_pages(30, failover)
    for chain in site.chains:
        check.until(lambda: not chain.prometheus.query('ALERTS{alertname="RedisDown",workload="sessions"}'), 15,
                    f"{chain.name}: RedisDown leaves the old master to RedisFailover")
    site.lab.does("heal", "sessions", seconds=HEAL_SECONDS)
    site.await_pages(90, evictions, lag, turned_away, hung, memory)

    site.faults.empty("queues-1")
    site.faults.join("queues-3")
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
        chain.are_one_for_each(incidents)


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
    alertmanager = shipped.alertmanager(check, "alertmanager", receiver)
    down = [Incident("RedisDown", "cache", instance).labels for instance in ("cache-1", "cache-2")]
    failover = Incident("RedisFailover", "sessions", master_name="sessions").labels
    elsewhere = Incident("RedisDown", "sessions", "sessions-3").labels | {"environment": "another"}
    lags = [Incident("RedisReplicationLagHigh", workload, f"{workload}-3", "warning").labels
            for workload in ("cache", "sessions", "queues")]
    began = time.monotonic()
    alertmanager.receive(*down, failover, elsewhere, *lags)
    check.until(lambda: len(receiver.notifications) == 4, 20, "four pages")
    check.that(time.monotonic() - began >= 30 / shipped.HASTE - 0.5, "all but the failover wait for others of their kind")
    check.equal(sorted(labels["workload"] for labels in alertmanager.inhibited()), ["cache", "sessions"],
                "lags whose cause is told")
    first, *rest = [[alert["labels"] for alert in sent["alerts"]] for sent in receiver.notifications]
    check.equal(first, [failover], "the first page")
    for page in (down, [elsewhere], [lags[2]]):
        check.that(page in rest, f"{page} is no page, among {rest}")


def check_planned_work_pages_nobody(check: Check) -> None:
    """A maintenance window holds back what it brings about; servers without a workload hold nothing back of each other."""
    receiver = Receiver(check)
    alertmanager = shipped.alertmanager(check, "alertmanager", receiver)
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
    time.sleep(60 / shipped.HASTE)
    pages = [[alert["labels"] for alert in sent["alerts"]] for sent in receiver.notifications]
    for labels in (slots, down, lag):
        check.that([labels] in pages, f"{labels} is no page, among {pages}")
    check.equal(len(pages), 3, f"pages, which are {pages}")
    check.equal(alertmanager.inhibited(), [held], "alerts that the window holds back")
