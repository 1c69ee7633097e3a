"""The scale part of the benchmark works: with few nodes, under --thorough with a thousand; no judgement of times."""

import shutil
import sys

from harness.check import Check, Skipped
from harness.paths import ROOT
from harness.process import Process

TIMEOUT_SECONDS = 240
THOROUGH_TIMEOUT_SECONDS = 1200


def check_benchmark(check: Check) -> None:
    """Simulated nodes are polled, fall silent and come back; the table has figures for them."""
    if not any(map(shutil.which, ("gcc", "cc", "clang"))):
        raise Skipped("no C compiler for the simulator")
    nodes = check.share(20, 1000)
    bench = Process(check, "scale", [
        sys.executable, str(ROOT / "Tests" / "bench" / "scale.py"), "--nodes", str(nodes), "--seconds",
        str(check.share(4, 30)), "--brief", "--variant", "full"])
    status = bench.wait(check.share(TIMEOUT_SECONDS, THOROUGH_TIMEOUT_SECONDS) - 10)
    check.equal(status, 0, f"scale.py exits ({bench.output()[-2000:]})")
    rows = {cells[1].strip(): cells[2].strip() for line in bench.output().splitlines()
            if line.startswith("|") and len(cells := line.split("|")) > 3}
    check.that(int(rows["series"]) >= 450 * nodes, f"at least 450 series a node: {rows['series']}")
    check.that(int(rows["polls per second"]) >= 2, f"polls go on: {rows['polls per second']}")
    for row in ("poll lateness p99", "resident memory, 30 % of them hang", "/metrics, gzip"):
        check.that(row in rows and rows[row] != "", f"the table has a figure for: {row}")
