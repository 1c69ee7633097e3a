"""Redline and its peer as child processes, and their pages."""

from . import http
from .check import Check, Ended, Failed, Skipped
from .exposition import Page
from .paths import PEER, REDLINE
from .process import Process

FRESH = "--web.max-age=0s"


class Exporter(Process):
    """An exporter that listens on a loopback port of its own. `flags` are added to the address and the port."""

    def __init__(self, check: Check, name: str, program: str, address: str | None, flags: tuple[str, ...],
                 environment: dict[str, str] | None, open_files: int | None, wait: bool, prefix: tuple[str, ...] = ()):
        self.port = check.free_port()
        self.check = check
        target = [] if address is None else [f"--redis.addr={address}"]
        arguments = [*prefix, program, *target, f"--web.listen-address=127.0.0.1:{self.port}", *flags]
        super().__init__(check, name, arguments, environment, open_files)
        if wait:
            check.until(self._listens, 10, f"{name} listens", pause=0.05)

    def _listens(self) -> bool:
        self.lives()
        http.connect(self.port).close()
        return True

    def get(self, path: str = "/metrics", **options) -> http.Response:
        try:
            return http.get(self.port, path, **options)
        except OSError as error:
            self.lives()
            raise error

    def lives(self) -> None:
        """Fails with the process's last words when it has ended."""
        if self.child.poll() is not None:
            raise Ended(f"{self.name} ended with {self.child.returncode}: {self.output()[-2000:]}")

    def page(self, path: str = "/metrics", **options) -> Page:
        response = self.get(path, **options)
        if response.status != 200:
            raise Failed(f"{self.name} {path}: {response.status} {response.body[:200]!r}")
        return Page(response.text)


def redline(check: Check, address: str | None, *flags: str, environment: dict[str, str] | None = None,
            open_files: int | None = None, wait: bool = True, prefix: tuple[str, ...] = ()) -> Exporter:
    """`prefix` are words of a program that becomes redline, such as one that enters another namespace."""
    if not REDLINE.exists():
        raise Skipped(f"{REDLINE} is not built")
    return Exporter(check, "redline", str(REDLINE), address, flags, environment, open_files, wait, prefix)


def peer(check: Check, address: str, *flags: str, environment: dict[str, str] | None = None) -> Exporter:
    return Exporter(check, "peer", str(PEER), address, flags, environment, None, True)
