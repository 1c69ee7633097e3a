"""Drills of the sessions: of each kind one that passes, and one that fails for a reason that is planted."""

import os
import pathlib
import shutil
import subprocess
import time

from . import healing
from .place import Place
from .terminal import Refused, say, step
from .watch import write_watch_file
from .workloads.sessions import MASTER_NAME

ROOT = pathlib.Path(__file__).parents[3]
PROGRAMS = (".build/release/redline", ".build/debug/redline")
SAVE_SECONDS = 20
BEFORE, STABLE = "5s", "10s"
LOAD_TIME = "10s"
TICKS = "# A line for each: what was looked at, when, and by whom, such as\n# stampede-locks 2026-11-20 anna: looked at the code\n"
# A thousand writes a second: more would measure the machine that all of the lab shares.
LOAD = "while printf 'SET lab:load x EX 60%.0s\\n' $(seq 100); do sleep 0.1; done"


def drill(place: Place, fault: str) -> int:
    """Breaks the master of the sessions; the exit is that of redline drill."""
    if not place.nodes("sessions"):
        raise Refused("the lab is not up: deploy/lab up")
    words = ["drill", str(write_watch_file(place, 1)), "--workload", "sessions", "--before", BEFORE, "--stable", STABLE]
    if fault == "bare":
        # Nobody holds the writes: the old master takes them until it learns that it is none.
        sentinel = next(node for node in place.nodes("sentinel") if node.is_running)
        words += ["--fault", "exec", "--exec", f"'{redis_cli()}' -p {sentinel.port} SENTINEL FAILOVER {MASTER_NAME} >/dev/null"]
    elif fault == "kill":
        words += ["--fault", "kill", "--exec", f"kill -9 {master_of_sessions(place).daemon.pid}"]
    else:
        words += ["--fault", fault]
    code = run({"TMPDIR": str(place.folder)}, *words)
    if fault == "kill":
        healing.heal(place, "sessions")
    return code


def verify_backup(place: Place, is_damaged: bool) -> int:
    """Saves a replica of the sessions, and loads the file into a server of its own; the exit is that of redline backup verify."""
    replicas = [node for node in place.nodes("sessions") if node.is_running and node.ask("ROLE")[0] == b"slave"]
    if not replicas:
        raise Refused("the sessions have no replica: deploy/lab up")
    with step(f"Saving {replicas[0].name}"):
        before = replicas[0].info("persistence")["rdb_last_save_time"]
        # Within a second of the last save, the time would not tell.
        time.sleep(1.1)
        replicas[0].ask("BGSAVE")
        deadline = time.monotonic() + SAVE_SECONDS
        while replicas[0].info("persistence")["rdb_last_save_time"] == before:
            if time.monotonic() > deadline:
                raise Refused(f"{replicas[0].name} has not saved within {SAVE_SECONDS} s")
            time.sleep(0.1)
    backup = place.folder / "backup.rdb"
    content = (replicas[0].folder / "dump.rdb").read_bytes()
    # As a copy that was cut off.
    backup.write_bytes(content[:len(content) // 2] if is_damaged else content)
    path = os.pathsep.join([str(pathlib.Path(os.environ["LAB_REDIS_SERVER"]).parent), os.environ.get("PATH", "")])
    code = run({"PATH": path}, "backup", "verify", str(write_watch_file(place, 1)), "--workload", "sessions", "--file", str(backup))
    backup.unlink()
    return code


def test_load(place: Place, is_stalled: bool) -> int:
    """Writes to the master of the sessions, many times what the traffic does; the exit is that of redline load run."""
    master = master_of_sessions(place)
    # The program that writes has its login from its environment; its key goes by itself.
    command = f"{LOAD} | '{redis_cli()}' -p {master.port} >/dev/null"
    if is_stalled:
        command = f"(sleep 4; kill -STOP {master.daemon.pid}; sleep 1; kill -CONT {master.daemon.pid}) & {command}"
    code = run({"REDISCLI_AUTH": place.password("sessions")}, "load", "run", str(write_watch_file(place, 1)), "--workload", "sessions",
               "--for", LOAD_TIME, "--exec", command)
    if is_stalled:
        healing.heal(place, "sessions")
    return code


def ready(place: Place, url: str) -> int:
    """Asks the redline that watches the lab whether the sessions are ready; the exit is that of redline ready."""
    if not place.nodes("sessions"):
        raise Refused("the lab is not up: deploy/lab up")
    ticks = place.folder / "ticks"
    if not ticks.exists():
        ticks.write_text(TICKS)
    code = run({}, "ready", str(write_watch_file(place, 1)), "--workload", "sessions", "--factor", "3", "--url", url, "--ticks", str(ticks))
    say(f"    what nobody but people can see is ticked in {ticks}")
    return code


def master_of_sessions(place: Place):
    masters = [node for node in place.nodes("sessions") if node.is_running and node.ask("ROLE")[0] == b"master"]
    if len(masters) != 1:
        raise Refused("the sessions have no one master: deploy/lab up, or deploy/lab heal")
    return masters[0]


def run(environment: dict[str, str], *words: str) -> int:
    """Runs redline; what it says is told as it comes. The exit is its own."""
    code = subprocess.run([program(), *words], env=os.environ | environment, check=False).returncode
    command = " ".join(word for word in words[:2] if not word.startswith("/"))
    say(f"    redline {command} exits with {code}")
    return code


def program() -> str:
    named = os.environ.get("LAB_REDLINE")
    for path in [named] if named else [str(ROOT / program) for program in PROGRAMS]:
        if os.access(path, os.X_OK):
            return path
    raise Refused("there is no redline to drill with: build it (deploy/quickstart does), or name it by LAB_REDLINE")


def redis_cli() -> str:
    beside = pathlib.Path(os.environ["LAB_REDIS_SERVER"]).with_name("redis-cli")
    path = str(beside) if beside.exists() else shutil.which("redis-cli")
    if not path:
        raise Refused("there is no redis-cli beside the server of the lab, nor on the PATH")
    return path
