"""Clients that take seats, guess passwords, name other addresses or send what no client should: the others are served."""

import socket
import threading

from harness import http, servers
from harness.captured import Captured
from harness.check import Check
from harness.exporters import Exporter, redline

from .authentication import basic

TIMEOUT_SECONDS = 120
# Of a bcrypt hash of cost 10: a check takes some 70 ms.
DEAR_HASH = "$2y$10$abcdefghijklmnopqrstuu4SuEsu2LsUrAYUpWQHLMMc4GV5pZTxK"
WORD = "open sesame"


def healthy(check: Check, exporter: Exporter, while_: str) -> None:
    """Served from an address that has connections of its own, and from another."""
    for source in ("127.0.0.1", "127.0.0.9"):
        for path in ("/-/healthy", "/metrics"):
            response = from_source(exporter, source, path)
            check.equal(response.status, 200, f"{path} {while_}")
            check.that(response.seconds < 3, f"{path} took {response.seconds:.1f} s {while_}")


def from_source(exporter: Exporter, source: str, path: str) -> http.Response:
    began = http.time.monotonic()
    with socket.create_connection(("127.0.0.1", exporter.port), 20, (source, 0)) as connection:
        connection.sendall(http.request_bytes(path, headers={"Connection": "close"}))
        with connection.makefile("rb") as stream:
            return http.read_response(stream, began)


def sitting(check: Check, exporter: Exporter, sent: bytes, count: int, sources: int) -> None:
    """That many connections that say no more."""
    for index in range(count):
        connection = socket.create_connection(("127.0.0.1", exporter.port), 20, (f"127.0.0.{1 + index % sources}", 0))
        check.closing.callback(connection.close)
        try:
            connection.sendall(sent)
        except OSError:
            pass  # It has had to go already.


def check_connections_that_sit(check: Check) -> None:
    """A connection that asks for nothing, or never ends what it asks, keeps nobody out."""
    exporter = redline(check, "")
    for sent, kind in ((b"", "silent"), (b"GET / HTTP/1.1\r\nHost: a\r\n", "half a head"),
                       (b"POST /api/v1/query HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", "half a body")):
        for sources in (1, 3):
            sitting(check, exporter, sent, 600, sources)
            healthy(check, exporter, f"beside 600 connections of {sources} clients ({kind})")


def check_many_query_arguments(check: Check) -> None:
    exporter = redline(check, "")
    before = exporter.cpu_seconds()
    for path in ("/metrics", "/", "/nowhere"):
        for count in (300, 2000, 5000):
            response = exporter.get(f"{path}?{'a=b&' * count}", seconds=5)
            check.equal(response.status, 414, f"{count} arguments of {path}")
    check.equal(exporter.get("/metrics?" + "a=b&" * 200).status, 200, "200 arguments")
    check.that(exporter.cpu_seconds() - before < 1, "refusing them costs next to nothing")


def check_right_password_beside_guesses(check: Check) -> None:
    """A login that is not known yet finds its turn: from another address soon, from that of the guesses by chance."""
    config = check.file("web.yml", f'basic_auth_users:\n  reader: "{DEAR_HASH}"\n')
    exporter = redline(check, "", f"--web.config.file={config}")
    stopping = threading.Event()
    check.closing.callback(stopping.set)
    statuses: list[int] = []

    def guess(number: int) -> None:
        attempt = 0
        while not stopping.is_set():
            attempt += 1
            try:
                statuses.append(exporter.get("/health", headers=basic("reader", f"{number}-{attempt}"), seconds=30).status)
            except (OSError, ConnectionError):
                pass

    for number in range(2):
        threading.Thread(target=guess, args=(number,), daemon=True).start()
    check.until(lambda: len(statuses) > 40, 40, "the guesses use up what checks may cost")
    before, began = exporter.cpu_seconds(), http.time.monotonic()
    # Each waits in line for up to 5 s with two guesses beside it; three that miss are one case in thousands.
    tries = (exporter.get("/health", headers=basic("reader", WORD), seconds=30).status for _ in range(3))
    check.that(200 in tries, "the right password is taken from the address of the guesses")
    seconds = http.time.monotonic() - began
    check.that(exporter.cpu_seconds() - before < 0.3 * seconds + 1.5,
               f"{exporter.cpu_seconds() - before:.1f} s of computing in {seconds:.1f} s")
    check.equal(exporter.get("/health", headers=basic("reader", WORD)).status, 200, "a login that is known")
    check.that(set(statuses) <= {401, 429}, f"guesses get {set(statuses)}")


def check_requests_of_other_sites(check: Check) -> None:
    """A page of another site can have a browser send requests: they change nothing and cost nothing."""
    server = Captured(check)
    config = check.file("redline.yml", f'workloads:\n  - {{name: w, kind: queue, topology: static, seeds: ["{server.address}"]}}\n'
                                       "history: {retention: 5m, memory_mb: 16}\n")
    exporter = redline(check, None, f"--config.file={config}")
    evil = {"Origin": "http://evil.example"}
    for method, headers, status in (
            ("POST", {}, 200), ("GET", {}, 200), ("POST", evil, 403), ("POST", {"Origin": "null"}, 403), ("GET", evil, 403),
            ("GET", {"Sec-Fetch-Site": "cross-site"}, 403), ("GET", {"User-Agent": "Mozilla/5.0"}, 403),
            ("POST", {"Origin": f"http://localhost:{exporter.port}", "Host": f"localhost:{exporter.port}"}, 200)):
        check.equal(exporter.get("/-/reload", method=method, headers=headers).status, status, f"{method} /-/reload with {headers}")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for headers, status in (({}, 200), (evil, 403), ({"Sec-Fetch-Site": "cross-site"}, 403)):
        check.equal(exporter.get("/api/v1/query", method="POST", headers=form | headers, body=b"query=1").status, status,
                    f"POST of a query with {headers}")


def check_scrape_keeps_what_protects_a_password(check: Check) -> None:
    """A request can neither switch TLS off nor name another user: the general password stays here."""
    denied = {"INFO": b"-NOAUTH Authentication required.\r\n"}
    server, listed = Captured(check, answers=dict(denied)), Captured(check, answers=dict(denied))
    exporter = redline(check, f"rediss://{server.address}", "--scrape.allow=127.0.0.1",
                       environment={"REDIS_PASSWORD": "not-for-all"})
    for target in (f"redis://{server.address}", server.address, f"redis://other:@{server.address}", f"redis://{listed.address}",
                   f"redis://other:@{listed.address}"):
        page = exporter.page(f"/scrape?target={target}")
        check.equal(page.value("redis_exporter_last_scrape_error", err="credentials_withheld"), 1, f"the class for {target}")
    check.equal(server.logins + listed.logins, [], "nobody was sent a password")
    plain = redline(check, f"redis://{server.address}", environment={"REDIS_PASSWORD": "for-this-one"})
    for target in (f"redis://other:@{server.address}", f"redis://{server.address}"):
        plain.page(f"/scrape?target={target}")
    check.that(server.logins and all(words == [b"for-this-one"] for words in server.logins),
               f"only the configured address itself, as its own user, is logged in to: {server.logins}")


def check_sockets_that_a_scrape_may_name(check: Check) -> None:
    """`scrape.allow` holds for unix sockets, and what another program answers there is shown to nobody."""
    path = check.folder / "other.sock"
    asked = threading.Event()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    check.closing.callback(listener.close)

    def answer() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            asked.set()
            connection.recv(4096)
            connection.sendall(b"-ERR token=abc123 of internal-name\r\n")
            connection.close()

    threading.Thread(target=answer, daemon=True).start()
    for allowed in ("10.0.0.0/8", "/run/redis/*.sock", f"{check.folder.parent}/*", "*"):
        exporter = redline(check, "", f"--scrape.allow={allowed}")
        for target in (f"unix://{path}", f"unix://{check.folder}/../{check.folder.name}/other.sock"):
            check.equal(exporter.get(f"/scrape?target={target}").status, 403, f"{target} where {allowed} is allowed")
        exporter.stop()
    check.that(not asked.is_set(), "the socket was opened")
    exporter = redline(check, "", f"--scrape.allow={check.folder}/*.sock")
    response = exporter.get(f"/scrape?target=unix://{path}")
    check.equal(response.status, 200, "a socket that is allowed")
    check.that(asked.is_set(), "and opened")
    check.that("abc123" not in response.text + exporter.get("/").text, "what the other program said is on a page")


def check_scrape_of_many_targets(check: Check) -> None:
    """Each target that a client names costs little, and all of them together no more than is allowed."""
    server = servers.RedisServer(check)
    exporter = redline(check, "", open_files=1024)
    for number in range(400):
        check.equal(exporter.get(f"/scrape?target={server.url}/{number % 16}&check-single-keys=k{number}").status, 200,
                    "a target")
    check.that(exporter.descriptors() < 1024 - 512, f"{exporter.descriptors()} descriptors are open")
