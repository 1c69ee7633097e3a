"""`redline report` of a scripted incident and of a scripted peak, beside what the script itself knows of them."""

import contextlib
import datetime
import json
import re
import signal
import subprocess
import threading
import time

from checks.fleet import Group, address
from harness.check import Check
from harness.exporters import Exporter
from harness.fake_alertmanager import FakeAlertmanager
from harness.judging import HASTY, Judge
from harness.monitoring import Prometheus
from harness.paths import REDLINE, ROOT
from harness.resp import Redis, ReplyError
from harness.servers import RedisServer

TIMEOUT_SECONDS = 180
WAITS = True

IDLE_CLIENTS = 7
SECRET = "s3cr3t-of-alice"
RULES = """
groups:
  - name: report
    interval: 1s
    rules:
      - alert: RedisDown
        expr: redis_up == 0
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.instance }} is down"}
      - alert: RedisFailover
        expr: time() - redis_failover_last_timestamp_seconds < 12
        labels: {severity: critical}
        annotations: {summary: "{{ $labels.master_name }} failed over"}
"""


def seconds(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def stamp(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def report(exporter: Exporter, start: str, end: str, form: str, *words: str, workload: str = "carts"):
    return subprocess.run(
        [REDLINE, "report", "--url", f"http://127.0.0.1:{exporter.port}", "--workload", workload, "--from", start, "--to", end,
         "--format", form, *words], capture_output=True, text=True, timeout=60)


class Writer:
    """Sets a key at a time on whoever is master, and knows when each write was acknowledged."""

    def __init__(self, group: Group):
        self.group = group
        self.acknowledged: list[float] = []
        self.keys: list[str] = []
        self.is_over = False
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self) -> None:
        while not self.is_over:
            with contextlib.suppress(OSError, ValueError, ReplyError), Redis(self.group.master_port(), seconds=0.5) as client:
                while not self.is_over:
                    key = f"user:alice@example.org:{len(self.keys)}"
                    client("SET", key, SECRET)
                    self.acknowledged.append(time.time())
                    self.keys.append(key)
                    time.sleep(0.005)
            time.sleep(0.02)

    def stop(self) -> None:
        self.is_over = True
        self.thread.join(5)

    @property
    def gap(self) -> float:
        """The longest time without an acknowledged write."""
        return max(after - before for before, after in zip(self.acknowledged, self.acknowledged[1:]))


class Watcher:
    """When a metric first had a value that it had not."""

    def __init__(self, exporter: Exporter, is_so):
        self.at: float | None = None
        self.exporter, self.is_so, self.is_over = exporter, is_so, False
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        while not self.is_over and not self.at:
            with contextlib.suppress(OSError):
                if self.is_so(self.exporter.page()):
                    self.at = time.time()
            time.sleep(0.05)


def of(page, family: str, **labels: str) -> float | None:
    """The first sample with these labels, among others."""
    return next((value for series, value in page.named(family).items() if labels.items() <= dict(series).items()), None)


def by_instance(exporter: Exporter, family: str) -> dict[str, float]:
    return {dict(series)["instance"]: value for series, value in exporter.page().named(family).items()}


def rises(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: value - before.get(name, 0) for name, value in after.items()}


def is_master(server: RedisServer) -> bool:
    with Redis(server.port, seconds=0.5) as client:
        return client("ROLE")[0] == b"master"


def heard(group: Group) -> dict[str, float]:
    """When any Sentinel first logged a phase of the failover."""
    found: dict[str, float] = {}
    names = {"+sdown": "sdown", "+odown": "odown", "+try-failover": "try", "+switch-master": "switch"}
    for sentinel in group.sentinels:
        for line in sentinel.process.output().splitlines():
            said = re.search(r" (\d+ \w+ \d{4} [\d:.]+) . (\S+) (?:master )?carts ", line)
            if said and said[2] in names:
                at = datetime.datetime.strptime(said[1], "%d %b %Y %H:%M:%S.%f").astimezone().timestamp()
                found[names[said[2]]] = min(at, found.get(names[said[2]], at))
    return found


def near(check: Check, told: str, known: float, text: str, within: float = 1.0) -> None:
    check.that(abs(seconds(told) - known) <= within, f"{text}: told {told}, the script knows {stamp(known)}")


def members_up(exporter: Exporter) -> float:
    return sum(value for series, value in exporter.page().named("redis_up").items() if dict(series).get("workload") == "carts")


def settled(check: Check, exporter: Exporter, count: int, text: str) -> None:
    """Everybody is up, and no counter moves any more."""
    check.until(lambda: members_up(exporter) == count, 40, text)
    time.sleep(3)


def check_the_report_of_an_incident(check: Check) -> None:
    """A master is killed under load, a replica takes over, the old one comes back."""
    group = Group(check)
    told = FakeAlertmanager(check)
    runbooks = ROOT / "alerts" / "runbooks"
    seed = group.sentinels[0].port
    judge = Judge(
        check, [f"{{name: carts, kind: session, sentinel: {{master_name: carts, seeds: ['127.0.0.1:{seed}']}}}}"], RULES,
        told.url, settings=f"{HASTY}, runbooks: {runbooks}", more="history: {retention: 1h}\n")
    exporter = judge.start().process
    check.until(lambda: members_up(exporter) == 3, 20, "the members are found")
    prometheus = Prometheus(check, (
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: redis\n  honor_labels: true\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{exporter.port}']}}]\n"))
    old = group.master
    idle = [Redis(old.port) for _ in range(IDLE_CLIENTS)]
    writer = Writer(group)
    settled(check, exporter, 3, "everybody is up")
    time.sleep(5)

    clients_before = by_instance(exporter, "redis_connected_clients")[address(old)]
    families = ("redis_probe_failures_total", "redis_probe_missed_total", "redis_rejected_connections_total")
    before = {family: by_instance(exporter, family) for family in families}
    start = time.time()
    time.sleep(2)
    down = Watcher(exporter, lambda page: of(page, "redis_up", instance=address(old)) == 0)
    killed = time.time()
    old.process.signal(signal.SIGKILL)
    check.until(lambda: any(is_master(one) for one in group.replicas), 20, "another is master", pause=0.02)
    outage = time.time() - killed
    check.until(lambda: group.master_port() != old.port, 20, "the Sentinels name it")
    new = f"127.0.0.1:{group.master_port()}"
    check.until(lambda: writer.acknowledged[-1] > killed + 1, 20, "writes are acknowledged again")
    check.until(lambda: {one.name for one in told.sent() if one.is_firing} == {"RedisDown", "RedisFailover"}, 20,
                "both alerts are sent")
    back = time.time()
    old.restart()
    up = Watcher(exporter, lambda page: of(page, "redis_up", instance=address(old)) == 1)
    check.until(lambda: {one.name for one in told.sent() if not one.is_firing} == {"RedisDown", "RedisFailover"}, 40,
                f"both are over: {judge.alerts()}")
    settled(check, exporter, 3, "everybody is up again")
    after = {family: by_instance(exporter, family) for family in families}
    clients_after = by_instance(exporter, "redis_connected_clients")[new]
    writer.stop()
    end = time.time()

    answer = report(exporter, stamp(start), stamp(end), "json")
    check.that(answer.returncode in (0, 1, 3), f"the exit status {answer.returncode}: {answer.stderr}")
    found = json.loads(answer.stdout)["report"]
    timeline = found["timeline"]["entries"]

    def entry(kind: str, node: str = "") -> dict:
        return next((one for one in timeline if one["kind"] == kind and one.get("node", "") == (node or one.get("node", ""))), {})

    # Times.
    silent = next(one for one in found["impact"]["silences"] if one["node"] == address(old))
    near(check, silent["from"], down.at, "when the master was found silent")
    check.that(killed <= seconds(silent["from"]) <= killed + 3, f"it was killed at {stamp(killed)}: {silent}")
    near(check, silent["to"], up.at, "when the old master answered again")
    check.that(seconds(silent["to"]) >= back, f"it was started at {stamp(back)}: {silent}")
    (failover,) = found["timeline"]["failovers"]
    check.equal((failover["from"], failover["to"], failover["kind"]), (address(old), new, "automatic"), "the failover")
    phases = {phase["name"]: phase["time"] for phase in failover["phases"]}
    known = heard(group)
    check.equal(sorted(known), ["odown", "sdown", "switch", "try"], "what the Sentinels' logs say")
    for name, at in known.items():
        near(check, phases[name], at, f"the phase {name}")
    # From the last answer to a probe, one of which is sent each second, to the first.
    check.that(outage - 0.2 <= failover["outageSeconds"] <= outage + 2.2,
               f"no master was there for {outage:.2f} s, told are {failover['outageSeconds']} s")
    check.that(failover["outageSeconds"] <= writer.gap + 1.2, f"nor was a write taken for {writer.gap:.2f} s")
    check.equal(failover["outageSeconds"], of(exporter.page(), "redis_failover_outage_seconds", to=new),
                "the outage is that of the metric")
    # Counts.
    for name, family in (("failedProbes", families[0]), ("probesNotSent", families[1]), ("refusedConnections", families[2])):
        expected = {one: value for one, value in rises(before[family], after[family]).items() if value}
        seen = {one: value for one, value in found["impact"][name]["by"].items() if value}
        check.equal(seen, expected, f"{name} by the script's own reading of /metrics")
    check.that(sum(found["impact"]["failedProbes"]["by"].values()) > 0, "some probes failed")
    with Redis(int(new.rsplit(":")[-1])) as client:
        kept = sum(client("EXISTS", *writer.keys[at:at + 500]) for at in range(0, len(writer.keys), 500))
    lost = failover["lostWrites"]["least"], failover["lostWrites"].get("most")
    missing = len(writer.keys) - kept
    check.that(lost[0] <= missing and (lost[1] is None or missing <= lost[1] + 2), f"{missing} writes are lost, told are {lost}")
    # What the outage used of the month's error budget, as the daemon's own answer has it.
    spent = judge.ask(f"budgets?workload=carts&from={stamp(start)}&to={stamp(end)}")["budgets"]
    used = {one["objective"]: one["badSeconds"] for one in found["impact"]["budgets"]}
    check.equal(sorted(used), sorted(one["objective"] for one in spent), "whose error budgets are told")
    for one in spent:
        # The minute that still runs has grown since the report was made.
        check.that(abs(used[one["objective"]] - one["badSeconds"]) < 0.1, f"what was used of it: {used}, then {one}")
    check.that(any(one["objective"] == "availability" and one["badSeconds"] > 0 for one in spent), f"some was: {spent}")
    # Clients.
    nodes = {one["node"]: one for one in found["clients"]["nodes"]}
    check.equal(nodes[address(old)]["before"], clients_before, "clients of the old master before")
    check.that(clients_before >= IDLE_CLIENTS + 1, f"the script's own are among them: {clients_before}")
    check.equal(nodes[new]["after"], clients_after, "clients of the new master after")
    # What was told: the first notice of each alert, and its end.
    first_sent: dict[tuple, float] = {}
    for one in told.sent():
        key = one.name, one.labels.get("instance", ""), "firing" if one.is_firing else "resolved"
        first_sent.setdefault(key, one.at)
    notices = {(one["alert"], one.get("node", ""), one["state"]): one for one in found["told"]["notices"]}
    check.equal(sorted(notices), sorted(first_sent), "who was told what")
    check.equal(len(found["told"]["notices"]), len(first_sent), "each once")
    for key, at in first_sent.items():
        near(check, notices[key]["time"], at, f"when {key} was told")
        check.equal(notices[key]["outcome"], "accepted", f"the outcome of {key}")
    for name in ("RedisDown", "RedisFailover"):
        fired = next(one for one in timeline if one["kind"] == "alert_fired" and one["text"].startswith(name))
        began = min(one.starts_at for one in told.sent(name) if one.labels.get("instance", "") == fired.get("node", ""))
        near(check, fired["time"], began, f"when {name} fired")
    # The runbooks' "Write down".
    asked = {one["alert"]: {two["question"]: two["answer"] for two in one["questions"]} for one in found["writeDown"]}
    check.equal(sorted(asked), ["RedisDown", "RedisFailover"], "the runbooks of the alerts")
    line = next(answer for question, answer in asked["RedisFailover"].items() if "+sdown" in question)
    check.that("switch" in line and "no master answered for" in line, f"the time line is filled in: {line}")
    check.that(any(new in (answer or "") for question, answer in asked["RedisDown"].items() if "took over" in question),
               f"who took over: {asked['RedisDown']}")
    reason = next(answer for question, answer in asked["RedisDown"].items() if "reason" in question)
    check.that("takes no connection" in reason, f"evidence says what only its log would tell: {reason}")

    forms(check, exporter, start, end, failover, found)
    refusals(check, exporter)
    check.equal(len(idle), IDLE_CLIENTS, "they were held open")
    from_prometheus(check, judge, prometheus, start, end, found)


def forms(check: Check, exporter: Exporter, start: float, end: float, failover: dict, found: dict) -> None:
    """Markdown, HTML and the terminal say the same, and none of them what is secret."""
    texts = {form: report(exporter, stamp(start), stamp(end), form).stdout for form in ("markdown", "html", "text", "json")}
    at = failover["time"][11:21]
    count = f"{found['impact']['failedProbes']['total']:g}"
    for form, text in texts.items():
        check.that(SECRET not in text and "alice" not in text, f"{form} has no key and no value")
        if form != "json":
            check.that(at in text, f"{form} has the time of the failover, {at}")
            check.that(f"Failed probes" in text and count in text, f"{form} has {count} failed probes")
            check.that("to be filled in" in text, f"{form} has blanks")
    check.that(texts["markdown"].startswith("# carts, ") and "\n| Time | What | Kind |\n|---|---|---|\n" in texts["markdown"],
               f"the form of Markdown: {texts['markdown'][:300]}")
    html = texts["html"]
    check.that("<script" not in html and "src=" not in html and "href=" not in html, "HTML loads nothing")
    check.that("<svg" in html and "did not answer" in html, "HTML draws the timeline")
    # Relative times.
    back = f"-{int(time.time() - start) + 2}s"
    again = json.loads(report(exporter, back, "now", "json").stdout)["report"]
    check.equal(again["timeline"]["failovers"], found["timeline"]["failovers"], "the same by a relative time")


def refusals(check: Check, exporter: Exporter) -> None:
    wrong = report(exporter, "yesterday", "now", "json")
    check.equal(wrong.returncode, 64, "the exit of a time that is none")
    check.that("--from yesterday is no time" in wrong.stderr, f"it names flag and value: {wrong.stderr}")
    turned = report(exporter, "now", "-1h", "json")
    check.that(turned.returncode == 64 and "--from now is not before --to -1h" in turned.stderr, f"turned round: {turned.stderr}")
    unknown = report(exporter, "-1h", "now", "json", workload="nobody")
    check.equal((unknown.returncode, unknown.stdout), (2, ""), f"an unknown workload: {unknown.stderr}")
    exporter_port, exporter.port = exporter.port, check.free_port()
    check.equal(report(exporter, "-1h", "now", "json").returncode, 3, "no daemon")
    exporter.port = exporter_port


def from_prometheus(check: Check, judge: Judge, prometheus: Prometheus, start: float, end: float, found: dict) -> None:
    """A daemon that keeps nothing of the span says so, and the Prometheus is asked."""
    judge.kill()
    for path in check.folder.glob("redline.db*"):
        path.unlink()
    exporter = judge.start().process
    check.until(lambda: members_up(exporter) == 3, 20, "everybody is up for the new daemon")
    check.until(lambda: "result" in judge.ask("query?query=redis_up"), 10, "it answers queries")
    alone = json.loads(report(exporter, stamp(start), stamp(end), "json").stdout)["report"]
    check.that("unknown" in alone["impact"]["failedProbes"], f"nothing is known, and no 0: {alone['impact']['failedProbes']}")
    check.that("unknown" in alone["timeline"] or "kept only since" in alone["timeline"].get("remark", ""),
               f"events are not kept that far: {alone['timeline']}")
    with_it = json.loads(report(exporter, stamp(start), stamp(end), "json", "--prometheus", prometheus.url).stdout)["report"]
    seen = with_it["impact"]["failedProbes"]
    expected = {one: value for one, value in found["impact"]["failedProbes"]["by"].items() if value}
    check.equal({one: value for one, value in seen.get("by", {}).items() if value}, expected,
                f"failed probes by the Prometheus: {seen}")
    check.that(any(prometheus.url in one for one in with_it["sources"]), f"where it is from: {with_it['sources']}")


def check_the_report_of_a_peak(check: Check) -> None:
    """A window of half a minute with other objectives, in which reads miss, keys are evicted and commands are slow."""
    server = RedisServer(check, "maxmemory 30mb", "maxmemory-policy allkeys-lru", "enable-debug-command yes",
                         "slowlog-log-slower-than 20000", "latency-tracking yes")
    opens = time.time() + 12
    closes = opens + 25
    window = f"{stamp(opens)}/{stamp(closes)}"
    judge = Judge(check, [
        f"{{name: carts, kind: cache, topology: static, seeds: ['127.0.0.1:{server.port}'], "
        f"peak: {{windows: ['{window}'], objectives: {{latency_p99: 5ms, memory_used: 0.5}}, evictions_forbidden: true}}}}"],
        RULES, more="history: {retention: 1h}\n")
    exporter = judge.start().process
    start = time.time()
    check.until(lambda: members_up(exporter) == 1, 20, "the server is found")
    opened = Watcher(exporter, lambda page: of(page, "redis_workload_in_peak", workload="carts") == 1)
    check.until(lambda: opened.at, 30, "the window is open")
    closed = Watcher(exporter, lambda page: of(page, "redis_workload_in_peak", workload="carts") == 0)
    time.sleep(3)
    slow_before = sum(by_instance(exporter, "redis_commands_slower_than_objective_total").values())
    with server.client() as client:
        stats = client.info("stats")
        known = {name: int(stats[name]) for name in ("keyspace_hits", "keyspace_misses", "evicted_keys")}
        client("SET", "present", "x")
        for number in range(900):
            client("GET", "present" if number % 10 else "absent")
        for _ in range(3):
            client("DEBUG", "SLEEP", "0.05")
        number = 0
        while int(client.info("stats")["evicted_keys"]) < known["evicted_keys"] + 20:
            client("SET", f"page:{number}", "x" * 100_000)
            number += 1
        stats = client.info("stats")
        hits, misses, evicted = (int(stats[name]) - known[name] for name in known)
        memory = int(client.info("memory")["used_memory"])
    check.that(time.time() < closes - 5, "it was done within the window")
    slow = check.until(
        lambda: sum(by_instance(exporter, "redis_commands_slower_than_objective_total").values()) - slow_before >= 3, 10,
        "the slow commands are counted")
    check.that(slow, "they are")
    check.until(lambda: closed.at, 40, "the window is closed")
    time.sleep(3)
    slow_after = sum(by_instance(exporter, "redis_commands_slower_than_objective_total").values())
    end = time.time()

    answer = report(exporter, stamp(start), stamp(end), "json", "--growth", "1.5")
    check.equal(answer.returncode, 1, f"objectives were missed: {answer.stderr}")
    whole = json.loads(answer.stdout)
    found, results = whole["report"], {one["check"]: one["verdict"] for one in whole["results"]}
    (told,) = found["peak"]["windows"]
    near(check, told["from"], opened.at, "when the window opened", within=1.5)
    near(check, told["to"], closed.at, "when it closed", within=1.5)
    check.that(abs(seconds(told["from"]) - opens) < 2.5 and abs(seconds(told["to"]) - closes) < 2.5, f"as configured: {told}")
    check.equal((found["peak"]["evictedKeys"]["total"], found["peak"]["evictedKeys"]["allowed"]), (evicted, False), "evictions")
    check.equal(found["peak"]["memoryUsedRatio"]["objective"], 0.5, "the objective is that of the window")
    check.equal(found["peak"]["latencyP99Seconds"]["objective"], 0.005, "the latency objective is that of the window")
    check.equal(found["slow"]["slowCalls"]["total"], slow_after - slow_before, "slow calls")
    check.equal({name: results[name] for name in ("objective-memory-used", "objective-evictions")},
                {"objective-memory-used": "finding", "objective-evictions": "finding"}, "what was missed")
    # The daemon's own lookups, if any, are few.
    ratio = found["outcome"]["hitRatio"]["value"]
    check.that(abs(ratio - hits / (hits + misses)) < 0.002, f"the hit ratio is {hits}:{misses}, told is {ratio}")
    check.equal(found["outcome"]["failovers"], {"value": 0, "good": "none", "asGood": True}, "no failover")
    check.equal(found["outcome"]["evictedKeys"]["asGood"], False, "evictions are no good outcome")
    need = found["capacity"]["memoryBytes"]
    check.that(abs(need["peak"] / memory - 1) < 0.05, f"the server had {memory} bytes: {need}")
    check.that(abs(need["nextYear"] - need["peak"] * 1.5 / 0.8) < 1, f"next year's need: {need}")
    check.equal(need["limit"], 30 << 20, "the limit of today")
    alone = json.loads(report(exporter, stamp(start), stamp(end), "json").stdout)["report"]["capacity"]["memoryBytes"]
    check.that("growth" not in alone and "nextYear" not in alone and "is kept" in alone["reason"],
               f"a history of a minute says nothing about a year: {alone}")
    before = json.loads(report(exporter, stamp(start), stamp(opened.at - 3), "json").stdout)["report"]
    check.that("peak" not in before, "before the window it is no peak")
    text = report(exporter, stamp(start), stamp(end), "markdown").stdout
    check.that(f"| Keys evicted | {evicted} |  | none |" in text, f"Markdown has the evictions: {text}")
