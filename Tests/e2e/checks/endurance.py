"""What shows only after a while: memory, descriptors and threads that grow, and polls that are missed."""

import sys

from harness.check import Check, thorough_only
from harness.paths import ROOT
from harness.process import Process

SOAK_MINUTES = 30
THOROUGH_TIMEOUT_SECONDS = SOAK_MINUTES * 60 + 900


@thorough_only
def check_half_an_hour_of_faults(check: Check) -> None:
    soak = Process(check, "soak", [
        sys.executable, str(ROOT / "Tests" / "bench" / "soak.py"), "--minutes", str(SOAK_MINUTES)])
    status = soak.wait(THOROUGH_TIMEOUT_SECONDS - 10)
    check.equal(status, 0, f"soak.py exits ({soak.output()[-3000:]})")
