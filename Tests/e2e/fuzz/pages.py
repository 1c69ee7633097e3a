"""Every page of the daemon, asked for again and again, each judged by a reader that is strict."""

import html.parser
import json
import random
import re

from harness import http
from harness.check import Failed
from harness.exposition import Page

from .mutation import MARKS

OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
GZIP = {"Accept-Encoding": "gzip"}
QUERIES = ("up", "redis_up", "sum by (workload) (rate(redis_commands_processed_total[1m]))",
           "count by (__name__) ({__name__=~'.+'})",
           "histogram_quantile(0.99, sum by (le) (rate(redis_exporter_probe_seconds_bucket[1m])))", "ALERTS",
           "max_over_time(redis_memory_used_bytes[1m]) / redis_memory_max_bytes", "-redis_memory_used_bytes * 1e300")
API = ("labels", "label/instance/values", "metadata", "rules", "alerts", "alertmanagers", "targets", "targets/metadata",
       "status/buildinfo", "status/runtimeinfo", "status/config", "status/flags", "status/tsdb", "series?match[]=redis_up")
# Elements that have no end, and those whose end may be left out.
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
OPTIONAL = {"li", "p", "td", "th", "tr", "tbody", "thead", "dt", "dd", "option", "body", "html", "head", "colgroup", "tfoot"}


class Nesting(html.parser.HTMLParser):
    """Fails where an element ends that is not open."""

    def __init__(self):
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        while self.open and self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        if not self.open or self.open.pop() != tag:
            raise Failed(f"</{tag}> ends nothing at line {self.getpos()[0]}")


def read_html(text: str) -> None:
    if marks := [mark for mark in MARKS if mark in text]:
        raise Failed(f"{marks} is in the page as it came")
    if not text.startswith("<!DOCTYPE html>") and not text.startswith("<!doctype html>"):
        raise Failed(f"it begins with {text[:40]!r}")
    nesting = Nesting()
    nesting.feed(text)
    nesting.close()
    if left := [tag for tag in nesting.open if tag not in OPTIONAL]:
        raise Failed(f"{left} have no end")


def no_constant(name: str):
    raise Failed(f"{name} is no JSON")


def read_json(text: str) -> None:
    json.loads(text, parse_constant=no_constant)


def read_text(text: str) -> None:
    Page(text, sums=False)


def read_open_metrics(text: str) -> None:
    """Names that compatibility asks for break rules of OpenMetrics; its frame and its lines are held."""
    if not text.endswith("\n# EOF\n"):
        raise Failed(f"it ends with {text[-40:]!r}")
    line = re.compile(r'(?:# (?:HELP|TYPE|UNIT) [a-zA-Z_:][\w:]* .*|'
                      r'[a-zA-Z_:][\w:]*(?:\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? \S+(?: # \{.*)?)\Z', re.ASCII)
    for each in text[:-7].split("\n"):
        if not line.match(each):
            raise Failed(f"{each[:200]!r}")


def requests(chance: random.Random, addresses: list[str]):
    """Path, headers, how it is read and which statuses are right; without an end, in the order of the list."""
    plain: list = [("/", {}, read_html, (200,)), ("/alerts", {}, read_html, (200,)), ("/events", GZIP, read_html, (200,)),
                   ("/metrics", {}, read_text, (200,)), ("/sd", {}, read_json, (200,)),
                   ("/metrics", OPEN_METRICS, read_open_metrics, (200,)),
                   ("/metrics", GZIP, read_text, (200,)), ("/alerts?state=firing", {}, read_html, (200,)),
                   ("/-/ready", {}, str, (200,)), ("/runbooks", {}, read_html, (200,))]
    api = [(f"/api/v1/{path}", {}, read_json, (200,)) for path in API]
    while True:
        for path in plain:
            yield path
            for _ in range(4):
                yield f"/node/{chance.choice(addresses)}", chance.choice(({}, GZIP)), read_html, (200, 404)
            yield chance.choice(api)
            yield query(chance)
            # A server of many oddities is scraped with work on keys; what it says is not to be believed, the page is.
            target = chance.choice(addresses)
            yield f"/scrape?target={target}&check-keys=*&check-streams=jobs&count-keys=lock:*", {}, read_text, (200,)


def query(chance: random.Random):
    text = http_quoted(chance.choice(QUERIES))
    if chance.random() < 0.5:
        return f"/api/v1/query?query={text}", {}, read_json, (200, 422, 503)
    return f"/api/v1/query_range?query={text}&start=0&end=1&step=1", {}, read_json, (200, 400, 422, 503)


def http_quoted(text: str) -> str:
    return "".join(one if one.isalnum() else "".join(f"%{byte:02X}" for byte in one.encode()) for one in text)


def ask(port: int, path: str, headers: dict, read, statuses: tuple[int, ...], seconds: float) -> tuple[float, str | None]:
    """How long the page took, and what is wrong with it. Runs in a process of its own: reading takes longer than asking."""
    try:
        response = http.get(port, path, headers=headers, seconds=seconds)
    except ConnectionRefusedError:
        return 0, "refused"
    except OSError as error:
        return seconds, f"{path}: {error!r}"
    if response.status not in statuses:
        return response.seconds, f"{path}: {response.status} {response.body[:300]!r}"
    if response.seconds > seconds:
        return response.seconds, f"{path} took {response.seconds:.1f} s"
    try:
        if response.status == 200:
            read(response.text)
    except (Failed, ValueError, RecursionError) as error:
        return response.seconds, f"{path} {headers}: {error}"
    return response.seconds, None
