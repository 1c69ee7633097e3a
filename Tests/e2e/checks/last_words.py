"""How the process ends when it cannot go on: it says why, and an end that was asked for comes."""

import shutil
import signal
import subprocess
import time

from harness import exporters
from harness.captured import Captured
from harness.check import Check, Failed

TIMEOUT_SECONDS = 60
# From SIGTERM to an end by force, and for a slow machine.
END_SECONDS = 11
MARGIN_SECONDS = 6

# Loops wait for ever from when the file is there.
STUCK = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) {
  int found = syscall(SYS_epoll_wait, epoll, events, count, timeout);
  while (access(getenv("STUCK"), F_OK) == 0) pause();
  return found;
}
"""


def check_too_small_limits_are_told(check: Check) -> None:
    for option, mebibytes, name in (("-v", 600, "RLIMIT_AS"), ("-v", 100, "RLIMIT_AS"), ("-d", 500, "RLIMIT_DATA")):
        limited = ("/bin/sh", "-c", f'ulimit {option} {mebibytes * 1024}; exec "$@"', "sh")
        exporter = exporters.redline(check, "redis://127.0.0.1:1", wait=False, prefix=limited)
        check.equal(exporter.wait(10), 2, f"the exit code with {mebibytes} MiB")
        said = exporter.output()
        check.that(name in said and f"{mebibytes} MiB" in said and "1536 MiB" in said, f"limit, value and need: {said}")


def check_a_fault_is_told(check: Check) -> None:
    server = Captured(check)
    for number in (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS):
        exporter = exporters.redline(check, server.url, environment={"SWIFT_BACKTRACE": "enable=no"})
        exporter.signal(number)
        check.equal(exporter.wait(10), -number, "the end is that of the signal")
        check.that(f"redline: ended by {number.name}: " in exporter.output(), f"last words: {exporter.output()[-500:]}")


def check_the_end_comes_where_loops_stand_still(check: Check) -> None:
    compiler = shutil.which("cc") or shutil.which("clang")
    if compiler is None:
        raise Failed("no compiler for C: Swift's own is called clang")
    source, library = check.file("stuck.c", STUCK), check.folder / "stuck.so"
    subprocess.run([compiler, "-O1", "-Wall", "-shared", "-fPIC", "-o", library, source], check=True, timeout=60)
    stuck = check.folder / "stuck"
    server = Captured(check)
    exporter = exporters.redline(check, server.url, environment={"LD_PRELOAD": str(library), "STUCK": str(stuck)})
    check.equal(exporter.page().value("redis_up"), 1, "redis_up")
    stuck.touch()
    began = time.monotonic()
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(END_SECONDS + MARGIN_SECONDS), 1, "the exit code")
    took = time.monotonic() - began
    check.that(took > END_SECONDS - 1, f"an orderly end gets its time: {took:.1f} s")
    check.that("ended by force" in exporter.output(), f"last words: {exporter.output()[-500:]}")
