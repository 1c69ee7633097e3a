"""Queries made to take all memory and time: each ends with an error that says why, and nothing goes on after it."""

import concurrent.futures
import json
import time
import urllib.parse

from harness.captured import Captured, static, watching
from harness.check import Check
from harness.exporters import Exporter

TIMEOUT_SECONDS = 120
# What the daemon may come to hold, rules, pages and all: its unit allows 512 MiB.
RESIDENT_BYTES = 450 << 20
ALL = '{__name__=~".+"}'


def started(check: Check) -> Exporter:
    """A daemon that has some hundred series."""
    server = Captured(check)
    exporter = watching(check, static("w", server), more="history: {retention: 10m, memory_mb: 64}")
    check.until(lambda: count(exporter) > 300, 30, "series are there")
    return exporter


def count(exporter: Exporter) -> float:
    result = json.loads(ask(exporter, f"count({ALL})")[1]).get("data", {}).get("result", [])
    return float(result[0]["value"][1]) if result else 0


def ask(exporter: Exporter, query: str, path: str = "query", **more) -> tuple[int, bytes, float]:
    body = urllib.parse.urlencode({"query": query} | more).encode()
    response = exporter.get(f"/api/v1/{path}", method="POST", body=body, seconds=60,
                            headers={"Content-Type": "application/x-www-form-urlencoded"})
    return response.status, response.body, response.seconds


def nested(count: int, inner: str, opening: str, closing: str) -> str:
    return opening * count + inner + closing * count


def check_labels_that_grow(check: Check) -> None:
    """The value of a label that doubles with each call ends where values are long enough."""
    exporter = started(check)
    before = exporter.rss_bytes()
    seed = 'label_replace(vector(1),"a","xxxxxxxxxxxxxxxx","","")'
    for query, function in (
            (nested(60, seed, "label_join(", ',"a","","a","a")'), "label_join"),
            (nested(60, seed, "label_replace(", ',"a","$1$1","a","(.*)")'), "label_replace"),
            (nested(4, seed, "label_replace(", ',"a","' + "$1" * 2000 + '","a","(.*)")'), "label_replace"),
            (nested(40, ALL, "label_join(", ',"a","","a","a","__name__","__name__")'), "label_join")):
        status, body, seconds = ask(exporter, query)
        check.equal(status, 422, f"the status of {query[:60]}…")
        check.that(function in body.decode() and "longer than 65536 bytes" in body.decode(), f"the error is {body[:300]!r}")
        check.that(seconds < 5, f"it took {seconds:.1f} s")
    grown = exporter.rss_bytes() - before
    check.that(grown < 100 << 20, f"they took {grown >> 20} MiB")
    status, body, _ = ask(exporter, 'label_replace(vector(1),"a","' + "x" * 1000 + '","","")')
    check.equal(status, 200, f"a value of 1,000 bytes: {body[:200]!r}")


def check_queries_that_take_memory(check: Check) -> None:
    """What a query holds is counted, and what all of them hold together."""
    exporter = started(check)
    # Doubled to 61,440 bytes.
    long = nested(12, f'label_replace({ALL},"a","xxxxxxxxxxxxxxx","","")', "label_join(", ',"a","","a","a")')
    rows = " or ".join(f'label_replace({long},"b","{number}","","")' for number in range(30))
    status, body, _ = ask(exporter, rows)
    check.equal(status, 422, "the status of one query that takes too much")
    check.that(b"128 MiB at a time" in body, f"the error is {body[:300]!r}")
    now = time.time()
    bombs = [(rows, "query", {}), (f"{ALL} * on() group_left() vector(1) or " + rows, "query", {}),
             (f"quantile by (__name__) (0.5, {ALL}) or {long}", "query_range", {"start": now - 10000, "end": now, "step": 1}),
             (f"count_values(\"x\", {ALL} + on() group_left() vector(time()))", "query_range",
              {"start": now - 10000, "end": now, "step": 1})]
    peak = 0
    # Three floods: what one leaves behind must not be there when the next one comes.
    for flood in (bombs * 10, bombs[:1] * 40, bombs * 10):
        peak = max(peak, flooded(check, exporter, flood))
    check.that(peak < RESIDENT_BYTES, f"they took {peak >> 20} MiB")
    nothing_goes_on(check, exporter)
    check.equal(ask(exporter, f"count({ALL})")[0], 200, "an honest query afterwards")


def flooded(check: Check, exporter: Exporter, queries: list[tuple[str, str, dict]]) -> int:
    """Asks all at once; the most resident memory meanwhile, in bytes."""
    peak = 0
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        running = [pool.submit(ask, exporter, query, path, timeout="5s", **more) for query, path, more in queries]
        while not all(one.done() for one in running):
            peak = max(peak, exporter.rss_bytes())
            check.equal(exporter.get("/-/healthy").status, 200, "the daemon is well meanwhile")
            time.sleep(0.1)
        statuses = {one.result()[0] for one in running}
    check.that(statuses <= {200, 422, 503}, f"the answers are {statuses}")
    return peak


def check_queries_that_take_time(check: Check) -> None:
    """The deadline ends a query in the middle of its work."""
    exporter = started(check)
    now = time.time()
    ranges = {"start": now - 1000, "end": now, "step": 0.1}
    for query, path, more in (
            (" or ".join(f'label_replace({ALL},"x","{number}","","")' for number in range(200)), "query", {}),
            (nested(12, ALL, "label_replace(", ',"a","$1","__name__","(a*)*(b*)*(.*)")'), "query_range", ranges),
            (f"topk(5, {ALL} + on() group_left() vector(time()))", "query_range", ranges),
            (nested(3, "vector(time())", "sum_over_time(", "[1h:1s])"), "query_range", ranges)):
        status, body, seconds = ask(exporter, query, path, timeout="1s", **more)
        check.that(status in (200, 422, 503), f"the status of {query[:60]}… is {status}: {body[:200]!r}")
        check.that(seconds < 4, f"{query[:60]}… took {seconds:.1f} s")
        nothing_goes_on(check, exporter)


def nothing_goes_on(check: Check, exporter: Exporter) -> None:
    def is_quiet() -> bool:
        before = exporter.cpu_seconds()
        time.sleep(0.5)
        return exporter.cpu_seconds() - before < 0.25

    check.until(is_quiet, 10, "the daemon is quiet again")
