"""Every fault of servers under Sentinel, or that only replicate, and its end: topology, counts, events, no leftovers."""

import json
import signal
import sqlite3
import time

from checks import fleet
from checks.fleet import address, events, failovers, roles, up, values
from harness import exporters, servers
from harness.check import Check, Failed

WAITS = True
TIMEOUT_SECONDS = 150
# From the moment when the last server is steady.
SETTLE_SECONDS = 10


class Watch:
    """The daemon on one workload, and what must be true of it after each fault."""

    def __init__(self, check: Check, name: str, config: str, members: int):
        self.check, self.name, self.config = check, name, config
        self.exporter: exporters.Exporter = None
        self.start()
        check.until(lambda: len(up(self.exporter, name)) == members, 15, "all members are found")
        check.equal(failovers(self.exporter), {"automatic": 0, "manual": 0, "missed": 0}, "counters begin at 0")

    def start(self) -> None:
        self.exporter = fleet.watch(self.check, self.config)

    def kill(self) -> None:
        self.exporter.signal(signal.SIGKILL)
        self.exporter.wait(5)

    def counts(self, **kinds: int) -> None:
        """Each failover so far is counted once, in its kind, and told in one event."""
        expected = {"automatic": 0, "manual": 0, "missed": 0} | kinds
        try:
            self.check.until(lambda: failovers(self.exporter) == expected, SETTLE_SECONDS, f"failovers are {expected}")
        except Failed:
            raise Failed(f"failovers: expected {expected}, saw {failovers(self.exporter)}: "
                         f"{self.exporter.output()[-3000:]}") from None
        self.check.until(lambda: len(events(self.check, "failover")) == sum(expected.values()), 2,
                         "an event for each failover")
        last = values(self.exporter, "redis_failover_last_timestamp_seconds", "workload")[(self.name,)]
        self.check.that(time.time() - last < 60, "the time of the last failover backs the counter")

    def steady(self, *masters: servers.RedisServer, replicas: list[servers.RedisServer]) -> None:
        expected = {address(one): "master" for one in masters} | {address(one): "replica" for one in replicas}
        everybody = dict.fromkeys(expected, 1.0)

        def is_steady() -> bool:
            page = self.exporter.page()
            replicas_online = next(iter(page.named("redis_workload_replicas_online").values()), None)
            return (up(self.exporter, self.name) == everybody and roles(self.exporter) == expected
                    and replicas_online == len(replicas))

        try:
            self.check.until(is_steady, SETTLE_SECONDS, "the topology is right")
        except Failed:
            raise Failed(f"expected {expected}, saw {up(self.exporter, self.name)} and {roles(self.exporter)}: "
                         f"{self.exporter.output()[-3000:]}") from None

    def is_gone(self, server: servers.RedisServer) -> bool:
        """No series of any family names it."""
        page = self.exporter.page()
        return not any(address(server) in dict(labels).values()
                       for family in page.families for labels in page.named(family))

    def details(self, kind: str = "failover") -> list[dict]:
        with sqlite3.connect(self.check.folder / "store" / "redline.db") as database:
            rows = database.execute("SELECT details FROM events WHERE kind = ? ORDER BY id", (kind,)).fetchall()
        return [json.loads(row[0]) for row in rows]

    def told(self, kind: str, server: servers.RedisServer) -> int:
        """How many events of a kind there are about a server."""
        with sqlite3.connect(self.check.folder / "store" / "redline.db") as database:
            return database.execute("SELECT count(*) FROM events WHERE kind = ? AND node = ?",
                                    (kind, address(server))).fetchone()[0]

    def is_told(self, kind: str, server: servers.RedisServer, count: int = 1) -> None:
        self.check.until(lambda: self.told(kind, server) == count, SETTLE_SECONDS,
                         f"{count} {kind} of {address(server)}, saw {self.told(kind, server)}")

    def open_descriptors(self) -> int:
        """Those that are open once the watches over keys have their connections, too."""
        def has_walked() -> bool:
            page = self.exporter.page()
            return (set(page.named("redis_key_watch_unknown_shards").values()) == {0}
                    and bool(page.named("redis_key_watch_last_walk_timestamp_seconds")))

        self.check.until(has_walked, 20, "the keys of every shard have been walked over")
        return self.exporter.descriptors()

    def no_leak(self, before: int) -> None:
        self.check.until(lambda: self.exporter.descriptors() <= before + 2, SETTLE_SECONDS,
                         f"descriptors: {before} before, {self.exporter.descriptors()} after")


def follow(replica: servers.RedisServer, master: servers.RedisServer | None) -> None:
    with replica.client() as client:
        client("REPLICAOF", *(["NO", "ONE"] if master is None else ["127.0.0.1", master.port]))


def is_linked(replica: servers.RedisServer) -> bool:
    with replica.client() as client:
        return client.info("replication").get("master_link_status") == "up"


# Sentinels


def fail_over(group: fleet.Group) -> bool:
    with group.sentinels[0].client() as client:
        try:
            return client("SENTINEL", "FAILOVER", "carts") == "OK"
        except servers.ReplyError as error:
            if "INPROG" in str(error) or "NOGOODSLAVE" in str(error):
                return False
            raise


def sentinels_agree(group: fleet.Group, master: int) -> bool:
    """Every Sentinel names the master, has finished the failover, and finds its two replicas well."""
    for sentinel in group.sentinels:
        with sentinel.client() as client:
            flat = [word.decode() for word in client("SENTINEL", "MASTER", "carts")]
            replicas = client("SENTINEL", "REPLICAS", "carts")
        facts = dict(zip(flat[::2], flat[1::2]))
        flags = [dict(zip(one[::2], one[1::2]))[b"flags"] for one in replicas]
        if (int(facts["port"]), facts["flags"], facts["num-other-sentinels"], flags) != (
                master, "master", "2", [b"slave"] * 2):
            return False
    return True


def steady_group(watch: Watch, group: fleet.Group) -> servers.RedisServer:
    """The master once Sentinels and replicas agree; the watch must agree soon."""
    everybody = [group.master, *group.replicas]
    watch.check.until(lambda: sentinels_agree(group, group.master_port()), 40, "the Sentinels agree again")
    master = next(one for one in everybody if one.port == group.master_port())
    replicas = [one for one in everybody if one is not master]
    watch.check.until(lambda: all(is_linked(one) for one in replicas), 30, "the replicas follow")
    watch.steady(master, replicas=replicas)
    page = watch.exporter.page()
    labels = {"workload": "carts", "environment": "test"}
    watch.check.equal(page.value("redis_workload_split_brain", **labels), 0, "split brain")
    watch.check.equal(page.value("redis_workload_demoted_masters", **labels), 0, "demoted masters")
    return master


def check_sentinel_group(check: Check) -> None:
    group = fleet.Group(check)
    watch = Watch(check, "carts", group.config, 3)
    listening = lambda: sum(values(watch.exporter, "redis_sentinel_subscription_up", "sentinel").values())  # noqa: E731
    check.until(lambda: listening() == 3, 10, "all Sentinels are listened to")
    master = steady_group(watch, group)
    open_before = watch.open_descriptors()

    # Somebody asks for a failover; clients are on the old master before it.
    clients = [master.client() for _ in range(7)]
    time.sleep(2.5)
    check.until(lambda: fail_over(group), 20, "a Sentinel takes the manual failover", pause=0.5)
    check.until(lambda: failovers(watch.exporter)["manual"] == 1, 20, "it is counted", pause=0.02)
    labels = {"workload": "carts", "environment": "test"}
    began = time.monotonic()
    while time.monotonic() - began < 3:
        check.equal(watch.exporter.page().value("redis_workload_split_brain", **labels), 0,
                    "split brain while the Sentinels have yet to demote the old master")
        time.sleep(0.2)
    old = master
    for client in clients:
        client.close()
    master = steady_group(watch, group)
    watch.counts(manual=1)
    check.until(lambda: "clients_after" in watch.details()[0], SETTLE_SECONDS, "the event is completed")
    story = watch.details()[0]
    check.that(story["clients_before"][address(old)] >= 7 + story["clients_after"][address(old)] - 2,
               f"the clients of the old master: {story}")
    check.that({"try", "switch"} <= set(story["phases"]) and story["to"] == address(master), f"the story: {story}")

    # The master hangs, another takes over, and it comes back.
    master.process.signal(signal.SIGSTOP)
    check.until(lambda: failovers(watch.exporter)["automatic"] == 1, 20, "the failover from a hung master is counted")
    check.equal(up(watch.exporter, "carts").get(address(master)), 0, "the hung master is down, and listed")
    master.process.signal(signal.SIGCONT)
    master = steady_group(watch, group)
    watch.counts(manual=1, automatic=1)

    # Two of three Sentinels die: nothing can fail over, and that is said.
    for sentinel in group.sentinels[1:]:
        sentinel.process.signal(signal.SIGKILL)
    alone = lambda: (watch.exporter.page().value("redis_workload_sentinels_present", **labels),  # noqa: E731
                     watch.exporter.page().value("redis_workload_sentinel_quorum", **labels))
    check.until(lambda: alone() == (1, 0), SETTLE_SECONDS, f"one Sentinel is left, without a quorum: {alone()}")
    for sentinel in group.sentinels[1:]:
        sentinel.restart()
    check.until(lambda: alone() == (3, 1) and listening() == 3, 2 * SETTLE_SECONDS, "all Sentinels are back")
    watch.counts(manual=1, automatic=1)

    # The Sentinel that leads a failover is restarted in the middle of it.
    subscriptions = []
    for sentinel in group.sentinels:
        client = sentinel.client(seconds=20)
        client("SUBSCRIBE", "+try-failover")
        client.socket.setblocking(False)
        subscriptions.append((sentinel, client))
    master.process.signal(signal.SIGKILL)
    leader = check.until(lambda: next((one for one, client in subscriptions if _has_news(client)), None), 20,
                         "a Sentinel begins a failover", pause=0.005)
    leader.process.signal(signal.SIGKILL)
    leader.restart()
    for _, client in subscriptions:
        client.close()
    dead = master
    check.until(lambda: group.master_port() != dead.port, 40, "the failover takes place all the same")
    check.until(lambda: failovers(watch.exporter)["automatic"] == 2, SETTLE_SECONDS, "it is counted")
    dead.restart()
    steady_group(watch, group)
    watch.counts(manual=1, automatic=2)
    watch.is_told("restart", dead)
    check.until(lambda: listening() == 3, SETTLE_SECONDS, "all Sentinels are listened to")
    watch.no_leak(open_before)
    check.equal(events(check, "config_change"), [], "no failover changes settings")


def _has_news(client) -> bool:
    try:
        return bool(client.socket.recv(1))
    except BlockingIOError:
        return False


# Servers that only replicate


def check_replication_group(check: Check) -> None:
    first = servers.RedisServer(check)
    second, third = (servers.replica_of(check, first) for _ in range(2))
    everybody = [first, second, third]
    watch = Watch(check, "jobs", f"- {{name: jobs, kind: queue, seeds: ['{address(first)}']}}\n", 3)
    watch.steady(first, replicas=[second, third])
    open_before = watch.open_descriptors()

    # A person swaps master and replica.
    follow(second, None)
    for one in (third, first):
        follow(one, second)
    check.until(lambda: is_linked(first) and is_linked(third), 20, "both follow the second")
    watch.steady(second, replicas=[first, third])
    watch.counts(manual=1)
    watch.is_told("role_change", first)

    # The master dies, and a person promotes another.
    second.process.signal(signal.SIGKILL)
    check.until(lambda: up(watch.exporter, "jobs").get(address(second)) == 0, SETTLE_SECONDS, "the dead master is down")
    follow(third, None)
    follow(first, third)
    watch.counts(manual=1, automatic=1)
    second.restart()
    follow(second, third)
    check.until(lambda: all(is_linked(one) for one in (first, second)), 20, "both follow the third")
    watch.steady(third, replicas=[first, second])
    watch.is_told("restart", second)

    # It hangs, and nobody takes over.
    third.process.signal(signal.SIGSTOP)
    check.until(lambda: up(watch.exporter, "jobs").get(address(third)) == 0, SETTLE_SECONDS, "the hung master is down")
    third.process.signal(signal.SIGCONT)
    watch.steady(third, replicas=[first, second])

    # One more replica, and one less.
    fourth = servers.replica_of(check, third)
    watch.steady(third, replicas=[first, second, fourth])
    watch.is_told("arrival", fourth)
    fourth.process.signal(signal.SIGTERM)
    check.until(lambda: watch.is_gone(fourth), 2 * SETTLE_SECONDS, "no series of the removed replica")
    watch.is_told("departure", fourth)

    # Another server at the same address.
    first.process.signal(signal.SIGKILL)
    first.process.wait(5)
    replaced = servers.RedisServer(check, f"replicaof 127.0.0.1 {third.port}", port=first.port, name="replaced")
    check.until(lambda: is_linked(replaced), 20, "it follows")
    watch.steady(third, replicas=[replaced, second])
    watch.is_told("restart", replaced)

    # A password that the daemon does not have.
    with second.client() as client:
        client("CONFIG", "SET", "requirepass", "new-secret")
        client("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        labels = {"workload": "jobs", "environment": "test", "instance": address(second)}
        check.until(lambda: watch.exporter.page().value("redis_exporter_target_state", state="auth", **labels) == 1,
                    SETTLE_SECONDS, "the state tells of the password")
        check.equal(up(watch.exporter, "jobs"),
                    {address(third): 1, address(replaced): 1, address(second): 0}, "who is up")
        client("CONFIG", "SET", "requirepass", "")
    watch.steady(third, replicas=[replaced, second])

    # A replica that loads its dump.
    with third.client() as client:
        client("FLUSHALL")
        client("EVAL", "for i = 1, 10000 do redis.call('SET', 'key:' .. i, string.rep('x', 50)) end", 0)
    check.until(lambda: is_linked(second), 10, "the replica follows")
    watch.is_told("flush", third)
    with third.client() as client:
        client("CONFIG", "SET", "hz", "17")
    check.until(lambda: f"{address(third)} has another value of hz" in events(check, "config_change"), SETTLE_SECONDS,
                "the change of a setting is told")
    with second.client() as client:
        client("SAVE")
    second.process.signal(signal.SIGKILL)
    second.arguments += ["--key-load-delay", "200", "--loading-process-events-interval-bytes", "1024"]
    second.restart(wait=False)
    check.until(lambda: watch.exporter.page().value("redis_exporter_target_state", state="loading", **labels) == 1,
                SETTLE_SECONDS, "the state tells that it loads", pause=0.05)
    check.until(lambda: second.answers() and is_linked(second), 40, "it has loaded")
    watch.steady(third, replicas=[replaced, second])
    watch.is_told("restart", second, 2)
    watch.counts(manual=1, automatic=1)
    watch.no_leak(open_before)
    check.that(all("clients_after" in story for story in watch.details()), "the events of failovers are completed")
    check.equal(len(events(check, "arrival")), 1, "arrivals")
    check.equal(len(events(check, "departure")), 1, "departures")


def check_changes_while_the_daemon_was_away(check: Check) -> None:
    first = servers.RedisServer(check)
    second, third = (servers.replica_of(check, first) for _ in range(2))
    config = ("- {name: jobs, kind: queue, seeds: "
              f"['{address(first)}', '{address(second)}'], expected: {{replicas: 2}}}}\n")
    watch = Watch(check, "jobs", config, 3)
    watch.steady(first, replicas=[second, third])
    time.sleep(7)
    watch.kill()

    with first.client() as client:
        client("CONFIG", "SET", "maxmemory", "123456789")
        client("FLUSHALL")
    follow(second, None)
    follow(first, second)
    third.process.signal(signal.SIGKILL)
    fourth = servers.replica_of(check, second)
    watch.start()
    watch.steady(second, replicas=[first, fourth])
    watch.counts(missed=1)
    for kind, server in (("role_change", first), ("role_change", second), ("config_change", first), ("flush", first),
                         ("arrival", fourth)):
        watch.is_told(kind, server)
    check.until(lambda: watch.told("departure", third) == 1, 2 * SETTLE_SECONDS, "the one that is gone is told of")
    check.until(lambda: watch.is_gone(third), 2, "no series of it")

    # Nothing is told again, and who is expected stays listed although nobody names it.
    fourth.process.signal(signal.SIGKILL)
    check.until(lambda: up(watch.exporter, "jobs").get(address(fourth)) == 0, SETTLE_SECONDS, "the dead one is down")
    count = len(events(check, "role_change"))
    watch.kill()
    watch.start()
    check.until(lambda: up(watch.exporter, "jobs").get(address(fourth)) == 0, 2 * SETTLE_SECONDS,
                "the dead one is listed again")
    watch.counts(missed=1)
    check.equal(len(events(check, "role_change")), count, "changes of role")
    watch.is_told("unreachable", fourth)
