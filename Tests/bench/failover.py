"""How long after Sentinel's +switch-master a scrape shows the failover: p50 and p99 over real failovers.

    Tests/bench/run --failover [--count N]
"""

import argparse
import contextlib
import pathlib
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from checks import fleet  # noqa: E402
from harness import http  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.resp import Redis, ReplyError  # noqa: E402
from measure import progress, table, verdict  # noqa: E402

TARGET_SECONDS = 0.1


class Announcements:
    """When each Sentinel published +switch-master. The one that leads does so last, once the replicas have turned."""

    def __init__(self, clients: list[Redis]):
        """`clients` are connections to the Sentinels, one each, with a long timeout."""
        self.times: list[float] = []
        for client in clients:
            client("SUBSCRIBE", "+switch-master")
            threading.Thread(target=self.listen, args=(client,), daemon=True).start()

    def listen(self, client) -> None:
        with contextlib.suppress(OSError, ValueError):
            while True:
                client.read()
                self.times.append(time.monotonic())

    def first_after(self, moment: float) -> float | None:
        return min((time for time in self.times if time > moment), default=None)


def failover_count(port: int) -> float:
    body = http.get(port, "/metrics?name[]=redis_failovers_total").text
    return sum(float(line.rsplit(" ", 1)[1]) for line in body.splitlines() if line and not line.startswith("#"))


def measure(check: Check, count: int) -> list[float]:
    """Seconds from the first +switch-master to the first page with the failover on it."""
    group = fleet.Group(check)
    redline = fleet.watch(check, group.config)
    check.until(lambda: len(fleet.up(redline, "carts")) == 3, 30, "all members are watched")
    time.sleep(2)
    sentinel = group.sentinels[0]
    heard = Announcements([one.client(600) for one in group.sentinels])
    delays = []
    for index in range(count):
        before, began = failover_count(redline.port), time.monotonic()

        def begun() -> bool:
            with sentinel.client() as client:
                try:
                    return client("SENTINEL", "FAILOVER", "carts") == "OK"
                except ReplyError:
                    return False

        check.until(begun, 60, "Sentinel begins a failover", pause=0.5)
        deadline = time.monotonic() + 30
        while failover_count(redline.port) == before:
            if time.monotonic() > deadline:
                raise RuntimeError("the failover is not on the page")
            time.sleep(0.001)
        shown = time.monotonic()
        published = check.until(lambda: heard.first_after(began), 10, "Sentinel publishes +switch-master", pause=0.01)
        delays.append(shown - published)
        progress(f"failover {index + 1}: {delays[-1] * 1e3:.1f} ms")
        check.until(lambda: len(heard.times) == 3 * (index + 1), 30, "every Sentinel has published", pause=0.1)
    return delays


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            delays = sorted(measure(check, options.count))
    worst = delays[min(len(delays) - 1, int(len(delays) * 0.99))]
    rows = [["+switch-master to /metrics, p50", f"{statistics.median(delays) * 1e3:.1f} ms", "reported", ""],
            ["+switch-master to /metrics, p99", f"{worst * 1e3:.1f} ms", "< 100 ms", verdict(worst < TARGET_SECONDS)]]
    print(table([f"{options.count} failovers", "redline", "target", "met"], rows))


if __name__ == "__main__":
    main()
