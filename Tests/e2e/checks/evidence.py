"""What is gathered about alerts from the second they begin: real faults on real servers, who did it, and what is never kept."""

import dataclasses
import json
import pathlib
import signal
import subprocess
import threading
import time

from harness.check import Check
from harness.disk import Disk
from harness.fake_alertmanager import FakeAlertmanager, seconds
from harness.judging import Judge, workload
from harness.paths import REDLINE
from harness.resp import Redis, ReplyError
from harness.servers import RedisServer, replica_of
from harness.versions import on_servers

TIMEOUT_SECONDS = 180
WAITS = True

# From the alert, or from when the server answers again, to the culprit's name.
NAMED_SECONDS = 5
KEY, VALUE = "user42:planted-key", "hunter2-planted-value"

RULES = """
groups:
- name: faults
  rules:
  - {alert: Down, expr: 'redis_up == 0 and max_over_time(redis_up[5m]) == 1', labels: {severity: critical}}
  - {alert: Slow, expr: 'redis_last_slow_execution_duration_seconds{workload="keys"} > 0.1', labels: {severity: warning}}
  - {alert: Flushed, expr: 'redis_commands_total{cmd=~"flush.*"} > 0', labels: {severity: critical}}
  - {alert: SyncLoop, expr: 'redis_replica_resyncs_full > 2', labels: {severity: warning}}
  - {alert: Storm, expr: 'redis_rejected_connections_total > 0', labels: {severity: critical}}
  - {alert: CannotWrite, expr: 'redis_aof_last_write_status == 0', labels: {severity: critical}}
- name: calm
  rules:
""" + "".join(f"  - {{alert: Calm{number}, expr: 'redis_up{{workload=\"calm\"}} == 1', labels: {{severity: warning}}}}\n"
              for number in range(10))


@dataclasses.dataclass
class Fault:
    """A server, what is done to it, and the first sentence that must come of it."""

    name: str
    server: RedisServer
    says: tuple[str, ...]
    # When the server could be asked again; until then nothing can be named.
    back: float = 0
    named: float | None = None
    first: str = ""

    def look(self, records: list[dict]) -> bool:
        """Whether the first sentence is as it should be; the moment is kept."""
        for record in records:
            if record["workload"] == self.name and record["culprits"]:
                self.first = record["culprits"][0]["text"]
                if self.named is None and all(part in self.first for part in self.says):
                    self.named = time.time() - max(seconds(record["pending"]), self.back)
        return self.named is not None


class Background:
    """Threads that end with the check."""

    def __init__(self, check: Check):
        self.over = threading.Event()
        check.closing.callback(self.over.set)

    def run(self, body) -> None:
        def quietly() -> None:
            try:
                body()
            except (OSError, ReplyError, EOFError):
                pass

        threading.Thread(target=quietly, daemon=True).start()


def named_client(server: RedisServer, name: str, seconds: float = 60) -> Redis:
    client = server.client(seconds=seconds)
    client("CLIENT", "SETNAME", name)
    return client


def planted(server: RedisServer, *settings: str) -> RedisServer:
    """A server whose slow log has a key and a value of somebody."""
    with server.client() as client:
        client("CONFIG", "SET", "slowlog-log-slower-than", "0")
        client("SET", KEY, VALUE)
        client("CONFIG", "SET", "slowlog-log-slower-than", "10000")
    return server


@on_servers
def check_culprits(check: Check) -> None:
    """Each fault is named within 5 s and first of all, and where nothing happened nobody is."""
    background = Background(check)
    debug = "enable-debug-command yes"
    sleepy, keys, ci, storm, gone, calm = (
        planted(RedisServer(check, debug, *options, name=name)) for name, options in (
            ("sleepy", ()), ("keys", ()), ("ci", ()), ("storm", ("maxclients 120",)), ("gone", ()), ("calm", ())))
    sync = planted(RedisServer(
        check, debug, "client-output-buffer-limit replica 128kb 0 0", "repl-backlog-size 16kb", "repl-diskless-sync yes",
        name="sync"))
    with sync.client(60) as client:
        client("DEBUG", "POPULATE", "200000", "fill", "100")
    disk = Disk(check)
    full = planted(RedisServer(check, debug, f"dir {disk.path}", "appendonly yes", "appendfsync everysec", name="disk",
                               prefix=disk.prefix))
    with keys.client(60) as client:
        client("DEBUG", "POPULATE", str(check.share(2_500_000, 4_000_000)))
        client("SLOWLOG", "RESET")

    # Of the other alerts nothing is said: they get the usual.
    check.file("runbooks/SyncLoop.md", "---\nevidence: [replication, clients]\n---\n\n# SyncLoop\n")
    check.file("runbooks/CannotWrite.md", "---\nevidence: [persistence, host]\n---\n\n# CannotWrite\n")
    told = FakeAlertmanager(check)
    servers = {"sleepy": sleepy, "keys": keys, "ci": ci, "storm": storm, "gone": gone, "calm": calm, "sync": sync,
               "disk": full}
    judge = Judge(check, [workload(server, name, "custom").replace("}", ", topology: replication}")
                          for name, server in servers.items()], RULES, told.url).start()
    judge.await_samples("redis_up == 1", len(servers))
    # What it counted before is what the rise is told from.
    time.sleep(3)

    faults = [
        Fault("sleepy", sleepy, ("DEBUG SLEEP from job-7 of 127.0.0.0/24 took 6",)),
        Fault("keys", keys, ("KEYS from job-8 of 127.0.0.0/24 took",)),
        Fault("ci", ci, ("FLUSHDB by client ci-runner of 127.0.0.0/24",)),
        Fault("storm", storm, ("worker of 127.0.0.0/24 holds", "maxclients is 120", "turned away")),
        Fault("gone", gone, ("takes no connection since", "its process or its machine is gone")),
        # Redis counts what it cuts since 7.2.
        Fault("sync", sync, ("full sync", "128 KiB" if check.server in ("redis-6.2", "redis-7.0") else "output buffer was cut")),
        Fault("disk", full, ("cannot write its AOF: its disk has", "and refuses writes")),
    ]
    by_name = {fault.name: fault for fault in faults}

    def sleep() -> None:
        with named_client(sleepy, "job-7") as client:
            client("DEBUG", "SLEEP", "6")
            by_name["sleepy"].back = time.time()
            background.over.wait(60)

    def list_keys() -> None:
        with named_client(keys, "job-8") as client:
            client("KEYS", "*")
            background.over.wait(60)

    def flush() -> None:
        with named_client(ci, "ci-runner") as client:
            client("FLUSHDB")
            background.over.wait(60)

    def connect() -> None:
        held = []
        while not background.over.is_set():
            try:
                held.append(named_client(storm, "worker"))
            except (OSError, ReplyError, EOFError):
                background.over.wait(0.05)

    def write() -> None:
        with sync.client(60) as client:
            while not background.over.is_set():
                for number in range(50):
                    client.send("SET", f"fill:{number}", "x" * 20_000)
                for number in range(50):
                    client.read()

    for body in (sleep, list_keys, flush, connect, write):
        background.run(body)
    gone.process.signal(signal.SIGKILL)
    disk.fill()
    with full.client() as client:
        client.send("SET", "cart:1", "x" * 10_000)
        try:
            client.read()
        except (OSError, ReplyError, EOFError):
            pass
    replica = RedisServer(check, f"replicaof 127.0.0.1 {sync.port}", name="replica")
    check.that(replica.port > 0, "a replica asks for a full sync")

    def all_named() -> bool:
        records = judge.ask("evidence")["evidence"]
        return all([fault.look(records) for fault in faults])

    try:
        check.until(all_named, 75, "every culprit is named", pause=0.2)
    finally:
        for fault in faults:
            print(f"{fault.name}: {'not named' if fault.named is None else f'{fault.named:.1f} s'}: {fault.first}")
    check.none([f"{fault.name}: named {fault.named:.1f} s after" for fault in faults if fault.named > NAMED_SECONDS],
               f"culprits that are named later than {NAMED_SECONDS} s")
    records = judge.ask("evidence")["evidence"]
    quiet = [record for record in records if record["workload"] == "calm"]
    # Ten alerts of one minute share one look.
    check.equal([sorted(record["alerts"]) for record in quiet], [[f"Calm{number}" for number in range(10)]], "of the calm one")
    check.equal(quiet[0]["culprits"], [], "culprits of the calm one")

    # Who is paged gets a link that leads there.
    check.until(lambda: any(sent.name == "Down" for sent in told.sent()), 10, "Alertmanager is told")
    links = {sent.annotations.get("evidence_url", "") for sent in told.sent() if sent.name == "Down"}
    ids = {record["id"] for record in records}
    check.that(links and all(link.rsplit("/evidence/", 1)[-1] in ids for link in links), f"evidence_url leads to evidence: {links}")

    # What clients sent is nowhere.
    kept = [json.dumps(records), judge.process.get("/evidence").text, judge.process.get("/events").text,
            judge.process.get("/alerts").text, judge.process.output()]
    for record in records:
        kept.append(json.dumps(judge.ask(f"evidence/{record['id']}")))
        page = judge.process.get(f"/evidence/{record['id']}")
        check.equal(page.status, 200, f"/evidence/{record['id']}")
        check.that("What stands out" in page.text and "Slow log" in page.text or record["workload"] in ("gone", "sync", "disk"),
                   f"the page of {record['workload']} has details")
        kept.append(page.text)
    kept += [file.read_bytes().decode("latin-1") for file in pathlib.Path(judge.storage).parent.glob("redline.db*")]
    for word in ("user42", "planted-key", "hunter2"):
        check.none([text[max(0, text.find(word) - 80):][:160] for text in kept if word in text], f"places that have {word}")

    # A kill loses none of it, and alerts that still fire lead to it again.
    judge.kill()
    judge.start()
    check.until(lambda: {record["id"] for record in judge.ask("evidence")["evidence"]} >= ids, 15, "evidence is there again")
    total = judge.process.page().named("redis_exporter_evidence_total")
    check.equal(len(total), 4, "outcomes that are counted")


def check_a_terminal_gathers_without_a_daemon(check: Check) -> None:
    """redline runbook --gather asks the servers that the configuration leads to for what the runbook names."""
    server = planted(RedisServer(check, "enable-debug-command yes"))
    replica_of(check, server)
    config = check.file("redline.yml", f"workloads: [{workload(server, 'shop', 'custom').replace('}', ', topology: replication}')}]\n")
    check.file("runbooks/RedisDown.md", "---\nevidence: [slowlog, clients, replication, host]\n---\n\n# RedisDown\n")
    with named_client(server, "job-7") as client:
        client("DEBUG", "SLEEP", "0.5")

        def gather(name: str, *more: str) -> subprocess.CompletedProcess:
            return subprocess.run([REDLINE, "runbook", name, "--gather", "--workload", "shop", f"--config.file={config}",
                                   f"--folder={config.parent / 'runbooks'}", *more], capture_output=True, text=True, timeout=40)

        told = gather("RedisDown")
        check.equal(told.returncode, 0, f"it exits ({told.stderr})")
        for part in ("1. DEBUG SLEEP from job-7 of 127.0.0.0/24 took 500 ms", "Slow log", "Replication", "Machine",
                     f"127.0.0.1:{server.port}, master", ", replica"):
            check.that(part in told.stdout, f"it says {part}: {told.stdout}")
        check.that("tcp-keepalive" not in told.stdout and KEY not in told.stdout and VALUE not in told.stdout, "and no more")
        broken = check.file("runbooks/RedisOdd.md", "---\nevidence: [slowlogs]\n---\n\n# RedisOdd\n")
        told = gather("RedisOdd")
        check.equal((told.returncode, f"{broken}:2:11: evidence: \"slowlogs\" is no source of evidence; did you mean slowlog?" in told.stderr),
                    (2, True), f"a source that there is none of ({told.stderr})")
    server.process.signal(signal.SIGSTOP)
    try:
        told = gather("RedisDown")
        check.equal(told.returncode, 3, f"nobody answers ({told.stdout} {told.stderr})")
    finally:
        server.process.signal(signal.SIGCONT)
