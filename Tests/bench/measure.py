"""What the parts of the benchmark share: CPU clocks, quantiles, tables."""

import math
import sys
import time


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, by its CPU clock: nanoseconds where /proc/PID/stat has 10 ms."""
    return time.clock_gettime((~pid << 3) | 2)


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def quantile(share: float, buckets: dict[float, float]) -> float:
    """As PromQL's histogram_quantile: buckets by upper edge, cumulative, linear within one; NaN without observations."""
    rank = share * buckets.get(math.inf, 0)
    if rank == 0:
        return math.nan
    lower, below = 0.0, 0.0
    for edge, count in sorted(buckets.items()):
        if count >= rank:
            return lower if edge == math.inf else lower + (edge - lower) * (rank - below) / (count - below)
        lower, below = edge, count
    return lower


def table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines).replace("| --- |", "|---|").replace("--- |", "---|").replace("| ---", "|---")


def verdict(met: bool | None) -> str:
    return {None: "", True: "yes", False: "**no**"}[met]
