"""A fake Redis that behaves badly on demand, and turns good by one assignment."""

import contextlib
import socket
import struct
import threading

from .check import Check

GOOD_INFO = "\r\n".join([
    "# Server", "redis_version:7.0.15", "redis_mode:standalone", "os:Linux", "tcp_port:6379", "process_id:1",
    "run_id:0123456789012345678901234567890123456789", "uptime_in_seconds:100", "# Clients", "connected_clients:3",
    "# Memory", "used_memory:1000000", "maxmemory:0", "maxmemory_policy:noeviction", "# Replication", "role:master",
    "connected_slaves:0", "master_replid:0123456789012345678901234567890123456789", "# Cluster", "cluster_enabled:0",
    "# Keyspace", "db0:keys=5,expires=1,avg_ttl=1000", ""]).encode()


def bulk(content: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(content), content)


def good(words: list[bytes]) -> bytes:
    """The replies of a small healthy server that knows INFO and little else."""
    name = words[0].upper()
    if name == b"INFO":
        return bulk(GOOD_INFO)
    return {b"PING": b"+PONG\r\n", b"CLIENT": b"+OK\r\n", b"SELECT": b"+OK\r\n"}.get(name, b"-ERR unknown command\r\n")


class Hang(Exception):
    """Raised by a behaviour: say nothing more on this connection, and keep it open."""


class EvilRedis:
    """Calls `behave(connection, words)` for each command; bytes it returns are sent. `accepted` runs on each connect."""

    def __init__(self, check: Check, behave=None, accepted=None):
        self.behave = behave or (lambda _, words: good(words))
        self.accepted = accepted
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()
        check.closing.callback(self.close)

    def turn_good(self) -> None:
        self.accepted = None
        self.behave = lambda _, words: good(words)

    def close(self) -> None:
        self.closing.set()
        self.listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, ConnectionError), connection:
            if self.accepted:
                self.accepted(connection)
            with connection.makefile("rb") as stream:
                while words := read_command(stream):
                    try:
                        reply = self.behave(connection, words)
                    except Hang:
                        self.closing.wait()
                        return
                    if reply:
                        connection.sendall(reply)


def read_command(stream) -> list[bytes] | None:
    header = stream.readline()
    if not header.startswith(b"*"):
        return None
    words = []
    for _ in range(int(header[1:])):
        length = int(stream.readline()[1:])
        words.append(stream.read(length + 2)[:-2])
    return words


def close(_connection: socket.socket) -> None:
    """Ends the connection; what was sent before still arrives."""
    raise ConnectionAbortedError


def reset(connection: socket.socket) -> None:
    """Ends the connection with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionAbortedError
