"""Marks: taken in Grafana's form, kept over kill -9, shown where trouble is; a change opens a maintenance window and is named."""

import html
import json
import re
import subprocess
import time

from harness import exporters, http, schema, servers
from harness.check import Check
from harness.judging import HASTY, Daemon, Judge, workload
from harness.paths import REDLINE, ROOT
from harness.resp import Redis

TIMEOUT_SECONDS = 120
WAITS = True

TOKEN = "planted-marks-token-4711"
PASSWORD = "planted-password-0815"
SCHEMAS = ROOT / "deploy" / "docs" / "api"


class Site:
    """A redline that takes marks, with two workloads."""

    def __init__(self, check: Check, more: str = "", marks: bool = True, storage: bool = True):
        self.check = check
        self.server = servers.RedisServer(check)
        self.other = servers.RedisServer(check)
        self.token = check.file("token", TOKEN + "\n")
        secret = check.file("password", PASSWORD + "\n")
        self.config = check.file("redline.yml", (
            "defaults: {poll_interval: 1s}\n" + (f"marks: {{token_file: '{self.token}'}}\n" if marks else "") + more +
            "workloads:\n"
            f"- {{name: carts, kind: custom, topology: static, seeds: ['127.0.0.1:{self.server.port}']}}\n"
            f"- {{name: pages, kind: custom, topology: static, seeds: ['127.0.0.1:{self.other.port}'],"
            f" credentials: {{password_file: '{secret}'}}}}\n"))
        self.daemon = Daemon(check, self.config)

    @property
    def exporter(self) -> exporters.Exporter:
        return self.daemon.process

    def post(self, what: dict | bytes, authorization: str | None = f"Bearer {TOKEN}") -> http.Response:
        body = what if isinstance(what, bytes) else json.dumps(what).encode()
        return http.get(self.exporter.port, "/api/v1/marks", "POST", {"Authorization": authorization} if authorization else {}, body)

    def marked(self, text: str, *tags: str, **fields) -> dict:
        answer = self.post({"text": text, "tags": list(tags), **fields})
        self.check.equal(answer.status, 200, f"{text}: {answer.text[:400]}")
        return json.loads(answer.text)

    def refused(self, status: int, part: str, what: dict | bytes, **options) -> None:
        answer = self.post(what, **options)
        self.check.equal(answer.status, status, f"{str(what)[:100]}: {answer.text[:300]}")
        self.check.that(part in json.loads(answer.text)["error"], f"{part!r} is in {answer.text[:400]}")

    def told(self, path: str = "marks") -> dict:
        answer = self.exporter.get(f"/api/v1/{path}")
        self.check.equal(answer.status, 200, f"{path}: {answer.text[:300]}")
        found = json.loads(answer.text)
        self.check.none(schema.complaints(found, json.loads((SCHEMAS / f"{re.split('[/?]', path)[0]}.schema.json").read_text())),
                        f"what {path} says beside its schema")
        return found["data"]

    def value(self, name: str, **labels: str) -> float | None:
        return self.exporter.page().value(f"redis_{name}", **labels)

    def fleet(self, name: str = "carts") -> dict:
        return self.told(f"fleet/{name}")["workloads"][0]


def now() -> int:
    return int(time.time() * 1000)


def check_marks_are_taken_kept_and_shown(check: Check) -> None:
    site = Site(check)
    site.daemon.start()
    node = f"127.0.0.1:{site.server.port}"
    check.equal(site.value("workload_marks_total", workload="carts", kind="deploy"), 0, "counted from the start")
    first = site.marked("deploy <b>4711</b>\nby ci", "workload:carts", "kind:deploy", "region=eu")
    check.equal((first["message"], type(first["id"]), first["data"]["notices"]), ("Annotation added", int, []), "as Grafana answers")
    check.that("window" not in first["data"], "a deploy opens no window")
    site.marked("a disk was replaced", f"node={node}", time=now() - 60_000, timeEnd=now() - 30_000)
    site.marked("the network is worked on", "kind:incident")
    odd = site.marked(f"a\u202eb {PASSWORD}", "workload:pages", "kind:rollback")
    check.equal(len(odd["data"]["notices"]), 3, f"what was done to it is said: {odd['data']['notices']}")
    long = site.marked("x" * 1000, "kind:test")
    check.that("cut to 400 bytes" in str(long["data"]["notices"]), f"a long text is cut: {long['data']['notices']}")

    # What is wrong is refused, and says what to do.
    site.refused(401, "marks.token_file", {"text": "x"}, authorization=None)
    site.refused(401, "marks.token_file", {"text": "x"}, authorization=f"Bearer {TOKEN}x")
    site.refused(413, "4096 bytes", {"text": "x" * 5000})
    site.refused(400, "is in seconds", {"text": "x", "time": now() // 1000})
    site.refused(400, "set the clocks", {"text": "x", "time": now() - 8 * 86_400_000})
    site.refused(400, "7 days ahead", {"text": "x", "time": now() + 8 * 86_400_000})
    site.refused(400, "lies before time", {"text": "x", "time": now(), "timeEnd": now() - 5000})
    site.refused(400, "it has carts, pages", {"text": "x", "tags": ["workload:cart"]})
    site.refused(400, "is none that is watched", {"text": "x", "tags": ["node:10.9.9.9:1"]})
    site.refused(400, "is a second workload", {"text": "x", "tags": ["workload:carts", "workload:pages"]})
    site.refused(400, "is no field of a mark", {"text": "x", "time_end": 5})
    site.refused(400, "text is missing", {"tags": []})
    site.refused(400, "is no JSON", b"deploy")

    def shown() -> None:
        carts = site.told("marks?workload=carts")["marks"]
        check.equal([mark["kind"] for mark in carts], ["test", "incident", "deploy", "other"], "those of carts and of all")
        check.equal(carts[2]["tags"], ["workload:carts", "kind:deploy", "region=eu"], "tags are kept")
        check.equal(carts[2]["text"], "deploy <b>4711</b> by ci", "one line")
        check.equal((carts[3]["node"], carts[3]["workload"]), (node, "carts"), "a node's mark is its workload's")
        check.equal([len(site.told(f"marks?{query}")["marks"]) for query in ("kind=deploy", f"node={node}", "page=2", "to=1000")],
                    [1, 1, 0, 0], "filters")
        check.equal(site.value("workload_marks_total", workload="carts", kind="deploy"), 1, "counted")
        check.equal([site.value("workload_marks_total", workload=name, kind="incident") for name in ("carts", "pages")], [1, 1],
                    "one of all counts for each")
        check.equal(site.value("workload_marks_total", workload="pages", kind="other"), 1, "an unknown kind is other")
        events = site.told("events?workload=carts&kind=mark")["events"]
        check.equal([event["mark"] for event in events], ["test", "incident", "deploy", "other"], "they are events")
        check.that(events[3]["until"] > events[3]["time"], "with an end")
        found = site.told("annotations?kind=mark&limit=3")["annotations"]
        check.equal([one["tags"][-1] for one in found][:2], ["test", "other"], f"as annotations: {found}")
        for path in ("/events", "/workload/carts", f"/node/{node}"):
            page = site.exporter.get(path).text
            check.that(html.escape("deploy <b>4711</b> by ci") in page, f"{path} shows it")
        for path in ("/events", "/api/v1/marks", "/api/v1/events"):
            text = site.exporter.get(path).text
            check.none([part for part in (PASSWORD, "\u202e", TOKEN) if part in text], f"what {path} must not say")

    shown()
    site.daemon.kill()
    site.daemon.start()
    shown()
    # Sent again, such as by a job that was started again.
    again = {"text": "twice", "tags": ["workload:carts"], "time": now()}
    check.equal(json.loads(site.post(again).text)["id"], json.loads(site.post(again).text)["id"], "one mark")
    # Too many.
    statuses = [site.post({"text": f"flood {number}"}).status for number in range(120)]
    check.equal((statuses[0], statuses[-1]), (200, 429), "a flood ends")
    check.that(TOKEN not in site.exporter.get("/api/v1/status/config").text, "the token is shown nowhere")
    check.none([part for part in (PASSWORD, TOKEN) if part in site.exporter.output()], "secrets in the log")


def check_without_a_token_nothing_is_taken(check: Check) -> None:
    site = Site(check, marks=False)
    site.daemon.start()
    site.refused(403, "set marks.token_file", {"text": "x"})
    check.equal(site.told()["marks"], [], "there are none")
    check.equal(site.value("workload_marks_total", workload="carts", kind="deploy"), None, "and none are counted")


def check_a_change_opens_a_maintenance_window(check: Check) -> None:
    site = Site(check)
    site.daemon.start()

    def inside(name: str = "carts") -> bool:
        return site.value("workload_in_maintenance", workload=name) == 1

    check.that(not inside(), "no window at first")
    told = site.marked("upgrade to 8.2", "workload:carts", "kind:change")["data"]
    check.equal(told["window"]["workload"], "carts", "the answer names it")
    check.until(inside, 10, "it is open")
    check.that(not inside("pages"), "for its workload alone")
    check.equal((site.fleet()["windows"], site.fleet()["change"]["text"]), (["maintenance"], "upgrade to 8.2"), "the API says it")
    seconds = (int(json.loads(site.exporter.get("/api/v1/marks").text)["data"]["marks"][0]["time"]), told["window"]["until"])
    check.that("T" in seconds[1], "until when")
    for path in ("/", "/workload/carts"):
        check.that("maintenance until" in site.exporter.get(path).text, f"{path} says until when")
    status = subprocess.run([REDLINE, "status", "--url", f"http://127.0.0.1:{site.exporter.port}"], capture_output=True, text=True, timeout=30)
    check.that("In maintenance until" in status.stdout and "upgrade to 8.2" in status.stdout, f"redline status says it: {status.stdout}")

    site.daemon.kill()
    site.daemon.start()
    check.until(inside, 10, "a restart does not close it")
    none = site.marked("nothing", "workload:pages", "kind:change-end")["data"]
    check.that("no maintenance window" in str(none["notices"]), f"there was none: {none}")
    site.marked("done", "workload:carts", "kind:change-end")
    check.until(lambda: not inside(), 10, "its end closes it")
    check.that("change" not in site.fleet(), "and nothing says it is open")

    # Four hours at most, and one that is over opens nothing.
    start = now()
    long = site.marked("a long one", "workload=carts", "kind=change", time=start, timeEnd=start + 9 * 3_600_000)["data"]
    check.that("at most 4 h" in str(long["notices"]), f"it is cut: {long['notices']}")
    until = subprocess.run(["date", "-d", long["window"]["until"], "+%s"], capture_output=True, text=True).stdout
    check.that(abs(int(until) - start / 1000 - 4 * 3600) < 3, f"to 4 hours: {long['window']}")
    over = site.marked("of yesterday", "workload:pages", "kind:change", time=start - 86_400_000)["data"]
    check.that("window" not in over and "is over" in str(over["notices"]), f"one that is over: {over}")
    all_of_them = site.marked("everything", "kind:change")["data"]
    check.that("window" not in all_of_them and "workload:NAME" in str(all_of_them["notices"]), "none without a workload")
    # One that begins soon.
    site.marked("soon", "workload:pages", "kind:change", time=now() + 3000, timeEnd=now() + 6000)
    check.that(not inside("pages"), "not yet")
    check.until(lambda: inside("pages"), 12, "then it opens by itself")
    check.until(lambda: not inside("pages"), 12, "and ends by itself")


def check_evidence_and_report_name_the_change(check: Check) -> None:
    server = servers.RedisServer(check)
    token = check.file("token", TOKEN)
    rules = "groups: [{name: faults, rules: [{alert: Small, expr: 'redis_config_maxclients < 100', labels: {severity: critical}}]}]\n"
    judge = Judge(check, [workload(server)], rules, settings=HASTY, more=f"marks: {{token_file: '{token}'}}\n")
    judge.start()
    judge.await_samples("redis_config_maxclients")
    for body in ({"text": "deploy 4711", "tags": ["workload:carts", "kind:deploy"]},
                 {"text": "of yesterday", "tags": ["workload:carts", "kind:deploy"], "time": now() - 7_200_000}):
        answer = http.get(judge.process.port, "/api/v1/marks", "POST", {"Authorization": f"Bearer {TOKEN}"}, json.dumps(body).encode())
        check.equal(answer.status, 200, answer.text)
    Redis(server.port)("CONFIG", "SET", "maxclients", "50")

    def gathered() -> list[dict]:
        return [one for one in judge.ask("evidence?workload=carts")["evidence"] if one["culprits"]]

    check.until(gathered, 40, "evidence names something")
    one = gathered()[0]
    texts = [culprit["text"] for culprit in one["culprits"]]
    check.that(any("deploy: deploy 4711 (marked at" in text for text in texts), f"the deploy is named: {texts}")
    check.none([text for text in texts if "yesterday" in text], "what was long before")
    page = judge.process.get(f"/evidence/{one['id']}").text
    for part in ("What changed in the 24 hours before", "deploy: of yesterday", "2 h before", "maxclients"):
        check.that(part in page, f"{part!r} is on its page")

    def report(form: str) -> str:
        made = subprocess.run([REDLINE, "report", "--url", f"http://127.0.0.1:{judge.process.port}", "--workload", "carts", "--from", "-2m",
                               "--to", "now", "--format", form], capture_output=True, text=True, timeout=60)
        check.that(made.stdout, f"a report: {made.stderr[:300]}")
        return made.stdout

    text = report("json")
    check.that(json.loads(text) and "deploy: deploy 4711" in text and "deploy: of yesterday" in text, "the report has both")
    section = report("markdown").partition("What changed before and meanwhile")[2].partition("\n## ")[0]
    check.that("deploy 4711" in section and "of yesterday" in section and "maxclients" in section, f"its section: {section}")
