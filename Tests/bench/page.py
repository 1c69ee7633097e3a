"""How soon a fault becomes an alert, in Redline and in Prometheus with redis_exporter, side by side.

    Tests/bench/run --page [--runs N] [--scenario NAME]...

Both watch one lab (`deploy/lab`), see the same faults and tell an Alertmanager of their own, with the same group_wait of
0 s. Redline evaluates all of `alerts/*.yml` in the daemon, polls every 5 s and has an evaluation interval of 15 s, as by
default. Beside it are Debian's Prometheus, with a scrape and an evaluation every 15 s, and Debian's
prometheus-redis-exporter 1.45, asked for each server and each Sentinel by `/scrape`.

Its rules have the same `for`: RedisDown is that of the pack. RedisFailover fires when Sentinels named two addresses for
a master, as this redis_exporter exports no epochs. RedisConnectionsRejected has one condition more: a server without a
free connection refuses redis_exporter too, which opens one for each scrape and then exports no count of refusals, only
that writing failed; any failed scrape is taken as the alert, sooner than a rule that people could live with. How long
Prometheus takes depends on when a group has its turn after a scrape, which the group's name decides: there are five
groups alike, whose turns the runs count one after another. The windows of 5 and 10 minutes for which a failover and
refused connections are told are shortened on both sides, or one run could not be told from the next.

Prints progress on standard error and a Markdown table on standard output.
"""

import argparse
import math
import pathlib
import statistics
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from harness.check import Check  # noqa: E402
from harness.lab import SERVERS, Lab  # noqa: E402
from measure import progress, table, verdict  # noqa: E402
from page_faults import SCENARIOS, Scenario  # noqa: E402
from page_sides import pack, peer, redline  # noqa: E402

WARM_UP_SECONDS = 75
RATIO = 10


def worst(seconds: list[float]) -> float:
    """p99."""
    return sorted(seconds)[min(len(seconds) - 1, math.floor(len(seconds) * 0.99))]


def rows(scenario: Scenario) -> list[list[str]]:
    def row(title: str, seconds: dict[str, list[float]], p99_seconds: float | None, has_target: bool) -> list[str]:
        ours, theirs = seconds["redline"], seconds["prometheus"]
        ratio = statistics.median(theirs) / statistics.median(ours)
        targets = ([f"p99 < {p99_seconds:g} s"] if p99_seconds else []) + [f"ratio ≥ {RATIO}"]
        met = ratio >= RATIO and (p99_seconds is None or worst(ours) < p99_seconds)
        return [title, f"{statistics.median(ours):.2f} s", f"{worst(ours):.2f} s", f"{statistics.median(theirs):.1f} s",
                f"{worst(theirs):.1f} s", f"{ratio:.0f}", ", ".join(targets) if has_target else "reported",
                verdict(met if has_target else None)]

    found = [row(f"{scenario.fault} to {scenario.news}", scenario.outcome.told, scenario.p99_seconds, True)]
    if scenario.has_pages:
        found.append(row(f"{scenario.fault} to the webhook", scenario.outcome.paged, None, False))
    return found


def measure(check: Check, runs: int, kinds: list[type[Scenario]]) -> list[Scenario]:
    lab = Lab(check)
    lab.up()
    folder = pack(check)
    sides = [redline(check, lab, folder), peer(check, lab, folder)]
    for side in sides:
        check.until(lambda side=side: side.up() == SERVERS, 90, f"{side.name} sees every server", pause=1)
    progress(f"both see the lab; history for the rules' windows: {WARM_UP_SECONDS} s")
    time.sleep(WARM_UP_SECONDS)
    scenarios = [kind(check, lab, sides) for kind in kinds]
    # Each has a workload of its own, so they run beside one another.
    workers = [threading.Thread(target=scenario.work, args=(runs,)) for scenario in scenarios]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return scenarios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="faults of each kind; 20 take about 25 minutes")
    parser.add_argument("--scenario", action="append", choices=[kind.name for kind in SCENARIOS], help="these only")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs: 1 or more")
    kinds = [kind for kind in SCENARIOS if not options.scenario or kind.name in options.scenario]
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            scenarios = measure(check, options.runs, kinds)
    print(table([f"{options.runs} runs", "redline p50", "redline p99", "Prometheus p50", "Prometheus p99", "ratio of medians",
                 "target", "met"],
                [row for scenario in scenarios if scenario.outcome.told["redline"] for row in rows(scenario)]))
    if any(scenario.failure for scenario in scenarios):
        sys.exit("not all runs were made; the lines above say why")


if __name__ == "__main__":
    main()
