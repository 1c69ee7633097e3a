"""The expressions of the rule pack over 15 and over 1,000 nodes, in Redline, Prometheus and VictoriaMetrics.

    Tests/bench/run --rules [--copies N] [--evaluations N]

All get the same series with the same times: 26 hours of a small fleet with faults, and the last of these hours of many
such fleets, what rules record among them. Each expression is counted, so that every answer is one number and the
answers can be compared; what as many queries of a constant cost over HTTP is taken off. vmalert is measured as it works:
its own CPU and that of VictoriaMetrics, for one evaluation of all groups
and for taking in what they record. Prints progress on standard error and Markdown
tables on standard output.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from checks.alert_rules import FILES, rules  # noqa: E402
from harness import http  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.monitoring import Prometheus, Receiver  # noqa: E402
from harness.paths import REDLINE, tool  # noqa: E402
from harness.process import Process  # noqa: E402
from measure import cpu_seconds, progress, table, verdict  # noqa: E402
from promql import fleet, replay  # noqa: E402
from promql.history import LENGTH_SECONDS, STEP_SECONDS, Series, notation, number  # noqa: E402

STEP = int(STEP_SECONDS)
VMALERT_INTERVAL_SECONDS = 5
VMALERT_SECONDS = 20
BYTES_PER_SAMPLE = 2


@dataclasses.dataclass(frozen=True)
class Rows:
    """One series by its labels and its values, None where there is no sample."""
    labels: dict[str, str]
    values: list[float | None]

    @property
    def text(self) -> str:
        pairs = ",".join(f'{name}="{value}"' for name, value in self.labels.items() if name != "__name__")
        return f"{self.labels['__name__']}{{{pairs}}}"


@dataclasses.dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    bytes_per_sample: float
    values: list[float]


def day(folder: pathlib.Path, start_seconds: int) -> list[Series]:
    """The fleet and what the rules record of it."""
    series = fleet.history(start_seconds)
    plain = folder / "fleet.series"
    plain.write_text("".join(notation(series)), encoding="utf-8")
    files = sorted(FILES, key=lambda file: file.name != "objectives.yml")
    recorded = replay.by_redline(plain, files, 120, start_seconds)
    return series + replay.recorded_series(recorded, start_seconds)


def rows(series: list[Series], copies: int, first_index: int) -> list[Rows]:
    """Copies of a fleet that differ in their environment, or in the instance where they have none."""
    found = []
    for one in series:
        values = [one.signal(index * STEP) for index in range(first_index, int(LENGTH_SECONDS / STEP) + 1)]
        if all(value is None for value in values):
            continue
        changed = "environment" if "environment" in one.labels else "instance"
        if copies == 1 or changed not in one.labels:
            found.append(Rows({"__name__": one.name} | one.labels, values))
            continue
        found += [Rows({"__name__": one.name} | one.labels | {changed: f"{one.labels[changed]}-{copy}"}, values)
                  for copy in range(copies)]
    return sorted(found, key=lambda one: one.labels["__name__"])


def write_plain(path: pathlib.Path, all_rows: list[Rows]) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for one in all_rows:
            file.write(f"{one.text} {' '.join('_' if value is None else number(value) for value in one.values)}\n")


def write_open_metrics(path: pathlib.Path, all_rows: list[Rows], start_seconds: int) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for one in all_rows:
            file.writelines(f"{one.text} {number(value)} {start_seconds + STEP * index}\n"
                            for index, value in enumerate(one.values) if value is not None)
        file.write("# EOF\n")


def import_lines(all_rows: list[Rows], start_seconds: int) -> bytes:
    lines = []
    for one in all_rows:
        pairs = [(index, value) for index, value in enumerate(one.values) if value is not None]
        lines.append(json.dumps({"metric": one.labels, "values": [value for _, value in pairs],
                                 "timestamps": [1000 * (start_seconds + STEP * index) for index, _ in pairs]}))
    return ("\n".join(lines) + "\n").encode()


class Api:
    """A server with Prometheus' API, and what its answers cost."""

    def __init__(self, port: int, pid: int):
        self.port, self.pid = port, pid

    def value(self, query: str, at: int) -> float:
        text = urllib.parse.urlencode({"query": query, "time": at, "nocache": 1})
        answer = json.loads(http.get(self.port, f"/api/v1/query?{text}").text)
        if answer["status"] != "success":
            raise AssertionError(f"{query}: {answer['error']}")
        return float(answer["data"]["result"][0]["value"][1]) if answer["data"]["result"] else math.nan

    def round(self, queries: list[str], at: int, count: int) -> tuple[float, list[float]]:
        """CPU seconds of one round, and the answers."""
        values = [self.value(query, at) for query in queries]
        before = cpu_seconds(self.pid)
        for _ in range(count):
            for query in queries:
                self.value(query, at)
        return (cpu_seconds(self.pid) - before) / count, values

    def cost(self, queries: list[str], at: int, count: int) -> tuple[float, list[float]]:
        overhead, _ = self.round(["count(vector(1))"] * len(queries), at, count)
        whole, values = self.round(queries, at, count)
        return whole - overhead, values


def of_redline(path: pathlib.Path, queries: list[str], start_seconds: int, at: int, count: int) -> tuple[Cost, dict]:
    told = subprocess.run(
        [str(REDLINE), "bench-queries", str(path), f"--start={start_seconds}", f"--interval={STEP}", f"--time={at}",
         f"--count={count}"], input="".join(f"{query}\n" for query in queries), capture_output=True, text=True, timeout=300)
    if told.returncode != 0:
        raise AssertionError(told.stderr[-2000:])
    size = json.loads(told.stdout)
    cost = Cost(size["cpu_seconds"], size["sample_bytes"] / size["samples"], [float(value) for value in size["values"]])
    return cost, size


def of_prometheus(check: Check, all_rows: list[Rows], queries: list[str], start_seconds: int, at: int, count: int,
                  sample_count: int) -> Cost:
    path, blocks = check.folder / "series.om", check.folder / "prometheus" / "data"
    write_open_metrics(path, all_rows, start_seconds)
    subprocess.run([tool("promtool"), "tsdb", "create-blocks-from", "openmetrics", str(path), str(blocks)],
                   capture_output=True, check=True, timeout=600)
    path.unlink()
    chunks = sum(file.stat().st_size for file in blocks.glob("*/chunks/*"))
    server = Prometheus(check, "global: {}\n", flags=("--storage.tsdb.retention.time=100y",))
    seconds, values = Api(server.port, server.pid).cost(queries, at, count)
    server.stop()
    return Cost(seconds, chunks / sample_count, values)


def of_victoria(check: Check, all_rows: list[Rows], queries: list[str], start_seconds: int, at: int, count: int,
                sample_count: int) -> tuple[Cost, Cost]:
    port = check.free_port()
    data = check.folder / "victoria"
    server = Process(check, "victoria-metrics", [
        tool("victoria-metrics"), f"-storageDataPath={data}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=1"])
    check.until(lambda: http.get(port, "/health").status == 200, 20, "VictoriaMetrics answers")
    for first in range(0, len(all_rows), 5000):
        answer = http.get(port, "/api/v1/import", "POST", {}, import_lines(all_rows[first:first + 5000], start_seconds))
        check.that(answer.status < 300, f"VictoriaMetrics takes series: {answer.status} {answer.text[:500]}")
    http.get(port, "/internal/force_flush")
    api = Api(port, server.pid)
    alive = sum(one.values[-1] is not None for one in all_rows)
    check.until(lambda: api.value("count({__name__!=''})", at) >= alive, 60, "the import can be read")
    http.get(port, "/internal/force_merge")
    time.sleep(5)
    stored = sum(file.stat().st_size for file in (data / "data").rglob("*") if file.is_file())
    seconds, values = api.cost(queries, at, count)
    query_cost = Cost(seconds, stored / sample_count, values)
    return query_cost, of_vmalert(check, server, port, at)


def of_vmalert(check: Check, server: Process, port: int, at: int) -> Cost:
    """CPU of both for one evaluation of all groups, as vmalert does them."""
    folder = check.folder / "rules"
    folder.mkdir()
    for file in FILES:
        # All groups at one pace; and Debian's vmalert is older than keep_firing_for.
        text = re.sub(r"^ +keep_firing_for: .*\n|^  interval: .*\n", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        (folder / file.name).write_text(text, encoding="utf-8")
    receiver = Receiver(check)
    begun = int(time.time())
    alert = Process(check, "vmalert", [
        tool("vmalert"), f"-rule={folder}/*.yml", f"-datasource.url=http://127.0.0.1:{port}",
        f"-remoteWrite.url=http://127.0.0.1:{port}", f"-httpListenAddr=127.0.0.1:{check.free_port()}", f"-notifier.url={receiver.url.rstrip('/')}",
        f"-evaluationInterval={VMALERT_INTERVAL_SECONDS}s", f"-datasource.lookback={begun - at + VMALERT_SECONDS}s"])
    # Groups begin at random within the first interval.
    time.sleep(2 * VMALERT_INTERVAL_SECONDS)
    before, clock = cpu_seconds(alert.pid) + cpu_seconds(server.pid), time.monotonic()
    time.sleep(VMALERT_SECONDS)
    used = cpu_seconds(alert.pid) + cpu_seconds(server.pid) - before
    check.that(alert.child.poll() is None, f"vmalert works: {alert.output()[-1000:]}")
    return Cost(used / ((time.monotonic() - clock) / VMALERT_INTERVAL_SECONDS), math.nan, [])


def equal_share(left: list[float], right: list[float]) -> str:
    return f"{sum(replay.same(one, other) for one, other in zip(left, right))} of {len(left)}"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


def measure(check: Check, nodes: int, series: list[Series], start_seconds: int, copies: int, first_index: int,
            count: int) -> list[list[str]]:
    # JSON, in which VictoriaMetrics takes series, has no infinity: what holds one is left out for all.
    all_rows = [one for one in rows(series, copies, first_index)
                if all(value is None or math.isfinite(value) for value in one.values)]
    start, at = start_seconds + first_index * STEP, start_seconds + int(LENGTH_SECONDS)
    sample_count = sum(value is not None for one in all_rows for value in one.values)
    queries = [" ".join(f"count({rule.expression})".split()) for rule in rules()]
    progress(f"{nodes} nodes: {len(all_rows)} series, {sample_count} samples, {len(queries)} expressions")
    plain = check.folder / "rows.series"
    write_plain(plain, all_rows)
    ours, size = of_redline(plain, queries, start, at, count)
    check.equal(size["samples"], sample_count, "samples that redline holds")
    progress(f"  redline {milliseconds(ours.cpu_seconds)}")
    theirs = of_prometheus(check, all_rows, queries, start, at, count, sample_count)
    progress(f"  prometheus {milliseconds(theirs.cpu_seconds)}")
    victoria, alert = of_victoria(check, all_rows, queries, start, at, count, sample_count)
    progress(f"  victoria-metrics {milliseconds(victoria.cpu_seconds)}, with vmalert {milliseconds(alert.cpu_seconds)}")
    check.equal(equal_share(theirs.values, ours.values), f"{len(queries)} of {len(queries)}", "answers as Prometheus has them")

    def row(name: str, cost: Cost, answers: str) -> list[str]:
        stored = "" if math.isnan(cost.bytes_per_sample) else f"{cost.bytes_per_sample:.2f}"
        return [f"{nodes:,}", name, milliseconds(cost.cpu_seconds), f"{ours.cpu_seconds / cost.cpu_seconds:.2f}", stored, answers]

    whole = (size["sample_bytes"] + size["index_bytes"]) / sample_count
    return [
        row("redline", ours, "") + [f"CPU <= Prometheus: {verdict(ours.cpu_seconds <= theirs.cpu_seconds)}; "
                                    f"<= {BYTES_PER_SAMPLE} bytes: {verdict(ours.bytes_per_sample <= BYTES_PER_SAMPLE)}; "
                                    f"{whole:.2f} with labels and index of {len(all_rows):,} series"],
        row("prometheus", theirs, equal_share(theirs.values, ours.values)) + [""],
        row("victoria-metrics", victoria, equal_share(victoria.values, ours.values)) + [""],
        row("vmalert + victoria-metrics", alert, "") + ["its requests, JSON and what it records included"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=67, help="fleets of 15 nodes in the second part; 0 leaves it out")
    parser.add_argument("--evaluations", type=int, default=10, help="rounds that are measured")
    arguments = parser.parse_args()
    start_seconds = (int(time.time() - LENGTH_SECONDS) // STEP - 1) * STEP
    whole_hours = int((LENGTH_SECONDS - 3600) / STEP)
    parts = [(1, 0, arguments.evaluations)]
    if arguments.copies:
        parts.append((arguments.copies, whole_hours, max(2, arguments.evaluations // 3)))
    found = []
    for copies, first_index, count in parts:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-bench-rules-"))
        check = Check(folder)
        try:
            with contextlib.closing(check.closing):
                series = day(folder, start_seconds)
                found += measure(check, 15 * copies, series, start_seconds, copies, first_index, count)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(["nodes", "evaluator", "CPU per evaluation", "redline / it", "bytes per sample", "same answers", "target"],
                found))


if __name__ == "__main__":
    main()
