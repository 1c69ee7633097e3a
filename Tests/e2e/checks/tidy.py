"""The sources keep to their own rules: what compilers do not hold is held here, over every file that is kept in git."""

import pathlib
import re
import shutil
import subprocess

from harness import swift_types
from harness.check import Check, Skipped
from harness.paths import ROOT, kept

TIMEOUT_SECONDS = 120
SOURCES = ROOT / "Sources"
FILE_LINES = 500
# Of a type with all its extensions, without the types nested in it.
TYPE_LINES = 400
STORED_PROPERTIES = 15
# Types beyond a limit, each with the reason; one that has come within its limit must leave the list.
LONG_TYPES = {
    "Fleet.InfoFields": "a table: one row for each field of INFO",
    "Fleet.SentinelFailoverTracker": "one state machine; its claims, epochs and episodes belong to one failover",
    "PromQL.Evaluation": "one interpreter over one tree: a method for each kind of expression",
    "PromQL.Parser": "one grammar: a method for each production",
    "PromQL.StoreContents": "all that one lock guards",
}
WIDE_TYPES = {
    "Config.WorkloadConfig": "one property for each key of a workload",
    "Fleet.KeyWorkOptions": "one property for each flag",
    "Fleet.MemberFacts": "one property for each fact that INFO states",
    "Fleet.Poller": "one connection with its plan, its counters and the scrapes that wait for it",
    "Fleet.Prober": "one connection with its schedule, its counters and its callbacks",
    "Fleet.WorkloadState": "one property for each fact that a check may read",
}
# Files that open a door: they alone may say `unsafe` or vouch for what the compiler cannot see.
DOORS = {
    "the C library": (
        "Config/Values/Environment.swift",
        "Config/Values/IPAddress.swift", "Config/Values/PathPattern.swift", "PromQL/Syntax/GoNumber.swift",
        "Runtime/Clock.swift", "Runtime/ControllingTerminal.swift", "Runtime/DescriptorLimit.swift", "Runtime/PathGlob.swift",
        "Runtime/GrowingFile.swift", "Runtime/SmallFile.swift", "Storage/File/OwnerLock.swift", "Storage/File/StorePath.swift",
        "Transport/NameLookup.swift",
        "redline/LastWords.swift", "redline/LogHandler.swift", "redline/LogQueue.swift", "redline/MemoryLimits.swift",
        "redline/ProcessFamilies.swift", "redline/ProcessGuard.swift",
        "redline/ConfiguredRules.swift", "redline/Systemd.swift"),
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
        "Web/Daemon/Connection.swift", "Web/Daemon/Daemon.swift",
        "Web/Daemon/Exchange.swift", "Web/Daemon/ListenSocket.swift"),
    "GnuTLS and libcrypt": (
        "Web/Authentication/Bcrypt.swift", "Web/Authentication/SaltedDigest.swift", "Web/TLS/TLSContext.swift"),
    "zlib and ISA-L": ("Compression/Deflate.swift", "Web/Metrics/Gzip.swift"),
    "cmark": ("Web/Markdown/Markdown.swift",),
    "what children print": ("Drills/Processes/ChildBytes.swift",),
    "pages as raw memory": ("Metrics/Exposition/PageWriter.swift",),
}
# A module takes from the floors below its own alone; the doors are below all.
FLOORS = (("Runtime", "Compression"), ("Metrics", "Transport"), ("Redis", "Config", "HTTPClient", "Storage", "PromQL"),
          ("Fleet", "Alerting", "Web"), ("API", "Drills"), ("redline",))


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
    check.none([f"{name}: {count} lines" for name, count in lines.items() if count > FILE_LINES],
               f"files of more than {FILE_LINES} lines")


def check_types_are_small(check: Check) -> None:
    sizes = swift_types.sizes({name_of(path): path.read_text(encoding="utf-8") for path in swift_files()})
    check.that(len(sizes) > 500 and sizes["redline.Daemon"].files > 1, "the types are found")
    hold(check, {name: size.lines for name, size in sizes.items()}, TYPE_LINES, LONG_TYPES, "lines")
    hold(check, {name: size.stored for name, size in sizes.items()}, STORED_PROPERTIES, WIDE_TYPES, "stored properties")


def hold(check: Check, counts: dict[str, int], limit: int, exceptions: dict[str, str], unit: str) -> None:
    check.none([f"{name}: {count} {unit}" for name, count in sorted(counts.items()) if count > limit and name not in exceptions],
               f"types of more than {limit} {unit}")
    check.none([f"{name}: {counts.get(name, 0)} {unit}" for name in exceptions if counts.get(name, 0) <= limit],
               f"types that are listed as exceptions and have at most {limit} {unit}: take them off the list")


# Sources, and what must be found in them: name, lines and stored properties of each part.
SAMPLES = (
    # Computed, static and local ones are not stored; observed and lazy ones, and closures as values, are.
    ("""struct A: P {
  let a, b: Int
  private(set) var c = [1: 2] { didSet { let x = 1; print(x) } }
  static let d = 1
  var e: Int { let f = 1; return f }
  var g: Int {
    get { 1 }
  }
  let h: @Sendable (Int, String) -> Void
  lazy var i: Int = { let j = 1; return j }()
  var k: Dictionary<String, Int> = [:]
  let l =
    1
  func m() { var n = 1; n += 1 }
}
""", [("A", 15, 7)]),
    # Braces and keywords in comments and strings are none.
    ('''enum B { // struct C {
  /* class D { /* { */ } */
  case one
  static let text = "} \\" \\(["{"].map { "\\($0)}" }) {"
  static let raw = #"" } \\("#
  static let long = """
    struct E { let f: Int }
    "quoted" }
    """
}
''', [("B", 10, 0)]),
    # Nested types count for themselves, and extensions to the type that they extend.
    ("""actor F {
  struct G {
    var h: Int
    enum I { case j }
  }
  nonisolated let k: G
  class func l() {}
}

extension F.G { var m: Int { h } }
""", [("F", 4, 1), ("F.G", 3, 1), ("F.G.I", 1, 0), ("F.G", 1, 0)]),
)


def check_types_are_counted(check: Check) -> None:
    """The reader of Swift that the limits rest on."""
    for source, expected in SAMPLES:
        seen = [(part.name, part.lines, part.stored) for part in swift_types.parts(source)]
        check.equal(seen, expected, f"parts of {source!r}")
    size = swift_types.sizes({"M/A.swift": SAMPLES[2][0], "M/B.swift": "extension F {\n}\n", "N/F.swift": "struct F {}\n"})
    check.equal({name: (found.lines, found.files) for name, found in size.items()},
                {"M.F": (6, 2), "M.F.G": (4, 1), "M.F.G.I": (1, 1), "N.F": (1, 1)}, "lines and files of types")


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


# Turns of phrase that a reader whose first language is not English has to puzzle out.
RIDDLES = re.compile(r"\b(?:anew|told of|tells of|whoever|of which|is to be had|as it has it)\b", re.IGNORECASE)
PROSE = ("Sources/", "alerts/", "deploy/", "README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def check_words_are_plain(check: Check) -> None:
    complaints = []
    for path in kept():
        name = str(path.relative_to(ROOT))
        if name.startswith(PROSE) and path.suffix in (".swift", ".md", ".yml", ".yaml", ".json", ".py", ".sh"):
            # A phrase may go on in the next line, behind the marks of a comment.
            text = re.sub(r"\s*\n\s*(?://+|#)?\s*", " ", path.read_text(encoding="utf-8"))
            complaints += [f"{name}: …{text[max(0, match.start() - 40):match.end() + 40]}…" for match in RIDDLES.finditer(text)]
    check.none(complaints, "riddles")


# What keeps state is a …Tracker (pure), a …Log (what was told) or a …Store (durable), and only keys are watched.
ZOO = re.compile(r"(?:Book|Diary|Journal|Ledger|Archive|Story|Tally|Keeper|Ear|Shelf)$")
WATCH = re.compile(r"Watch(?:es|er)?$")
WATCHES = ("Fleet/Keys/", "Config/Fleet/", "Fleet/Access/")


def check_names_say_the_kind(check: Check) -> None:
    names = {(name_of(path), part.name.split(".")[-1]) for path in swift_files()
             for part in swift_types.parts(path.read_text(encoding="utf-8"))}
    check.none([f"{path}: {name}" for path, name in sorted(names)
                if ZOO.search(name)], "keepers that do not say their kind")
    check.none([f"{path}: {name}" for path, name in sorted(names) if WATCH.search(name) and not path.startswith(WATCHES)],
               "watches of something other than keys")


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
