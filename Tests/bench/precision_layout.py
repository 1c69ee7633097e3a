"""Recorded stretches of a fleet laid out over a longer time: pure, so that what the week holds can be looked at.

A stretch is what was scraped between two moments. The layout plays stretches in their order, some once and some again and
again: the quiet between two events, and what lasts as long as an event does. What a repeated stretch would tell wrongly is
put right, series by series:

- a counter goes on: it grows by what it grew in the recording, and falls only where it fell there;
- an age, which grows by about a second a second, goes on as well;
- a moment (a gauge that holds the time of something) is moved to where the stretch that it lies in was played last; one
  that moves on within a repeated stretch, or did so twice in the minute before, keeps its distance from now.
"""

import bisect
import dataclasses
import math
from collections.abc import Iterable, Iterator

from promql.history import number

# A scrape that is older than this was missed.
STALE_SECONDS = 8.0
HOUR = 3600.0
SCRAPE_SECONDS = 5
STEP_SECONDS = 15
# A minute: what has changed twice within it goes on to change.
RENEWED_SCRAPES = 12
SCRAPES_IN_A_STEP = STEP_SECONDS / SCRAPE_SECONDS
MISSING = None


@dataclasses.dataclass(frozen=True)
class Stretch:
    """From one moment of the recording up to another. `name` is for people."""

    name: str
    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.begin


@dataclasses.dataclass(frozen=True)
class Placement:
    """Where a stretch is played: from `begin` up to `end` of the layout, over and over if that is longer than it is."""

    stretch: Stretch
    begin: float
    end: float

    def recorded(self, moment: float) -> float:
        return self.stretch.begin + (moment - self.begin) % self.stretch.seconds

    def last_played(self, recorded: float) -> float:
        """The newest moment of this placement that plays a moment of the recording."""
        rounds = math.ceil((self.end - self.begin) / self.stretch.seconds - 1e-9) - 1
        return self.begin + rounds * self.stretch.seconds + recorded - self.stretch.begin


class Layout:
    def __init__(self) -> None:
        self.placements: list[Placement] = []
        self.end = 0.0

    def play(self, stretch: Stretch, seconds: float | None = None) -> Placement:
        """Once, or for so many seconds."""
        length = stretch.seconds if seconds is None else seconds
        placement = Placement(stretch, self.end, self.end + length)
        if length > 0:
            self.placements.append(placement)
            self.end += length
        return placement


    def play_hours(self, stretch: Stretch, hourly: Stretch | None, seconds: float) -> None:
        """Over and over, with what there is once an hour in between."""
        until = self.end + seconds
        while (left := until - self.end) > 0.001:
            self.play(stretch, min(left, HOUR))
            if hourly and left > HOUR:
                self.play(hourly)


@dataclasses.dataclass(frozen=True)
class Step:
    """One scrape of the layout: the recorded one that it plays, or none where it was missed."""

    moment: float
    scrape: int | None
    recorded: float
    placement: int
    # Played before, in this placement or an earlier one.
    is_replay: bool
    # Back in the recording, to where what is repeated begins.
    is_jump: bool


def steps(layout: Layout, times: list[float], interval: float, polls_itself: bool = False) -> list[Step]:
    """`times` are when the recording scraped, in order. Nothing is missed by what `polls_itself`: the last answer counts."""
    found: list[Step] = []
    place, played = 0, set()
    last_recorded = -math.inf
    for index in range(int(layout.end / interval)):
        moment = index * interval
        while moment >= layout.placements[place].end:
            played.add(id(layout.placements[place].stretch))
            place += 1
        placement = layout.placements[place]
        recorded = placement.recorded(moment)
        at = bisect.bisect_right(times, recorded) - 1
        is_missed = at < 0 or not polls_itself and recorded - times[at] > STALE_SECONDS
        is_replay = id(placement.stretch) in played or moment - placement.begin >= placement.stretch.seconds
        is_jump = is_replay and not last_recorded < recorded <= last_recorded + 1.5 * interval
        found.append(Step(moment, None if is_missed else at, recorded, place, is_replay, is_jump))
        last_recorded = recorded
    return found


class Moments:
    """Where moments of the recording lie in the layout."""

    def __init__(self, layout: Layout):
        self.placements = layout.placements
        self.first = min((one.stretch.begin for one in layout.placements), default=0.0)

    def placed(self, recorded: float, step: Step) -> float:
        """In seconds of the layout, as seen from a step."""
        for place in range(step.placement, -1, -1):
            one = self.placements[place]
            if one.stretch.begin <= recorded < one.stretch.end:
                if place == step.placement:
                    rounds = (step.moment - one.begin) // one.stretch.seconds
                    moment = one.begin + rounds * one.stretch.seconds + recorded - one.stretch.begin
                    return moment if moment <= step.moment or rounds == 0 else moment - one.stretch.seconds
                return one.last_played(recorded)
        if recorded < self.first:
            return recorded - self.first
        # In no stretch, or ahead of now: as far away as it was.
        return step.moment - (step.recorded - recorded)


@dataclasses.dataclass
class Kind:
    """What the values of a series are, by its name and its family's type."""

    is_counter: bool
    is_moment: bool
    may_be_age: bool


def kind_of(name: str, family_type: str) -> Kind:
    is_counter = family_type in ("counter", "histogram")
    # The value of redis_failover_info is the time of the failover.
    is_moment = not is_counter and (name.endswith(("_timestamp_seconds", "_time_seconds")) or name == "redis_failover_info")
    return Kind(is_counter, is_moment, not is_counter and not is_moment and name.endswith("_seconds"))


def values(kind: Kind, recorded: list[float | None], plan: list[Step], layout: Layout,
           begin_seconds: float = 0.0) -> Iterator[tuple[float | None, int]]:
    """The values of one series through the layout, each with how many steps in a row have it.

    `recorded` has its value at each scrape of the recording. `begin_seconds` is the time at which the layout begins.
    """
    moments = Moments(layout)
    out = last = MISSING
    index = 0
    while index < len(plan):
        first = index
        while index < len(plan) and plan[index].placement == plan[first].placement:
            index += 1
        run = plan[first:index]
        scrapes = sorted({step.scrape for step in run if step.scrape is not None})
        seen = {recorded[one] for one in scrapes} | ({MISSING} if any(step.scrape is None for step in run) else set())
        if seen == {MISSING}:
            yield MISSING, len(run)
            continue
        if len(seen) == 1 and not kind.is_moment:
            (raw,) = seen
            out = raw if out is MISSING or last is MISSING else continued(kind, out, last, raw, 0.0, run[0].is_jump)
            last = raw
            yield out, len(run)
            continue
        there = [one for one in scrapes if recorded[one] is not MISSING]
        known = [recorded[one] for one in there]
        grows = kind.is_counter or kind.may_be_age and is_growing(known, layout.placements[run[0].placement].stretch.seconds)
        # What it grows by from one step to the next, where the recording cannot say.
        usual = max(0.0, (known[-1] - known[0]) / max(1, there[-1] - there[0])) * SCRAPES_IN_A_STEP if grows else 0.0
        if all(value == int(value) for value in known if math.isfinite(value)):
            usual = float(round(usual)) if math.isfinite(usual) else 0.0
        minute = recorded[max(0, there[0] - RENEWED_SCRAPES):there[-1] + 1]
        is_moving = kind.is_moment and (len(seen) > 1 or is_renewed(minute))
        for step in run:
            raw = MISSING if step.scrape is None else recorded[step.scrape]
            if raw is MISSING:
                yield MISSING, 1
                continue
            if kind.is_moment:
                yield (raw if raw <= 0 else begin_seconds + (
                    step.moment - step.recorded + raw if is_moving and step.is_replay else moments.placed(raw, step))), 1
                continue
            if out is MISSING or last is MISSING or not grows and step.is_jump:
                out = raw
            else:
                out = continued(kind, out, last, raw, usual, step.is_jump)
            last = raw
            yield out, 1


def is_renewed(recorded: list[float | None]) -> bool:
    """A moment that moves on again and again, though perhaps not within a short stretch."""
    return len({value for value in recorded if value is not MISSING}) > 2


def is_growing(known: list[float], seconds: float) -> bool:
    """By about a second a second, without falling."""
    return (len(known) > 1 and all(left <= right for left, right in zip(known, known[1:]))
            and 0.5 * seconds <= known[-1] - known[0] <= 1.5 * seconds)


def continued(kind: Kind, out: float, last: float, raw: float, usual: float, is_jump: bool) -> float:
    """What goes on from `out` as the recording went on from `last` to `raw`."""
    if not (kind.is_counter or kind.may_be_age) or not all(map(math.isfinite, (out, last, raw))):
        return raw
    if is_jump:
        return out + usual if kind.is_counter or usual or raw == last else raw
    return out + raw - last if raw >= last else raw


def sliced(found: list[tuple[float | None, int]], first: int, last: int) -> Iterator[tuple[float | None, int]]:
    """The values of the steps from `first` up to `last`."""
    begin = 0
    for value, times in found:
        count = min(begin + times, last) - max(begin, first)
        if count > 0:
            yield value, count
        begin += times


def notation(found: Iterable[tuple[float | None, int]]) -> Iterator[str]:
    """Words of promtool's notation. A series that was there and is not any more is marked stale, as Prometheus does."""
    value: float | None = MISSING
    count = 0

    def words(value: float | None, count: int) -> Iterator[str]:
        if count == 0:
            return
        if value is MISSING:
            yield "_" if count == 1 else f"_x{count}"
        elif count == 1 or not math.isfinite(value):
            # Of a word there is no short form.
            yield from [number(value)] * count
        else:
            yield f"{number(value)}x{count - 1}"

    was_there = False
    for new, times in found:
        if count and (new == value or new is value):
            count += times
            continue
        yield from words(value, count)
        if new is MISSING and was_there:
            yield "stale"
            times -= 1
        was_there = new is not MISSING
        value, count = new, times
    yield from words(value, count)
