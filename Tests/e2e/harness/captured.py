"""Fake servers that answer as captured ones did, with fields of INFO changed and commands answered otherwise."""

import re
import time

from .check import Check
from .evil import EvilRedis, bulk
from .exporters import Exporter, redline
from .paths import ROOT

FIXTURES = ROOT / "Tests/FleetTests/Fixtures"
SERVER = FIXTURES / "servers/redis-7.4.1"
SENTINEL = FIXTURES / "topologies/redis-7.0.15"
UNKNOWN = b"-ERR unknown command\r\n"


def encoded(value) -> bytes:
    """RESP of a value: lists are arrays, integers integers, anything else a bulk string."""
    if isinstance(value, (list, tuple)):
        return b"*%d\r\n" % len(value) + b"".join(map(encoded, value))
    if isinstance(value, int):
        return b":%d\r\n" % value
    return bulk(value if isinstance(value, bytes) else str(value).encode())


def content(reply: bytes) -> bytes:
    """What a bulk string holds."""
    return reply[reply.index(b"\r\n") + 2:-2]


class Captured(EvilRedis):
    """A server that answers as one of `Tests/FleetTests/Fixtures` did.

    `info` are fields of INFO that are put in place of the captured ones or added; `answers` are replies by the first words
    of a command ("CLUSTER NODES"). Values may be functions: of nothing for a field, of the words for a reply. `counts` are
    the commands so far, by name; `logins` the arguments of each AUTH.
    """

    def __init__(self, check: Check, info: dict | None = None, answers: dict | None = None, folder=SERVER):
        self.info, self.answers, self.folder = info or {}, answers or {}, folder
        self.counts: dict[str, int] = {}
        self.logins: list[list[bytes]] = []
        super().__init__(check, lambda _, words: self.answer(words))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def file(self, name: str) -> bytes:
        path = self.folder / f"{name}.resp"
        return path.read_bytes() if path.exists() else UNKNOWN

    def info_text(self) -> bytes:
        return self.changed(content(self.file("info-all")))

    def changed(self, text: bytes) -> bytes:
        for name, value in self.info.items():
            value = value() if callable(value) else value
            line = name.encode() + b":" + (value if isinstance(value, bytes) else str(value).encode())
            text, found = re.subn(rb"(?m)^%s:[^\r\n]*" % re.escape(name.encode()), lambda _, line=line: line, text, count=1)
            if not found:
                # Replicas stand beside the role, as in every server that has sections.
                at = re.search(rb"(?m)^role:[^\r\n]*\r\n", text) if name.startswith("slave") else None
                end = at.end() if at else len(text)
                text = text[:end] + line + b"\r\n" + text[end:]
        return text

    def answer(self, words: list[bytes]) -> bytes:
        upper = [word.upper().decode(errors="replace") for word in words[:2]]
        self.counts[upper[0]] = self.counts.get(upper[0], 0) + 1
        for name in (" ".join(upper), upper[0]):
            if name in self.answers:
                reply = self.answers[name]
                return reply(words) if callable(reply) else reply
        return self.usual(upper, words)

    def usual(self, upper: list[str], words: list[bytes]) -> bytes:
        match upper:
            case ["AUTH", *_]:
                self.logins.append(words[1:])
                return b"+OK\r\n"
            case ["INFO", *_]: return bulk(self.info_text())
            case ["PING", *_]: return b"+PONG\r\n"
            case ["CLIENT", "LIST"]: return self.file("client-list")
            case ["SELECT" | "READONLY" | "CLIENT", *_]: return b"+OK\r\n"
            case ["CONFIG", "GET"]: return self.file("config-get")
            case ["LATENCY" | "SLOWLOG", part]: return self.file(f"{upper[0]}-{part}".lower())
            case ["SCAN", *_]: return encoded(["0", []])
            case ["TIME"]: return encoded([str(int(time.time())), "123"])
        return UNKNOWN


class CapturedSentinel(Captured):
    """A Sentinel of one master, which it calls `mymaster`; `master` and each of `replicas` and `peers` are (host, port)."""

    def __init__(self, check: Check, master: tuple, replicas=(), peers=(), info: dict | None = None,
                 answers: dict | None = None):
        self.master, self.replicas, self.peers = master, replicas, peers
        self.fields: dict[str, str] = {}
        self.subscribers: list = []
        super().__init__(check, info, answers, SENTINEL)
        self.behave = self.hear

    def hear(self, connection, words: list[bytes]) -> bytes:
        reply = self.answer(words)
        if words[0].upper() == b"PSUBSCRIBE":
            # Confirmed before anything is published.
            connection.sendall(reply)
            self.subscribers.append(connection)
            return b""
        return reply

    def publish(self, *messages: tuple[str, str]) -> None:
        """Tells everybody who listens; each message is a channel and a text."""
        for connection in list(self.subscribers):
            try:
                connection.sendall(b"".join(published(*message) for message in messages))
            except OSError:
                self.subscribers.remove(connection)

    def info_text(self) -> bytes:
        return self.changed(content(self.file("failing-sentinel-info-all")))

    def usual(self, upper: list[str], words: list[bytes]) -> bytes:
        match upper:
            case ["SENTINEL", "MYID"]: return encoded(f"{self.port:040x}")
            case ["SENTINEL", "MASTER"]: return encoded(self.master_fields())
            case ["SENTINEL", "MASTERS"]: return encoded([self.master_fields()])
            case ["SENTINEL", "SLAVES" | "REPLICAS"]: return encoded([self.replica_fields(*one) for one in self.replicas])
            case ["SENTINEL", "SENTINELS"]: return encoded([self.peer_fields(*one) for one in self.peers])
            case ["SENTINEL", "CKQUORUM"]: return self.file("steady-sentinel-ckquorum")
            case ["PSUBSCRIBE", *_]: return encoded(["psubscribe", words[1], 1])
        return super().usual(upper, words)

    def master_fields(self) -> list[str]:
        host, port = self.master
        fields = {"name": "mymaster", "ip": host, "port": port, "runid": "a" * 40, "flags": "master",
                  "last-ok-ping-reply": 1, "down-after-milliseconds": 5000, "info-refresh": 1, "role-reported": "master",
                  "config-epoch": 1, "num-slaves": len(self.replicas), "num-other-sentinels": len(self.peers), "quorum": 2,
                  "failover-timeout": 60000, "parallel-syncs": 1} | self.fields
        return [str(part) for pair in fields.items() for part in pair]

    def replica_fields(self, host, port) -> list[str]:
        master_host, master_port = self.master
        return ["name", f"{host}:{port}", "ip", host, "port", str(port), "runid", "", "flags", "slave",
                "master-link-status", "ok", "master-host", master_host, "master-port", str(master_port), "slave-priority",
                "100", "slave-repl-offset", "1"]

    @staticmethod
    def peer_fields(host, port) -> list[str]:
        return ["name", f"{host}:{port}", "ip", host, "port", str(port), "runid", f"{port:040x}", "flags", "sentinel",
                "last-hello-message", "1"]


def published(channel: str, text: str) -> bytes:
    """A message of a subscription to every channel."""
    return encoded(["pmessage", "*", channel, text])


def watching(check: Check, workloads: str, *flags: str, more: str = "", **options) -> Exporter:
    """A redline that watches these `workloads` (the YAML below that key, with two spaces before each line's dash)."""
    config = check.file("redline.yml", f"workloads:\n{workloads}\n{more}")
    return redline(check, None, f"--config.file={config}", *flags, **options)


def static(name: str, *servers: EvilRedis, kind: str = "queue", interval: str = "500ms", more: str = "") -> str:
    """A workload that is a list of servers."""
    seeds = ", ".join(f'"127.0.0.1:{server.port}"' for server in servers)
    return f"  - {{name: {name}, kind: {kind}, topology: static, seeds: [{seeds}], poll_interval: {interval}{more}}}"
