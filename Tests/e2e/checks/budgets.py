"""Error budgets on real servers: outages use what they must, `kill -9` of the daemon forgets nothing, and all surfaces agree."""

import json
import signal
import time

from harness import budgets, exporters, http, schema, servers
from harness.check import Check
from harness.paths import ROOT

TIMEOUT_SECONDS = 240
WAITS = True

HANG_SECONDS = DEAD_SECONDS = 8
# The objective is 99 %: of 30 days 7.2 hours may be bad.
BUDGET_SECONDS = 30 * 86400 * 0.01
KNOWN_DAYS = 20
NAME = "redis_workload_error_budget"


def answer(exporter: exporters.Exporter, path: str, check: Check) -> dict:
    found = http.get(exporter.port, f"/api/v1/{path}")
    check.equal(found.status, 200, f"{path}: {found.text[:300]}")
    name = "budgets" if path.startswith("budgets") else "fleet"
    schemas = ROOT / "deploy" / "docs" / "api" / f"{name}.schema.json"
    check.none(schema.complaints(json.loads(found.text), json.loads(schemas.read_text())), f"what {path} says")
    return json.loads(found.text)["data"]


class Site:
    def __init__(self, check: Check):
        self.check = check
        self.server = servers.RedisServer(check)
        self.store = check.folder / "redline.db"
        objectives = "objectives: {availability: 99%, latency_p99: 50ms}"
        self.config = check.file("redline.yml", "defaults: {poll_interval: 1s}\nworkloads:\n"
                                 f"- {{name: carts, kind: custom, topology: static, seeds: ['127.0.0.1:{self.server.port}'],"
                                 f" {objectives}}}\n")
        self.began = time.time()
        self.start()

    def start(self) -> None:
        self.exporter = exporters.redline(self.check, None, f"--config.file={self.config}", f"--storage.path={self.store}")

    def end(self, number: signal.Signals) -> None:
        self.exporter.signal(number)
        self.exporter.wait(15)

    def used(self, objective: str = "availability") -> dict:
        """What was used since the check began."""
        used = answer(self.exporter, f"budgets?workload=carts&from={self.began - 60}", self.check)["budgets"]
        return next(one for one in used if one["objective"] == objective)

    def bad(self, objective: str = "availability") -> float:
        return self.used(objective)["badSeconds"]

    def stands(self, objective: str = "availability") -> dict:
        workload = answer(self.exporter, "fleet/carts", self.check)["workloads"][0]
        return next(one for one in workload["budgets"] if one["objective"] == objective)

    def is_up(self) -> bool:
        return self.exporter.page().value("redis_workload_masters_present", workload="carts") == 1

    def settled(self) -> float:
        """The bad seconds, once they have not grown for longer than a span lasts."""
        self.check.until(self.is_up, 30, "the server is there again")
        last, since = -1.0, time.monotonic()
        while time.monotonic() - since < 12:
            if self.bad() != last:
                last, since = self.bad(), time.monotonic()
            time.sleep(0.5)
        return last


def check_outages_use_what_they_must(check: Check) -> None:
    site = Site(check)
    check.until(site.is_up, 20, "the server is found")
    check.that("remainingRatio" not in site.stands(), f"a few seconds tell nothing of a month: {site.stands()}")
    site.end(signal.SIGTERM)
    budgets.seed(site.store, "carts", KNOWN_DAYS)
    site.start()
    # Half a minute is a twelfth of five.
    check.until(lambda: "5m" in site.stands()["burn"], 60, "the pace of five minutes is known")
    calm = site.stands()
    check.that(KNOWN_DAYS * 86400 < calm["knownSeconds"] <= (KNOWN_DAYS + 1) * 86400, f"what the file had counts: {calm}")
    check.equal((calm["badSeconds"], calm["remainingRatio"], calm["burn"]["5m"]), (0, 1, 0), "a calm server uses nothing")

    site.server.process.signal(signal.SIGSTOP)
    time.sleep(HANG_SECONDS)
    site.server.process.signal(signal.SIGCONT)
    hung = site.settled()
    check.that(HANG_SECONDS - 3 <= hung <= HANG_SECONDS + 5, f"a hang of {HANG_SECONDS} s uses as much: {hung}")
    slow = site.bad("latency")
    check.that(abs(slow - hung) <= 3, f"what is not answered is late as well: {slow} and {hung} s")

    site.end(signal.SIGKILL)
    site.start()
    check.until(site.is_up, 20, "the server is found again")
    check.that(abs(site.bad() - hung) < 0.1, f"kill -9 forgets nothing: {site.bad()} after {hung} s")

    site.server.process.signal(signal.SIGKILL)
    time.sleep(DEAD_SECONDS)
    site.end(signal.SIGKILL)
    before = time.time()
    site.start()
    check.until(lambda: site.exporter.page().value("redis_up", workload="carts",
                                                   instance=f"127.0.0.1:{site.server.port}") == 0, 20, "it sees that")
    away = time.time() - before
    site.server.restart()
    both = site.settled()
    check.that(DEAD_SECONDS - 4 <= both - hung <= DEAD_SECONDS + away + 12,
               f"a dead server uses its time, on both sides of a kill -9: {both - hung} s")

    stands, page = site.stands(), site.exporter.page()
    ratio = page.value(f"{NAME}_remaining_ratio", workload="carts", objective="availability")
    check.that(abs(ratio - (1 - stands["badSeconds"] / BUDGET_SECONDS)) < 1e-4, f"what is left: {ratio} of {stands}")
    used = site.used()
    check.that(abs(used["usedRatio"] - used["badSeconds"] / BUDGET_SECONDS) < 1e-6 and
               abs(used["budgetSeconds"] - BUDGET_SECONDS) < 1e-3, f"the span: {used}")
    burn = page.value(f"{NAME}_burn_rate", workload="carts", objective="availability", window="1h")
    check.that(burn is None or burn > 0, f"the pace of an hour: {burn}")
    text = site.exporter.get("/workload/carts").text
    check.that("of the budget left" in text and "Availability 99 %" in text and "Latency 99 % within 50 ms" in text,
               "the page of the workload draws it")


def check_spans_and_names_are_read(check: Check) -> None:
    site = Site(check)
    check.until(site.is_up, 20, "the server is found")
    for path, status in (("budgets?workload=none", 404), ("budgets?from=5&to=5", 400), ("budgets?to=x", 400),
                         ("budgets?from=-1e11&to=9e11", 200), ("budgets", 200)):
        check.equal(http.get(site.exporter.port, f"/api/v1/{path}").status, status, path)
    empty = answer(site.exporter, "budgets?from=2001-01-01T00:00:00Z&to=2001-02-01T00:00:00Z", check)["budgets"]
    check.equal([(one["objective"], one["knownSeconds"], one["usedRatio"]) for one in empty],
                [("availability", 0, 0), ("latency", 0, 0)], "a time of which nothing is known")
