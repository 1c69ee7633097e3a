"""Known faults of versions: the file that is shipped says what Debian's own package says, and versions are compared as dpkg does."""

import gzip
import json
import re
import subprocess

from harness.check import Check, Skipped
from harness.paths import ROOT

TIMEOUT_SECONDS = 60
FILE = ROOT / "deploy" / "advisories" / "redis.json"
TOOLS = ROOT / ".build" / "tools" / "root"


def rows(part: str) -> list[dict]:
    return json.loads(FILE.read_text())[part]


def check_versions_are_compared_as_dpkg_does(check: Check) -> None:
    """The pairs that the unit tests compare, by dpkg itself."""
    lines = (ROOT / "Tests" / "FleetTests" / "Fixtures" / "versions.tsv").read_text().splitlines()
    pairs = [line.split("\t") for line in lines if not line.startswith("#")]
    check.that(len(pairs) > 200, "there are pairs")
    names = {"<": "lt", "=": "eq", ">": "gt"}
    wrong = [f"{left} {sign} {right}" for left, sign, right in pairs
             if subprocess.run(["dpkg", "--compare-versions", left, names[sign], right]).returncode != 0]
    check.none(wrong, "pairs that dpkg orders in another way")


def entries() -> dict[str, str]:
    """The changelog of Debian's package: what each version says of itself."""
    path = TOOLS / "usr/share/doc/redis-server/changelog.Debian.gz"
    if not path.exists():
        raise Skipped(f"{path} is not unpacked")
    parts = re.split(r"^redis \(([^)]+)\) .*$", gzip.decompress(path.read_bytes()).decode(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def check_packages_are_those_of_debian(check: Check) -> None:
    """Each fault is named by the entry of the very version that the file says has the fix."""
    changelog = entries()
    seen = 0
    for row in rows("advisories"):
        version = row.get("packages", {}).get("debian 12")
        if version not in changelog:
            # A newer package than the one that is unpacked here.
            continue
        seen += 1
        check.that(row["id"] in changelog[version], f"{version} fixes {row['id']}")
    check.that(seen >= 10, f"{seen} rows are of versions that the changelog has")


def check_the_build_is_the_one_of_the_package(check: Check) -> None:
    newest = next(iter(entries()))
    listed = {row["package"]: row["id"] for row in rows("builds")}
    if f"debian {newest}" not in listed:
        raise Skipped(f"the build of {newest} is not listed")
    told = subprocess.run([TOOLS / "usr/bin/redis-server", "--version"], capture_output=True, text=True,
                          env={"LD_LIBRARY_PATH": str(TOOLS / "usr/lib/x86_64-linux-gnu")})
    check.that(told.stdout.strip().endswith(f"build={listed[f'debian {newest}']}"), f"the build of {newest}: {told.stdout}{told.stderr}")


def check_every_row_has_its_source(check: Check) -> None:
    as_of = json.loads(FILE.read_text())["as_of"]
    for part in ("advisories", "floors", "end_of_life", "distributions", "builds"):
        for row in rows(part):
            check.that(row["source"].startswith("https://") and row["verified"] <= as_of,
                       f"{part}: {row.get('id') or row.get('branch') or row.get('name')} was looked up")
