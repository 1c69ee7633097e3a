"""A load test is judged by probes of its own, and never begins where a guard refuses."""

import json
import pathlib
import subprocess
import threading
import time

from harness import drills
from harness.check import Check
from harness.paths import REDLINE, tool
from harness.servers import RedisServer

TIMEOUT_SECONDS = 150
WAITS = True


def server_of(check: Check) -> RedisServer:
    server = RedisServer(check, "enable-debug-command yes")
    with server.client() as client:
        client("ACL", "SETUSER", "drill", "on", f">{drills.PASSWORD}", "+@all", "~*")
    return server


def configuration(check: Check, server: RedisServer, more: str = "", environment: str = "lab") -> pathlib.Path:
    results = check.folder / "results"
    results.mkdir(exist_ok=True)
    return check.file("fleet.yml", f"results: {{path: {results}}}\nworkloads:\n  - name: carts\n    kind: custom\n    topology: static\n"
                      f"    seeds: [127.0.0.1:{server.port}]\n{drills.drilled(check, environment)}{more}")


def words(config: pathlib.Path, command: str, *more: str) -> list[str]:
    return [REDLINE, "load", "run", str(config), "--workload", "carts", "--exec", command, "--format", "json", *more]


def answers(text: str) -> dict[str, dict]:
    return {one["check"]: one for one in json.loads(text)["results"]}


def generator(server: RedisServer, *more: str) -> str:
    return " ".join([tool("redis-benchmark"), "-p", str(server.port), "-t", "get,set", "-c", "4", "-n", "100000000", "-q", *more])


def check_a_stall_of_a_second_shows(check: Check) -> None:
    server = server_of(check)
    config = configuration(check, server, "    objectives: {latency_p99: 500ms}\n")

    def stall() -> None:
        time.sleep(3)
        check.until(lambda: is_running(server), 40, "the generator runs")
        time.sleep(5)
        with server.client(30) as client:
            client("DEBUG", "SLEEP", "1")

    # Where this machine is too busy to measure, that is the verdict, and nothing is said of stalls.
    for _ in range(3):
        thread = threading.Thread(target=stall)
        thread.start()
        run = subprocess.run(words(config, generator(server), "--for", "12s"), capture_output=True, text=True, timeout=100)
        thread.join()
        if run.returncode != 3 or "too busy to measure" not in run.stdout:
            break
    check.equal(run.returncode, 1, f"the exit ({run.stdout}{run.stderr})")
    found = answers(run.stdout)
    check.equal(found["load-latency"]["verdict"], "finding", f"the stall is found: {found}")
    newest = max((check.folder / "results").glob("load-carts-*.json"), key=lambda path: path.stat().st_mtime)
    report = json.loads(newest.read_text())
    check.that(report["numbers"]["p99_seconds"] > 0.8, f"p99 is above 800 ms: {report['numbers']}")
    check.that(report["numbers"]["before_p99_seconds"] < 0.5, f"and was not before: {report['numbers']}")
    check.that(report["numbers"]["commands_per_second"] > 500, f"there was load: {report['numbers']}")
    check.until(lambda: not is_running(server), 10, "the generator is gone")


def is_running(server: RedisServer) -> bool:
    """Whether a generator asks the server."""
    for entry in pathlib.Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if line[0].endswith(b"redis-benchmark") and str(server.port).encode() in line:
            return True
    return False


def check_full_memory_ends_it_and_guards_refuse(check: Check) -> None:
    server = server_of(check)
    with server.client() as client:
        client("CONFIG", "SET", "maxmemory", "20mb")
        client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    config = configuration(check, server, "    eviction: any\n    objectives: {latency_p99: off}\n")
    began = time.monotonic()
    run = subprocess.run(words(config, generator(server, "-d", "2000", "-r", "1000000"), "--for", "60s"),
                         capture_output=True, text=True, timeout=120)
    check.that(time.monotonic() - began < 50, "it ends before its time")
    check.equal(run.returncode, 1, f"the exit ({run.stdout}{run.stderr})")
    found = answers(run.stdout)
    check.equal(found["load-command"]["verdict"], "finding", f"why it ended is told: {found}")
    marker = check.folder / "ran"
    for environment in ("production", ""):
        refused = subprocess.run(words(configuration(check, server, environment=environment), f"touch {marker}", "--for", "5s"),
                                 capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, start_new_session=True)
        check.equal(refused.returncode, 2, f"the exit of {environment!r} ({refused.stdout}{refused.stderr})")
    check.that(not marker.exists(), "no command runs where a guard refuses")


def check_a_plan_has_the_mix(check: Check) -> None:
    server = server_of(check)
    config = configuration(check, server)
    plan = [REDLINE, "load", "plan", str(config), "--workload", "carts", "--factor", "3"]
    check.equal(subprocess.run(plan, capture_output=True, text=True, timeout=60).returncode, 3, "the exit without any load")
    load = subprocess.Popen([*generator(server, "-d", "300").split()], stdout=subprocess.DEVNULL)
    check.closing.callback(load.kill)
    check.until(lambda: is_running(server), 10, "the generator runs")
    run = subprocess.run(plan, capture_output=True, text=True, timeout=60)
    check.equal(run.returncode, 0, f"the exit ({run.stdout}{run.stderr})")
    for text in ("calls per second; 3.0 times", "SET 100 %", "--command='SET __key__ __data__'", "redis-benchmark -t set"):
        check.that(text in run.stdout, f"{text!r} is told: {run.stdout}")
    check.that("--data-size=300" in run.stdout, f"the length of values is told: {run.stdout}")


def check_a_kill_takes_the_generator_along(check: Check) -> None:
    server = server_of(check)
    run = subprocess.Popen(words(configuration(check, server), generator(server), "--for", "60s"), stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    check.until(lambda: is_running(server), 40, "the generator runs")
    run.kill()
    run.wait()
    check.until(lambda: not is_running(server), 10, "the generator is gone")
