#!/usr/bin/env python3
"""Captures the replies of a real server for the unit tests, in the states that goldens and tests of topology know.

    capture.py NAME [FOLDER]      # capture.py redis-8.2: into Tests/FleetTests/Fixtures

NAME is one of `harness/versions.py`; the folders that come of it have the whole version that the server tells. Then add it
to `GoldenTests.servers` (and `topologies`), run `UPDATE_GOLDEN=1 Tests/run --quick`, and read what is new in the goldens.
"""

import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "e2e"))
sys.dont_write_bytecode = True

from harness import servers  # noqa: E402
from harness.check import Check  # noqa: E402
from harness.cluster import Cluster  # noqa: E402
from harness.resp import Redis, ReplyError  # noqa: E402

OPTIONS = ("maxmemory 64mb", "maxmemory-policy allkeys-lru", "appendonly yes", "latency-monitor-threshold 1",
           "slowlog-log-slower-than 1000")
ROUNDS = 5_000
# What the collectors ask a data server; the file has the words of the command.
SERVER = (("LATENCY", "LATEST"), ("LATENCY", "HISTOGRAM"), ("SLOWLOG", "LEN"), ("SLOWLOG", "GET", "1"), ("CLIENT", "LIST"),
          ("CONFIG", "GET", "*"), ("COMMANDLOG", "LEN", "slow"), ("COMMANDLOG", "LEN", "large-request"),
          ("COMMANDLOG", "LEN", "large-reply"))
MASTER = "mymaster"


def reply(client: Redis, *words) -> bytes:
    """The reply as it came."""
    client.send(*words)
    return element(client.buffer)


def element(stream) -> bytes:
    head = stream.readline()
    count = int(head[1:]) if head[:1] in b"$*" else -1
    if count < 0:
        return head
    if head[:1] == b"$":
        return head + stream.read(count + 2)
    return head + b"".join(element(stream) for _ in range(count))


def file_name(words: tuple[str, ...]) -> str:
    return "-".join(word.lower() for word in words if word not in ("*", "1"))


class Capture:
    def __init__(self, check: Check, folder: pathlib.Path):
        self.check, self.folder = check, folder

    def save(self, name: str, content: bytes) -> None:
        self.target.mkdir(parents=True, exist_ok=True)
        (self.target / f"{name}.resp").write_bytes(content)

    def ask(self, server: servers.RedisServer, prefix: str, *words) -> None:
        with server.client() as client:
            self.save(prefix + file_name(words), reply(client, *words))

    def server(self) -> None:
        master = servers.RedisServer(self.check, *OPTIONS)
        with master.client() as client:
            info = client.info("server")
        version = info.get("valkey_version") or info["redis_version"]
        self.name = f"{self.check.server.partition('-')[0]}-{version}"
        self.target = self.folder / "servers" / self.name
        load(master)
        replica = servers.replica_of(self.check, master, *OPTIONS)
        self.ask(master, "", "INFO", "ALL")
        self.ask(replica, "replica-", "INFO", "ALL")
        for words in SERVER:
            self.ask(master, "", *words)
        for path in self.target.glob("*.resp"):
            # What this server does not know has no file, as the collectors do not ask it.
            if path.read_bytes().startswith(b"-"):
                path.unlink()

    def cluster(self) -> None:
        self.target = self.folder / "topologies" / self.name
        cluster = Cluster(self.check)
        dead, asked = cluster.nodes[:2]
        replica = cluster.replica_of(dead)
        self.ask(asked, "steady-cluster-", "CLUSTER", "NODES")
        with replica.client() as client:
            client("CONFIG", "SET", "cluster-replica-no-failover", "yes")
        own = cluster.id(dead)
        dead.process.child.kill()
        flags = lambda: next(row[2] for row in cluster.rows(asked) if row[0] == own)  # noqa: E731
        self.check.until(lambda: flags() == "master,fail?", 20, "the master is suspected", pause=0.01)
        self.ask(asked, "failing-cluster-", "CLUSTER", "NODES")
        self.check.until(lambda: flags() == "master,fail", 20, "the master has failed")
        self.ask(asked, "failing-cluster-", "CLUSTER", "INFO")
        self.ask(asked, "failing-cluster-", "INFO", "ALL")
        with replica.client() as client:
            client("CONFIG", "SET", "cluster-replica-no-failover", "no")
        self.check.until(lambda: self.has_slots(cluster, asked, replica), 30, "the replica leads")
        self.ask(asked, "after-failover-cluster-", "CLUSTER", "NODES")

    @staticmethod
    def has_slots(cluster: Cluster, asked: servers.RedisServer, node: servers.RedisServer) -> bool:
        own = cluster.id(node)
        return any(row[0] == own and row[8:] for row in cluster.rows(asked))

    def sentinels(self) -> None:
        master = servers.RedisServer(self.check)
        for _ in range(2):
            servers.replica_of(self.check, master)
        group = [servers.RedisServer(
            self.check, f"sentinel monitor {MASTER} 127.0.0.1 {master.port} 2",
            f"sentinel down-after-milliseconds {MASTER} 1000", f"sentinel failover-timeout {MASTER} 5000", name="sentinel",
            sentinel=True) for _ in range(3)]
        status = lambda: self.status(group[0])  # noqa: E731
        self.check.until(lambda: "status=ok" in status() and "slaves=2,sentinels=3" in status(), 30, "the group is whole")
        self.group_state(group[0], "steady")
        with group[0].client(seconds=60) as listener:
            events = reply(listener, "PSUBSCRIBE", "*")
            master.process.child.kill()
            self.check.until(lambda: "down" in status(), 20, "the master is down", pause=0.01)
            self.group_state(group[0], "failing")
            self.ask(group[0], "failing-sentinel-", "INFO", "ALL")
            self.ask(group[0], "failing-", "SENTINEL", "CONFIG", "GET", "*")
            while True:
                event = element(listener.buffer)
                events += event
                # The old master, now among the replicas, is the last to be found down.
                if b"+sdown\r\n" in event and b"\r\nslave " in event and f"127.0.0.1 {master.port} @".encode() in event:
                    break
        self.save("sentinel-events", events)
        self.check.until(lambda: "status=ok" in status() and "slaves=2" in status(), 20, "the new master is well")
        self.group_state(group[0], "after-failover")

    def status(self, sentinel: servers.RedisServer) -> str:
        with sentinel.client() as client:
            return client.info("sentinel").get("master0", "")

    def group_state(self, sentinel: servers.RedisServer, state: str) -> None:
        for part in ("MASTERS", "REPLICAS", "SENTINELS", "CKQUORUM"):
            with sentinel.client() as client:
                words = ("SENTINEL", part) if part == "MASTERS" else ("SENTINEL", part, MASTER)
                self.save(f"{state}-sentinel-{part.lower()}", reply(client, *words))


def load(server: servers.RedisServer) -> None:
    """Keys of each kind in two databases, slow commands, errors, a stream with a group."""
    with server.client() as client:
        for number in range(ROUNDS):
            words = (("SET", f"key:{number}", "x" * 20), ("GET", f"key:{number % 900}"), ("INCR", f"counter:{number % 90}"),
                     ("LPUSH", "list", number), ("HSET", "hash", f"field:{number % 500}", number), ("ZADD", "set", number, number))
            for one in words:
                client.send(*one)
            for _ in words:
                client.read()
        client("SET", "session", "x", "EX", 3600)
        client("SET", "large", "x" * 300_000)
        for number in range(30):
            client("XADD", "stream", "*", "number", number)
        client("XGROUP", "CREATE", "stream", "group", "0")
        client("XREADGROUP", "GROUP", "group", "one", "COUNT", 5, "STREAMS", "stream", ">")
        for words in (("HPEXPIRE", "hash", 3_600_000, "FIELDS", 1, "field:1"), ("LPUSH", "session", 1), ("NOSUCHCOMMAND",),
                      ("GET", "nosuchkey")):
            try:
                client(*words)
            except ReplyError:
                continue
        client("EVAL", "local t=0 for i=1,2000000 do t=t+i end return t", 0)
        client("SELECT", 3)
        client("SET", "alone", 1)


def main() -> None:
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "Tests" / "FleetTests" / "Fixtures"
    with tempfile.TemporaryDirectory(prefix="redline-capture.") as scratch:
        check = Check(pathlib.Path(scratch), server=sys.argv[1])
        with check.closing:
            capture = Capture(check, folder)
            capture.server()
            capture.cluster()
            capture.sentinels()
            print(f"captured {capture.name} into {folder}")


if __name__ == "__main__":
    main()
