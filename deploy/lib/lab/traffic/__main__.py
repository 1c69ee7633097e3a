"""`python3 -m lab.traffic FOLDER RATE`: runs until it is told to stop, and reports once a second."""

import json
import os
import pathlib
import signal
import sys
import threading
import time
import traceback

from ..place import Place, write_whole
from .cache import CacheTraffic
from .control import REPORT_SECONDS
from .queues import QueuesTraffic
from .sessions import SessionsTraffic


def main() -> None:
    place, rate = Place(pathlib.Path(sys.argv[1])), int(sys.argv[2])
    told_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    threading.excepthook = end_with_words
    workers = [kind(place, rate) for kind in (CacheTraffic, SessionsTraffic, QueuesTraffic)]
    for worker in workers:
        worker.start()
    before, then = [0] * len(workers), time.monotonic()
    while not told_to_stop.wait(REPORT_SECONDS):
        now, seen = time.monotonic(), [worker.counts["commands"] for worker in workers]
        reports = {worker.name: worker.report() | {"per_second": (count - last) / (now - then)}
                   for worker, count, last in zip(workers, seen, before)}
        before, then = seen, now
        write_whole(place.traffic_report, json.dumps({"time": time.time(), "rate": rate, "workloads": reports}))


def end_with_words(failure: threading.ExceptHookArgs) -> None:
    """A worker that ends by itself is a defect: better no traffic, which shows, than a third less."""
    traceback.print_exception(failure.exc_type, failure.exc_value, failure.exc_traceback)
    os._exit(1)


main()
