"""How often rules lie in an ordinary week, and what they see of faults.

    Tests/bench/run --precision [--brief] [--keep FOLDER] [--replay FOLDER]

Real servers are recorded, and real rules judge the recording. Every event of an ordinary week (precision_week.py) is played
at its true speed on the lab, beside traffic, while a scraper takes Redline's page every five seconds; after each come
the hourly dump and some seconds of quiet. The faults of the lab follow. What was recorded is then laid out
over a week of true length (precision_layout.py): events at their time of the week, quiet and what lasts repeated, counters
going on. Redline and Prometheus evaluate the unchanged rules over that every 15 s, with their true windows
and waits; Prometheus's rule engine runs in promtool, with the labels that a scrape gives and with markers where a series
ended or a scrape was missed. The published rule files of Tests/bench/published are judged on the same samples.

An alert with severity critical, page or error is a page, warning or ticket a ticket. What begins within a fault, or in the
quarter of an hour after it, tells of it. Anything else is false, unless the event's line in the table names the alert.
Alerts of one name and workload that begin within five minutes count once, as one notification.

What it does not measure: a night that differs from a day, but for what the table plays; load of true size; how soon within
an interval an alert is sent (`--page` does); inhibition in Alertmanager. A Redline that restarts begins
without history here, while one with storage keeps a sample a minute.
Times are as exact as the interval. The order and the times of events are fixed, and so is the seed of what is random here;
servers and schedulers are not.

Prints progress on standard error and Markdown tables on standard output. `--keep` leaves the series that were laid out and
what was judged in a folder; `--replay` judges such a folder again, without a lab.
"""

import argparse
import contextlib
import math
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from checks.alert_rules import ALERTS  # noqa: E402
from harness.check import Check, Failed  # noqa: E402
from harness.resp import ReplyError  # noqa: E402
from measure import progress, table  # noqa: E402
from precision_judge import Firing, Laid, Occasion, by_prometheus, by_redline, notifications, rows, scores  # noqa: E402
from precision_layout import STEP_SECONDS, Layout, Stretch, kind_of, notation, sliced, steps, values  # noqa: E402
from precision_record import Recording, Site, words_of_rules  # noqa: E402
from precision_week import FAULTS, WEEK, Happening  # noqa: E402

SEED = 27
OWN = sorted(ALERTS.glob("*.yml"), key=lambda file: (file.name != "objectives.yml", file.name))
META = sorted((ALERTS / "meta").glob("*.yml"))
PUBLISHED = sorted((HERE / "published").glob("*.yml"))
HOUR = 3600.0
# A longer quiet repeats the same seconds once more.
QUIET_SECONDS = 2 * HOUR
# From the end of a fault to the next one, and at least from an event to the next one.
GAP_SECONDS = 45 * 60
PATIENCE_SECONDS = 3600
BY_REDLINE, BY_PROMETHEUS = "alerts/ in Redline", "alerts/ in Prometheus"
TABLE = {one.name: one for one in WEEK + FAULTS}


def lay_out(recording: Recording) -> tuple[Layout, list[Occasion], tuple[float, ...]]:
    """An event at its time of the week, where a quiet is not cut for its length; then each fault. And when the daemon forgot."""
    layout, occasions, cuts = Layout(), [], []
    # What belongs together: an event with the quiet after it. The first has none.
    chapters: list[tuple[Happening | None, dict[str, Stretch]]] = [(None, {})]
    for part in recording.parts:
        if part.owner is not None and (chapters[-1][0] is None or chapters[-1][0].name != part.owner):
            chapters.append((TABLE[part.owner], {}))
        chapters[-1][1][part.role] = part.stretch if part.role != "calm" else max(
            recording.quiet(part.stretch), chapters[-1][1].get("calm", Stretch("", 0, 0)), key=lambda one: one.seconds)
    for index, (happening, stretches) in enumerate(chapters):
        following = chapters[index + 1][0] if index + 1 < len(chapters) else None
        if happening is not None:
            begin = layout.end
            if happening.forgets:
                cuts.append(begin)
            layout.play(stretches["begin"])
            if "hold" in stretches:
                layout.play(stretches["hold"], max(stretches["hold"].seconds, happening.holds_minutes * 60))
            layout.play(stretches["end"])
            occasions.append(Occasion(happening.text, happening.is_fault, happening.told, begin, layout.end))
        if happening is None or following is None or following.is_fault:
            length = GAP_SECONDS
        else:
            apart = (following.hour - happening.hour) * HOUR - happening.holds_minutes * 60
            length = min(max(apart, GAP_SECONDS), QUIET_SECONDS)
        until = layout.end + length
        layout.play(stretches["settle"])
        layout.play(stretches["save"])
        while (left := until - layout.end) > 0:
            layout.play(stretches["calm"], min(left, HOUR))
            if left > HOUR:
                layout.play(stretches["save"])
    return layout, occasions, tuple(cuts)


def write_series(folder: pathlib.Path, name: str, recording: Recording, layout: Layout, words: set[str], labels: str,
                 polls_itself: bool = False, cuts: tuple[float, ...] = ()) -> Laid:
    """Each series of the recording through the layout, a line each, with the labels of a scrape. What was before a cut
    is in another file than what comes after it."""
    plan = steps(layout, recording.times, STEP_SECONDS, polls_itself)
    edges = [0, *(math.ceil(cut / STEP_SECONDS) for cut in cuts), len(plan)]
    laid = Laid([(first, folder / f"{name}-{first}.series") for first in edges[:-1]], len(plan))
    with contextlib.ExitStack() as closing:
        files = [closing.enter_context(open(path, "w", encoding="utf-8")) for _, path in laid.files]

        def write(text: str, found: list[tuple[float | None, int]]) -> None:
            for file, first, last in zip(files, edges, edges[1:]):
                file.write(f"{text} {' '.join(notation(sliced(found, first, last)))}\n")

        for series in recording.series:
            word, _, rest = series.partition("{")
            if word not in words:
                continue
            family = next((word.removesuffix(suffix) for suffix in ("", "_bucket", "_sum", "_count")
                           if word.removesuffix(suffix) in recording.types), word)
            kind = kind_of(word, recording.types.get(family, "gauge"))
            own = rest.removesuffix("}")
            scraped = labels if 'instance="' in own else f'{labels},instance="redline:9121"'
            write(f"{word}{{{own + ',' if own else ''}{scraped}}}",
                  list(values(kind, [page.get(series) for page in recording.pages], plan, layout)))
        write(f'up{{{labels},instance="redline:9121"}}', [(float(step.scrape is not None), 1) for step in plan])
    return laid


def record(check: Check, chosen: list[Happening]) -> Recording:
    random.seed(SEED)
    site = Site(check, words_of_rules(OWN + META + PUBLISHED))
    site.recorder.start()
    check.until(lambda: site.recorder.recording.times, 30, "the first page is taken")
    site.record_calm("the start")
    for happening in chosen:
        try:
            site.record(happening)
        except (Failed, OSError, ReplyError, RuntimeError) as error:
            progress(f"  left out, since it went wrong: {happening.name}: {error}")
            site.forget(happening)
    site.recorder.stop()
    return site.recorder.recording


def judge(check: Check, recording: Recording, layout: Layout, cuts: tuple[float, ...]) -> dict[str, list[Firing]]:
    """By who judges, and by what."""
    folder = check.folder
    own = words_of_rules(OWN + META)
    ours = write_series(folder, "redline", recording, layout, own, 'job="redline"', polls_itself=True, cuts=cuts)
    theirs = write_series(folder, "prometheus", recording, layout, own, 'job="redline"')
    published = write_series(folder, "published", recording, layout, words_of_rules(PUBLISHED), 'job="redis",service="myredis"')
    progress(f"{len(recording.times)} scrapes, {theirs.count} evaluations over {layout.end / HOUR:.1f} h")
    found: dict[str, list[Firing]] = {}
    failures: list[str] = []
    is_over = threading.Event()

    def run(title: str, work) -> None:
        began = time.monotonic()
        if is_over.is_set():
            return
        try:
            found[title] = work()
            progress(f"{title}: {len(found[title])} alerts in {time.monotonic() - began:.0f} s")
        except Exception as error:
            failures.append(f"{title}: {error}")

    def in_prometheus() -> None:
        run(BY_PROMETHEUS, lambda: by_prometheus(check, theirs, OWN + META, PATIENCE_SECONDS))
        for pack in PUBLISHED:
            run(pack.stem, lambda pack=pack: by_prometheus(check, published, [pack], PATIENCE_SECONDS))

    worker = threading.Thread(target=in_prometheus, daemon=True)
    worker.start()
    try:
        run(BY_REDLINE, lambda: by_redline(ours, OWN, PATIENCE_SECONDS))
        worker.join()
    finally:
        is_over.set()
    if failures:
        raise RuntimeError("; ".join(failures))
    return found


def report(found: dict[str, list[Firing]], occasions: list[Occasion], hours: float) -> str:
    lines = []
    faults = [one for one in occasions if one.is_fault]
    for title, firings in sorted(found.items(), key=lambda pair: (pair[0] != BY_REDLINE, pair[0] != BY_PROMETHEUS, pair[0])):
        by_alert = scores(firings, occasions)
        lines += rows(title, by_alert, occasions)
        for name, score in sorted(by_alert.items()):
            for one in notifications(score.false):
                near = max((each for each in occasions if each.begin <= one.begin), key=lambda each: each.begin, default=None)
                progress(f"  {title}: false {one.kind} {name} {one.label('instance')} {one.subject} at {one.begin / HOUR:.2f} h "
                         f"for {(one.end - one.begin) / 60:.0f} min, "
                         f"{f'{one.begin - near.begin:.0f} s after: {near.text}' if near else 'at the start'}")
        seen = {fault for score in by_alert.values() for fault in score.seconds}
        for one in faults:
            if one.text not in seen:
                progress(f"  {title}: not told: {one.text}")
    events = len(occasions) - len(faults)
    return table([f"{events} events and {len(faults)} faults in {hours:.0f} h", "alert", "false pages", "false tickets",
                  "hours of them", "faults told", "seconds to it, median"], lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true", help="some of the events and of the faults: a few minutes")
    parser.add_argument("--only", action="append", metavar="NAME", help="these of the table, by the names of their functions")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FILE", help="leave the recording here")
    parser.add_argument("--replay", type=pathlib.Path, metavar="FILE", help="judge this recording, and record nothing")
    options = parser.parse_args()
    chosen = [one for one in WEEK + FAULTS if (one.is_brief or not options.brief) and (not options.only or one.name in options.only)]
    if unknown := set(options.only or ()) - {one.name for one in chosen}:
        parser.error(f"--only: no such line in the table: {', '.join(sorted(unknown))}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-precision."))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.replay:
            recording = Recording.read(options.replay)
        else:
            check = Check(folder)
            with check.closing:
                recording = record(check, chosen)
            if options.keep:
                recording.write(options.keep)
        layout, occasions, cuts = lay_out(recording)
        judging = Check(folder)
        with judging.closing:
            found = judge(judging, recording, layout, cuts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(found, occasions, layout.end / HOUR))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
