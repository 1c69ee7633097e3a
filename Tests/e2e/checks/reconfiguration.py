"""Rules, a history and Alertmanagers that come and go while redline runs, and what it keeps of alerts for people."""

import json
import pathlib
import signal
import sqlite3

from harness import exporters, http, servers
from harness.check import Check
from harness.monitoring import Alertmanager

TIMEOUT_SECONDS = 120

RULES = """
groups:
- name: changes
  interval: 1s
  rules:
  - record: carts:up
    expr: redis_up
  - alert: ServerGone
    expr: redis_up == 0
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} is <gone>"}
"""


class Setting:
    """One server, and a redline whose configuration file is written anew again and again."""

    def __init__(self, check: Check, *blocks: str):
        self.check = check
        self.server = servers.RedisServer(check)
        self.rules = check.file("rules.yml", RULES)
        self.path = check.folder / "redline.yml"
        self.storage = pathlib.Path(f"{check.folder}/redline.db")
        self.write(*blocks)
        self.redline = exporters.redline(
            check, None, f"--config.file={self.path}", f"--storage.path={self.storage}")

    @property
    def rules_block(self) -> str:
        return f"rules: {{files: [{self.rules.name}], scrape_interval: 1s, interval: 1s, watchdog: false}}"

    def write(self, *blocks: str) -> None:
        self.path.write_text("\n".join((
            "defaults: {poll_interval: 1s}",
            f"workloads: [{{name: carts, kind: cache, seeds: ['127.0.0.1:{self.server.port}']}}]") + blocks) + "\n")

    def reload(self, *blocks: str) -> None:
        self.write(*blocks)
        answer = self.redline.get("/-/reload", method="POST")
        self.check.equal((answer.status, answer.text), (200, "ok"), f"reload with {blocks}")

    def samples(self, query: str) -> list[dict]:
        answer = self.redline.get(f"/api/v1/query?query={query}")
        return json.loads(answer.text)["data"]["result"] if answer.status == 200 else []


def check_blocks_come_and_go_while_it_runs(check: Check) -> None:
    setting = Setting(check)
    redline = setting.redline
    check.until(lambda: "redis_up{" in redline.get().text, 10, "the server is watched")
    answer = redline.get("/api/v1/query?query=redis_up")
    check.equal((answer.status, json.loads(answer.text)["errorType"]), (404, "not_found"), "nothing is kept")
    check.that("exporter_rule_group" not in redline.get().text, "no metrics of rules that there are not")
    check.that("No history is kept here" in redline.get(f"/node/127.0.0.1%3A{setting.server.port}").text, "the node page")

    setting.reload(setting.rules_block)
    check.until(lambda: setting.samples("carts:up"), 20, "rules are evaluated")
    check.that("redis_exporter_rule_group_rules{" in redline.get().text, "their metrics")
    check.that("ServerGone" in redline.get("/rules").text, "the page of rules")
    check.that("exporter_notifications_alertmanagers_discovered" not in redline.get().text, "nobody is told")

    setting.server.process.signal(signal.SIGKILL)
    check.until(lambda: setting.samples('ALERTS{alertstate="firing"}'), 20, "it fires")
    alertmanager = Alertmanager(check, "route: {receiver: none}\nreceivers: [{name: none}]\n")
    alerting = f"alerting: {{alertmanagers: [{{url: 'http://{alertmanager.address}'}}], resend_delay: 1s}}"
    setting.reload(setting.rules_block, alerting)
    check.until(lambda: json.loads(http.get(alertmanager.port, "/api/v2/alerts").text), 20, "an Alertmanager is told")

    # The rule that records is gone: its series ends at once, and the alert fires on from when it began.
    began = setting.samples("ALERTS_FOR_STATE")[0]["value"][1]
    setting.rules.write_text(RULES.replace("  - record: carts:up\n    expr: redis_up\n", ""))
    setting.reload(setting.rules_block, alerting, "history: {retention: 1h}")
    check.until(lambda: not setting.samples("carts:up"), 5, "the recorded series is stale")
    check.equal([one["value"][1] for one in setting.samples("ALERTS_FOR_STATE")], [began], "since when the alert is active")

    setting.reload("history: {retention: 1h}")
    check.until(lambda: setting.samples("redis_exporter_build_info"), 20, "all series are kept for queries")
    check.equal(setting.samples("ALERTS"), [], "the alert's series is stale")
    check.equal(json.loads(redline.get("/api/v1/rules").text)["data"]["groups"], [], "no rules")
    check.until(lambda: "exporter_notifications_alertmanagers_discovered" not in redline.get().text, 10,
                "nobody is told any more")
    setting.reload()
    check.equal(redline.get("/api/v1/query?query=redis_up").status, 404, "nothing is kept any more")
    redline.signal(signal.SIGTERM)
    check.equal(redline.wait(15), 0, "how redline ends")


def check_alerts_are_events_and_notifications_are_kept(check: Check) -> None:
    alertmanager = Alertmanager(check, "route: {receiver: none}\nreceivers: [{name: none}]\n")
    alerting = f"alerting: {{alertmanagers: [{{url: 'http://{alertmanager.address}'}}], resend_delay: 1s}}"
    setting = Setting(check)
    setting.reload(setting.rules_block, alerting)
    redline = setting.redline
    check.until(lambda: setting.samples("redis_up"), 20, "the server is judged")
    setting.server.process.signal(signal.SIGKILL)
    check.until(lambda: "<b>alert fired</b>" in redline.get("/events").text, 20, "an event tells of the alert")
    events = redline.get("/events?kind=alert_fired&workload=carts").text
    instance = f"127.0.0.1:{setting.server.port}"
    check.that(f"ServerGone: {instance} is &lt;gone&gt;" in events, f"its summary: {events[-2000:]}")
    check.that('<li class="bad">' in events, "a critical alert is grave")
    sent = "redis_exporter_notifications_sent_total"
    check.until(lambda: sum(redline.page().named(sent).values()) >= 3, 20, "it is told again and again")
    setting.server.restart()
    check.until(lambda: "<b>alert resolved</b>" in redline.get("/events").text, 20, "an event tells of the end")
    check.that("<b>alert resolved</b>" in redline.get(f"/node/{instance.replace(':', '%3A')}").text, "so does the node page")

    def kept() -> list[tuple]:
        with sqlite3.connect(f"file:{setting.storage}?mode=ro", uri=True) as database:
            return database.execute("SELECT state, alertname, alertmanager, outcome, startsat_ms, endsat_ms IS NULL "
                                    "FROM notifications ORDER BY id").fetchall()

    check.until(lambda: len(kept()) >= 2, 20, "what the Alertmanager was told is kept")
    records = kept()
    check.equal([record[:4] for record in records], [
        (state, "ServerGone", f"http://{alertmanager.address}", "accepted") for state in ("firing", "resolved")],
        "each change once")
    check.equal(records[0][4], records[1][4], "the start of the episode")
    check.equal([record[5] for record in records], [1, 0], "only what is over has an end")
    page = redline.page()
    for name in ("events", "notifications", "points"):
        check.equal(list(page.named(f"redis_exporter_storage_dropped_{name}_total").values()), [0], f"dropped {name}")
    redline.signal(signal.SIGTERM)
    check.equal(redline.wait(15), 0, "how redline ends")
