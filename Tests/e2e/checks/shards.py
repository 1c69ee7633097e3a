"""One file, several redlines: each workload is watched by exactly one, also when one is lost and when one is added."""

import hashlib
import json
import pathlib
import re
import signal
import subprocess
import time

from harness.check import Check
from harness.exporters import Exporter
from harness.judging import Daemon
from harness.monitoring import Prometheus
from harness.paths import REDLINE, ROOT
from harness.servers import RedisServer
from harness.shipped import hastened_minutes

TIMEOUT_SECONDS = 150

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
        entries = ", ".join(f"{{name: {name}, kind: cache, seeds: ['127.0.0.1:{server.port}']}}"
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
