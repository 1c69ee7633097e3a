"""What promtool and amtool say of alerts/, of the tests of its rules, and of the files that wire them up."""

import subprocess

from harness.check import Check
from harness.paths import REDLINE, ROOT, tool

RULES = ROOT / "alerts" / "redline.rules.yml"


def check_rules(check: Check) -> None:
    tests = sorted((ROOT / "alerts" / "tests").glob("*.yml"))
    for arguments in (["check", "rules", RULES], ["test", "rules", *tests]):
        told = subprocess.run([tool("promtool"), *map(str, arguments)], capture_output=True, text=True, timeout=30)
        check.equal(told.returncode, 0, f"promtool {arguments[0]} rules exits ({told.stdout}{told.stderr})")


def check_redline_agrees(check: Check) -> None:
    """redline takes the same files, in both dialects, and has nothing to say against them."""
    tests = sorted((ROOT / "alerts" / "tests").glob("*.yml"))
    for dialect in ("2.x", "3.x"):
        for arguments in (["check", "rules", "--lint-fatal", RULES], ["test", "rules", *tests]):
            told = subprocess.run([REDLINE, *map(str, arguments), "--dialect", dialect], capture_output=True, text=True,
                                  timeout=60)
            check.equal(told.returncode, 0, f"redline {arguments[0]} rules in {dialect} exits ({told.stdout}{told.stderr})")


def check_wiring(check: Check) -> None:
    for arguments in (["promtool", "check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml"],
                      ["amtool", "check-config", ROOT / "deploy" / "alertmanager" / "alertmanager.yml"]):
        told = subprocess.run([tool(arguments[0]), *map(str, arguments[1:])], capture_output=True, text=True, timeout=30)
        check.equal(told.returncode, 0, f"{arguments[0]} exits ({told.stdout}{told.stderr})")
