"""The README does not lie: its subcommands exist, its tables of figures are there. The rest is with the documents."""

import re

from harness import exporters, servers
from harness.check import Check
from harness.paths import REDLINE, ROOT
from harness.process import Process

TIMEOUT_SECONDS = 30


def output(check: Check, *arguments: str) -> str:
    process = Process(check, arguments[0], [str(REDLINE), *arguments])
    check.equal(process.wait(10), 0, f"redline {' '.join(arguments)} exits")
    return process.output()


def part(check: Check, name: str) -> str:
    text = (ROOT / "README.md").read_text()
    found = re.search(rf"<!-- {name} -->\n(.*?)\n?<!-- /{name} -->", text, re.DOTALL)
    check.that(found is not None, f"README.md has a part between <!-- {name} --> and <!-- /{name} -->")
    return found.group(1)


def check_subcommands(check: Check) -> None:
    """Every `redline word` of the README is a subcommand that explains itself."""
    text = (ROOT / "README.md").read_text()
    words = set(re.findall(r"`redline ([a-z][a-z-]*)", text))
    check.that("families" in words, "README.md names `redline families`")
    for word in sorted(words):
        check.that("USAGE: redline" in output(check, word, "--help"), f"redline {word} --help shows its usage")


def check_error_classes(check: Check) -> None:
    """The classes of errors in the table of deviations are those that are counted."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = re.search(r"one of a few classes: `([\w ]+)`", text)[1].split()
    daemon = exporters.redline(check, servers.RedisServer(check).url, "--check-keys=db0=a*")
    series = daemon.page().named("redis_exporter_key_work_errors_total")
    check.equal(sorted(listed), sorted({dict(labels)["class"] for labels in series}), "classes")


def check_counts(check: Check) -> None:
    words = "no one two three four five six seven eight nine ten".split()
    dashboards = len(list((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")))
    for path in (ROOT / "README.md", ROOT / "deploy" / "README.md"):
        check.that(f"{words[dashboards]} dashboards" in path.read_text(encoding="utf-8"),
                   f"{path.name} tells of {words[dashboards]} dashboards")


def check_benchmark(check: Check) -> None:
    """The performance tables are there, with their ratios."""
    table = part(check, "bench")
    check.that(table.count("|") > 20 and "CPU per fresh scrape" in table, "the table that Tests/bench/run prints")
    for name, words in (("scale", "poll lateness p99"), ("failover", "+switch-master to /metrics, p99"),
                        ("rules", "| 1,005 | prometheus |"),
                        ("page", "to the alert at Alertmanager")):
        check.that(words in part(check, name), f"the table that Tests/bench/run --{name} prints")
