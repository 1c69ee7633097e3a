"""Prometheus' HTTP API: what its own clients get from Redline, beside what they get from Prometheus."""

import base64
import contextlib
import gzip
import json
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse

from checks.alert_rules import rules as shipped_rules
from harness import http, servers
from harness.check import Check
from harness.judging import HASTY, Judge, workload
from harness.monitoring import Prometheus
from harness.paths import tool

TIMEOUT_SECONDS = 150

RULES = """
groups:
  - name: api
    interval: 1s
    rules:
      - record: redline:clients
        expr: sum(redis_connected_clients)
        labels: {team: "a<b>&\\"c\\""}
      - alert: AlwaysUp
        expr: redis_up == 1
        labels: {severity: page}
        annotations: {summary: "{{ $labels.instance }} is <b>up</b> & \\"well\\""}
      - alert: NeverUp
        expr: redis_up == 7
        for: 10m
      - alert: SoonUp
        expr: redis_up == 1
        for: 1h
        keep_firing_for: 5m
  - name: broken
    interval: 1s
    rules:
      - record: redline:broken
        expr: redis_up + on() {__name__=~"redis_(up|connected_clients)"}
"""


class Pair:
    """Redline with rules and a history, and a Prometheus that scrapes it and judges by the same rules."""

    def __init__(self, check: Check, history: str = "history: {retention: 1h}\n", *flags: str, environment=None,
                 with_peer: bool = True):
        self.check = check
        self.server = servers.RedisServer(check)
        self.judge = Judge(check, [workload(self.server)], RULES, name=f"redline-{self.server.port}",
                           settings=f"{HASTY}, dialect: 2.x", more=history, flags=flags, environment=environment)
        self.start()
        self.peer = None
        if with_peer:
            self.peer = Prometheus(check, (
                f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{self.judge.rules}']\n"
                "scrape_configs:\n  - job_name: redline\n    honor_labels: true\n    static_configs:\n"
                f"      - targets: ['127.0.0.1:{self.redline.port}']\n"))

    def start(self) -> None:
        self.redline = self.judge.start().process

    def ask(self, port: int, path: str, method: str = "GET", **parameters) -> tuple[int, dict]:
        pairs = [(name.replace("__", "[]"), one) for name, value in parameters.items()
                 for one in (value if isinstance(value, list) else [value])]
        form = urllib.parse.urlencode(pairs)
        if method == "POST":
            response = http.get(port, f"/api/v1/{path}", "POST",
                                {"Content-Type": "application/x-www-form-urlencoded"}, form.encode())
        else:
            # Longer than a query may wait and work.
            response = http.get(port, f"/api/v1/{path}" + (f"?{form}" if form else ""), seconds=30)
        return response.status, json.loads(response.text)

    def good(self, path: str, **parameters):
        status, answer = self.ask(self.redline.port, path, **parameters)
        self.check.equal((status, answer["status"]), (200, "success"), f"{path} {parameters}: {answer}")
        return answer["data"]

    def both(self, path: str, **parameters) -> tuple[tuple[int, dict], tuple[int, dict]]:
        return (self.ask(self.redline.port, path, **parameters), self.ask(self.peer.port, path, **parameters))

    def wait(self) -> None:
        """Until both have judged."""
        for port in [self.redline.port] + ([self.peer.port] if self.peer else []):
            self.check.until(lambda: self.states(port) == {"firing", "inactive", "pending"}, 30,
                             f"the rules of port {port} are judged")
            self.check.until(lambda: self.is_broken_known(port), 30, f"port {port} knows the rule that cannot work")

    def is_broken_known(self, port: int) -> bool:
        groups = self.ask(port, "rules", type="record")[1]["data"]["groups"]
        return any(rule["health"] == "err" for group in groups for rule in group["rules"])

    def states(self, port: int) -> set[str]:
        groups = self.ask(port, "rules")[1]["data"]["groups"]
        return {rule["state"] for group in groups for rule in group["rules"] if rule["type"] == "alerting"}


def shape(value, depth: int = 12):
    """Keys and types; of a list the shapes that occur in it."""
    if isinstance(value, dict):
        return {name: shape(one, depth - 1) for name, one in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(one, depth - 1), sort_keys=True) for one in value})
    return {int: "number", float: "number"}.get(type(value), type(value).__name__)


def check_answers_have_prometheus_shape(check: Check) -> None:
    pair = Pair(check)
    pair.wait()
    now = time.time()
    for path, parameters in (
            ("query", {"query": "redis_up"}), ("query", {"query": "redis_up", "time": f"{now:.3f}"}),
            ("query", {"query": "1"}), ("query", {"query": "'x'"}), ("query", {"query": "redis_up[5s]"}),
            ("query", {"query": "nothing"}), ("query", {"query": "ALERTS"}),
            ("query_range", {"query": "redis_up", "start": f"{now - 3:.3f}", "end": f"{now:.3f}", "step": "1"}),
            ("query_range", {"query": "1", "start": f"{now - 3:.3f}", "end": f"{now:.3f}", "step": "1s"}),
            ("query_range", {"query": "nothing", "start": f"{now - 3:.3f}", "end": f"{now:.3f}", "step": "1s"}),
            ("series", {"match__": "redis_up"}), ("series", {"match__": ["redis_up", "redline:clients"]}),
            ("labels", {}), ("labels", {"match__": "redline:clients"}), ("label/instance/values", {}),
            ("label/nothing/values", {}), ("label/__name__/values", {"match__": "redis_up"}),
            ("metadata", {"metric": "nothing"}), ("alertmanagers", {}), ("query_exemplars", {
                "query": "redis_up", "start": f"{now - 3:.3f}", "end": f"{now:.3f}"}),
            ("format_query", {"query": "sum  by(job)(x)"}), ("targets/metadata", {"metric": "redis_up"}),
            ("targets/metadata", {"match_target": '{job="redline"}', "limit": "3"}),
            ("targets/metadata", {"metric": "nothing"}),
            ("series", {"match__": "redis_up", "end": f"{now - 600:.3f}"}), ("labels", {"end": f"{now - 600:.3f}"}),
            ("label/job/values", {"end": f"{now - 600:.3f}"}), ("alerts", {}), ("rules", {}), ("rules", {"type": "alert"}),
            ("rules", {"type": "record"}), ("status/flags", {})):
        (status, ours), (peer_status, theirs) = pair.both(path, **parameters)
        check.equal(status, peer_status, f"status of {path} {parameters}: {ours}")
        for answer in (ours, theirs):
            # Info of newer versions; the flags of each are its own, and so are metric names of the metadata.
            answer.pop("infos", None)
            if path == "status/flags":
                answer["data"] = {name: "str" for name in list(answer["data"])[:0]}
            # Newer ones leave out the groups of which a filter leaves nothing.
            if path == "rules":
                answer["data"]["groups"] = [group for group in answer["data"]["groups"] if group["rules"]]
            if path == "series":
                answer["data"] = [{} for _ in answer["data"]]
            if path == "targets/metadata" and "data" in answer:
                # A node of Redline's is one target, and all of Redline one of Prometheus'.
                for one in answer["data"]:
                    one["target"] = {}
        check.equal(shape(ours), shape(theirs), f"shape of {path} {parameters}")
    metadata = pair.good("metadata", metric="redis_up")["redis_up"]
    check.equal(metadata[0]["type"], "gauge", "the type of redis_up")
    check.equal(set(metadata[0]), {"type", "help", "unit"}, "metadata's keys")
    target = pair.good("targets")["activeTargets"][0]
    check.equal((target["health"], target["scrapePool"], target["lastError"]), ("up", "carts", ""), f"{target}")
    theirs = pair.ask(pair.peer.port, "targets")[1]["data"]["activeTargets"][0]
    check.equal(set(target), set(theirs), "the keys of a target")
    check.equal((target["scrapeInterval"], target["scrapeTimeout"]), ("1s", "2s"), "its interval and deadline")
    check.equal(pair.good("parse_query", query="up + 1")["type"], "binaryExpr", "a query as a tree")
    version = pair.good("status/buildinfo")
    check.equal(version["version"], "2.42.0", "the version of Prometheus that the dialect is of")
    check.that(version["revision"].startswith("redline-"), "the revision names the program")
    check.that("goroutineCount" not in pair.good("status/runtimeinfo"), "nothing is made up")
    check.that("seeds" in pair.good("status/config")["yaml"], "the configuration is shown")
    check.that(pair.good("status/tsdb")["headStats"]["numSeries"] > 50, "the store's size")


# Numbers, matchings, signs and durations in the forms that a printer may choose otherwise.
PRINTED = (
    "x > 1000000", "x>1e5", "0x1F", ".00001", "-Inf", "1234567.5", "a / ignoring() b", "a / ignoring() group_left b",
    "a/on() group_left(c) b", "a and on() b", "-x @ 1.5 offset 90m", "sum by() (x)", "sum(x) without()", "x[1y2w]",
    "max_over_time((rate(x[5m]))[1h:] offset -1d)", "{__name__='x',b='1',a=~'2'}", "topk(5, a) > bool 1")


def check_queries_are_printed_alike(check: Check) -> None:
    """The shipped rules, which are long, and odd ones."""
    pair = Pair(check)
    for query in PRINTED + tuple(rule.expression for rule in shipped_rules()):
        (status, ours), (_, theirs) = pair.both("format_query", query=query)
        check.equal((status, ours.get("data")), (200, theirs.get("data")), f"format_query {query}")


def check_rules_and_alerts_say_what_prometheus_says(check: Check) -> None:
    """All that does not depend on the moment is equal."""
    pair = Pair(check)
    pair.wait()

    def rules(port: int) -> list:
        moving = {"evaluationTime", "lastEvaluation", "lastError", "alerts", "file"}
        groups = pair.ask(port, "rules")[1]["data"]["groups"]
        return [(group["name"], group["interval"], group["limit"],
                 [{name: value for name, value in rule.items() if name not in moving} for rule in group["rules"]])
                for group in groups if group["name"] in ("api", "broken")]

    def alerts(port: int) -> list:
        found = pair.ask(port, "alerts")[1]["data"]["alerts"]
        return sorted(({name: value for name, value in alert.items() if name != "activeAt"} for alert in found
                       if alert["labels"]["alertname"] in ("AlwaysUp", "SoonUp")), key=str)

    check.until(lambda: all(rule[3][0]["health"] != "unknown" for rule in rules(pair.redline.port)), 10, "all are judged")
    check.equal(rules(pair.redline.port), rules(pair.peer.port), "the rules")

    def without_job(found: list) -> list:
        return [alert | {"labels": {n: v for n, v in alert["labels"].items() if n not in ("job",)}} for alert in found]

    ours, theirs = alerts(pair.redline.port), alerts(pair.peer.port)
    check.equal(without_job(ours), without_job(theirs), "the alerts")
    check.that(any(alert["value"] == "1e+00" for alert in ours), f"Go's exponent: {ours}")
    raw = http.get(pair.redline.port, "/api/v1/alerts").text
    check.that("<b>" not in raw and "\\u003cb\\u003e" in raw, "markup of labels is escaped")
    check.equal(http.get(pair.redline.port, "/api/v1/rules").headers["content-type"], "application/json", "the type")


def check_errors_are_prometheus_errors(check: Check) -> None:
    pair = Pair(check)
    pair.wait()
    now = str(int(time.time()))
    for path, parameters in (
            ("query", {}), ("query", {"query": "redis_up{"}), ("query", {"query": "sum("}), ("query", {"query": "foo(1)"}),
            ("query", {"query": "redis_up", "time": "yesterday"}), ("query", {"query": "redis_up", "timeout": "soon"}),
            ("query", {"query": 'redis_up + on() {__name__=~"redis_(up|connected_clients)"}'}),
            ("query_range", {"query": "redis_up"}),
            ("query_range", {"query": "redis_up", "start": "2", "end": "1", "step": "1"}),
            ("query_range", {"query": "redis_up", "start": "1", "end": "2", "step": "0"}),
            ("query_range", {"query": "redis_up", "start": "1", "end": "2", "step": "-1"}),
            ("query_range", {"query": "redis_up", "start": "1", "end": "2", "step": "x"}),
            ("query_range", {"query": "redis_up", "start": "1", "end": "12002", "step": "1"}),
            ("query_range", {"query": "redis_up[5m]", "start": "1", "end": "2", "step": "1"}),
            ("series", {}), ("series", {"match__": "{}"}), ("series", {"match__": "up["}),
            ("series", {"match__": "up", "start": "x"}), ("labels", {"match__": "{"}),
            ("label/a-b/values", {}), ("query_exemplars", {"query": "up", "start": now, "end": "1"}),
            ("rules", {"type": "x"}), ("metadata", {"limit": "x"}), ("targets/metadata", {"limit": "x"}),
            ("targets/metadata", {"match_target": "{"})):
        for method in ("GET", "POST") if path.startswith(("query", "series", "labels")) else ("GET",):
            (status, ours), (peer_status, theirs) = pair.both(path, method=method, **parameters)
            check.equal((status, ours["status"], ours.get("errorType")),
                        (peer_status, theirs["status"], theirs.get("errorType")), f"{method} {path} {parameters}: {ours} beside {theirs}")
            check.equal(set(ours), {"status", "errorType", "error"}, f"the envelope of {path} {parameters}")
            check.that(ours["error"], "it says what is wrong")
    (_, ours), (_, theirs) = pair.both("query_range", query="redis_up", start="1", end="12002", step="1")
    check.equal(ours["error"], theirs["error"], "the message of too many points")
    check.equal(pair.ask(pair.redline.port, "nowhere")[0], 404, "what there is not")
    check.equal(pair.ask(pair.redline.port, "admin/tsdb/delete_series", "POST")[1]["errorType"], "not_found", "no deleting")


def check_get_and_post_are_the_same(check: Check) -> None:
    pair = Pair(check, with_peer=False)
    pair.wait()
    port, now = pair.redline.port, int(time.time())
    for path, parameters in (
            ("query", {"query": "redis_up", "time": str(now)}),
            ("query_range", {"query": "redis_up", "start": str(now - 5), "end": str(now), "step": "1"}),
            ("series", {"match__": ["redis_up", "redis_instance_info"]}), ("labels", {"match__": "redis_up"})):
        check.equal(pair.ask(port, path, "POST", **parameters), pair.ask(port, path, **parameters), f"POST of {path}")
    for body, kind, status in ((b"{}", "application/json", 415), (b"query=1", "", 415), (b"query=\xff", None, 400),
                               (b"a=1&" * 1100, None, 400), (b"query=" + b"1" * (1 << 20), None, 413)):
        kind = "application/x-www-form-urlencoded" if kind is None else kind
        response = http.get(port, "/api/v1/query", "POST", {"Content-Type": kind} if kind else {}, body)
        check.equal(response.status, status, f"a body of {len(body)} bytes as {kind!r}: {response.text[:200]}")
        check.that(response.text.strip(), "it says why")
    for method in ("PUT", "DELETE", "PATCH", "HEAD"):
        refused = http.get(port, "/api/v1/query?query=1", method)
        check.equal((refused.status, refused.headers.get("allow")), (405, "GET, OPTIONS, POST"), f"{method} of a query")


def check_browsers_and_programs_are_served_alike(check: Check) -> None:
    """Methods and limits of 0 as Prometheus has them; compression; pages of other sites that the flag names."""
    pair = Pair(check, "history: {retention: 1h}\n", r"--web.cors.origin=https?://(a|b)\.example")
    pair.wait()
    for method in ("POST", "OPTIONS", "DELETE", "HEAD"):
        for path in ("rules", "alerts", "targets", "metadata", "labels", "label/job/values", "status/buildinfo", "query",
                     "nowhere"):
            ours, theirs = (http.get(port, f"/api/v1/{path}", method) for port in (pair.redline.port, pair.peer.port))
            check.equal(ours.status, theirs.status, f"{method} of {path}")
    for path in ("/-/healthy", "/-/ready"):
        ours, theirs = (http.get(port, path, "HEAD") for port in (pair.redline.port, pair.peer.port))
        check.equal((ours.status, ours.body), (theirs.status, theirs.body), f"HEAD of {path}")
    for path in ("metadata?limit=0", "targets/metadata?limit=0", "labels?limit=0"):
        ours, theirs = (json.loads(http.get(port, f"/api/v1/{path}").text) for port in (pair.redline.port, pair.peer.port))
        check.equal(bool(ours["data"]), bool(theirs["data"]), f"whether {path} gives anything: {ours}")
    port = pair.redline.port
    plain, packed = (http.get(port, "/api/v1/metadata", headers=headers) for headers in ({}, {"Accept-Encoding": "gzip"}))
    check.equal(packed.headers.get("content-encoding"), "gzip", "a compressed answer")
    check.equal(gzip.decompress(packed.body), plain.body, "what it holds")
    allow = "access-control-allow-origin"
    for origin, allowed in (("https://a.example", True), ("https://a.example.evil", False)):
        for method in ("GET", "OPTIONS", "POST"):
            answer = http.get(port, "/api/v1/query?query=1", method, {"Origin": origin, "Sec-Fetch-Site": "cross-site"})
            check.equal(answer.headers.get(allow), origin if allowed else None, f"{method} from {origin}")
            check.equal(answer.status, (204 if method == "OPTIONS" else 200) if allowed or method == "GET" else 403,
                        f"{method} from {origin}")
    check.equal(http.get(port, "/metrics", headers={"Origin": "https://a.example"}).headers.get(allow), None, "the metrics")


def check_promtool_takes_redline_for_prometheus(check: Check) -> None:
    pair = Pair(check, with_peer=False)
    pair.wait()
    url, now = f"http://127.0.0.1:{pair.redline.port}", int(time.time())

    def promtool(*words: str) -> str:
        told = subprocess.run([tool("promtool"), "query", *words], capture_output=True, text=True, timeout=30)
        check.equal(told.returncode, 0, f"promtool query {' '.join(words)} exits: {told.stdout}{told.stderr}")
        return told.stdout

    check.that('workload="carts"' in promtool("instant", url, "redis_up"), "an instant vector")
    check.that(promtool("instant", url, "1+1").startswith("scalar: 2"), "a scalar")
    spread = promtool("range", f"--start={now - 5}", f"--end={now}", "--step=1s", url, "redis_up")
    check.that("redis_up" in spread and " @[" in spread, f"a range: {spread}")
    check.that("redis_up" in promtool("series", "--match=redis_up", url), "series")
    check.equal(promtool("labels", url, "workload").split(), ["carts"], "values of a label")


def check_authentication_covers_the_api(check: Check) -> None:
    pair = Pair(check, "history: {retention: 1h}\n", "--basic-auth-username=reader",
                environment={"REDIS_EXPORTER_BASIC_AUTH_PASSWORD": "web-word"}, with_peer=False)
    login = {"Authorization": "Basic " + base64.b64encode(b"reader:web-word").decode()}
    for path in ("query?query=1", "query_range", "series", "labels", "label/job/values", "metadata", "rules", "alerts",
                 "targets", "alertmanagers", "fleet", "fleet/carts", "events", "status/config", "status/flags", "status/buildinfo", "nowhere"):
        for method in ("GET", "POST"):
            check.equal(http.get(pair.redline.port, f"/api/v1/{path}", method).status, 401, f"{method} {path} without login")
    check.equal(http.get(pair.redline.port, "/api/v1/query?query=1", headers=login).status, 200, "with login")
    for path in ("flags", "config"):
        shown = http.get(pair.redline.port, f"/api/v1/status/{path}", headers=login)
        check.equal(shown.status, 200, f"status/{path}")
        check.that("web-word" not in shown.text, f"no password is in status/{path}")


def check_history_that_is_not_kept_is_told_of(check: Check) -> None:
    pair = Pair(check, with_peer=False)
    pair.wait()
    port, now = pair.redline.port, int(time.time())
    check.that("warnings" not in pair.ask(port, "query", query="redis_up")[1], "no warning of the present")
    for path, parameters in (("query", {"query": "redis_up offset 2h"}), ("query", {"query": "rate(redis_up[3h])"}),
                             ("query", {"query": f"redis_up @ {now - 9000}"}),
                             ("query_range", {"query": "redis_up", "start": str(now - 7200), "end": str(now), "step": "60"})):
        status, answer = pair.ask(port, path, **parameters)
        check.equal(status, 200, f"{parameters}: {answer}")
        check.that(any("history of redis_up" in text for text in answer.get("warnings", [])), f"{parameters}: {answer}")


def number(value: int) -> bytes:
    """In LEB128."""
    text = bytearray()
    while value >= 0x80:
        text.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(text + bytes([value]))


def check_history_of_the_last_run_is_known(check: Check) -> None:
    """Warnings count from the oldest sample that was kept, not from the start."""
    pair = Pair(check, "history: {retention: 6h}\n", with_peer=False)
    pair.wait()
    pair.redline.signal(signal.SIGTERM)
    check.equal(pair.redline.wait(15), 0, "how redline ends")
    now = int(time.time() * 1000)
    with contextlib.closing(sqlite3.connect(pair.judge.storage)) as database, database:
        series, = database.execute("SELECT id FROM history_series WHERE labels LIKE '%\"redis_up\"%'").fetchone()
        for minute in range(180, 1, -1):
            # 1.0 has two bytes that are not zero; nine values of each series number tell how many.
            frame = b"\x01" + number(0) + number(1) + number(series * 9 + 2) + b"\x3f\xf0"
            database.execute("INSERT INTO history_frames(from_ms, until_ms, point_count, points) VALUES(?, ?, 1, ?)",
                             (now - minute * 60000, now - minute * 60000, frame))
    pair.start()
    pair.wait()
    port = pair.redline.port

    def ask(query: str) -> tuple[int, list[str]]:
        answer = pair.ask(port, "query", query=query)[1]
        return len(answer["data"]["result"]), answer.get("warnings", [])

    check.equal(ask("redis_up offset 2h"), (1, []), "within the history that was kept")
    check.equal(ask("count_over_time(redis_up[170m]) > 150"), (1, []), "all of it")
    found, warnings = ask("redis_up offset 4h")
    begins = time.strftime("%Y-%m-%dT%H:%M", time.gmtime(now / 1000 - 180 * 60))
    check.that(not found and any(f"redis_up begins at {begins}" in text for text in warnings), f"before it: {warnings}")
    found, warnings = ask("redis_connected_clients offset 2h")
    check.that(not found and warnings, f"a series that was kept for a moment only: {warnings}")


def check_limits(check: Check) -> None:
    """Costly queries end with an error, hold up neither others nor the metrics, and are given up when nobody waits."""
    pair = Pair(check, with_peer=False)
    pair.wait()
    port, now = pair.redline.port, int(time.time()) + 1
    status, answer = pair.ask(port, "query", query='sum(max_over_time({__name__=~".+"}[1h:1ms]))')
    check.equal((status, answer["errorType"]), (422, "execution"), f"too many samples: {answer}")
    status, answer = pair.ask(port, "query", query="max_over_time(vector(1)[40m:1ms]) + max_over_time(vector(1)[40m:1ms])",
                              timeout="1ms")
    check.equal((status, answer["errorType"]), (503, "timeout"), f"a short timeout: {answer}")
    status, answer = pair.ask(port, "query_range", query="redis_up", start=str(now - 60), end=str(now), step="1", limit="1")
    check.equal(len(answer["data"]["result"]), 1, "one series of one")
    status, answer = pair.ask(port, "label/__name__/values", limit="2")
    check.equal((len(answer["data"]), answer.get("warnings")), (2, ["results truncated due to limit"]), "two names")

    # Many at once: all are answered, and so is what comes between.
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(pair.ask(port, "query_range", query="sum(vector(1)) + count({__name__=~'.+'})",
                                 start=str(now - 10000), end=str(now), step="1")[0])

    threads = [threading.Thread(target=ask) for _ in range(60)]
    for thread in threads:
        thread.start()
    slowest = max(http.get(port, "/metrics").seconds for _ in range(5))
    slowest_rules = max(http.get(port, "/api/v1/rules").seconds for _ in range(5))
    for thread in threads:
        thread.join(60)
    check.that(set(statuses) <= {200, 422, 503} and len(statuses) == 60, f"every query is answered: {statuses}")
    check.that(slowest < 3 and slowest_rules < 3, f"others wait {slowest:.2f} and {slowest_rules:.2f} s")

    # Whoever leaves in the middle holds up nobody for long.
    path = "/api/v1/query?" + urllib.parse.urlencode({"query": "max_over_time(sum(vector(1))[45m:1ms])"})
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", port)) as leaver:
            leaver.sendall(http.request_bytes(path))
    check.until(lambda: pair.ask(port, "query", query="1")[0] == 200, 30, "queries are answered again")


def check_reload_can_be_switched_off(check: Check) -> None:
    pair = Pair(check, "", "--web.enable-lifecycle=false", with_peer=False)
    for method in ("POST", "PUT", "GET"):
        response = http.get(pair.redline.port, "/-/reload", method)
        check.equal(response.status, 403, f"{method} /-/reload")
        check.that("--web.enable-lifecycle" in response.text, f"how to switch it on: {response.text}")
    on = Pair(check, "", with_peer=False)
    check.equal(http.get(on.redline.port, "/-/reload", "POST").status, 200, "switched on")
