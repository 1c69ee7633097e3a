"""An HTTP/1.1 client over raw sockets: nothing is added, hidden or retried."""

import dataclasses
import gzip
import socket
import ssl
import time


@dataclasses.dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def text(self) -> str:
        raw = gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body
        return raw.decode("utf-8")


def connect(port: int, host: str = "127.0.0.1", seconds: float = 10,
            tls: ssl.SSLContext | None = None) -> socket.socket:
    connection = socket.create_connection((host, port), seconds)
    return tls.wrap_socket(connection, server_hostname=host) if tls else connection


def request_bytes(path: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    lines = {"Host": "localhost"} | ({"Content-Length": str(len(body))} if body else {}) | (headers or {})
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("utf-8", "surrogateescape") + body


def get(port: int, path: str = "/metrics", method: str = "GET", headers: dict[str, str] | None = None,
        body: bytes = b"", host: str = "127.0.0.1", seconds: float = 15,
        tls: ssl.SSLContext | None = None) -> Response:
    """One request on a connection of its own."""
    began = time.monotonic()
    with connect(port, host, seconds, tls) as connection:
        connection.sendall(request_bytes(path, method, {"Connection": "close"} | (headers or {}), body))
        with connection.makefile("rb") as stream:
            return read_response(stream, began, bodyless=method == "HEAD")


def read_response(stream, began: float = 0, bodyless: bool = False) -> Response:
    """Reads one response; fixed length, chunked or to the end of the connection."""
    status_line = stream.readline().decode("latin-1")
    if not status_line.startswith("HTTP/1."):
        raise ConnectionError(f"no HTTP response: {status_line!r}")
    headers: dict[str, str] = {}
    while line := stream.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    if bodyless:
        body = b""
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = b""
        while size := int(stream.readline().split(b";")[0], 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    elif "content-length" in headers:
        body = stream.read(int(headers["content-length"]))
        if len(body) < int(headers["content-length"]):
            raise ConnectionError("the body ends early")
    else:
        body = stream.read()
    return Response(int(status_line.split()[1]), headers, body, time.monotonic() - began)
