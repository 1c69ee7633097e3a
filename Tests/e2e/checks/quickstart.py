"""deploy/quickstart as a newcomer types it, stopped as a newcomer stops it."""

import os
import signal

from harness import http, servers
from harness.check import Check, Ended, Skipped
from harness.exposition import Page
from harness.lab import SERVERS, Lab
from harness.paths import REDLINE, ROOT
from harness.process import Process, is_alive

# A cold release build may be part of it.
TIMEOUT_SECONDS = 900
BUILD_SECONDS = 840


def started(check: Check, *arguments: str) -> tuple[Process, int]:
    if not REDLINE.is_relative_to(ROOT):
        raise Skipped("another program stands in for redline")
    port = check.free_port()
    scratch = check.folder / "scratch"
    scratch.mkdir(exist_ok=True)
    process = Process(check, "quickstart", [str(ROOT / "deploy" / "quickstart"), f"--port={port}", *arguments],
                      {"TMPDIR": str(scratch), "LAB_DIR": str(check.folder / "lab")})

    def serves() -> bool:
        if process.child.poll() is not None:
            raise Ended(f"quickstart ended: {process.output()[-3000:]}")
        return http.get(port, "/metrics").status == 200

    check.until(serves, BUILD_SECONDS, "the page is served", pause=0.5)
    check.until(lambda: "Ctrl-C" in process.output(), 5, "quickstart says how to stop it")
    return process, port


def descendants(pid: int) -> list[int]:
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except FileNotFoundError:
                continue
            children.setdefault(parent, []).append(int(entry))
    found, level = [], [pid]
    while level:
        level = [child for parent in level for child in children.get(parent, [])]
        found += level
    return found


def stops_clean(check: Check, process: Process, port: int) -> None:
    family = descendants(process.pid)
    check.that(bool(family), "quickstart has children")
    process.signal(signal.SIGINT)
    check.that(process.wait(20) in (0, 130), f"the exit code is {process.child.returncode}")
    check.until(lambda: not any(is_alive(pid) for pid in family), 3, "everything that it started has ended")
    check.equal(os.listdir(check.folder / "scratch"), [], "files left behind")
    try:
        http.connect(port).close()
        check.that(False, "the port is still taken")
    except ConnectionRefusedError:
        pass


def watched_workloads(port: int) -> dict[str, float]:
    """The members that are up, by workload."""
    up: dict[str, float] = {}
    for series, value in Page(http.get(port, "/metrics").text).named("redis_up").items():
        workload = dict(series).get("workload", "")
        up[workload] = up.get(workload, 0) + value
    return up


def check_the_lab(check: Check) -> None:
    lab = Lab(check)
    process, port = started(check)
    check.that(f"http://127.0.0.1:{port}/metrics" in process.output(), "the URL is printed")
    check.until(lambda: {"cache": 6, "sessions": 3, "queues": 3}.items() <= watched_workloads(port).items(), 20,
                "every member of the lab is up")
    check.equal(len(lab.pids()), SERVERS + 1, "processes: the servers and the traffic")
    check.that("sessions" in http.get(port, "/").text, "the status page shows the workloads")
    stops_clean(check, process, port)
    check.equal(lab.pids(), set(), "processes of the lab after the end")


def check_a_lab_that_is_up_stays_up(check: Check) -> None:
    lab = Lab(check)
    lab.up()
    pids = lab.pids()
    process, port = started(check)
    check.until(lambda: watched_workloads(port).get("cache") == 6, 20, "the lab is watched")
    stops_clean(check, process, port)
    check.equal(lab.pids(), pids, "processes of the lab after the end")
    lab.goes_down()


def check_existing_redis(check: Check) -> None:
    server = servers.RedisServer(check, "maxclients 123")
    process, port = started(check, "--redis", server.url)
    check.equal(Page(http.get(port).text).value("redis_config_maxclients"), 123, "redis_config_maxclients")
    stops_clean(check, process, port)
    check.that(server.answers(), "the existing Redis lives on")


def check_busy_port(check: Check) -> None:
    server = servers.RedisServer(check)
    process = Process(check, "quickstart", [str(ROOT / "deploy" / "quickstart"), f"--port={server.port}"])
    check.equal(process.wait(20), 1, "the exit code on a busy port")
    check.that("--port" in process.output() and str(server.port) in process.output(), f"the advice is {process.output()!r}")


def check_no_swift(check: Check) -> None:
    """Without Swift it says where Swift is got, and exits 1."""
    programs = check.folder / "bin"
    programs.mkdir()
    for name in ("bash", "dirname", "sed", "env", "dpkg-query", "grep", "cat"):
        for place in ("/usr/bin", "/bin"):
            if os.path.exists(f"{place}/{name}"):
                os.symlink(f"{place}/{name}", programs / name)
                break
    process = Process(check, "quickstart", [str(ROOT / "deploy" / "quickstart"), f"--port={check.free_port()}"],
                      {"PATH": str(programs)})
    check.equal(process.wait(20), 1, "the exit code")
    check.that("swift.org" in process.output(), f"the advice is {process.output()!r}")
