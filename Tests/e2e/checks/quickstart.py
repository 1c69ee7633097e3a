"""deploy/quickstart as a newcomer types it, stopped as a newcomer stops it."""

import json
import os
import pathlib
import re
import signal
import subprocess

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


def named(process: Process, what: str) -> str:
    """What it prints beside a name: an address, a path."""
    found = re.search(rf"^  {what} +(\S+)$", process.output(), re.MULTILINE)
    return found[1] if found else ""


def rules(port: int) -> int:
    groups = json.loads(http.get(port, "/api/v1/rules?type=alert").text)["data"]["groups"]
    return sum(len(group["rules"]) for group in groups)


def incidents(process: Process) -> list[str]:
    """The lines about alerts, without their times."""
    return re.findall(r"^\d\d:\d\d:\d\d UTC  (.*)$", process.output(), re.MULTILINE)


def check_the_lab(check: Check) -> None:
    """The lab is judged by the rules; a fault is a line that says what is wrong and where to look, its end another."""
    lab = Lab(check)
    process, port = started(check)
    page = f"http://127.0.0.1:{port}"
    check.equal([named(process, what) for what in ("metrics", "alerts", "status")],
                [f"{page}/metrics", f"{page}/alerts", f"{page}/"], "addresses")
    check.until(lambda: {"cache": 6, "sessions": 3, "queues": 3}.items() <= watched_workloads(port).items(), 20,
                "every member of the lab is up")
    check.equal(len(lab.pids()), SERVERS + 1, "processes: the servers and the traffic")
    check.that("sessions" in http.get(port, "/").text, "the status page shows the workloads")
    check.until(lambda: any(event["kind"] == "restart" for event in
                            json.loads(http.get(port, "/api/v1/events").text)["data"]["events"]), 15,
                "there is an event to look at")
    check.that(rules(port) > 40, "alerts are judged")
    check.that("rules:" not in pathlib.Path(lab.does("config").strip()).read_text(), "the lab's own file has no rules")
    log = pathlib.Path(named(process, "log"))
    check.that("member found" in log.read_text() and "member found" not in process.output(), "the log is in its file")

    # Its rule fires at once; those that wait are not waited for here.
    lab.does("failover", "sessions")
    page_of_sessions = f"{page}/workload/sessions"
    check.until(lambda: any(re.match(r"critical  sessions  sessions has failed over from .*, manual, began .* ago: "
                                     + re.escape(page_of_sessions) + "$", line) for line in incidents(process)), 40,
                "the failover is a line")
    check.none([line for line in process.output().partition(f"  status    {page}/")[2].splitlines()
                if line and not re.match(r"Ctrl-C stops it|\d\d:\d\d:\d\d UTC  ", line)], "lines that are no incidents")
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
    """Judged by the rules as well; the password of the address is where others cannot see it."""
    server = servers.RedisServer(check, "maxclients 123", "requirepass p%40ss/w\\x41rd", password="p%40ss/w\\x41rd")
    process, port = started(check, "--redis", f"redis://:p%2540ss%2fw%5Cx41rd@127.0.0.1:{server.port}/0")
    limit = Page(http.get(port).text).named("redis_config_maxclients")
    check.equal([(dict(series)["workload"], value) for series, value in limit.items()], [("redis", 123)], "its maxclients")
    check.that(rules(port) > 40, "alerts are judged")
    family = descendants(process.pid)
    shown = [pathlib.Path(f"/proc/{pid}/cmdline").read_text() for pid in family] + [process.output()]
    shown += [path.read_text() for path in pathlib.Path(named(process, "settings")).parent.glob("redline.[ly]*")]
    check.none([text for text in shown if "ss/w" in text or "ss%2fw" in text], "places that show the password")
    check.that(f"127.0.0.1:{server.port}" in "".join(shown), "the address is shown")
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


def check_how_far_the_build_is(check: Check) -> None:
    """Steps that are known, and time left only where it can be reckoned; what is no step passes through."""
    sources = check.folder / "Sources"
    for name, size in (("Small", 100), ("Large", 800), ("Last", 100)):
        (sources / name).mkdir(parents=True)
        (sources / name / "a.swift").write_text("x" * size)
    output = ["Building for production...", *(f"[{step}/90] Compiling c{step}.c" for step in range(1, 81)),
              "[81/83] Compiling Small a.swift", "[82/84] Compiling Large a.swift", "a.swift:1:1: error: an error of yours",
              "[83/84] Compiling Last a.swift", "[84/84] Linking redline", "Build of product 'redline' complete! (9s)"]
    # A step is a minute here.
    told = subprocess.run(
        ["bash", "-c", f'source "{ROOT}/deploy/lib/say.sh"; source "{ROOT}/deploy/lib/build.sh"; root={check.folder}\n'
         "seconds_now() { printf %d $((finished * 60)); }\nshow_build_progress"],
        input="\n".join(output) + "\n", capture_output=True, text=True, timeout=20)
    lines = told.stdout.splitlines()
    check.equal((told.returncode, told.stderr), (0, ""), "it ends well")
    check.equal(lines[0], "    1 of 90 known steps, 1:00 min so far; time left is not known yet", "the first line")
    check.equal(lines[79:], [
        "    80 of 90 known steps, 80:00 min so far; time left is not known yet",
        "    81 of 83 known steps, 81:00 min so far; time left is not known yet",
        "    82 of 84 known steps, 82:00 min so far; at most 10 min left at this pace",
        "    a.swift:1:1: error: an error of yours",
        "    83 of 84 known steps, 83:00 min so far; at most a minute left at this pace",
        "    84 of 84 known steps, 84:00 min so far; at most a minute left at this pace"], "the last lines")
