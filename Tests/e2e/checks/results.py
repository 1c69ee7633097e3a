"""Results of checks: taken from a folder and over HTTP, kept over kill -9, shown, and told as alerts that change no state."""

import json
import re
import shutil
import subprocess
import time

from harness import exporters, http, schema, servers
from harness.check import Check
from harness.judging import HASTY, Daemon
from harness.paths import REDLINE, ROOT

TIMEOUT_SECONDS = 120
WAITS = True

TOKEN = "planted-results-token-4711"
SCHEMA = json.loads((ROOT / "deploy" / "docs" / "api" / "results.schema.json").read_text())


def report(check: str = "backup", workload: str = "carts", verdict: str = "ok", ago: float = 1, **numbers: float) -> dict:
    ended = time.time() - ago
    return {"check": check, "workload": workload, "startedAt": ended - 10, "endedAt": ended, "verdict": verdict,
            "numbers": numbers, "lines": [{"verdict": verdict, "text": f"<b>{check}</b> of {workload}"}]}


class Site:
    """A redline with a folder and a token for results, and without rules unless said."""

    def __init__(self, check: Check, rules: str = ""):
        self.check = check
        self.server = servers.RedisServer(check)
        self.folder = check.folder / "results"
        self.token = check.file("token", TOKEN + "\n")
        self.config = check.file("redline.yml", (
            "defaults: {poll_interval: 1s, objectives: {verified: {backup: 31d}}}\n"
            f"results: {{path: '{self.folder}', token_file: '{self.token}'}}\n"
            "workloads:\n"
            f"- {{name: carts, kind: custom, topology: static, seeds: ['127.0.0.1:{self.server.port}'],"
            " objectives: {verified: {failover: 92d, backup: off}}}\n"
            f"- {{name: pages, kind: custom, topology: static, seeds: ['127.0.0.1:{self.server.port}']}}\n" + rules))
        self.daemon = Daemon(check, self.config)

    @property
    def exporter(self) -> exporters.Exporter:
        return self.daemon.process

    def leave(self, name: str, text: str) -> None:
        """As a command does: whole, or not at all."""
        (self.folder / f"{name}.partial").write_text(text)
        (self.folder / f"{name}.partial").rename(self.folder / name)

    def post(self, what: dict | bytes, authorization: str | None = f"Bearer {TOKEN}") -> http.Response:
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        headers = {"Authorization": authorization} if authorization else {}
        return http.get(self.exporter.port, "/api/v1/results", "POST", headers, body)

    def told(self, query: str = "", **options) -> dict:
        found = self.exporter.get(f"/api/v1/results{query}", **options)
        self.check.equal(found.status, 200, f"results{query}: {found.text[:300]}")
        self.check.none(schema.complaints(json.loads(found.text), SCHEMA), f"what results{query} says")
        return json.loads(found.text)["data"]

    def names(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    def value(self, name: str, **labels: str) -> float | None:
        return self.exporter.page().value(f"redis_{name}", **labels)


def check_results_are_taken_kept_and_shown(check: Check) -> None:
    site = Site(check)
    began = time.time()
    site.daemon.start()
    check.until(site.folder.is_dir, 20, "the folder is made")
    check.equal(site.value("objective_check_age_seconds", workload="carts", check="drill"), 92 * 86400, "its own objective")
    check.equal(site.value("objective_check_age_seconds", workload="pages", check="backup"), 31 * 86400, "that of all")
    check.equal(site.value("objective_check_age_seconds", workload="carts", check="backup"), None, "off is off")
    since = site.value("objective_check_since_timestamp_seconds", workload="carts", check="drill")
    check.that(began - 1 <= since <= time.time(), f"asked for since {since}")

    first = report(keys_db0=141_000, load_seconds=12.5)
    site.leave("backup-carts-1-1.json", json.dumps(first))
    site.leave("cut.json", json.dumps(first)[:50])
    site.leave("other.json", json.dumps(report(workload="others")))
    check.until(lambda: site.value("workload_check_passed", workload="carts", check="backup") == 1, 20, "it is taken")
    check.equal(site.value("workload_backup_keys", workload="carts", db="db0"), 141_000, "its numbers are series")
    check.until(lambda: site.names() == ["cut.json.bad", "other.json.bad"], 20, "bad files are set aside")
    refused = site.told()["refusedFiles"]
    check.equal(sorted(each["name"] for each in refused), ["cut.json", "other.json"], "they are told")
    page = site.exporter.get("/checks").text
    for part in ("cut.json.bad", "is none of this daemon", "&lt;b&gt;backup&lt;/b&gt; of carts", "overdue by",
                 f"redline drill {site.config} --workload carts --fault planned", 'href="/workload/carts"'):
        check.that(part in page, f"the page has {part}: {page[-4000:]}")
    check.that("/checks?workload=carts" in site.exporter.get("/workload/carts").text, "the workload's page leads there")

    # What is handed in without the token, with another one, too large or broken is not taken.
    check.equal(site.post(report(), None).status, 401, "no token")
    check.equal(site.post(report(), f"Bearer {TOKEN}x").status, 401, "another token")
    check.equal(site.post(report(verdict="bad")).status, 400, "no verdict")
    check.equal(site.post(report() | {"lines": [{"verdict": "ok", "text": "x" * 70_000}]}).status, 413, "too large")
    drill = report("drill", lost_writes=3, verdict="finding")
    check.equal(site.post(drill).status, 200, "the token counts")
    check.equal(site.value("workload_check_passed", workload="carts", check="drill"), 0, "at once")
    # Another token is in force without a reload.
    site.token.write_text(TOKEN[::-1])
    check.equal((site.post(drill).status, site.post(drill, f"Bearer {TOKEN[::-1]}").status), (401, 200), "the new token")
    site.token.write_text(TOKEN)

    site.daemon.kill()
    site.daemon.start()
    newest = site.told("?workload=carts")
    check.equal([(each["check"], each["verdict"]) for each in newest["checks"]], [("backup", "ok"), ("drill", "finding")],
                "kill -9 forgets nothing")
    check.equal(newest["results"][0] | {"startedAt": 0, "endedAt": 0}, drill | {"startedAt": 0, "endedAt": 0}, "as it was left")
    check.equal(site.value("objective_check_since_timestamp_seconds", workload="carts", check="drill"), since, "since then")
    check.that(TOKEN not in site.exporter.get("/api/v1/status/config").text, "the token is shown nowhere")

    # A command that looks at the fleet by itself takes nothing away.
    site.daemon.kill()
    site.leave("later.json", json.dumps(report("own")))
    subprocess.run([REDLINE, "check", "fleet", str(site.config)], capture_output=True, timeout=60)
    check.that("later.json" in site.names(), "only the daemon takes results")
    site.daemon.start()
    check.until(lambda: site.value("workload_check_passed", workload="carts", check="own") == 1, 20, "it does, later")

    # A check that runs all the time does not push out one that runs once a quarter.
    for number in range(50):
        site.leave(f"noise-{number}.json", json.dumps(report("noise", "pages", ago=100 - number)))
    site.leave("last.json", json.dumps(report("noise", "pages", "unknown", ago=1)))
    check.until(lambda: not [name for name in site.names() if name.endswith(".json")], 30, "all are taken")
    check.equal(len(site.told("?check=noise&limit=100")["results"]), 51, "all are kept")
    check.equal(site.value("workload_check_passed", workload="pages", check="noise"), 1, "an unknown verdict decides nothing")
    check.that("unknown" in site.exporter.get("/checks?workload=pages").text, "but it is shown")


def check_a_login_of_the_web_server_is_not_asked_of_who_hands_in_results(check: Check) -> None:
    site = Site(check)
    web = check.file("web.yml", "basic_auth_users:\n  reader: $2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy\n")
    site.daemon = Daemon(check, site.config, f"--web.config.file={web}")
    site.daemon.start(wait=False)
    check.until(lambda: answers(site), 20, "it serves")
    check.equal(site.post(report()).status, 200, "the token is enough to hand in a result")
    check.equal(site.post(report(), None).status, 401, "nothing is not")
    for path, method in (("/api/v1/results", "GET"), ("/checks", "GET"), ("/api/v1/query", "POST")):
        found = http.get(site.exporter.port, path, method, {"Authorization": f"Bearer {TOKEN}"})
        check.equal(found.status, 401, f"the token opens nothing else: {method} {path}")


def answers(site: Site) -> bool:
    try:
        return http.get(site.exporter.port, "/-/healthy").status in (200, 401)
    except OSError:
        return False


def check_alerts_tell_and_change_no_state(check: Check) -> None:
    """The shipped rules, with their hour of patience cut to a second."""
    rules = check.folder / "alerts"
    shutil.copytree(ROOT / "alerts", rules, ignore=shutil.ignore_patterns("tests", "meta"))
    text = (rules / "checks.yml").read_text()
    (rules / "checks.yml").write_text(re.sub(r"for: 1[mh]", "for: 1s", text))
    site = Site(check, f"rules: {{files: ['{rules}/checks.yml'], {HASTY}, runbooks: '{ROOT}/alerts/runbooks'}}\n")
    site.daemon.start()
    check.until(site.folder.is_dir, 20, "the folder is made")
    site.leave("a.json", json.dumps(report(verdict="finding")))

    def firing() -> set[tuple[str, str, str]]:
        return {(alert["labels"]["alertname"], alert["labels"]["workload"], alert["labels"]["check"])
                for alert in site.daemon.alerts() if alert["state"] == "firing" and "check" in alert["labels"]}

    overdue = {("RedisCheckOverdue", "carts", "drill"), ("RedisCheckOverdue", "pages", "backup")}
    check.until(lambda: firing() == overdue | {("RedisCheckFailed", "carts", "backup")}, 40, "what is wrong and what is overdue")
    fleet = {each["name"]: each for each in json.loads(site.exporter.get("/api/v1/fleet").text)["data"]["workloads"]}
    check.equal([fleet[name]["state"] for name in ("carts", "pages")], ["healthy", "healthy"], "no state is changed")
    site.leave("b.json", json.dumps(report()))
    site.leave("c.json", json.dumps(report("drill")))
    site.leave("d.json", json.dumps(report("backup", "pages")))
    check.until(lambda: not firing(), 40, "runs that are ok end them")
