"""The API about the fleet and its events: as their schemas say, as the pages show it, with rules and without."""

import html
import json
import pathlib
import re
import signal
import subprocess
import urllib.parse

from harness import exporters, http, schema, servers, start_page
from harness.check import Check
from harness.judging import HASTY, Judge
from harness.passwords import bcrypt_hash
from harness.paths import REDLINE, ROOT

TIMEOUT_SECONDS = 120
SCHEMAS = ROOT / "deploy" / "docs" / "api"

RULES = """
groups:
  - name: fleet
    interval: 1s
    rules:
      - alert: Setup
        expr: redis_up == 1
        labels: {severity: critical, posture: "true"}
        annotations: {summary: "{{ $labels.instance }} is set up <oddly>"}
      - alert: Quiet
        expr: redis_up == 1
        labels: {severity: none}
      - alert: Waiting
        expr: redis_up == 1
        for: 1h
        labels: {severity: critical}
      - alert: Crowded
        expr: redis_config_maxclients == 77
        labels: {severity: warning}
        annotations: {summary: "77 clients at most"}
      - alert: Full
        expr: redis_config_maxclients == 78
        labels: {severity: critical}
"""


def asked(check: Check, exporter: exporters.Exporter, path: str, status: int = 200):
    """The data of an answer, which is as its schema says."""
    answer = http.get(exporter.port, f"/api/v1/{path}")
    check.equal(answer.status, status, f"{path}: {answer.text[:300]}")
    found = json.loads(answer.text)
    if status != 200:
        check.equal(sorted(found), ["error", "errorType", "status"], f"the envelope of {path}")
        return found
    name = re.split(r"[/?]", path)[0]
    check.none(schema.complaints(found, json.loads((SCHEMAS / f"{name}.schema.json").read_text())),
               f"what {path} says beside its schema")
    return found["data"]


def workload(server: servers.RedisServer, name: str = "carts") -> str:
    return f"{{name: {name}, kind: custom, environment: test, topology: static, seeds: ['127.0.0.1:{server.port}']}}"


def tile(exporter: exporters.Exporter, name: str = "carts") -> str:
    return start_page.states(exporter).get(name, "")


def terminal(exporter: exporters.Exporter, *words: str) -> tuple[int, str]:
    """The exit status of `redline status` and what it says."""
    return told(exporter, "status", *words)


def told(exporter: exporters.Exporter, command: str, *words: str) -> tuple[int, str]:
    ended = subprocess.run([REDLINE, command, "--url", f"http://127.0.0.1:{exporter.port}", *words],
                           capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stdout + ended.stderr


def lasting(found: dict) -> dict:
    """What does not change from poll to poll."""
    changing = {"lastAnswer", "memoryUsedBytes", "operationsPerSecond", "clients"}
    members = [{name: value for name, value in member.items() if name not in changing} for member in found["members"]]
    budgets = [budget["objective"] for budget in found["budgets"]]
    return found | {"members": members, "traffic": sorted(found["traffic"]), "budgets": budgets}


def bounded(check: Check) -> servers.RedisServer:
    """A server that no check finds fault with."""
    server = servers.RedisServer(check)
    with server.client() as client:
        client("CONFIG", "SET", "maxmemory", "100mb")
    return server


def set_clients(server: servers.RedisServer, limit: int) -> None:
    with server.client() as client:
        client("CONFIG", "SET", "maxclients", str(limit))


def check_page_and_answer_show_checks_and_alerts(check: Check) -> None:
    """The worse of what checks find and of alerts that fire; the metric is of checks alone."""
    server = servers.RedisServer(check)
    judge = Judge(check, [workload(server)], RULES, settings=HASTY, more="history: {retention: 1h}\n",
                  flags=("--include-config-metrics",))
    exporter = judge.start().process

    def one() -> dict:
        return asked(check, exporter, "fleet/carts")["workloads"][0]

    def alerts() -> list[str]:
        return sorted(alert["name"] for alert in one()["alerts"])

    check.until(lambda: alerts() == ["Quiet", "Setup"] and one()["state"] != "unknown", 30,
                f"the alerts that fire are listed: {one()}")
    found = one()
    check.equal((found["state"], found["environment"], found["kind"]), ("healthy", "test", "custom"), "the workload")
    check.until(lambda: lasting(one()) == lasting(asked(check, exporter, "fleet")["workloads"][0]), 10,
                f"the same workload among all: {found}")
    check.equal([(alert["group"], alert["summary"]) for alert in found["alerts"] if alert["name"] == "Setup"],
                [("posture", f"127.0.0.1:{server.port} is set up <oddly>")], "an alert of the setup")
    member = found["members"][0]
    check.equal((member["instance"], member["role"], member["state"]), (f"127.0.0.1:{server.port}", "master", "up"),
                "its member")
    check.that(member["memoryUsedBytes"] > 0 and member["memoryMaxBytes"] == 0, f"its memory: {member}")
    check.equal(tile(exporter), "healthy", "the tile")
    code, words = terminal(exporter)
    check.equal((code, words.splitlines()[0]), (0, "carts is healthy."), "redline status")
    code, words = terminal(exporter, "--format", "json", "--workload", "carts")
    check.equal((code, json.loads(words)["summary"]), (0, "carts is healthy."), "redline status as JSON")
    check.equal(asked(check, exporter, "runbooks"), {"runbooks": []}, "no folder of runbooks")
    asked(check, exporter, "runbooks/RedisDown", 404)
    check.equal(terminal(exporter, "--workload", "nobody")[0], 3, "redline status of a workload that is not there")
    check.that("How it is set up" in exporter.get("/").text, "alerts of the setup stand apart on the page")

    for limit, name, state in ((77, "Crowded", "degraded"), (78, "Full", "critical"), (79, "", "healthy")):
        set_clients(server, limit)
        check.until(lambda: tile(exporter) == state, 20, f"with {limit} clients the page shows {state}: {one()}")
        found = one()
        check.equal((found["state"], found["stateByChecks"]), (state, "healthy"), "the states of the answer")
        if name:
            check.that(name in alerts() and f"{name}</a> fires" in exporter.get("/").text, f"{name} is why")
        check.equal(exporter.page().value("redis_workload_state", workload="carts", environment="test", state="healthy"), 1,
                    "the metric comes from checks alone")

    server.process.signal(signal.SIGKILL)
    check.until(lambda: one()["state"] == "critical", 20, "without its server the workload is critical")
    found = one()
    check.that("No member answers" in [finding["text"] for finding in found["findings"]], f"why: {found['findings']}")
    check.that("memoryUsedBytes" not in found["members"][0] and found["members"][0]["state"] != "up",
               f"nothing is made up of a server that is down: {found['members']}")
    check.that("lastAnswer" in found["members"][0] and found["members"][0].get("asOf") == found["members"][0]["lastAnswer"],
               f"of when its figures are: {found['members']}")
    check.until(lambda: tile(exporter) == "critical", 10, "the page says the same")
    check.until(lambda: terminal(exporter)[0] == 2, 10, "and redline status")
    words = terminal(exporter)[1]
    check.that(words.startswith("carts is critical for ") and "No member answers" in words, f"in words: {words}")
    code, table = told(exporter, "top")
    check.that(code == 2 and "1 server, 1 not up" in table and f"127.0.0.1:{server.port}" in table, f"redline top: {table}")
    check.that(all(len(line) <= 80 for line in (words + table).splitlines()), f"in 80 columns: {words}{table}")
    figures = re.findall(r'<section class="chart( stale)?"><h3>([^<]+) <.*?</section>',
                         exporter.get(f"/node/127.0.0.1:{server.port}").text, re.S)
    check.that(len(figures) > 2, f"its page has figures: {figures}")
    check.none([title for stale, title in figures if not stale and not title.startswith("Probe")],
               "figures of a server that is down, shown as current")
    check.that("No member answers" in html.unescape(exporter.get("/").text), "and why")


def check_answers_without_rules(check: Check) -> None:
    """Fleet and events need no rules; what does says so. Names that nobody knows are errors in the envelope."""
    server = servers.RedisServer(check)
    path = check.file("redline.yml", f"workloads:\n  - {workload(server, name='a.b')}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}")
    check.until(lambda: asked(check, exporter, "fleet")["workloads"][0]["state"] == "healthy", 20, "it is healthy")
    check.equal(len(asked(check, exporter, "fleet/a%2Eb")["workloads"]), 1, "a workload by its name")
    check.equal(asked(check, exporter, "fleet/none", 404)["errorType"], "not_found", "a workload that is not there")
    check.equal(asked(check, exporter, "query?query=1", 404)["errorType"], "not_found", "queries need a history")
    answer = json.loads(http.get(exporter.port, "/api/v1/events").text)
    check.equal(answer["data"]["events"], [], "events without a store")
    check.that("--storage.path" in answer["warnings"][0], f"why there are none: {answer}")
    check.equal(http.get(exporter.port, "/api/v1/fleet", "POST").status, 200, "it is read by POST, too")
    check.equal(http.get(exporter.port, "/api/v1/fleet", "DELETE").status, 405, "and by nothing else")


def check_a_command_asks_the_daemon(check: Check) -> None:
    """`check fleet --url` prints what the daemon knows, which one poll does not tell, and says why it gets no answer."""
    server = bounded(check)
    path = check.file("redline.yml", f"workloads:\n  - {workload(server)}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}")
    url = f"http://127.0.0.1:{exporter.port}"

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([REDLINE, "check", "fleet", *words], capture_output=True, text=True, timeout=60)

    check.until(lambda: asked(check, exporter, "fleet")["workloads"][0]["state"] == "healthy", 20, "it is healthy")
    fine = said("--url", url, "--format", "json")
    check.equal(json.loads(fine.stdout)["results"], asked(check, exporter, "checks")["results"], "the same as the API's")
    check.equal(fine.returncode, 0, f"the exit of a healthy fleet ({fine.stdout[-600:]}{fine.stderr})")
    with server.client() as client:
        client("FLUSHALL")
    check.until(lambda: said("--url", url).returncode == 1, 20, "the flush is known")
    check.that("[flushed]" in said("--url", url, "--workload", "carts").stdout, "and told")
    check.that("[flushed]" not in said(path).stdout, "one poll alone does not tell it")
    for words, status, text in (
            (("--url", url, "--workload", "none"), 3, "there is no workload \"none\""),
            (("--url", f"{url}/none"), 3, "404"),
            (("--url", f"http://ops:secret@127.0.0.1:{exporter.port}"), 2, "--url-user"),
            (("--url", "127.0.0.1:1"), 2, "has no scheme"),
            (("--url", f"http://127.0.0.1:{check.free_port()}"), 3, "gives no answer"),
            (("--url-user", "ops"), 64, "--url")):
        told = said(*words)
        check.equal(told.returncode, status, f"the exit of {words} ({told.stderr})")
        check.that(text in told.stderr and "secret" not in told.stderr, f"what {words} says: {told.stderr}")


def check_a_command_logs_in_to_the_daemon(check: Check) -> None:
    server = bounded(check)
    path = check.file("redline.yml", f"workloads:\n  - {workload(server)}\n")
    users = check.file("web.yml", f"basic_auth_users: {{ops: '{bcrypt_hash('pass-of-ops')}'}}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}", f"--web.config.file={users}")

    def said(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([REDLINE, "check", "fleet", "--url", f"http://127.0.0.1:{exporter.port}", *words],
                              capture_output=True, text=True, timeout=60)

    right, wrong = check.file("right", "pass-of-ops\n"), check.file("wrong", "pass-of-dev\n")
    check.until(lambda: said("--url-user", "ops", "--url-password-file", right).returncode == 0, 20, "the right password serves")
    for words in ((), ("--url-user", "ops", "--url-password-file", wrong)):
        told = said(*words)
        check.equal(told.returncode, 3, f"the exit without the right password ({told.stderr})")
        check.that("refuses the login" in told.stderr and "pass-of" not in told.stderr, f"why: {told.stderr}")
    missing = said("--url-user", "ops", "--url-password-file", str(check.folder / "none"))
    check.equal(missing.returncode, 2, f"the exit without a password's file ({missing.stderr})")


def check_events_have_the_filters_of_the_page(check: Check) -> None:
    server, other = servers.RedisServer(check), servers.RedisServer(check)
    path = check.file("redline.yml", f"workloads:\n  - {workload(server)}\n  - {workload(other, name='other')}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}", f"--storage.path={check.folder / 'events.db'}")
    node = f"127.0.0.1:{server.port}"
    for one in (server, other):
        check.until(lambda: f"127.0.0.1:{one.port}</a></td><td class=\"role\">master" in exporter.get("/").text, 20,
                    "the server is polled")
    # The journal of members tells of what comes after everybody was found.
    def events(**filters) -> list[dict]:
        return asked(check, exporter, f"events?{urllib.parse.urlencode(filters)}")["events"]

    def killed(one: servers.RedisServer) -> bool:
        return any(event["kind"] == "unreachable" for event in events(node=f"127.0.0.1:{one.port}"))

    for one in (server, other):
        one.process.signal(signal.SIGKILL)
    check.until(lambda: killed(server) and killed(other), 40, f"both are told: {events()}")
    check.equal({event["workload"] for event in events(workload="carts")}, {"carts"}, "only of a workload")
    check.equal({event["node"] for event in events(node=node)}, {node}, "only of a node")
    check.equal({event["kind"] for event in events(kind="unreachable")}, {"unreachable"}, "only of a kind")
    check.equal(events(workload="carts", node=f"127.0.0.1:{other.port}"), [], "all filters hold at once")
    check.equal(events(page="2"), [], "a page after the last")
    for query in ("", "?workload=carts", f"?node={node}", "?kind=unreachable"):
        told = [event["summary"] for event in asked(check, exporter, f"events{query}")["events"]]
        page = html.unescape(exporter.get(f"/events{query}").text)
        check.none([summary for summary in told if summary not in page], f"events of {query} that the page does not show")
    for wrong in ("kind=nothing", "page=0", "page=x", "page=101"):
        check.equal(asked(check, exporter, f"events?{wrong}", 400)["errorType"], "bad_data", wrong)


def check_configuration_that_runs(check: Check) -> None:
    """After a refused reload the API shows what runs on."""
    server = servers.RedisServer(check)
    path = pathlib.Path(check.file("redline.yml", ""))

    path.write_text(f"workloads:\n  - {workload(server)}\nhistory: {{retention: 1h}}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}", "--web.enable-lifecycle")

    def shown() -> str:
        return json.loads(http.get(exporter.port, "/api/v1/status/config").text)["data"]["yaml"]

    check.that("retention: 1h" in shown(), f"what runs is shown: {shown()}")
    path.write_text(f"workloads:\n  - {workload(server)}\nhistory: {{retention: 2h, wrong: 1}}\n")
    check.equal(http.get(exporter.port, "/-/reload", "POST").status, 500, "the reload is refused")
    check.that("retention: 1h" in shown(), f"what runs on is shown: {shown()}")
    path.write_text(f"workloads:\n  - {workload(server)}\nhistory: {{retention: 2h}}\n")
    check.equal(http.get(exporter.port, "/-/reload", "POST").status, 200, "the reload is taken over")
    check.that("retention: 2h" in shown(), f"what runs now is shown: {shown()}")
