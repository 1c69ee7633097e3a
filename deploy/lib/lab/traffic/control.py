"""Starting and stopping the traffic, and what it last reported."""

import json
import signal
import sys
import time

from ..place import Place
from ..terminal import await_true, step

RATE = 60
RATE_LIMIT = 2000
REPORT_SECONDS = 1.0


def start(place: Place, rate: int | None) -> None:
    """Starts it unless it runs, at the rate that it had last; another rate restarts it."""
    if place.traffic.pid is not None and rate is not None and rate != running_rate(place):
        stop(place)
    if place.traffic.pid is not None:
        place.traffic.signal(signal.SIGCONT)
        return
    chosen = rate or running_rate(place) or RATE
    with step(f"Starting traffic, {chosen} commands a second for each workload"):
        place.traffic_report.unlink(missing_ok=True)
        place.traffic.start([sys.executable, "-m", "lab.traffic", str(place.folder), str(chosen)],
                            place.folder / "traffic.log", place.folder)
        await_true(lambda: place.traffic.pid is None or place.traffic_report.exists(), 10, "traffic has begun")
        await_true(lambda: place.traffic.pid, 0, f"traffic runs (its words are in {place.folder / 'traffic.log'})")


def stop(place: Place) -> None:
    if place.traffic.pid is not None:
        with step("Stopping traffic"):
            place.traffic.stop(3)
    place.traffic.record.unlink(missing_ok=True)


def report(place: Place) -> dict:
    try:
        return json.loads(place.traffic_report.read_text())
    except (FileNotFoundError, ValueError):
        return {}


def running_rate(place: Place) -> int | None:
    """That of the last report, be it of a process that has ended since."""
    return report(place).get("rate")


def summary(place: Place) -> str:
    if place.traffic.pid is None:
        return "off"
    if place.traffic.is_stopped:
        return "hung"
    seen = report(place)
    if not seen:
        return "starting"
    parts = []
    for name, counts in seen["workloads"].items():
        text = f"{name} {counts['per_second']:.0f}/s"
        if lookups := counts.get("hits", 0) + counts.get("misses", 0):
            text += f" ({counts['hits'] / lookups:.0%} hits)"
        if counts["failed_recently"]:
            text += f" (just failed: {counts['last_error']})"
        parts.append(text)
    age = time.time() - seen["time"]
    return ", ".join(parts) + (f" ({age:.0f} s ago)" if age > 3 * REPORT_SECONDS else "")
