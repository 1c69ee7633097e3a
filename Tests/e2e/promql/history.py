"""Twenty-six hours of a small fleet as a scraper would have kept them, with faults: the same for every seed.

A signal is a function from seconds since the start to a value, or to None where there was no sample."""

import dataclasses
import math
import random
from collections.abc import Callable, Iterator

HOUR = 3600.0
LENGTH_SECONDS = 26 * HOUR
STEP_SECONDS = 60.0

Signal = Callable[[float], float | None]


@dataclasses.dataclass(frozen=True)
class Series:
    name: str
    labels: dict[str, str]
    signal: Signal

    def text(self) -> str:
        pairs = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        return f"{self.name}{{{pairs}}}"


@dataclasses.dataclass(frozen=True)
class Fault:
    """From one hour to another, counted from the start of the history."""
    begin: float
    end: float

    def __contains__(self, seconds: float) -> bool:
        return self.begin * HOUR <= seconds < self.end * HOUR


def day(seconds: float) -> float:
    """0 at night, 1 at noon."""
    return 0.5 - 0.5 * math.cos(2 * math.pi * seconds / (24 * HOUR))


def constant(value: float) -> Signal:
    return lambda seconds: value


def during(fault: Fault, inside: float, outside: float = 0) -> Signal:
    return lambda seconds: inside if seconds in fault else outside


def counter(rate: Callable[[float], float], resets: tuple[float, ...] = (), first: float = 0) -> Signal:
    """A counter that grows by `rate(seconds)` a second and begins anew at each hour of `resets`."""
    values: dict[int, float] = {}
    total = first
    for index in range(int(LENGTH_SECONDS / STEP_SECONDS) + 1):
        seconds = index * STEP_SECONDS
        if any(seconds - STEP_SECONDS < reset * HOUR <= seconds for reset in resets):
            total = 0
        values[index] = float(math.floor(total))
        total += max(0.0, rate(seconds)) * STEP_SECONDS
    return lambda seconds: values[round(seconds / STEP_SECONDS)]


def noisy(base: Callable[[float], float], share: float, seed: int) -> Signal:
    """`base` with a jitter of up to `share` of it, in whole bytes or steps."""
    dice = random.Random(seed)
    jitter = [1 + share * (2 * dice.random() - 1) for _ in range(4096)]
    return lambda seconds: float(round(base(seconds) * jitter[round(seconds / STEP_SECONDS) % 4096]))


def absent(signal: Signal, *gaps: Fault) -> Signal:
    """`signal`, without samples in the gaps."""
    return lambda seconds: None if any(seconds in gap for gap in gaps) else signal(seconds)


def only(signal: Signal, *spans: Fault) -> Signal:
    return lambda seconds: signal(seconds) if any(seconds in span for span in spans) else None


def number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def open_metrics(all_series: list[Series], start_seconds: int) -> Iterator[str]:
    """The lines of an OpenMetrics file with timestamps, family by family."""
    for series in sorted(all_series, key=lambda one: one.name):
        text = series.text()
        for index in range(int(LENGTH_SECONDS / STEP_SECONDS) + 1):
            seconds = index * STEP_SECONDS
            value = series.signal(seconds)
            if value is not None:
                yield f"{text} {number(value)} {start_seconds + int(seconds)}\n"
    yield "# EOF\n"


def notation(all_series: list[Series], length_seconds: float = LENGTH_SECONDS,
             step_seconds: float = STEP_SECONDS) -> Iterator[str]:
    """The same in promtool's notation, a series on each line."""
    for series in all_series:
        yield f"{series.text()} {values_text(series, length_seconds, step_seconds)}\n"


def values_text(series: Series, length_seconds: float, step_seconds: float) -> str:
    """Its values in promtool's notation, `_` where there is none."""
    values = (series.signal(index * step_seconds) for index in range(int(length_seconds / step_seconds) + 1))
    return " ".join("_" if value is None else number(value) for value in values)
