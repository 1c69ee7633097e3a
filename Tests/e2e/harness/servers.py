"""Real Redis servers of every role, each in a folder and on a port of its own."""

import ssl

from .check import Check, Ended
from .paths import tool
from .process import Process
from .resp import Redis, ReplyError
from .versions import program


class RedisServer:
    """A server of the version that the check runs on, or of another one of `versions.ALL`.

    `prefix` are words of a program that becomes the server.
    """

    def __init__(self, check: Check, *options: str, name: str = "redis", sentinel: bool = False,
                 password: str | None = None, wait: bool = True, port: int | None = None,
                 tls: ssl.SSLContext | None = None, version: str | None = None, prefix: tuple[str, ...] = ()):
        self.check = check
        self.port = port or check.free_port()
        self.folder = check.folder / f"{name}-{self.port}"
        self.folder.mkdir(exist_ok=True)
        config = self.folder / "redis.conf"
        lines = ["port 0", f"tls-port {self.port}"] if tls else [f"port {self.port}"]
        lines += ["bind 127.0.0.1 -::1", f"dir {self.folder}", "protected-mode no", "daemonize no"]
        if not sentinel:
            lines += ['save ""', "appendonly no", "repl-diskless-sync-delay 0"]
        config.write_text("\n".join([*lines, *options]) + "\n")
        mode = ["--sentinel"] if sentinel else []
        self.arguments = [*prefix, program(version or check.server), str(config), *mode]
        self.name = name
        self.process = Process(check, f"{name}-{self.port}", self.arguments)
        self.password, self.tls = password, tls
        if wait:
            check.until(self.answers, 10, f"redis-server on {self.port} answers PING")

    def restart(self, wait: bool = True) -> None:
        """Starts it again once it has ended, on the same port with what it left in its folder."""
        self.process.wait(5)
        self.process = Process(self.check, f"{self.name}-{self.port}", self.arguments)
        if wait:
            self.check.until(self.answers, 10, f"redis-server on {self.port} answers PING again")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def client(self, seconds: float = 10) -> Redis:
        client = Redis(self.port, seconds=seconds, tls=self.tls)
        if self.password:
            client("AUTH", self.password)
        return client

    def answers(self) -> bool:
        if self.process.child.poll() is not None:
            raise Ended(f"redis-server ended: {self.process.output()[-2000:]}")
        with self.client() as client:
            try:
                return client("PING") == "PONG"
            except ReplyError as error:
                return "LOADING" not in str(error)


def replica_of(check: Check, master: RedisServer, *options: str) -> RedisServer:
    replica = RedisServer(check, f"replicaof 127.0.0.1 {master.port}", *options,
                          name="replica")

    def linked() -> bool:
        with replica.client() as client:
            return client.info("replication").get("master_link_status") == "up"

    check.until(linked, 20, "the replica is linked to its master")
    return replica


def sentinel_of(check: Check, master: RedisServer, name: str = "mymaster") -> RedisServer:
    sentinel = RedisServer(check, f"sentinel monitor {name} 127.0.0.1 {master.port} 1",
                           f"sentinel down-after-milliseconds {name} 5000", name="sentinel", sentinel=True)

    def watches() -> bool:
        with sentinel.client() as client:
            return "status=ok" in client.info("sentinel").get("master0", "")

    check.until(watches, 20, "the sentinel sees its master")
    return sentinel


def cluster(check: Check, masters: int = 3) -> list[RedisServer]:
    """A cluster of masters that covers every slot, made by redis-cli."""
    nodes = [RedisServer(check, "cluster-enabled yes", "cluster-node-timeout 5000", name="node") for _ in range(masters)]
    addresses = [f"127.0.0.1:{node.port}" for node in nodes]
    maker = Process(check, "redis-cli", [tool("redis-cli"), "--cluster", "create", *addresses, "--cluster-yes"])
    check.equal(maker.wait(60), 0, "redis-cli --cluster create exits")

    def whole() -> bool:
        for node in nodes:
            with node.client() as client:
                text = client("CLUSTER", "INFO").decode()
                if "cluster_state:ok" not in text or f"cluster_known_nodes:{masters}" not in text:
                    return False
        return True

    check.until(whole, 30, "every node says that the cluster is ok")
    return nodes
