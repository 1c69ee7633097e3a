"""Servers that deny, rename or are not ready: what cannot be had is absent, said once, and never asked again and again."""

import time

from harness import exporters, servers
from harness.check import Check
from harness.evil import EvilRedis, Hang
from harness.versions import on_servers

POLLS = 12


def log_lines(exporter: exporters.Exporter, word: str) -> list[str]:
    return [line for line in exporter.output().splitlines() if word.lower() in line.lower()]


@on_servers
def check_acl(check: Check) -> None:
    """A user without CONFIG, LATENCY, SLOWLOG and CLIENT: refusals end after the first polls."""
    server = servers.RedisServer(
        check, "user watcher on >watch-word +@all -config -latency -slowlog -client ~*")
    exporter = exporters.redline(check, server.url, exporters.FRESH, "--export-client-list", "--redis.user=watcher",
                                 environment={"REDIS_PASSWORD": "watch-word"})
    for _ in range(4):
        page = exporter.page()
    check.equal(page.value("redis_up"), 1, "redis_up")
    for name in ("redis_config_maxclients", "redis_slowlog_length", "redis_latency_spike_last", "redis_slowlog_last_id",
                 "redis_connected_client_info"):
        check.that(name not in page.families, f"{name} is served although its command is denied")
    with server.client() as redis:
        before = redis.info("errorstats"), len(redis("ACL", "LOG"))
        for _ in range(POLLS):
            exporter.page()
            time.sleep(0.1)
        after = redis.info("errorstats"), len(redis("ACL", "LOG"))
    check.equal(after, before, "errorstats and the ACL log after further polls")
    refusals = log_lines(exporter, "denied") + log_lines(exporter, "NOPERM") + log_lines(exporter, "refuse")
    check.that(0 < len(set(refusals)) <= 8, f"the log names the refusals once: {refusals}")
    said = [name for name, family in page.families.items()
            if any(word in name for word in ("refused", "denied", "collector")) and "acl_access" not in name]
    check.that(bool(said), "no metric says that collectors are refused")


def check_renamed_config(check: Check) -> None:
    server = servers.RedisServer(check, "rename-command CONFIG hidden-config", "maxclients 321")
    renamed = exporters.redline(check, server.url, exporters.FRESH, "--config-command=hidden-config")
    check.equal(renamed.page().value("redis_config_maxclients"), 321, "redis_config_maxclients by the new name")
    unaware = exporters.redline(check, server.url, exporters.FRESH)
    for _ in range(4):
        page = unaware.page()
    check.equal(page.value("redis_up"), 1, "redis_up without the new name")
    check.that("redis_config_maxclients" not in page.families, "redis_config_maxclients appears from nowhere")
    with server.client() as redis:
        before = redis.info("stats")["total_error_replies"]
        for _ in range(POLLS):
            unaware.page()
        check.equal(redis.info("stats")["total_error_replies"], before, "error replies after further polls")


def check_everything_renamed(check: Check) -> None:
    server = servers.RedisServer(check, *(f"rename-command {name} \"\"" for name in (
        "CONFIG", "LATENCY", "SLOWLOG", "CLIENT", "COMMAND", "MODULE", "EVAL", "SCAN")))
    exporter = exporters.redline(check, server.url, exporters.FRESH, "--check-keys=db0=*", "--export-client-list")
    for _ in range(3):
        page = exporter.page()
    check.equal(page.value("redis_up"), 1, "redis_up")
    check.equal(page.value("redis_connected_slaves"), 0, "redis_connected_slaves")


def check_loading(check: Check) -> None:
    """A server that loads its file is reachable and says so; afterwards all is well."""
    first = servers.RedisServer(check)
    with first.client() as redis:
        for start in range(0, 30_000, 1000):
            for index in range(start, start + 1000):
                redis.send("SET", f"key:{index}", "x" * 50)
            for _ in range(1000):
                redis.read()
        redis("SAVE")
    first.process.stop()
    again = servers.RedisServer(check, "key-load-delay 150", "loading-process-events-interval-bytes 1024", f"dir {first.folder}", name="loading", wait=False)
    check.until(lambda: again.client().close() or True, 5, "the loading server accepts")
    exporter = exporters.redline(check, again.url, exporters.FRESH)
    page = exporter.page()
    check.equal(page.value("redis_loading_dump_file"), 1, "redis_loading_dump_file while it loads")
    check.equal(page.value("redis_up"), 1, "redis_up while it loads")
    check.until(lambda: exporter.page().value("redis_loading_dump_file") == 0, 30, "the file is loaded")
    check.equal(exporter.page().value("redis_config_maxclients"), 10000, "redis_config_maxclients after loading")


def refused(check: Check, exporter: exporters.Exporter, *secrets: str) -> str:
    """Several scrapes of a server that refuses: up 0, one stable class, one log line, no secret anywhere."""
    classes = set()
    for _ in range(POLLS):
        page = exporter.page()
        check.equal(page.value("redis_up"), 0, "redis_up")
        classes |= {dict(labels)["err"] for labels in page.named("redis_exporter_last_scrape_error")}
    check.equal(len(classes), 1, f"the number of error classes ({classes})")
    error = classes.pop()
    check.that(0 < len(error) <= 40, f"the error class is {error!r}")
    words = exporter.output() + exporter.get().text + exporter.get("/").text
    for secret in secrets:
        check.that(secret not in words, "a secret is in the log or on a page")
    target = str(exporter.arguments[1]).rpartition(":")[2]
    lines = [line for line in exporter.output().splitlines() if target in line and "listen" not in line.lower()]
    check.that(len(lines) <= 3, f"the log repeats itself: {lines}")
    return error


def check_wrong_password(check: Check) -> None:
    server = servers.RedisServer(check, "requirepass right-word", password="right-word")
    wrong = exporters.redline(check, server.url, exporters.FRESH, environment={"REDIS_PASSWORD": "wrong-word"})
    none = exporters.redline(check, server.url, exporters.FRESH)
    first, second = refused(check, wrong, "wrong-word"), refused(check, none)
    check.that("auth" in first.lower() and "auth" in second.lower(), f"the classes are {first!r} and {second!r}")


def check_nobody_listens(check: Check) -> None:
    exporter = exporters.redline(check, f"redis://127.0.0.1:{check.free_port()}", exporters.FRESH)
    refused(check, exporter)


def check_unknown_host(check: Check) -> None:
    exporter = exporters.redline(check, "redis://no-such-host.invalid:6379", exporters.FRESH, "--connection-timeout=1s")
    refused(check, exporter)


def check_log_says_each_change_once(check: Check) -> None:
    """Down and up again, twice: the log has a line per change, not one per poll."""
    def hang(*_):
        raise Hang

    evil = EvilRedis(check)
    exporter = exporters.redline(check, evil.url, exporters.FRESH, "--connection-timeout=200ms")
    check.equal(exporter.page().value("redis_up"), 1, "redis_up of the good server")
    quiet = len(exporter.output().splitlines())
    for _ in range(2):
        evil.behave = hang
        # The open connection still has a good server at its end; three polls are under the circuit breaker's five.
        check.until(lambda: exporter.page().value("redis_up") == 0, 5, "redis_up 0")
        exporter.page()
        evil.turn_good()
        check.until(lambda: exporter.page().value("redis_up") == 1, 15, "redis_up 1 again")
        for _ in range(5):
            exporter.page()
    changed = exporter.output().splitlines()[quiet:]
    check.that(2 <= len(changed) <= 6, f"four changes of state gave these lines: {changed}")
