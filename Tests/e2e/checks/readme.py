"""The README is short, and neither it nor its neighbours lie: subcommands exist, tables of figures are there. The rest is
with the documents."""

import re

from documents.markdown import HANDWRITTEN
from harness import exporters, servers
from harness.check import Check
from harness.paths import REDLINE, ROOT
from harness.process import Process

TIMEOUT_SECONDS = 30
DOCUMENTS = ROOT / "deploy" / "docs"
README_LINES = 180


def output(check: Check, *arguments: str) -> str:
    process = Process(check, arguments[0], [str(REDLINE), *arguments])
    check.equal(process.wait(10), 0, f"redline {' '.join(arguments)} exits")
    return process.output()


def part(check: Check, name: str) -> str:
    text = (DOCUMENTS / "performance.md").read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    check.that(found is not None, f"performance.md has a part between <!-- {name} --> and <!-- /{name} -->")
    return found.group(1)


def check_subcommands(check: Check) -> None:
    """Every `redline word` of the documents is a subcommand that explains itself."""
    text = "".join(document.read_text(encoding="utf-8") for document in HANDWRITTEN)
    words = set(re.findall(r"`redline ([a-z][a-z-]*)", text))
    check.that("families" in words, "the documents name `redline families`")
    for word in sorted(words):
        check.that("USAGE: redline" in output(check, word, "--help"), f"redline {word} --help shows its usage")


def check_error_classes(check: Check) -> None:
    """The classes of errors in the table of deviations are those that are counted."""
    text = (DOCUMENTS / "switching.md").read_text(encoding="utf-8")
    listed = re.search(r"one of a few classes: `([\w ]+)`", text)[1].split()
    daemon = exporters.redline(check, servers.RedisServer(check).url, "--check-keys=db0=a*")
    # They come with the first work on keys.
    check.until(lambda: daemon.page().named("redis_exporter_key_work_errors_total"), 10, "errors are counted")
    series = daemon.page().named("redis_exporter_key_work_errors_total")
    check.equal(sorted(listed), sorted({dict(labels)["class"] for labels in series}), "classes")


def check_readme_is_short(check: Check) -> None:
    """A newcomer reads it to the end, and finds every other document from there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    check.that(text.count("\n") <= README_LINES, f"lines of the README: {text.count(chr(10))}, at most {README_LINES}")
    check.none([str(path.relative_to(ROOT)) for path in HANDWRITTEN[1:] if f"({path.relative_to(ROOT)}" not in text],
               "documents that the README does not lead to")


def check_counts(check: Check) -> None:
    words = "no one two three four five six seven eight nine ten".split()
    dashboards = len(list((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")))
    text = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    check.that(f"{words[dashboards]} dashboards" in text, f"deploy/README.md says that there are {words[dashboards]} dashboards")


def check_benchmark(check: Check) -> None:
    """The performance tables are there, with their ratios."""
    table = part(check, "bench")
    check.that(table.count("|") > 20 and "CPU per fresh scrape" in table, "the table that Tests/bench/run prints")
    for name, words in (("scale", "poll lateness p99"), ("failover", "+switch-master to /metrics, p99"),
                        ("rules", "| 1,005 | prometheus |"),
                        ("page", "to the alert at Alertmanager")):
        check.that(words in part(check, name), f"the table that Tests/bench/run --{name} prints")
