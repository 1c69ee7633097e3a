"""The precision part of the benchmark: how a recording is laid out and judged; the recording itself takes too long."""

import re
import sys

from checks.alert_rules import ALERTS
from harness.check import Check
from harness.paths import ROOT

BENCH = ROOT / "Tests" / "bench"
sys.path.append(str(BENCH))

import precision  # noqa: E402
import precision_judge  # noqa: E402
import precision_week  # noqa: E402
from precision_layout import Layout, Stretch, kind_of, notation, steps, values  # noqa: E402
from precision_record import Part, Recording  # noqa: E402

TIMEOUT_SECONDS = 60
# Of deploy/lab: what is no fault.
TENDING = {"up", "down", "status", "config", "traffic", "heal"}
# Commands that verify something; what a drill does to servers is a failover.
VERIFYING = {"backup", "drill", "loadtest", "ready"}
SCRAPE, STEP = 5, 15


def laid_out(name: str, kind: str, recorded: list[float | None], placed: list[tuple[int, int, float | None]]) -> list[str]:
    """The words of a series that was recorded every five seconds from 1000 on. `placed` are stretches by the first and last
    scrape and for how many seconds they are played."""
    times = [1000.0 + SCRAPE * index for index in range(len(recorded))]
    stretches: dict[tuple[int, int], Stretch] = {}
    layout = Layout()
    for first, last, seconds in placed:
        stretch = stretches.setdefault((first, last), Stretch("", 1000.0 + SCRAPE * first, 1000.0 + SCRAPE * (last + 1)))
        layout.play(stretch, seconds)
    plan = steps(layout, times, STEP)
    return list(notation(values(kind_of(name, kind), recorded, plan, layout)))


def check_what_is_repeated_goes_on(check: Check) -> None:
    """Of each kind of series: quiet for two minutes, then what happened, then quiet again."""
    quiet, event = (0, 5, 120), (6, 11, None)
    check.equal(laid_out("redis_calls_total", "counter", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [quiet, event]),
                ["0", "3", "6", "9", "12", "15", "18", "21", "24", "27"], "a counter")
    check.equal(laid_out("redis_calls_total", "counter", [9, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 1], [quiet, event]),
                ["9x8", "0"], "a counter of a server that starts again")
    check.equal(laid_out("redis_clients", "gauge", [1, 1, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5], [quiet, event]),
                ["1", "3", "1", "3", "1", "3", "1", "3", "4", "5"], "a gauge")
    check.equal(laid_out("redis_link_down_seconds", "gauge", [0, 5, 10, 15, 20, 25, 30, 35, 40, 0, 0, 0], [quiet, event]),
                ["0", "15", "30", "45", "60", "75", "90", "105", "120", "0"], "an age")
    ending = [1, 1, 1, 1, 1, 1, None, None, None, None, None, None]
    check.equal(laid_out("redis_clients", "gauge", ending, [quiet, event]), ["1x7", "stale", "_"], "a series that ends")


def check_moments_stay_where_they_were(check: Check) -> None:
    quiet, event, after = (0, 5, 120), (6, 11, None), (12, 17, 60)
    # Of the second scrape of the event, which the layout plays 125 s after its beginning.
    once = [0.0] * 7 + [1035.0] * 11
    check.equal(laid_out("redis_save_timestamp_seconds", "gauge", once, [quiet, event, after]),
                ["0x8", "125x4"], "a moment that has passed")
    now = [1000.0 + SCRAPE * index for index in range(18)]
    check.equal(laid_out("redis_server_time_seconds", "gauge", now, [quiet, event, after]),
                [str(STEP * index) for index in range(14)], "a moment that goes along")
    # Renewed every fifteen seconds, and not within the last stretch.
    renewed = [1000.0 + 15 * (index // 3) for index in range(12)] + [1055.0] * 3
    check.equal(laid_out("redis_walk_timestamp_seconds", "gauge", renewed, [(0, 11, None), (12, 14, 45)])[-3:],
                ["55", "70", "85"], "a moment that is renewed")
    # An event that is played again is another one of its kind.
    check.equal(laid_out("redis_save_timestamp_seconds", "gauge", once, [quiet, event, after, event, after]),
                ["0x8", "125x4", "0", "215x4"], "a moment of what is played twice")


def check_missed_scrapes_are_seen(check: Check) -> None:
    layout = Layout()
    layout.play(Stretch("", 1000, 1090))
    plan = steps(layout, [1000.0, 1005.0, 1010.0, 1050.0, 1055.0, 1060.0], STEP)
    check.equal([step.scrape for step in plan], [0, 2, None, None, 5, None], "the scrapes that are played")


def check_quiet_is_without_slow_probes(check: Check) -> None:
    late = [0, 0, 1, 1, 1, 1, 2, 2]
    recording = Recording([1000.0 + SCRAPE * index for index in range(8)], [
        {'redis_probe_duration_seconds_bucket{instance="a",le="0.01"}': float(10 * index),
         'redis_probe_duration_seconds_bucket{instance="a",le="+Inf"}': float(10 * index + count)}
        for index, count in enumerate(late)])
    check.equal(recording.quiet(Stretch("", 1000, 1040)), Stretch("", 1010, 1025), "the part of the quiet that is repeated")


def check_table_has_every_fault_of_the_lab(check: Check) -> None:
    lab = (ROOT / "deploy" / "lib" / "lab" / "__main__.py").read_text(encoding="utf-8")
    commands = set(re.findall(r'command\("(\w+)"', lab))
    played = set(re.findall(r'"(\w+)"', (BENCH / "precision_week.py").read_text(encoding="utf-8")))
    check.that(len(commands) > 10, f"the lab has commands: {sorted(commands)}")
    check.equal(sorted(commands - TENDING - VERIFYING - played), [], "what the lab can do and the week has not")
    table = precision_week.WEEK + precision_week.FAULTS
    check.equal(len({one.name for one in table}), len(table), "lines of the table by their names")
    names = {name for one in table for name in one.told}
    known = set(re.findall(r"alert: (\w+)", "".join(file.read_text(encoding="utf-8") for file in ALERTS.glob("*.yml"))))
    check.equal(sorted(names - known), [], "alerts that the table names and nobody knows")


def check_judgement(check: Check) -> None:
    """True is what tells of a fault or was asked for; a group of alerts is one notification."""
    occasions = [precision_judge.Occasion("upgrade", False, ("Moved",), 1000, 1100),
                 precision_judge.Occasion("kill", True, (), 9000, 9600)]

    def firing(name: str, begin: float, **labels: str) -> precision_judge.Firing:
        pairs = {"alertname": name, "severity": "critical", "workload": "cache"} | labels
        return precision_judge.Firing(tuple(sorted(pairs.items())), begin, begin + 60)

    firings = [firing("Down", 1050), firing("Down", 1065, instance="b"), firing("Moved", 1010), firing("Moved", 3000),
               firing("Down", 9030), firing("Late", 10_400, severity="warning"), firing("Later", 12_000, severity="warning"),
               firing("Told", 1000, severity="info")]
    found = precision_judge.scores(firings, occasions)
    check.equal({name: (len(score.false), len(score.told), score.seconds) for name, score in found.items()}, {
        "Down": (2, 0, {"kill": 30}), "Moved": (1, 1, {}), "Late": (0, 0, {"kill": 1400}), "Later": (1, 0, {})}, "scores")
    rows = {row[0]: row[1:] for row in precision_judge.by_alert([found, found], 1)}
    check.equal(rows["Down"], ["page", "1", "0", "0.0", "1 of 1", "30"], "the row of an alert")
    check.equal(precision_judge.summary({"rules": found}, 1),
                [["rules", "2", "1", "0.1", "1 of 1", "30", "1 of 1", "30"]], "the row of a pack")
    check.equal(precision_judge.by_fault(found, [{}], ["kill", "hang"]),
                [["kill", "Down, 30 s", "Late, 1400 s", ""], ["hang", "", "", ""]], "the rows of faults")


def check_both_judge_alike(check: Check) -> None:
    """A server that is down for ten minutes, in a recording of two: Redline and Prometheus say so at the same moment."""
    labels = 'workload="cache",instance="cache-1",environment="lab"'
    recording = Recording(types={"redis_up": "gauge"})
    fault = next(one for one in precision_week.FAULTS if one.holds_minutes == 12)
    moment = 1000.0
    quiet = (("settle", None, 15, 1), ("save", None, 15, 1), ("calm", None, 30, 1))
    for role, owner, seconds, up in (*quiet, ("begin", fault.name, 15, 1), ("hold", fault.name, 15, 0),
                                     ("end", fault.name, 15, 0), *quiet):
        recording.parts.append(Part(role, owner, Stretch(role, moment, moment + seconds)))
        for _ in range(seconds // SCRAPE):
            recording.times.append(moment)
            recording.pages.append({f"redis_up{{{labels}}}": float(up)})
            moment += SCRAPE
    path = check.folder / "recording.json"
    recording.write(path)
    read = Recording.read(path)
    check.equal(read, recording, "a recording that was written and read")
    layout, occasions, cuts = precision.lay_out(read)
    check.equal(cuts, (), "when the daemon forgot")
    rules = [ALERTS / "availability.yml"]
    laid = precision.write_series(check.folder, "prometheus", read, layout, {"redis_up"}, 'job="redline"')
    theirs = precision_judge.by_prometheus(check, laid, rules, 30)
    # In the middle of the alert, which goes on.
    laid = precision.write_series(check.folder, "redline", read, layout, {"redis_up"}, 'job="redline"', True, (3000.0,))
    check.equal([first for first, _ in laid.files], [0, 200], "the evaluations at which files begin")
    ours = precision_judge.by_redline(laid, rules, 30)
    check.equal(ours, theirs, "what fired")
    check.equal([(one.name, one.kind) for one in ours], [("RedisDown", "page")], "the alerts")
    check.equal(precision_judge.scores(ours, occasions)["RedisDown"].seconds, {fault.text: 45.0}, "seconds to the page")
