"""Every path, method and encoding of the web side."""

import gzip
import json
import re
import subprocess

from harness import awkward, exporters, http, servers
from harness.check import Check
from harness.exposition import Page
from harness.paths import REDLINE

TIMEOUT_SECONDS = 60


def watched(check: Check, *flags: str, **options) -> tuple[servers.RedisServer, exporters.Exporter]:
    server = servers.RedisServer(check)
    return server, exporters.redline(check, server.url, exporters.FRESH, *flags, **options)


def check_metrics(check: Check) -> None:
    _, exporter = watched(check)
    response = exporter.get()
    check.equal(response.status, 200, "the status")
    check.that(response.headers["content-type"].startswith("text/plain; version=0.0.4; charset=utf-8"),
               f"the type is {response.headers['content-type']}")
    page = Page(response.text)
    check.equal(page.value("redis_up"), 1, "redis_up")
    check.that(len(page.families) > 150, f"the page has {len(page.families)} families")


def check_health(check: Check) -> None:
    _, exporter = watched(check)
    for path in ("/health", "/-/healthy"):
        check.equal(exporter.get(path).status, 200, path)
    check.until(lambda: exporter.get("/-/ready").status == 200, 10, "it is ready after the first poll")
    check.equal(exporter.get("/health").text.strip(), "ok", "the body of /health")


def check_health_needs_no_redis(check: Check) -> None:
    exporter = exporters.redline(check, f"redis://127.0.0.1:{check.free_port()}")
    for path in ("/health", "/-/healthy"):
        check.equal(exporter.get(path).status, 200, path)


def check_landing_page(check: Check) -> None:
    server, exporter = watched(check)
    response = exporter.get("/")
    check.equal(response.status, 200, "the status")
    check.that(response.headers["content-type"].startswith("text/html"), "the type")
    check.that("/metrics" in response.text, "the page links to the metrics")
    check.that(str(server.port) in response.text, "the page names the target")


def check_unknown_path(check: Check) -> None:
    _, exporter = watched(check)
    for path in ("/nothing", "/metrics/", "/metric", "//metrics", "/%2e%2e/etc/passwd", "/metrics%00", "/" + "a" * 3000):
        check.equal(exporter.get(path).status, 404, path[:40])


def check_methods(check: Check) -> None:
    server, exporter = watched(check)
    for method in ("DELETE", "PUT", "PATCH"):
        response = exporter.get("/metrics", method=method)
        check.equal(response.status, 405, method)
        check.that("GET" in response.headers.get("allow", ""), f"Allow is {response.headers.get('allow')!r}")
    theirs = exporters.peer(check, server.url)
    for path in ("/metrics", "/", "/health"):
        head = exporter.get(path, method="HEAD")
        check.equal((head.status, head.body), (theirs.get(path, method="HEAD").status, b""), f"HEAD of {path}")


def check_malformed_requests(check: Check) -> None:
    """Bytes that are no HTTP end in an error or a close; the process serves on."""
    _, exporter = watched(check)
    for words in (b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01", b"GET /metrics HTTP/9.9\r\n\r\n",
                  b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
                  b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"\x00" * 1000,
                  b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: " + b"a;q=" * 1000 + b"\r\nConnection: close\r\n\r\n"):
        with http.connect(exporter.port, seconds=1) as connection:
            try:
                connection.sendall(words)
                connection.recv(4096)
            except OSError:
                pass
        check.equal(exporter.get("/health").status, 200, f"/health after {words[:30]!r}")


def check_gzip(check: Check) -> None:
    _, exporter = watched(check)
    for accept, packed in (("gzip", True), ("deflate, gzip;q=0.5", True), ("identity", False), ("gzip;q=0", False), ("*", None)):
        response = exporter.get(headers={"Accept-Encoding": accept})
        if packed is not None:
            check.equal(response.headers.get("content-encoding") == "gzip", packed, f"gzip for {accept!r}")
        check.equal(Page(response.text).value("redis_up"), 1, f"redis_up for {accept!r}")
    response = exporter.get(headers={"Accept-Encoding": "gzip"})
    check.that(len(response.body) * 3 < len(gzip.decompress(response.body)), "gzip saves two thirds")


OPENMETRICS = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


def check_openmetrics(check: Check) -> None:
    """Text unless the flag is set; with it, by the weights of Accept."""
    server, plain = watched(check)
    check.that(plain.get(headers={"Accept": OPENMETRICS}).headers["content-type"].startswith("text/plain"),
               "text without the flag")
    exporter = exporters.redline(check, server.url, exporters.FRESH, "--web.enable-openmetrics")
    response = exporter.get(headers={"Accept": OPENMETRICS})
    check.that(response.headers["content-type"].startswith("application/openmetrics-text"), "OpenMetrics with the flag")
    check.that(response.text.endswith("# EOF\n"), "the page ends with # EOF")
    for accept in ("text/plain", "text/plain;q=0.9,application/openmetrics-text;q=0.2", "*/*", ""):
        kind = exporter.get(headers={"Accept": accept}).headers["content-type"]
        check.that(kind.startswith("text/plain"), f"text for {accept!r}, not {kind}")


def check_keep_alive(check: Check) -> None:
    """Many requests on one connection, also two in one write."""
    _, exporter = watched(check)
    with http.connect(exporter.port) as connection, connection.makefile("rb") as stream:
        for _ in range(20):
            connection.sendall(http.request_bytes("/metrics"))
            check.equal(http.read_response(stream).status, 200, "a kept-alive answer")
        connection.sendall(http.request_bytes("/metrics") + http.request_bytes("/health"))
        check.equal(http.read_response(stream).status, 200, "the first of two")
        check.equal(http.read_response(stream).body.strip(), b"ok", "the second of two")


def check_scrape(check: Check) -> None:
    """/scrape: another instance, a missing and a bad target, and its own parameters."""
    server, exporter = watched(check)
    other = servers.RedisServer(check, *awkward.server_options(check), "maxclients 222")
    awkward.load(check, other)
    for target in (other.url, f"127.0.0.1:{other.port}"):
        page = exporter.page(f"/scrape?target={target}")
        check.equal(page.value("redis_up"), 1, f"redis_up of {target}")
        check.equal(page.value("redis_config_maxclients"), 222, f"redis_config_maxclients of {target}")
    check.equal(exporter.page().value("redis_config_maxclients"), 10000, "redis_config_maxclients of the main target")
    check.equal(exporter.get("/scrape").status, 400, "no target")
    for bad in ("redis://127.0.0.1:99999", "ftp://127.0.0.1", "%00", "redis://[::1", "redis://127.0.0.1:-1"):
        check.equal(exporter.get(f"/scrape?target={bad}").status, 400, f"target={bad}")
    down = exporter.page(f"/scrape?target=127.0.0.1:{check.free_port()}")
    check.equal(down.value("redis_up"), 0, "redis_up of a port where nobody listens")
    check.that(exporter.page().value("redis_target_scrape_request_errors_total") >= 6, "the bad requests are counted")

    def keys() -> bool:
        page = exporter.page(f"/scrape?target={other.url}&check-single-keys=db1%3Dnumber")
        return page.value("redis_key_value", db="db1", key="number") == 41

    check.until(keys, 20, "a key of the request's own parameter")
    check.equal(server.process.child.poll(), None, "the main Redis lives")


def check_scrape_disabled(check: Check) -> None:
    server, exporter = watched(check, "--disable-scrape-endpoint")
    check.equal(exporter.get(f"/scrape?target={server.url}").status, 404, "/scrape with --disable-scrape-endpoint")


def check_scrape_withholds_credentials(check: Check) -> None:
    """The configured password never reaches a host that was not configured with it."""
    main = servers.RedisServer(check, "requirepass main-word", password="main-word")
    exporter = exporters.redline(check, main.url, exporters.FRESH, environment={"REDIS_PASSWORD": "main-word"})
    check.equal(exporter.page().value("redis_up"), 1, "redis_up of the configured target")
    stranger = servers.RedisServer(check, "requirepass main-word", password="main-word")
    page = exporter.page(f"/scrape?target={stranger.url}")
    check.equal(page.value("redis_up"), 0, "redis_up of a stranger with the same password")
    check.equal({dict(labels)["err"] for labels in page.named("redis_exporter_last_scrape_error")},
                {"credentials_withheld"}, "the error class")
    check.that("of the targets of /scrape, redis.addr alone gets the password" in exporter.output(),
               "the log says at the start what /scrape needs")
    check.until(lambda: re.search("wants a password and gets none: list its host in --scrape.allow.*--redis.password-file",
                                  exporter.output()), 5, "the log says what the stranger needs")
    with stranger.client() as redis:
        check.equal(redis.info("commandstats").get("cmdstat_auth", "").count("failed_calls=0"), 1,
                    "no failed AUTH reached the stranger")
    check.equal(exporter.page(f"/scrape?target={main.url}").value("redis_up"), 1, "redis_up of the configured host by /scrape")
    tried_beforehand(check, main, stranger)


def tried_beforehand(check: Check, main: servers.RedisServer, stranger: servers.RedisServer) -> None:
    """`check access --scrape` says of each target what /scrape does, and what it lacks."""
    gone = f"redis://127.0.0.1:{check.free_port()}"
    targets = check.file("targets.txt", f"# mine\n{main.url}\n\n{stranger.url}\n{gone}\nredis://:typed-word@[\n")
    flags = (f"--redis.addr={main.url}",)
    told = tried(check, targets, *flags)
    check.equal(told.returncode, 3, f"the exit status with one that is gone ({told.stdout}{told.stderr})")
    for words in ("GOOD 1: logged in", "REFUSED 1: it wants a password and gets none: list its host in --scrape.allow",
                  "CANNOT BE REACHED 1: ", "REFUSED 1: it is no address", "4 targets: 1 can be scraped, 2 refused, 1 cannot be reached"):
        check.that(words in told.stdout, f"{words!r} is said: {told.stdout}")
    check.that("typed-word" not in told.stdout + told.stderr, "a password in a target is not repeated")
    listed = check.file("targets.json", json.dumps([{"targets": [main.url, stranger.url], "labels": {"team": "shop"}}]))
    told = tried(check, listed, *flags, "--scrape.allow=10.0.0.0/8")
    check.equal((told.returncode, "REFUSED 2: /scrape refuses it with 403" in told.stdout), (1, True),
                f"targets that are not listed ({told.stdout}{told.stderr})")
    for flag in ("--scrape.allow=127.0.0.0/8",
                 f"--redis.password-file={check.file('passwords.json', json.dumps({stranger.url: 'main-word'}))}"):
        told = tried(check, listed, *flags, flag)
        check.equal((told.returncode, "2 targets: 2 can be scraped" in told.stdout), (0, True),
                    f"with {flag} ({told.stdout}{told.stderr})")
    check.that("main-word" not in told.stdout + told.stderr, "the password is nowhere")
    told = tried(check, check.file("empty.txt", "# none\n"))
    check.equal((told.returncode, "names no target" in told.stderr), (2, True), "a list without a target")


def tried(check: Check, targets, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(REDLINE), "check", "access", "--scrape", str(targets), *flags], capture_output=True, text=True,
                          timeout=30, env={"REDIS_PASSWORD": "main-word"})


def check_discover_cluster_nodes(check: Check) -> None:
    nodes = servers.cluster(check)
    exporter = exporters.redline(check, nodes[0].url, "--is-cluster")
    response = exporter.get("/discover-cluster-nodes")
    check.equal(response.status, 200, "the status")
    check.that(response.headers["content-type"].startswith("application/json"), "the type")
    [group] = json.loads(response.text)
    check.equal(sorted(group["targets"]), sorted(node.url for node in nodes), "the targets")
    check.equal(group["labels"], {}, "the labels")
    alone = exporters.redline(check, nodes[0].url)
    check.equal(alone.get("/discover-cluster-nodes").status, 400, "the status without --is-cluster")


def check_no_main_target(check: Check) -> None:
    """`--redis.addr=""`: only the exporter's own series on /metrics, and /scrape works."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, "", exporters.FRESH)
    check.that("redis_connected_clients" not in exporter.page().families, "no Redis series without a target")
    check.equal(exporter.page(f"/scrape?target={server.url}").value("redis_up"), 1, "redis_up by /scrape")


def check_telemetry_path(check: Check) -> None:
    _, exporter = watched(check, "--web.telemetry-path=/redis/metrics")
    check.equal(exporter.page("/redis/metrics").value("redis_up"), 1, "redis_up on the other path")
    check.equal(exporter.get("/metrics").status, 404, "/metrics")


def check_shared_polls(check: Check) -> None:
    """Within web.max-age a hundred scrapes cost Redis one poll."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, "--web.max-age=30s")
    exporter.page()
    with server.client() as redis:
        before = redis.info("stats")["total_commands_processed"]
        for _ in range(100):
            exporter.get()
        after = redis.info("stats")["total_commands_processed"]
    check.that(int(after) - int(before) < 40, f"a hundred scrapes sent {int(after) - int(before)} commands")


def check_fresh_polls(check: Check) -> None:
    """With web.max-age 0 each scrape sees the newest state."""
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, exporters.FRESH)
    with server.client() as redis:
        for number in range(1, 11):
            redis("SET", f"key:{number}", 1)
            check.equal(exporter.page().value("redis_db_keys", db="db0"), number, "redis_db_keys")


def check_flags(check: Check) -> None:
    """Forms and precedence of flags, and errors that name flag and value."""
    server = servers.RedisServer(check)
    by_environment = exporters.redline(check, None, environment={"REDIS_ADDR": server.url})
    check.equal(by_environment.page().value("redis_up"), 1, "redis_up with REDIS_ADDR")
    flag_wins = exporters.redline(check, server.url, environment={"REDIS_ADDR": "redis://127.0.0.1:1"})
    check.equal(flag_wins.page().value("redis_up"), 1, "redis_up when the flag overrides REDIS_ADDR")
    single = exporters.redline(check, None, "-redis.addr", server.url, "-debug=false", "-namespace", "other")
    check.equal(single.page().value("other_up"), 1, "other_up with single dashes")
    for flag, value in (("connection-timeout", "soon"), ("check-keys-batch-size", "many"), ("no-such-flag", "1"),
                        ("redis-only-metrics", "perhaps"), ("is-tile38", "perhaps")):
        wrong = exporters.redline(check, server.url, f"--{flag}={value}", wait=False)
        check.that(wrong.wait(5) > 0, f"--{flag}={value} is an error")
        check.that(flag in wrong.output() and (value in wrong.output() or flag == "no-such-flag"),
                   f"the message names flag and value: {wrong.output()!r}")


def check_version(check: Check) -> None:
    exporter = exporters.redline(check, None, "--version", wait=False)
    check.equal(exporter.wait(5), 0, "the exit code")
    check.that("redline" in exporter.output().lower(), f"the words are {exporter.output()!r}")
