"""A small RESP2 client: one connection, one deadline, many commands in one write."""

import socket
import time


class ReplyError(Exception):
    """An error reply; its text is the server's own."""


class Connection:
    def __init__(self, port: int, password: str | None = None, seconds: float = 1):
        """`seconds` bounds connecting, and again each exchange."""
        self.seconds = seconds
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""
        if password:
            try:
                self("AUTH", password)
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def __call__(self, *words):
        """The reply of one command; an error reply is raised."""
        reply = self.exchange([words])[0]
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def exchange(self, commands: list[tuple]) -> list:
        """Every reply, in order; an error reply is an element like the others."""
        self.deadline = time.monotonic() + self.seconds
        self.socket.settimeout(self.seconds)
        self.socket.sendall(b"".join(encoded(words) for words in commands))
        return [self._reply() for _ in commands]

    def _reply(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return ReplyError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._bytes(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._reply() for _ in range(int(rest))]
        raise ConnectionError(f"not RESP: {line[:40]!r}")

    def _line(self) -> bytes:
        while (end := self.unread.find(b"\r\n")) < 0:
            self._receive()
        line, self.unread = self.unread[:end], self.unread[end + 2:]
        return line

    def _bytes(self, count: int) -> bytes:
        while len(self.unread) < count:
            self._receive()
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def _receive(self) -> None:
        left = self.deadline - time.monotonic()
        self.socket.settimeout(max(left, 0.001))
        try:
            received = self.socket.recv(65536)
        except TimeoutError:
            raise TimeoutError(f"the server on port {self.port} did not answer within {self.seconds:g} s") from None
        if not received:
            raise ConnectionError(f"the server on port {self.port} closed the connection")
        self.unread += received


def encoded(words: tuple) -> bytes:
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def fields(text: bytes) -> dict[str, str]:
    """The `name:value` lines of INFO and CLUSTER INFO."""
    lines = text.decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def pairs(reply: list[bytes]) -> dict[str, str]:
    """A flat list of names and values, as SENTINEL gives them."""
    words = [word.decode(errors="replace") for word in reply]
    return dict(zip(words[::2], words[1::2]))
