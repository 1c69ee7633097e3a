"""The files of deploy/ for Prometheus, Alertmanager and Grafana do what they say, on the lab."""

import json
import pathlib
import re
import subprocess
import time

from harness import exporters, grafana, http
from harness.check import Check
from harness.lab import Lab
from harness.monitoring import Alertmanager, Prometheus, Receiver
from harness.paths import ROOT, tool
from harness.shipped import hastened_routes, with_replaced

TIMEOUT_SECONDS = 150
MEMBERS = 12
SENTINELS = 3
PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana" / "provisioning"


def told_by(check: Check, program: str, *arguments: str) -> str:
    told = subprocess.run([tool(program), *arguments], capture_output=True, text=True, timeout=60)
    words = " ".join(arguments)
    check.equal(told.returncode, 0, f"{program} {words} exits ({told.stdout[-2000:]}{told.stderr[-2000:]})")
    return told.stdout


def check_tools_accept_every_file(check: Check) -> None:
    files = sorted(PROMETHEUS.glob("*.yml"))
    check.equal([path.stem for path in files],
                ["federation", "multi-target", "prometheus", "remote-write", "service-discovery"], "its files")
    for path in files:
        # That one names the password's file of whoever uses it; all but its being there is checked.
        told_by(check, "promtool", "check", "config", "--syntax-only", str(path))
        if path.stem != "remote-write":
            told_by(check, "promtool", "check", "config", str(path))
    alertmanager = str(ROOT / "deploy" / "alertmanager" / "alertmanager.yml")
    told_by(check, "amtool", "check-config", alertmanager)
    for labels, receiver in ((("alertname=Watchdog", "severity=none"), "heartbeat"),
                             (("alertname=RedlineWatchdog", "severity=none"), "heartbeat"),
                             (("alertname=RedlineTest", "severity=none"), "nobody"),
                             (("alertname=RedlineTest", "severity=critical"), "pages"),
                             (("alertname=RedlineAbsent", "severity=critical"), "pages"),
                             (("alertname=RedisDown", "severity=critical"), "pages"),
                             (("alertname=RedisHitRatioLow", "severity=warning"), "tickets"),
                             (("alertname=RedisMaintenance", "severity=info"), "nobody")):
        routed = told_by(check, "amtool", "config", "routes", "test", f"--config.file={alertmanager}", *labels)
        check.equal(routed.strip(), receiver, f"who gets {labels}")


def check_snippets_of_documents(check: Check) -> None:
    """Each snippet of YAML in deploy/README.md is a part of a file that the tools accept."""
    shipped = [path.read_text() for path in (ROOT / "deploy").rglob("*.yml")]
    text = (ROOT / "deploy" / "README.md").read_text()
    snippets = re.findall(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    check.that(len(snippets) >= 3, "the document has snippets")
    check.none([snippet for snippet in snippets if not any(snippet in file for file in shipped)],
               "snippets that stand in no file")
    named = set(re.findall(r"`((?:prometheus|alertmanager|grafana)/[\w./-]+)`", text))
    check.equal(sorted(name for name in named if not (ROOT / "deploy" / name).exists()), [], "files that there are not")


def check_provisioning_of_grafana(check: Check) -> None:
    """There is no Grafana here: the keys that it needs are there, and both data sources can be told apart."""
    text = (GRAFANA / "datasources" / "redline.yml").read_text()
    check.equal(re.findall(r"^- name: (.+)$", text, re.MULTILINE), ["Prometheus", "Redline"], "data sources")
    check.equal(re.findall(r"^  type: (.+)$", text, re.MULTILINE), ["prometheus"] * 2, "types of data sources")
    check.equal(len(set(re.findall(r"^  uid: (.+)$", text, re.MULTILINE))), 2, "uids of data sources")
    interval = re.search(r"scrape_interval: (\w+)", (PROMETHEUS / "prometheus.yml").read_text())[1]
    check.equal(re.findall(r"^    timeInterval: (.+)$", text, re.MULTILINE), [interval] * 2, "intervals")
    providers = (GRAFANA / "dashboards" / "redline.yml").read_text()
    check.that(re.search(r"^    path: /\S+$", providers, re.MULTILINE), "a folder of dashboards")
    # What the data source is called is for whoever provisions it: dashboards take any.
    check.that("redline-prometheus" not in "".join(path.read_text() for path in grafana.FOLDER.glob("*.json")),
               "dashboards name no data source of their own")


def check_watchdog_reaches_the_dead_mans_switch(check: Check) -> None:
    """Time and again, alone, and nobody is paged for it."""
    switch, pages = Receiver(check), Receiver(check)
    shipped = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
    alertmanager = Alertmanager(check, with_replaced(
        hastened_routes(shipped), {"http://localhost:5001/": pages.url, "http://localhost:5002/": switch.url}))
    began = time.monotonic()
    while len(switch.notifications) < 3:
        check.that(time.monotonic() - began < 40, f"{len(switch.notifications)} heartbeats within 40 s")
        alertmanager.receive({"alertname": "Watchdog", "severity": "none"})
        time.sleep(1)
    check.equal({alert["labels"]["alertname"] for sent in switch.notifications for alert in sent["alerts"]},
                {"Watchdog"}, "what the switch hears of")
    check.equal(pages.notifications, [], "pages")


def check_each_way_of_scraping(check: Check) -> None:
    """Directly, target by target, and by service discovery: the same members by the same names."""
    lab = Lab(check)
    lab.up()
    config = pathlib.Path(lab.does("config").strip())
    ports = lab.ports()
    sessions = f"redis://127.0.0.1:{ports['sessions-1']}"
    passwords = check.file("passwords.json", json.dumps({sessions: lab.password()}))
    redline = exporters.redline(check, None, f"--config.file={config}")
    # Whoever comes from redis_exporter has no such file.
    plain = exporters.redline(check, "", f"--redis.password-file={passwords}")
    check.until(lambda: len(json.loads(redline.get("/sd").text)) == MEMBERS + SENTINELS, 30, "/sd lists the members")

    def prometheus(name: str, exporter: exporters.Exporter, changes: dict[str, str]) -> Prometheus:
        shipped = (PROMETHEUS / f"{name}.yml").read_text()
        quick = {"scrape_interval: 15s": "scrape_interval: 1s", "localhost:9121": f"127.0.0.1:{exporter.port}"}
        return Prometheus(check, with_replaced(shipped, quick | changes), name)

    discovered = prometheus("service-discovery", redline, {"refresh_interval: 30s": "refresh_interval: 1s"})
    by_target = prometheus("multi-target", plain, {
        "redis://cache-1.internal:6379": f"redis://127.0.0.1:{ports['cache-1']}",
        "redis://cache-2.internal:6379": f"redis://127.0.0.1:{ports['cache-2']}",
        "rediss://sessions-1.internal:6380": sessions})
    names = {(workload, f"{workload}-{number}") for workload, count in (("cache", 6), ("sessions", 3), ("queues", 3))
             for number in range(1, count + 1)}

    def up(server: Prometheus, matchers: str) -> list[tuple[str, str]]:
        return [(labels["workload"], labels["instance"]) for labels, value in
                server.query(f"redis_up{{{matchers}}}") if value == 1]

    check.until(lambda: sorted(up(discovered, 'workload!=""')) == sorted(names), 30,
                "each discovered member is up, once")
    check.equal({labels["environment"] for labels, _ in discovered.query('redis_up{workload!=""}')}, {"lab"},
                "environments")
    check.until(lambda: discovered.query("redis_exporter_build_info"), 20, "the daemon is known")
    check.equal(discovered.query('redis_up{job="redline"}'), [], "members in the job of the daemon")
    for server in (discovered, by_target):
        twice = server.query('count by (__name__) ({exported_instance!=""} or {exported_workload!=""})')
        check.equal(twice, [], f"{server.name}: series with labels that stand against each other")
    check.until(lambda: sorted(up(by_target, "")) == sorted([
        ("cache", f"127.0.0.1:{ports['cache-1']}"), ("cache", f"127.0.0.1:{ports['cache-2']}"),
        ("sessions", f"127.0.0.1:{ports['sessions-1']}")]), 30, f"three targets ({by_target.query('redis_up')})")
    page = http.get(discovered.port).text
    check.that('prometheus_target_scrapes_sample_duplicate_timestamp_total 0' in page, "samples that come twice")


def check_federation(check: Check) -> None:
    """The upper Prometheus has what is known of workloads, by the jobs of a pair, and nothing of single commands."""
    lab = Lab(check)
    lab.up()
    config = pathlib.Path(lab.does("config").strip())
    pair = [exporters.redline(check, None, f"--config.file={config}", f"--storage.path={check.folder}/{name}.db")
            for name in ("a", "b")]
    shipped = (PROMETHEUS / "prometheus.yml").read_text()
    below = Prometheus(check, with_replaced(shipped, {
        "localhost:9121": f"127.0.0.1:{pair[0].port}", "localhost:9122": f"127.0.0.1:{pair[1].port}",
        "../../alerts": str(ROOT / "alerts"), "scrape_interval: 15s": "scrape_interval: 1s",
        "evaluation_interval: 15s": "evaluation_interval: 1s"}), "below")
    above = Prometheus(check, with_replaced((PROMETHEUS / "federation.yml").read_text(), {
        "'prometheus-a.internal:9090', 'prometheus-b.internal:9090'": f"'{below.address}'",
        "scrape_interval: 30s": "scrape_interval: 1s"}), "above")
    check.until(lambda: {labels["job"]: value for labels, value in above.query("count by (job) (redis_workload_info)")}
                == {"redline": 3, "redline-b": 3}, 40, "each of a pair tells of three workloads")
    check.until(lambda: {labels["alertname"] for labels, _ in above.query("ALERTS")} >= {"Watchdog"}, 20, "alerts come")
    check.until(lambda: above.query("instance:redis_master:bool"), 20, "what rules record comes")
    check.equal(above.query("redis_commands_total"), [], "series of single commands")
