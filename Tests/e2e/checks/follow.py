"""What a daemon says of locks and circuits that a replica names as they change, against holds that were planted and counted."""

import itertools
import json
import random
import signal
import threading
import time

from checks.fleet import address, watch
from checks.patterns import MARK, needs, nobody_sees, value
from harness import exporters, servers
from harness.check import Check
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 240

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
TAKE = "SET {name} token NX PX {life}"
# A holder's own: what holds the lock no more is left alone.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


def config(server: servers.RedisServer, follow: str = "replica", topology: str = "replication", interval: str = "1s") -> str:
    return (f"- name: jobs\n  kind: custom\n  topology: {topology}\n  seeds: ['{address(server)}']\n"
            f"  watches: {{interval: {interval}, follow: {follow}, locks: {{contracts: ["
            "{pattern: 'lock:*', ttl: 1s, release: required}], max_long: 0}}\n")


def follows(check: Check, exporter: exporters.Exporter, shards: int = 1, seconds: float = 30) -> None:
    check.until(lambda: value(exporter, "key_watch_following") == shards, seconds, f"{shards} shards are followed: "
                f"{value(exporter, 'key_watch_following')}")


def stats(server: servers.RedisServer, section: str) -> dict:
    with server.client() as client:
        return client.info(section)


def count(exporter: exporters.Exporter, name: str, release: str = "required") -> int:
    return int(value(exporter, name, release=release) or 0)


def held(exporter: exporters.Exporter) -> tuple[int, float, list[int]]:
    """How many holds were timed, for how long together, and how many lie between one edge and the next."""
    series = exporter.page().families["redis_lock_held_seconds"].series
    buckets = {float(dict(labels)["le"]): number for (_, labels), number in series.items() if "le" in dict(labels)}
    ordered = [buckets[edge] for edge in sorted(buckets)]
    return (int(value(exporter, "lock_held_seconds_count") or 0), value(exporter, "lock_held_seconds_sum") or 0.0,
            [int(more - less) for less, more in itertools.pairwise([0, *ordered])])


def bucketed(seconds: list[float]) -> list[int]:
    bounds = (0, *EDGES, float("inf"))
    return [sum(low < one <= high for one in seconds) for low, high in itertools.pairwise(bounds)]


class Holders:
    """Clients that take locks, work, and give them back, or do not; they count what they did."""

    def __init__(self, server: servers.RedisServer):
        self.server = server
        self.lock = threading.Lock()
        # Seconds from the answer that gave the lock to the one that took it.
        self.given_back: list[float] = []
        self.expired = self.renewals = 0
        self.failures: list[BaseException] = []

    def run(self, *works) -> list[threading.Thread]:
        def guarded(work) -> None:
            try:
                with self.server.client() as client:
                    work(client)
            except BaseException as error:  # noqa: BLE001 - told by the check
                self.failures.append(error)

        threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
        for thread in threads:
            thread.start()
        return threads

    def hold(self, client, name: str, seconds: float, life: int = 1000, renewals: int = 0) -> None:
        """Holds a lock for so long, or for so many renewals of a third of its life each."""
        key = f"lock:{MARK}:{name}"
        if client("SET", key, name, "NX", "PX", life) != "OK":
            raise AssertionError("somebody else holds a lock of its own name")
        began = time.monotonic()
        for _ in range(renewals):
            time.sleep(life / 3000)
            client("PEXPIRE", key, life)
        time.sleep(seconds)
        if client("EVAL", RELEASE, 1, key, name) != 1:
            raise AssertionError("a lock was lost that should be held")
        with self.lock:
            self.given_back.append(time.monotonic() - began)
            self.renewals += renewals

    def overrun(self, client, name: str, life: int) -> None:
        client("SET", f"lock:{MARK}:{name}", name, "NX", "PX", life)
        with self.lock:
            self.expired += 1
        time.sleep(life / 1000 + 0.05)


class Round:
    """Of 300 known holds, 20 that outlive their lock and 5 that are renewed: what was planted, and what was told of it."""

    def __init__(self, check: Check, exporter: exporters.Exporter, master: servers.RedisServer):
        before = self._told(exporter)
        holders = Holders(master)
        lengths = [random.uniform(*random.choice(((0.03, 0.045), (0.12, 0.22), (0.3, 0.45)))) for _ in range(275)]

        def worker(number: int):
            return lambda client: [holders.hold(client, f"{number}-{index}", seconds)
                                   for index, seconds in enumerate(lengths[number::8])]

        threads = holders.run(*[worker(number) for number in range(8)])
        threads += holders.run(*[lambda client, number=number: [
            holders.overrun(client, f"late-{number}-{index}", random.randint(150, 800)) for index in range(5)]
            for number in range(4)])
        threads += holders.run(*[lambda client, number=number: holders.hold(client, f"long-{number}", 0.2, renewals=12)
                                 for number in range(5)])
        self.most_long = 0.0
        while any(thread.is_alive() for thread in threads):
            self.most_long = max(self.most_long, value(exporter, "locks_held_long") or 0)
            time.sleep(0.2)
        check.equal(holders.failures, [], "what went wrong with clients")
        check.equal((len(holders.given_back), holders.expired, holders.renewals), (280, 20, 60), "what clients did")
        time.sleep(2)
        after = self._told(exporter)
        self.acquired, self.expired, self.renewed, self.timed, self.seconds = (
            later - earlier for later, earlier in zip(after[:5], before[:5]))
        self.buckets = [later - earlier for later, earlier in zip(after[5], before[5])]
        self.truth = bucketed(holders.given_back)
        self.mean = sum(holders.given_back) / len(holders.given_back)

    @staticmethod
    def _told(exporter: exporters.Exporter) -> tuple:
        return (count(exporter, "lock_acquired_total"), count(exporter, "lock_expired_total"),
                value(exporter, "lock_renewed_total") or 0, *held(exporter))

    @property
    def well_timed(self) -> int:
        """Holds that were given back and lie where they should; the lengths are far from the edges."""
        return sum(min(one, truth) for one, truth in zip(self.buckets, self.truth))

    @property
    def is_good(self) -> bool:
        return (self.expired == 20 and self.most_long == 5 and self.acquired >= 0.95 * 300 and self.timed >= 0.95 * 300
                and self.renewed >= 0.9 * 60 and self.well_timed >= 0.95 * 280)

    def __str__(self) -> str:
        return (f"{self.acquired} taken, {self.expired} expired, {self.renewed} renewed, {self.most_long} long, {self.timed} timed, "
                f"{self.well_timed} of 280 well, mean {self.seconds / max(1, self.timed):.4f} s; planted {self.mean:.4f} s")


@on_servers
def check_holds_are_timed_on_a_replica(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    exporter = watch(check, config(master))
    follows(check, exporter)
    # What is held for a second at most was seen to be taken from now on.
    time.sleep(1.5)
    # A machine that does other work as well may come too late to some; whatever it is told is true.
    rounds: list[Round] = []
    while not any(one.is_good for one in rounds) and len(rounds) < 3:
        rounds.append(Round(check, exporter, master))
    told = "; ".join(str(one) for one in rounds)
    print(told)
    check.that(any(one.is_good for one in rounds), f"what was planted is found: {told}")
    for one in rounds:
        check.that(one.expired <= 20 and one.acquired <= 300 and one.timed <= 300 and one.renewed <= 60 and one.most_long <= 5,
                   f"nothing is made up: {told}")
    check.equal(value(exporter, "locks_over_ttl"), 0, "no lock has longer to live than its contract")

    # Nothing of it on the master.
    check.equal(stats(master, "clients").get("tracking_clients"), "0", "clients that the master names keys to")
    check.that("cmdstat_pttl" not in stats(master, "commandstats"), "the master was asked for a lock")
    check.equal(stats(replica, "clients").get("tracking_clients"), "1", "clients that the replica names keys to")
    page = exporter.get("/keys/jobs").text
    check.that("half of the holds took at most" in page and "expired while held" in page, "the page tells")
    nobody_sees(check, exporter)
    findings = json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"][0]["findings"]
    check.that("lock-overrun" in {one["check"] for one in findings}, f"the finding: {findings}")


@on_servers
def check_what_changes_is_known_before_a_walk(check: Check) -> None:
    master = servers.RedisServer(check)
    servers.replica_of(check, master)
    exporter = watch(check, config(master, interval="10m").replace("follow: replica", "follow: replica, circuits: {}"))
    follows(check, exporter)
    check.until(lambda: value(exporter, "key_watch_unknown_shards") == 0, 150, "the first walk has ended")
    walked = value(exporter, "key_watch_last_walk_timestamp_seconds")
    with master.client() as client:
        client("SET", f"lock:{MARK}:dead", "token")
        for _ in range(6):
            client("INCR", "circuit:mail:failures")
        client("RPUSH", "circuit:list:failures", "a")
    check.until(lambda: value(exporter, "locks_without_ttl") == 1, 10, "a lock without TTL")
    check.until(lambda: value(exporter, "circuit_open", service="mail") == 1, 10, "an open circuit")
    with master.client() as client:
        client("DEL", f"lock:{MARK}:dead", "circuit:mail:failures")
    check.until(lambda: value(exporter, "locks_without_ttl") == 0, 10, "no lock without TTL")
    check.until(lambda: value(exporter, "circuit_open", service="mail") is None, 10, "no circuit")
    check.equal(value(exporter, "key_watch_last_walk_timestamp_seconds"), walked, "no walk found that")

    # Everything is deleted: nothing is known, and nothing counts as an overrun.
    expired = count(exporter, "lock_expired_total")
    time.sleep(2.5)
    with master.client() as client:
        client("SET", f"lock:{MARK}:one", "token", "PX", 2500)
        check.until(lambda: value(exporter, "lock_longest_held_seconds") is not None, 5, "a lock is held")
        client("FLUSHALL")
    check.until(lambda: value(exporter, "lock_longest_held_seconds") is None, 4, "no lock is known to be held")
    time.sleep(3)
    check.equal(count(exporter, "lock_expired_total"), expired, "what was flushed has not expired")
    nobody_sees(check, exporter)


@on_servers
def check_a_reader_that_stands_still_is_cut(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    exporter = watch(check, config(master))
    follows(check, exporter)
    exporter.signal(signal.SIGSTOP)
    with master.client(seconds=60) as client:
        for _ in range(8):
            client("EVAL", f"for i = 1, 10000 do redis.call('SET', 'lock:{MARK}:' .. ARGV[1] .. i, 1, 'PX', 3000) end", 0,
                   "x" * 1000)
    check.until(lambda: stats(replica, "clients").get("tracking_clients") == "0", 30, "the replica cuts the connection")
    exporter.signal(signal.SIGCONT)
    check.until(lambda: "locks and circuits are not followed" in exporter.output(), 30, "the log says so")
    check.until(lambda: "locks and circuits are followed again" in exporter.output(), 30, "they are followed again")
    follows(check, exporter)
    check.equal(count(exporter, "lock_expired_total"), 0, "what was not heard of is not made up")
    nobody_sees(check, exporter)


@on_servers
def check_a_flood_ends_following(check: Check) -> None:
    master = servers.RedisServer(check)
    servers.replica_of(check, master)
    exporter = watch(check, config(master))
    follows(check, exporter)
    ended = threading.Event()

    def flood() -> None:
        with master.client() as client:
            for turn in itertools.count():
                if ended.is_set():
                    return
                client("EVAL", f"for i = 1, 600 do redis.call('SET', 'lock:{MARK}:' .. ARGV[1] .. ':' .. i, 1, 'PX', 500) end",
                       0, turn)
                time.sleep(0.1)

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        check.until(lambda: value(exporter, "key_watch_following") == 0, 60, "nothing is followed any more")
        check.equal(value(exporter, "lock_renewed_total"), None, "what is not followed is not there")
        check.that("names a second" in exporter.output(), "the log says why")
    finally:
        ended.set()
        thread.join()
    walked = value(exporter, "key_watch_last_walk_timestamp_seconds") or 0
    check.until(lambda: (value(exporter, "key_watch_last_walk_timestamp_seconds") or 0) > walked, 90, "walks go on")
    check.equal(value(exporter, "key_watch_following"), 0, "it is not tried again at once")
    nobody_sees(check, exporter)


@on_servers
def check_following_a_replica_that_goes(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    exporter = watch(check, config(master))
    follows(check, exporter)
    replica.process.signal(signal.SIGKILL)
    check.until(lambda: value(exporter, "key_watch_following") == 0, 30, "nobody is followed")
    check.until(lambda: value(exporter, "key_watch_unknown_shards") == 0, 30, "the master is walked over")
    check.equal(stats(master, "clients").get("tracking_clients"), "0", "the master is not asked to name keys")
    check.equal(value(exporter, "lock_renewed_total"), None, "what is not followed is not there")
    replica.restart()
    follows(check, exporter)


def check_a_master_is_followed_where_that_is_wanted(check: Check) -> None:
    master = servers.RedisServer(check)
    exporter = watch(check, config(master, "any", "static"))
    follows(check, exporter)
    check.equal(stats(master, "clients").get("tracking_clients"), "1", "clients that the master names keys to")


@on_servers
def check_rights_that_are_missing_are_named(check: Check) -> None:
    server = servers.RedisServer(check)
    with server.client() as client:
        client("ACL", "SETUSER", "default", "-client|tracking")
        client("SET", f"lock:{MARK}", "token")
    exporter = watch(check, config(server, "any", "static"))
    check.until(lambda: "+client|tracking" in needs(exporter).get("lock-overrun", ""), 30, "the check says what it needs")
    check.equal(value(exporter, "key_watch_following"), 0, "nothing is followed")
    check.until(lambda: value(exporter, "locks_without_ttl") == 1, 15, "walks go on")
    denied = int(stats(server, "stats").get("acl_access_denied_cmd", 0))
    time.sleep(3)
    check.that(int(stats(server, "stats").get("acl_access_denied_cmd", 0)) == denied <= 2, "it is asked for rarely")
    check.that("locks and circuits are not followed" in exporter.output(), "the log says so")
    nobody_sees(check, exporter)


@on_servers
def check_each_shard_of_a_cluster_is_followed(check: Check) -> None:
    nodes = servers.cluster(check)
    exporter = watch(check, config(nodes[0], "any", "cluster"))
    follows(check, exporter, shards=3)
    time.sleep(1.5)
    for number in range(60):
        _in_cluster(check, nodes, "SET", f"lock:{MARK}:{number}", "token", "PX", 900)
    check.until(lambda: count(exporter, "lock_expired_total") >= 57, 15, "locks of all shards expire")
    check.that(count(exporter, "lock_acquired_total") <= 60 >= count(exporter, "lock_expired_total"), "each counts once")
    nobody_sees(check, exporter)


def _in_cluster(check: Check, nodes: list[servers.RedisServer], *words) -> None:
    for node in nodes:
        with node.client() as client:
            try:
                client(*words)
                return
            except Exception as error:  # noqa: BLE001 - MOVED: the next node is tried
                if "MOVED" not in str(error):
                    raise
    check.that(False, "no node takes the command")
