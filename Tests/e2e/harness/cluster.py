"""A cluster of three masters and three replicas that breaks and mends quickly."""

from .certificates import Authority
from .check import Check
from .paths import tool
from .process import Process
from .servers import RedisServer


class Cluster:
    def __init__(self, check: Check, authority: Authority | None = None):
        self.check = check
        self.options, self.tls, flags = [], None, []
        if authority:
            certificate, key = authority.issue("node")
            self.options = [f"tls-cert-file {certificate}", f"tls-key-file {key}", "tls-cluster yes",
                            f"tls-ca-cert-file {authority.certificate}", "tls-replication yes", "tls-auth-clients no"]
            flags = ["--tls", "--cacert", str(authority.certificate)]
            self.tls = authority.client_context()
            self.tls.check_hostname = False
        self.nodes = [self.node() for _ in range(6)]
        addresses = [f"127.0.0.1:{one.port}" for one in self.nodes]
        maker = Process(check, "redis-cli", [tool("redis-cli"), *flags, "--cluster", "create", *addresses,
                                             "--cluster-replicas", "1", "--cluster-yes"])
        check.equal(maker.wait(60), 0, "redis-cli --cluster create exits")
        check.until(lambda: all(self.is_whole(one) for one in self.nodes), 20, "the cluster is whole")

    def node(self) -> RedisServer:
        return RedisServer(self.check, "cluster-enabled yes", "cluster-node-timeout 1500", *self.options,
                           name="node", tls=self.tls)

    def is_whole(self, node: RedisServer, masters: int = 3) -> bool:
        """The node finds all slots served and every other node well, each replica with its master."""
        with node.client() as client:
            if "cluster_state:ok" not in client("CLUSTER", "INFO").decode():
                return False
            rows = [line.split() for line in client("CLUSTER", "NODES").decode().splitlines()]
            link = client.info("replication")
        return (all("fail" not in row[2] and "handshake" not in row[2] for row in rows)
                and sum("master" in row[2] for row in rows) == masters
                and link.get("master_link_status", "up") == "up")

    def whole(self) -> None:
        self.check.until(lambda: all(self.is_whole(one) for one in self.nodes), 30, "the cluster is whole again")

    def rows(self, asked: RedisServer) -> list[list[str]]:
        with asked.client() as client:
            return [line.split() for line in client("CLUSTER", "NODES").decode().splitlines()]

    def id(self, node: RedisServer) -> str:
        with node.client() as client:
            return client("CLUSTER", "MYID").decode()

    def roles(self) -> tuple[list[RedisServer], list[RedisServer]]:
        masters = []
        for node in self.nodes:
            with node.client() as client:
                if client("ROLE")[0] == b"master":
                    masters.append(node)
        return masters, [node for node in self.nodes if node not in masters]

    def replica_of(self, master: RedisServer) -> RedisServer:
        own = self.id(master)
        return next(node for node in self.nodes if node is not master
                    and next(row for row in self.rows(node) if "myself" in row[2])[3] == own)

    def leads(self, node: RedisServer) -> bool:
        return next(row for row in self.rows(node) if "myself" in row[2])[2] == "myself,master"
