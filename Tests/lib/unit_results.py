"""Reads what `swift test` left: failures go to standard error, `passed failed skipped` to standard output.

    unit_results.py FOLDER EXIT_CODE

FOLDER holds unit.log and the reports unit*.xml; a run that crashed leaves a log and an exit code only. The seconds of each
test and its name go to unit.times there. FOLDER is called `unit`, or after the server that the tests asked.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree


def cases(folder: pathlib.Path) -> list[xml.etree.ElementTree.Element]:
    return [case for report in folder.glob("unit*.xml") for case in xml.etree.ElementTree.parse(report).iter("testcase")]


def counts(folder: pathlib.Path) -> tuple[int, int, int]:
    total = failures = skipped = 0
    for case in cases(folder):
        total += 1
        failures += case.find("failure") is not None or case.find("error") is not None
        skipped += case.find("skipped") is not None
    return total - failures - skipped, failures, skipped


def main() -> None:
    folder, code = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    log = (folder / "unit.log").read_text(encoding="utf-8", errors="replace").splitlines()
    passed, failed, skipped = counts(folder)
    suffix = "" if folder.name == "unit" else f"@{folder.name}"
    times = [f"{float(case.get('time', 0)):.1f}\t{case.get('classname')}.{case.get('name')}{suffix}\n"
             for case in cases(folder)]
    (folder / "unit.times").write_text("".join(times), encoding="utf-8")
    if code != 0:
        reasons = [line for line in log if re.match(r"✘|.*\berror:|.*Fatal error|.*[Cc]rash|.*Sanitizer", line)]
        print("\n".join(reasons[:60] or log[-40:]), file=sys.stderr)
        failed = max(failed, 1)
    elif passed == 0:
        print("swift test ran no test", file=sys.stderr)
        failed += 1
    if skipped:
        print("\n".join(line for line in log if re.match(r"➜|.*skipped", line)), file=sys.stderr)
    print(passed, failed, skipped)


if __name__ == "__main__":
    main()
