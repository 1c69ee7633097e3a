"""Who plays: servers of every captured kind in every role, with what each answers before anything is done to it."""

import dataclasses
import pathlib
import re

from harness.captured import FIXTURES, content, encoded

from .replies import Template, bulk

TOPOLOGIES = FIXTURES / "topologies"
STREAM = b"jobs"
KEYS = (b"lock:a", b"lock:b", b"circuit:pay:failures", STREAM)
ENTRY = ["1795411971123-0", ["field", "7"]]
# What servers answer about keys; redis_exporter's own fixtures have none.
KEY_REPLIES = {
    "SCAN": encoded(["0", KEYS]), "TYPE": b"+stream\r\n", "PTTL": b":-1\r\n", "TTL": b":-1\r\n", "GETRANGE": bulk(b"7"),
    "STRLEN": b":3\r\n", "XLEN": b":3\r\n", "MEMORY USAGE": b":4711\r\n", "TIME": encoded(["1795411975", "123456"]),
    "XINFO STREAM": encoded(["length", 3, "radix-tree-keys", 1, "radix-tree-nodes", 2, "last-generated-id", "1795411971125-0",
                             "max-deleted-entry-id", "0-0", "entries-added", 3, "recorded-first-entry-id", "1795411971123-0",
                             "groups", 1, "first-entry", ENTRY, "last-entry", ENTRY]),
    "XINFO GROUPS": encoded([["name", "workers", "consumers", 1, "pending", 2, "last-delivered-id", "1795411971124-0",
                              "entries-read", 2, "lag", 1]]),
    "XINFO CONSUMERS": encoded([["name", "worker-1", "pending", 2, "idle", 4711, "inactive", 4712]]),
    "XPENDING": encoded([2, "1795411971123-0", "1795411971124-0", [["worker-1", "2"]]]),
    "PING": b"+PONG\r\n",
}


@dataclasses.dataclass
class Part:
    """A server: `replies` by command. `is_wild` says that it is odd in many ways, else in one number at a time."""

    name: str
    kind: str
    role: str
    port: int
    is_wild: bool
    replies: dict[str, bytes] = dataclasses.field(default_factory=dict)
    published: list[bytes] = dataclasses.field(default_factory=list)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def templates(self) -> dict[str, Template]:
        return {command: Template(reply) for command, reply in self.replies.items()}


def kinds() -> list[pathlib.Path]:
    return sorted(folder for folder in (FIXTURES / "servers").iterdir() if folder.is_dir())


def with_fields(text: bytes, **fields) -> bytes:
    """INFO with these fields in place of those that are there; what is not there is not added."""
    for name, value in fields.items():
        text = re.sub(rb"(?m)^%s:[^\r\n]*" % name.encode(), b"%s:%s" % (name.encode(), str(value).encode()), text)
    return text


def info(folder: pathlib.Path, port: int, name: str = "info-all", **fields) -> bytes:
    return with_fields(content((folder / f"{name}.resp").read_bytes()), tcp_port=port, run_id=f"{port:040x}", **fields)


def section(text: bytes, name: bytes) -> bytes:
    """One section of INFO; all of it where there is no such section."""
    found = re.search(rb"# %s\r\n.*?(?:\r\n\r\n|\Z)" % name, text, re.DOTALL)
    return found[0] if found else text


def data_server(folder: pathlib.Path, text: bytes) -> dict[str, bytes]:
    """What a server of this kind answers to all but questions about its topology."""
    replies = {"INFO ALL": bulk(text), "INFO CLIENTS": bulk(section(text, b"Clients")),
               "INFO SERVER": bulk(section(text, b"Server")), "COMMANDLOG LEN": b":3\r\n"} | KEY_REPLIES
    for path in folder.glob("*.resp"):
        command = path.stem.replace("-", " ").upper()
        if not command.startswith(("INFO", "REPLICA")):
            replies[command] = path.read_bytes()
    if (folder / "info-modules.resp").exists():
        replies["INFO MODULES"] = (folder / "info-modules.resp").read_bytes()
    if not folder.name.startswith("valkey") or folder.name.startswith("valkey-8.0"):
        del replies["COMMANDLOG LEN"]
    return replies


def pair(folder: pathlib.Path, ports, is_wild: bool) -> list[Part]:
    """A master and its replica."""
    master, replica = next(ports), next(ports)
    parts = []
    for role, port in (("master", master), ("replica", replica)):
        link = f"ip=127.0.0.1,port={replica},state=online,offset=5124400,lag=0"
        text = (info(folder, port, connected_slaves=1, slave0=link) if role == "master"
                else info(folder, port, "replica-info-all", master_host="127.0.0.1", master_port=master))
        parts.append(Part(f"{folder.name} {role}", folder.name, role, port, is_wild, data_server(folder, text)))
    return parts


def queue(folder: pathlib.Path, ports, is_wild: bool) -> list[Part]:
    port = next(ports)
    text = info(folder, port, connected_slaves=0)
    text = re.sub(rb"(?m)^slave0:[^\r\n]*\r\n", b"", text)
    return [Part(f"{folder.name} queue", folder.name, "queue", port, is_wild, data_server(folder, text))]


def cluster(folder: pathlib.Path, ports, is_wild: bool, size: int = 2) -> list[Part]:
    """Masters that share the slots."""
    members = [next(ports) for _ in range(size)]
    parts = []
    for port in members:
        text = info(folder, port, connected_slaves=0, redis_mode="cluster", server_mode="cluster", cluster_enabled=1)
        text = re.sub(rb"(?m)^slave0:[^\r\n]*\r\n", b"", text)
        replies = data_server(folder, text)
        replies["CLUSTER NODES"] = bulk("".join(
            f"{other:040x} 127.0.0.1:{other}@{other + 10000} {'myself,' if other == port else ''}master - 0 1795413267000 "
            f"{number + 1} connected {16384 * number // size}-{16384 * (number + 1) // size - 1}\n"
            for number, other in enumerate(members)).encode())
        name = TOPOLOGIES / "redis-7.0.15" / "failing-cluster-cluster-info.resp"
        replies["CLUSTER INFO"] = bulk(with_fields(
            content(name.read_bytes()), cluster_state="ok", cluster_slots_ok=16384, cluster_slots_fail=0,
            cluster_known_nodes=size, cluster_size=size))
        parts.append(Part(f"{folder.name} cluster node", folder.name, "cluster node", port, is_wild, replies))
    return parts


def decoded(reply: bytes):
    """The values of one reply that is made of arrays and strings."""
    def read(at: int):
        line = reply.index(b"\r\n", at)
        count, at = int(reply[at + 1:line]), line + 2
        if reply[line - len(str(count)) - 1:line - len(str(count))] == b"$":
            return reply[at:at + count], at + count + 2
        values = []
        for _ in range(count):
            value, at = read(at)
            values.append(value)
        return values, at
    return read(0)[0]


def with_pairs(values: list[bytes], **fields) -> list[bytes]:
    """A reply of Sentinel of names and values, with other values."""
    changed = {name.replace("_", "-").encode(): str(value).encode() for name, value in fields.items()}
    return [changed.get(values[at - 1], value) if at % 2 else value for at, value in enumerate(values)]


def sentinels(folder: pathlib.Path, servers: list[Part], ports, is_wild: bool, size: int = 2) -> list[Part]:
    """Sentinels of the master and the replica in `servers`."""
    def captured(name: str) -> bytes:
        return (folder / f"{name}.resp").read_bytes()

    master, replica = servers
    own = [next(ports) for _ in range(size)]
    [master_fields] = decoded(captured("steady-sentinel-masters"))
    captured_port = dict(zip(master_fields[::2], master_fields[1::2]))[b"port"]
    master_fields = with_pairs(master_fields, port=master.port, num_slaves=1, num_other_sentinels=size - 1)
    replica_fields = with_pairs(decoded(captured("steady-sentinel-replicas"))[0], name=replica.address, port=replica.port,
                                master_port=master.port, runid=f"{replica.port:040x}")
    peer_fields = decoded(captured("steady-sentinel-sentinels"))[0]

    def present(text: bytes) -> bytes:
        """An event whose ports are of today: the master's is the master's, every other the replica's."""
        return re.sub(rb"(?<=127\.0\.0\.1[ :])\d+",
                      lambda match: b"%d" % (master if match[0] == captured_port else replica).port, text)

    events = [decoded(each[0]) for each in re.finditer(rb"\*4\r\n(?:\$\d+\r\n[^\r]*\r\n){4}", captured("sentinel-events"))]
    published = [encoded([*words[:3], present(words[3])]) for words in events]
    parts = []
    for port in own:
        text = with_fields(content(captured("failing-sentinel-info-all")), tcp_port=port, run_id=f"{port:040x}",
                           master0=f"name=mymaster,status=ok,address={master.address},slaves=1,sentinels={size}")
        others = [with_pairs(peer_fields, name=f"{other:040x}", port=other, runid=f"{other:040x}")
                  for other in own if other != port]
        part = Part(f"Sentinel of {folder.name}", f"sentinel of {folder.name}", "sentinel", port, is_wild, {
            "INFO ALL": bulk(text), "PING": b"+PONG\r\n", "SENTINEL MYID": encoded(f"{port:040x}"),
            "SENTINEL MASTER": encoded(master_fields), "SENTINEL MASTERS": encoded([master_fields]),
            "SENTINEL SLAVES": encoded([replica_fields]), "SENTINEL SENTINELS": encoded(others),
            "SENTINEL CKQUORUM": captured("steady-sentinel-ckquorum"),
            "SENTINEL CONFIG": captured("failing-sentinel-config-get"),
        })
        part.published = published
        parts.append(part)
    return parts
