"""The passes over every key of a workload: large keys that are known are found, by whom they may be, and nobody else is told."""

import json
import signal
import time

from checks.keyspace import filled, memory, size
from harness import schema
from harness.captured import static, watching
from harness.check import Check, thorough_only
from harness.cluster import Cluster
from harness.paths import ROOT
from harness.servers import RedisServer, replica_of
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 480
THOROUGH_TIMEOUT_SECONDS = 1500

PLANTED = ("report:alice-of-wonderland", "report:bob@wonderland.example", "report:secret-tenant")
BIG = 12
SCHEMA = ROOT / "deploy" / "docs" / "api" / "keys.schema.json"


def replicated(name: str, master: RedisServer, more: str, kind: str = "session") -> str:
    return (f"  - {{name: {name}, kind: {kind}, topology: replication, seeds: ['127.0.0.1:{master.port}'], "
            f"poll_interval: 500ms, {more}}}")


def planted(server: RedisServer, share: float) -> float:
    """Writes twelve hashes that come to this share of all memory, and returns what they take."""
    with server.client(60) as client:
        each = int(share / (1 - share) * float(client.info("memory")["used_memory_dataset"]) / BIG)
        for number in range(BIG):
            client("EVAL", "for i = 1, ARGV[1] / 10000 do redis.call('HSET', KEYS[1], 'field' .. i, string.rep('x', 9900)) end",
                   "1", f"{PLANTED[number % len(PLANTED)]}:{number}", str(each))
    return memory(server, "report")


def largest(exporter) -> list[dict]:
    """The largest keys, from an answer that is as its schema says."""
    answer = json.loads(exporter.get("/api/v1/keys").text)
    complaints = schema.complaints(answer, json.loads(SCHEMA.read_text()))
    if complaints:
        raise AssertionError(f"what /api/v1/keys says beside its schema: {complaints[:3]}")
    return answer["data"]["workloads"][0]["census"]["largest"]


@on_servers
def check_planted_keys_are_found(check: Check) -> None:
    server = RedisServer(check)
    with server.client(60) as client:
        # Large enough that what the server itself keeps of each is little beside.
        for name, number, length in (("cart", 40_000, 1500), ("session", 20_000, 600)):
            client("EVAL", f"for i = 1, {number} do redis.call('SET', '{name}:' .. i, string.rep('x', {length} + i % 100)) end", "0")
    large = planted(server, 0.2)
    with server.client(60) as client:
        client("CONFIG", "SET", "maxmemory", str(10 * int(large)))
    truth = large + sum(memory(server, name) for name in ("cart", "session"))
    keyspace = ", keyspace: {every: 1m, sample: 20000, census: all}"
    exporter = watching(check, static("carts", server, kind="session", more=keyspace), "--keywork.duty-ratio=0.5")

    def value(name: str) -> float | None:
        return exporter.page().value(f"redis_{name}", workload="carts")

    check.until(lambda: value("keyspace_census_timestamp_seconds"), 60, "each key was looked at")
    check.equal(value("big_keys"), BIG, "big keys")
    check.that(abs(value("big_keys_memory_bytes") - large) < 0.02 * large, f"{value('big_keys_memory_bytes')} of {large} bytes")
    page = exporter.get("/keys/carts").text
    check.that("12 keys of at least 1.0 MiB" in page, f"the page counts them: {page[-6000:]}")

    ended = value("keyspace_census_timestamp_seconds")
    check.until(lambda: (value("keyspace_sample_timestamp_seconds") or 0) > ended, 90, "a sample with what the census knows", pause=1)
    check.equal(value("keyspace_complete"), 1, "which is complete")
    found = sum(exporter.page().named("redis_prefix_memory_bytes").values())
    check.that(abs(found - truth) < 0.03 * truth, f"memory of all prefixes: {found}, not {truth}")
    with server.client() as client:
        check.equal(int(client.info("stats").get("total_error_replies", 0)), 0, "errors that the server counts")
    everything = page + exporter.get("/metrics").text + exporter.output()
    everything += exporter.get("/api/v1/keys").text
    check.none([name for name in PLANTED if name in everything], "names of single keys")


@on_servers
def check_a_flush_begins_anew(check: Check) -> None:
    server = RedisServer(check)
    filled(server, 60_000)
    with server.client() as client:
        client("SET", "gone", "x" * 3_000_000)
    exporter = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m, sample: 1000, census: all}"),
                        "--keywork.duty-ratio=0.1")

    def value(name: str) -> float | None:
        return exporter.page().value(f"redis_{name}", workload="carts")

    # Within a pass, most likely; a busy machine may be through with it, or not have begun, and then it holds all the same.
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and not (value("keyspace_census_progress_ratio") or 0) > 0.02:
        time.sleep(0.05)
    with server.client() as client:
        client("FLUSHALL")
    filled(server, 20_000)
    with server.client() as client:
        client("SET", "new", "x" * 2_000_000)
    check.until(lambda: 1_900_000 < (value("big_keys_memory_bytes") or 0) < 2_900_000, 240, "a pass over what is there now", pause=0.5)
    check.equal(value("big_keys"), 1, "big keys of now, and not of then")


def check_replicas_alone_are_read(check: Check) -> None:
    master = RedisServer(check)
    replica = replica_of(check, master)
    numbers = filled(master, 20_000)
    with master.client() as client:
        client("SET", PLANTED[0], "x" * 3_000_000)
    check.until(lambda: size(replica) == sum(numbers.values()) + 1, 20, "the replica has all keys")
    exporter = watching(check, replicated("carts", master, "keyspace: {every: 1m, sample: 5000}"), "--keywork.duty-ratio=0.05")

    def value(name: str) -> float | None:
        return exporter.page().value(f"redis_{name}", workload="carts")

    check.until(lambda: value("big_keys") == 1, 60, "the replica is looked at")
    check.equal({one["server"] for one in largest(exporter)}, {f"127.0.0.1:{replica.port}"}, "and not the master")
    replica.process.signal(signal.SIGKILL)
    check.until(lambda: value("big_keys") is None, 60, "without a replica nothing is known")
    check.until(lambda: "on a master SCAN deletes" in exporter.get("/keys/carts").text, 20, "the page says why")
    # The census of a master is asked for by name.
    check.that("redis_keyspace_census_timestamp_seconds" not in exporter.get("/metrics").text, "no number is made up")


def check_names_of_any_kind(check: Check) -> None:
    """1-MiB names, names of bytes, and one that is no UTF-8: on the page they are escaped and cut."""
    server = RedisServer(check)
    filled(server, 5000)
    with server.client(30) as client:
        for name in (b"x" * (1 << 20), b"\xff\x00<b>" + b"y" * 10):
            client("SET", name, "x" * 2_000_000)
    exporter = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m, census: all}"),
                        "--keywork.duty-ratio=0.5")
    check.until(lambda: exporter.page().value("redis_big_keys", workload="carts") == 2, 60, "both are found")
    page = exporter.get("/keys/carts").text
    check.that("x" * 200 not in page and "<b>yyy" not in page, "names stay out")


def check_what_is_refused_is_absent(check: Check) -> None:
    server = RedisServer(check)
    filled(server, 5000)
    with server.client() as client:
        client("ACL", "SETUSER", "default", "-memory")
    exporter = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m, census: all}"),
                        "--keywork.duty-ratio=0.5")
    check.until(lambda: "a server refuses a command" in exporter.get("/keys/carts").text, 60, "the page says so")
    time.sleep(2)
    page = exporter.page()
    for name in ("big_keys", "big_keys_memory_bytes", "keyspace_census_timestamp_seconds", "big_key_largest_maxmemory_ratio"):
        check.equal(page.named(f"redis_{name}"), {}, name)


def check_a_cluster_is_looked_at_whole(check: Check) -> None:
    cluster = Cluster(check)
    masters, replicas = cluster.roles()
    for number, master in enumerate(masters):
        made = False
        for tag in range(200):
            with master.client() as client:
                try:
                    client("SET", f"{PLANTED[number]}:{{{tag}}}", "x" * (2_000_000 + number))
                    made = True
                    break
                except Exception as error:  # Another node's slot.
                    if "MOVED" not in str(error):
                        raise
        check.that(made, f"a key of master {number}")
    check.until(lambda: all(size(one) == 1 for one in replicas), 20, "the replicas have all keys")
    exporter = watching(check, f"  - {{name: carts, kind: session, topology: cluster, seeds: ['127.0.0.1:{masters[0].port}'], "
                               "poll_interval: 500ms, keyspace: {every: 1m}}", "--keywork.duty-ratio=0.5")
    check.until(lambda: exporter.page().value("redis_big_keys", workload="carts") == 3, 60, "one of each shard")
    check.equal({one["server"] for one in largest(exporter)}, {f"127.0.0.1:{one.port}" for one in replicas}, "replicas were read")


@thorough_only
def check_a_million_keys(check: Check) -> None:
    server = RedisServer(check)
    filled(server, 1_000_000)
    planted(server, 0.18)
    exporter = watching(check, static("carts", server, kind="session", more=", keyspace: {every: 1m, census: all}"),
                        "--keywork.duty-ratio=0.05")
    check.until(lambda: exporter.page().value("redis_big_keys", workload="carts") == BIG, 1200, "each of a million", pause=5)
