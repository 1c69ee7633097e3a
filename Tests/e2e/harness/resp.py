"""A small RESP2 client: enough to load a Redis with awkward data and to ask it questions."""

import socket
import ssl


class ReplyError(Exception):
    """An error reply of Redis; its text is Redis's own."""


class Redis:
    def __init__(self, port: int = 0, host: str = "127.0.0.1", unix: str | None = None, seconds: float = 10,
                 tls: ssl.SSLContext | None = None):
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(seconds)
            self.socket.connect(unix)
        else:
            self.socket = socket.create_connection((host, port), seconds)
        if tls:
            self.socket = tls.wrap_socket(self.socket)
        self.buffer = self.socket.makefile("rb")

    def __enter__(self) -> "Redis":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        self.buffer.close()
        self.socket.close()

    def send(self, *words) -> None:
        """Writes one command and does not wait for its reply."""
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))

    def __call__(self, *words):
        self.send(*words)
        return self.read()

    def refused(self, *words) -> str:
        """The text of the error reply that a command is expected to get."""
        try:
            self(*words)
        except ReplyError as error:
            return str(error)
        raise AssertionError(f"{words[0]} was not refused")

    def read(self):
        line = self.buffer.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode(errors="replace")
        if kind == b"-":
            raise ReplyError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self.buffer.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return None if rest == b"-1" else [self._element() for _ in range(int(rest))]
        raise ConnectionError(f"not RESP: {line!r}")

    def _element(self):
        try:
            return self.read()
        except ReplyError as error:
            return error

    def info(self, section: str = "all") -> dict[str, str]:
        lines = self("INFO", section).decode(errors="replace").splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
