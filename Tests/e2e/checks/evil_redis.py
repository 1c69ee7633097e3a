"""A Redis that lies, stalls or floods: /metrics answers on time, memory stays bounded, and recovery is immediate."""

import os
import random
import signal
import time

from harness import exporters, servers
from harness.check import Check
from harness.evil import GOOD_INFO, EvilRedis, Hang, bulk, close, good, reset
from harness.exposition import Page

TIMEOUT_SECONDS = 60
DEADLINE_SECONDS = 1.0
# A scrape may first wait for a poll that was under way before it asked, then for one of its own.
SCRAPE_SECONDS = 2 * DEADLINE_SECONDS
# Scheduling on a busy machine.
MARGIN_SECONDS = 0.6
RSS_LIMIT_BYTES = 150_000_000


def scrape_in_time(check: Check, exporter: exporters.Exporter) -> Page:
    response = exporter.get(headers={"X-Prometheus-Scrape-Timeout-Seconds": "5"})
    check.that(response.seconds < SCRAPE_SECONDS + MARGIN_SECONDS, f"/metrics took {response.seconds:.2f} s")
    check.equal(response.status, 200, "the status of /metrics")
    check.that(exporter.rss_bytes() < RSS_LIMIT_BYTES, f"resident memory is {exporter.rss_bytes() / 1e6:.0f} MB")
    return Page(response.text)


def ordeal(check: Check, server: EvilRedis, up: tuple[float, ...] = (0,)) -> Page:
    """One scrape of the evil server within the deadline, then a healthy one as soon as it turns good."""
    exporter = exporters.redline(check, server.url, exporters.FRESH, f"--connection-timeout={DEADLINE_SECONDS}s")
    for _ in range(2):
        page = scrape_in_time(check, exporter)
        check.that(page.value("redis_up") in up, f"redis_up is {page.value('redis_up')}, expected one of {up}")
    server.turn_good()
    check.until(lambda: exporter.page().value("redis_up") == 1, 8, "redis_up 1 after the server turned good")
    check.that(exporter.rss_bytes() < RSS_LIMIT_BYTES, f"resident memory is {exporter.rss_bytes() / 1e6:.0f} MB")
    return page


def on_info(reply: bytes, then=None):
    """Answers INFO with these bytes and everything else well; `then` is called after the bytes went out."""

    def behave(connection, words):
        if words[0].upper() != b"INFO":
            return good(words)
        connection.sendall(reply)
        if then:
            then(connection)
        return None

    return behave


def hang(_connection) -> None:
    raise Hang


def info_plus(*lines: bytes) -> bytes:
    return bulk(GOOD_INFO + b"\r\n".join(lines) + b"\r\n")


def check_good(check: Check) -> None:
    """The fake itself is healthy when it is told to be: otherwise the other checks would prove nothing."""
    ordeal(check, EvilRedis(check), up=(1,))


def check_half_reply(check: Check) -> None:
    ordeal(check, EvilRedis(check, on_info(bulk(GOOD_INFO)[:200], hang)))


def check_giant_bulk_length(check: Check) -> None:
    for length in (b"9223372036854775807", b"2147483647", b"536870913", b"-2", b"99999999999999999999999"):
        ordeal(check, EvilRedis(check, on_info(b"$" + length + b"\r\nabc", hang)))


def check_giant_array_length(check: Check) -> None:
    for length in (b"2147483647", b"9223372036854775807", b"1048577", b"-5"):
        ordeal(check, EvilRedis(check, on_info(b"*" + length + b"\r\n", hang)))


def check_deep_nesting(check: Check) -> None:
    ordeal(check, EvilRedis(check, on_info(b"*1\r\n" * 200_000, hang)))


def check_wide_nesting(check: Check) -> None:
    """Arrays that promise a million arrays each, seven deep."""
    ordeal(check, EvilRedis(check, on_info(b"*1000000\r\n" * 7 + b":1\r\n" * 100_000, hang)))


def check_wrong_type_of_info(check: Check) -> None:
    for reply in (b":42\r\n", b"*0\r\n", b"*-1\r\n", b"$-1\r\n", b"+OK\r\n", b"-ERR no\r\n", b"*2\r\n:1\r\n$1\r\na\r\n"):
        ordeal(check, EvilRedis(check, lambda _, words, reply=reply: reply if words[0].upper() == b"INFO" else good(words)))


def check_wrong_type_of_everything_else(check: Check) -> None:
    """INFO is good; every other command gets a reply of a type that it never has. Redis is up, the page is sane."""
    nested = b"*2\r\n*2\r\n*0\r\n$-1\r\n*1\r\n*1\r\n:1\r\n"
    for reply in (b":-42\r\n", b"*0\r\n", b"*-1\r\n", b"$-1\r\n", b"$0\r\n\r\n", nested, b"*3\r\n:1\r\n:2\r\n:3\r\n",
                  b"*1\r\n-ERR inside\r\n", b"+OK\r\n", bulk(b"\xff\xfe\x00")):
        server = EvilRedis(check, lambda _, words, reply=reply: good(words) if words[0].upper() == b"INFO" else reply)
        page = ordeal(check, server, up=(1,))
        check.equal(page.value("redis_connected_clients"), 3, "redis_connected_clients")


def check_wrong_type_on_a_sentinel(check: Check) -> None:
    info = b"# Server\r\nredis_version:7.0.15\r\nredis_mode:sentinel\r\n# Sentinel\r\nsentinel_masters:1\r\n" \
        b"master0:name=m,status=ok,address=127.0.0.1:1,slaves=0,sentinels=1\r\n"
    for reply in (b":1\r\n", b"*1\r\n:1\r\n", b"*1\r\n*3\r\n:1\r\n:2\r\n:3\r\n", b"*1\r\n*-1\r\n", b"$-1\r\n"):
        server = EvilRedis(check, lambda _, words, reply=reply: bulk(info) if words[0].upper() == b"INFO" else reply)
        ordeal(check, server, up=(1,))


def check_binary_garbage(check: Check) -> None:
    noise = random.Random(7)
    for _ in range(4):
        ordeal(check, EvilRedis(check, on_info(noise.randbytes(10_000), hang)))


def check_one_byte_per_second(check: Check) -> None:
    def drip(connection, words):
        if words[0].upper() == b"INFO":
            for byte in bulk(GOOD_INFO):
                connection.sendall(bytes([byte]))
                time.sleep(1)
        return good(words)

    ordeal(check, EvilRedis(check, drip))


def check_reset_in_mid_reply(check: Check) -> None:
    ordeal(check, EvilRedis(check, on_info(bulk(GOOD_INFO)[:100], reset)))


def check_close_in_mid_reply(check: Check) -> None:
    ordeal(check, EvilRedis(check, on_info(bulk(GOOD_INFO)[:100], close)))


def check_never_answering(check: Check) -> None:
    ordeal(check, EvilRedis(check, lambda *_: hang(None)))


def check_accept_and_close(check: Check) -> None:
    ordeal(check, EvilRedis(check, accepted=close))


def check_accept_and_reset(check: Check) -> None:
    ordeal(check, EvilRedis(check, accepted=reset))


def check_not_redis(check: Check) -> None:
    """A web server's greeting before anything was asked."""
    greeting = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    ordeal(check, EvilRedis(check, accepted=lambda connection: connection.sendall(greeting)))


def check_unasked_replies(check: Check) -> None:
    """More replies than questions: the surplus must not be taken for the answers of the next poll."""
    surplus = b"+OK\r\n" * 10_000
    ordeal(check, EvilRedis(check, lambda _, words: good(words) + surplus), up=(0, 1))


def check_giant_info(check: Check) -> None:
    line = b"field_%08d:" + b"x" * 80
    content = GOOD_INFO + b"\r\n".join(line % number for number in range(500_000))
    ordeal(check, EvilRedis(check, on_info(bulk(content))), up=(0, 1))


def check_a_million_cluster_names(check: Check) -> None:
    content = GOOD_INFO + b"\r\n".join(b"cluster_%07d:%d" % (number, number) for number in range(1_000_000))
    page = ordeal(check, EvilRedis(check, on_info(bulk(content))), up=(0, 1))
    check.that(len(page.families) < 20_000, f"the page has {len(page.families)} families")


def check_dirty_info(check: Check) -> None:
    """Invalid UTF-8, quotes, backslashes, control bytes, lines twice, lines without a colon: still a strict page."""
    dirty = info_plus(
        b"os:Linux \"quoted\" back\\slash \xff\xfe\xc3", b"os:again", b"redis_version:7.0.15", b"no colon here", b":", b"::",
        b"connected_clients:12abc", b"used_memory:NaN", b"cmdstat_\xff\"\\:calls=1,usec=2,usec_per_call=2.00",
        b"cmdstat_get:calls=1,usec=2,usec_per_call=2.00", b"cmdstat_get:calls=3,usec=4,usec_per_call=2.00",
        b"cmdstat_:calls=,usec=,", b"cmdstat_x:calls", b"errorstat_\"\\\xfe:count=1", b"errorstat_:count=", b"db0:keys=1",
        b"db99999999999999999999:keys=1,expires=0,avg_ttl=0", b"db:keys=1", b"dbx:keys=1,expires=1,avg_ttl=1",
        b"latency_percentiles_usec_get:p50=1.003,p99=x,p99.9=", b"latency_percentiles_usec_:", b"cluster_\xff-odd name:1",
        b"cluster_ok:fail", b"slave0:ip=,port=,state=,offset=,lag=", b"slave1:ip=\xff,port=\"1\",state=online,offset=-1,lag=9",
        b"slave0:ip=1,port=2,state=online,offset=3,lag=4", b"master_host:\"\\\xff", b"# Section\x00", b"module:name=\xff\",ver=1")
    ordeal(check, EvilRedis(check, on_info(dirty)), up=(1,))


def check_endless_errors(check: Check) -> None:
    def flood(connection):
        while True:
            connection.sendall(b"-ERR no\r\n" * 1000)

    ordeal(check, EvilRedis(check, on_info(b"", flood)))


def check_error_text_is_no_label(check: Check) -> None:
    """Error texts of a hostile server never become label values: they would be unbounded."""
    number = iter(range(10_000))
    server = EvilRedis(check, lambda _, words: b"-ODD-%d secret text\r\n" % next(number))
    exporter = exporters.redline(check, server.url, exporters.FRESH, f"--connection-timeout={DEADLINE_SECONDS}s")
    for _ in range(3):
        page = scrape_in_time(check, exporter)
        labels = {dict(labels).get("err") for labels in page.named("redis_exporter_last_scrape_error")}
        check.that(all(len(text or "") < 40 and "secret" not in (text or "") and "ODD" not in (text or "")
                       for text in labels), f"the error classes are {labels}")


def check_stopped_redis(check: Check) -> None:
    """A real Redis that hangs under SIGSTOP: answers on time, an exit within a second, recovery on SIGCONT."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, exporters.FRESH, f"--connection-timeout={DEADLINE_SECONDS}s")
    check.equal(exporter.page().value("redis_up"), 1, "redis_up before")
    server.process.signal(signal.SIGSTOP)
    for _ in range(2):
        check.equal(scrape_in_time(check, exporter).value("redis_up"), 0, "redis_up of a stopped Redis")
    server.process.signal(signal.SIGCONT)
    check.until(lambda: exporter.page().value("redis_up") == 1, 8, "redis_up 1 after SIGCONT")
    server.process.signal(signal.SIGSTOP)
    began = time.monotonic()
    os.kill(exporter.pid, signal.SIGTERM)
    check.equal(exporter.wait(5), 0, "the exit code on SIGTERM while Redis hangs")
    check.that(time.monotonic() - began < 1, f"the exit took {time.monotonic() - began:.2f} s")


def check_many_scrapes_of_a_hung_redis(check: Check) -> None:
    """A Redis that never answers costs no growing memory or descriptors, however often it is asked for."""
    server = EvilRedis(check, lambda *_: hang(None))
    exporter = exporters.redline(check, server.url, exporters.FRESH, "--connection-timeout=50ms")
    for _ in range(20):
        exporter.get()
    before = exporter.descriptors()
    for _ in range(100):
        exporter.get()
    check.that(exporter.descriptors() <= before + 2, f"descriptors grew from {before} to {exporter.descriptors()}")
    check.that(exporter.rss_bytes() < RSS_LIMIT_BYTES, f"resident memory is {exporter.rss_bytes() / 1e6:.0f} MB")
