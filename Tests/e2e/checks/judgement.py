"""Rules inside the daemon: from a server's loss to a page by a real Alertmanager, of one redline and of a pair."""

import signal
import time

from harness import servers
from harness.check import Check
from harness.judging import Judge, workload
from harness.monitoring import Receiver, telling_at_once

TIMEOUT_SECONDS = 120

RULES = """
groups:
- name: judgement
  interval: 2s
  rules:
  - alert: ServerGone
    expr: redis_up == 0
    for: 3s
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} of {{ $labels.workload }} is gone"}
"""


class Site:
    """A server, an Alertmanager, and who gets the pages."""

    def __init__(self, check: Check):
        self.check = check
        self.server = servers.RedisServer(check)
        self.receiver = Receiver(check)
        self.alertmanager = telling_at_once(check, self.receiver)

    def redline(self, name: str) -> Judge:
        judge = Judge(self.check, [workload(self.server)], RULES, self.alertmanager.url, name=name).start()
        judge.await_samples()
        return judge


def check_from_loss_to_page(check: Check) -> None:
    site = Site(check)
    judge = site.redline("one")
    site.server.process.signal(signal.SIGKILL)
    killed = time.monotonic()
    check.until(lambda: judge.states() == [("ServerGone", "pending")], 10, "the alert is pending", pause=0.02)
    took = time.monotonic() - killed
    # About a second here; a machine that is busy takes longer.
    check.that(took < 6, f"pending within 6 s of the kill, not {took:.2f} s")
    check.until(site.alertmanager.alerts, 10, "the alert reaches the Alertmanager")
    alert = site.alertmanager.alerts()[0]
    check.equal(alert["labels"], {
        "alertname": "ServerGone", "instance": f"127.0.0.1:{site.server.port}", "job": "redline",
        "severity": "critical", "workload": "carts"}, "its labels")
    link = alert["annotations"].pop("evidence_url")
    check.equal(alert["annotations"], {"summary": f"127.0.0.1:{site.server.port} of carts is gone"}, "its summary")
    check.that("/evidence/" in link, f"a link to what was gathered: {link}")
    site.server.restart()
    check.until(lambda: site.receiver.told() == ["firing", "resolved"], 20, "the end arrives")
    judge.process.signal(signal.SIGTERM)
    check.equal(judge.process.wait(15), 0, "how redline ends")


def check_two_daemons_page_once(check: Check) -> None:
    """Both send the same alert, which is one to the Alertmanager."""
    site = Site(check)
    pair = [site.redline("one"), site.redline("two")]
    site.server.process.signal(signal.SIGKILL)
    for judge in pair:
        check.until(lambda: judge.states() == [("ServerGone", "firing")], 20, "both fire")
        check.until(lambda: judge.figure("redis_exporter_notifications_sent_total") > 0, 10, "both have told")
    check.equal(len(site.alertmanager.alerts()), 1, "alerts at the Alertmanager")
    pair[0].kill()
    time.sleep(3)
    check.equal(site.receiver.told(), ["firing"], "the pages, one of the pair lost")
