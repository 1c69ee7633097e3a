"""Rule files that teams already have: promtool and redline take the same ones, and the same alerts fire."""

import os
import pathlib
import re
import subprocess

from harness.check import Check
from harness.paths import E2E, REDLINE, ROOT, tool
from promql import replay, servers
from promql.history import notation

TIMEOUT_SECONDS = 60

RULES = E2E / "rules"
COMMON, FUTILE = RULES / "common.yml", RULES / "futile.yml"
# Good ones and bad ones of the unit tests; further files can be named to look at them by hand.
FILES = [COMMON, FUTILE, *sorted((ROOT / "Tests" / "AlertingTests" / "Fixtures" / "rules").glob("*.yml")),
         *map(pathlib.Path, os.environ.get("RULE_FILES", "").split())]
LABELS = {"job": "redis", "service": "shop"}


def verdict(arguments: list) -> int:
    return subprocess.run([*map(str, arguments)], capture_output=True, text=True, timeout=20).returncode


def replayed(check: Check, file: pathlib.Path, series: list) -> tuple[replay.Evaluations, set[str]]:
    """What the rules of a file give, the same in both, and the names of the alerts that fire."""
    plain = check.file(f"{file.stem}.series", "".join(notation(series, servers.LENGTH_SECONDS, servers.STEP_SECONDS)))
    expected = replay.by_promtool(check.folder, [file], series, 30, servers.LENGTH_SECONDS, servers.STEP_SECONDS)
    matrix = replay.by_redline(plain, [file], 30, step_seconds=servers.STEP_SECONDS)
    check.none(replay.differences(expected, replay.evaluations(matrix, servers.LENGTH_SECONDS)),
               f"samples of {file.name} that only one gives, or with other values")
    return expected, {re.search(r'"alertname": "(\w+)"', one)[1] for one in replay.firing(expected)}


def check_same_verdicts(check: Check) -> None:
    complaints, verdicts = [], set()
    for file in FILES:
        theirs = verdict([tool("promtool"), "check", "rules", "--lint=none", file])
        ours = verdict([REDLINE, "check", "rules", "--lint=none", "--dialect=2.x", file])
        verdicts.add(theirs)
        if (theirs == 0) != (ours == 0):
            complaints.append(f"{file.name}: promtool exits with {theirs}, redline with {ours}")
    check.none(complaints, "files with another verdict")
    check.that(len(verdicts) > 1, "there are good files and bad ones")


def check_common_rules_fire_alike(check: Check) -> None:
    expected, fired = replayed(check, COMMON, servers.hour(LABELS))
    names = re.findall(r"alert: (\w+)", COMMON.read_text(encoding="utf-8"))
    check.equal(sorted(fired), sorted(names), "alerts of common rules that fire")
    check.that(any("fragmentation" in one for samples in expected.values() for one in samples), "a ratio is recorded")
    # Without the labels that their selectors want the rules see nothing: those alone that name none do.
    unlabelled = servers.hour({"job": "other", "service": "other"})
    _, fired = replayed(check, COMMON, unlabelled)
    check.that({"ServerGone", "KeysEvicted", "ClusterBroken"}.isdisjoint(fired), f"selectors are heeded: {fired}")
    check.that("NoMaster" in fired, f"rules without a selector see any target: {fired}")


def check_futile_rules_are_told(check: Check) -> None:
    """They fire in neither, though all breaks that they are for, and redline says so beforehand."""
    common = servers.hour(LABELS)
    always = check.file("futile.yml", FUTILE.read_text(encoding="utf-8") + "  - alert: Always\n    expr: vector(1)\n")
    _, fired = replayed(check, always, common)
    check.equal(fired, {"Always"}, "alerts that fire")
    told = subprocess.run([str(REDLINE), "check", "rules", "--lint-fatal", "--target-label=service", str(FUTILE)],
                          capture_output=True, text=True, timeout=20)
    check.equal(told.returncode, 3, f"redline finds something ({told.stdout}{told.stderr})")
    text = told.stdout + told.stderr
    # Each finding names its line, and each rule has some.
    starts = [number for number, line in enumerate(FUTILE.read_text(encoding="utf-8").splitlines(), 1) if "expr:" in line]
    found = {int(line) for line in re.findall(r"futile\.yml:(\d+):", text)}
    check.none([f"line {start}" for start in starts if not {start - 1, start} & found],
               f"rules that redline finds nothing wrong with ({text})")
