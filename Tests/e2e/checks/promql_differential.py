"""A day of a fleet with faults, taken in by Prometheus and by redline: every query gives both the same."""

import json
import subprocess
import urllib.parse

from checks.alert_rules import FILES, rules
from harness import http
from harness.check import Check
from harness.monitoring import Prometheus
from harness.paths import REDLINE, tool
from promql import fleet, replay
from promql.expressions import expressions
from promql.history import LENGTH_SECONDS, STEP_SECONDS, notation, open_metrics

TIMEOUT_SECONDS = 300

START_SECONDS = 1_795_400_000
QUERY_STEP_SECONDS = 300
GENERATED = 250

Matrix = dict[str, list[tuple[float, float]]]


def matrix(result: list[dict]) -> Matrix:
    """The samples by series, each named by its sorted labels."""
    return {json.dumps(series["metric"], sort_keys=True): [(float(time), float(value)) for time, value in series["values"]]
            for series in result}


def of_prometheus(prometheus: Prometheus, expression: str) -> Matrix | str:
    """The answer, or the error."""
    query = urllib.parse.urlencode({"query": expression, "start": START_SECONDS, "step": QUERY_STEP_SECONDS,
                                    "end": int(START_SECONDS + LENGTH_SECONDS)})
    answer = json.loads(http.get(prometheus.port, f"/api/v1/query_range?{query}").text)
    return matrix(answer["data"]["result"]) if answer["status"] == "success" else answer["error"]


def of_redline(path, queries: list[str]) -> list[Matrix | str]:
    told = subprocess.run(
        [str(REDLINE), "query-series", str(path), f"--start={START_SECONDS}", f"--interval={int(STEP_SECONDS)}",
         f"--step={QUERY_STEP_SECONDS}", "--dialect=2.x"],
        input="".join(f"{' '.join(query.split())}\n" for query in queries), capture_output=True, text=True, timeout=120)
    answers = [json.loads(line) for line in told.stdout.splitlines()]
    if len(answers) != len(queries):
        raise AssertionError(f"{len(answers)} answers to {len(queries)} queries: {told.stderr[-2000:]}")
    return [matrix(answer["result"]) if "result" in answer else answer["error"] for answer in answers]


def differences(expected: Matrix | str, seen: Matrix | str) -> str | None:
    if isinstance(expected, str) or isinstance(seen, str):
        both = isinstance(expected, str) and isinstance(seen, str)
        return None if both else f"{str(expected)[:200]} against {str(seen)[:200]}"
    if expected.keys() != seen.keys():
        return (f"missing {sorted(expected.keys() - seen.keys())[:3]}, "
                f"unexpected {sorted(seen.keys() - expected.keys())[:3]}")
    for series, samples in expected.items():
        if [time for time, _ in samples] != [time for time, _ in seen[series]]:
            return f"{series}: {len(samples)} and {len(seen[series])} samples, or at other times"
        for (time, left), (_, right) in zip(samples, seen[series]):
            if not replay.same(left, right):
                return f"{series} at {time}: {left!r} against {right!r}"
    return None


def check_same_as_prometheus(check: Check) -> None:
    series = fleet.history(START_SECONDS)
    plain = check.folder / "day.series"
    plain.write_text("".join(notation(series)), encoding="utf-8")
    # What rules record is a part of the day, for both: rule_replay holds it against Prometheus.
    files = sorted(FILES, key=lambda file: file.name != "objectives.yml")
    series += replay.recorded_series(replay.by_redline(plain, files, 120, START_SECONDS), START_SECONDS)
    day = check.folder / "day.om"
    with open(day, "w", encoding="utf-8") as file:
        file.writelines(open_metrics(series, START_SECONDS))
    plain.write_text("".join(notation(series)), encoding="utf-8")
    blocks = check.folder / "prometheus" / "data"
    made = subprocess.run([tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(day), str(blocks)],
                          capture_output=True, text=True, timeout=120)
    check.equal(made.returncode, 0, f"promtool takes the day in: {made.stderr[-500:]}")
    prometheus = Prometheus(check, "global: {}\n", flags=("--storage.tsdb.retention.time=100y",))

    pack = [rule.expression for rule in rules()]
    queries = pack + expressions(GENERATED)
    expected = [of_prometheus(prometheus, query) for query in queries]
    seen = of_redline(plain, queries)
    check.none([f"{query}: {difference}" for query, one, other in zip(queries, expected, seen)
                if (difference := differences(one, other))], "queries with other results")

    answers = [one for one in expected if not isinstance(one, str)]
    full = [one for one in answers if one]
    changing = [one for one in full if any(len({value for _, value in samples}) > 1 for samples in one.values())]
    check.that(len(answers) >= 200 + len(pack), f"only {len(answers)} queries are valid")
    check.that(len(full) >= 0.9 * len(answers), f"only {len(full)} of {len(answers)} give something")
    check.that(len(changing) >= 0.3 * len(answers), f"only {len(changing)} of {len(answers)} change over the day")
    check.none([f"{rule.name}: {one}" for rule, one in zip(rules(), expected) if isinstance(one, str)],
               "rules that Prometheus has no result for")
    # A query's steps may pass by what lasts shorter.
    empty = [rule.name for rule, one in zip(rules(), expected) if not one]
    check.that(len(empty) <= 0.1 * len(pack), f"rules whose expressions give nothing: {empty}")
