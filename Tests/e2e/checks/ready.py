"""`redline ready`: all is well on real servers, then each fault flips its own line and no other."""

import json
import pathlib
import subprocess
import time

from harness import http, servers
from harness.check import Check, thorough_only
from harness.fake_alertmanager import FakeAlertmanager
from harness.judging import HASTY, Daemon
from harness.lab import Lab
from harness.paths import REDLINE
from harness.resp import Redis

TIMEOUT_SECONDS = 240
WAITS = True

TOKEN = "planted-results-token-4711"
KEYS = [f"warm:{number}" for number in range(100)]
HOUR = 3600.0


def report(check: str, ago: float = HOUR, verdict: str = "ok", seconds: float = 600, **numbers: float) -> dict:
    ended = time.time() - ago
    return {"check": check, "workload": "carts", "startedAt": ended - seconds, "endedAt": ended, "verdict": verdict,
            "numbers": numbers, "lines": [{"verdict": verdict, "text": "as planted"}]}


def load(ago: float, **changes: float) -> dict:
    return report("load", ago, **({"factor": 10, "p99_seconds": 0.003, "memory_used_ratio": 0.6} | changes))


class Site:
    """A master, a replica, a redline that judges and tells an Alertmanager, and what was verified."""

    def __init__(self, check: Check):
        self.check = check
        self.master = servers.RedisServer(check, "maxmemory 100mb")
        self.replica = servers.RedisServer(check, f"maxmemory 100mb\nreplicaof 127.0.0.1 {self.master.port}")
        self.redis = Redis(self.master.port)
        for key in KEYS:
            self.redis("SET", key, "x")
        self.status = 200
        self.alertmanager = FakeAlertmanager(check, lambda handler: handler.reply(self.status))
        self.folder = check.folder / "results"
        self.ticks = check.file("ticks", "".join(
            f"{subject} {time.strftime('%Y-%m-%d')} anna: looked\n" for subject in ("ttl-jitter", "stampede-locks", "runbooks-printed")))
        self.keys = check.file("keys", "\n".join(KEYS) + "\n")
        rule = check.file("rules.yml", "groups: [{name: a, rules: [{alert: Always, expr: 'vector(1)', labels: {severity: info}}]}]\n")
        self.rest = (f"rules: {{files: ['{rule}'], {HASTY}}}\n"
                     f"alerting: {{alertmanagers: [{{url: '{self.alertmanager.url}'}}], resend_delay: 1s}}\n")
        self.config = self.written("redline.yml")
        self.daemon = Daemon(check, self.config).start()
        check.until(self.folder.is_dir, 20, "the folder is made")

    def written(self, name: str, more: str = "", results: str | None = None) -> pathlib.Path:
        results = results or f"path: '{self.folder}', token: {TOKEN}"
        return self.check.file(name, (
            "defaults: {poll_interval: 1s}\nworkloads:\n- {name: carts, kind: custom, topology: replication, "
            f"seeds: ['127.0.0.1:{self.master.port}'], expected: {{masters: 1, replicas: 1}}{more}}}\n"
            f"results: {{{results}}}\n" + self.rest))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.daemon.process.port}"

    def post(self, what: dict) -> None:
        told = http.get(self.daemon.process.port, "/api/v1/results", "POST", {"Authorization": f"Bearer {TOKEN}"},
                        json.dumps(what).encode())
        self.check.equal(told.status, 200, f"a result is taken: {told.text}")

    def ready(self, *words: str, config: pathlib.Path | None = None, ticks: pathlib.Path | None = None,
              seconds: float = 60) -> subprocess.CompletedProcess:
        return subprocess.run([REDLINE, "ready", str(config or self.config), "--workload", "carts", "--ticks", str(ticks or self.ticks),
                               "--warm-keys", str(self.keys), *words], capture_output=True, text=True, timeout=seconds)

    def answers(self, expected: int | None = None, **options) -> dict[str, str]:
        told = self.ready("--url", self.url, "--format", "json", **options)
        self.check.that(told.returncode in (0, 1, 3), f"it ends: {told.stdout}{told.stderr}")
        found = {one["check"]: one["verdict"] for one in json.loads(told.stdout)["results"]}
        wanted = 1 if "finding" in found.values() else 3 if "unknown" in found.values() else 0
        self.check.equal(told.returncode, wanted if expected is None else expected, f"the exit status of {found}")
        return found

    def all_green(self) -> bool:
        told = self.ready("--url", self.url)
        self.last = told.stdout + told.stderr
        return told.returncode == 0

    def flips(self, line: str, verdict: str, seconds: float = 30, **options) -> None:
        """That line alone, and soon."""
        deadline = time.monotonic() + seconds
        while True:
            found = {name: said for name, said in self.answers(**options).items() if said != "ok"}
            if found == {line: verdict} or time.monotonic() > deadline:
                return self.check.equal(found, {line: verdict}, f"what a fault of {line} flips")
            time.sleep(1)


def check_each_fault_flips_its_own_line(check: Check) -> None:
    site = Site(check)
    missing = site.answers()
    check.equal((missing["backup-verified"], missing["load-tested"], missing["failover-tried"]), ("unknown",) * 3,
                "what never ran is unknown")
    time.sleep(1)
    site.post(report("drill", 0.5, seconds=60, lost_writes=0))
    site.post(load(0))
    site.post(report("backup", keys_db0=100))
    check.until(site.all_green, 60, "all is well", pause=1)
    check.that("carts is ready for 10 times its load" in site.last and "[x] the keys that matter are there: 100 of 100" in site.last,
               site.last)
    check.until(lambda: "ready of" in site.daemon.process.get("/checks").text, 20, "the result is on the page")

    # Posture, as servers and people bring it about.
    site.flips("expected-size", "finding", config=site.written(
        "peak.yml", ", peak: {windows: [2026-11-27T00:00:00Z/2026-12-01T00:00:00Z], expected: {replicas: 2}}"))
    ticks = check.file("fewer", "".join(line for line in site.ticks.read_text().splitlines(True) if "locks" not in line))
    site.flips("stampede-locks", "unknown", ticks=ticks)
    site.redis("DEL", *KEYS[:10])
    site.flips("keys-warm", "finding")
    for key in KEYS[:10]:
        site.redis("SET", key, "x")
    usual = Redis(site.replica.port)("CONFIG", "GET", "hash-max-listpack-entries")[1]
    Redis(site.replica.port)("CONFIG", "SET", "hash-max-listpack-entries", "17")
    site.flips("no-drift", "finding")
    Redis(site.replica.port)("CONFIG", "SET", "hash-max-listpack-entries", usual)
    for server in (site.master, site.replica):
        Redis(server.port)("CONFIG", "SET", "maxclients", "20")
    # Two connections of the daemon and one of this check are more than a tenth.
    site.flips("headroom-estimate", "finding")
    for server in (site.master, site.replica):
        Redis(server.port)("CONFIG", "SET", "maxclients", "4000")
    check.until(site.all_green, 60, "all is mended", pause=1)

    # What was verified grows worse.
    site.post(load(0, p99_seconds=0.009))
    site.post(report("drill", 1, seconds=30))
    site.flips("latency-at-factor", "finding")
    site.post(load(0, memory_used_ratio=0.9))
    site.flips("memory-at-factor", "finding")
    site.post(load(0))
    site.post(report("backup", 1, "finding"))
    site.flips("backup-verified", "finding")
    site.post(report("backup", 0))
    site.post(load(0, factor=10) | {"startedAt": time.time() - 0.5})
    site.flips("load-tested", "finding")
    site.post(load(0))
    site.post(report("drill", 0, "finding", seconds=700))
    site.flips("failover-tried", "finding")
    site.post(report("drill", 0, seconds=30))
    site.post(load(0))
    check.until(site.all_green, 60, "all is well again", pause=1)

    # Without the daemon's history.
    site.check.equal(site.ready("--format", "json").returncode, 3, "no data")
    site.check.equal(site.ready(ticks=check.folder / "none").returncode, 2, "a file that is not there")
    site.check.equal(site.ready("--factor", "0").returncode, 64, "a factor that makes no sense")
    site.status = 500
    # By another way: where no folder is named, the result goes to the daemon that was asked.
    over = site.written("over.yml", results=f"token: {TOKEN}")
    before = newest(site)
    site.flips("alert-path-tested", "finding", config=over)
    check.that(newest(site) > before, "the result was handed over")
    wrong = site.ready("--url", site.url, "--fail-on", "critical", config=site.written("wrong.yml", results="token: another-token-0815"))
    check.that(wrong.returncode == 2 and "401" in wrong.stderr, f"what is not kept is told: {wrong.stderr}")


def newest(site: Site) -> float:
    told = json.loads(site.daemon.process.get("/api/v1/results?check=ready&limit=1").text)["data"]["results"]
    return told[0]["endedAt"] if told else 0


@thorough_only
def check_a_lab_that_is_ready(check: Check) -> None:
    """What the lab's own commands found makes its sessions ready; a replica that is gone does not."""
    lab = Lab(check)
    lab.up()
    text = pathlib.Path(lab.does("config").strip()).read_text()
    alertmanager = FakeAlertmanager(check, lambda handler: handler.reply(200))
    rule = check.file("rules.yml", "groups: [{name: a, rules: [{alert: Always, expr: 'vector(1)', labels: {severity: info}}]}]\n")
    config = check.file("redline.yml", f"{text}\nrules: {{files: ['{rule}'], {HASTY}}}\n"
                        f"alerting: {{alertmanagers: [{{url: '{alertmanager.url}'}}], resend_delay: 1s}}\n")
    daemon = Daemon(check, config).start()
    check.until(lambda: daemon.figure("redis_up") >= 12, 30, "every node is up")
    url = f"http://127.0.0.1:{daemon.process.port}"
    code, told = lab.run("ready", "--url", url)
    check.that(code in (1, 3) and "drill has never run with a verdict" in told, f"what never ran is unknown: {told}")
    for words in (("drill",), ("backup",), ("loadtest",)):
        code, told = lab.run(*words, seconds=150)
        check.equal(code, 0, f"deploy/lab {words[0]}: {told}")
        lab.does("heal", seconds=90)
    code, told = lab.run("loadtest", "stall", seconds=90)
    check.equal(code, 1, f"a stall is found: {told}")
    check.that("[load-latency]" in told, f"for its latency: {told}")

    def newest_verdicts() -> dict[str, str]:
        told = reversed(daemon.ask("results?limit=20")["results"])
        return {one["check"]: one["verdict"] for one in told if one["check"] != "ready"}

    wanted = {"drill": "ok", "backup": "ok", "load": "finding"}
    check.until(lambda: newest_verdicts() == wanted, 20, "the daemon has taken in what they found")
    check.that(all(name in daemon.process.get("/checks").text for name in ("drill", "backup", "load")), "they are on the page")
    # A load test at three times the load with a failover in it, as no loopback bears it, and what people look at.
    now = time.time()
    for name, began, ended, numbers in (
            ("load", now - 60, now - 1, {"factor": 3, "p99_seconds": 0.003, "memory_used_ratio": 0.1}),
            ("drill", now - 50, now - 20, {"lost_writes": 0})):
        (lab.folder / "results" / f"{name}.json").write_text(json.dumps({
            "check": name, "workload": "sessions", "startedAt": began, "endedAt": ended, "verdict": "ok", "numbers": numbers,
            "lines": []}))
    day = time.strftime("%Y-%m-%d", time.gmtime())
    (lab.folder / "ticks").write_text("".join(
        f"{subject} {day} anna: looked\n" for subject in ("ttl-jitter", "stampede-locks", "runbooks-printed")))
    last = ""

    def is_ready() -> bool:
        nonlocal last
        code, last = lab.run("ready", "--url", url)
        return code == 0

    try:
        check.until(is_ready, 90, "the sessions are ready", pause=2)
    finally:
        print(last)
    replica = next(name for name in lab.ports() if name.startswith("sessions") and name != lab.master_of_sessions())
    lab.does("kill", replica)
    check.until(lambda: not is_ready() and "[!]" in last, 30, "a replica that is gone is told", pause=2)
    check.that("expected" in last, last)
    lab.goes_down()
