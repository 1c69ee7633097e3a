"""Work on keys: what it leaves untouched, in which steps it walks, and which rights it goes on without."""

from harness import exporters, servers
from harness.check import Check
from harness.versions import on_servers

TIMEOUT_SECONDS = 90
KEYS = 20_000


def passes(exporter: exporters.Exporter) -> float:
    return exporter.page().value("redis_exporter_key_work_last_pass_timestamp_seconds") or 0


@on_servers
def check_keys_that_are_looked_at_stay_unused(check: Check) -> None:
    """Which keys a server evicts is for applications to decide: looking at them changes nothing from Redis 7.2 on."""
    server = servers.RedisServer(check, "maxmemory-policy allkeys-lfu", "lfu-log-factor 0", "lfu-decay-time 0")
    with server.client() as redis:
        redis("SET", "app:counter", 1)
        redis("RPUSH", "app:list", 1)
        redis("PFADD", "app:visitors", "a")
        version = tuple(int(part) for part in redis.info("server")["redis_version"].split(".")[:2])
        before = {key: int(redis("OBJECT", "FREQ", key)) for key in ("app:counter", "app:list", "app:visitors")}
        exporter = exporters.redline(check, server.url, "--check-keys=db0=app:*", "--keywork.interval=1s",
                                     "--keywork.duty-ratio=0.5")
        seen: set[float] = set()

        def has_looked_often() -> bool:
            seen.add(passes(exporter))
            return len(seen) > 3

        check.until(has_looked_often, 30, "three passes over the keys")
        check.equal(exporter.page().value("redis_key_size", db="db0", key="app:list"), 1, "the list's size")
        after = {key: int(redis("OBJECT", "FREQ", key)) for key in before}
        if version >= (7, 2):
            check.equal(after, before, "how often the keys were used")
        else:
            check.that(all(after[key] > before[key] for key in before), f"before 7.2 they count as used: {before}, {after}")
        errors = {name: value for name, value in redis.info("errorstats").items()}
        check.equal(errors, {}, "errors on the server")


def check_steps_of_a_walk(check: Check) -> None:
    """They grow while they are cheap; a count that somebody asks for is the one that is sent."""
    server = servers.RedisServer(check)
    with server.client() as redis:
        redis("EVAL", f"for i = 1, {KEYS} do redis.call('SET', 'page:' .. i, 'x') end", 0)

    def steps(*flags: str) -> int:
        with server.client() as redis:
            redis("CONFIG", "RESETSTAT")
        exporter = exporters.redline(check, server.url, "--count-keys=db0=page:*", "--keywork.interval=1h",
                                     "--keywork.duty-ratio=0.5", *flags)
        check.until(lambda: exporter.page().value("redis_keys_count", db="db0", key="page:*") == KEYS, 60, "the keys are counted")
        exporter.child.kill()
        with server.client() as redis:
            return int(redis.info("commandstats")["cmdstat_scan"].split(",")[0].removeprefix("calls="))

    check.that(20 < steps() < KEYS / 64, "steps of its own choice are larger than those that it begins with")
    check.that(KEYS / 100 * 0.8 < steps("--check-keys-batch-size=100") <= KEYS / 100, "steps of 100")
    check.that(steps("--check-keys-batch-size=5000") <= 5, "steps of 5,000")


def check_rights_it_goes_on_without(check: Check) -> None:
    """Who may neither PING nor CLIENT NO-TOUCH loses nothing that anybody looks for, and hears nothing of it."""
    server = servers.RedisServer(check, version="redis-8.2")
    with server.client() as redis:
        redis("SET", "app:counter", 7)
        redis("ACL", "SETUSER", "frugal", "on", ">word", "~*", "+@all", "-ping", "-client|no-touch")
    exporter = exporters.redline(check, server.url, "--check-keys=db0=app:*", "--keywork.interval=1s",
                                 "--redis.user=frugal", environment={"REDIS_PASSWORD": "word"})
    seen: set[float] = set()

    def has_looked_often() -> bool:
        seen.add(passes(exporter))
        return len(seen) > 3

    check.until(has_looked_often, 30, "three passes over the keys")
    page = exporter.page()
    check.equal(page.value("redis_key_value", db="db0", key="app:counter"), 7, "the counter")
    check.equal(page.named("redis_exporter_key_work_refused"), {}, "what is refused")
    check.equal(sum(page.named("redis_exporter_key_work_errors_total").values()), 0, "errors of key work")
    with server.client() as redis:
        check.equal(redis.info("errorstats").get("errorstat_NOPERM"), "count=2", "each is tried once")
