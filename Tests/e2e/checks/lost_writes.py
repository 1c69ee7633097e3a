"""What failovers cost, beside a ledger of every write that was acknowledged: how long nobody served, and what was lost.

Plain replication, Sentinels and a cluster fail over beside each other, watched by one daemon: planned in the middle of
writes, by a master that hangs, and by one that is killed.
"""

import contextlib
import dataclasses
import signal
import threading
import time

from checks.fleet import address, events, values, watch
from harness import exporters, servers
from harness.check import Check, Failed
from harness.cluster import Cluster
from harness.paths import ROOT
from harness.resp import Redis, ReplyError

TIMEOUT_SECONDS = 240
THOROUGH_TIMEOUT_SECONDS = 3000
WAITS = True

KINDS = ("planned", "hang", "kill")
VALUE = "x" * 100


class Ledger:
    """Writes to one server until it is told to stop or is refused, and counts what was acknowledged."""

    def __init__(self, server: servers.RedisServer, prefix: str):
        self.prefix = prefix
        self.count = 0
        self.is_over = False
        self.client = server.client(seconds=60)
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def key(self, number: int) -> str:
        return f"{self.prefix}:{number:08}"

    @property
    def bytes_each(self) -> int:
        """What a write takes in the stream to replicas."""
        words = ("SET", self.key(0), VALUE)
        return len(f"*{len(words)}\r\n") + sum(len(f"${len(word)}\r\n{word}\r\n") for word in words)

    def write(self) -> None:
        try:
            while not self.is_over:
                self.client("SET", self.key(self.count), VALUE)
                self.count += 1
                time.sleep(0.002)
        except (OSError, ValueError, ReplyError):
            # The server was killed, or is no master any more.
            pass

    def stop(self) -> None:
        self.is_over = True
        self.thread.join(10)

    def lost_on(self, server: servers.RedisServer) -> int:
        keys = [self.key(number) for number in range(self.count)]
        with server.client() as client:
            kept = sum(client("EXISTS", *keys[start:start + 1000]) for start in range(0, len(keys), 1000))
        return len(keys) - kept


@dataclasses.dataclass
class Outcome:
    """A failover by the ledger, and as it was told."""

    what: str
    is_planned: bool
    is_killed: bool
    lost: int
    lost_bytes: int
    # Bytes that are no writes, at most.
    chatter: int
    outage: float
    told: dict[str, float] = dataclasses.field(default_factory=dict)

    @property
    def width(self) -> float:
        return self.told["most_bytes"] - self.told["least_bytes"]

    def complaint(self) -> str | None:
        told = self.told
        if not {"seconds", "least_bytes"} <= told.keys():
            return "its cost is not told"
        if self.is_killed and not self.lost:
            return "nothing was lost, so nothing is held"
        if told["least_bytes"] > self.lost_bytes + self.chatter:
            return "fewer bytes were lost than the least that is told"
        if "most_bytes" not in told:
            return "nothing is told of the most"
        if told["most_bytes"] < self.lost_bytes:
            return "more bytes were lost than the most that is told"
        slack = 2 + self.lost / 50
        if not told["least_writes"] - slack <= self.lost <= told["most_writes"] + slack:
            return "the writes are told wrongly"
        if not self.is_killed and self.width:
            return "it is an estimate, while the old master could be asked"
        if self.is_planned and told["seconds"] != 0:
            return "the old master served until then"
        if not self.is_planned and not self.outage - 0.2 <= told["seconds"] <= self.outage + 3:
            return "the outage is told wrongly"
        return None


class Group:
    """The servers of one master, which fail over one way after another."""

    workload = ""
    tag = ""
    # Bytes of the stream that are no writes, at most: a few PINGs.
    chatter = 100

    def __init__(self, check: Check, members: list[servers.RedisServer]):
        self.check = check
        self.members = members
        self.exporter: exporters.Exporter | None = None
        self.outcomes: list[Outcome] = []

    @staticmethod
    def take_time(server: servers.RedisServer) -> None:
        """Before it gives others its data: long enough for a poll to find a master that has yet to throw its own away."""
        with server.client() as client:
            client("CONFIG", "SET", "repl-diskless-sync-delay", 3)

    # What differs between topologies.

    def plan(self, old: servers.RedisServer) -> None:
        """Asks for a failover."""

    def replace(self, old: servers.RedisServer) -> None:
        """Has a master replaced that does not answer."""

    def settle(self, old: servers.RedisServer, new: servers.RedisServer) -> None:
        """Has the others follow the new master."""

    def masters(self) -> list[servers.RedisServer]:
        return [one for one in self.members if self.role(one) == b"master"]

    @staticmethod
    def role(server: servers.RedisServer) -> bytes:
        try:
            with Redis(server.port, seconds=0.5) as client:
                return client("ROLE")[0]
        except OSError:
            return b"silent"

    def is_in_step(self) -> bool:
        masters = self.masters()
        if len(masters) != 1:
            return False
        with masters[0].client() as client:
            info = client.info("replication")
        count = len(self.members) - 1
        return info["connected_slaves"] == str(count) and all(
            "state=online" in info.get(f"slave{number}", "") for number in range(count))

    def is_up(self, server: servers.RedisServer) -> bool:
        return any(value == 1 and labels["instance"] == address(server) for _, labels, value in self.samples("redis_up"))

    def samples(self, *families: str) -> list[tuple[str, dict[str, str], float]]:
        """Those of its workload."""
        # A page is never empty, and the whole one is long.
        asked = {"redis_up", *families}
        page = self.exporter.page("/metrics?" + "&".join(f"name[]={family}" for family in asked))
        return [(family, labels, value) for family in families for series, value in page.named(family).items()
                if (labels := dict(series)).get("workload") == self.workload]

    def told(self, old: servers.RedisServer) -> set[tuple[str, str]]:
        """Its failovers from that server, by their epochs and new masters."""
        return {(labels["epoch"], labels["to"]) for _, labels, _ in self.samples("redis_failover_info")
                if labels["from"] == address(old)}

    def fail_over(self, kind: str, number: int) -> None:
        check, what = self.check, f"{self.workload}{self.tag} {kind} {number}"
        check.until(self.is_in_step, 60, f"all replicas are in step ({what})")
        (old,) = self.masters()
        check.until(lambda: self.is_up(old), 15, f"the master is seen ({what})")
        others = [one for one in self.members if one is not old]
        ledger = Ledger(old, f"{self.tag}{kind}-{number:04}")
        # Several polls see how fast it writes.
        time.sleep(3)
        before = self.told(old)
        stopped = time.monotonic()
        if kind == "planned":
            self.plan(old)
        if kind == "hang":
            old.process.signal(signal.SIGSTOP)
            self.replace(old)
        if kind == "kill":
            self.kill(old, others, ledger)
            stopped = time.monotonic()
            self.replace(old)
        new = check.until(lambda: next((one for one in others if self.role(one) == b"master"), None), 30,
                          f"another is master ({what})", pause=0.02)
        outage = time.monotonic() - stopped if kind != "planned" else 0
        ((epoch, to),) = check.until(lambda: self.told(old) - before, 30, f"the failover is told ({what})")
        check.equal(to, address(new), f"where it led to ({what})")
        if kind == "hang":
            old.process.signal(signal.SIGCONT)
        # Whoever still writes to the old master loses that.
        time.sleep(0.5)
        ledger.stop()
        if kind == "kill":
            old.restart()
            self.take_time(old)
        self.settle(old, new)
        check.until(self.is_in_step, 60, f"the old master follows the new one ({what})")
        lost = ledger.lost_on(new)
        outcome = Outcome(
            what, kind == "planned", kind == "kill", lost, lost * ledger.bytes_each, self.chatter, outage)
        self.outcomes.append(outcome)

        def is_right() -> bool:
            outcome.told = self.cost(epoch)
            return not outcome.complaint()

        try:
            check.until(is_right, 15, "")
        except Failed:
            # Whoever called goes on, and tells of all.
            pass

    def kill(self, old: servers.RedisServer, others: list[servers.RedisServer], ledger: Ledger) -> None:
        """With some writes that no replica gets."""
        for one in others:
            one.process.signal(signal.SIGSTOP)
        with old.client() as client:
            client("CLIENT", "KILL", "TYPE", "replica")
        enough = ledger.count + 50
        self.check.until(lambda: ledger.count > enough, 10, "it is written on", pause=0.01)
        old.process.signal(signal.SIGKILL)
        for one in others:
            one.process.signal(signal.SIGCONT)

    def cost(self, epoch: str) -> dict[str, float]:
        units = {"redis_failover_lost_bytes": "bytes", "redis_failover_lost_writes": "writes",
                 "redis_failover_outage_seconds": ""}
        return {f"{labels['bound']}_{units[family]}" if units[family] else "seconds": value
                for family, labels, value in self.samples(*units) if labels["epoch"] == epoch}

    def run(self, kinds: list[str]) -> None:
        began = time.monotonic()
        for number, kind in enumerate(kinds):
            # Ten at once are counted, and then one a minute: more than that somebody makes up.
            time.sleep(max(0, began + self.check.share(0, 30) * number - time.monotonic()))
            self.fail_over(kind, number)


class Replicated(Group):
    """A master with two replicas, which this check turns around as an operator would."""

    def __init__(self, check: Check, number: int):
        master = servers.RedisServer(check)
        super().__init__(check, [master, *(servers.replica_of(check, master) for _ in range(2))])
        self.workload = f"jobs{number}"

    @property
    def config(self) -> str:
        seeds = ", ".join(f"'{address(one)}'" for one in self.members)
        return f"- {{name: {self.workload}, kind: queue, topology: replication, seeds: [{seeds}]}}\n"

    def plan(self, old: servers.RedisServer) -> None:
        new, *others = [one for one in self.members if one is not old]
        with new.client() as client:
            client("REPLICAOF", "NO", "ONE")
        for one in others:
            self.follow(one, new)

    def replace(self, old: servers.RedisServer) -> None:
        self.check.until(lambda: not self.is_up(old), 15, "the old master is seen to be down")
        self.plan(old)

    def settle(self, old: servers.RedisServer, new: servers.RedisServer) -> None:
        self.check.until(lambda: self.is_up(old), 15, "the old master is seen to answer")
        self.follow(old, new)

    @staticmethod
    def follow(server: servers.RedisServer, master: servers.RedisServer) -> None:
        with server.client() as client:
            client("REPLICAOF", "127.0.0.1", str(master.port))


class Guarded(Group):
    """A master with two replicas behind three Sentinels, which do what has to be done."""

    # They publish through the master.
    chatter = 30_000

    def __init__(self, check: Check, number: int):
        master = servers.RedisServer(check)
        super().__init__(check, [master, *(servers.replica_of(check, master) for _ in range(2))])
        self.workload = f"carts{number}"
        self.sentinels: list[servers.RedisServer] = []

    @staticmethod
    def guard(check: Check, groups: list["Guarded"]) -> None:
        lines = [line for group in groups for line in (
            f"sentinel monitor {group.workload} 127.0.0.1 {group.members[0].port} 2",
            f"sentinel down-after-milliseconds {group.workload} 1500", f"sentinel failover-timeout {group.workload} 4000")]
        sentinels = [servers.RedisServer(check, *lines, name="sentinel", sentinel=True) for _ in range(3)]

        def knows_all(sentinel: servers.RedisServer) -> bool:
            with sentinel.client() as client:
                info = client.info("sentinel")
            return all("slaves=2,sentinels=3" in info.get(f"master{number}", "") for number in range(len(groups)))

        for group in groups:
            group.sentinels = sentinels
        check.until(lambda: all(knows_all(one) for one in sentinels), 30, "every Sentinel knows replicas and the others")

    @property
    def config(self) -> str:
        return (f"- {{name: {self.workload}, kind: session, sentinel: {{master_name: {self.workload}, "
                f"seeds: ['{address(self.sentinels[0])}']}}}}\n")

    def plan(self, old: servers.RedisServer) -> None:
        def is_taken() -> bool:
            # Refused until the failover before is over for the Sentinel.
            with self.sentinels[0].client() as client:
                try:
                    return client("SENTINEL", "FAILOVER", self.workload) == "OK"
                except ReplyError:
                    return False

        self.check.until(is_taken, 30, "a Sentinel takes the manual failover", pause=0.3)


class Shard(Group):
    """A master of a cluster with its replica."""

    workload = "pages"
    # Of a cluster that has lost more than one master no failover is certain.
    one_at_a_time = threading.Lock()

    def __init__(self, check: Check, cluster: Cluster, master: servers.RedisServer):
        super().__init__(check, [master, cluster.replica_of(master)])
        for one in self.members:
            with one.client() as client:
                client("CONFIG", "SET", "cluster-require-full-coverage", "no")
        with master.client() as client:
            slots = [row[0] for row in client("CLUSTER", "SLOTS") if row[2][1] == master.port]
            self.tag = next(tag for tag in (f"{{{one}}}" for one in range(1000))
                            if client("CLUSTER", "KEYSLOT", tag) in range(slots[0], slots[0] + 1000))
        self.takes_over = False

    def plan(self, old: servers.RedisServer) -> None:
        def is_done() -> bool:
            # The cluster gives up after five seconds where votes are late.
            with contextlib.suppress(ReplyError):
                self.ask("FAILOVER", old)
            with contextlib.suppress(Failed):
                return self.check.until(lambda: old not in self.masters(), 6, "another is master", pause=0.02)
            return False

        self.check.until(is_done, 30, "another is master")

    def replace(self, old: servers.RedisServer) -> None:
        if self.takes_over:
            self.ask("FAILOVER", old, "TAKEOVER")

    def ask(self, word: str, old: servers.RedisServer, *words: str) -> None:
        new = next(one for one in self.members if one is not old)
        with new.client() as client:
            client("CLUSTER", word, *words)

    def fail_over(self, kind: str, number: int) -> None:
        self.takes_over = kind == "hang"
        with contextlib.nullcontext() if kind == "planned" else self.one_at_a_time:
            super().fail_over(kind, number)


def check_the_cost_of_failovers(check: Check) -> None:
    """Twenty failovers of nine kinds; a hundred under --thorough. What they cost is in .build/reports/lost-writes.txt."""
    replicated = [Replicated(check, number) for number in range(3)]
    guarded = [Guarded(check, number) for number in range(2)]
    Guarded.guard(check, guarded)
    cluster = Cluster(check)
    shards = [Shard(check, cluster, master) for master in cluster.roles()[0]]
    exporter = watch(check, "".join(group.config for group in [*replicated, *guarded])
                     + f"- {{name: pages, kind: cache, seeds: ['{address(cluster.nodes[0])}']}}\n")
    rounds = check.share(1, 5)
    plans = [(group, list(KINDS) * rounds) for group in replicated + guarded]
    plans += [(shard, [kind, "planned"] * rounds) for shard, kind in zip(shards, KINDS)]
    everybody = [one for group in replicated + guarded for one in group.members] + cluster.nodes
    for one in everybody:
        Group.take_time(one)
    for group, _ in plans:
        group.exporter = exporter
    check.until(lambda: sum(values(exporter, "redis_up", "instance").get((address(one),), 0) for one in everybody)
                == len(everybody), 30, "everybody is found")
    check.until(lambda: sum(values(exporter, "redis_sentinel_subscription_up", "workload", "sentinel").values()) == 6, 15,
                "all Sentinels are listened to")
    failures: list[str] = []

    def run(group: Group, kinds: list[str]) -> None:
        try:
            group.run(kinds)
        except Exception as error:  # noqa: BLE001 - told with the others
            failures.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=run, args=plan) for plan in plans]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [one for group, _ in plans for one in group.outcomes]
    failures += [f"{complaint}: {one}" for one in outcomes if (complaint := one.complaint())]
    write_report(outcomes)
    check.none(failures, f"of {len(outcomes)} failovers were told wrongly")
    check.that(len(events(check, "failover")) >= len(outcomes), "each is an event")


def write_report(outcomes: list[Outcome]) -> None:
    """A line for each failover, and what they come to."""
    known = [one for one in outcomes if "most_bytes" in one.told]
    estimates = [one for one in known if one.width]
    held = sum(one.told["least_bytes"] - one.chatter <= one.lost_bytes <= one.told["most_bytes"] for one in known)
    widths = sorted(one.width for one in estimates) or [0]
    errors = sorted(one.told["seconds"] - one.outage for one in outcomes if "seconds" in one.told) or [0]
    lines = [f"{one.what}: lost {one.lost} ({one.lost_bytes} B), outage {one.outage:.2f} s; told {one.told}"
             for one in outcomes]
    lines += [f"{len(outcomes)} failovers, {len(known)} with bounds, of which {held} held the ledger's number",
              f"{len(known) - len(estimates)} exact, {len(estimates)} estimates, {min(widths):.0f} to {max(widths):.0f} B wide, "
              f"median {widths[len(widths) // 2]:.0f} B",
              f"outage told less outage seen: {errors[0]:.2f} to {errors[-1]:.2f} s, median {errors[len(errors) // 2]:.2f} s"]
    folder = ROOT / ".build" / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lost-writes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
