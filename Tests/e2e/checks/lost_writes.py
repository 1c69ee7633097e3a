"""What failovers cost, beside a ledger of every write that was acknowledged: how long nobody served, and what was lost."""

import signal
import threading
import time

from checks.fleet import address, events, told, up, values, watch
from harness import servers
from harness.check import Check, Failed

TIMEOUT_SECONDS = 150
THOROUGH_TIMEOUT_SECONDS = 3000
WAITS = True

# Long enough for a poll to find a master that has yet to throw its data away.
OPTIONS = ("repl-diskless-sync-delay 3",)


class Ledger:
    """Writes to one server until it is told to stop or is refused, and remembers each key that was acknowledged."""

    def __init__(self, server: servers.RedisServer, name: str):
        self.keys: list[str] = []
        self.is_over = False
        self.client = server.client(seconds=60)
        self.name = name
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self) -> None:
        try:
            while not self.is_over:
                key = f"{self.name}:{len(self.keys):08}"
                self.client("SET", key, "x" * 100)
                self.keys.append(key)
                time.sleep(0.001)
        except (OSError, ValueError):
            # The server was killed.
            pass

    def stop(self) -> None:
        self.is_over = True
        self.thread.join(10)

    def lost_on(self, server: servers.RedisServer) -> int:
        with server.client() as client:
            kept = sum(client("EXISTS", *self.keys[start:start + 1000]) for start in range(0, len(self.keys), 1000))
        return len(self.keys) - kept


class Trio:
    """A master with two replicas, which this check turns around as an operator would."""

    def __init__(self, check: Check):
        self.check = check
        master = servers.RedisServer(check, *OPTIONS)
        self.members = [master, *(servers.replica_of(check, master, *OPTIONS) for _ in range(2))]
        seeds = ", ".join(f"'{address(one)}'" for one in self.members)
        self.exporter = watch(check, f"- {{name: jobs, kind: queue, topology: replication, seeds: [{seeds}]}}\n")
        check.until(lambda: sorted(up(self.exporter, "jobs").values()) == [1, 1, 1], 10, "all members are found")

    @staticmethod
    def follow(server: servers.RedisServer, master: servers.RedisServer) -> None:
        with server.client() as client:
            client("REPLICAOF", "127.0.0.1", str(master.port))

    def is_in_step(self) -> bool:
        with self.members[0].client() as client:
            info = client.info("replication")
        return info["connected_slaves"] == "2" and all("state=online" in info[f"slave{number}"] for number in range(2))

    def fail_over(self, kind: str, number: int) -> None:
        check, (old, new, third) = self.check, self.members
        check.until(self.is_in_step, 30, "both replicas are in step")
        ledger = Ledger(old, f"{kind}-{number}")
        # Several polls see how fast it writes.
        time.sleep(3)
        before = set(told(self.exporter))
        stopped = time.monotonic()
        if kind == "kill":
            old.process.signal(signal.SIGKILL)
        if kind == "hang":
            old.process.signal(signal.SIGSTOP)
        if kind != "planned":
            check.until(lambda: up(self.exporter, "jobs")[address(old)] == 0, 10, "the old master is down")
        with new.client() as client:
            client("REPLICAOF", "NO", "ONE")
        outage = time.monotonic() - stopped if kind != "planned" else 0
        self.follow(third, new)
        name = check.until(lambda: set(told(self.exporter)) - before, 20, f"the failover is told ({kind})").pop()
        check.equal(name[:2], (address(old), address(new)), "from where to where")
        if kind == "hang":
            old.process.signal(signal.SIGCONT)
        # Whoever still writes to the old master loses that.
        time.sleep(0.5)
        ledger.stop()
        if kind == "kill":
            old.restart()
        check.until(lambda: up(self.exporter, "jobs")[address(old)] == 1, 15, "the old master answers")
        self.follow(old, new)
        self.is_as_in_the_ledger(kind, name, outage, ledger.lost_on(new))
        self.members = [new, third, old]

    def is_as_in_the_ledger(self, kind: str, name: tuple, outage: float, lost: int) -> None:
        check = self.check

        def cost() -> tuple | None:
            bounds = {bound: value for (epoch, bound), value
                      in values(self.exporter, "redis_failover_lost_writes", "epoch", "bound").items() if epoch == name[3]}
            seconds = values(self.exporter, "redis_failover_outage_seconds", "epoch").get((name[3],))
            return (bounds["least"], bounds["most"], seconds) if bounds and seconds is not None else None

        def is_right() -> bool:
            least, most, seconds = cost() or (1, 0, 0)
            # A PING or two of the master are among the bytes of its writes.
            slack = 2 + lost / 50
            return (least - slack <= lost <= most + slack and (kind == "kill" or least == most)
                    and (seconds == 0 if kind == "planned" else outage - 0.1 <= seconds <= outage + 2.5))

        try:
            check.until(is_right, 15, f"{lost} lost writes and an outage of {outage:.2f} s are told ({kind})")
        except Failed as failed:
            raise Failed(f"{failed}; told are {cost()}: {events(check, 'failover')[-1]}") from None


def check_the_cost_of_failovers(check: Check) -> None:
    """Planned ones in the middle of writes, and masters that hang and die; a hundred of them under --thorough."""
    trio = Trio(check)
    for number in range(check.share(1, 34)):
        for kind in ("planned", "hang", "kill"):
            trio.fail_over(kind, number)
