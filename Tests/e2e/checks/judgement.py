"""Rules inside the daemon: from a server's loss to a real Alertmanager, and on through kills of the daemon itself."""

import json
import random
import signal
import time

from harness import exporters, http, servers
from harness.check import Check
from harness.monitoring import Alertmanager, Receiver

TIMEOUT_SECONDS = 180

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


class Chain:
    """A server, redlines that watch and judge it, an Alertmanager, and who gets the pages."""

    def __init__(self, check: Check):
        self.check = check
        self.server = servers.RedisServer(check)
        self.receiver = Receiver(check)
        self.alertmanager = Alertmanager(check, (
            "route: {receiver: people, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}\n"
            f"receivers: [{{name: people, webhook_configs: [{{url: '{self.receiver.url}', send_resolved: true}}]}}]\n"))
        self.rules = check.file("rules.yml", RULES)

    def redline(self, name: str = "one", wait: bool = True) -> exporters.Exporter:
        config = self.check.file(f"{name}.yml", (
            "defaults: {poll_interval: 1s}\n"
            f"workloads: [{{name: carts, kind: cache, seeds: ['127.0.0.1:{self.server.port}']}}]\n"
            f"rules: {{files: [{self.rules.name}], interval: 2s, scrape_interval: 1s, watchdog: false}}\n"
            f"alerting: {{alertmanagers: [{{url: 'http://{self.alertmanager.address}'}}]}}\n"))
        return exporters.redline(
            self.check, None, f"--config.file={config}", f"--storage.path={config.parent}/{name}.db", wait=wait)

    def alerts(self) -> list[dict]:
        """What the Alertmanager holds for firing now."""
        return json.loads(http.get(self.alertmanager.port, "/api/v2/alerts").text)

    def told(self) -> list[str]:
        """The states of the alerts of all notifications, in their order."""
        return [alert["status"] for one in self.receiver.notifications for alert in one["alerts"]]


def states(redline: exporters.Exporter) -> list[tuple[str, str]]:
    answer = json.loads(redline.get("/api/v1/alerts").text)
    return [(alert["labels"]["alertname"], alert["state"]) for alert in answer["data"]["alerts"]]


def check_kills_of_the_daemon_change_nothing(check: Check) -> None:
    """startsAt stays, nothing is resolved while the fault holds, and the end arrives when it has gone."""
    chain = Chain(check)
    redline = chain.redline()
    check.until(lambda: 'redis_up{' in redline.get().text, 10, "the server is watched")
    check.until(lambda: json.loads(redline.get("/api/v1/query?query=redis_up").text)["data"]["result"], 10, "and judged")
    chain.server.process.signal(signal.SIGKILL)
    killed = time.time()
    check.until(lambda: ("ServerGone", "pending") in states(redline), 10, "the alert is pending", pause=0.02)
    check.that(time.time() - killed < 3, f"pending within 3 s of the kill, not {time.time() - killed:.2f} s")
    chance = random.Random(5)
    redline.signal(signal.SIGKILL)
    redline.wait(5)
    redline = chain.redline()
    check.until(lambda: chain.alerts(), 30, "the alert reaches the Alertmanager")
    first = chain.alerts()[0]
    check.equal(first["labels"], {
        "alertname": "ServerGone", "instance": f"127.0.0.1:{chain.server.port}", "job": "redline",
        "severity": "critical", "workload": "carts"}, "its labels")
    check.equal(first["annotations"]["summary"], f"127.0.0.1:{chain.server.port} of carts is gone", "its summary")
    for _ in range(8):
        time.sleep(chance.uniform(0, 2))
        redline.signal(signal.SIGKILL)
        redline.wait(5)
        redline = chain.redline()
        check.equal([alert["startsAt"] for alert in chain.alerts()], [first["startsAt"]], "startsAt")
    check.until(lambda: states(redline) == [("ServerGone", "firing")], 10, "the alert fires after the last start")
    check.equal(chain.told(), ["firing"], "what people were told while the fault held")
    chain.server.restart()
    check.until(lambda: chain.told() == ["firing", "resolved"], 60, "the end arrives")
    redline.signal(signal.SIGTERM)
    check.equal(redline.wait(15), 0, "how redline ends")


def check_two_daemons_page_once(check: Check) -> None:
    """Both send the same alert, which is one to the Alertmanager."""
    chain = Chain(check)
    pair = [chain.redline("one"), chain.redline("two")]
    for redline in pair:
        check.until(lambda: json.loads(redline.get("/api/v1/query?query=redis_up").text)["data"]["result"], 10, "judged")
    chain.server.process.signal(signal.SIGKILL)
    for redline in pair:
        check.until(lambda: states(redline) == [("ServerGone", "firing")], 20, "both fire")
        check.until(lambda: sum(redline.page().named("redis_exporter_notifications_sent_total").values()) > 0, 10, "both have told")
    check.equal(len(chain.alerts()), 1, "alerts at the Alertmanager")
    pair[0].signal(signal.SIGKILL)
    time.sleep(3)
    check.equal(chain.told(), ["firing"], "the pages, one of the pair lost")
