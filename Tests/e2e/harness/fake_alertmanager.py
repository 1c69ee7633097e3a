"""An Alertmanager that writes down all that it is sent, and answers as badly as a check wants."""

import dataclasses
import datetime
import email.utils
import http.server
import json
import ssl
import threading
import time

from .check import Check


@dataclasses.dataclass(frozen=True)
class Sent:
    """One alert of a request. Times are seconds since 1970; `at` is when it arrived, by the Alertmanager's clock."""

    at: float
    labels: dict[str, str]
    annotations: dict[str, str]
    starts_at: float
    ends_at: float

    @property
    def is_firing(self) -> bool:
        """As a real one judges: while its end is still to come."""
        return self.ends_at > self.at

    @property
    def name(self) -> str:
        return self.labels["alertname"]


def seconds(text: str) -> float:
    """Since 1970, of a time as it is on the wire: with as many digits of the second as it needs, or none."""
    return datetime.datetime.fromisoformat(text).timestamp()


class FakeAlertmanager:
    """Answers every request as `answer(handler)` says, and keeps what was posted.

    `date_offset` is by how many seconds its clock is ahead; it may be changed at any time.
    """

    def __init__(self, check: Check, answer=None, tls: ssl.SSLContext | None = None, date_offset: float = 0):
        self.posts: list[bytes] = []
        self.times: list[float] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.date_offset = date_offset
        self.writing = threading.Lock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def date_time_string(self, timestamp=None) -> str:
                return email.utils.formatdate(fake.now(), usegmt=True)

            def reply(self, status: int, body: bytes = b"") -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                self.reply(200)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with fake.writing:
                    fake.times.append(fake.now())
                    fake.headers.append(dict(self.headers))
                    fake.paths.append(self.path)
                    fake.posts.append(body)
                (answer or (lambda handler: handler.reply(200)))(self)

            def log_message(self, *_) -> None:
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_) -> None:
                pass

        server = Quiet(("127.0.0.1", 0), Handler)
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        check.closing.callback(server.server_close)
        check.closing.callback(server.shutdown)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def now(self) -> float:
        return time.time() + self.date_offset

    def alert(self) -> dict:
        """The first alert of the first request, as it came."""
        return json.loads(self.posts[0])[0]

    def sent(self, name: str | None = None) -> list[Sent]:
        """Every alert of every request in their order; those of one name, if one is given."""
        with self.writing:
            requests = list(zip(self.times, self.posts))
        found = [Sent(at, one["labels"], one.get("annotations", {}), seconds(one["startsAt"]), seconds(one["endsAt"]))
                 for at, post in requests for one in json.loads(post)]
        return [one for one in found if name in (None, one.name)]


def story(sent: list[Sent]) -> list[str]:
    """What was sent in lines, for a person to read when something is wrong."""
    return [f"{one.at:.3f} {'firing' if one.is_firing else 'resolved'} {one.starts_at:.3f} to {one.ends_at:.3f} "
            f"{sorted(one.labels.items())}" for one in sent]
