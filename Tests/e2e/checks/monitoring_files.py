"""The files of deploy/ for Prometheus, Alertmanager and Grafana do what they say, on the lab."""

import base64
import json
import pathlib
import re
import subprocess
import time

import yaml

from harness import exporters, grafana, http
from harness.check import Check, Failed
from harness.lab import Lab
from harness.monitoring import Alertmanager, Mailbox, Prometheus, Receiver
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
                ["federation", "multi-target", "prometheus", "remote-write", "service-discovery", "shards"], "its files")
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


def tested(alert: str, **labels: str) -> dict:
    """An alert with the labels and texts that its rule gives, as the tests of rules expect them."""
    for file in sorted((ROOT / "alerts" / "tests").glob("*.yml")):
        for test in yaml.safe_load(file.read_text())["tests"]:
            for moment in test.get("alert_rule_test", []):
                for expected in moment["exp_alerts"]:
                    if moment["alertname"] == alert and labels.items() <= expected["exp_labels"].items():
                        return {"labels": expected["exp_labels"] | {"alertname": alert}, "annotations": expected["exp_annotations"],
                                "startsAt": "2024-01-15T03:12:04Z", "endsAt": "2099-01-01T00:00:00Z"}
    raise AssertionError(f"no test expects {alert} with {labels}")


class People:
    """An Alertmanager with the shipped file, whose last three receivers get pages and tickets alike, and what they got."""

    def __init__(self, check: Check):
        self.slack, self.pagerduty, self.mailbox = Receiver(check), Receiver(check), Mailbox(check)
        config = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())
        receivers = {receiver["name"]: receiver for receiver in config["receivers"]}
        config["global"] = {"pagerduty_url": self.pagerduty.url}
        config["templates"] = [str(ROOT / "deploy" / "alertmanager" / name) for name in config["templates"]]
        config["route"] |= {"group_wait": "200ms", "group_interval": "200ms"}
        for name, key, changes in (
                ("slack", "slack_configs", {"api_url_file": str(check.file("slack.url", self.slack.url))}),
                ("pagerduty", "pagerduty_configs", {"routing_key_file": str(check.file("pagerduty.key", "the-key\n"))}),
                # Loopback has no TLS here; what is shipped insists on it.
                ("email", "email_configs", {"smarthost": self.mailbox.address, "require_tls": False,
                                            "auth_password_file": str(check.file("smtp.password", "the-password"))})):
            shipped = receivers[name][key][0]
            check.that(changes.keys() - shipped.keys() <= {"require_tls"}, f"{name} takes its secret from a file: {shipped}")
            for receiver in ("pages", "tickets"):
                receivers[receiver].pop("webhook_configs", None)
                receivers[receiver][key] = [shipped | changes]
        self.alertmanager = Alertmanager(check, json.dumps(config))
        self.check = check

    def sent(self, status: str, title: str) -> tuple[dict, dict, tuple[str, str]]:
        """What Slack, PagerDuty and the mailbox got under a title: an attachment, an event, the mail's HTML and text."""
        def attachments() -> list[dict]:
            return [one for sent in self.slack.notifications for one in sent["attachments"] if one["title"] == title]

        def events() -> list[dict]:
            action = {"firing": "trigger", "resolved": "resolve"}[status]
            return [sent for sent in self.pagerduty.notifications
                    if sent["event_action"] == action and sent["payload"]["summary"] == title]

        def mails() -> list:
            return [mail for mail in self.mailbox.messages if mail["Subject"] == title]

        def have_come() -> bool:
            if not (attachments() and events() and mails()):
                raise Failed(self.titles())
            return True

        self.check.until(have_come, 20, f"all three hear of {title!r}")
        parts = {part.get_content_type(): part.get_content().replace("\r\n", "\n") for part in mails()[-1].walk() if not part.is_multipart()}
        return attachments()[-1], events()[-1], (parts["text/html"], parts["text/plain"])

    def titles(self) -> str:
        return (f"Slack {[one['title'] for sent in self.slack.notifications for one in sent['attachments']]}, PagerDuty "
                f"{[sent['payload']['summary'] for sent in self.pagerduty.notifications]}, mail "
                f"{[mail['Subject'] for mail in self.mailbox.messages]}; {self.alertmanager.output()[-2000:]}")


def check_what_people_read(check: Check) -> None:
    """Slack, PagerDuty and e-mail say what, where, since when, how much, what to do first and where to look; one and many."""
    people = People(check)
    down = tested("RedisDown", workload="q")
    down["annotations"]["degraded_mode"] = "each instance keeps what it needs in a store of its own (local)."
    alike = [tested("RedisDown", workload="s", instance=instance) for instance in ("old", "replica")]
    full = tested("RedisMemoryHigh", workload="s", instance="a")
    # As a Redline sends it that judges by itself.
    full["annotations"]["runbook_url"] += "?workload=s&node=a"
    odd = tested("RedisStreamGroupWithoutConsumer")
    odd["labels"]["group"] = "<!channel> & <b>"
    odd["annotations"]["summary"] = f"Group <!channel> & <b> of {odd['labels']['workload']} has no consumer"
    bare = {"labels": {"alertname": "Bare", "severity": "critical"}}
    lag = tested("RedisReplicationLagHigh")
    many = [lag | {"labels": lag["labels"] | {"workload": "many", "instance": f"replica-{number:02}"}} for number in range(1, 13)]
    people.alertmanager.receive_whole(down, *alike, full, odd, bare, *many)

    title = "CRITICAL q (e): only, last seen as master, is down: connect"
    attachment, event, (html, text) = people.sent("firing", title)
    step = "It takes no connection: see whether its process and its machine run."
    silence = "/#/silences/new?filter=%7Balertname%3D%22RedisDown%22%2Cenvironment%3D%22e%22%2Cworkload%3D%22q%22%7D"
    for name, said in (("Slack", attachment["text"]), ("PagerDuty", event["payload"]["custom_details"]["firing"]),
                       ("mail", text), ("mail's HTML", html)):
        for words in ("only of q in e", "03:12:04 UTC, Mon 15 Jan", "Its keys cannot be used until it is back", step,
                      "While Redis is lost: each instance keeps what it needs in a store of its own (local)."):
            check.that(words in said, f"{name} says {words!r}: {said}")
    links = {"Runbook": "http://redline:9121/runbooks/RedisDown?workload=q&node=only", "Status page": "http://redline:9121/workload/q",
             "Silence": silence}
    shown = {each["text"]: each["href"] for each in event["links"]}
    for word, url in links.items():
        check.that(shown[word].endswith(url), f"PagerDuty's link {word}: {shown}")
        check.that(re.search(rf"<[^|>]*{re.escape(url)}\|{word}>", attachment["text"]), f"Slack's link {word}: {attachment['text']}")
        check.that(re.search(rf"{word}: \S*{re.escape(url)}$", text, re.MULTILINE), f"the mail's link {word}: {text}")
        check.that(re.search(rf'href="[^"]*{re.escape(url)}">{word}</a>', html.replace("&amp;", "&")), f"the HTML's link {word}: {html}")
    check.equal((attachment["color"], attachment["title_link"], attachment["fallback"]),
                ("danger", "http://redline:9121/workload/q", title), "Slack's frame")
    check.equal((event["routing_key"], event["payload"]["severity"], event["payload"]["class"], event["payload"]["component"],
                 event["payload"]["group"], event["client_url"]),
                ("the-key", "critical", "RedisDown", "only", "q", "http://redline:9121/workload/q"), "PagerDuty's fields")
    check.that(base64.b64decode(people.mailbox.logins[0]).endswith(b"\0the-password"), "the password comes from its file")

    attachment, event, (html, text) = people.sent("firing", "CRITICAL s (e): 2 RedisDown: old, replica")
    for said in (attachment["text"], event["payload"]["custom_details"]["firing"], text, html):
        for alert in alike:
            summary = alert["annotations"]["summary"]
            check.that(said.count(summary) + said.count(summary.replace(" of s", "")) == 1, f"{summary!r} once in {said}")
            check.that(alert["annotations"]["description"] in said, f"each says what to do: {said}")
            own = f"/runbooks/RedisDown?workload=s&node={alert['labels']['instance']}"
            check.that(own in said.replace("&amp;", "&"), f"and links its own runbook: {said}")
    attachment, _, _ = people.sent("firing", "CRITICAL s (e): a (master) uses 82% of its maxmemory of 1000B; the objective is 80%")
    check.that("raise maxmemory" in attachment["text"], "the number and its limit are in the title, the step in the text")
    check.that("/runbooks/RedisMemoryHigh?workload=s&node=a|Runbook" in attachment["text"], f"its link stays: {attachment['text']}")
    check.equal(attachment["title_link"], "http://redline:9121/workload/s", "where its title leads")

    title = "WARNING many (e): 12 RedisReplicationLagHigh: replica-01, replica-02, replica-03, replica-04 and 8 more"
    attachment, event, (html, text) = people.sent("firing", title)
    for said in (attachment["text"], event["payload"]["custom_details"]["firing"], text, html):
        check.equal((said.count("since") + said.count("Since"), said.count("And 2 more.")), (10, 1), f"ten are enough: {said}")
        check.equal(said.count(lag["annotations"]["description"]), 1, f"what all have to do is said once: {said}")

    # Names of clients are text to each of them, never markup.
    attachment, event, (html, _) = people.sent("firing", f"WARNING {odd['labels']['workload']} (e): Group ‹!channel› & ‹b› has no consumer")
    check.that("<!channel>" not in json.dumps(attachment), f"nobody is called by a name of a group: {attachment}")
    check.that("<b>" not in html and "<!channel>" not in html, "names are no markup in HTML")
    check.equal((attachment["color"], event["payload"]["severity"]), ("warning", "warning"), "a ticket's severity")
    attachment, _, _ = people.sent("firing", "CRITICAL: Bare")
    check.that(attachment["text"].startswith("no single server or workload\nsince "), f"what names nothing says so: {attachment}")

    over = {"endsAt": "2024-01-15T03:16:24Z"}
    people.alertmanager.receive_whole(down | over, alike[1] | over)
    attachment, event, (html, text) = people.sent("firing", "CRITICAL s (e): old, last seen as master, is down")
    for said in (attachment["text"], event["payload"]["custom_details"]["resolved"], text, html):
        check.that("03:16:24" in said.partition("Resolved:")[2], f"what is over stands apart: {said}")
    check.that(attachment["text"].index("*old,") < attachment["text"].index("Resolved:"), "behind what is not")
    attachment, event, (html, text) = people.sent("resolved", "RESOLVED q (e): RedisDown on only")
    for name, said in (("Slack", attachment["text"]), ("PagerDuty", event["payload"]["custom_details"]["resolved"]),
                       ("mail", text), ("mail's HTML", html)):
        check.that("4m20s, until 03:16:24 UTC, Mon 15 Jan" in said, f"{name} says for how long: {said}")
        check.that("t said: only of q, last seen as master, is down: connect" in said, f"{name} quotes what was so: {said}")
        check.that(step not in said and "Silence" not in said, f"{name} asks for nothing: {said}")
    check.equal(attachment["color"], "good", "Slack's colour")


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
