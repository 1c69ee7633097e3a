"""What happens in the week, and which faults come after it: each a function in this table.

A function does what happens, says `yield` while it lasts, and undoes it. `@ordinary` gives it its time of the week; what
an alert says of it is false unless its name is among `told`, with the place in the operating document that wants it.
`@fault` is laid out after the week; the lab is healed after it. `holds` is for how many minutes it lasts in the layout;
of these so many seconds are recorded and repeated. `brief` says that the short form has it, too.
"""

import contextlib
import dataclasses
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

from harness.paths import tool
from harness.resp import ReplyError
from precision_record import NEWER, Site

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# "Sentinel failover: any" is in the table of thresholds; so somebody is woken by each that no window announces.
FAILOVER_IS_TOLD = ("RedisFailover",)
# The newer server has faults of its own that are known, and whoever upgrades to it wants to hear of them.
FAULTS_OF_A_VERSION_ARE_TOLD = ("RedisAuditWarning",)
UPGRADE_IS_TOLD = FAILOVER_IS_TOLD + FAULTS_OF_A_VERSION_ARE_TOLD
# "Hit ratio below 80 % for 15 minutes" and "evictions above twice the usual" are there as well, as work for the next day.
MEMORY_PRESSURE_IS_TOLD = ("RedisHitRatioLow", "RedisEvictionsAboveBaseline")


@dataclasses.dataclass(frozen=True)
class Happening:
    text: str
    play: Callable[[Site], Iterator[None]]
    # Hours since the week began; none of a fault.
    hour: float | None = None
    holds_minutes: float = 0
    held_seconds: float = 20
    told: tuple[str, ...] = ()
    is_brief: bool = False
    # The daemon begins without the history that it had.
    forgets: bool = False

    @property
    def name(self) -> str:
        return self.play.__name__

    @property
    def is_fault(self) -> bool:
        return self.hour is None


# Longer than RedisStreamLagHigh allows.
LATE_SECONDS = 70

WEEK: list[Happening] = []
FAULTS: list[Happening] = []


def ordinary(when: str, text: str, holds: float = 0, seconds: float = 20, told: tuple[str, ...] = (), brief: bool = False,
             forgets: bool = False):
    day, clock = when.split(" ")
    hours, minutes = map(int, clock.split(":"))
    hour = 24 * DAYS.index(day) + hours + minutes / 60

    def add(play):
        WEEK.append(Happening(text, play, hour, holds, seconds, told, brief, forgets))
        WEEK.sort(key=lambda one: one.hour)
        return play
    return add


def fault(text: str, holds: float = 12, seconds: float = 20, brief: bool = False):
    def add(play):
        FAULTS.append(Happening(text, play, None, holds, seconds, (), brief))
        return play
    return add


# The ordinary week


@ordinary("Mon 09:30", "applications are deployed: every client goes and comes back", brief=True)
def deploy(site: Site) -> Iterator[None]:
    site.lay("traffic", "off")
    time.sleep(5)
    site.lay("traffic", "on")
    yield


@ordinary("Mon 11:00", "consumers are deployed: entries wait for half a minute", holds=0.5, seconds=20)
def deploy_consumers(site: Site) -> Iterator[None]:
    site.lay("lag", "queues", "--entries", "300")
    yield
    site.lay("heal", "queues")


@ordinary("Mon 14:00", "a replica of the sessions is restarted")
def restart_replica(site: Site) -> Iterator[None]:
    site.lay("restart", site.replicas("sessions")[0])
    yield


@ordinary("Mon 15:00", "a Sentinel is restarted")
def restart_sentinel(site: Site) -> Iterator[None]:
    site.lay("restart", "sentinel-2")
    yield


@ordinary("Mon 16:30", "an analyst sends slow commands")
def slow_commands(site: Site) -> Iterator[None]:
    with site.lab.client(site.masters("sessions")[0]) as client:
        for _ in range(8):
            client("KEYS", "*")
            client("EVAL", "local i = 0 while i < 2e7 do i = i + 1 end return i", 0)
            time.sleep(1)
    yield


@ordinary("Tue 00:00", "keys that were set together expire together at midnight")
def expiry_wave(site: Site) -> Iterator[None]:
    midnight = int(time.time()) + 14
    site.pipeline(site.masters("sessions")[0], [("SET", f"daily:{index}", "x" * 100, "EXAT", midnight)
                                                for index in range(40_000)])
    time.sleep(max(0.0, midnight + 6 - time.time()))
    yield


@ordinary("Tue 02:00", "the cache is upgraded inside its window: replicas, failovers, old masters",
          told=FAULTS_OF_A_VERSION_ARE_TOLD)
def upgrade_cache(site: Site) -> Iterator[None]:
    with site.maintenance("cache"):
        upgrade(site, "cache")
        time.sleep(6)
    yield


@ordinary("Tue 03:00", "dumps are taken over the network with redis-cli --rdb", brief=True)
def network_dumps(site: Site) -> Iterator[None]:
    for node in (site.replicas("sessions")[0], *(site.masters(name)[0] for name in ("sessions", "queues", "cache"))):
        site.dump(node)
        time.sleep(4)
    yield


@ordinary("Tue 04:00", "append-only files are rewritten")
def rewrite_files(site: Site) -> Iterator[None]:
    for workload in ("queues", "sessions"):
        for node in site.nodes(workload):
            with contextlib.suppress(ReplyError):
                site.lab.ask(node, "BGREWRITEAOF")
    time.sleep(10)
    yield


@ordinary("Tue 10:00", "the sessions are upgraded at noon, outside of any window", told=UPGRADE_IS_TOLD, brief=True)
def upgrade_sessions(site: Site) -> Iterator[None]:
    upgrade(site, "sessions")
    yield


@ordinary("Tue 15:00", "the queues are upgraded outside of any window", told=UPGRADE_IS_TOLD)
def upgrade_queues(site: Site) -> Iterator[None]:
    upgrade(site, "queues")
    yield


def upgrade(site: Site, workload: str) -> None:
    """To a newer server: replicas first, then a failover, then the old masters."""
    site.use_server(NEWER)
    old_masters = site.masters(workload)
    for node in site.replicas(workload):
        site.lay("restart", node)
        time.sleep(4)
    for node in old_masters:
        site.lay("failover", node)
        time.sleep(4)
        site.lay("restart", node)
        time.sleep(4)
    site.lay("heal", workload)


@ordinary("Wed 01:00", "a batch job writes in bursts to the queues")
def batch_of_writes(site: Site) -> Iterator[None]:
    node = site.masters("queues")[0]
    for burst in range(3):
        site.pipeline(node, [("SET", f"batch:{burst}:{index}", "x" * 60, "EX", 60) for index in range(25_000)])
        time.sleep(3)
    yield


@ordinary("Wed 02:00", "a batch job makes big keys in the sessions, and removes them")
def big_keys(site: Site) -> Iterator[None]:
    with site.lab.client(site.masters("sessions")[0], 30) as client:
        client("SET", "batch:blob", b"x" * 8_000_000)
        client("EVAL", "for i = 1, 150000 do redis.call('RPUSH', KEYS[1], 'entry:' .. i) end", 1, "batch:list")
        time.sleep(10)
        client("SORT", "batch:list", "ALPHA", "LIMIT", 0, 1)
        client("DEL", "batch:blob", "batch:list")
    yield


@ordinary("Wed 03:00", "a batch job opens many connections", holds=10)
def many_connections(site: Site) -> Iterator[None]:
    with site.crowd(site.masters("sessions")[0], 300):
        yield


@ordinary("Wed 05:00", "a batch job looks for what the cache never had, for eight minutes", holds=8)
def cold_reads(site: Site) -> Iterator[None]:
    end = threading.Event()

    def read(node: str) -> None:
        with site.lab.client(node) as client:
            while not end.wait(0.02):
                with contextlib.suppress(ReplyError):
                    client("GET", f"cold:{time.monotonic_ns()}")

    readers = [threading.Thread(target=read, args=(node,), daemon=True) for node in site.masters("cache")]
    for reader in readers:
        reader.start()
    yield
    end.set()
    for reader in readers:
        reader.join()


@ordinary("Wed 09:00", "a replica is added to the queues, and removed hours later", holds=120)
def add_replica(site: Site) -> Iterator[None]:
    site.lay("add", "queues")
    yield
    site.lay("remove", "queues-4")


@ordinary("Wed 14:00", "an operator mistypes a password a few times")
def mistyped_password(site: Site) -> Iterator[None]:
    for _ in range(4):
        with site.lab.client(site.masters("sessions")[0]) as client:
            client.refused("AUTH", "wrong")
        time.sleep(1)
    yield


@ordinary("Wed 16:00", "the cache is resized: maxmemory by CONFIG SET, a quarter of an hour between its halves", holds=15,
          told=("RedisDeclaredDrift",))
def resize_memory(site: Site) -> Iterator[None]:
    nodes = site.nodes("cache")
    for node in nodes[:3]:
        site.set(node, "maxmemory", "20mb")
    yield
    for node in nodes[3:]:
        site.set(node, "maxmemory", "20mb")


@ordinary("Wed 17:00", "slots of the cache move from a master to another")
def move_slots(site: Site) -> Iterator[None]:
    source, target = site.masters("cache")[:2]
    ids = {node: site.lab.ask(node, "CLUSTER", "MYID").decode() for node in (source, target)}
    for here, there in ((source, target), (target, source)):
        told = subprocess.run(
            [tool("redis-cli"), "--cluster", "reshard", f"127.0.0.1:{site.lab.ports()[source]}", "--cluster-from",
             ids[here], "--cluster-to", ids[there], "--cluster-slots", "20", "--cluster-yes"],
            capture_output=True, text=True, timeout=90)
        if told.returncode != 0:
            raise RuntimeError(f"redis-cli --cluster reshard: {told.stdout[-1000:]}{told.stderr[-1000:]}")
        time.sleep(4)
    yield


@ordinary("Thu 02:00", "the queues change their master inside a window")
def planned_failover(site: Site) -> Iterator[None]:
    with site.maintenance("queues"):
        site.lay("failover", "queues")
        time.sleep(8)
    yield


@ordinary("Thu 04:00", "the clocks of the servers are set forward by three seconds, and back", holds=45)
def server_clocks(site: Site) -> Iterator[None]:
    site.server_clock.set(3)
    yield
    site.server_clock.set(0)


@ordinary("Thu 06:00", "the clock of the daemon's machine is set back by two seconds, and forward", holds=45)
def own_clock(site: Site) -> Iterator[None]:
    site.own_clock.set(-2)
    yield
    site.own_clock.set(0)


@ordinary("Thu 10:00", "scrapes are missed", brief=True)
def missed_scrapes(site: Site) -> Iterator[None]:
    for seconds in (14, 32):
        with site.recorder.paused():
            time.sleep(seconds)
        time.sleep(11)
    yield


@ordinary("Thu 12:00", "the daemon is restarted", brief=True, forgets=True)
def restart_daemon(site: Site) -> Iterator[None]:
    site.restart_redline()
    time.sleep(15)
    yield


@ordinary("Thu 20:00", "the cache is full, and evicts all evening", holds=180, told=MEMORY_PRESSURE_IS_TOLD)
def full_cache(site: Site) -> Iterator[None]:
    site.lay("fill", "cache")
    yield
    site.lay("heal", "cache")


@ordinary("Fri 10:00", "a setting of the queues is changed, twenty minutes after one node on the others", holds=20)
def changed_setting(site: Site) -> Iterator[None]:
    nodes = site.nodes("queues")
    site.set(nodes[0], "slowlog-log-slower-than", 5000)
    yield
    for node in nodes[1:]:
        site.set(node, "slowlog-log-slower-than", 5000)


@ordinary("Fri 13:00", "a master of the cache is restarted quickly, without a failover")
def restart_master_of_cache(site: Site) -> Iterator[None]:
    site.lay("restart", site.masters("cache")[0])
    site.lay("heal", "cache")
    yield


@ordinary("Fri 15:00", "the master of the queues is restarted quickly, without a failover")
def restart_master_of_queues(site: Site) -> Iterator[None]:
    site.lay("restart", site.masters("queues")[0])
    site.lay("heal", "queues")
    yield


@ordinary("Sat 12:00", "clients are few: the weekend has a tenth of the traffic", holds=240)
def weekend(site: Site) -> Iterator[None]:
    site.lay("traffic", "6")
    yield
    site.lay("traffic", "60")


@ordinary("Sun 12:00", "a campaign has five times the traffic", holds=120)
def campaign(site: Site) -> Iterator[None]:
    site.lay("traffic", "300")
    yield
    site.lay("traffic", "60")


# The faults


@fault("a master of the cache is killed")
def kill_cache_master(site: Site) -> Iterator[None]:
    site.lay("kill", site.masters("cache")[0])
    time.sleep(8)
    yield


@fault("a replica of the cache is killed")
def kill_cache_replica(site: Site) -> Iterator[None]:
    site.lay("kill", site.replicas("cache")[0])
    yield


@fault("the master of the sessions is killed", brief=True)
def kill_sessions_master(site: Site) -> Iterator[None]:
    site.lay("kill", site.lab.master_of_sessions())
    time.sleep(8)
    yield


@fault("the master of the queues is killed", brief=True)
def kill_queues_master(site: Site) -> Iterator[None]:
    site.lay("kill", site.masters("queues")[0])
    yield


@fault("the master of the queues hangs")
def hang_queues_master(site: Site) -> Iterator[None]:
    site.lay("hang", site.masters("queues")[0])
    yield


@fault("a replica of the sessions hangs")
def hang_sessions_replica(site: Site) -> Iterator[None]:
    site.lay("hang", site.replicas("sessions")[0])
    yield


@fault("a Sentinel hangs")
def hang_sentinel(site: Site) -> Iterator[None]:
    site.lay("hang", "sentinel-1")
    yield


@fault("two Sentinels are killed")
def kill_sentinels(site: Site) -> Iterator[None]:
    for node in ("sentinel-1", "sentinel-2"):
        os.kill(site.lab.pid_of(node), signal.SIGKILL)
    yield


@fault("a replica of the queues loads its file for long")
def load_replica(site: Site) -> Iterator[None]:
    site.lay("load", site.replicas("queues")[0], "--seconds", "40")
    yield


@fault("the master of the queues loads its file for long")
def load_master(site: Site) -> Iterator[None]:
    site.lay("load", site.masters("queues")[0], "--seconds", "40")
    yield


@fault("an empty server stands at the address of a replica of the queues", holds=0)
def replace_replica(site: Site) -> Iterator[None]:
    site.lay("replace", site.replicas("queues")[0])
    yield


@fault("a failover of the sessions that nobody announced", holds=0)
def failover_sessions(site: Site) -> Iterator[None]:
    site.lay("failover", "sessions")
    yield


@fault("FLUSHALL on the masters of the cache", holds=0, brief=True)
def flush_cache(site: Site) -> Iterator[None]:
    site.lay("flush", "cache")
    yield


@fault("the consumers of the queues stop")
def lag_queues(site: Site) -> Iterator[None]:
    site.lay("lag", "queues", "--entries", "1000")
    site.await_above("redis_stream_group_lag_seconds", LATE_SECONDS)
    yield


@fault("a lock without a TTL")
def deadlock(site: Site) -> Iterator[None]:
    site.lay("deadlock", "basket")
    site.await_above("redis_locks_without_ttl", 0)
    yield


@fault("an open circuit breaker")
def open_circuit(site: Site) -> Iterator[None]:
    site.lay("circuit", "payments")
    site.await_above("redis_circuit_open", 0)
    yield


@fault("clients take every connection of a node of the cache")
def exhaust_connections(site: Site) -> Iterator[None]:
    node = site.masters("cache")[0]
    with site.lab.client(node) as client:
        info = client.info("clients")
        client("CONFIG", "SET", "maxclients", int(info["connected_clients"]) + int(info["cluster_connections"]) + 20)
        with site.crowd(node, 60):
            yield
        client("CONFIG", "SET", "maxclients", 10_000)


@fault("the memory of the sessions fills up")
def fill_sessions(site: Site) -> Iterator[None]:
    node = site.masters("sessions")[0]
    keys = [f"fill:{index}" for index in range(5700)]
    site.pipeline(node, [("SET", key, b"x" * 10_000) for key in keys])
    yield
    site.pipeline(node, [("DEL", key) for key in keys])


@fault("the sessions may evict, and do")
def evict_sessions(site: Site) -> Iterator[None]:
    node = site.masters("sessions")[0]
    with site.lab.client(node, 30) as client:
        client("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
        limit = client("CONFIG", "GET", "maxmemory")[1]
        client("CONFIG", "SET", "maxmemory", int(client.info("memory")["used_memory"]) - 500_000)
        yield
        client("CONFIG", "SET", "maxmemory", limit)
        client("CONFIG", "SET", "maxmemory-policy", "noeviction")


@fault("somebody guesses passwords", holds=12)
def guess_passwords(site: Site) -> Iterator[None]:
    node = site.masters("sessions")[0]
    end = threading.Event()

    def guess() -> None:
        with site.lab.client(node) as client:
            while not end.wait(0.5):
                client.refused("AUTH", "guess")

    guesser = threading.Thread(target=guess, daemon=True)
    guesser.start()
    yield
    end.set()
    guesser.join()


@fault("a client goes on writing to a replica")
def write_to_replica(site: Site) -> Iterator[None]:
    node = site.replicas("queues")[0]
    end = threading.Event()

    def write() -> None:
        with site.lab.client(node) as client:
            while not end.wait(0.5):
                client.refused("SET", "lost", 1)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    yield
    end.set()
    writer.join()
