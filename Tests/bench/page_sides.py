"""The two that are compared by `page.py`: Redline, and Prometheus with redis_exporter, each with all that it needs."""

import json
import pathlib
import re
import time
import urllib.parse

from checks.alert_rules import ALERTS
from harness import exporters, http
from harness.check import Check
from harness.lab import Lab
from harness.monitoring import Alertmanager, Prometheus, Receiver

INTERVAL_SECONDS = 15
# Groups of Prometheus' rules that differ in nothing but when they have their turn.
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

Labels = dict[str, str]


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
