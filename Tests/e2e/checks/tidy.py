"""The sources keep to their own rules: what compilers do not hold is held here, over every file that is kept in git."""

import functools
import pathlib
import re
import shutil
import subprocess

from harness.check import Check, Skipped
from harness.paths import ROOT

TIMEOUT_SECONDS = 120
SOURCES = ROOT / "Sources"
LINE_LIMIT = 300
# Longer ones, each with the reason why it is in one piece; none may grow beyond this.
LONGEST = 400
LONG = {
    "Alerting/Templates/TemplateRun.swift": "one interpreter over one set of nodes",
}
# Files that open a door: they alone may say `unsafe` or vouch for what the compiler cannot see.
DOORS = {
    "the C library": (
        "Alerting/Templates/GoNumber.swift", "Config/Values/Environment.swift",
        "Config/Values/IPAddress.swift", "Config/Values/PathPattern.swift", "Runtime/Clock.swift",
        "Runtime/DescriptorLimit.swift", "Runtime/FileStamp.swift", "Runtime/PathGlob.swift",
        "Runtime/RegularFile.swift", "Runtime/SmallFile.swift", "Storage/File/OwnerLock.swift", "Storage/File/StorePath.swift",
        "Transport/NameLookup.swift",
        "redline/LastWords.swift", "redline/LogHandler.swift", "redline/LogQueue.swift", "redline/MemoryLimits.swift",
        "redline/ProcessFamilies.swift", "redline/ProcessGuard.swift",
        "redline/Redline.swift", "redline/RuleWatch.swift", "redline/SystemdNotify.swift", "redline/SystemdSocket.swift"),
    "threads: the lock and the executors": (
        "Runtime/Lock.swift", "Runtime/Thread.swift", "Runtime/WorkExecutor.swift", "Redis/Connection/LoopExecutor.swift",
        "Fleet/Polling/Poller.swift", "Fleet/Polling/Probing/Prober.swift"),
    "libyaml": ("Config/YAML/YAMLEvents.swift",),
    "hiredis": (
        "Redis/RESP/Command.swift", "Redis/RESP/Replies+Read.swift", "Redis/RESP/ReplyReader.swift",
        "Redis/Connection/ConnectionHandler.swift"),
    "SQLite": ("Storage/SQLite/Database.swift", "Storage/SQLite/Statement.swift"),
    "RE2": ("PromQL/Series/Regex.swift",),
    "libmicrohttpd and its sockets": (
        "Web/Daemon/Connection.swift", "Web/Daemon/Daemon+Values.swift", "Web/Daemon/Daemon.swift",
        "Web/Daemon/Exchange.swift", "Web/Daemon/ListenSocket.swift", "Web/Daemon/Payload.swift"),
    "GnuTLS and libcrypt": (
        "Web/Authentication/Bcrypt.swift", "Web/Authentication/SaltedDigest.swift", "Web/TLS/TLSContext.swift"),
    "zlib": ("Web/Metrics/Gzip.swift",),
    "cmark": ("Web/Markdown/Markdown.swift",),
    "pages as raw memory": ("Metrics/Exposition/PageWriter.swift",),
}
# A module takes from the floors below its own alone; the doors are below all.
FLOORS = (("Runtime",), ("Metrics", "Transport"), ("Redis", "Config", "HTTPClient", "Storage", "PromQL"),
          ("Fleet", "Alerting", "Web"), ("API",), ("redline",))


@functools.cache
def kept() -> tuple[pathlib.Path, ...]:
    """Every file that git keeps or would keep; of what is no checkout, every file that no build has made."""
    told = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                          capture_output=True, text=True, timeout=20)
    if told.returncode == 0:
        paths = [ROOT / name for name in told.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not {".build", ".git"} & set(path.relative_to(ROOT).parts)]
    return tuple(path for path in paths if path.is_file())


def swift_files() -> list[pathlib.Path]:
    found = [path for path in kept() if path.suffix == ".swift" and path.is_relative_to(SOURCES)]
    assert len(found) > 300, "the sources are there"
    return found


# What a Double may be converted with; anything else ends the process where the value does not fit.
CONVERSION = re.compile(r"\bU?Int(?:8|16|32|64)?\((?!clamping:|exactly:|bitPattern:|truncatingIfNeeded:)")
OF_A_DOUBLE = re.compile(r"(?<!illi)[sS]econds\b|\.rounded\(|\b\d+\.\d|\d[eE]\d|\bDouble\(|\b(?:ratio|share|percent)\b")


def name_of(path: pathlib.Path) -> str:
    return str(path.relative_to(SOURCES))


def code(path: pathlib.Path) -> str:
    """The file without comments and the texts of strings."""
    text = re.sub(r'"""\n.*?"""', '""', path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*', "", text)


def check_format(check: Check) -> None:
    if shutil.which("swift") is None:
        raise Skipped("swift is not installed")
    told = subprocess.run(["swift", "format", "lint", "--recursive", "--strict", "Sources", "Tests", "Package.swift"],
                          cwd=ROOT, capture_output=True, text=True, timeout=100)
    check.none(told.stderr.splitlines(), "what swift format finds")
    check.equal(told.returncode, 0, "swift format lint exits")


def check_no_foundation(check: Check) -> None:
    """The whole of it links ICU and 50 MB; the Essentials are what tests may take."""
    check.none([str(path.relative_to(ROOT)) for path in kept() if path.suffix == ".swift"
                and re.search(r"^\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+(?:\w+\s+)?Foundation\b", path.read_text(), re.MULTILINE)],
               "files that import Foundation")


def check_unsafe_stays_at_the_doors(check: Check) -> None:
    said = {name_of(path) for path in swift_files()
            if re.search(r"(?<![\w.@(])unsafe\b|\(unsafe\b|@unchecked\b|nonisolated\(unsafe\)", code(path))}
    listed = {name for names in DOORS.values() for name in names}
    check.equal(sorted(said - listed), [], "files that are unsafe and open no door")
    check.equal(sorted(listed - said), [], "doors that are listed and are none")


def check_files_are_short(check: Check) -> None:
    lines = {name_of(path): path.read_text(encoding="utf-8").count("\n") for path in swift_files()}
    check.none([f"{name}: {count} lines" for name, count in lines.items() if count > LINE_LIMIT and name not in LONG],
               f"files of more than {LINE_LIMIT} lines")
    check.none([f"{name}: {count} lines" for name, count in lines.items() if count > LONGEST],
               f"files of more than {LONGEST} lines")
    check.equal(sorted(name for name in LONG if lines.get(name, 0) <= LINE_LIMIT), [], "files that are short by now")


def check_nothing_is_left_to_do(check: Check) -> None:
    """What is not done is not promised in a comment. No check is switched off, and no path is of one machine."""
    marks = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|HA" r"CK)\b|\.disabled\(|@available\(\*, unavailable")
    own = re.compile(rf"{re.escape(str(ROOT))}\b|(?<![\w/$}}\"])/(?:home|Users)/\w|/root/\.")
    complaints = []
    for path in kept():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        complaints += [f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
                       for number, line in enumerate(lines, 1) if marks.search(line) or own.search(line)]
    check.none(complaints, "lines")


def check_floors(check: Check) -> None:
    """The build sees to it that a module imports what it depends on; this, that it depends on floors below."""
    floor = {name: height for height, names in enumerate(FLOORS) for name in names}
    text = (ROOT / "Package.swift").read_text(encoding="utf-8")
    found = dict(re.findall(r'^    module\(\s*"(\w+)",\s*\[(.*?)\]\)', text, re.MULTILINE | re.DOTALL))
    found["redline"] = re.search(r'executableTarget\(\s*name: "redline",\s*dependencies: \[(.*?)\n      \]', text, re.DOTALL)[1]
    check.equal(sorted(found), sorted(floor), "modules")
    complaints = []
    for module, dependencies in found.items():
        for other in re.findall(r'"(\w+)"', re.sub(r"\.product\([^)]*\)", "", dependencies)):
            if not other.startswith("C") or other == "Config":
                if floor[other] >= floor[module]:
                    complaints.append(f"{module} depends on {other}")
    check.none(complaints, "dependencies that do not lead down")
    for script in ("Tests/run", "deploy/lib/build.sh"):
        check.that("--explicit-target-dependency-import-check error" in (ROOT / script).read_text(),
                   f"{script} lets the compiler check imports")


def check_conversions_clamp(check: Check) -> None:
    """Swift's own conversion of a Double traps; `Int(clamping:)` of Runtime does not."""
    found = []
    for path in swift_files():
        text = code(path)
        for match in CONVERSION.finditer(text):
            if OF_A_DOUBLE.search(argument(text, match.end())):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{name_of(path)}:{line}: {match[0]}{argument(text, match.end())}) may not fit")
    check.none(found, "conversions that trap")


def argument(text: str, start: int) -> str:
    """What stands from `start` to the parenthesis that closes it."""
    depth = 1
    for end in range(start, min(len(text), start + 400)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[start:end]
    return ""
