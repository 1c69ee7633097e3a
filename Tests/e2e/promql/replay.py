"""The same rules over the same samples, evaluation by evaluation: in Debian's promtool and in redline."""

import json
import math
import pathlib
import re
import subprocess

from harness.paths import REDLINE, tool

from .history import LENGTH_SECONDS, STEP_SECONDS, Series, Signal, values_text

RELATIVE = 1e-9
# What rules give: recorded series, whose names have colons but for one that is known by its old name, and alerts.
RECORDED = '{__name__=~"ALERTS|ALERTS_FOR_STATE|.+:.+|redis_memory_fragmentation_ratio"}'
LABEL = re.compile(r'(\w+)="([^"]*)"')

# By the time in seconds, and then by the labels in one notation.
Evaluations = dict[int, dict[str, float]]


def same(left: float, right: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return math.isnan(left) and math.isnan(right)
    return left == right or math.isclose(left, right, rel_tol=RELATIVE, abs_tol=1e-12)


def group_names(files: list[pathlib.Path]) -> list[str]:
    """In their order: promtool takes groups that no list names in any."""
    return [name for file in files
            for name in re.findall(r"^- name: (\S+)$", file.read_text(encoding="utf-8"), re.MULTILINE)]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def unit_test(files: list[pathlib.Path], series: list[Series], length_seconds: float, step_seconds: float) -> str:
    """A test that expects nothing at any evaluation, so that promtool says what there is."""
    step = int(step_seconds)
    lines = ["rule_files:", *(f"- {file}" for file in files), f"evaluation_interval: {step}s",
             f"group_eval_order: [{', '.join(group_names(files))}]", "tests:", f"- interval: {step}s", "  input_series:"]
    for one in series:
        lines += [f"  - series: {quoted(one.text())}", f"    values: '{values_text(one, length_seconds, step_seconds)}'"]
    lines.append("  promql_expr_test:")
    for seconds in range(0, int(length_seconds) + 1, step):
        lines.append(f"  - {{expr: {quoted(RECORDED)}, eval_time: {seconds}s}}")
    return "\n".join(lines) + "\n"


def by_promtool(folder: pathlib.Path, files: list[pathlib.Path], series: list[Series], seconds: float,
                length_seconds: float = LENGTH_SECONDS, step_seconds: float = STEP_SECONDS) -> Evaluations:
    """What Prometheus' own rule engine gives from 1970 on, as it tells of it in what it got against expectation."""
    path = folder / "replay.test.yml"
    path.write_text(unit_test(files, series, length_seconds, step_seconds), encoding="utf-8")
    told = subprocess.run([tool("promtool"), "test", "rules", str(path)], capture_output=True, text=True, timeout=seconds)
    found: Evaluations = {}
    for time, got in re.findall(r"^ *expr: .*, time: (\S+?),\n *exp: nil\n *got: (.*)$", told.stdout + told.stderr,
                                re.MULTILINE):
        parts = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", time).groups()
        days, hours, minutes, rest = (int(part or 0) for part in parts)
        found[days * 86400 + hours * 3600 + minutes * 60 + rest] = {
            json.dumps(dict(LABEL.findall(labels)), sort_keys=True): float(value)
            for labels, value in re.findall(r"(\{[^}]*\}) ([^\s,]+)", got)}
    if not found:
        raise AssertionError(f"promtool exits with {told.returncode}: {(told.stdout + told.stderr)[:3000]}")
    return found


def by_redline(plain: pathlib.Path, files: list[pathlib.Path], seconds: float, start_seconds: int = 0,
               step_seconds: float = STEP_SECONDS) -> list[dict]:
    """The recorded series, each a `metric` and its `values` at every evaluation."""
    told = subprocess.run(
        [str(REDLINE), "query-series", str(plain), f"--start={start_seconds}", f"--interval={int(step_seconds)}",
         f"--step={int(step_seconds)}", "--dialect=2.x", *(f"--rules={file}" for file in files)],
        input=f"{RECORDED}\n", capture_output=True, text=True, timeout=seconds)
    if told.returncode != 0:
        raise AssertionError(f"redline exits with {told.returncode}: {told.stderr[-2000:]}")
    answer = json.loads(told.stdout)
    if "error" in answer:
        raise AssertionError(answer["error"])
    return answer["result"]


def evaluations(matrix: list[dict], until: float) -> Evaluations:
    found: Evaluations = {}
    for series in matrix:
        name = json.dumps(series["metric"], sort_keys=True)
        for time, value in series["values"]:
            if time <= until:
                found.setdefault(int(time), {})[name] = float(value)
    return found


def differences(expected: Evaluations, seen: Evaluations) -> list[str]:
    complaints = []
    for time in sorted(expected.keys() | seen.keys()):
        left, right = expected.get(time, {}), seen.get(time, {})
        complaints += [f"at {time} s only promtool has {name}" for name in sorted(left.keys() - right.keys())]
        complaints += [f"at {time} s only redline has {name}" for name in sorted(right.keys() - left.keys())]
        complaints += [f"at {time} s {name}: {value!r} against {right[name]!r}" for name, value in left.items()
                       if name in right and not same(value, right[name])]
    return complaints


def recorded_series(matrix: list[dict], start_seconds: int) -> list[Series]:
    """What redline recorded, as series of their own: with them every rule's expression finds what it asks for."""
    def signal(values: dict[int, float]) -> Signal:
        return lambda seconds: values.get(start_seconds + int(seconds))

    return [Series(one["metric"]["__name__"], {name: value for name, value in one["metric"].items() if name != "__name__"},
                   signal({int(time): float(value) for time, value in one["values"]})) for one in matrix]


def firing(found: Evaluations) -> set[str]:
    """The labels of every alert that fires at some time."""
    return {name for samples in found.values() for name in samples if '"alertstate": "firing"' in name}
