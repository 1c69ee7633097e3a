"""One server of the lab: a port, a folder, a process, and questions to it."""

import dataclasses
import os
import pathlib
import signal
import time

from .process import Daemon
from .resp import Connection, ReplyError, fields
from .terminal import Refused

START_SECONDS = 20
STOP_SECONDS = 15


@dataclasses.dataclass(frozen=True)
class Node:
    name: str
    workload: str
    port: int
    bus: int
    folder: pathlib.Path
    daemon: Daemon
    password: str | None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def config(self) -> pathlib.Path:
        return self.folder / "redis.conf"

    @property
    def is_running(self) -> bool:
        """Whether it can be expected to answer: it has a process and nobody has halted it."""
        return self.daemon.pid is not None and not self.daemon.is_stopped

    def launch(self, *options: str) -> None:
        """Starts its process unless it has one; `options` are for this start only."""
        if self.daemon.pid is None:
            mode = ["--sentinel"] if self.workload == "sentinel" else []
            self.daemon.start([os.environ["LAB_REDIS_SERVER"], str(self.config), *mode, *options],
                              self.folder / "log", self.folder)

    def await_answer(self, seconds: float = START_SECONDS, loading: bool = False) -> None:
        """Waits until it answers PING; a server that loads its file counts only with `loading`."""
        deadline = time.monotonic() + seconds
        while True:
            if self.daemon.pid is None:
                raise Refused(f"{self.name} ended: {self.last_words()}")
            try:
                self.ask("PING")
                return
            except ReplyError as error:
                if loading and str(error).startswith("LOADING"):
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise Refused(f"{self.name} did not answer within {seconds:g} s: {self.last_words()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """As an operator stops it: what it keeps on disk is complete."""
        self.daemon.stop(STOP_SECONDS)

    def kill(self) -> None:
        self.daemon.kill()

    def halt(self) -> None:
        """SIGSTOP: the kernel goes on accepting its connections, it answers none."""
        self.daemon.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.daemon.signal(signal.SIGCONT)

    def connect(self, seconds: float = 1) -> Connection:
        return Connection(self.port, self.password, seconds)

    def ask(self, *words, seconds: float = 1):
        """The reply of one command on a connection of its own."""
        with self.connect(seconds) as connection:
            return connection(*words)

    def info(self, section: str) -> dict[str, str]:
        return fields(self.ask("INFO", section))

    def last_words(self) -> str:
        log = self.folder / "log"
        lines = log.read_text(errors="replace").splitlines()[-3:] if log.exists() else []
        return " / ".join(lines) or "its log is empty"

    def absence(self) -> list[str]:
        """The complaint of a node that cannot answer; none when it should."""
        if self.daemon.pid is None:
            return [f"{self.name} is down"]
        return [f"{self.name} is hung"] if self.daemon.is_stopped else []
