"""Drills on real servers: what they measure, held against a count of the test's own; what they leave behind; whom they spare."""

import os
import pty
import random
import re
import select
import signal
import subprocess
import time

from harness import drills, servers
from harness.check import Check, thorough_only
from harness.exporters import redline
from harness.lab import Lab
from harness.paths import ROOT, tool
from harness.versions import NEWEST

TIMEOUT_SECONDS = 240
THOROUGH_TIMEOUT_SECONDS = 1200
WAITS = True


def recounted(check: Check, drill: drills.Drill, server: servers.RedisServer, path) -> None:
    """The drill's counts, beside the ledger's file and what the server has."""
    keys = drills.ledger(path)
    check.equal(len(set(keys)), len(keys), "each acknowledged write stands in the ledger once")
    check.equal(drill.numbers["acknowledged_writes"], len(keys), "the writes of the ledger are those of the report")
    check.that(len(keys) > 1000, f"canaries wrote: {len(keys)}")
    check.equal(drill.numbers["lost_writes"], drills.missing(keys, server), f"the lost writes are those that are missing ({drill.said})")


def check_a_bare_failover_loses_writes(check: Check) -> None:
    group = drills.SentinelGroup(check)
    load = drills.Load(group)
    path = check.folder / "ledger"
    folder = check.folder / "results"
    folder.mkdir()
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", group.failover_command(),
                       "--ledger", str(path), "--keep", more=f"results: {{path: {folder}}}\n")
    load.stop()
    check.equal(drill.status, 1, f"a drill that loses writes fails: {drill.said}")
    check.that(drill.numbers["lost_writes"] > 0, f"writes are lost: {drill.report}")
    recounted(check, drill, group.masters()[0], path)
    check.equal(drill.result("lost-writes")["severity"], "critical", "the loss is critical")
    check.equal(sum(loss["writes"] for loss in drill.report["lost"]), drill.numbers["lost_writes"], "the loss has its masters")
    check.equal(drill.result("estimate")["verdict"], "ok", f"ledger and offsets agree: {drill.result('estimate')}")
    # The client beside lost some, too.
    check.that(drill.numbers["estimated_lost_writes_most"] >= drill.numbers["lost_writes"] * 0.95,
               f"the offsets tell of as many: {drill.numbers}")
    check.that(any("on this machine" in note for note in drill.report["notes"]), "loopback is said to flatter")
    check.that(any(folder.glob("drill-sessions-*.json")), "a result is left for the daemon")


def runbook_failover(check: Check, group: drills.SentinelGroup) -> str:
    """What runbooks and the steps of an upgrade say for a master that is well, as a command of a drill."""
    found = set()
    for path in sorted((ROOT / "alerts" / "runbooks").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        found |= set(re.findall(r"redis-cli \{master\} CLIENT PAUSE .*?SENTINEL FAILOVER \{master_name\}", text))
        # A master that is down, loading or demoted takes no writes.
        if path.stem not in ("RedisDown", "RedisLoadingLong", "RedisMastersMissing"):
            check.none([line for line in text.splitlines() if "SENTINEL FAILOVER" in line and "CLIENT PAUSE" not in line],
                       f"failovers in {path.name} without a pause before them")
    check.equal(len(found), 1, f"one form of it: {found}")
    steps = (ROOT / "Sources" / "Drills" / "Upgrade" / "UpgradeSteps.swift").read_text(encoding="utf-8")
    form = found.pop()
    check.that(form.replace("{master}", "{node}") in steps, "the steps of an upgrade have the same")
    return (form.replace("redis-cli {master}", f"{tool('redis-cli')} -p $REDLINE_DRILL_PORT").replace("{master_name}", group.master_name)
            .replace("redis-cli {sentinel}", f"{tool('redis-cli')} -p {group.sentinels[0].port}"))


def check_the_pause_of_runbooks_loses_nothing(check: Check) -> None:
    for version in check.share(NEWEST[-1:], NEWEST):
        group = drills.SentinelGroup(check, version)
        load = drills.Load(group)
        patient = drills.Patient(group.masters()[0])
        path = check.folder / f"ledger-{version}"
        drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", runbook_failover(check, group),
                           "--ledger", str(path), "--keep")
        load.stop()
        check.equal((drill.status, drill.numbers["lost_writes"]), (0, 0), f"nothing is lost on {version}: {drill.said} {drill.report}")
        recounted(check, drill, group.masters()[0], path)
        check.equal(patient.lost_on(group.masters()[0]), 0, "nor does a client that waited at the old master")
        check.that(drill.numbers["estimated_lost_writes_most"] <= 20, f"offsets say the same: {drill.numbers}")


def check_a_planned_failover_loses_nothing(check: Check) -> None:
    group = drills.SentinelGroup(check)
    load = drills.Load(group)
    patient = drills.Patient(group.masters()[0])
    path = check.folder / "ledger"
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "planned", "--ledger", str(path), "--keep")
    load.stop()
    check.equal(patient.lost_on(group.masters()[0]), 0, "nor does a client that waited at the old master")
    check.that(patient.count > 100, f"which had written: {patient.count}")
    check.equal(drill.numbers.get("lost_writes"), 0, f"nothing is lost: {drill.said} {drill.report}")
    check.equal(drill.status, 0, f"the drill is passed: {drill.said} {drill.report}")
    recounted(check, drill, group.masters()[0], path)
    check.that(drill.numbers["switch_seconds"] < 10 and drill.numbers["outage_seconds"] < 10, f"it is quick: {drill.numbers}")
    unpaused(check, group.members)


def unpaused(check: Check, members: list[servers.RedisServer]) -> None:
    for one in members:
        with one.client(seconds=2) as client:
            role = client("ROLE")[0]
            if role == b"master":
                check.equal(client("SET", "unpaused", "1", "EX", "1"), "OK", "writes go on")


def left(members: list[servers.RedisServer], run: str = "*") -> list[str]:
    """The first keys of canaries that are there, by server."""
    found = []
    for one in members:
        try:
            with one.client(seconds=2) as client:
                found += [f"{one.port} {key.decode()}" for key in client("KEYS", f"redline:canary:{run}:*")[:3]]
        except OSError:
            continue
    return found


def cleaned(check: Check, members: list[servers.RedisServer], run: str = "*") -> None:
    """An old master throws its keys away when it gets its data from the new one."""
    check.until(lambda: not left(members, run), 30, f"no key is left, but {left(members, run)}")


@thorough_only
def check_a_master_that_hangs(check: Check) -> None:
    for version in (None, *NEWEST):
        group = drills.SentinelGroup(check, version)
        drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "hang")
        check.equal(drill.status, 0, f"the drill is passed ({version}): {drill.said} {drill.report}")
        check.that(2 <= drill.numbers["detect_seconds"] <= 6, f"it is found down: {drill.numbers}")
        check.that(drill.numbers["switch_seconds"] <= 8, f"another takes over: {drill.numbers}")
        check.that(drill.numbers["outage_seconds"] >= 2, f"nobody served: {drill.numbers}")
        check.that(drill.numbers["timeout_errors"] > 0, f"canaries waited: {drill.numbers}")
        unpaused(check, group.members)
        cleaned(check, group.members)
        check.that(not list(check.folder.glob("*.ledger")), "no ledger is left where nothing was lost")


@thorough_only
def check_planned_and_bare_on_the_newest(check: Check) -> None:
    for version in NEWEST:
        group = drills.SentinelGroup(check, version)
        path = check.folder / f"ledger-{version}"
        drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "planned", "--ledger", str(path), "--keep")
        check.equal(drill.status, 0, f"planned on {version}: {drill.said} {drill.report}")
        recounted(check, drill, group.masters()[0], path)
        group.recovered()
        path = check.folder / f"ledger-bare-{version}"
        drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", group.failover_command(),
                           "--ledger", str(path), "--keep")
        check.that(drill.numbers["lost_writes"] > 0, f"a bare failover on {version} loses: {drill.said} {drill.report}")
        recounted(check, drill, group.masters()[0], path)


@thorough_only
def check_a_master_that_is_killed(check: Check) -> None:
    group = drills.SentinelGroup(check)
    (old,) = group.masters()
    path = check.folder / "ledger"
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "kill", "--exec", f"kill -9 {old.process.pid}",
                       "--ledger", str(path), "--keep")
    check.equal(drill.result("course")["verdict"], "ok", f"it recovered: {drill.said} {drill.report}")
    check.equal(drill.result("old-master")["severity"], "info", "the old master is to be started again")
    recounted(check, drill, group.masters()[0], path)
    check.that(drill.numbers["outage_seconds"] >= 2, f"nobody served: {drill.numbers}")
    # A command that ends nobody is found out.
    old.restart()
    group.recovered()
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "kill", "--exec", "true", "--limit", "6s")
    check.equal(drill.status, 1, f"nothing failed over: {drill.said}")
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", "exit 3")
    check.that(drill.status == 1 and "exited with 3" in drill.said, f"a command that fails is told: {drill.said}")


@thorough_only
def check_a_cluster(check: Check) -> None:
    group = drills.ClusterGroup(check)
    hang = drills.run(check, group.fleet(), "--workload", "pages", "--fault", "hang")
    check.that(hang.status == 2 and "does not fail over" in hang.said, f"a cluster is not held: {hang.said}")
    path = check.folder / "ledger"
    drill = drills.run(check, group.fleet(), "--workload", "pages", "--fault", "planned", "--ledger", str(path), "--keep")
    check.equal((drill.status, drill.numbers.get("lost_writes")), (0, 0), f"planned: {drill.said} {drill.report}")
    recounted_in_cluster(check, drill, owner(group), path)
    group.whole()
    victim = owner(group)
    drill = drills.run(check, group.fleet(), "--workload", "pages", "--fault", "kill", "--exec", f"kill -9 {victim.process.pid}")
    check.equal(drill.result("course")["verdict"], "ok", f"killed: {drill.said} {drill.report}")
    check.that(drill.numbers["switch_seconds"] >= 1, f"it took a while: {drill.numbers}")
    cleaned(check, [node for node in group.nodes if node is not victim], drill.report["run"])


def owner(group: drills.ClusterGroup) -> servers.RedisServer:
    """The master of the first slots, which a drill takes."""
    row = next(row for row in group.rows(group.nodes[5]) if "master" in row[2] and any(part.startswith("0-") for part in row[8:]))
    return next(node for node in group.nodes if row[1].startswith(f"127.0.0.1:{node.port}@"))


def recounted_in_cluster(check: Check, drill: drills.Drill, server: servers.RedisServer, path) -> None:
    keys = drills.ledger(path)
    check.equal(drill.numbers["acknowledged_writes"], len(keys), "the writes of the ledger are those of the report")
    with server.client(seconds=30) as client:
        missing = sum(1 - client("EXISTS", key) for key in keys)
    check.equal(drill.numbers["lost_writes"], missing, "the lost writes are those that are missing")


def started(check: Check, fleet: str, *words: str) -> subprocess.Popen:
    log = open(check.folder / "drill.log", "wb")
    check.closing.callback(log.close)
    child = subprocess.Popen(drills.command(check, fleet, *words), stdout=subprocess.PIPE, stderr=log,
                             env=drills.environment(check), stdin=subprocess.DEVNULL, start_new_session=True)

    def end() -> None:
        if child.poll() is None:
            child.kill()
            child.wait(10)

    check.closing.callback(end)
    return child


def said(check: Check) -> str:
    return (check.folder / "drill.log").read_text()


@thorough_only
def check_an_interrupt_undoes(check: Check) -> None:
    group = drills.SentinelGroup(check)
    for number, (fault, word) in enumerate((("planned", "writes are held"), ("hang", "CLIENT PAUSE ALL"), ("planned", "canaries are written"))):
        child = started(check, group.fleet(), "--workload", "sessions", "--fault", fault)
        check.until(lambda: word in said(check), 30, f"the drill has come to: {word}", pause=0.01)
        child.send_signal(signal.SIGINT if number else signal.SIGTERM)
        check.equal(child.wait(90), 3, f"an interrupted drill knows nothing ({fault}): {said(check)}")
        check.until(lambda: len(group.masters()) == 1, 30, "one master is left")
        unpaused(check, group.members)
        group.recovered()
        cleaned(check, group.members)
    child = started(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", "sleep 300 & echo $! > child; wait",
                    "--before", "1s")
    check.until(lambda: "--exec begins" in said(check), 30, "the command runs")
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    child.wait(60)
    check.until(lambda: not sleeping(), 10, "the command has ended with the drill")


def sleeping() -> list[str]:
    return subprocess.run(["pgrep", "-fx", "sleep 300"], capture_output=True, text=True, check=False).stdout.split()


@thorough_only
def check_a_killed_drill_leaves_nothing(check: Check) -> None:
    group = drills.SentinelGroup(check)
    for number in range(check.share(2, 8)):
        fault = ("planned", "hang", "exec")[number % 3]
        words = ("--exec", "sleep 301") if fault == "exec" else ()
        child = started(check, group.fleet(), "--workload", "sessions", "--fault", fault, "--before", "1s", "--limit", "5s", *words)
        check.until(lambda: "canaries are written" in said(check), 30, "canaries are written", pause=0.01)
        time.sleep(random.uniform(0, 4))
        child.kill()
        child.wait(10)
        check.until(lambda: not subprocess.run(["pgrep", "-fx", "sleep 301"], capture_output=True, check=False).stdout, 10,
                    "no child is left")
        with_end(check, group)
        check.until(lambda: writable(group), 40, f"no pause is left ({fault})")
        group.recovered()
    # 1 s before, 5 s of waiting, 3 s stable, and a minute.
    check.until(lambda: not left(group.members), 90, "no key is left")


def with_end(check: Check, group: drills.SentinelGroup) -> None:
    for one in group.members:
        try:
            with one.client(seconds=20) as client:
                for key in client("KEYS", "redline:canary:*")[:500]:
                    check.that(client("PTTL", key) != -1, f"{key} has an end")
        except OSError:
            continue


def writable(group: drills.SentinelGroup) -> bool:
    masters = group.masters()
    if len(masters) != 1:
        return False
    with masters[0].client(seconds=1) as client:
        return client("SET", "writable", "1", "EX", "1") == "OK"


# Whom a drill spares.


def refused(check: Check, fleet: str, rule: str, *words: str) -> None:
    drill = drills.run(check, fleet, "--workload", "sessions", "--fault", "planned", *words)
    check.equal(drill.status, 2, f"it is refused ({rule}): {drill.said}")
    check.that(f"[guard: {rule}]" in drill.said, f"it says why ({rule}): {drill.said}")


def typed(check: Check, fleet: str, answer: bytes, *words: str) -> tuple[int, str]:
    """A drill with a terminal of its own, on which somebody answers its question."""
    arguments = drills.command(check, fleet, "--workload", "sessions", "--fault", "planned", *words)
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(arguments[0], arguments, drills.environment(check))
    said, is_answered = b"", False
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        if b"to stop: " in said and not is_answered:
            os.write(terminal, answer + b"\n")
            is_answered = True
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), said.decode(errors="replace")


def check_guards_are_not_got_past(check: Check) -> None:
    group = drills.SentinelGroup(check)
    fleet = group.fleet()
    before = [one.port for one in group.masters()]
    refused(check, fleet.replace("disruptive: allowed", "disruptive: refused"), "disruptive")
    refused(check, fleet.replace("user: drill", "user: default"), "login")
    # Production, and what may be: without a terminal, a name on the command line does not do, nor one in a pipe.
    for environment in ("production", ""):
        refused(check, group.fleet(environment), "environment")
        refused(check, group.fleet(environment), "environment", "--confirm", "sessions")
        refused(check, group.fleet(environment), "environment", "--confirm", "other")
    piped = subprocess.run(
        [*drills.command(check, group.fleet("production"), "--workload", "sessions", "--fault", "planned", "--confirm", "sessions")],
        input="sessions\n" * 9, capture_output=True, text=True, timeout=60, start_new_session=True, env=drills.environment(check))
    check.equal(piped.returncode, 2, f"a pipe is no terminal: {piped.stderr}")
    status, words = typed(check, group.fleet("production"), b"yes", "--confirm", "sessions")
    check.that(status == 2 and "[guard: environment]" in words, f"another word does not do: {words}")
    # The same servers as production, by another name.
    shared = (f"  - name: shop\n    kind: custom\n    topology: static\n    environment: production\n"
              f"    seeds: [localhost:{group.members[1].port}]\n")
    refused(check, fleet + shared, "shared")
    # Production that does not answer could be anybody.
    refused(check, fleet + shared.replace(f"localhost:{group.members[1].port}", f"127.0.0.1:{check.free_port()}"), "shared")
    check.equal([one.port for one in group.masters()], before, "nobody was touched")
    check.equal(left(group.members), [], "nothing was written")
    # Something critical: half of the group is gone.
    for sentinel in group.sentinels[1:]:
        sentinel.process.signal(signal.SIGKILL)
    group.members[2].process.signal(signal.SIGKILL)
    drill = drills.run(check, fleet, "--workload", "sessions", "--fault", "planned")
    check.that(drill.status in (2, 3), f"it does not begin: {drill.said}")
    check.equal(left(group.members), [], "nothing was written")


@thorough_only
def check_production_is_drilled_when_the_name_is_typed(check: Check) -> None:
    group = drills.SentinelGroup(check)
    status, words = typed(check, group.fleet("production"), b"sessions", "--confirm", "sessions")
    check.equal(status, 0, f"a person may: {words}")


@thorough_only
def check_the_daemon_agrees(check: Check) -> None:
    group = drills.SentinelGroup(check)
    config = check.file("daemon.yml", "defaults: {poll_interval: 500ms}\nworkloads:\n" + group.fleet())
    exporter = redline(check, None, f"--config.file={config}", f"--storage.path={check.folder / 'redline.db'}")
    check.until(lambda: len(exporter.page().named("redis_instance_role")) >= 3, 30, "the daemon has found everybody")
    time.sleep(5)
    drill = drills.run(check, group.fleet(), "--workload", "sessions", "--fault", "exec", "--exec", group.failover_command(),
                       "--url", f"http://127.0.0.1:{exporter.port}")
    result = drill.result("estimate")
    check.equal(result.get("verdict"), "ok", f"the daemon agrees: {drill.said} {drill.report}")
    check.that("as the daemon counts" in result["text"], f"its word is taken: {result}")
    (lost, most) = (drill.numbers["lost_writes"], drill.numbers["estimated_lost_writes_most"])
    check.that(0 < lost and abs(most - lost) <= 20 + lost / 10, f"only canaries wrote: {lost} and {most}")


@thorough_only
def check_the_lab_drills(check: Check) -> None:
    """One drill that passes, one that fails since a bare failover loses writes; with all traffic on."""
    lab = Lab(check)
    lab.up()
    code, text = lab.run("drill", seconds=120)
    check.equal(code, 0, f"the planned drill passes: {text}")
    check.that("0 of " in text and "acknowledged writes are lost" in text, f"nothing is lost: {text}")
    lab.does("heal", seconds=90)
    code, text = lab.run("drill", "bare", seconds=150)
    check.equal(code, 1, f"the bare one fails: {text}")
    check.that("[drill-lost-writes]" in text and "critical" in text, f"for what it lost: {text}")
    lab.goes_down()


@thorough_only
def check_the_lab_verifies_backups(check: Check) -> None:
    lab = Lab(check)
    lab.up()
    code, text = lab.run("backup", seconds=90)
    check.equal(code, 0, f"a good file passes: {text}")
    code, text = lab.run("backup", "damaged", seconds=90)
    check.equal(code, 1, f"half of one does not: {text}")
    lab.goes_down()
