"""The part of systemd that a service talks to: the notification socket and the sockets that it is handed."""

import os
import select
import socket
import time

from . import http
from .check import Check, Failed
from .paths import REDLINE
from .process import Process

FIRST_DESCRIPTOR = 3


class NotifySocket:
    """Receives what a service tells; each message is a dictionary of its assignments."""

    def __init__(self, check: Check, abstract: bool = False):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        name = f"redline-notify-{os.getpid()}-{time.monotonic_ns()}"
        self.name = f"@{name}" if abstract else str(check.folder / name)
        self.socket.bind(f"\0{name}" if abstract else self.name)
        check.closing.callback(self.socket.close)

    def next(self, seconds: float) -> dict[str, str] | None:
        """The next message, or nil when none comes within `seconds`."""
        if not select.select([self.socket], [], [], max(0, seconds))[0]:
            return None
        text = self.socket.recv(4096).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, key: str, seconds: float) -> dict[str, str]:
        """The next message that assigns `key`; others before it are passed over."""
        deadline = time.monotonic() + seconds
        while (message := self.next(deadline - time.monotonic())) is not None:
            if key in message:
                return message
        raise Failed(f"no {key} within {seconds:g} s")

    def beats(self, seconds: float) -> int:
        """How many signs of life come within `seconds`."""
        deadline, count = time.monotonic() + seconds, 0
        while (message := self.next(deadline - time.monotonic())) is not None:
            count += "WATCHDOG" in message
        return count


class ListeningSocket:
    """What a .socket unit holds: it goes on listening whatever becomes of the service."""

    def __init__(self, check: Check):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(64)
        self.port = self.socket.getsockname()[1]
        check.closing.callback(self.socket.close)


class Service(Process):
    """Redline as systemd starts it: its own process id in LISTEN_PID, the socket as descriptor 3."""

    def __init__(self, check: Check, listener: ListeningSocket, *flags: str,
                 environment: dict[str, str] | None = None):
        self.port = listener.port
        # A shell puts its process id into LISTEN_PID and becomes the program.
        script = f'exec {FIRST_DESCRIPTOR}<&{listener.socket.fileno()}; LISTEN_PID=$$ exec "$0" "$@"'
        listener.socket.set_inheritable(True)
        super().__init__(check, "redline", ["/bin/bash", "-c", script, str(REDLINE), "--web.systemd-socket", *flags],
                         {"LISTEN_FDS": "1"} | (environment or {}), inherited=(listener.socket.fileno(),))

    def get(self, path: str = "/metrics") -> http.Response:
        return http.get(self.port, path)
