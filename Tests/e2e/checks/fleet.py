"""A daemon that watches workloads from a configuration file: discovery, failovers, restarts and reloads."""

import json
import signal
import sqlite3
import time

from harness import exporters, servers
from harness.check import Check
from harness.process import Process
from harness.paths import tool
from harness.versions import on_servers

WAITS = True
TIMEOUT_SECONDS = 120
# What is the same for all workloads here: polls are frequent, so that the checks are quick.
DEFAULTS = "defaults: {poll_interval: 1s, timeout: 1s, environment: test}\n"


class Group:
    """A master, two replicas and three Sentinels that watch them."""

    def __init__(self, check: Check):
        self.master = servers.RedisServer(check)
        self.replicas = [servers.replica_of(check, self.master) for _ in range(2)]
        self.sentinels = []
        for _ in range(3):
            self.sentinels.append(servers.RedisServer(
                check, f"sentinel monitor carts 127.0.0.1 {self.master.port} 2",
                "sentinel down-after-milliseconds carts 1500", "sentinel failover-timeout carts 8000",
                name="sentinel", sentinel=True))
        check.until(lambda: all(self.is_complete(one) for one in self.sentinels), 20,
                    "every Sentinel knows the replicas and the others")

    @staticmethod
    def is_complete(sentinel: servers.RedisServer) -> bool:
        with sentinel.client() as client:
            return "slaves=2,sentinels=3" in client.info("sentinel").get("master0", "")

    @property
    def config(self) -> str:
        seed = self.sentinels[0].port
        return ("- name: carts\n  kind: session\n"
                f"  sentinel: {{master_name: carts, seeds: ['127.0.0.1:{seed}']}}\n")

    def master_port(self) -> int:
        with self.sentinels[1].client() as client:
            return int(client("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "carts")[1])


def watch(check: Check, workloads: str, *flags: str, wait: bool = True) -> exporters.Exporter:
    path = check.file("redline.yml", DEFAULTS + "workloads:\n" + workloads)
    storage = check.folder / "store" / "redline.db"
    return exporters.redline(check, None, f"--config.file={path}", f"--storage.path={storage}", *flags, wait=wait)


def values(exporter: exporters.Exporter, name: str, *labels: str) -> dict[tuple[str, ...], float]:
    """The samples of a family by the values of some labels."""
    return {tuple(dict(series).get(label, "") for label in labels): value
            for series, value in exporter.page().named(name).items()}


def up(exporter: exporters.Exporter, workload: str) -> dict[str, float]:
    return {instance: value for (owner, instance), value in values(exporter, "redis_up", "workload", "instance").items()
            if owner == workload}


def told(exporter: exporters.Exporter) -> dict[tuple, float]:
    """The newest failovers, with their times."""
    return values(exporter, "redis_failover_info", "from", "to", "kind", "epoch")


def failovers(exporter: exporters.Exporter) -> dict[str, float]:
    return {kind: value for (kind,), value in values(exporter, "redis_failovers_total", "kind").items()}


def address(server: servers.RedisServer) -> str:
    return f"127.0.0.1:{server.port}"


def events(check: Check, kind: str) -> list[str]:
    with sqlite3.connect(check.folder / "store" / "redline.db") as database:
        return [row[0] for row in database.execute("SELECT summary FROM events WHERE kind = ?", (kind,))]


def roles(exporter: exporters.Exporter) -> dict[str, str]:
    return {instance: role for (instance, role), value
            in values(exporter, "redis_instance_role", "instance", "role").items() if value == 1}


def check_sentinel_workload_is_found_from_one_seed(check: Check) -> None:
    group = Group(check)
    exporter = watch(check, group.config)
    everybody = {address(one): 1.0 for one in [group.master, *group.replicas]}
    check.until(lambda: up(exporter, "carts") == everybody, 10, "all members are up")
    check.until(lambda: roles(exporter) == {
        address(group.master): "master", **{address(one): "replica" for one in group.replicas}}, 5, "their roles")
    check.until(lambda: set(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == {1.0}
                and len(values(exporter, "redis_sentinel_subscription_up", "sentinel")) == 3, 10,
                "all Sentinels are listened to")
    check.equal(failovers(exporter), {"automatic": 0, "manual": 0, "missed": 0}, "counters begin at 0")
    page = exporter.page()
    check.equal(page.value("redis_failover_last_timestamp_seconds", master_name="carts", workload="carts",
                           environment="test"), 0, "no failover yet")
    check.equal(page.value("redis_workload_info", workload="carts", environment="test", kind="session",
                           topology="sentinel"), 1, "the workload's description")
    check.equal(page.value("redis_objective_evictions_allowed", workload="carts", environment="test",
                           instance=address(group.master)), 0, "an objective")


@on_servers
def check_failovers_are_counted_once_over_kills(check: Check) -> None:
    """A killed master, then a manual failover, with a daemon that is killed in between."""
    group = Group(check)
    exporter = watch(check, group.config)
    check.until(lambda: len(up(exporter, "carts")) == 3, 10, "all members are found")
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == 3, 10,
                "all Sentinels are listened to")
    group.master.process.signal(signal.SIGKILL)
    check.until(lambda: failovers(exporter)["automatic"] == 1, 20, "the automatic failover is counted", pause=0.02)
    check.until(lambda: up(exporter, "carts").get(address(group.master)) == 0, 5, "the dead master is down, and listed")
    new = f"127.0.0.1:{group.master_port()}"
    check.until(lambda: roles(exporter).get(new) == "master", 10, "the new master's role")
    time.sleep(3)
    check.equal(failovers(exporter), {"automatic": 1, "manual": 0, "missed": 0}, "three Sentinels told of one failover")
    old, epochs = address(group.master), told(exporter)
    check.equal([(start, end, kind) for start, end, kind, _ in epochs], [(old, new, "automatic")], "the failover is told")
    outage = values(exporter, "redis_failover_outage_seconds", "to").get((new,), 0)
    check.that(1.4 < outage < 12, f"no master answered while it was dead, before it was found down, too: {outage} s")
    check.that(f"no master answered for {round(outage, 1)} s" in events(check, "failover")[0], "the event tells it")

    exporter.signal(signal.SIGKILL)
    exporter.wait(5)
    exporter = watch(check, group.config)
    check.equal(failovers(exporter), {"automatic": 1, "manual": 0, "missed": 0}, "the counts are kept over a kill")
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == 3, 10,
                "all Sentinels are listened to again")
    time.sleep(6)
    check.equal(failovers(exporter), {"automatic": 1, "manual": 0, "missed": 0}, "nothing is counted again")
    check.equal(told(exporter), epochs, "the failover is told as before")

    def fail_over() -> bool:
        # Refused until the failover before is over for the Sentinel.
        with group.sentinels[0].client() as client:
            return client("SENTINEL", "FAILOVER", "carts") == "OK"

    check.until(lambda: _tries(fail_over), 30, "a Sentinel takes the manual failover", pause=0.5)
    check.until(lambda: failovers(exporter)["manual"] == 1, 20, "the manual failover is counted")
    time.sleep(3)
    check.equal(failovers(exporter), {"automatic": 1, "manual": 1, "missed": 0}, "each is counted once")
    check.equal(len(events(check, "failover")), 2, "the events of failovers")
    names = told(exporter)
    check.equal([kind for _, _, kind, _ in sorted(names, key=lambda name: int(name[3]))], ["automatic", "manual"], "each is told")
    check.equal(len({epoch for _, _, _, epoch in names}), 2, "each by its own epoch")


def _tries(action) -> bool:
    try:
        return action()
    except Exception as error:  # noqa: BLE001 - an error reply means to try again
        if "INPROG" in str(error) or "NOGOODSLAVE" in str(error):
            return False
        raise


def check_failover_while_the_daemon_was_away(check: Check) -> None:
    group = Group(check)
    exporter = watch(check, group.config)
    check.until(lambda: len(up(exporter, "carts")) == 3, 10, "all members are found")
    time.sleep(6)
    exporter.signal(signal.SIGKILL)
    exporter.wait(5)
    before = group.master_port()
    with group.sentinels[0].client() as client:
        client("SENTINEL", "FAILOVER", "carts")
    check.until(lambda: group.master_port() != before, 20, "the failover")
    failed = time.time()
    time.sleep(3)
    exporter = watch(check, group.config)
    check.until(lambda: sum(failovers(exporter).values()) == 1, 20, "the missed failover is counted")
    time.sleep(3)
    check.equal(failovers(exporter), {"automatic": 0, "manual": 0, "missed": 1}, "it is counted once")
    last = values(exporter, "redis_failover_last_timestamp_seconds", "workload")[("carts",)]
    check.that(abs(last - failed) < 4, f"its time is when it took place, not when it was found: {last - failed:.1f} s later")
    check.equal(list(told(exporter).values()), [round(last, 3)], "it is told with that time")


@on_servers
def check_cluster_failover_and_a_dead_seed(check: Check) -> None:
    nodes = [servers.RedisServer(check, "cluster-enabled yes", "cluster-node-timeout 1500", name="node")
             for _ in range(6)]
    maker = Process(check, "redis-cli", [
        tool("redis-cli"), "--cluster", "create", *[address(one) for one in nodes], "--cluster-replicas", "1",
        "--cluster-yes"])
    check.equal(maker.wait(60), 0, "redis-cli --cluster create exits")
    config = f"- {{name: pages, kind: cache, seeds: ['localhost:{nodes[0].port}']}}\n"
    exporter = watch(check, config)
    everybody = {address(one): 1.0 for one in nodes}
    check.until(lambda: up(exporter, "pages") == everybody, 20, "all nodes are up, each under one name")
    labels = {"workload": "pages", "environment": "test"}
    check.until(lambda: exporter.page().value("redis_workload_slots", state="ok", **labels) == 16384, 20,
                "every slot is covered")
    check.until(lambda: exporter.page().value("redis_workload_replicas_online", **labels) == 3, 20, "replicas are online")
    time.sleep(1.5)

    nodes[0].process.signal(signal.SIGKILL)
    check.until(lambda: failovers(exporter).get("automatic") == 1, 30, "the failover is counted")
    check.until(lambda: exporter.page().value("redis_workload_slots", state="ok", **labels) == 16384, 20,
                "the slots are covered again")
    check.equal(up(exporter, "pages")[address(nodes[0])], 0, "the dead node is down, and listed")
    check.equal(exporter.page().value("redis_workload_member_state", instance=address(nodes[0]), state="missing",
                                      **labels), 1, "it is expected and missing")

    exporter.signal(signal.SIGKILL)
    exporter.wait(5)
    exporter = watch(check, config)
    check.until(lambda: sum(up(exporter, "pages").values()) == 5, 20, "the fleet is found again without its seed")
    check.equal(failovers(exporter), {"automatic": 1, "manual": 0, "missed": 0}, "the count is kept")


@on_servers
def check_replication_from_a_replica(check: Check) -> None:
    master = servers.RedisServer(check)
    replicas = [servers.replica_of(check, master) for _ in range(2)]
    exporter = watch(check, f"- {{name: jobs, kind: queue, seeds: ['localhost:{replicas[0].port}']}}\n")
    everybody = {address(master): 1.0, f"localhost:{replicas[0].port}": 1.0, address(replicas[1]): 1.0}
    check.until(lambda: up(exporter, "jobs") == everybody, 15, "each server is watched once, the seed by its own name")
    lags = lambda: values(exporter, "redis_replica_lag_seconds", "instance")  # noqa: E731
    check.until(lambda: len(lags()) == 2, 10, "both replicas have a lag")
    check.that(all(lag < 3 for lag in lags().values()), f"lags while nothing is written: {lags()}")

    # A hung replica falls behind, second by second, and harms nobody else's polls.
    with master.client() as client:
        replicas[1].process.signal(signal.SIGSTOP)
        check.until(lambda: client("INCR", "writes") and lags().get((address(replicas[1]),), 0) > 4, 15,
                    "the hung replica's lag grows", pause=0.3)
    check.that(lags()[(f"localhost:{replicas[0].port}",)] < 3, "the healthy replica's does not")
    check.until(lambda: up(exporter, "jobs")[address(replicas[1])] == 0, 5, "it is down")
    replicas[1].process.signal(signal.SIGCONT)
    check.until(lambda: up(exporter, "jobs") == everybody, 15, "it is back")
    check.until(lambda: max(lags().values()) < 3, 15, "its lag is gone")


def check_reload(check: Check) -> None:
    first, second = servers.RedisServer(check), servers.RedisServer(check)
    one = f"- {{name: one, kind: custom, topology: static, seeds: ['{address(first)}']}}\n"
    two = f"- {{name: two, kind: custom, topology: static, seeds: ['{address(second)}'], labels: {{tier: gold}}}}\n"
    history = "history: {retention: 1h}\n"
    exporter = watch(check, one + two + history)
    check.until(lambda: up(exporter, "one") and up(exporter, "two"), 10, "both workloads are up")
    check.until(lambda: values(exporter, "redis_exporter_scrapes_total", "workload").get(("one",), 0) > 2, 10, "some polls")
    path = check.folder / "redline.yml"

    path.write_text(DEFAULTS + "workloads:\n" + one + "- {name: two, kind: nonsense}\n" + history)
    response = exporter.get("/-/reload", method="POST")
    check.equal(response.status, 500, "a bad file is refused")
    check.that("nonsense" in response.text and "redline.yml:" in response.text, f"it says where: {response.text}")
    check.that(bool(up(exporter, "two")), "the old configuration stays")
    running = lambda: json.loads(exporter.get("/api/v1/status/config").text)["data"]["yaml"]  # noqa: E731
    check.that("name: two" in running() and "nonsense" not in running(), f"the API shows what runs: {running()}")

    connections = values(exporter, "redis_exporter_connections_opened_total", "workload")[("one",)]
    path.write_text(DEFAULTS + "workloads:\n" + one + history)
    check.equal(exporter.get("/-/reload", method="POST").status, 200, "the reload")
    check.that("name: two" not in running(), f"the API shows what runs now: {running()}")
    page = exporter.page()
    left = [series for family in page.families for series in page.named(family) if ("workload", "two") in series]
    check.equal(left, [], "series of the removed workload")
    check.equal(values(exporter, "redis_exporter_connections_opened_total", "workload")[("one",)], connections,
                "the unchanged workload goes on over its old connection")

    path.write_text(DEFAULTS + "workloads:\n" + one + two + history)
    check.until(lambda: bool(up(exporter, "two")), 10, "a changed file is taken over by itself")


def check_wrong_password_and_breaker(check: Check) -> None:
    server = servers.RedisServer(check, "requirepass right", password="right")
    config = (f"- {{name: one, kind: custom, topology: static, seeds: ['{address(server)}'],"
              " credentials: {password: wrong-secret}}\n")
    exporter = watch(check, config)
    labels = {"workload": "one", "environment": "test", "instance": address(server)}
    check.until(lambda: exporter.page().value("redis_exporter_target_state", state="auth", **labels) == 1, 10,
                "the state tells of the credentials")
    check.until(lambda: exporter.page().value("redis_exporter_breaker_open", **labels) == 1, 15, "the breaker opens")
    check.that("wrong-secret" not in exporter.output() + exporter.get().text + exporter.get("/").text,
               "the password is nowhere to be seen")


def check_service_discovery_and_scrape(check: Check) -> None:
    server = servers.RedisServer(check, "requirepass right", password="right")
    config = (f"- {{name: one, kind: custom, topology: static, seeds: ['{address(server)}'],"
              " credentials: {password: right}}\n")
    exporter = watch(check, config)
    check.until(lambda: up(exporter, "one") == {address(server): 1}, 10, "the server is up")
    groups = json.loads(exporter.get("/sd").text)
    check.equal([group["targets"] for group in groups], [[f"redis://{address(server)}"]], "targets")
    check.equal(groups[0]["labels"]["workload"], "one", "the workload's label")
    page = exporter.page(f"/scrape?target={groups[0]['targets'][0]}")
    check.equal(page.value("redis_up", workload="one", environment="test", instance=address(server)), 1,
                "a member is scraped with its workload's credentials")


def check_probes(check: Check) -> None:
    """One PING a second, whatever else happens: a server that hangs fails its probes and nobody else's."""
    healthy, hung = servers.RedisServer(check), servers.RedisServer(check)
    exporter = watch(check, "- {name: one, kind: custom, topology: static, "
                            f"seeds: ['{address(healthy)}', '{address(hung)}']}}\n")
    success = lambda: {instance: value for (instance,), value  # noqa: E731
                       in values(exporter, "redis_probe_success", "instance").items()}
    check.until(lambda: success() == {address(healthy): 1, address(hung): 1}, 10, "both are probed")
    hung.process.signal(signal.SIGSTOP)
    began = time.monotonic()
    check.until(lambda: success() == {address(healthy): 1, address(hung): 0}, 5, "the hung one fails its probe")
    check.that(time.monotonic() - began < 4, "within a few seconds")
    time.sleep(8)
    hung.process.signal(signal.SIGCONT)
    check.until(lambda: success()[address(hung)] == 1, 15, "it is back")
    page = exporter.page()
    labels = {"workload": "one", "environment": "test", "instance": address(healthy)}
    count = page.value("redis_probe_duration_seconds_count", **labels)
    check.that(count >= 5, f"answers of the healthy one: {count}")
    check.equal(page.value("redis_probe_failures_total", **labels), 0, "its failures")
    check.that(page.value("redis_probe_duration_seconds_bucket", le="0.1", **labels) >= count - 1, "its round trips")


def check_exit_is_quick_with_hung_servers(check: Check) -> None:
    group = Group(check)
    exporter = watch(check, group.config)
    check.until(lambda: len(up(exporter, "carts")) == 3, 10, "all members are found")
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == 3, 10,
                "all Sentinels are listened to")
    for server in (group.master, *group.sentinels[:2]):
        server.process.signal(signal.SIGSTOP)
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "sentinel").values()) == 1, 15,
                "a Sentinel that answers no PING is not listened to")
    began = time.monotonic()
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(5), 0, "the exit code")
    check.that(time.monotonic() - began < 1.5, f"the exit took {time.monotonic() - began:.2f} s")


def check_contradictions(check: Check) -> None:
    path = check.file("redline.yml", "workloads: [{name: one, kind: custom, topology: static, seeds: [a]}]\n")
    exporter = exporters.redline(check, "redis://localhost:1", f"--config.file={path}", wait=False)
    check.equal(exporter.wait(5), 2, "the exit code")
    check.that("-redis.addr: contradicts config.file" in exporter.output(), exporter.output())


def check_nothing_is_counted_before_it_was_asked(check: Check) -> None:
    """A daemon that starts has asked nobody yet: who has not been asked is unknown, and no outage."""
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)

    def is_connected() -> bool:
        with master.client() as client:
            return client.info("replication").get("slave0", "").count("state=online") == 1

    check.until(is_connected, 20, "the replica is connected")
    # It takes connections and answers nobody, until it is let go.
    replica.process.signal(signal.SIGSTOP)
    config = check.file("redline.yml", f"""
defaults: {{timeout: 3s}}
workloads:
- {{name: carts, kind: session, topology: static, seeds: ["127.0.0.1:{master.port}", "127.0.0.1:{replica.port}"], expected: {{masters: 1, replicas: 1}}}}
""")
    exporter = exporters.redline(check, None, f"--config.file={config}")
    counted = ("redis_workload_masters_present", "redis_workload_members_present", "redis_workload_replicas_online")
    pages = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        page = exporter.page()
        pages.append(page)
        if page.value("redis_workload_masters_present", workload="carts") is not None:
            break
        time.sleep(0.02)
    check.that(len(pages) > 1, "one page at least came before the polls had ended")
    check.none([f"{name} in page {number}" for number, page in enumerate(pages[:-1]) for name in counted
                if page.value(name, workload="carts") is not None], "counts before everybody was asked")
    check.equal([pages[-1].value(name, workload="carts") for name in counted], [1, 1, 0], "what is counted then")
    replica.process.signal(signal.SIGCONT)
    check.until(lambda: exporter.page().value("redis_workload_members_present", workload="carts") == 2, 30, "both are up")
