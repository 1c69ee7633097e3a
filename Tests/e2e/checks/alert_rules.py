"""promtool's verdict on alerts/, and on the tests of its rules."""

import subprocess

from harness.check import Check
from harness.paths import ROOT, tool

RULES = ROOT / "alerts" / "redline.rules.yml"


def check_rules(check: Check) -> None:
    tests = sorted((ROOT / "alerts" / "tests").glob("*.yml"))
    for arguments in (["check", "rules", RULES], ["test", "rules", *tests]):
        told = subprocess.run([tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=30)
        check.equal(told.returncode, 0, f"promtool {arguments[0]} rules exits ({told.stdout}{told.stderr})")
