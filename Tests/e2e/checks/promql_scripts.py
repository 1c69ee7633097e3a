"""`redline test promql` runs scripts, tells what failed, and exits as a test runner does."""

from harness.check import Check
from harness.paths import REDLINE, ROOT
from harness.process import Process

TIMEOUT_SECONDS = 60

SCRIPTS = ROOT / "Tests/PromQLTests/Scripts"


def run(check: Check, *arguments: str) -> tuple[int, list[str]]:
    process = Process(check, "promql", [str(REDLINE), "test", "promql", *arguments])
    status = process.wait(30)
    return status, process.output().strip().splitlines()


def check_scripts_pass(check: Check) -> None:
    """The project's own scripts pass in the dialects that they are written for."""
    files = sorted(str(path) for path in SCRIPTS.glob("*.test"))
    for dialect, other in (("3.x", ".2x."), ("2.x", ".3x.")):
        status, lines = run(check, "--dialect", dialect, *(file for file in files if other not in file))
        check.equal(status, 0, f"exit status in dialect {dialect}")
        passed, failed, skipped = (int(part.split()[0]) for part in lines[-1].split(", "))
        check.that(passed > 150, f"more than 150 evals pass in dialect {dialect}: {lines[-1]}")
        check.equal((failed, skipped), (0, 0), f"failed and skipped in dialect {dialect}")


def check_failures(check: Check) -> None:
    """A failing eval is named with its line, a skipped one is counted, an unreadable script is an error."""
    script = check.file("bad.test", "eval instant at 0 1 + 1\n  3\n\neval instant at 0 2\n  2\n\n"
                        "eval instant at 0 vector(1)\n  {} {{schema:0 sum:1 count:1}}\n")
    status, lines = run(check, str(script))
    check.equal(status, 1, "exit status")
    check.equal(lines[0], f"{script}:1: 1 + 1: expected 3, got 2", "the line of the failure")
    check.equal(lines[-1], "1 passed, 1 failed, 1 skipped", "the counts")
    script.write_text("evaluate 1\n")
    status, lines = run(check, str(script))
    check.equal(status, 1, "exit status of an unreadable script")
    check.that(any(f"{script}:1: unknown command" in line for line in lines), "the reason with its place")
