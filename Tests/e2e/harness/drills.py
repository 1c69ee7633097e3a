"""Groups that drills break: under Sentinels, or a cluster; with users of their own for it that may do no more than they must."""

import dataclasses
import json
import os
import pathlib
import subprocess
import threading
import time

from . import servers
from .check import Check, Failed
from .cluster import Cluster
from .paths import REDLINE, tool
from .resp import Redis, ReplyError

PASSWORD = "drill-secret-4711"
# What deploy/docs/drills.md tells to grant.
SERVER_RULES = ("~redline:canary:* resetchannels -@all +set +get +unlink +info +role +ping +cluster "
                "+client|pause +client|unpause +client|kill +client|setname +replicaof +config|get")
SENTINEL_RULES = ("allchannels -@all +sentinel|master +sentinel|replicas +sentinel|sentinels +sentinel|ckquorum "
                  "+sentinel|get-master-addr-by-name +sentinel|failover +info +psubscribe +ping")


def may(rules: str) -> str:
    """A line of a server's configuration: SERVER_RULES or SENTINEL_RULES for the user of drills."""
    return f"user drill on >{PASSWORD} {rules}"


class SentinelGroup:
    """A master, two replicas and three Sentinels that find it down within two seconds."""

    name = "sessions"
    master_name = "mymaster"

    def __init__(self, check: Check, version: str | None = None):
        self.check = check
        user = may(SERVER_RULES)
        # The old master is left the time to be asked what it had.
        options = [user, "repl-diskless-sync-delay 3", "repl-ping-replica-period 5"]
        self.members = [servers.RedisServer(check, *options, name="data", version=version)]
        for _ in range(2):
            self.members.append(servers.RedisServer(
                check, *options, f"replicaof 127.0.0.1 {self.members[0].port}", name="data", version=version))
        check.until(self.is_in_step, 30, "the replicas are in step")
        # Their own talk goes on as `default`; drills have a login.
        self.sentinels = [
            servers.RedisServer(
                check, f"sentinel monitor {self.master_name} 127.0.0.1 {self.members[0].port} 2",
                f"sentinel down-after-milliseconds {self.master_name} 2000",
                f"sentinel failover-timeout {self.master_name} 20000",
                may(SENTINEL_RULES), name="sentinel", sentinel=True, version=version)
            for _ in range(3)]
        check.until(self.is_watched, 30, "the Sentinels know everybody")

    @staticmethod
    def role(server: servers.RedisServer) -> bytes:
        try:
            with Redis(server.port, seconds=0.5) as client:
                return client("ROLE")[0]
        except (OSError, ReplyError):
            return b"silent"

    def masters(self) -> list[servers.RedisServer]:
        return [one for one in self.members if self.role(one) == b"master"]

    def is_in_step(self) -> bool:
        masters = self.masters()
        if len(masters) != 1:
            return False
        with masters[0].client() as client:
            info = client.info("replication")
        return info["connected_slaves"] == "2" and all("state=online" in info.get(f"slave{n}", "") for n in range(2))

    def is_watched(self) -> bool:
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                reply = client("SENTINEL", "MASTER", self.master_name)
                fields = dict(zip(map(bytes.decode, reply[::2]), map(bytes.decode, reply[1::2])))
            if (fields["num-slaves"], fields["num-other-sentinels"], fields["flags"]) != ("2", "2", "master"):
                return False
        return True

    def recovered(self) -> None:
        self.check.until(self.is_in_step, 60, "the replicas are in step again")
        self.check.until(self.is_watched, 60, "the Sentinels find everybody well again")

    def failover_command(self) -> str:
        return f"{tool('redis-cli')} -p {self.sentinels[0].port} SENTINEL FAILOVER {self.master_name} >/dev/null"

    def fleet(self, environment: str = "lab", more: str = "") -> str:
        seeds = ", ".join(f"127.0.0.1:{one.port}" for one in self.sentinels)
        return (f"  - name: {self.name}\n    kind: session\n    sentinel: {{master_name: {self.master_name}, seeds: [{seeds}]}}\n"
                "    expected: {replicas: 2, sentinels: 3}\n    persistence: {rdb: any, aof: any}\n"
                "    eviction_policies: [noeviction]\n    objectives: {memory_used: off}\n"
                + drilled(self.check, environment, has_sentinels=True) + more)


class ClusterGroup(Cluster):
    name = "pages"

    def __init__(self, check: Check):
        super().__init__(check)
        for node in self.nodes:
            with node.client() as client:
                client("ACL", "SETUSER", "drill", "on", f">{PASSWORD}", *SERVER_RULES.split())

    def fleet(self, environment: str = "lab", more: str = "") -> str:
        seeds = ", ".join(f"127.0.0.1:{one.port}" for one in self.nodes)
        return (f"  - name: {self.name}\n    kind: cache\n    seeds: [{seeds}]\n"
                "    eviction: any\n    objectives: {memory_used: off}\n"
                + drilled(self.check, environment) + more)


def drilled(check: Check, environment: str, has_sentinels: bool = False) -> str:
    """The keys of a workload that may be drilled."""
    word = check.file("drill.password", PASSWORD)
    word.chmod(0o600)
    return (f"{f'    environment: {environment}' if environment else '    team: none'}\n    disruptive: allowed\n"
            f"    drill:\n      credentials: {{user: drill, password_file: {word}}}\n"
            + (f"      sentinel_credentials: {{user: drill, password_file: {word}}}\n" if has_sentinels else ""))


@dataclasses.dataclass
class Drill:
    """What came of a drill."""

    status: int
    said: str
    report: dict

    @property
    def numbers(self) -> dict[str, float]:
        return self.report.get("numbers", {})

    def result(self, check: str) -> dict:
        return next((one for one in self.report["results"] if one["check"] == f"drill-{check}"), {})


def command(check: Check, fleet: str, *words: str, more: str = "") -> list[str]:
    config = check.file("fleet.yml", f"workloads:\n{fleet}\n{more}")
    return [REDLINE, "drill", str(config), "--format", "json", "--before", "2s", "--stable", "3s", *words]


def environment(check: Check) -> dict[str, str]:
    return dict(os.environ, TMPDIR=str(check.folder))


def run(check: Check, fleet: str, *words: str, more: str = "", seconds: float = 150) -> Drill:
    done = subprocess.run(command(check, fleet, *words, more=more), capture_output=True, text=True, timeout=seconds,
                          env=environment(check), stdin=subprocess.DEVNULL, start_new_session=True)
    check.that(PASSWORD not in done.stdout + done.stderr, "the password is not printed")
    return Drill(done.returncode, done.stderr, json.loads(done.stdout) if done.stdout else {})


def ledger(path: pathlib.Path) -> list[str]:
    """The keys that were acknowledged, by the ledger."""
    words = path.read_text(encoding="ascii").splitlines()
    run_name = words[0].split(" run ")[1].split()[0]
    return [f"redline:canary:{run_name}:{line.split()[1]}:{line.split()[2]}" for line in words if line.startswith("ack ")]


def missing(keys: list[str], server: servers.RedisServer) -> int:
    """How many of the keys a server does not have."""
    with server.client(seconds=30) as client:
        found = sum(client("EXISTS", key) for key in keys) if len(keys) < 100 else sum(
            client("EXISTS", *keys[start:start + 1000]) for start in range(0, len(keys), 1000))
    return len(keys) - found


class Load:
    """A client that writes beside a drill, to whoever the Sentinels name, and stays with him until he refuses."""

    def __init__(self, group: SentinelGroup):
        self.group, self.count, self.is_over = group, 0, False
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()
        group.check.closing.callback(self.stop)

    def write(self) -> None:
        while not self.is_over:
            try:
                with self.group.sentinels[0].client(seconds=1) as sentinel:
                    port = int(sentinel("SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.group.master_name)[1])
                with Redis(port, seconds=1) as client:
                    while not self.is_over:
                        client("SET", f"load:{self.count % 1000}", "x" * 64)
                        self.count += 1
                        time.sleep(0.002)
            except (OSError, ValueError, ReplyError, Failed):
                time.sleep(0.05)

    def stop(self) -> None:
        self.is_over = True
        self.thread.join(10)


class Patient:
    """A client of one connection that waits for as long as it takes, and remembers what was acknowledged."""

    def __init__(self, server: servers.RedisServer):
        self.count, self.is_over = 0, False
        self.client = server.client(seconds=90)
        self.thread = threading.Thread(target=self.write, daemon=True)
        self.thread.start()

    def write(self) -> None:
        try:
            while not self.is_over:
                self.client("SET", f"patient:{self.count}", "x")
                self.count += 1
        except (OSError, ValueError, ReplyError):
            # It is sent away, or refused.
            pass

    def lost_on(self, server: servers.RedisServer) -> int:
        self.is_over = True
        self.thread.join(100)
        return missing([f"patient:{number}" for number in range(self.count)], server)
