"""How often rules lie in an ordinary week, and what they see of faults.

    Tests/bench/run --precision [--brief] [--only NAME]... [--keep FILE] [--replay FILE]...

Real servers are recorded, and real rules judge the recording. Every event of an ordinary week (precision_week.py) is played
at its true speed on the lab, beside traffic, while a scraper takes Redline's page every five seconds; after each come
the hourly dump and some seconds of quiet. The faults of the lab follow. What was recorded is then laid out
over the week (precision_layout.py), without the hours of a quiet beyond two: quiet and what lasts is repeated, counters
go on. Redline and Prometheus evaluate the unchanged rules over that every 15 s, with their true windows
and waits; Prometheus's rule engine runs in promtool, with the labels that a scrape gives and with markers where a series
ended or a scrape was missed. The published rule files of Tests/bench/published are judged on the same samples.

An alert with severity critical, page or error is a page, warning or ticket a ticket. What begins within a fault, or in the
quarter of an hour after it, tells of it. Anything else is false, unless the event's line in the table names the alert.
Alerts of one name and workload that begin within five minutes count once, as one notification.

What it does not measure: alerts on error budgets, which need days as they are; a night that differs from a day, but for what the table plays; load of true size; how soon within
an interval an alert is sent (`--page` does); inhibition in Alertmanager. A Redline that restarts begins
without history here, while one with storage keeps a sample a minute.
Times are as exact as the interval. The order and the times of events are fixed, and so is the seed of what is random here;
servers and schedulers are not.

Prints progress on standard error and Markdown tables on standard output. `--keep` leaves the recording in a file;
`--replay` judges such files, without a lab.
"""

import argparse
import contextlib
import dataclasses
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
from precision_judge import (  # noqa: E402
    HEADINGS, Firing, Laid, Occasion, by_alert, by_fault, by_prometheus, by_redline, notifications,
    occasion_of, scores, summary)
from precision_layout import (  # noqa: E402
    HOUR, RENEWED_SCRAPES, STEP_SECONDS, Layout, Stretch, kind_of, notation, sliced, steps, values)
from precision_record import Recording, Site, words_of_rules  # noqa: E402
from precision_week import FAULTS, WEEK, Happening  # noqa: E402

SEED = 27
OWN = sorted(ALERTS.glob("*.yml"), key=lambda file: (file.name != "objectives.yml", file.name))
META = sorted((ALERTS / "meta").glob("*.yml"))
PUBLISHED = sorted((HERE / "published").glob("*.yml"))
# What the target is called where they are published.
SERVICES = {"bitnami_redis": "myredis-metrics"}
# A longer quiet repeats the same seconds once more.
QUIET_SECONDS = 2 * HOUR
# From the end of a fault to the next one, and at least from an event to the next one.
GAP_SECONDS = 45 * 60
PATIENCE_SECONDS = 3600
BY_REDLINE, BY_PROMETHEUS = "alerts/ in Redline", "alerts/ in Prometheus"
TABLE = {one.name: one for one in WEEK + FAULTS}


def lay_out(recording: Recording) -> tuple[Layout, list[Occasion], tuple[float, ...]]:
    """An event at its time of the week, where a quiet is not cut for its length; then each fault. The last of what is
    returned is when the daemon lost its history."""
    layout, occasions, cuts = Layout(), [], []
    # What belongs together: an event with the quiet after it. The first has none.
    chapters: list[tuple[Happening | None, dict[str, Stretch]]] = [(None, {})]
    for part in recording.parts:
        if part.owner is not None and (chapters[-1][0] is None or chapters[-1][0].name != part.owner):
            chapters.append((TABLE[part.owner], {}))
        chapters[-1][1][part.role] = recording.quiet(part.stretch) if part.role == "calm" else part.stretch
    for index, (happening, stretches) in enumerate(chapters):
        following = chapters[index + 1][0] if index + 1 < len(chapters) else None
        if happening is not None:
            begin = layout.end
            if happening.forgets:
                cuts.append(begin)
            layout.play(stretches["begin"])
            if "hold-save" in stretches:
                layout.play(stretches["hold-save"])
            if "hold" in stretches:
                layout.play_hours(stretches["hold"], stretches.get("hold-save"),
                                  max(stretches["hold"].seconds, happening.holds_minutes * 60))
            layout.play(stretches["end"])
            occasions.append(Occasion(happening.text, happening.is_fault, happening.told, begin, layout.end))
        if happening is None or following is None or following.is_fault:
            length = GAP_SECONDS
        else:
            apart = (following.hour - happening.hour) * HOUR - happening.holds_minutes * 60
            length = min(max(apart, GAP_SECONDS), QUIET_SECONDS)
        layout.play(stretches["settle"])
        layout.play(stretches["save"])
        layout.play_hours(stretches["calm"], stretches["save"], length)
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
    # The first quiet needs a minute before it that shows what goes on by itself.
    check.until(lambda: len(site.recorder.recording.times) > RENEWED_SCRAPES, 120, "pages are taken")
    site.record_calm("the start")
    for happening in chosen:
        try:
            site.record(happening)
        except (Failed, OSError, ReplyError, RuntimeError) as error:
            progress(f"  left out, since it went wrong: {happening.name}: {error}")
            site.forget(happening)
    site.recorder.stop()
    return site.recorder.recording


def shifted(one, seconds: float):
    return dataclasses.replace(one, begin=one.begin + seconds, end=one.end + seconds)


def judge(check: Check, recording: Recording, layout: Layout, cuts: tuple[float, ...]) -> dict[str, list[Firing]]:
    """By who judges, and by what."""
    folder = check.folder
    own = words_of_rules(OWN + META)
    ours = write_series(folder, "redline", recording, layout, own, 'job="redline"', polls_itself=True, cuts=cuts)
    theirs = write_series(folder, "prometheus", recording, layout, own, 'job="redline"')
    published = {}
    for pack in PUBLISHED:
        labels = f'job="redis",service="{SERVICES.get(pack.stem, "myredis")}"'
        published[pack.stem] = write_series(folder, pack.stem, recording, layout, words_of_rules([pack]), labels)
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
            run(pack.stem, lambda pack=pack: by_prometheus(check, published[pack.stem], [pack], PATIENCE_SECONDS))

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
    faults = [one for one in occasions if one.is_fault]
    titles = [BY_REDLINE, BY_PROMETHEUS, *(pack.stem for pack in PUBLISHED)]
    judged = {title: scores(found[title], occasions) for title in titles}
    for title, by_name in judged.items():
        for name, score in sorted(by_name.items()):
            for one in notifications(score.false):
                near = occasion_of(one, occasions)
                progress(f"  {title}: false {one.kind} {name} {one.label('instance')} {one.subject} "
                         f"at {one.begin / HOUR:.2f} h for {(one.end - one.begin) / 60:.0f} min, "
                         f"{f'{one.begin - near.begin:.0f} s after: {near.text}' if near else 'at the start'}")
        seen = {fault for score in by_name.values() for fault in score.seconds}
        for one in faults:
            if one.text not in seen:
                progress(f"  {title}: not told: {one.text}")
    own, theirs = [judged[BY_REDLINE], judged[BY_PROMETHEUS]], [judged[pack.stem] for pack in PUBLISHED]
    return "\n\n".join([
        table([f"{len(occasions) - len(faults)} events and {len(faults)} faults in {hours:.0f} h", *HEADINGS, "faults paged",
               "seconds to that, median"], summary(judged, len(faults))),
        table(["alerts/, Redline / Prometheus where they differ", "", *HEADINGS], by_alert(own, len(faults))),
        table(["fault", "first page of alerts/", "first ticket of alerts/", "first of all published rules"],
              by_fault(own[0], theirs, [one.text for one in faults])),
        *(table([pack.stem, "", *HEADINGS], by_alert([one], len(faults))) for pack, one in zip(PUBLISHED, theirs) if one)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--brief", action="store_true",
                        help="some of the events and of the faults: about ten minutes, where all take an hour and a half")
    parser.add_argument("--only", action="append", metavar="NAME", help="these of the table, by their functions' names")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FILE", help="leave the recording here")
    parser.add_argument("--replay", action="append", type=pathlib.Path, metavar="FILE",
                        help="judge this recording, and record nothing; several are judged one after another")
    options = parser.parse_args()
    chosen = [one for one in WEEK + FAULTS
              if (one.is_brief or not options.brief) and (not options.only or one.name in options.only)]
    if unknown := set(options.only or ()) - {one.name for one in chosen}:
        parser.error(f"--only: no such line in the table: {', '.join(sorted(unknown))}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-precision."))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if options.replay:
            recordings = [Recording.read(path) for path in options.replay]
        else:
            check = Check(folder)
            with check.closing:
                recordings = [record(check, chosen)]
            if options.keep:
                recordings[0].write(options.keep)
        found: dict[str, list[Firing]] = {}
        occasions: list[Occasion] = []
        begin = 0.0
        for recording in recordings:
            layout, own_occasions, cuts = lay_out(recording)
            judging = Check(folder)
            with judging.closing:
                for title, firings in judge(judging, recording, layout, cuts).items():
                    found.setdefault(title, []).extend(shifted(one, begin) for one in firings)
            occasions += [shifted(one, begin) for one in own_occasions]
            begin += layout.end
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report(found, occasions, begin / HOUR))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
