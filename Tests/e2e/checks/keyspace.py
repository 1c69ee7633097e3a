"""`redline keys`: what a sample says of keys that are known, on real servers.

Names are planted that must not be told; the truth is known, since the checks wrote it.
"""

import json
import os
import signal
import subprocess
import time

from harness.captured import static, watching
from harness.check import Check
from harness.cluster import Cluster
from harness.paths import REDLINE
from harness.servers import RedisServer, replica_of
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 150
THOROUGH_TIMEOUT_SECONDS = 900

# As shares of the keys: name, share, bytes of values (by number of the key), whether keys expire.
KINDS = (("session:{}", 0.60, 100, True), ("cart:{}:lines", 0.28, 700, True), ("page:{}", 0.10, 2500, True),
         ("index:{}", 0.02, 40, False))
PLANTED = ("alice-of-wonderland", "bob@wonderland.example", "secret-tenant")


def keys(url: str, *words: str, environment: dict | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run([REDLINE, "keys", url, *words], capture_output=True, text=True, timeout=300,
                          env={**os.environ, **(environment or {})})


def told(url: str, *words: str) -> dict:
    run = keys(url, "--format", "json", *words)
    if run.returncode:
        raise AssertionError(f"redline keys exits with {run.returncode}: {run.stderr}")
    return json.loads(run.stdout)


def filled(server: RedisServer, count: int, tag: str = "%d", horizon_seconds: int = 7000) -> dict[str, int]:
    """Writes known keys; the number of each kind."""
    now = int(time.time() * 1000)
    numbers = {}
    with server.client() as client:
        for name, share, size, expires in KINDS:
            number = numbers[name.partition(":")[0]] = int(count * share)
            life = f"redis.call('PEXPIREAT', key, {now + 60_000} + (i * 7919) % {horizon_seconds * 1000})"
            script = f"""#!lua flags=allow-cross-slot-keys
                for i = 1, {number} do
                  local key = string.format('{name.format(tag)}', i, i)
                  redis.call('SET', key, string.rep('x', {size} + i % 200))
                  {life if expires else ''}
                end"""
            client("EVAL", script.removeprefix("#!lua flags=allow-cross-slot-keys") if knows_no_flags(server) else script, "0")
    return numbers


def knows_no_flags(server: RedisServer) -> bool:
    """Whether scripts know no flags (Redis 6.2)."""
    return server.check.server == "redis-6.2"


def prefix(report: dict, name: str) -> dict:
    return next(one for one in report["prefixes"] if one["prefix"] == f"{name}:*")


def holds(amount: dict, truth: float, times: float = 1) -> bool:
    """Whether the bounds, so many times as wide, hold the truth."""
    value = amount["value"]
    return value - times * (value - amount["lower"]) <= truth <= value + times * (amount["upper"] - value)


def memory(server: RedisServer, name: str) -> float:
    """What the server itself says that all keys of a kind take."""
    script = """local sum, cursor = 0, '0'
        repeat
          local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1], 'COUNT', 1000)
          cursor = page[1]
          for _, key in ipairs(page[2]) do sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', 0) end
        until cursor == '0'
        return sum"""
    with server.client(60) as client:
        return float(client("EVAL", script, "0", f"{name}:*"))


@on_servers
def check_the_table_of_a_server(check: Check) -> None:
    server = RedisServer(check)
    numbers = filled(server, 60_000)
    at = int(time.time()) + 3000
    with server.client() as client:
        for name in PLANTED:
            client("SET", f"user:{name}", "x")
            client("SET", name, "x")
        client("EVAL", f"for i = 1, 5000 do redis.call('SET', 'warm:' .. i, 'x', 'PX', {at * 1000} - {int(time.time() * 1000)}) "
               f"redis.call('PEXPIREAT', 'warm:' .. i, {at * 1000}) end", "0")
    report = told(server.url, "--duty-ratio", "0.5", "--sample", "10000")
    check.that(9000 <= report["looked_at"] <= 13_000, f"{report['looked_at']} keys were looked at")
    check.equal((report["keys"], report["is_every_key"], report["is_cut"], report["missing_rights"]),
                (65_006, False, False, []), "what is known of the sample")
    for name, number in numbers.items():
        check.that(holds(prefix(report, name)["keys"], number, 2), f"the {number} keys of {name}: {prefix(report, name)}")
        check.that(holds(prefix(report, name)["memory_bytes"], memory(server, name), 2), f"the memory of {name}")
    without = {name: prefix(report, name)["keys_without_ttl"] for name in numbers}
    check.that(without["session"]["value"] == 0 and without["session"]["upper"] > 0, "no key seen is not no key")
    check.that(holds(without["index"], numbers["index"], 2), f"keys that never expire: {without['index']}")
    wave = prefix(report, "warm")["expiry_wave"]
    check.equal((wave["timestamp_seconds"], wave["span_seconds"]), (at, 1), "the second in which a warmed set expires")
    check.that(holds(wave["keys"], 5000, 2), f"how many expire then: {wave}")
    check.equal([prefix(report, name)["expiry_wave"] for name in ("session", "cart")], [False, False], "spread keys are no wave")

    text = keys(server.url, "--duty-ratio", "0.5", "--sample", "2000")
    check.that("session:*" in text.stdout and " ± " in text.stdout and "95 times in 100" in text.stdout, text.stdout)
    table = keys(server.url, "--duty-ratio", "0.5", "--sample", "2000", "--format", "markdown")
    check.that("| `session:*` |" in table.stdout, table.stdout)
    everything = json.dumps(report) + text.stdout + text.stderr + table.stdout + table.stderr
    check.none([name for name in PLANTED if name in everything], "names of single keys")
    with server.client() as client:
        check.equal(int(client.info("stats").get("total_error_replies", 0)), 0, "errors that the server counts")


@on_servers
def check_a_workload_is_sampled(check: Check) -> None:
    server = RedisServer(check)
    numbers = filled(server, 60_000)
    with server.client() as client:
        for name in PLANTED:
            client("SET", f"user:{name}", "x")
    exporter = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m, sample: 5000, intervals: true}"),
                        "--keywork.duty-ratio=0.5")
    check.until(lambda: exporter.page().value("redis_keyspace_sample_keys", workload="carts") or 0, 40, "there is a sample")
    page = exporter.page()

    def value(name: str, prefix: str) -> float:
        return page.value(f"redis_prefix_{name}", workload="carts", prefix=f"{prefix}:*")

    for name, number in numbers.items():
        amount = {"value": value("keys", name), "lower": value("lower_keys", name), "upper": value("upper_keys", name)}
        check.that(holds(amount, number, 2), f"the {number} keys of {name}: {amount}")
    check.equal([value("keys_without_ttl", "session"), value("expiry_peak_keys", "session")], [0, 0], "spread keys with TTL")
    check.equal(value("growth_bytes", "session"), None, "nothing is known of yesterday")
    check.equal(page.value("redis_keyspace_complete", workload="carts"), 1, "what prefixes come to is what the server counts")
    check.equal(page.named("redis_keyspace_paused"), {}, "nothing stands in the way")
    shown = exporter.get("/keys/carts").text
    check.that("<code>session:*</code>" in shown and "at most" in shown and ": complete." in shown, f"the page has it: {shown[-4000:]}")
    check.that("Unknown: sampling began not long ago." in shown, "nothing is known of yesterday there, either")
    # No reader, no sample; what was known stands for a while.
    everything = exporter.get("/metrics").text + exporter.output() + shown
    check.none([name for name in PLANTED if name in everything], "names of single keys")
    with server.client() as client:
        client("ACL", "SETUSER", "default", "-scan")
    refused = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m}"))
    check.until(lambda: refused.page().value("redis_keyspace_paused", workload="carts", reason="refused") == 1, 40,
                "what a server refuses is told")
    check.equal(refused.page().named("redis_prefix_keys"), {}, "and no number made up")
    shown = refused.get("/keys/carts").text
    check.that("No sample has ended yet." in shown and "a server refuses a command" in shown, f"the page says so: {shown[-2000:]}")


@on_servers
def check_bounds_hold_the_truth(check: Check) -> None:
    server = RedisServer(check)
    numbers = filled(server, check.share(40_000, 300_000))
    truths = {name: (number, memory(server, name)) for name, number in numbers.items()}
    trials = check.share(20, 200)
    hits = {(name, what): 0 for name in numbers for what in ("keys", "memory_bytes")}
    for _ in range(trials):
        report = told(server.url, "--duty-ratio", "1", "--sample", str(check.share(2000, 20_000)))
        for name, (number, size) in truths.items():
            hits[name, "keys"] += holds(prefix(report, name)["keys"], number)
            amount = prefix(report, name)["memory_bytes"]
            # Too few of the small ones for bounds of their memory in a short sample.
            hits[name, "memory_bytes"] += amount["lower"] is None or holds(amount, size)
    for (name, what), count in hits.items():
        low, high = check.share((0.7, 1), (0.90, 0.985))
        check.that(low <= count / trials <= high, f"{what} of {name} are covered in {count} of {trials} samples")


@on_servers
def check_a_cluster_is_read_from_its_replicas(check: Check) -> None:
    cluster = Cluster(check)
    masters, replicas = cluster.roles()
    count = 0
    for number, master in enumerate(masters):
        # Each node's own slots: tags that hash there are tried out.
        with master.client() as client:
            made = 0
            for tag in range(1000):
                if made == 5:
                    break
                try:
                    client("EVAL", "for i = 1, 3000 do redis.call('SET', KEYS[1] .. i, string.rep('x', 300)) end", "1",
                           f"cart:{{{tag}}}:")
                    made += 1
                    count += 3000
                except Exception as error:  # Another node's slot.
                    if "MOVED" not in str(error):
                        raise
            check.equal(made, 5, f"tags of master {number}")
    check.until(lambda: sum(size(one) for one in replicas) == count, 20, "the replicas have all keys")
    before = {one.port: calls(one) for one in cluster.nodes}
    report = told(masters[0].url, "--duty-ratio", "0.5", "--sample", "5000")
    check.that(all(one["is_replica"] for one in report["servers"]) and len(report["servers"]) == 3, f"{report['servers']}")
    check.that(holds(prefix(report, "cart")["keys"], count, 2), f"{prefix(report, 'cart')}")
    check.equal([one.port for one in masters if calls(one) != before[one.port]], [], "masters that were asked about keys")


def size(server: RedisServer) -> int:
    with server.client() as client:
        return int(client("DBSIZE"))


def calls(server: RedisServer) -> int:
    """Of MEMORY USAGE and SCAN."""
    with server.client() as client:
        stats = client.info("commandstats")
    return sum(int(str(value).partition("calls=")[2].partition(",")[0] or 0) for name, value in stats.items()
               if name in ("cmdstat_memory|usage", "cmdstat_memory", "cmdstat_scan"))


def check_a_replica_is_read_in_place_of_its_master(check: Check) -> None:
    master = RedisServer(check)
    replica = replica_of(check, master)
    numbers = filled(master, 20_000)
    check.until(lambda: size(replica) == sum(numbers.values()), 20, "the replica has all keys")
    before = calls(master)
    report = told(master.url, "--duty-ratio", "0.5", "--sample", "2000")
    check.equal([(one["name"], one["is_replica"]) for one in report["servers"]], [(f"127.0.0.1:{replica.port}", True)],
                "who is read")
    check.that(holds(prefix(report, "session")["keys"], numbers["session"], 2), "what it says")
    check.equal(calls(master), before, "what the master was asked about keys")
    replica.process.signal(signal.SIGKILL)
    check.until(lambda: not master_has_replica(master), 20, "the master has lost its replica")
    check.equal(told(master.url, "--duty-ratio", "0.5", "--sample", "2000")["servers"][0]["is_replica"], False, "the master is read")


def master_has_replica(server: RedisServer) -> bool:
    with server.client() as client:
        return client.info("replication").get("connected_slaves") not in (0, "0")


def check_logins_rights_and_what_is_unknown(check: Check) -> None:
    server = RedisServer(check, "requirepass planted-password", password="planted-password")
    filled(server, 5000)
    refused = keys(server.url)
    check.equal(refused.returncode, 3, f"without a password: {refused.stdout}{refused.stderr}")
    map_file = check.file("passwords.json", json.dumps({server.url: "planted-password"}))
    short = ("--duty-ratio", "0.5", "--sample", "1000")
    for run in (keys(server.url, *short, environment={"REDIS_PASSWORD": "planted-password"}),
                keys(server.url, *short, "--redis.password-file", str(map_file))):
        check.equal(run.returncode, 0, f"with a password: {run.stderr}")
        check.that("planted-password" not in run.stdout + run.stderr, "it is not told")
    with server.client() as client:
        client("ACL", "SETUSER", "looker", "on", ">planted-other", "~*", "+scan", "+info", "+select", "+pttl", "+cluster")
    run = keys(server.url, "--duty-ratio", "0.5", "--sample", "1000", "--format", "json",
               environment={"REDIS_USER": "looker", "REDIS_PASSWORD": "planted-other"})
    report = json.loads(run.stdout)
    check.equal((report["missing_rights"], prefix(report, "session")["memory_bytes"]), (["memory|usage"], None),
                "what the user may not ask is unknown")
    check.that(prefix(report, "session")["keys"]["value"] > 0, "the others are known")
    gone = keys(f"redis://127.0.0.1:{check.free_port()}")
    check.equal(gone.returncode, 3, f"nobody there: {gone.stderr}")
    for words, status in ((("--duty-ratio", "7"), 64), (("--nonsense",), 2)):
        check.equal(keys(server.url, *words).returncode, status, f"{words}")
    check.equal(subprocess.run([REDLINE, "keys"], capture_output=True).returncode, 64, "no address")


def check_an_interrupt_shows_what_was_seen(check: Check) -> None:
    server = RedisServer(check)
    filled(server, 250_000)
    child = subprocess.Popen([REDLINE, "keys", server.url, "--format", "json", "--duty-ratio", "0.001", "--sample", "100000"],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(3)
    child.send_signal(signal.SIGINT)
    output, error = child.communicate(timeout=30)
    check.equal(child.returncode, 0, f"the exit after an interrupt: {error}")
    report = json.loads(output)
    check.that(report["is_cut"] and 0 < report["looked_at"] < 90_000, f"{report['looked_at']} keys until then")
    check.that(holds(prefix(report, "session")["keys"], 150_000, 2), "which are a sample all the same")


def check_the_share_of_the_servers_time(check: Check) -> None:
    server = RedisServer(check)
    filled(server, 100_000)

    def used() -> float:
        with server.client() as client:
            stats = client.info("cpu")
        return float(stats["used_cpu_user"]) + float(stats["used_cpu_sys"])

    seconds = check.share(4, 20)
    idle_from, begun = used(), time.monotonic()
    time.sleep(seconds)
    idle = (used() - idle_from) / (time.monotonic() - begun)
    for ratio in (0.005, 0.01, 0.05):
        before, begun = used(), time.monotonic()
        told(server.url, "--duty-ratio", str(ratio), "--sample", "40000", "--limit", f"{seconds}s")
        took = time.monotonic() - begun
        share = used() - before - idle * took
        check.that(share <= ratio * took + 0.2 + 0.03, f"{share:.3f} s of the server in {took:.1f} s at {ratio}")
