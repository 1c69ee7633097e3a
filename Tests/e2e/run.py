#!/usr/bin/env python3
"""Runs the end-to-end checks: every function `check_*` of checks/*.py, each in a process and a folder of its own.

    run.py [--list] [--only NAME]... [--thorough] [--keep] [--counts FILE]

NAME is a file (`evil_redis`) or one check (`evil_redis.half_reply`). A check's module may set TIMEOUT_SECONDS,
THOROUGH_TIMEOUT_SECONDS for --thorough, and WAITS where its checks hardly compute: two of these run at a time beside the
rest. `Check.share` is how a check does more under --thorough, `thorough_only` marks one that is nothing for a short run.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import importlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from harness.check import Check, Ended, Failed, Skipped  # noqa: E402
from harness.process import end_recorded  # noqa: E402
from harness.versions import USUAL  # noqa: E402

DEFAULT_TIMEOUT_SECONDS = 60
SKIPPED_CODE = 77


@dataclasses.dataclass(frozen=True)
class Listed:
    name: str
    limit_seconds: int
    waits: bool


def discover(thorough: bool) -> list[Listed]:
    """Every check, in the order of files and of lines."""
    found = []
    for path in sorted((HERE / "checks").glob("*.py")):
        module = importlib.import_module(f"checks.{path.stem}")
        limit = getattr(module, "TIMEOUT_SECONDS", DEFAULT_TIMEOUT_SECONDS)
        if thorough:
            limit = getattr(module, "THOROUGH_TIMEOUT_SECONDS", limit)
        for name, function in vars(module).items():
            if name.startswith("check_") and (thorough or not hasattr(function, "is_thorough_only")):
                servers = getattr(function, "thorough_servers" if thorough else "servers", [USUAL])
                found += [Listed(f"{path.stem}.{name.removeprefix('check_')}{suffix(server)}", limit,
                                 getattr(module, "WAITS", False)) for server in servers]
    return found


def suffix(server: str) -> str:
    """What the name of a check ends with when it runs on another server than the usual one."""
    return "" if server == USUAL else f"@{server}"


def run_here(name: str, folder: pathlib.Path, thorough: bool) -> int:
    """The child's part: one check, its verdict as the exit code and its reason on standard output."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    name, _, server = name.partition("@")
    file, _, function = name.partition(".")
    module = importlib.import_module(f"checks.{file}")
    check = Check(folder, thorough, server or USUAL)
    with check.closing:
        try:
            getattr(module, f"check_{function}")(check)
            return 0
        except Skipped as reason:
            print(reason)
            return SKIPPED_CODE
        except (Ended, Failed) as reason:
            print(reason)
            line = [frame for frame in traceback.extract_tb(reason.__traceback__) if "/checks/" in frame.filename]
            if line:
                print(f"  at {pathlib.Path(line[-1].filename).name}:{line[-1].lineno}")
            return 1
        except Exception:
            traceback.print_exc(file=sys.stdout)
            return 1


def run_child(name: str, limit: int, thorough: bool, keep: bool) -> tuple[str, str, float]:
    """Runs one check in a child; `passed`, `failed` or `skipped`, the reason, and the seconds it took."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-e2e."))
    began = time.monotonic()
    with open(folder / "verdict", "w+", encoding="utf-8", errors="replace") as output:
        child = subprocess.Popen(
            [sys.executable, __file__, *["--thorough"] * thorough, "--here", str(folder), name],
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            code = child.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        output.seek(0)
        reason = output.read().strip()
    left = end_recorded(folder)
    if code is None:
        reason = f"did not end within {limit} s\n{reason}"
    elif left:
        code, reason = code or 1, f"{reason}\nleft running: {', '.join(left)}".strip()
    verdict = {0: "passed", SKIPPED_CODE: "skipped"}.get(code, "failed")
    if verdict == "failed" and keep:
        reason += f"\n  kept: {folder}"
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict, reason, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--thorough", action="store_true", help="the long form of every check, and those that are long")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a failed check")
    parser.add_argument("--counts", help="write 'passed failed skipped' to this file")
    parser.add_argument("--failures", help="write what failed, with the reasons, to this file")
    parser.add_argument("--times", help="write the seconds of each check and its name to this file")
    parser.add_argument("--here", nargs=2, metavar=("FOLDER", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        return run_here(options.here[1], pathlib.Path(options.here[0]), options.thorough)
    checks = [one for one in discover(options.thorough)
              if not options.only or any(one.name == only or one.name.startswith((f"{only}.", f"{only}@"))
                                         for only in options.only)]
    if options.list:
        print("\n".join(one.name for one in checks))
        return 0
    if not checks:
        print(f"no check is called {' or '.join(options.only)}; --list names them, with --thorough all", file=sys.stderr)
        return 2
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures, times = [], []
    telling = threading.Lock()

    def run_lane(lane: collections.deque[Listed]) -> None:
        while True:
            with telling:
                one = lane.popleft() if lane else None
            if one is None:
                return
            verdict, reason, seconds = run_child(one.name, one.limit_seconds, options.thorough, options.keep)
            with telling:
                counts[verdict] += 1
                times.append(f"{seconds:.1f}\t{one.name}\n")
                print(f"[{sum(counts.values())}/{len(checks)}] {verdict:7} {one.name} ({seconds:.1f} s)", flush=True)
                if reason and verdict != "passed":
                    indented = "    " + reason.replace("\n", "\n    ")
                    print(indented, flush=True)
                    failures.append(f"{verdict} {one.name}\n{indented}\n")

    waiting, computing = (collections.deque(one for one in checks if one.waits == waits) for waits in (True, False))
    with concurrent.futures.ThreadPoolExecutor() as lanes:
        for lane in [lanes.submit(run_lane, lane) for lane in (waiting, waiting, computing)]:
            lane.result()
    if options.failures:
        pathlib.Path(options.failures).write_text("".join(failures), encoding="utf-8")
    if options.times:
        pathlib.Path(options.times).write_text("".join(times), encoding="utf-8")
    if options.counts:
        pathlib.Path(options.counts).write_text("{passed} {failed} {skipped}\n".format(**counts), encoding="utf-8")
    else:
        print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.exit(main())
