"""One file, several redlines: each workload is watched by exactly one, also when one is lost and when one is added."""

import hashlib
import http.server
import json
import pathlib
import re
import signal
import subprocess
import threading
import time

from harness import exporters, schema
from harness.check import Check
from harness.exporters import Exporter
from harness.judging import HASTY, Daemon
from harness.monitoring import Prometheus
from harness.passwords import bcrypt_hash
from harness.paths import REDLINE, ROOT
from harness.process import Process
from harness.servers import RedisServer
from harness.shipped import hastened_minutes

TIMEOUT_SECONDS = 150

SCHEMAS = ROOT / "deploy" / "docs" / "api"

NAMES = ("carts", "sessions", "pages", "locks", "w-0", "w-1")


def owner(workload: str, shards: int) -> int:
    """The specification in the words of another language: the highest SHA-256 of WORKLOAD/SHARD."""
    return max(range(1, shards + 1), key=lambda shard: hashlib.sha256(f"{workload}/{shard}".encode()).digest())


def owners(shards: int) -> dict[str, int]:
    return {name: owner(name, shards) for name in NAMES}


class Site:
    """A server for each workload, one file, and shards that are started and stopped.

    `more` is further text of the file.
    """

    def __init__(self, check: Check, more: str = ""):
        self.check = check
        self.servers = {name: RedisServer(check) for name in NAMES}
        entries = ", ".join(f"{{name: {name}, kind: custom, topology: static, seeds: ['127.0.0.1:{server.port}']}}"
                            for name, server in self.servers.items())
        self.config = check.file("redline.yml", f"defaults: {{poll_interval: 1s}}\nworkloads: [{entries}]\n{more}")
        self.daemons: dict[int, Daemon] = {}

    def storage(self, shard: int) -> str:
        return str(self.check.folder / f"shard-{shard}.db")

    def start(self, shard: int, shards: int) -> Exporter:
        self.daemons[shard] = Daemon(
            self.check, self.config, f"--shard={shard}/{shards}", storage=self.storage(shard)).start()
        return self.daemons[shard].process

    def start_all(self, shards: int) -> None:
        for shard in range(1, shards + 1):
            self.start(shard, shards)

    def stop_all(self) -> None:
        for daemon in self.daemons.values():
            daemon.process.signal(signal.SIGTERM)
        for daemon in self.daemons.values():
            daemon.process.wait(15)
        self.daemons = {}

    def watched(self) -> list[tuple[str, int]]:
        """Each workload whose server is up on the page of a shard, with that shard."""
        return sorted((dict(labels)["workload"], shard) for shard, daemon in self.daemons.items()
                      for labels, value in daemon.process.page().named("redis_up").items() if value == 1)

    def await_all(self, shards: int) -> None:
        expected = sorted(owners(shards).items())
        self.check.until(lambda: self.watched() == expected, 20, f"each workload is watched once by {shards} shards")
        for daemon in self.daemons.values():
            self.check.until(lambda: daemon.process.get("/-/ready").status == 200, 10, "each shard is ready")


def info(process: Exporter) -> list[dict[str, str]]:
    return [dict(labels) for labels in process.page().named("redis_exporter_shard_info")]


def prometheus(check: Check, site: Site) -> Prometheus:
    """One that scrapes each shard as a job of its own and judges the shipped rules, their minutes passing faster."""
    rules = hastened_minutes((ROOT / "alerts" / "meta" / "redline.yml").read_text()).replace("for: 47s", "for: 4s")
    jobs = "".join(
        f"- {{job_name: redline-{shard}, honor_labels: true, static_configs: [{{targets: ['127.0.0.1:{one.process.port}']}}]}}\n"
        for shard, one in site.daemons.items())
    return Prometheus(check, (
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{check.file('meta.yml', rules)}']\n"
        f"scrape_configs:\n{jobs}"))


def missing(judge: Prometheus) -> list[dict[str, str]]:
    return [labels for labels, _ in judge.query('ALERTS{alertname="RedlineShardMissing",alertstate="firing"}')]


def check_each_workload_is_watched_once(check: Check) -> None:
    site = Site(check)
    site.start_all(3)
    site.await_all(3)
    for shard, daemon in site.daemons.items():
        check.equal(info(daemon.process), [{"shard": str(shard), "shards": "3"}], "what a shard says of itself")
        check.equal(daemon.process.page().value("redis_exporter_shards"), 3, "the number of shards")
        # A target of /scrape may be anybody's.
        for server in site.servers.values():
            page = daemon.process.page(f"/scrape?target={server.url}")
            check.that(1 in page.named("redis_up").values(), "any target can be scraped by any shard")
        # A changed file keeps to the shard.
        check.equal(daemon.process.get("/-/reload", method="POST").text, "ok", "a reload")
    site.await_all(3)

    judge = prometheus(check, site)
    check.until(lambda: len(judge.query("redis_exporter_shard_info")) == 3, 20, "Prometheus knows three shards")
    site.daemons[2].kill()
    check.until(lambda: missing(judge), 40, "the alert about the lost shard fires")
    check.equal([labels["shards"] for labels in missing(judge)], ["3"], "of how many it is one")
    check.equal(judge.ailing_rules(), [], "rules that fail")


def fleet(process: Exporter) -> dict:
    return json.loads(process.get("/api/v1/fleet", seconds=5).text)["data"]


def states(answer: dict) -> dict[str, str]:
    return {one["name"]: one["state"] for one in answer["workloads"]}


def check_each_shard_shows_the_whole_fleet(check: Check) -> None:
    site = Site(check)
    site.start_all(3)
    site.await_all(3)
    urls = ", ".join(f"'http://127.0.0.1:{daemon.process.port}'" for daemon in site.daemons.values())
    rules = check.file("exporter.yml", hastened_minutes((ROOT / "alerts" / "exporter.yml").read_text())
                       .replace("for: 47s", "for: 3s"))
    site.config.write_text(site.config.read_text() + (
        f"shards: {{urls: [{urls}]}}\nrules: {{files: ['{rules}'], {HASTY}, watchdog: false}}\n"))
    for daemon in site.daemons.values():
        check.equal(daemon.process.get("/-/reload", method="POST").text, "ok", "a reload")
    healthy = {name: "healthy" for name in NAMES}
    asked = next(iter(owners(3).values()))
    daemon = site.daemons[asked]
    check.until(lambda: states(fleet(daemon.process)) == healthy, 30, "the API has the whole fleet, and all is well")
    answer = daemon.process.get("/api/v1/fleet")
    valid(check, json.loads(answer.text), "fleet")
    valid(check, json.loads(daemon.process.get("/api/v1/shards").text), "shards")
    found = fleet(daemon.process)
    check.equal({one["name"]: one["shard"] for one in found["workloads"]}, owners(3), "whose workloads they are")
    check.that("All 6 workloads are healthy." in found["summary"], found["summary"])
    page = daemon.process.get("/").text
    for name, shard in owners(3).items():
        site_of = "" if shard == asked else f"http://127.0.0.1:{site.daemons[shard].process.port}"
        check.that(f'href="{site_of}/workload/{name}"' in page, f"{name} leads to its shard")
    status = subprocess.run([REDLINE, "status", "--url", f"http://127.0.0.1:{daemon.process.port}"], capture_output=True,
                            text=True, timeout=20)
    check.equal((status.returncode, [name for name in NAMES if name not in status.stdout]), (0, []), "redline status")
    foreign = next(name for name, shard in owners(3).items() if shard != asked)
    one = json.loads(daemon.process.get(f"/api/v1/fleet/{foreign}").text)["data"]["workloads"]
    check.equal([(entry["name"], entry["state"]) for entry in one], [(foreign, "healthy")], "one workload of another shard")
    check.that(f"shard {owners(3)[foreign]}" in daemon.process.get(f"/workload/{foreign}").text, "its page says where it is")

    lost = owners(3)[foreign]
    site.daemons[lost].kill()
    expected = {name: "unknown" if shard == lost else "healthy" for name, shard in owners(3).items()}
    check.until(lambda: states(fleet(daemon.process)) == expected, 10, "workloads of a lost shard are unknown, never well")
    page = daemon.process.get("/").text
    check.that(f"shard {lost} of 3 gives no answer" in page, "the page says why")
    valid(check, json.loads(daemon.process.get("/api/v1/fleet").text), "fleet")
    alerts = daemon.process.get("/alerts").text
    check.that(f"fires at shard {lost} is unknown" in alerts and "Nothing fires.</b>" not in alerts, "the page of alerts")
    status = subprocess.run([REDLINE, "status", "--url", f"http://127.0.0.1:{daemon.process.port}"], capture_output=True,
                            text=True, timeout=20)
    check.equal((status.returncode, f"shard {lost} of 3 gives no answer" in status.stdout), (3, True), status.stdout)
    for shard, other in site.daemons.items():
        if shard != lost:
            check.until(lambda: ("RedlineShardMissing", "firing") in other.states(), 40, "another shard alerts by itself")
            check.equal([(one["labels"]["shard"], one["labels"]["shards"]) for one in other.alerts()
                         if one["labels"]["alertname"] == "RedlineShardMissing"], [(str(lost), "3")], "about which one")


def valid(check: Check, answer: dict, name: str) -> None:
    form = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    check.none(schema.complaints(answer, form), f"where the answer is not as {name}.schema.json says")


def check_shards_log_in_to_each_other(check: Check) -> None:
    password = check.file("shards.password", "planted-shards-4711\n")
    web = check.file("web.yml", f"basic_auth_users: {{shards: '{bcrypt_hash('planted-shards-4711')}'}}\n")
    port = check.free_port()
    site = Site(check, (f"shards: {{urls: ['http://127.0.0.1:{port}'], basic_auth: {{username: shards, "
                        f"password_file: '{password}'}}}}\n"))
    mine = owner(NAMES[0], 2)
    other = Process(check, "redline", [str(REDLINE), f"--config.file={site.config}", f"--shard={3 - mine}/2",
                                       f"--web.listen-address=127.0.0.1:{port}", f"--web.config.file={web}"])
    process = site.start(mine, 2)
    check.until(lambda: set(states(fleet(process)).values()) == {"healthy"}, 20, "the other shard takes the login")
    password.write_text("another-password\n")
    wrong = {name: "healthy" if shard == mine else "unknown" for name, shard in owners(2).items()}
    check.until(lambda: states(fleet(process)) == wrong, 10, "and no other one")
    check.that("refuses the login" in process.get("/").text, "the page says why")
    for text in (process.output(), process.get("/").text, other.output()):
        check.that("planted-shards-4711" not in text and "another-password" not in text, "no password is told")


class Liar:
    """Answers everything in the place of a shard."""

    def __init__(self, check: Check, body: bytes):
        liar = self
        self.body = body

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", str(len(liar.body)))
                self.end_headers()
                self.wfile.write(liar.body)

            def log_message(self, *_) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check.closing.callback(server.server_close)
        check.closing.callback(server.shutdown)


def check_no_answer_is_trusted(check: Check) -> None:
    """What stands in the place of a shard may say nothing of others' workloads, and nothing that breaks a page."""
    mine = next(iter(owners(2).values()))
    other = 3 - mine
    foreign = sorted(name for name, shard in owners(2).items() if shard == other)
    own = sorted(name for name, shard in owners(2).items() if shard == mine)

    def answer(shards: int) -> bytes:
        told = [{"name": name, "state": "perfect", "kind": "<b>", "alerts": [
            {"name": "<script>", "severity": "critical", "summary": "<img src=x>" * 200}], "findings": 7} for name in foreign]
        return json.dumps({"status": "success", "data": {
            "shard": other, "shards": shards, "workloads": told + [{"name": own[0], "state": "critical"}, {"name": "made-up"}]},
        }).encode()

    liar = Liar(check, answer(2))
    site = Site(check, f"shards: {{urls: ['{liar.url}'], timeout: 1s}}\n")
    process = site.start(mine, 2)
    check.until(lambda: states(fleet(process)) == {
        name: "healthy" if name in own else "unknown" for name in NAMES}, 20, "a state that there is none of is unknown")
    page = process.get("/").text
    check.that("<script>" not in page and "<img src=x" not in page and "made-up" not in page, "the page is escaped")
    for body in (answer(3), b"[" * 100_000, b"{}", b"x" * (17 << 20)):
        liar.body = body
        time.sleep(2.1)
        check.equal(states(fleet(process)), {name: "healthy" if name in own else "unknown" for name in NAMES},
                    f"with {body[:20]!r}")


def check_a_page_for_each_workload(check: Check) -> None:
    site = Site(check, "")
    site.config.write_text(site.config.read_text().replace(
        f"{{name: {NAMES[0]}, kind: custom,", f"{{name: {NAMES[0]}, kind: custom, max_series: 400,"))
    process = exporters.redline(check, None, f"--config.file={site.config}")
    check.until(lambda: len(process.page().named("redis_up")) == len(NAMES), 20, "all are watched")

    def workloads(query: str) -> set[str]:
        return {dict(labels).get("workload", "") for family in process.page(f"/metrics{query}").families.values()
                for _, labels in family.series}

    check.equal(workloads("?workload=pages"), {"pages"}, "the page of one")
    check.equal(workloads("?workload=pages&workload=w-0"), {"pages", "w-0"}, "the page of two")
    check.equal(workloads("?workload="), {""}, "the page of what belongs to none")

    def is_whole() -> bool:
        """Series come and go with polls: until none does between two pages."""
        whole, parts = process.page(), [process.page(f"/metrics?workload={name}") for name in ("", *NAMES)]
        seen = [series for part in parts for series in part.family_of]
        return len(seen) == len(set(seen)) and set(seen) == set(whole.family_of)

    check.until(is_whole, 20, "the parts have nothing in common, and are the whole together")
    wrong = process.get("/metrics?workload=nobody")
    check.equal((wrong.status, '"nobody"' in wrong.text), (400, True), wrong.text)

    page = process.page(f"/metrics?workload={NAMES[0]}")
    left_out = page.named("redis_workload_series_left_out")
    check.equal(page.value("redis_workload_series_limit", workload=NAMES[0]), 400, "the limit")
    total = page.value("redis_workload_series", workload=NAMES[0])
    told = sum(left_out.values())
    check.that(total > 400 and told > 0, f"{total} series, {told} of them left out")
    budgeted = sum(len(family.series) for name, family in page.families.items()
                   if not name.startswith("redis_workload_series"))
    check.equal(budgeted, total - told, "what is left and what was left out is everything")
    check.that(budgeted <= 400, f"{budgeted} series are within the limit")
    for labels in left_out:
        check.equal(page.named(dict(labels)["family"]), {}, "a family that was left out")
    for name, count in (("redis_up", 1), ("redis_workload_state", 4)):
        check.equal(len(page.named(name)), count, f"{name} is not given up")
    check.equal({dict(labels)["workload"] for labels in process.page().named("redis_workload_series_limit")}, {NAMES[0]},
                "other workloads have no budget")


def check_a_further_shard_takes_its_part_only(check: Check) -> None:
    site = Site(check)
    site.start_all(3)
    site.await_all(3)
    site.stop_all()
    site.start_all(4)
    site.await_all(4)
    moved = [name for name in NAMES if owner(name, 3) != owner(name, 4)]
    check.that(moved and len(moved) < len(NAMES), f"some workloads move, not all: {moved}")
    check.equal({owner(name, 4) for name in moved}, {4}, "where they move to")


def check_what_shards_must_not_share(check: Check) -> None:
    site = Site(check)
    site.start(1, 3)
    twin = Daemon(check, site.config, "--shard=2/3", storage=site.storage(1)).start(wait=False)
    check.equal(twin.process.wait(15), 1, "how a shard ends that is given another one's storage")
    check.that(site.storage(1) in twin.process.output(), f"it names the file: {twin.process.output()[-500:]}")
    plain = subprocess.run([REDLINE, "--shard=1/3", "--redis.addr=redis://127.0.0.1:1"], capture_output=True, text=True,
                           timeout=20)
    check.equal(plain.returncode, 2, "a shard of one server that flags name")
    check.that("-shard: needs config.file" in plain.stderr, f"why: {plain.stderr}")
    wrong = subprocess.run([REDLINE, f"--config.file={site.config}", "--shard=4/3"], capture_output=True, text=True,
                           timeout=20)
    check.equal((wrong.returncode, "4/3" in wrong.stderr), (2, True), f"a shard that there is none of: {wrong.stderr}")


def listed(text: str) -> dict[str, int]:
    """The workloads of the lines `shard 1 of 3: 2 workloads: carts, pages`."""
    lines = re.findall(r"^shard (\d+) of 3: (?:no workload|\d+ workloads?: (.*))$", text, re.MULTILINE)
    return {name: int(shard) for shard, names in lines for name in names.split(", ") if name}


def check_commands_say_who_watches_what(check: Check) -> None:
    site = Site(check)
    good = subprocess.run([REDLINE, "check", "config", site.config, "--shard=2/3"], capture_output=True, text=True,
                          timeout=20)
    check.equal((good.returncode, listed(good.stdout)), (0, owners(3)), f"the configuration ({good.stderr})")
    fleet = subprocess.run([REDLINE, "check", "fleet", site.config, "--shard", "2/3"], capture_output=True, text=True,
                           timeout=40)
    check.equal(listed(fleet.stdout), owners(3), f"the fleet ({fleet.stderr})")
    results = json.loads(subprocess.run(
        [REDLINE, "check", "fleet", site.config, "--shard", "2/3", "--format", "json"], capture_output=True, text=True,
        timeout=40).stdout)["results"]
    check.equal({one["workload"] for one in results}, {name for name in NAMES if owner(name, 3) == 2}, "whom it asks")


def check_results_wait_for_their_shard(check: Check) -> None:
    """The folder of results is shared by all shards of a machine."""
    folder = pathlib.Path(check.folder) / "results"
    site = Site(check, f"results: {{path: '{folder}'}}\n")
    name = NAMES[0]
    mine, other = owner(name, 3), owner(name, 3) % 3 + 1
    site.start(other, 3)
    folder.mkdir(exist_ok=True)
    report = folder / "backup-1.json"
    report.write_text(json.dumps({
        "check": "backup", "workload": name, "startedAt": time.time() - 60, "endedAt": time.time() - 1, "verdict": "ok",
        "numbers": {}, "lines": []}))
    later = folder / "backup-2.json"
    later.write_text("{}")
    check.until(lambda: (folder / "backup-2.json.bad").exists(), 30, "the folder was looked at")
    check.that(report.exists(), "the result of another shard's workload is left alone")
    site.start(mine, 3)
    check.until(lambda: not report.exists(), 20, "its shard takes it")
    check.until(lambda: site.daemons[mine].process.page().named("redis_workload_check_passed"), 10, "and shows it")
