"""Each threshold of the fleet, crossed for real and judged by the daemon itself: one page with the right words, one end.

The lab, the shipped rules and routes with their long waits cut, a real Alertmanager and a webhook behind it.
"""

import pathlib
import re

from harness import shipped
from harness.check import Check
from harness.faults import Faults, misses, writes
from harness.incidents import Incident, Pages
from harness.judging import HASTY, Daemon
from harness.lab import Lab
from harness.paths import ROOT
from harness.shipped import with_replaced

TIMEOUT_SECONDS = 420
WAITS = True

MEMBERS = 12
HEAL_SECONDS = 75
# Each second so many keys are written to a full node of the cache: usually, and when there is pressure.
USUAL, PRESSURE = 5, 60


class Site:
    """The lab, and a redline that watches and judges it."""

    def __init__(self, check: Check):
        self.check = check
        self.lab = Lab(check)
        self.lab.up()
        self.pages = Pages(check)
        rules = shipped.rules(check, "alerts")
        config = pathlib.Path(self.lab.does("config").strip()).read_text()
        # A month's allowance is not cut with the waits, nor are the ten seconds that a replica may be late.
        watch = check.file("redline.yml", with_replaced(config, {
            "  environment: lab\n": "  environment: lab\n  poll_interval: 1s\n",
            "    kind: cache\n": "    kind: cache\n    objectives: { availability: off }\n",
            "    kind: session\n": "    kind: session\n    objectives: { availability: off }\n",
            "    kind: queue\n": "    kind: queue\n    objectives: { availability: off, replication_lag: 3s }\n"})
            + f"rules: {{files: ['{rules}/*.yml'], {HASTY}, runbooks: '{ROOT}/alerts/runbooks'}}\n"
            + f"alerting: {{alertmanagers: [{{url: '{self.pages.alertmanager.url}'}}]}}\n")
        self.judge = Daemon(check, watch).start()
        self.judge.await_samples("redis_up==1", MEMBERS)

    def firing(self) -> list[str]:
        return sorted(name for name, state in self.judge.states() if state == "firing")


def check_every_threshold_is_told_once(check: Check) -> None:
    site = Site(check)
    faults, pages, lab = Faults(check, site.lab), site.pages, site.lab
    pressed, idle, full = *faults.cache_masters()[:2], "queues-1"
    memory = Incident("RedisMemoryHigh", "queues", full)
    ratio = Incident("RedisHitRatioLow", "cache", severity="warning")
    lag = Incident("RedisReplicationLagHigh", "queues", "queues-3", "warning")
    rejected = Incident("RedisConnectionsRejected", "queues", "queues-2")
    evictions = Incident("RedisEvictionsAboveBaseline", "cache", pressed, "warning")
    failover = Incident("RedisFailover", "sessions", master_name="sessions")
    # What cuts the replica off: its password is wrong.
    turned_away = Incident("RedisAuthFailures", "queues", full, "warning")
    incidents = [memory, ratio, lag, rejected, evictions, failover, turned_away]

    check.until(lambda: site.firing() == ["RedlineWatchdog"], 15, "a healthy lab has no alert")
    # A cache that is full and always evicts a little: that alone is no news.
    pressure = writes(check, lab, pressed, 400)
    check.until(lambda: faults.evicted(pressed) > 0, 30, f"{pressed} evicts")
    pressure.per_second = USUAL
    vain = misses(check, lab, idle, 200)
    faults.fill(full)
    faults.cut_off("queues-3")
    faults.exhaust("queues-2")
    lab.does("kill", lab.master_of_sessions())
    pages.await_pages(40, failover, rejected)
    lab.does("heal", "sessions", seconds=HEAL_SECONDS)
    usual = check.until(lambda: site.judge.ask(
        f"query?query=instance:redis_evicted_keys:rate5m_baseline{{instance='{pressed}'}}")["result"], 120, "a baseline")
    pages.await_pages(90, lag, turned_away, memory)
    check.that("RedisEvictionsAboveBaseline" not in [name for name, _ in site.judge.states()],
               f"evictions as usual are no news; usual is {usual}")
    pressure.per_second = PRESSURE
    faults.join("queues-3")
    faults.empty(full)
    pages.await_pages(150, ratio, evictions)
    vain.end()
    pressure.per_second = USUAL
    pages.await_resolution(120, *incidents)

    check.until(lambda: site.firing() == ["RedlineWatchdog"], 10, "all has ended")
    failed = {labels: value for labels, value in site.judge.process.page().named(
        "redis_exporter_rule_evaluation_failures_total").items() if value}
    check.equal(failed, {}, "evaluations that failed")
    pages.are_one_for_each(incidents)
    # What the page says is what was crossed, with the value of that moment.
    for incident, words, is_past in (
            (memory, rf"{full} of queues \(master\) uses ([\d.]+)% of its maxmemory of [\d.]+\wiB; the objective is 85%",
             lambda share: 85 < float(share) < 100),
            (ratio, r"cache has a hit ratio of ([\d.]+)%, below its objective of 80%", lambda share: float(share) < 80),
            (lag, r"queues-3 of queues is (.+)s behind its master; the objective is 3s",
             lambda lag: "m " in lag or float(lag) > 3),
            (rejected, r"queues-2 of queues has rejected (\d+) connections? within 5 minutes; maxclients is \d+",
             lambda count: int(count) > 0),
            (evictions, rf"{pressed} of cache evicts ([\d.]+) keys per second, more than twice the usual [\d.]+",
             lambda rate: float(rate) > 2 * float(usual[0]["value"][1])),
            (failover, r"sessions has failed over from (sessions-\d) to sessions-\d, automatic", lambda _: True)):
        page = pages.of(incident)[0]["alerts"][0]["annotations"]
        found = re.fullmatch(words, page["summary"])
        check.that(found and is_past(found[1]), f"the summary of {incident}: {page['summary']}")
        check.that(page["description"], f"{incident} says what it means")
        check.that(page["runbook_url"].startswith(
            f"http://127.0.0.1:{site.judge.process.port}/runbooks/{incident.alert}?workload="),
            f"where to read on: {page['runbook_url']}")
