"""What a daemon that watches workloads says of their keys, streams, persistence and settings, on real servers."""

import json
import pathlib
import re
import signal
import time

from checks.fleet import DEFAULTS, Group, address, events, failovers, roles, up, values, watch
from harness import exporters, servers, start_page
from harness.check import Check
from harness.lab import Lab
from harness.paths import tool
from harness.process import Process
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 180


def text(exporter: exporters.Exporter) -> str:
    """The start page."""
    return exporter.get("/").text


def unwell(exporter: exporters.Exporter) -> set[str] | None:
    """The workloads that are not healthy, where page and API agree; else None."""
    told = json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"]
    states = {one["name"]: one["state"] for one in told}
    return {name for name, state in states.items() if state != "healthy"} if states == start_page.states(exporter) else None


def findings(exporter: exporters.Exporter) -> set[tuple[str, str]]:
    """The workloads and names of findings that count against a workload's state."""
    return {(one["name"], finding["check"]) for one in json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"]
            for finding in one["findings"] if finding["group"] == "health" and finding["severity"] != "info"}


def full(exporter: exporters.Exporter) -> set[str]:
    """How findings of full members start that the page shows, too."""
    page = text(exporter)
    return {start for one in json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"]
            for finding in one["findings"] if finding["check"] == "memory-high"
            if (start := finding["text"].partition(" uses ")[0] + " uses") in page}


def told_events(exporter: exporters.Exporter, kind: str) -> set[tuple[str, str]]:
    """The workloads and nodes of the events of a kind."""
    return {(one["workload"], one.get("node", "")) for one
            in json.loads(exporter.get(f"/api/v1/events?kind={kind}").text)["data"]["events"]}


def own_cost(exporter: exporters.Exporter, server: servers.RedisServer, name: str) -> float:
    return sum(value for (instance,), value in values(exporter, f"redis_exporter_{name}", "instance").items()
               if instance == address(server))


@on_servers
def check_locks_and_circuits_are_read_from_a_replica(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    with master.client() as client:
        for number in range(200):
            client("SET", f"page:{number}", "x")
        client("SET", "lock:held", "token", "EX", 100)
        client("SET", "lock:stuck", "token")
        client("SET", "circuit:mail:failures", 4)
        client("SET", "circuit:pay:failures", 7, "EX", 60)
    exporter = watch(check, f"- {{name: jobs, kind: custom, topology: replication, seeds: ['{address(master)}'],"
                            " watches: {interval: 1s}}\n")
    labels = {"workload": "jobs", "environment": "test"}
    check.until(lambda: exporter.page().value("redis_locks_without_ttl", **labels) == 1, 30, "a lock without TTL")
    # The first walk may have met the master alone; from then on the replica is read.
    check.until(lambda: own_cost(exporter, replica, "key_work_keys_scanned_total") > 0, 15, "the replica is walked over")
    scanned = own_cost(exporter, master, "key_work_keys_scanned_total")
    page = exporter.page()
    check.equal(page.value("redis_locks", **labels), 2, "locks")
    check.equal(page.value("redis_circuit_open", service="pay", **labels), 1, "a circuit at 7 failures")
    check.equal(page.value("redis_circuit_open", service="mail", **labels), 0, "a circuit at 4 failures")
    check.equal(page.value("redis_circuit_failures", service="mail", **labels), 4, "its failures")
    for kind in ("locks", "circuits"):
        check.equal(page.value("redis_key_watch_omitted", watch=kind, **labels), 0, f"{kind} left out")
    check.that(time.time() - page.value("redis_key_watch_last_walk_timestamp_seconds", **labels) < 30, "the walk's time")
    check.that("A lock never expires" in text(exporter) and "The circuit of pay is open: 7 failures" in text(exporter), "the page tells")
    with master.client() as client:
        client("DEL", "lock:stuck", "circuit:pay:failures")
    check.until(lambda: exporter.page().value("redis_locks_without_ttl", **labels) == 0, 15, "the lock is gone")
    check.equal(values(exporter, "redis_circuit_open", "service"), {("mail",): 0}, "the closed circuit has no series")
    check.equal(own_cost(exporter, master, "key_work_keys_scanned_total"), scanned, "the master is left alone")

    # What the watching cost the replica can be subtracted from its hit ratio.
    check.until(lambda: _lookups_match(exporter, replica), 15, "all look-ups on the replica are those of the exporter")

    # Without the replica the master is read.
    replica.process.child.kill()
    with master.client() as client:
        client("SET", "lock:again", "token")
    check.until(lambda: exporter.page().value("redis_locks_without_ttl", **labels) == 1, 30, "the master is read")


def _lookups_match(exporter: exporters.Exporter, server: servers.RedisServer) -> bool:
    with server.client() as client:
        stats = client.info("stats")
    return own_cost(exporter, server, "lookups_total") == int(stats["keyspace_hits"]) + int(stats["keyspace_misses"])


@on_servers
def check_keys_of_a_cluster_are_read_on_its_replicas(check: Check) -> None:
    nodes = [servers.RedisServer(check, "cluster-enabled yes", "cluster-node-timeout 2000", name="node") for _ in range(6)]
    maker = Process(check, "redis-cli", [
        tool("redis-cli"), "--cluster", "create", *[address(one) for one in nodes], "--cluster-replicas", "1",
        "--cluster-yes"])
    check.equal(maker.wait(60), 0, "redis-cli --cluster create exits")
    exporter = watch(check, f"- {{name: pages, kind: cache, seeds: ['{address(nodes[0])}'], watches: {{interval: 1s}}}}\n")
    labels = {"workload": "pages", "environment": "test"}
    check.until(lambda: exporter.page().value("redis_workload_replicas_online", **labels) == 3, 30, "replicas are online")
    for number in range(30):
        _set_in_cluster(check, nodes, f"lock:{number}")
        _set_in_cluster(check, nodes, f"circuit:service-{number}:failures", number)
    check.until(lambda: exporter.page().value("redis_locks_without_ttl", **labels) == 30, 30, "locks of all shards")
    check.until(lambda: exporter.page().value("redis_circuits_open", **labels) == 25, 15, "circuits of all shards")
    check.equal(exporter.page().value("redis_key_watch_unknown_shards", **labels), 0, "every shard is known")
    roles = {instance: role for (instance, role), value
             in values(exporter, "redis_instance_role", "instance", "role").items() if value == 1}
    replicas = {instance for instance, role in roles.items() if role == "replica"}

    def looked() -> set[str]:
        found = values(exporter, "redis_exporter_lookups_total", "instance")
        return {instance for (instance,), value in found.items() if value}

    check.until(lambda: replicas and looked() >= replicas, 20, f"every replica is asked: {looked()} of {replicas}")
    for node in nodes[3:]:
        with node.client() as client:
            check.that("errorstat_MOVED" not in client.info("errorstats"), "a replica was asked without READONLY")

    # A failover moves nothing out of sight.
    nodes[0].process.child.kill()
    check.until(lambda: failovers(exporter).get("automatic") == 1, 30, "the failover")
    check.until(lambda: exporter.page().value("redis_locks_without_ttl", **labels) == 30
                and exporter.page().value("redis_key_watch_unknown_shards", **labels) == 0, 30, "all locks are still known")


def _set_in_cluster(check: Check, nodes: list[servers.RedisServer], key: str, value: int = 1) -> None:
    for node in nodes:
        with node.client() as client:
            try:
                client("SET", key, value)
                return
            except Exception as error:  # noqa: BLE001 - MOVED: the next node is tried
                if "MOVED" not in str(error):
                    raise
    check.that(False, f"no node takes {key}")


@on_servers
def check_streams_of_a_queue(check: Check) -> None:
    """Lag known or absent, in entries and seconds; what waits longest; groups without a consumer; over a failover."""
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    with master.client() as client:
        for number in range(10):
            client("XADD", "orders", "*", "number", number)
        client("XGROUP", "CREATE", "orders", "billing", "0")
        client("XGROUP", "CREATE", "orders", "nobody", "0")
        client("XREADGROUP", "GROUP", "billing", "one", "COUNT", 4, "STREAMS", "orders", ">")
        client("SET", "plain", "text")
    exporter = watch(check, f"- {{name: jobs, kind: queue, seeds: ['{address(master)}'], watches: {{interval: 1s}}}}\n")
    labels = {"workload": "jobs", "environment": "test", "db": "db0", "stream": "orders"}
    group = {**labels, "group": "billing"}
    # Redis 6.2 never tells it.
    lag = 6 if "lag" in _group(master, "orders") else None
    check.until(lambda: _has(exporter, "redis_stream_group_lag_known", 0 if lag is None else 1, **group), 30,
                f"the lag is {lag}")
    page = exporter.page()
    check.equal(page.value("redis_stream_group_lag", **group), lag, "the lag")
    check.equal(page.value("redis_stream_group_messages_pending", **group), 4, "pending entries")
    check.equal(page.value("redis_stream_groups_without_consumer", **labels), 1, "groups without a consumer")
    check.equal(page.value("redis_stream_length", **labels), 10, "entries")
    check.until(lambda: ("wait for group nobody, which has no consumer" in text(exporter)) == (lag is not None), 10,
                "the page tells of the group where it has something to do")
    age = page.value("redis_stream_group_oldest_pending_seconds", **group)
    check.that(0 <= age < 60, f"age of the oldest pending entry: {age}")
    check.until(lambda: exporter.page().value("redis_stream_group_oldest_pending_seconds", **group) > age + 2, 20,
                "what waits grows older")
    check.equal([name for name in page.families if name.startswith("redis_stream_group_consumer_")], [],
                "series of single consumers")

    # A replica of 7.0 was never told how far groups have read: the lag is absent after a failover, not 0.
    with replica.client() as client:
        client("REPLICAOF", "NO", "ONE")
    with master.client() as client:
        client("REPLICAOF", "127.0.0.1", replica.port)
    lag = _group(replica, "orders").get("lag")
    known = 0 if lag is None else 1
    check.until(lambda: _has(exporter, "redis_stream_group_lag_known", known, **group), 30,
                f"the new master's lag is {lag}, so known is {known}")
    check.until(lambda: (group["group"],) in values(exporter, "redis_stream_group_lag_seconds", "group"), 10,
                "the lag in seconds rests on ids and stays")
    check.equal((group["group"],) in values(exporter, "redis_stream_group_lag", "group"), lag is not None,
                "the lag has a series only where it is known")


def _group(server: servers.RedisServer, stream: str) -> dict:
    """What XINFO GROUPS says of the stream's first group."""
    with server.client() as client:
        words = client("XINFO", "GROUPS", stream)[0]
    return {name.decode(): value for name, value in zip(words[::2], words[1::2])}


def _has(exporter: exporters.Exporter, name: str, value: float, **labels: str) -> bool:
    return any(seen == value and all(dict(series).get(key) == text for key, text in labels.items())
               for series, seen in exporter.page().named(name).items())


@on_servers
def check_room_for_a_fork(check: Check) -> None:
    server = servers.RedisServer(check, "maxmemory 100mb", "maxmemory-policy noeviction")
    exporter = watch(check, "- {name: one, kind: custom, topology: static, "
                            f"seeds: ['{address(server)}'], objectives: {{backup_age: 2s}}}}\n")
    labels = {"workload": "one", "environment": "test", "instance": address(server)}
    check.until(lambda: (exporter.page().value("redis_fork_worst_headroom_bytes", **labels) or 0) > 0, 10, "room for a fork")
    check.equal(exporter.page().value("redis_fork_copied_bytes", **labels), None, "nothing was copied yet")
    check.equal(exporter.page().value("redis_rdb_age_seconds", **labels), None, "the age of no dump")
    check.until(lambda: "has no RDB file since its start" in text(exporter), 20, "a server that never saved")
    with server.client() as client:
        client("SET", "key", "x" * 1000)
        client("BGSAVE")
        machine = int(client.info("memory")["total_system_memory"])
    check.until(lambda: (exporter.page().value("redis_fork_copied_bytes", **labels) or 0) > 0, 15, "what the save copied")
    headroom = exporter.page().value("redis_fork_headroom_bytes", **labels)
    check.that(0 < headroom < machine - 100 * 2 ** 20, f"the limit and the copy are taken off: {headroom} of {machine}")
    check.that(exporter.page().value("redis_rdb_age_seconds", **labels) < 30, "the age of the dump")
    check.until(lambda: "RDB file" not in text(exporter), 5, "it is as good as new while nothing changes")
    with server.client() as client:
        client("CONFIG", "SET", "maxmemory", machine)
    check.until(lambda: (exporter.page().value("redis_fork_headroom_bytes", **labels) or 0) < 0, 10, "no room is left")
    check.that("more memory than the machine has" in text(exporter), "the page tells")


def check_drift_and_hit_ratio(check: Check) -> None:
    """What a person is told of members that differ, and of a cache that is asked for what it has not."""
    limits = ("maxmemory 50mb", "maxmemory-policy allkeys-lru")
    master = servers.RedisServer(check, *limits)
    replicas = [servers.replica_of(check, master, *limits) for _ in range(2)]
    exporter = watch(check, "- {name: pages, kind: cache, topology: replication, expected: {replicas: 2}, "
                            f"seeds: ['{address(master)}']}}\n")
    labels = {"workload": "pages", "environment": "test"}
    with master.client() as client:
        def ask() -> bool:
            for number in range(20):
                client("GET", f"missing:{number}")
            return True

        def while_asked(condition, seconds: float, claim: str) -> None:
            check.until(lambda: ask() and condition(), seconds, claim, pause=0.5)

        drifted = lambda: exporter.page().value("redis_workload_drifted_settings", **labels)  # noqa: E731
        while_asked(lambda: len(up(exporter, "pages")) == 3 and drifted() == 0, 15, "all members are alike")
        # Later changes are news; how the members were found is none.
        began = time.monotonic()
        while_asked(lambda: time.monotonic() - began > 17, 20, "the fleet settles")
        with replicas[1].client() as other:
            other("CONFIG", "SET", "maxmemory-samples", 7)
        while_asked(lambda: drifted() == 1, 10, "a setting differs")
        claim = f"Settings differ between members: maxmemory-samples (on {address(replicas[1])})"
        check.that(claim in text(exporter), "the page names it")
        while_asked(lambda: claim in events(check, "config_change"), 20, "an event names it")
        with replicas[1].client() as other:
            other("CONFIG", "SET", "maxmemory-samples", 5)
        while_asked(lambda: drifted() == 0, 10, "it is the same again")
        while_asked(lambda: "Settings are the same on all members that answer" in events(check, "config_change"), 20,
                    "an event tells that it is over")
        while_asked(lambda: exporter.page().value("redis_workload_hit_ratio", **labels) is not None, 70, "a hit ratio")
        check.equal(exporter.page().value("redis_workload_hit_ratio", **labels), 0, "every lookup misses")
        check.that("0 % of lookups found their key" in text(exporter), "the page tells")


def check_the_last_failover_is_known_after_a_restart(check: Check) -> None:
    group = Group(check)
    exporter = watch(check, group.config)
    check.until(lambda: len(up(exporter, "carts")) == 3, 10, "all members are found")
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == 3, 10,
                "all Sentinels are listened to")
    with group.sentinels[0].client() as client:
        client("SENTINEL", "FAILOVER", "carts")
    check.until(lambda: failovers(exporter)["manual"] == 1, 30, "the failover is counted")
    claim = f"manual failover of carts from {address(group.master)} to"
    check.until(lambda: claim in text(exporter), 5, "the page tells of it")
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(10), 0, "the daemon ends")
    exporter = watch(check, group.config)
    check.until(lambda: claim in text(exporter), 10, "the next life of the daemon tells of it as well")


def check_a_sentinel_of_two_workloads_is_asked_once(check: Check) -> None:
    masters = [servers.RedisServer(check) for _ in range(2)]
    replicas = [servers.replica_of(check, master) for master in masters]
    sentinel = servers.RedisServer(
        check, *[f"sentinel monitor {name} 127.0.0.1 {master.port} 1" for name, master in zip(("carts", "users"), masters)],
        *[f"sentinel down-after-milliseconds {name} 5000" for name in ("carts", "users")], name="sentinel", sentinel=True)

    def knows_all() -> bool:
        with sentinel.client() as client:
            info = client.info("sentinel")
            return all("slaves=1" in info.get(f"master{number}", "") for number in range(2))

    check.until(knows_all, 30, "the Sentinel knows both replicas")
    config = "".join(f"- {{name: {name}, kind: session, expected: {{replicas: 1, sentinels: 1}}, "
                     f"sentinel: {{master_name: {name}, seeds: ['{address(sentinel)}']}}}}\n" for name in ("carts", "users"))
    exporter = watch(check, config)
    for name, master, replica in zip(("carts", "users"), masters, replicas):
        check.until(lambda: up(exporter, name) == {address(master): 1, address(replica): 1}, 15, f"the members of {name}")
    check.until(lambda: set(values(exporter, "redis_sentinel_subscription_up", "workload", "sentinel").items()) == {
        (("carts", address(sentinel)), 1.0), (("users", address(sentinel)), 1.0)}, 10, "both workloads listen")

    def connections() -> int:
        with sentinel.client() as client:
            return client("CLIENT", "LIST").decode().count("name=redline ")

    check.equal(connections(), 2, "connections to the Sentinel: one that asks, one that listens")
    check.equal(len(exporter.page().named("redis_sentinel_masters")), 1, "its own series are there once")
    with sentinel.client() as client:
        client("SENTINEL", "FAILOVER", "users")
    counts = lambda: {key: value for key, value  # noqa: E731
                      in values(exporter, "redis_failovers_total", "workload", "kind").items() if value}
    check.until(lambda: counts() == {("users", "manual"): 1}, 30, f"one failover of one workload: {counts()}")

    # The Sentinel goes on being watched for the workload that is left.
    (check.folder / "redline.yml").write_text(
        DEFAULTS + "workloads:\n" + config.splitlines(keepends=True)[1])
    check.equal(exporter.get("/-/reload", method="POST").status, 200, "the reload")
    check.equal(set(values(exporter, "redis_sentinel_subscription_up", "workload")), {("users",)}, "who listens")
    check.until(lambda: connections() == 2, 10, "the connections stay")
    (check.folder / "redline.yml").write_text(DEFAULTS + "workloads:\n" + "- {name: one, kind: custom, topology: static, "
                                              f"seeds: ['{address(masters[0])}']}}\n")
    check.equal(exporter.get("/-/reload", method="POST").status, 200, "the reload")
    check.until(lambda: connections() == 0, 10, "nobody asks any more")


def check_the_lab_with_its_faults(check: Check) -> None:
    """Locks, circuits and queues of the whole topology, behind Sentinels and passwords, under traffic."""
    lab = Lab(check)
    lab.up()
    # It takes a minute until that counts.
    lab.does("lag", "queues")
    config = pathlib.Path(lab.does("config").strip()).read_text()
    config = config.replace("    watches:\n", "    watches:\n      interval: 2s\n")
    path = check.file("lab.yml", re.sub(r"(    kind: (?:cache|queue)\n)", r"\1    watches: {interval: 2s}\n", config))
    exporter = exporters.redline(check, None, f"--config.file={path}",
                                 f"--storage.path={check.folder / 'store' / 'redline.db'}")
    sessions = lambda name, **labels: exporter.page().value(  # noqa: E731
        name, workload="sessions", environment="lab", **labels)
    check.until(lambda: sessions("redis_key_watch_unknown_shards") == 0, 40, "the keys of the sessions are known")
    check.equal(sessions("redis_locks_without_ttl"), 0, "locks without TTL before the fault")
    # The traffic keeps to what is declared.
    check.that(sessions("redis_rate_limit_keys", limit="fixed") > 0, "counters of a rate limit")
    for name in ("redis_locks_over_ttl", "redis_circuits_without_ttl", "redis_circuits_over_ttl", "redis_idempotency_without_ttl"):
        check.equal(sessions(name), 0, name)
    check.until(lambda: sessions("redis_rate_limit_expiring_early", limit="fixed") == 0, 10, "no counter is early")
    check.until(lambda: values(exporter, "redis_stream_group_lag_known", "stream", "group").keys() >= {
        ("orders", "billing"), ("orders", "shipping"), ("emails", "senders")}, 40, "the groups of the queues")
    check.equal(set(values(exporter, "redis_stream_group_consumers", "workload")), {("queues",)}, "whose streams they are")
    check.until(lambda: unwell(exporter) == set(), 40, "a whole lab is healthy")

    # What is over at once is an event, and no fault: a failover that was asked for, a server that was replaced.
    for name in ("queues", "sessions"):
        lab.does("failover", name)
        check.until(lambda: name in {workload for workload, _ in told_events(exporter, "failover")}, 20, "it is told")
        check.until(lambda: f"manual failover of {name}" in text(exporter), 10, "the page tells of it, too")
    lab.does("replace", "queues-3")
    check.until(lambda: ("queues", "queues-3") in told_events(exporter, "restart"), 20, "a replaced server is told")
    # A cache may be full, and says so.
    lab.does("fill", "cache")
    check.until(lambda: {"cache-1 uses", "cache-2 uses", "cache-3 uses"} <= full(exporter), 20, "a full cache is told")
    check.until(lambda: unwell(exporter) == set(), 40, "none of that lasts")

    replica = next(name for name, role in roles(exporter).items() if name.startswith("sessions") and role == "replica")
    # Each fault by itself brings its workload down, on the page and in the API. One that was laid long ago comes late.
    faults = {("sessions", "replica-faulty"): ("load", replica), ("cache", "node-down"): ("kill", "cache-1"),
              ("cache", "flushed"): ("flush", "cache"), ("sessions", "lock-without-ttl"): ("deadlock", "basket"),
              ("sessions", "circuit-open"): ("circuit", "payments"), ("queues", "stream-lag-high"): (),
              ("queues", "node-down"): ("hang", "queues-1")}
    for fault, words in faults.items():
        if words:
            lab.does(*words)
        check.until(lambda: fault in findings(exporter) and fault[0] in (unwell(exporter) or ()), 80, f"{fault} is told")
    check.until(lambda: unwell(exporter) == {"cache", "queues", "sessions"}, 10, "no workload is called healthy")
    check.equal(sessions("redis_locks_without_ttl"), 1, "the deadlock")
    check.equal(sessions("redis_circuit_open", service="payments"), 1, "the open circuit")
    check.that("A lock never expires" in text(exporter), "the page tells")
    lab.does("heal")
    # What was flushed stays so for ten minutes.
    check.until(lambda: unwell(exporter) == {"cache"}, 60, "what is healed is healthy")
    check.until(lambda: sessions("redis_locks_without_ttl") == 0 and sessions("redis_circuits_open") == 0, 40,
                "all is well again")
    check.equal(values(exporter, "redis_workload_drifted_settings", "workload"),
                {("cache",): 0, ("queues",): 0, ("sessions",): 0}, "members of the lab are alike")
