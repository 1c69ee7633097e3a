"""Redlock on five real servers: a majority that is lost, restarts that forget locks, and attempts that nobody undid."""

import time

from checks.fleet import address, events, values, watch
from harness import servers, start_page
from harness.check import Check
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 150
MAX_TTL_SECONDS = 3
LABELS = {"workload": "locks", "environment": "test"}


class Redlock:
    """Five servers, the last of which writes each lock to disk, and a redline that watches them."""

    def __init__(self, check: Check):
        self.check = check
        self.servers = [servers.RedisServer(check) for _ in range(4)]
        self.servers.append(servers.RedisServer(check, "appendonly yes", "appendfsync always"))
        seeds = ", ".join(f"'{address(one)}'" for one in self.servers)
        self.redline = watch(check, f"- {{name: locks, kind: custom, topology: redlock, seeds: [{seeds}],"
                                    f" redlock: {{max_ttl: {MAX_TTL_SECONDS}s}}, watches: {{interval: 1s}}}}\n")
        self.stands(5, "all servers")

    def value(self, name: str) -> float | None:
        return self.redline.page().value(f"redis_redlock_{name}", **LABELS)

    def stands(self, count: int, what: str) -> None:
        self.check.until(lambda: self.value("masters_up") == count, 20, f"{what}: {count} answer")

    @property
    def state(self) -> str:
        return start_page.states(self.redline)["locks"]

    def everywhere(self, *words: str, on: list[servers.RedisServer] | None = None) -> None:
        for one in on or self.servers:
            with one.client() as client:
                client(*words)


@on_servers
def check_a_majority_and_restarts(check: Check) -> None:
    site = Redlock(check)
    check.equal(site.value("quorum"), 3, "the quorum")
    first, second, third, fourth, durable = site.servers
    for one in (first, second):
        one.process.child.kill()
    site.stands(3, "two of five are lost")
    check.that(site.state != "critical", f"three of five are enough: {site.state}")
    third.process.child.kill()
    site.stands(2, "three of five are lost")
    check.until(lambda: site.state == "critical", 10, "nobody gets a lock")
    check.that("no client gets a lock" in site.redline.get("/workload/locks").text, "the page says so")

    # Away for longer than any lock lasts.
    time.sleep(MAX_TTL_SECONDS + 2)
    for one in (first, second, third):
        one.restart()
    site.stands(5, "all are back")
    check.equal(site.value("unsafe_restarts_total"), 0, "restarts of servers that stayed away")

    for count, one in enumerate((fourth, durable), 1):
        one.process.child.kill()
        one.restart()
        check.until(lambda: len(events(check, "restart")) == 3 + count, 20, f"{count} quick restarts are seen")
        check.equal(site.value("unsafe_restarts_total"), 1, "restarts that forgot locks")
    check.that("without the locks that it gave" in site.redline.get("/workload/locks").text, "the page says so")
    for family in ("split_brain", "orphaned_masters", "demoted_masters"):
        check.equal(values(site.redline, f"redis_workload_{family}", "workload"), {}, f"series of {family}")


@on_servers
def check_attempts_that_nobody_undid(check: Check) -> None:
    site = Redlock(check)
    site.everywhere("SET", "lock:held", "token", "EX", 100, on=site.servers[:3])
    check.until(lambda: site.value("split_locks") == 0, 30, "a lock of a majority is none that is split")
    site.everywhere("SET", "lock:planted-name", "token", "EX", 100, on=site.servers[3:])
    check.until(lambda: site.value("split_locks") == 1, 30, "a lock that two of five hold")
    told = site.redline.get("/metrics").text + site.redline.get("/workload/locks").text + site.redline.output()
    check.that("planted-name" not in told, "no name of a lock on a page, in a metric or the log")
    site.everywhere("DEL", "lock:planted-name")
    check.until(lambda: site.value("split_locks") == 0, 30, "it is undone")


def check_what_cannot_be_a_redlock(check: Check) -> None:
    seeds = ", ".join(f"'{address(servers.RedisServer(check))}'" for _ in range(4))
    four = watch(check, f"- {{name: locks, kind: custom, topology: redlock, seeds: [{seeds}]}}\n")
    page = lambda: four.get("/workload/locks").text  # noqa: E731
    check.until(lambda: "an odd number is enough" in page(), 20, "four are an even number")
    check.until(lambda: "4 Redlock servers are on 127.0.0.1" in page(), 20, "all are on one host")
    check.that("no client gets a lock" not in four.output(), "nobody is missing before everybody was asked")

    told = watch(check, "- {name: locks, kind: cache, topology: redlock, seeds: ['127.0.0.1:1', '127.0.0.1:2']}\n", wait=False)
    check.equal(told.wait(20), 1, "the exit status")
    for text in ("needs kind: custom", "too few for Redlock"):
        check.that(text in told.output(), f"{text}: {told.output()}")
