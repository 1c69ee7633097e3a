"""SIGTERM and SIGINT: waiting requests are answered at once and the exit code is 0 within a second."""

import signal
import threading
import time

from harness import exporters, http, servers
from harness.check import Check
from harness.evil import EvilRedis, Hang

EXIT_SECONDS = 1.0


def hang(*_):
    raise Hang


def exit_in_time(check: Check, exporter: exporters.Exporter, number: int = signal.SIGTERM) -> None:
    began = time.monotonic()
    exporter.signal(number)
    check.equal(exporter.wait(5), 0, "the exit code")
    check.that(time.monotonic() - began < EXIT_SECONDS, f"the exit took {time.monotonic() - began:.2f} s")


def check_idle(check: Check) -> None:
    server = servers.RedisServer(check)
    for number in (signal.SIGTERM, signal.SIGINT):
        exporter = exporters.redline(check, server.url)
        exporter.page()
        exit_in_time(check, exporter, number)


def check_at_once_after_start(check: Check) -> None:
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url)
    exit_in_time(check, exporter)


def check_waiting_requests_are_answered(check: Check) -> None:
    """Ten scrapes wait for a Redis that hangs; each gets a whole answer when the signal comes."""
    server = EvilRedis(check, hang)
    exporter = exporters.redline(check, server.url, exporters.FRESH, "--connection-timeout=30s")
    answers: list[http.Response | Exception] = []

    def scrape() -> None:
        try:
            answers.append(exporter.get(seconds=10))
        except (OSError, ConnectionError) as error:
            answers.append(error)

    threads = [threading.Thread(target=scrape) for _ in range(10)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    check.equal(len(answers), 0, "answers before the signal")
    exit_in_time(check, exporter)
    for thread in threads:
        thread.join(5)
    check.equal(len(answers), 10, "answers after the signal")
    for answer in answers:
        check.that(isinstance(answer, http.Response) and answer.status in (200, 503), f"an answer is {answer!r}"[:300])


def check_idle_connections_do_not_delay(check: Check) -> None:
    """Kept-alive connections and half-sent requests hold nothing up."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url)
    for index in range(20):
        connection = http.connect(exporter.port)
        check.closing.callback(connection.close)
        connection.sendall(http.request_bytes("/health") if index % 2 else b"GET /metr")
    time.sleep(0.3)
    exit_in_time(check, exporter)


def check_the_port_is_free_again(check: Check) -> None:
    """A restart on the same port right after the exit works, as an update does it."""
    server = servers.RedisServer(check)
    first = exporters.redline(check, server.url)
    first.page()
    exit_in_time(check, first)
    again = exporters.Process(check, "again", [*first.arguments])
    check.until(lambda: http.get(first.port, "/health").status == 200, 5, "the second process answers on the port")
    again.signal(signal.SIGTERM)
    check.equal(again.wait(5), 0, "the exit code")


def check_busy_port_is_an_error(check: Check) -> None:
    server = servers.RedisServer(check)
    first = exporters.redline(check, server.url)
    second = exporters.Process(check, "second", [*first.arguments])
    check.that(second.wait(5) not in (0, -6, -11), f"the exit code is {second.child.returncode}")
    check.that(str(first.port) in second.output(), f"the message names the port: {second.output()!r}")
