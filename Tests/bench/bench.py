"""Redline beside its peer and a bare C loop. Rounds are interleaved (A B A B) and the median round counts.

    Tests/bench/run [--rounds N] [--scrapes N] [--long]

Prints progress on standard error and a Markdown table on standard output.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from harness import exporters, http, servers  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.comparison import Comparison  # noqa: E402
from harness.evil import EvilRedis  # noqa: E402
from harness.paths import REDLINE, ROOT, tool  # noqa: E402
from harness.resp import Redis  # noqa: E402
from measure import cpu_seconds, progress, verdict  # noqa: E402

WRK_SECONDS = 4


@dataclasses.dataclass
class Round:
    """One round of sequential scrapes on one kept connection; every time in microseconds per scrape."""

    cpu: float
    redis_cpu: float
    redis_commands: float
    p50: float
    p99: float
    page_bytes: int


def scrape_round(exporter: exporters.Exporter, redis: servers.RedisServer, scrapes: int, encoding: str) -> Round:
    request = http.request_bytes("/metrics", headers={"Accept-Encoding": encoding})
    with http.connect(exporter.port) as connection, connection.makefile("rb") as stream, redis.client() as client:
        def scrape() -> http.Response:
            began = time.monotonic()
            connection.sendall(request)
            return http.read_response(stream, began)

        for _ in range(20):
            scrape()
        commands = int(client.info("stats")["total_commands_processed"])
        began, redis_began = cpu_seconds(exporter.pid), cpu_seconds(redis.process.pid)
        answers = [scrape() for _ in range(scrapes)]
        used, redis_used = cpu_seconds(exporter.pid) - began, cpu_seconds(redis.process.pid) - redis_began
        commands = int(client.info("stats")["total_commands_processed"]) - commands - 1
    if any(answer.status != 200 for answer in answers):
        raise RuntimeError(f"{exporter.name}: a scrape failed")
    seconds = sorted(answer.seconds for answer in answers)
    each = 1e6 / scrapes
    return Round(used * each, redis_used * each, commands / scrapes, seconds[scrapes // 2] * 1e6,
                 seconds[scrapes * 99 // 100] * 1e6, len(answers[-1].body))


def interleaved(measure, contestants: list, rounds: int) -> list[list]:
    """`measure` of each contestant in turn, `rounds` times; the results by contestant."""
    results: list[list] = [[] for _ in contestants]
    for _ in range(rounds):
        for index, contestant in enumerate(contestants):
            results[index].append(measure(contestant))
    return results


def median(results: list, field: str) -> float:
    return statistics.median(getattr(result, field) for result in results)


def wrk_rate(exporter: exporters.Exporter, connections: int) -> float:
    """Answers per second that wrk sees; an answer other than 200 is an error."""
    output = subprocess.run(
        [tool("wrk"), "-t1", f"-c{connections}", f"-d{WRK_SECONDS}s", "-H", "Accept-Encoding: identity",
         f"http://127.0.0.1:{exporter.port}/metrics"], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        progress(output)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def child_cpu(arguments: list[str]) -> float:
    """User and system seconds of one run of a program."""
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{arguments[0]} ended with {child.returncode}")
    return usage.ru_utime + usage.ru_stime


def poll_cost(arguments, polls: int) -> float:
    """Microseconds of CPU per poll: a long run less a run of one poll, so that starting up does not count."""
    return (child_cpu(arguments(polls)) - child_cpu(arguments(1))) / (polls - 1) * 1e6


def commands_of_a_poll(check: Check, redis: servers.RedisServer) -> list[str]:
    """What one scrape of a warm exporter sends, one command a line with tabs between its words.

    A relay between both listens in: MONITOR would leave out CONFIG, SLOWLOG and LATENCY.
    """
    heard: list[list[bytes]] = []
    upstreams: dict[socket.socket, Redis] = {}

    def pump(upstream: Redis, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := upstream.socket.recv(65536):
                connection.sendall(chunk)

    def relay(connection: socket.socket, words: list[bytes]) -> None:
        if connection not in upstreams:
            upstreams[connection] = redis.client()
            threading.Thread(target=pump, args=(upstreams[connection], connection), daemon=True).start()
        heard.append(words)
        upstreams[connection].send(*words)

    exporter = exporters.redline(check, EvilRedis(check, relay).url, exporters.FRESH)
    for _ in range(3):
        heard.clear()
        if exporter.page().value("redis_up") != 1:
            raise RuntimeError("no scrape through the relay")
    exporter.stop()
    return ["\t".join(word.decode() for word in words) for words in heard]


def load(redis: servers.RedisServer) -> None:
    """A Redis in ordinary use: some databases with keys, and statistics of some forty commands."""
    with redis.client() as client:
        for database in range(4):
            client("SELECT", database)
            for index in range(500):
                client("SET", f"key:{index}", "x" * 100, "EX", 10_000)
        for words in (["GET", "key:1"], ["LPUSH", "l", 1], ["LRANGE", "l", 0, -1], ["SADD", "s", 1], ["SMEMBERS", "s"],
                      ["HSET", "h", "f", 1], ["HGETALL", "h"], ["ZADD", "z", 1, "m"], ["ZRANGE", "z", 0, -1], ["INCR", "n"],
                      ["EXPIRE", "n", 1000], ["TTL", "n"], ["XADD", "x", "*", "a", 1], ["XLEN", "x"], ["EXISTS", "n"],
                      ["DEL", "n"], ["TYPE", "x"], ["PFADD", "p", 1], ["PFCOUNT", "p"], ["MGET", "key:1", "key:2"]):
            for _ in range(50):
                client(*words)


def memory(exporter: exporters.Exporter, scrapes: int) -> tuple[int, int]:
    """Resident and anonymous bytes after that many further scrapes on one connection."""
    request = http.request_bytes("/metrics", headers={"Accept-Encoding": "identity"})
    with http.connect(exporter.port) as connection, connection.makefile("rb") as stream:
        for _ in range(scrapes):
            connection.sendall(request)
            http.read_response(stream)
    return exporter.rss_bytes(), exporter.anonymous_bytes()


class Table:
    """Rows of measure, redline, peer, C loop, ratio, target and verdict."""

    def __init__(self):
        self.lines = ["| measure | redline | peer 1.45 | C loop | ratio | target | met |", "|---|---|---|---|---|---|---|"]

    def row(self, measure: str, ours: float, theirs: float | None, loop: float | None = None, form: str = "{:.0f}",
            ratio: float | None = None, target: str = "", met: bool | None = None) -> None:
        cells = [measure, *(form.format(value) if value is not None else "" for value in (ours, theirs, loop)),
                 f"{ratio:.2f}" if ratio is not None else "", target, verdict(met)]
        self.lines.append("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scrapes", type=int, default=1000, help="fresh scrapes in a round, at least 500")
    parser.add_argument("--long", action="store_true", help="also the memory after 100,000 scrapes")
    options = parser.parse_args()
    if options.scrapes < 500:
        parser.error("--scrapes: at least 500")
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            measure_all(check, options)


def measure_all(check: Check, options: argparse.Namespace) -> None:
    redis = servers.RedisServer(check, "databases 16")
    load(redis)
    fresh = exporters.redline(check, redis.url, exporters.FRESH)
    shared = exporters.redline(check, redis.url)
    peer = exporters.peer(check, redis.url)
    contestants = [fresh, peer]
    for exporter in (fresh, peer, shared, fresh, peer):
        exporter.page()
    ours, theirs = fresh.page(), peer.page()
    lost = Comparison().missing_series(ours, theirs)
    progress(f"series: redline {len(ours.family_of)}, peer {len(theirs.family_of)} {' '.join(lost)}")
    table = Table()

    progress("fresh scrapes, identity")
    mine, other = interleaved(lambda e: scrape_round(e, redis, options.scrapes, "identity"), contestants, options.rounds)
    cpu, peer_cpu = median(mine, "cpu"), median(other, "cpu")
    table.row("CPU per fresh scrape, µs", cpu, peer_cpu, ratio=cpu / peer_cpu, target="≤ 1/6 (0.17)", met=cpu * 6 <= peer_cpu)
    progress("fresh scrapes, gzip")
    mine_gzip, other_gzip = interleaved(lambda e: scrape_round(e, redis, options.scrapes, "gzip"), contestants, options.rounds)
    cpu, peer_cpu = median(mine_gzip, "cpu"), median(other_gzip, "cpu")
    table.row("CPU per fresh scrape with gzip, µs", cpu, peer_cpu, ratio=cpu / peer_cpu, target="reported")
    for title, field, form in (("CPU of Redis per scrape, µs", "redis_cpu", "{:.0f}"),
                               ("commands per scrape", "redis_commands", "{:.1f}")):
        a, b = median(mine, field), median(other, field)
        table.row(title, a, b, form=form, ratio=a / b, target="≤ 1", met=a <= b)
    for field in ("p50", "p99"):
        a, b = median(mine, field), median(other, field)
        table.row(f"scrape latency {field}, µs", a, b, ratio=a / b, target="reported")
    table.row("page, bytes", mine[-1].page_bytes, other[-1].page_bytes, target="reported")
    table.row("series", len(ours.family_of), len(theirs.family_of), target="≥ the peer's", met=not lost)

    progress("scrapes per second")
    a, b = (statistics.median(rates) for rates in interleaved(lambda e: wrk_rate(e, 4), contestants, options.rounds))
    table.row("fresh scrapes per second, 4 connections", a, b, ratio=a / b, target="reported")
    a, b = (statistics.median(rates) for rates in interleaved(lambda e: wrk_rate(e, 64), [shared, peer], options.rounds))
    table.row("served scrapes per second, shared polls, 64 connections", a, b, ratio=a / b, target="≥ 20", met=a >= 20 * b)

    progress("poll and parse alone")
    commands = check.file("commands", "\n".join(commands_of_a_poll(check, redis)) + "\n")
    poll, samples, loop = interleaved(lambda arguments: poll_cost(arguments, 5000), [
        lambda count: [str(REDLINE), "bench-poll", f"--redis.addr={redis.url}", "--count", str(count)],
        lambda count: [str(REDLINE), "bench-poll", f"--redis.addr={redis.url}", "--count", str(count), "--samples"],
        lambda count: [str(ROOT / ".build" / "tools" / "c_loop"), str(redis.port), str(count), str(commands)],
    ], options.rounds)
    a, b, c = (statistics.median(figures) for figures in (poll, loop, samples))
    table.row("CPU of poll and parse alone, µs", a, None, b, ratio=a / b, target="≤ 2", met=a <= 2 * b)
    table.row("CPU of poll, parse and samples, µs", c, None, b, ratio=c / b, target="reported")

    for exporter in (fresh, shared, peer):
        exporter.stop()
    measure_memory(check, redis, table, options.long)
    print("\n".join(table.lines))


def measure_memory(check: Check, redis: servers.RedisServer, table: Table, long: bool) -> None:
    """Fresh processes: what the load before left in memory does not count."""
    fresh, peer = exporters.redline(check, redis.url, exporters.FRESH), exporters.peer(check, redis.url)
    progress("memory after 10,000 scrapes")
    (rss, anonymous), (peer_rss, peer_anonymous) = memory(fresh, 10_000), memory(peer, 10_000)
    table.row("resident memory after 10,000 scrapes, MB", rss / 1e6, peer_rss / 1e6, form="{:.1f}", ratio=rss / peer_rss,
              target="reported")
    table.row("anonymous memory after 10,000 scrapes, MB", anonymous / 1e6, peer_anonymous / 1e6, form="{:.1f}",
              ratio=anonymous / peer_anonymous, target="≤ 1", met=anonymous <= peer_anonymous)
    if long:
        progress("memory after 100,000 scrapes")
        later, _ = memory(fresh, 90_000)
        table.row("resident memory after 100,000 scrapes, MB", later / 1e6, None, form="{:.1f}", ratio=later / rss,
                  target="≤ 1.05 of 10,000", met=later <= 1.05 * rss)


if __name__ == "__main__":
    main()
