"""Clients that send or read one byte a second, or leave: their slots come back, and others are served meanwhile."""

import socket
import threading
import time

from harness import awkward, exporters, http, servers
from harness.check import Check
from harness.evil import EvilRedis, Hang

TIMEOUT_SECONDS = 150
CLIENTS = 64
# The header deadline is 10 s and that of a whole response 30 s; scheduling on a busy machine comes on top.
HEADER_SECONDS = 15
RESPONSE_SECONDS = 45


class Slow:
    """Clients on threads; each ends when the server closes, or when `stop` is called."""

    def __init__(self, check: Check, client):
        self.stopping = threading.Event()
        self.open = CLIENTS
        self._lock = threading.Lock()
        check.closing.callback(self.stopping.set)
        for index in range(CLIENTS):
            threading.Thread(target=self._run, args=(client, index), daemon=True).start()

    def _run(self, client, index: int) -> None:
        try:
            client(self.stopping, index)
        except OSError:
            pass
        finally:
            with self._lock:
                self.open -= 1


def served_meanwhile(check: Check, exporter: exporters.Exporter) -> None:
    for _ in range(5):
        response = exporter.get()
        check.equal(response.status, 200, "the status of a scrape meanwhile")
        check.that(response.seconds < 2, f"a scrape meanwhile took {response.seconds:.2f} s")


def back_to_baseline(check: Check, exporter: exporters.Exporter, baseline: int, seconds: float) -> None:
    check.until(lambda: exporter.descriptors() <= baseline + 1, seconds,
                f"descriptors are back at {baseline}", pause=0.25)


def check_slow_senders(check: Check) -> None:
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url)
    exporter.page()
    baseline = exporter.descriptors()

    def client(stopping: threading.Event, index: int) -> None:
        with http.connect(exporter.port, seconds=60) as connection:
            for byte in http.request_bytes("/metrics", headers={"X-Filler": "x" * 200}):
                connection.sendall(bytes([byte]))
                if stopping.wait(1):
                    return

    slow = Slow(check, client)
    time.sleep(2)
    served_meanwhile(check, exporter)
    check.until(lambda: slow.open == 0, HEADER_SECONDS, "the server gave up on every slow sender")
    back_to_baseline(check, exporter, baseline, 3)


def check_slow_readers(check: Check) -> None:
    """Readers with a tiny window ask for a page that no socket buffer holds, and read one byte a second."""
    server = servers.RedisServer(check, *awkward.server_options(check))
    with server.client() as redis:
        for index in range(2500):
            redis.send("SET", f"key:{index}:" + "x" * 700, index)
        for _ in range(2500):
            redis.read()
    exporter = exporters.redline(check, server.url, "--check-keys=db0=key:*", "--keywork.duty-ratio=0.5")
    check.until(lambda: len(exporter.get().body) > 4_000_000, 60, "the page has more than 4 MB", pause=1)
    baseline = exporter.descriptors()
    before = exporter.rss_bytes()

    def client(stopping: threading.Event, index: int) -> None:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(60)
            connection.connect(("127.0.0.1", exporter.port))
            connection.sendall(http.request_bytes("/metrics"))
            while connection.recv(1) and not stopping.wait(1):
                pass

    Slow(check, client)
    time.sleep(2)
    served_meanwhile(check, exporter)
    grown = exporter.rss_bytes() - before
    check.that(grown < 150_000_000, f"64 slow readers cost {grown / 1e6:.0f} MB")
    check.that(exporter.descriptors() >= baseline + CLIENTS // 2, "the slow readers hold their slots at first")
    # The kernel goes on feeding a reader after the server hung up, so only the server's side tells.
    back_to_baseline(check, exporter, baseline, RESPONSE_SECONDS)


def check_leavers(check: Check) -> None:
    """Clients that hang up while their answer waits for a Redis that never answers."""
    def hang(*_):
        raise Hang

    evil = EvilRedis(check, hang)
    exporter = exporters.redline(check, evil.url, exporters.FRESH, "--connection-timeout=2s")
    exporter.get()
    baseline = exporter.descriptors()
    for _ in range(3):
        for _ in range(CLIENTS):
            connection = http.connect(exporter.port)
            connection.sendall(http.request_bytes("/metrics"))
            connection.close()
        time.sleep(0.2)
    check.equal(exporter.get("/health").status, 200, "/health meanwhile")
    evil.turn_good()
    back_to_baseline(check, exporter, baseline, 10)
    check.until(lambda: exporter.page().value("redis_up") == 1, 10, "redis_up 1 afterwards")


def check_too_few_descriptors(check: Check) -> None:
    """Not enough descriptors for the limits is a startup error that shows the sum, not a crash under load."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, open_files=80, wait=False)
    code = exporter.wait(5)
    check.that(code > 0, f"the exit code is {code}")
    words = exporter.output()
    check.that("80" in words and sum(part.strip("=+(),.:").isdigit() for part in words.split()) >= 3,
               f"the message shows the arithmetic: {words!r}")


def check_more_clients_than_slots(check: Check) -> None:
    """Four hundred idle connections: the process lives, and serves again as soon as they are gone."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url)
    connections = []
    for _ in range(400):
        try:
            connections.append(http.connect(exporter.port, seconds=2))
        except OSError:
            break
    time.sleep(0.5)
    for connection in connections:
        connection.close()
    check.until(lambda: exporter.get("/health").status == 200, 5, "/health answers again")
