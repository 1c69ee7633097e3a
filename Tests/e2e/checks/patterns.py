"""What a daemon says of locks, circuits, idempotency keys and rate limits whose faults were planted, on real servers."""

import json
import time

from checks.fleet import address, values, watch
from checks.workloads import text
from harness import exporters, servers
from harness.check import Check
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 180

# In the name of every key that is no service of a circuit.
MARK = "planted-by-the-test"
LIMITS = """\
      - {name: hour, kind: fixed, patterns: ['hour:*:*'], limit: 5, window: 60s, ttl: 60s}
      - {name: day, kind: fixed, patterns: ['day:*:*'], limit: 5, window: 60s, ttl: 60s}
      - {name: minute, kind: fixed, patterns: ['minute:*:*'], limit: 5, window: 60s}
      - {name: number, kind: fixed, patterns: ['number:*:*'], limit: 5, window: 60s}
      - {name: calls, kind: sliding, patterns: ['calls:*'], limit: 3, window: 60s}
      - {name: bucket, kind: bucket, patterns: ['bucket:*']}
"""
WATCHES = f"""\
- name: jobs
  kind: custom
  topology: replication
  seeds: ['%s']
  watches:
    interval: 1s
    locks: {{contracts: [{{pattern: 'lock:*', ttl: 10s, release: required}}], max_long: 0}}
    circuits: {{ttl: 60s}}
    idempotency: {{max_ttl: 1d, stuck_after: 3s}}
    rate_limits:
{LIMITS}"""
LABELS = {"workload": "jobs", "environment": "test"}


def fixed_window(client, prefix: str, stamp: str, expiry: int = 60, calls: int = 1) -> bytes:
    """As the usual example has it: INCR, and EXPIRE at the first call."""
    key = f"{prefix}:{MARK}:{stamp}".encode()
    for _ in range(calls):
        if client("INCR", key) == 1:
            client("EXPIRE", key, expiry)
    return key


def stamped(form: str) -> str:
    return time.strftime(form, time.gmtime())


def expiring_early(length: int) -> int:
    """How many of one key with EXPIRE 60 expire before a window of this length ends, within its tolerance."""
    now = time.time()
    return int(now + 60 < now - now % length + length - 0.05 * length)


def value(exporter: exporters.Exporter, name: str, **more: str) -> float | None:
    return exporter.page().value(f"redis_{name}", **LABELS, **more)


def found(exporter: exporters.Exporter) -> dict[str, str]:
    """The texts of findings, by check."""
    workload = json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"][0]
    return {one["check"]: one["text"] for one in workload["findings"]}


def needs(exporter: exporters.Exporter) -> dict[str, str]:
    """What checks lack, by check."""
    workload = json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"][0]
    return {one["check"]: json.dumps(one) for one in workload["unknown"]}


@on_servers
def check_planted_faults_are_found(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    exporter = watch(check, WATCHES % address(master))
    check.until(lambda: value(exporter, "key_watch_unknown_shards") == 0, 30, "the first walk has ended")
    check.equal(value(exporter, "idempotency_stuck_total"), 0, "nothing was counted yet")
    odd = [b"lock:" + MARK.encode() + bytes(range(256)), b"lock:" + MARK.encode() + b"x" * 20_000]
    with master.client() as client:
        client("SET", f"lock:{MARK}:within", "token", "NX", "EX", 10)
        client("SET", f"lock:{MARK}:over", "token", "NX", "EX", 60)
        for name in odd:
            client("SET", name, "token", "PX", 300_000)
        # INCR, and the process dies before EXPIRE; a list is no counter.
        client("INCR", "circuit:mail:failures")
        client("INCR", "circuit:pay:failures")
        client("EXPIRE", "circuit:pay:failures", 60)
        client("RPUSH", "circuit:list:failures", "a")
        # payment_fn raises; another request is done; a third one lost its expiry with the result.
        client("SET", f"idem:{MARK}:raised", "processing", "NX", "EX", 86_400)
        client("SET", f"idem:{MARK}:done", '{"status": 201}', "EX", 86_400)
        client("SET", f"idem:{MARK}:lost\n\xff", '{"status": 201}')
        client("HSET", f"idem:{MARK}:hash", "field", "processing")
        client("EXPIRE", f"idem:{MARK}:hash", 100)
        client("SADD", f"minute:{MARK}:{stamped('%Y%m%d%H%M')}:set", 1)
        # Refused calls are added as well: the set is what the client asks for, not what it got.
        for number in range(40):
            client("ZADD", f"calls:{MARK}", time.time(), number)
        client("EXPIRE", f"calls:{MARK}", 60)
        client("HSET", f"bucket:{MARK}", "tokens", 3)
        early = {}
        for limit, form, length in (("hour", "%Y%m%d%H", 3600), ("day", "%Y%m%d", 86_400)):
            fixed_window(client, limit, stamped(form))
            early[limit] = expiring_early(length)
        fixed_window(client, "minute", stamped("%Y%m%d%H%M"), calls=9)
        fixed_window(client, "number", str(int(time.time() // 60)))

    check.that(sum(early.values()) > 0, f"one stamp at least is longer than its expiry: {early}")
    for limit, count in early.items():
        check.until(lambda: value(exporter, "rate_limit_expiring_early", limit=limit) == count, 15, f"the {limit} is early")
    for limit in ("minute", "number"):
        check.until(lambda: value(exporter, "rate_limit_expiring_early", limit=limit) == 0, 10, f"the {limit} is in time")
        check.equal(value(exporter, "rate_limit_expiring_late", limit=limit), 0, f"the {limit} does not stay")
    check.equal(value(exporter, "rate_limit_largest_size", limit="calls"), 40, "refused calls are counted")
    check.that((value(exporter, "rate_limit_memory_bytes", limit="calls") or 0) > 500, "their memory")
    check.equal(value(exporter, "rate_limit_without_ttl", limit="bucket"), 1, "a bucket without TTL")
    check.equal(value(exporter, "rate_limit_without_ttl", limit="hour"), 0, "counters with TTL")

    check.equal(value(exporter, "locks_over_ttl"), 3, "locks over their contract: one of 60 s, two of strange names")
    check.equal(value(exporter, "locks_without_ttl"), 0, "each lock expires")
    check.equal(value(exporter, "circuits_without_ttl"), 1, "a circuit without TTL")
    check.equal(value(exporter, "circuits_over_ttl"), 0, "no counter stays")
    check.equal(value(exporter, "idempotency_keys"), 4, "requests")
    check.equal(value(exporter, "idempotency_without_ttl"), 1, "a request without TTL")
    check.until(lambda: value(exporter, "idempotency_stuck_total") == 1, 15, "the payment is stuck")
    ended = value(exporter, "key_watch_last_walk_timestamp_seconds")
    check.until(lambda: value(exporter, "key_watch_last_walk_timestamp_seconds") > ended + 2, 15, "more walks")
    check.equal(value(exporter, "idempotency_stuck_total"), 1, "it is counted once")
    check.equal(value(exporter, "idempotency_stuck"), 1, "it stays stuck")
    check.equal(value(exporter, "key_watch_sampled_ratio", watch="idempotency"), 1, "every key is looked at")

    told = found(exporter)
    for name in ("locks-long", "circuit-without-ttl", "idempotency-stuck", "idempotency-without-ttl",
                 "rate-limit-without-ttl", "rate-limit-forgets", "rate-limit-large"):
        check.that(name in told, f"{name} is among {sorted(told)}")
    check.that("Rate limit" in text(exporter), "the page tells")

    # Values of other types are not read: that would count as errors of the server's users.
    for server in (master, replica):
        with server.client() as client:
            check.that("WRONGTYPE" not in client.info("errorstats").get("errorstat_WRONGTYPE", "")
                       and "errorstat_WRONGTYPE" not in client.info("errorstats"), "nobody reads a value of another type")
    nobody_sees(check, exporter)

    with master.client() as client:
        client("SET", f"idem:{MARK}:raised", '{"status": 201}', "XX", "KEEPTTL")
        client("EXPIRE", "circuit:mail:failures", 60)
        client("DEL", f"lock:{MARK}:over", f"bucket:{MARK}", *odd)
    check.until(lambda: value(exporter, "idempotency_stuck") == 0 and value(exporter, "circuits_without_ttl") == 0
                and value(exporter, "locks_over_ttl") == 0, 15, "what was mended is well")
    check.equal(value(exporter, "idempotency_stuck_total"), 1, "what was counted stays so")


def nobody_sees(check: Check, exporter: exporters.Exporter) -> None:
    """Names and values of keys stay where they are."""
    for path in ("/metrics", "/", "/workload/jobs", "/keys/jobs", "/api/v1/fleet", "/api/v1/events"):
        check.that(MARK not in exporter.get(path).text, f"no name is on {path}")
    check.that(MARK not in exporter.output(), "no name is in the log")


@on_servers
def check_a_window_counts_once_when_it_has_ended(check: Check) -> None:
    """Of three clients one was refused: a third of the windows, however often they are looked at."""
    server = servers.RedisServer(check)
    exporter = watch(check, f"- {{name: jobs, kind: custom, topology: static, seeds: ['{address(server)}'], watches: {{interval: 1s,"
                            " rate_limits: [{name: api, kind: fixed, patterns: ['rate:*:*'], limit: 3, window: 10s}]}}\n")
    check.until(lambda: value(exporter, "rate_limit_keys", limit="api") == 0, 30, "the first walk")
    # Early in a window, so that it is met before it ends.
    check.until(lambda: time.time() % 10 < 4, 10, "a window begins", pause=0.1)
    window = int(time.time() // 10)
    with server.client() as client:
        for name, calls in (("a", 3), ("b", 4), ("c", 1)):
            for _ in range(calls):
                client("INCR", f"rate:{name}:{window}")
            client("EXPIRE", f"rate:{name}:{window}", 20)
    check.until(lambda: value(exporter, "rate_limit_keys", limit="api") == 3, 5, "they are met")
    check.equal(value(exporter, "rate_limit_over_ratio", limit="api"), None, "no window has ended")
    check.until(lambda: abs((value(exporter, "rate_limit_over_ratio", limit="api") or 0) - 1 / 3) < 1e-6, 20, "one of three")
    check.until(lambda: value(exporter, "rate_limit_keys", limit="api") == 0, 30, "they have expired")
    check.that(abs(value(exporter, "rate_limit_over_ratio", limit="api") - 1 / 3) < 1e-6, "each window counted once")


@on_servers
def check_what_is_refused_is_absent_and_named(check: Check) -> None:
    server = servers.RedisServer(check)
    with server.client() as client:
        client("SET", f"idem:{MARK}", "processing", "EX", 1000)
        client("SET", "circuit:mail:failures", 7)
        client("SET", f"lock:{MARK}", "token", "EX", 60)
        fixed_window(client, "minute", stamped("%Y%m%d%H%M"))
        client("ACL", "SETUSER", "default", "-getrange", "-time")
    exporter = watch(check, WATCHES.replace("topology: replication", "topology: static") % address(server))
    check.until(lambda: value(exporter, "locks_over_ttl") == 1, 30, "what is allowed is known")
    check.equal(value(exporter, "rate_limit_keys", limit="minute"), 1, "keys of a rate limit")
    for name in ("idempotency_keys", "idempotency_stuck", "circuits_without_ttl"):
        check.equal(values(exporter, f"redis_{name}", "workload"), {}, f"redis_{name} is not known")
    for name in ("rate_limit_expiring_early", "rate_limit_over_ratio"):
        check.equal(value(exporter, name, limit="minute"), None, f"{name} is not known")
    refused = {command for (command,) in values(exporter, "redis_exporter_key_work_refused", "command")}
    check.that({"GETRANGE"} <= refused, f"what is refused is named: {refused}")
    for name in ("circuit-open", "idempotency-stuck", "rate-limit-forgets"):
        check.until(lambda: "+getrange" in needs(exporter).get(name, ""), 5, f"{name} says what it needs: {needs(exporter)}")
    nobody_sees(check, exporter)
    with server.client() as client:
        check.that(int(client.info("stats").get("acl_access_denied_cmd", 0)) <= 4, "what is refused is asked for rarely")


@on_servers
def check_a_share_stands_for_all(check: Check) -> None:
    """Four times as many requests as are looked at: a quarter of them at each walk, and the counts are of all."""
    server = servers.RedisServer(check)
    with server.client() as client:
        client("EVAL", "for i = 1, 8000 do redis.call('SET', 'idem:' .. i, 'done', 'EX', 1000 + i) end "
                       "for i = 1, 4000 do redis.call('PERSIST', 'idem:' .. i) end", 0)
    exporter = watch(check, f"- {{name: jobs, kind: custom, topology: static, seeds: ['{address(server)}'], watches: {{interval: 1s,"
                            " idempotency: {max_keys: 2000}}}\n")
    check.until(lambda: value(exporter, "key_watch_sampled_ratio", watch="idempotency") == 0.25, 30, "a share is looked at")
    check.equal(value(exporter, "idempotency_keys"), 8000, "all are counted")
    check.equal(value(exporter, "key_watch_omitted", watch="idempotency"), 0, "the share is told apart from what is left out")
    count = value(exporter, "idempotency_without_ttl")
    # Of 4000 a quarter is looked at: a standard deviation of 110.
    check.that(3400 < count < 4600, f"{count} of 4000 without TTL")
    check.until(lambda: value(exporter, "key_watch_last_walk_timestamp_seconds") > time.time() - 2, 10, "another walk")
    check.equal(value(exporter, "idempotency_without_ttl"), count, "the same keys are looked at again")
