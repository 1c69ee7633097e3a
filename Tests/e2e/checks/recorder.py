"""The flight recorder: faults of the lab come back from its files as the very alerts that fired, and nothing in them is secret."""

import json
import pathlib
import shutil
import signal
import struct
import subprocess
import time
import zlib

from harness import servers, shipped
from harness.check import Check
from harness.judging import HASTY, Daemon, Judge, workload
from harness.lab import Lab
from harness.paths import REDLINE

TIMEOUT_SECONDS = 400
THOROUGH_TIMEOUT_SECONDS = 9000
WAITS = True

SECRET = "hunter2-eyJhbGciOi-0042"
KEY = "user:alice@example.org:4711"
MAGIC, HEADER_BYTES = b"REDLINE\n\x01", 17

RULES = """
groups:
- name: recorded
  rules:
  - alert: Gone
    expr: redis_up == 0
    for: 2s
    annotations: {summary: "{{ $labels.instance }} is gone"}
  - alert: Crowded
    expr: redis_connected_clients > 500
  - record: recorded:clients:sum
    expr: sum by (workload) (redis_connected_clients)
"""


def replay(check: Check, *arguments: str, status: int = 0) -> str:
    done = subprocess.run([str(REDLINE), "replay", *arguments], capture_output=True, text=True, timeout=120)
    check.equal(done.returncode, status, f"redline replay {' '.join(arguments)} exits ({done.stderr[-2000:]})")
    return done.stdout


def contents(folder: pathlib.Path) -> bytes:
    """Everything that is in the files, restored by another program than the one that wrote it."""
    found = b""
    for path in sorted(folder.glob("*.recording")):
        data = path.read_bytes()
        assert data.startswith(MAGIC), path
        place = HEADER_BYTES
        while place < len(data):
            kept, restored, _ = struct.unpack("<III", data[place:place + 12])
            text = zlib.decompress(data[place + 12:place + 12 + kept])
            assert len(text) == restored, path
            found += text
            place += 12 + kept
    return found


def labels_of(alert: dict) -> tuple:
    return tuple(sorted(alert["labels"].items()))


class Watcher:
    """What a daemon says of its alerts, while something is done."""

    def __init__(self, daemon: Daemon):
        self.daemon = daemon
        # State, labels, and since when the expression holds, in whole milliseconds.
        self.seen: set[tuple] = set()

    def look(self) -> None:
        for alert in self.daemon.alerts():
            self.seen.add((alert["state"], labels_of(alert), seconds_of(alert["activeAt"])))

    def wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(0.2)


def seconds_of(text: str) -> str:
    """RFC 3339 to the millisecond, however many digits it has."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return f"{whole}.{(rest + '000')[:3]}"


def replayed(report: dict) -> set[tuple]:
    return {(change["to"], labels_of(change), seconds_of(change["active"]))
            for change in report["changes"] if change["to"] != "inactive"}


def check_faults_of_the_lab_replay_to_the_very_alerts(check: Check) -> None:
    lab = Lab(check)
    lab.up()
    rules = shipped.rules(check, "alerts")
    text = pathlib.Path(lab.does("config").strip()).read_text()
    check.that("recorder:" in text, "the lab's configuration records")
    config = check.file("redline.yml", f"{text}\nrules: {{files: ['{rules}/*.yml'], {HASTY}, watchdog: true}}\n")
    daemon = Daemon(check, config).start()
    folder = pathlib.Path(f"{daemon.storage}.recording")
    daemon.await_samples(count=12)
    lab.ask("queues-1", "SET", KEY, SECRET)
    lab.ask("queues-1", "CONFIG", "SET", "slowlog-log-slower-than", "0")
    lab.ask("queues-1", "CLIENT", "SETNAME", SECRET)
    watcher = Watcher(daemon)
    watcher.wait(20)
    faults = (("kill", "sessions-1", "sessions"), ("flush", "cache", "cache"), ("hang", "queues-1", "queues"),
              ("kill", "cache-2", "cache"), ("deadlock", None, "sessions"))
    deadline = time.monotonic() + check.share(0, 7200)
    rounds = 0
    during = ""
    while rounds == 0 or time.monotonic() < deadline:
        for command, target, heal in faults[:check.share(3, len(faults))]:
            lab.does(command, *([target] if target else []), seconds=90)
            watcher.wait(12)
            if command == "hang":
                during = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 2))
            lab.does("heal", heal, seconds=120)
            watcher.wait(6)
        rounds += 1
    # An evaluation may have ended that nobody has looked at yet.
    watcher.look()
    check.that(daemon.figure("redis_exporter_recorder_writing") == 1, "the recorder writes")
    check.equal(daemon.figure("redis_exporter_recorder_dropped_total"), 0, "nothing was dropped")
    watcher.look()
    daemon.process.signal(signal.SIGTERM)
    check.equal(daemon.process.wait(20), 0, "how redline ends")

    report = json.loads(replay(check, str(folder), "--format", "json"))
    again = replayed(report)
    names = {dict(labels)["alertname"] for _, labels, _ in watcher.seen}
    check.that({"RedisFailover", "RedisDown", "RedlineWatchdog"} <= names, f"faults made alerts: {names}")
    check.none([str(one) for one in sorted(watcher.seen - again)], "alerts that the daemon had and the replay has not")
    # What came and went between two looks was seen by the replay alone.
    extra = {(labels, active) for _, labels, active in again} - {(labels, active) for _, labels, active in watcher.seen}
    check.that(len(extra) <= 0.2 * len(again), f"alerts that the replay alone has: {sorted(extra)[:3]} of {len(again)}")

    shown = replay(check, str(folder), "--at", during, "--workload", "queues")
    check.that("queues-1" in shown and "[node-down]" in shown, f"what stood there then: {shown}")
    held = contents(folder)
    check.that(b"used_memory" in held and b"redis_up" in held, "the files hold replies and samples")
    for planted in (SECRET, KEY, "alice", "hunter2", lab.password()):
        check.that(planted.encode() not in held, f"{planted} is in no file")


def check_other_rules_over_the_same_samples(check: Check) -> None:
    """Would the new threshold have paged? And a file that was cut, damaged or is none."""
    server = servers.RedisServer(check)
    judge = Judge(check, [workload(server)], RULES, more="recorder: {keep: 1h, size: 16MiB}\n").start()
    folder = pathlib.Path(f"{judge.storage}.recording")
    judge.await_samples()
    time.sleep(6)
    server.process.signal(signal.SIGKILL)
    check.until(lambda: judge.states() == [("Gone", "firing")], 20, "the alert fires")
    fired = labels_of(judge.alerts()[0])
    time.sleep(6)
    judge.kill()
    server.restart()
    judge.start()
    judge.await_samples()
    check.until(lambda: judge.states() == [], 40, "the alert has ended")
    time.sleep(2)
    judge.process.signal(signal.SIGTERM)
    judge.process.wait(15)
    check.equal(len(list(folder.glob("*.recording"))), 2, "files, one of each run")

    report = json.loads(replay(check, str(folder), "--format", "json"))
    told = [(change["to"], labels_of(change)) for change in report["changes"]]
    check.equal(told[:2], [("pending", fired), ("firing", fired)], "what kill -9 left")
    check.equal(told[-1], ("inactive", fired), "the end, seen by the next run")
    lower = check.file("lower.yml", RULES.replace("> 500", ">= 1"))
    today = replay(check, str(folder), "--rules", str(lower))
    check.that("Crowded" in today and "Crowded" not in replay(check, str(folder)), "the new threshold would have told")
    at = report["changes"][0]["time"]
    page = replay(check, str(folder), "--at", at, "--metrics", f"127.0.0.1:{server.port}")
    check.that("redis_connected_clients{" in page and f'instance="127.0.0.1:{server.port}"' in page, "the page of then")
    cut = replay(check, str(folder), "--cut", "scenario", "--workload", "carts", "--check", "node-down")
    check.that("expect critical" in cut and f"a:{server.port} down" in cut and "127.0.0.1" not in cut, f"a scenario: {cut}")

    # What is whole is read, and what is not is named.
    damaged = check.folder / "damaged"
    shutil.copytree(folder, damaged)
    first = sorted(damaged.glob("*.recording"))[0]
    data = bytearray(first.read_bytes())
    data[len(data) * 2 // 3] ^= 255
    first.write_bytes(data)
    done = subprocess.run([str(REDLINE), "replay", str(damaged)], capture_output=True, text=True, timeout=60)
    check.equal(done.returncode, 1, "a damaged file")
    check.that("are left out: a block is damaged" in done.stderr and "polls, recorded by" in done.stdout, done.stderr)
    first.write_bytes(first.read_bytes()[:len(data) // 2])
    done = subprocess.run([str(REDLINE), "replay", str(first)], capture_output=True, text=True, timeout=60)
    check.that(done.returncode == 1 and "a block is cut off" in done.stderr, f"a file that was cut: {done.stderr}")
    other = check.file("other.recording", "something else\n")
    done = subprocess.run([str(REDLINE), "replay", str(other)], capture_output=True, text=True, timeout=60)
    check.that(done.returncode == 2, f"no recording: {done.returncode} {done.stderr}")


def check_the_ring_stays_within_its_size(check: Check) -> None:
    """A disk that cannot be written loses records and nothing else."""
    server = servers.RedisServer(check)
    folder = check.folder / "ring"
    judge = Judge(check, [workload(server)], RULES, more=f"recorder: {{size: 1MiB, path: '{folder}'}}\n").start()
    judge.await_samples()
    check.until(lambda: judge.figure("redis_exporter_recorder_bytes") > 0, 15, "it writes")
    check.that(judge.figure("redis_exporter_recorder_bytes") <= 1 << 20, "its size")
    check.that(abs(judge.figure("redis_exporter_recorder_oldest_timestamp_seconds") - time.time()) < 60, "its oldest record")
    judge.kill()
    shutil.rmtree(folder)
    folder.write_text("no folder")
    judge.start()
    judge.await_samples()
    check.until(lambda: judge.figure("redis_exporter_recorder_writing") == 0, 15, "it says that it cannot write")
    check.that("the flight recorder cannot write" in judge.process.output(), "and so does the log")
    check.that(judge.figure("redis_up") == 1, "polls go on")
