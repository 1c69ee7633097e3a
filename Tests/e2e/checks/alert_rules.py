"""What promtool and amtool say of alerts/, of the tests of its rules, and of the files that wire them up.

Beyond that: every alert is tested both ways, explains itself and has a runbook, and asks only for what is exported.
"""

import dataclasses
import pathlib
import re
import subprocess

from harness.check import Check
from harness.paths import REDLINE, ROOT, tool

ALERTS = ROOT / "alerts"
FILES = sorted(ALERTS.glob("*.yml")) + sorted((ALERTS / "meta").glob("*.yml"))
TESTS = sorted((ALERTS / "tests").glob("*.test.yml"))
# The daemon's own, of no rule file.
OF_DAEMON = {"RedlineWatchdog"}
# A failover inside a maintenance window is the same alert with other labels; a lost shard is told by the others that ask it, or by
# whoever scrapes all of them.
TWICE = ["RedisFailover", "RedlineShardMissing"]
# Made by Prometheus itself for each target, and by whoever evaluates for each alert.
OF_PROMETHEUS, OF_RULES = {"up"}, {"ALERTS"}
# About everything, so that there is no label to name.
ABOUT_ALL = {"RedlineAbsent", "Watchdog"}
SEVERITIES = {"critical", "warning", "info", "none"}
WORDS = {"and", "or", "unless", "bool", "offset", "by", "on", "without", "ignoring", "group_left", "group_right"}


@dataclasses.dataclass(frozen=True)
class Rule:
    """An alert or a recorded series, and its lines of YAML as they stand in the file."""

    file: pathlib.Path
    kind: str
    name: str
    text: str

    @property
    def expression(self) -> str:
        found = re.search(r"^ +expr: (?:\|\n((?: {6,}.*\n)+)|(.*)\n)", self.text, re.MULTILINE)
        return re.sub(r"#.*", "", found[1] or found[2])

    @property
    def metrics(self) -> set[str]:
        """The names of the series that the expression selects."""
        return self.selected(self.expression)

    @property
    def annotations(self) -> dict[str, str]:
        """On one line each, as YAML folds them."""
        found = re.findall(r"^ {6}(summary|description): (?:>-\n((?: {8}.*\n)+)|(.*)\n)", self.text, re.MULTILINE)
        return {key: " ".join((folded or plain).split()) for key, folded, plain in found}

    @property
    def metrics_of_annotations(self) -> set[str]:
        """The names of the series that the queries in annotations select."""
        return {name for query in self.queries for name in self.selected(query)}

    @property
    def queries(self) -> list[str]:
        return re.findall(r"`([^`]+)`\s*\$", " ".join(self.annotations.values()))

    @staticmethod
    def selected(query: str) -> set[str]:
        bare = re.sub(r"\"[^\"]*\"", "", query)
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
        bare = re.sub(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
        bare = re.sub(r"\boffset\s+\S+", " ", bare)
        return set(re.findall(r"(?<![\w:.])[a-zA-Z_][\w:]*\b(?!\s*\()", bare)) - WORDS

    def value(self, key: str) -> str | None:
        found = re.search(rf"^ +{key}: *(.*)$", self.text, re.MULTILINE)
        return found and found[1].strip()


def rules() -> list[Rule]:
    """promtool has judged the YAML; this only takes it apart."""
    found = []
    for file in FILES:
        for part in re.split(r"^  - (?=(?:alert|record): )", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            kind, name = re.match(r"(alert|record): (\S+)\n", part).groups()
            found.append(Rule(file, kind, name, part))
    return found


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.kind == "alert"]


def told_by(check: Check, program: str, *arguments, seconds: float = 60) -> None:
    told = subprocess.run([tool(program), *map(str, arguments)], capture_output=True, text=True, timeout=seconds)
    what = " ".join(map(str, arguments[:2]))
    check.equal(told.returncode, 0, f"{program} {what} exits ({told.stdout[-3000:]}{told.stderr[-3000:]})")


def check_rules(check: Check) -> None:
    told_by(check, "promtool", "check", "rules", *FILES)
    told_by(check, "promtool", "test", "rules", *TESTS, seconds=240)


def check_every_alert_is_tested_both_ways(check: Check) -> None:
    fires, silent = set(), set()
    for file in TESTS:
        for part in re.split(r"alertname: ", file.read_text(encoding="utf-8"))[1:]:
            name = re.match(r"\w+", part)[0]
            if re.match(r"\w+,? *\n? *exp_alerts: *\[\]", part):
                silent.add(name)
            elif re.match(r"\w+\n +exp_alerts:\n +- exp_labels", part):
                fires.add(name)
    names = {rule.name for rule in alerts()}
    check.equal(sorted(names - fires), [], "alerts that no test makes fire")
    # The dead man's switch has no other state.
    check.equal(sorted(names - silent - {"Watchdog"}), [], "alerts that no test finds silent")
    check.equal(sorted(fires | silent), sorted(names), "alerts in the tests")


def check_alerts_explain_themselves(check: Check) -> None:
    complaints = []
    for rule in alerts():
        severity = re.search(r"severity: (\w+)", rule.value("labels") or "")
        if not severity or severity[1] not in SEVERITIES:
            complaints.append(f"{rule.name}: no severity among {sorted(SEVERITIES)}")
        for key in ("summary", "description"):
            if not rule.value(key):
                complaints.append(f"{rule.name}: no {key}")
        if rule.value("runbook_url") != f"http://redline:9121/runbooks/{rule.name}":
            complaints.append(f"{rule.name}: its runbook_url is {rule.value('runbook_url')}")
    check.none(complaints, "alerts that do not explain themselves")
    names = [rule.name for rule in alerts()]
    check.equal(sorted(name for name in set(names) if names.count(name) > 1), TWICE, "alerts that there are two of")


def check_texts_say_what_and_how_much(check: Check) -> None:
    """A summary names what it is about. A value is formatted, and a number without a unit is followed by what it counts."""
    complaints, values = [], 0
    for rule in alerts():
        summary = rule.annotations["summary"]
        if rule.name not in ABOUT_ALL and not re.search(r"\$labels\.(instance|workload|master_name|job|shards)\b", summary):
            complaints.append(f"{rule.name}: its summary names nothing")
        for key, text in rule.annotations.items():
            # Comparisons with the value choose between singular and plural.
            for shown in re.finditer(r"\{\{-? (?:printf (\S+) )?\$value\b([^}]*)\}\}", text):
                values += 1
                after = re.sub(r"\{\{.*?\}\}", "", text[shown.end():]).lstrip()
                if not (shown[1] == '"%.0f"' or re.search(r"\| humanize(1024|Percentage|Duration)?\b", shown[2])):
                    complaints.append(f"{rule.name}: the {key} shows a value as it is")
                # Three calls may well be 3.16 to increase(), which extrapolates.
                elif re.search(r"\bincrease\(", rule.expression) and re.search(r"\| humanize\b", shown[2]):
                    complaints.append(f"{rule.name}: the {key} shows a fraction of a count")
                elif not re.search("Percentage|Duration", shown[2]) and not re.match("[A-Za-z]", after):
                    complaints.append(f"{rule.name}: the {key} does not say what {shown[0]} counts")
    check.that(values > 20, f"texts have values: {values}")
    check.none(complaints, "texts that leave open what or how much")


def check_a_document_lists_alerts(check: Check) -> None:
    """Each in the row of its file, and no others."""
    text = (ROOT / "deploy" / "docs" / "alerts.md").read_text(encoding="utf-8")
    listed = {(file, name) for file, names in re.findall(r"^\| `([\w/]+\.yml)` \| (.*) \|$", text, re.MULTILINE)
              for name in re.findall(r"\b(?:Red|Watch)\w+", names)}
    check.equal(sorted(listed), sorted({(str(rule.file.relative_to(ALERTS)), rule.name) for rule in alerts()}),
                "alerts in deploy/docs/alerts.md")


def check_runbooks(check: Check) -> None:
    """One for each alert, with the parts that a person looks for at night."""
    books = {path.stem: path.read_text(encoding="utf-8") for path in (ALERTS / "runbooks").glob("*.md")}
    check.equal(sorted(books), sorted({rule.name for rule in alerts()}), "runbooks")
    complaints = []
    for name, text in books.items():
        # What is gathered when it begins; the words of the list are held by the unit tests.
        named = re.match(r"---\nevidence: \[[a-z_]+(?:, [a-z_]+)*\]\n---\n\n", text)
        if name.startswith("Redis") and not named:
            complaints.append(f"{name}: names no evidence")
        text = text[named.end():] if named else text
        if not text.startswith(f"# {name}\n\n"):
            complaints.append(f"{name}: begins with something else than its name")
        for part in ("**Impact.**", "\n## Write down\n", "```"):
            if part not in text:
                complaints.append(f"{name}: lacks {part.strip()}")
        others = {word for word in re.findall(r"\bRed(?:is|line)[A-Z]\w+", text)} - books.keys() - OF_DAEMON
        complaints += [f"{name}: names {other}, which is no alert" for other in others]
    check.none(complaints, "runbooks that lack something")


def check_expressions_ask_for_what_is_exported(check: Check) -> None:
    listing = subprocess.run([REDLINE, "families"], capture_output=True, text=True, timeout=20)
    check.equal(listing.returncode, 0, "redline families exits")
    exported = set()
    for row in listing.stdout.splitlines():
        name, kind, *_ = row.split("\t")
        exported |= {f"{name}{suffix}" for suffix in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    recorded = {rule.name for rule in rules() if rule.kind == "record"}
    complaints = []
    check.that(any(rule.metrics_of_annotations for rule in rules()), "some annotations ask, too")
    for rule in rules():
        check.that(rule.metrics or rule.name == "Watchdog", f"{rule.name} selects something")
        known = exported | recorded | OF_RULES | (OF_PROMETHEUS if rule.file.parent.name == "meta" else set())
        complaints += [f"{rule.file.name}: {rule.name} asks for {name}"
                       for name in sorted((rule.metrics | rule.metrics_of_annotations) - known)]
        # What takes the place of another verb is no name and no matcher to the daemon, so that it keeps no such series.
        complaints += [f"{rule.file.name}: {rule.name} asks with another verb than %q: {query}"
                       for query in rule.queries if re.search("%[^q]", query)]
        # Edges are written in another way by Prometheus 3 than by the page.
        if re.search(r"\b(le|quantile)\s*=", rule.expression):
            complaints.append(f"{rule.file.name}: {rule.name} names an edge")
    check.none(complaints, "expressions that can never be true")


def check_redline_agrees(check: Check) -> None:
    """redline takes the same rules in both dialects and finds nothing in them, and all their tests pass in both."""
    for arguments in (["check", "rules", "--lint-fatal", *FILES],
                      ["check", "rules", "--lint-fatal", "--dialect", "2.x", *FILES],
                      ["test", "rules", *TESTS], ["test", "rules", "--dialect", "2.x", *TESTS]):
        told = subprocess.run([REDLINE, *map(str, arguments)], capture_output=True, text=True, timeout=60)
        check.equal(told.returncode, 0, f"redline {arguments[0]} rules exits ({told.stdout}{told.stderr})")


def check_wiring(check: Check) -> None:
    told_by(check, "promtool", "check", "config", ROOT / "deploy" / "prometheus" / "prometheus.yml")
    told_by(check, "amtool", "check-config", ROOT / "deploy" / "alertmanager" / "alertmanager.yml")


def check_alertmanager_names_alerts(check: Check) -> None:
    """A typing error in a matcher is an inhibition that never holds."""
    text = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8")
    named = {name for pattern in re.findall(r"alertname=~?\"([^\"]+)\"", text) for name in pattern.split("|")}
    check.that(len(named) > 5, "it names alerts")
    unknown = [name for name in sorted(named - OF_DAEMON) if not any(re.fullmatch(name, rule.name) for rule in alerts())]
    check.equal(unknown, [], "names that no alert has")
