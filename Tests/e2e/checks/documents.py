"""The documents do not lie: references are what the program prints, every command is run by somebody, every flag, path
and link is there, and the floors are those of Package.swift. UPDATE_GOLDEN=1 writes the generated parts anew."""

import ast
import os
import pathlib
import re
import subprocess
import time

from documents.commands import COMMANDS, By, Not, Runs, Serves
from documents.markdown import GENERATED, HANDWRITTEN, anchors, code, links
from harness import exporters, http
from harness.browser import Browser
from harness.check import Check
from harness.lab import Lab
from harness.paths import REDLINE, ROOT, tool
from harness.process import Process

UPDATES = "UPDATE_GOLDEN" in os.environ
# Pictures show a lab that has run for some minutes.
TIMEOUT_SECONDS = 420 if UPDATES else 150
REFERENCES = ROOT / "deploy" / "docs" / "reference"
# By name in deploy/docs: which page, how wide and high, and the document that shows it.
PICTURES = {
    "topology.png": ("/", 1200, 720, "README.md"),
    "phone.png": ("/", 390, 844, "deploy/docs/endpoints.md"),
    "workload.png": ("/workload/sessions?range=15m", 1200, 1600, "deploy/docs/endpoints.md"),
    "alerts.png": ("/alerts", 1200, 900, "deploy/docs/endpoints.md"),
}
PICTURE_LIMIT_BYTES = 200_000
# Flags of scripts and of other programs that the documents name.
FOREIGN_FLAGS = {"--build", "--cacert", "--cluster.peer", "--explicit-target-dependency-import-check", "--tls", "--web.config.file"}


def told(check: Check, *words: str) -> str:
    run = subprocess.run(words, capture_output=True, text=True, timeout=30, cwd=ROOT)
    check.equal(run.returncode, 0, f"{' '.join(words)} exits ({run.stdout[-500:]}{run.stderr[-500:]})")
    return run.stdout


# Generated parts


def check_references(check: Check) -> None:
    """Each file of deploy/docs/reference is what `redline reference` prints."""
    subjects = re.search(r"values: ([\w, ]+)\)", " ".join(told(check, str(REDLINE), "reference", "--help").split()))[1]
    check.equal(sorted(path.stem for path in GENERATED) if not UPDATES else sorted(subjects.split(", ")),
                sorted(subjects.split(", ")), "references")
    for subject in subjects.split(", "):
        printed, path = told(check, str(REDLINE), "reference", subject), REFERENCES / f"{subject}.md"
        if UPDATES:
            path.write_text(printed, encoding="utf-8")
        kept, new = path.read_text(encoding="utf-8").splitlines(), printed.splitlines()
        check.none([f"- {line}" for line in kept if line not in new] + [f"+ {line}" for line in new if line not in kept],
                   f"lines of {path.name} that are not what `redline reference {subject}` prints; UPDATE_GOLDEN=1 does")
        check.equal(kept, new, f"the order of lines in {path.name}")


def check_subcommands_tell_how_they_exit(check: Check) -> None:
    """Each has its section, with an exit code, and a command line that makes no sense gives the code that is promised."""
    text = (REFERENCES / "cli.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## `redline ([\w -]+)`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    check.that(len(sections) >= 12, f"subcommands: {[name for name, _ in sections]}")
    check.none([name for name, section in sections if not re.search(r"\b[Ee]xits\s", section)], "subcommands that do not say how they exit")
    listed = re.findall(r"^  redline ([\w-]+)$", told(check, str(REDLINE), "--help"), re.MULTILINE)
    check.equal(sorted({name.split()[0] for name, _ in sections}), sorted(listed), "subcommands that --help lists")
    for name, _ in sections:
        run = subprocess.run([REDLINE, *name.split(), "--no-such-option"], capture_output=True, text=True, timeout=20)
        check.equal(run.returncode, 2 if name in ("acl", "check access") else 64, f"redline {name} --no-such-option exits")
    check.equal(subprocess.run([REDLINE, "--no-such-flag"], capture_output=True, timeout=20).returncode, 2,
                "redline --no-such-flag exits")
    taken = http.socket.socket()
    check.closing.callback(taken.close)
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    busy = Process(check, "busy", [str(REDLINE), f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"])
    check.equal(busy.wait(10), 1, "redline on a port that is taken exits")


def check_outputs(check: Check) -> None:
    """What a document shows of a command's output is what it prints today."""
    place = sandbox(check)
    seen = 0
    for document in HANDWRITTEN:
        text = document.read_text(encoding="utf-8")

        def printed(match: re.Match) -> str:
            run = in_sandbox(place, match[1])
            check.equal(run.returncode, 0, f"{match[1]} exits ({run.stderr})")
            return f"<!-- output: {match[1]} -->\n```text\n{run.stdout.strip()}\n```\n<!-- /output -->"

        new, count = re.subn(r"<!-- output: (.+?) -->\n.*?<!-- /output -->", printed, text, flags=re.DOTALL)
        seen += count
        if UPDATES and new != text:
            document.write_text(new, encoding="utf-8")
        check.that(UPDATES or new == text, f"{document.name} shows another output; UPDATE_GOLDEN=1 writes it anew:\n"
                   + "\n".join(line for line in new.splitlines() if line not in text.splitlines()))
    check.that(seen >= 2, "documents show outputs")


def check_pictures(check: Check) -> None:
    """Each is there, is a PNG and small, and is shown; they are taken of the lab some time after a master was killed."""
    if UPDATES:
        lab = Lab(check)
        lab.up()
        config = check.file("redline.yml", pathlib.Path(lab.does("config").strip()).read_text(encoding="utf-8") + (
            f"rules: {{files: ['{ROOT}/alerts/*.yml'], runbooks: '{ROOT}/alerts/runbooks'}}\nhistory: {{retention: 1h}}\n"))
        daemon = exporters.redline(check, None, f"--config.file={config}", f"--storage.path={check.folder / 'db' / 'r.db'}")
        check.until(lambda: sum(daemon.page().named("redis_up").values()) == 15, 30, "all servers are up")
        time.sleep(240)
        lab.does("kill", lab.master_of_sessions())
        time.sleep(45)
        browser = Browser(check)
        for name, (page, width, height, _) in PICTURES.items():
            browser.open(f"http://127.0.0.1:{daemon.port}{page}", width, height)
            browser.picture(ROOT / "deploy" / "docs" / name)
    for name, (_, _, _, document) in PICTURES.items():
        data = (ROOT / "deploy" / "docs" / name).read_bytes()
        check.equal(data[:8], b"\x89PNG\r\n\x1a\n", f"how {name} begins")
        check.that(5_000 < len(data) < PICTURE_LIMIT_BYTES, f"the size of {name}: {len(data)}")
        check.that(f"{name})" in (ROOT / document).read_text(encoding="utf-8"), f"{document} shows {name}")


# Commands


def sandbox(check: Check) -> pathlib.Path:
    """A folder that looks like the project, with the README's redline.yml, and a place for what goes to /etc."""
    place = check.folder / "project"
    (place / "bin").mkdir(parents=True)
    for name in ("Package.swift", "Sources", "Tests", "alerts", "deploy"):
        os.symlink(ROOT / name, place / name)
    for name, program in (("redline", str(REDLINE)), ("promtool", tool("promtool")), ("amtool", tool("amtool"))):
        os.symlink(program, place / "bin" / name)
    sudo = place / "bin" / "sudo"
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    (place / "redline.yml").write_text(readme_yaml(check))
    return place


def in_sandbox(place: pathlib.Path, command: str) -> subprocess.CompletedProcess:
    environment = os.environ | {"PATH": f"{place / 'bin'}:{os.environ['PATH']}"}
    return subprocess.run(["bash", "-c", command.replace("/etc/prometheus", str(place / "etc"))], cwd=place,
                          env=environment, capture_output=True, text=True, timeout=100, stdin=subprocess.DEVNULL)


def commands_of_documents() -> dict[str, str]:
    """Each command once, with the place where it stands first."""
    found: dict[str, str] = {}
    for document in HANDWRITTEN:
        for one in code(document):
            for command in one.commands():
                found.setdefault(command, one.place)
    return found


def check_every_command_has_somebody_who_runs_it(check: Check) -> None:
    found = commands_of_documents()
    check.none([f"{place}: {command}" for command, place in found.items() if command not in COMMANDS],
               "commands that nothing runs: give each a row in Tests/e2e/documents/commands.py")
    check.none([command for command in COMMANDS if command not in found], "rows for commands that no document has")
    check.that(len(found) > 40, "commands")


def check_blocks_are_understood(check: Check) -> None:
    """A block of code is a drawing, text, YAML, or commands line by line: none may hide a command of another program."""
    odd = []
    for document in HANDWRITTEN:
        for one in code(document):
            if one.language in ("span", "text") or one.is_drawing or one.is_yaml:
                continue
            lines = [line for line in re.sub(r"\\\n\s*", "", one.text).splitlines() if line.strip()]
            if len(one.commands()) != len(lines):
                odd.append(f"{one.place}: {lines[0]}")
    check.none(odd, "blocks of which lines are no known commands: name their programs in Tests/e2e/documents/markdown.py")


def check_others_run_what_they_are_said_to(check: Check) -> None:
    complaints = []
    for command, who in COMMANDS.items():
        if isinstance(who, Not):
            complaints += [f"{command}: no reason"] if len(who.reason) < 20 else []
        if not isinstance(who, By):
            continue
        text = (ROOT / who.path).read_text(encoding="utf-8")
        if who.name and who.path.endswith(".py"):
            bodies = [ast.get_source_segment(text, node) for node in ast.walk(ast.parse(text))
                      if isinstance(node, ast.FunctionDef) and node.name == who.name]
            text = bodies[0] if bodies else ""
        if who.words not in text or (who.path.endswith(".sh") and who.name not in text):
            complaints.append(f"{command}: {who.path} {who.name} has no {who.words}")
    check.none(complaints, "commands whose checks have changed")


def check_the_others_are_run(check: Check) -> None:
    """In the order of the documents, since some go on where others ended."""
    place = sandbox(check)
    for command, where in commands_of_documents().items():
        who = COMMANDS.get(command)
        if isinstance(who, Runs):
            words = command
            for old, new in who.exchange:
                check.that(old in words, f"{command} has {old}")
                words = words.replace(old, new)
            run = in_sandbox(place, words)
            check.equal(run.returncode, 0, f"{where}: {words} exits ({run.stdout[-1500:]}{run.stderr[-1500:]})")
        elif isinstance(who, Serves):
            serves(check, place, command)
    moved = "".join(path.read_text() for path in (place / "etc" / "redline").glob("*.yml"))
    check.that("https://wiki.example.org/redis/RedisDown" in moved and "9121/runbooks" not in moved and "redline.example.org/runbooks" not in moved,
               "runbooks have moved to the wiki")


def serves(check: Check, place: pathlib.Path, command: str) -> None:
    """Runs a command that ends only when it is told to, on a port of its own."""
    port = check.free_port()
    program, *flags = command.split()
    daemon = Process(check, "documented", [str(REDLINE), *(flag.replace("redline.yml", str(place / "redline.yml"))
                                                          for flag in flags),
                                           f"--web.listen-address=127.0.0.1:{port}",
                                           *([f"--storage.path={place / 'redline.db'}"] if "--config.file" in flags else [])])
    check.equal(program.rsplit("/", 1)[-1], "redline", "the program")
    check.until(lambda: http.get(port, "/health").status == 200, 10, f"{command} serves")
    daemon.stop()
    check.equal(daemon.child.returncode, 0, f"{command} exits when it is told to ({daemon.output()[-1000:]})")


# What else can be looked up


def yaml_of(check: Check, document: pathlib.Path) -> str:
    """The one block of redline.yml that a document has."""
    blocks = [one.text for one in code(document) if one.language == "" and one.is_yaml]
    check.equal(len(blocks), 1, f"blocks of YAML in {document.name}")
    return blocks[0]


def readme_yaml(check: Check) -> str:
    return yaml_of(check, ROOT / "README.md")


def check_yaml_of_documents(check: Check) -> None:
    """The README's is a configuration, and those of other documents may stand in it where their text says."""
    fleet = readme_yaml(check)
    watches, rules = (yaml_of(check, ROOT / "deploy" / "docs" / name) for name in ("fleet.md", "alerts.md"))
    (check.folder / "alerts").symlink_to(ROOT / "alerts")
    for name, text in (("fleet", fleet), ("watches", fleet + "\n" + re.sub("^", "        ", watches, flags=re.MULTILINE)),
                       ("rules", fleet + "\n" + rules)):
        path = check.file(f"{name}.yml", text.replace("\n        watches", "\n    watches"))
        run = subprocess.run([REDLINE, "check-config", str(path), "--print"], capture_output=True, text=True, timeout=20)
        check.equal(run.returncode, 0, f"redline check-config of the documents' {name} exits ({run.stderr})")
    check.that("10000" in run.stdout and "http://alertmanager.example:9093" in run.stdout, "what it understood")


def check_flags_are_there(check: Check) -> None:
    known = {name for name in re.findall(r"^\| `-([\w.-]+)`", (REFERENCES / "flags.md").read_text(), re.MULTILINE)}
    known |= set(re.findall(r"--([\w.-]+)", (REFERENCES / "cli.md").read_text()))
    for script in (("deploy/quickstart", "--help"), ("deploy/package", "--help"), ("deploy/dashboards", "--help"),
                   ("Tests/run", "--help"), ("Tests/e2e/run.py", "--help")):
        known |= set(re.findall(r"--([\w-]+)", told(check, *script)))
    for script in filter(pathlib.Path.is_file, (ROOT / "Tests" / "bench").iterdir()):
        known |= {word for words in re.findall(r"^ +--(\w+)\)|\"--([\w-]+)\"", script.read_text(), re.MULTILINE)
                  for word in words}
    known.add("help")
    known |= {flag.removeprefix("--") for flag in FOREIGN_FLAGS}
    complaints = []
    for document in HANDWRITTEN:
        for one in code(document):
            if one.is_drawing or "swift " in one.text:
                continue
            for flag in re.findall(r"(?:^|[\s`'])--?([a-z][\w.-]+[\w])", one.text if one.text.startswith("-") else ""):
                if flag not in known:
                    complaints.append(f"{one.place}: --{flag}")
            for flag in re.findall(r"\s--([a-z][\w.-]*\w)", one.text):
                if flag not in known:
                    complaints.append(f"{one.place}: --{flag}")
    check.none(complaints, "flags that there are not")


def check_paths_and_links_are_there(check: Check) -> None:
    complaints = []
    for document in HANDWRITTEN:
        for link in links(document):
            target, _, anchor = link.partition("#")
            path = document.parent / target if target else document
            if not path.exists() or anchor and anchor not in anchors(path):
                complaints.append(f"{document.relative_to(ROOT)}: the link {link}")
        for one in code(document):
            if one.language != "span" or not re.match(r"(Sources|Tests|deploy|alerts)/[\w./*+…-]*$", one.text):
                continue
            pattern = one.text.replace("…", "*").rstrip("/")
            if not list(ROOT.glob(pattern)):
                complaints.append(f"{one.place}: {one.text}")
    check.none(complaints, "what documents point to and is not there")


def check_metrics_are_there(check: Check) -> None:
    """Each metric that a document names is exported, recorded by a rule, or one of redis_exporter's that it says is gone."""
    exported = {line.split("\t")[0] for line in told(check, str(REDLINE), "families").splitlines()}
    complaints = []
    for document in HANDWRITTEN:
        for one in code(document):
            if one.language == "span" and (name := re.match(r"(redis_\w+)(\{[^}]*\})?$", one.text)):
                if name[1] not in exported and not any(each.startswith(name[1]) for each in exported
                                                       if name[1].endswith("_")):
                    complaints.append(f"{one.place}: {one.text}")
    # Names of redis_exporter or of another program, told of as such.
    known = {"redis_exporter", "redis_connected_clients_details"}
    check.none([each for each in complaints if each.rpartition(": ")[2] not in known], "metrics that there are not")


def check_reference_knows_what_is_exported(check: Check) -> None:
    """Each family of a fleet that judges, and of one server with everything on, has its row, type and labels."""
    rows = {name: (kind, set(re.findall(r"`([^`]+)`", labels))) for name, kind, labels in re.findall(
        r"^\| `(\w+)` \| (\w+) \| ([^|]*) \|", (REFERENCES / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE)}
    lab = Lab(check)
    lab.up()
    rules = f"\nrules:\n  files: ['{ROOT}/alerts/*.yml']\nalerting:\n  alertmanagers: [{{url: 'http://127.0.0.1:1'}}]\n"
    config = check.file("redline.yml", pathlib.Path(lab.does("config").strip()).read_text() + rules)
    daemon = exporters.redline(check, None, f"--config.file={config}", f"--storage.path={check.folder / 'redline.db'}")
    check.until(lambda: sum(daemon.page().named("redis_up").values()) == 15, 30, "all servers are up")
    check.until(lambda: daemon.page().named("redis_exporter_alerts"), 20, "rules are evaluated")
    time.sleep(6)
    everything = exporters.redline(
        check, f"redis://127.0.0.1:{lab.ports()['queues-1']}", "--include-config-metrics", "--include-system-metrics",
        "--include-modules-metrics", "--export-client-list", "--export-client-port", "--check-keys=db0=*",
        "--check-streams=db0=*", "--count-keys=db0=*", "--check-key-groups=^(.*)$", "--keywork.interval=1s")
    check.until(lambda: everything.page().named("redis_key_size"), 20, "keys are looked at")
    complaints, seen = [], set()
    for page in (daemon.page(), everything.page()):
        for name, family in page.families.items():
            seen.add(name)
            kind, labels = rows.get(name, (None, set()))
            used = {label for series in page.named(name) for label, _ in series}
            further = used - labels - {"workload", "instance", "environment", "sentinel_group"} - {
                {"histogram": "le", "summary": "quantile"}.get(family.type)}
            if kind != family.type:
                complaints.append(f"{name} is a {family.type}, not a {kind}")
            elif further:
                complaints.append(f"{name} has labels {sorted(further)}")
    check.none(complaints, "families that the reference tells otherwise of")
    check.that(len(seen) > 300, f"{len(seen)} families were seen")


def check_floors(check: Check) -> None:
    """The table of the architecture is Package.swift's: the same modules, each with the same imports, each from below."""
    package = (ROOT / "Package.swift").read_text(encoding="utf-8")
    ours: dict[str, set[str]] = {name: set() for name in re.findall(r'^    door\("(\w+)"', package, re.MULTILINE)}
    modules = re.findall(r'^    module\(\s*"(\w+)",\s*\[(.*?)\]\)', package, re.MULTILINE | re.DOTALL)
    top = re.search(r'executableTarget\(\s*name: "(\w+)",\s*dependencies: \[(.*?)\n      \]', package, re.DOTALL)
    for name, imports in [*modules, (top[1], top[2])]:
        without_products = re.sub(r"\.product\([^)]*\)", "", imports)
        ours[name] = set(re.findall(r'"(\w+)"', without_products))
    check.that(len(ours) > 20, f"targets that were understood: {sorted(ours)}")
    text = (ROOT / "deploy" / "docs" / "architecture.md").read_text(encoding="utf-8")
    floors: dict[str, int] = {}
    seen: dict[str, set[str]] = {}
    for floor, modules, imports in re.findall(r"^\| (top|doors|\d) \|([^|]+)\|([^|]*)\|", text, re.MULTILINE):
        for module in re.findall(r"`(\w+)`", modules):
            floors[module] = {"top": 4, "doors": -1}.get(floor) if floor in ("top", "doors") else int(floor)
            seen[module] = set(re.findall(r"`(\w+)`", imports))
    check.equal(seen, ours, "modules and what they import")
    # Runtime is what the rest of floor 0 stands on.
    floors["Runtime"] = -1
    wrong = [f"{module} imports {other}" for module, others in ours.items() for other in others
             if floors[other] >= floors[module]]
    check.none(wrong, "imports that are not from below")
    folders = set(re.findall(r"^\| `Sources/([A-Z]\w+|redline)` \|", text, re.MULTILINE))
    check.equal(folders, {module for module in ours if floors[module] > -1 or module == "Runtime"}, "folders of the architecture")
