"""Known faults of versions: the file that is shipped says what Debian's own package says, and versions are compared as dpkg does."""

import gzip
import json
import re
import subprocess

from harness.check import Check, Skipped
from harness.paths import REDLINE, ROOT
from harness.servers import RedisServer

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


# What nobody mends yet, so that these do not grow old.
PLANTED = {"version": 1, "as_of": "2026-01-01", "advisories": [
    {"id": "CVE-2099-1", "severity": "critical", "needs": "EVAL", "fixed": {"redis": {"99.0": "99.0.1"}}, "summary": "s",
     "source": "https://example.org", "verified": "2026-01-01"},
    {"id": "CVE-2099-2", "severity": "high", "needs": "RESTORE", "fixed": {"redis": {"99.0": "99.0.1"}}, "summary": "s",
     "source": "https://example.org", "verified": "2026-01-01"}]}


def audited(check: Check, server: RedisServer, *words: str, audit: str = "") -> tuple[subprocess.CompletedProcess, dict]:
    """What `redline audit` says of the server's known faults and end of life."""
    file = check.file("redline.yml", (
        f"workloads: [{{name: w, kind: custom, topology: static, seeds: ['127.0.0.1:{server.port}'], audit: {{{audit}}}}}]\n"))
    told = subprocess.run([REDLINE, "audit", file, "--format", "json", *words], capture_output=True, text=True, timeout=40)
    results = json.loads(told.stdout)["results"] if told.stdout.startswith("{") else []
    return told, {one["check"]: one for one in results if one["check"] in ("cve", "eol") and one["instance"]}


def check_the_audit_says_who_could(check: Check) -> None:
    server = RedisServer(check)
    with server.client() as client:
        client("ACL", "SETUSER", "api", "on", ">secret", "~*", "+get", "+eval")
        client("ACL", "SETUSER", "reader", "on", ">secret", "~*", "+get")
    file = str(check.file("planted.json", json.dumps(PLANTED)))
    _, found = audited(check, server, "--advisories", file)
    check.that("CVE-2099-1: user default can EVAL (so can user api, if on)" in found["cve"]["text"],
               f"nobody was seen as api: {found['cve']['text']}")
    application = server.client()
    application("AUTH", "api", "secret")
    told, found = audited(check, server, "--advisories", file)
    check.equal((found["cve"]["verdict"], found["cve"].get("severity")), ("finding", "critical"), told.stdout)
    for words in ("CVE-2099-1: users api, default can EVAL", "CVE-2099-2: user default can RESTORE"):
        check.that(words in found["cve"]["text"], f"{words}: {found['cve']['text']}")
    _, found = audited(check, server, audit=f"advisories: '{file}', admins: [default, api]")
    check.equal((found["cve"]["verdict"], found["cve"].get("severity")), ("finding", "info"), "only admins could")
    _, found = audited(check, server)
    check.equal({one["verdict"] for one in found.values()}, {"not compared"}, "without a file")
    text = subprocess.run([REDLINE, "audit", check.folder / "redline.yml", "--advisories", file], capture_output=True,
                          text=True, timeout=40).stdout
    check.that(f"{file}: known faults as of 2026-01-01, " in text, f"the age of the file: {text}")


def check_a_wrong_file_is_told(check: Check) -> None:
    """The audit cannot see, and check config names the place."""
    server = RedisServer(check)
    wrong = PLANTED | {"advisories": [PLANTED["advisories"][0] | {"severity": "bad"}]}
    file = str(check.file("wrong.json", json.dumps(wrong, indent=1)))
    told, found = audited(check, server, "--advisories", file)
    words = 'advisories[0].severity: "bad" is not a severity'
    check.equal((told.returncode in (1, 3), found["cve"]["verdict"]), (True, "unknown"), told.stdout)
    check.that(words in found["cve"]["text"], f"the audit says why: {found['cve']['text']}")
    audited(check, server, audit=f"advisories: '{file}'")
    told = subprocess.run([REDLINE, "check", "config", check.folder / "redline.yml"], capture_output=True, text=True, timeout=20)
    check.equal(told.returncode, 1, "check config refuses it")
    check.that(words in told.stderr and "wrong.json:" in told.stderr, f"with its place: {told.stderr}")


def check_debian_s_package_is_known_by_its_build(check: Check) -> None:
    """One version with the fixes of two years: neither a fault nor the end of its branch is found, and nobody had to say so."""
    newest = next(iter(entries()))
    if f"debian {newest}" not in {row["package"] for row in rows("builds")}:
        raise Skipped(f"the build of {newest} is not listed")
    server = RedisServer(check)
    _, found = audited(check, server, "--advisories", str(FILE))
    check.equal({name: one["verdict"] for name, one in found.items()}, {"cve": "ok", "eol": "ok"}, "by its build")
