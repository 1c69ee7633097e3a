"""The instruments: a strict parser that refuses what Prometheus would, a comparison that sees each kind of loss."""

from harness.check import Check, Failed
from harness.comparison import Comparison
from harness.exposition import Page
from harness.fake_alertmanager import seconds

HEAD = "# HELP redis_a A level.\n# TYPE redis_a gauge\n"
HISTOGRAM = "# HELP h Times.\n# TYPE h histogram\n"

REFUSED = {
    "no newline at the end": HEAD + "redis_a 1",
    "a sample without a family": "redis_a 1\n",
    "a type twice": HEAD + "# TYPE redis_a gauge\nredis_a 1\n",
    "a family in two places": HEAD + "redis_a 1\n# HELP b B.\n# TYPE b gauge\nb 1\n" + HEAD + "redis_a{x=\"1\"} 1\n",
    "a series twice": HEAD + 'redis_a{x="1",y="2"} 1\nredis_a{y="2",x="1"} 2\n',
    "a label twice": HEAD + 'redis_a{x="1",x="2"} 1\n',
    "an open quote": HEAD + 'redis_a{x="1} 1\n',
    "a bad escape": HEAD + 'redis_a{x="\\t"} 1\n',
    "a raw newline in a label": HEAD + 'redis_a{x="a\nb"} 1\n',
    "a bad label name": HEAD + 'redis_a{1x="a"} 1\n',
    "no value": HEAD + "redis_a\n",
    "no number": HEAD + "redis_a ok\n",
    "two values": HEAD + "redis_a 1 2 3\n",
    "an unknown type": "# HELP redis_a A.\n# TYPE redis_a level\nredis_a 1\n",
    "an empty line": HEAD + "\nredis_a 1\n",
    "shrinking buckets": HISTOGRAM + 'h_bucket{le="1"} 3\nh_bucket{le="+Inf"} 2\nh_sum 1\nh_count 2\n',
    "no +Inf": HISTOGRAM + 'h_bucket{le="1"} 3\nh_sum 1\nh_count 3\n',
    "+Inf that is not the count": HISTOGRAM + 'h_bucket{le="+Inf"} 2\nh_sum 1\nh_count 3\n',
    "no sum": HISTOGRAM + 'h_bucket{le="+Inf"} 2\nh_count 2\n',
}


def check_parser_refuses(check: Check) -> None:
    for text, page in REFUSED.items():
        try:
            Page(page)
        except Failed:
            continue
        check.that(False, f"the parser accepts {text}")


def check_parser_reads(check: Check) -> None:
    page = Page(HEAD + 'redis_a{x="q\\"b\\\\n\\nl,}",y="ключ"} 1.5e+06\nredis_a NaN\nredis_a{x=""} -Inf\n')
    check.equal(page.value("redis_a", x='q"b\\n\nl,}', y="ключ"), 1.5e6, "a value behind escapes")
    check.equal(page.value("redis_a", x=""), float("-inf"), "-Inf")


def check_times_are_read(check: Check) -> None:
    """With whole seconds as well, which come once in a thousand times."""
    for text, fraction in (("", 0), (".5", 0.5), (".063", 0.063), (".123456789", 0.123456)):
        check.equal(round(seconds(f"2026-11-29T01:02:03{text}Z"), 6), 1795914123 + fraction, f"a time with '{text}'")


def family(name: str, kind: str, *samples: str) -> str:
    return f"# HELP {name} A true sentence.\n# TYPE {name} {kind}\n" + "".join(f"{sample}\n" for sample in samples)


THEIRS = family("redis_blocked_clients", "gauge", "redis_blocked_clients 2") + family(
    "redis_commands_total", "counter", 'redis_commands_total{cmd="get"} 100', 'redis_commands_total{cmd="brpop"} 7')


def check_comparison_sees(check: Check) -> None:
    comparison, theirs = Comparison(), Page(THEIRS)
    check.equal(comparison.complaints(Page(THEIRS), theirs), [], "complaints about the same page")
    moving = THEIRS.replace('"get"} 100', '"get"} 150')
    check.equal(comparison.complaints(Page(moving), theirs), [], "complaints about an exporter's own commands")
    for text, change in {
        "a missing family": ("redis_blocked_clients", "redis_other"), "another type": ("clients gauge", "clients counter"),
        "another value": ("clients 2\n", "clients 3\n"), "another label value": ('cmd="brpop"', 'cmd="BRPOP"'),
        "another label name": ("{cmd=", "{command="), "one moving series beyond its bound": ('"get"} 100', '"get"} 100000'),
        "a command that no exporter sends": ('"brpop"} 7', '"brpop"} 8'),
    }.items():
        check.that(bool(comparison.complaints(Page(THEIRS.replace(*change)), theirs)), f"the comparison misses {text}")


def check_missing_list_may_only_shrink(check: Check) -> None:
    comparison = Comparison()
    comparison.missing = {"redis_blocked_clients"}
    ours = THEIRS.replace("redis_blocked_clients", "redis_other")
    check.equal(comparison.complaints(Page(ours), Page(THEIRS)), [], "complaints about a listed family")
    check.that(bool(comparison.complaints(Page(THEIRS), Page(THEIRS))), "a listed family that is present goes unnoticed")


def check_tables_are_whole(check: Check) -> None:
    """Every bound is a number that allows some movement; reading the tables checks their columns."""
    comparison = Comparison()
    check.that(len(comparison.bounds) > 40, "self_moving.tsv is nearly empty")
    for bound in comparison.bounds:
        check.that(bound.absolute >= 0 and 0 <= bound.relative <= 1, f"the bound of {bound.series}")
        check.that(bound.absolute > 0 or bound.relative > 0, f"{bound.series} is listed and may not move")
