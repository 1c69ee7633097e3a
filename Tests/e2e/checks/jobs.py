"""Jobs: the retention of the store has its result in the file and on the page, over restarts and kill -9."""

import json
import signal
import sqlite3

from harness import exporters, servers
from harness.check import Check
from harness.clock import Clock
from harness.judging import workload
from harness.process import Process

TIMEOUT_SECONDS = 90
WAITS = True

DAY_MS = 86_400_000
MARK = "job/retention/started_ms"
SUCCESS = "redis_exporter_job_last_success_timestamp_seconds"


class Site:
    """A redline with a file whose rows the check changes while redline does not run."""

    def __init__(self, check: Check):
        self.check = check
        self.clock = Clock(check)
        self.server = servers.RedisServer(check)
        self.config = check.file("redline.yml", f"workloads: [{workload(self.server)}]\n")
        self.path = check.folder / "redline.db"

    def start(self) -> exporters.Exporter:
        return exporters.redline(
            self.check, None, f"--config.file={self.config}", f"--storage.path={self.path}", exporters.FRESH,
            environment=self.clock.environment)

    def stop(self, daemon: Process, number: int = signal.SIGTERM) -> None:
        daemon.signal(number)
        daemon.wait(20)

    def rows(self, query: str) -> list[tuple]:
        with sqlite3.connect(f"file:{self.path}?mode=ro", uri=True) as database:
            return database.execute(query).fetchall()

    def results(self) -> list[tuple]:
        return self.rows("SELECT outcome, report, started_at_ms FROM job_results WHERE job = 'retention' ORDER BY id")

    def add_old_events(self, count: int, now_seconds: float) -> None:
        with sqlite3.connect(self.path) as database:
            database.execute(
                "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
                "INSERT INTO events(at_ms, workload, node, kind, summary, details, key) "
                "SELECT ?, 'carts', 'old', 'flush', 'old', '{}', 'old ' || n FROM numbers",
                (count, int(now_seconds * 1000) - 100 * DAY_MS))
            database.commit()

    def success(self, daemon: exporters.Exporter) -> float:
        return daemon.page().value(SUCCESS, task="retention")

    def await_success(self, daemon: exporters.Exporter, after: float = 0) -> float:
        self.check.until(lambda: (self.success(daemon) or 0) > after, 30, "retention succeeds")
        return self.success(daemon)


def check_retention(check: Check) -> None:
    """Old rows go, a result says how many, and a restart neither forgets it nor runs the job before its time."""
    site = Site(check)
    daemon = site.start()
    first = site.await_success(daemon)
    check.equal(daemon.page().value("redis_exporter_storage_removed_rows", table="events"), 0, "rows removed at first")
    site.stop(daemon)
    site.add_old_events(40, first)
    daemon = site.start()
    check.equal(site.success(daemon), first, "the success of before the restart")
    check.until(lambda: daemon.page().named("redis_up"), 20, "the server is polled")
    site.stop(daemon)
    check.equal(len(site.results()), 1, "results before the next turn")
    # Its turn comes again a quarter of an hour later.
    site.clock.set(900)
    daemon = site.start()
    site.await_success(daemon, after=first)
    page = daemon.page()
    check.equal(page.value("redis_exporter_storage_removed_rows", table="events"), 40, "rows removed")
    check.equal(page.value("redis_exporter_job_runs_total", task="retention", outcome="succeeded"), 1, "runs")
    check.equal(page.value("redis_exporter_job_running", task="retention"), 0, "running")
    check.equal(site.rows("SELECT count(*) FROM events WHERE node = 'old'"), [(0,)], "old events")
    outcome, report, _ = site.results()[-1]
    check.equal((outcome, json.loads(report)["numbers"]["events"]), ("succeeded", 40), "the result")
    site.stop(daemon)


def check_kill_in_a_run(check: Check) -> None:
    """Kill -9 in the middle of a run: the next start says that it was cut off, waits a minute, and then runs it."""
    site = Site(check)
    daemon = site.start()
    first = site.await_success(daemon)
    site.stop(daemon)
    # So many that it takes a while to remove them.
    site.add_old_events(300_000, first)
    site.clock.set(1000)
    daemon = site.start()
    check.until(lambda: site.rows(f"SELECT 1 FROM facts WHERE key = '{MARK}'"), 30, "the run begins", pause=0.002)
    site.stop(daemon, signal.SIGKILL)
    check.that(site.rows(f"SELECT 1 FROM facts WHERE key = '{MARK}'"), "the run had ended before the kill")
    check.equal(site.rows("SELECT count(*) FROM events WHERE node = 'old'"), [(300_000,)], "events after the kill")
    daemon = site.start()
    check.until(lambda: len(site.results()) == 2, 20, "the run that was cut off has a result")
    check.equal(site.results()[-1][0], "interrupted", "its outcome")
    check.that("cut off by the end of the process" in daemon.output(), "the log says nothing of it")
    check.equal(site.rows(f"SELECT 1 FROM facts WHERE key = '{MARK}'"), [], "the mark of the run")
    check.equal(site.success(daemon), first, "the success of before")
    site.stop(daemon)
    site.clock.set(1100)
    daemon = site.start()
    site.await_success(daemon, after=first)
    check.equal(daemon.page().value("redis_exporter_storage_removed_rows", table="events"), 300_000, "rows removed")
    check.equal([one for one, _, _ in site.results()], ["succeeded", "interrupted", "succeeded"], "outcomes")
    check.equal(site.rows("PRAGMA integrity_check"), [("ok",)], "the file is whole")
    site.stop(daemon)


def check_without_a_file(check: Check) -> None:
    """Without storage.path jobs run all the same, and the log says what that means."""
    site = Site(check)
    daemon = exporters.redline(check, None, f"--config.file={site.config}", exporters.FRESH)
    site.await_success(daemon)
    check.that("results of jobs are kept in memory only" in daemon.output(), "the log does not say so")
    check.that("redis_exporter_storage_removed_rows" not in daemon.page().families, "rows are removed from no file")
    site.stop(daemon)
