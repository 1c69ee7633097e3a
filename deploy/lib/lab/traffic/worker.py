"""A thread that spends a budget of commands ten times a second."""

import collections
import threading
import time

from ..place import Place
from ..resp import ReplyError

TICK_SECONDS = 0.1
LATE_SECONDS = 1.0
RETRY_SECONDS = 0.5
RECENT_SECONDS = 5.0


class Worker(threading.Thread):
    """`rate` is in commands per second, and is kept on average: what was missed is not made up for."""

    def __init__(self, place: Place, name: str, rate: int):
        super().__init__(name=name, daemon=True)
        self.place = place
        self.rate = rate
        self.counts: collections.Counter[str] = collections.Counter()
        self.last_error = ""
        self.failed_at = -RECENT_SECONDS

    def connect(self) -> None:
        """Finds its servers; raises OSError or ReplyError when it cannot."""
        raise NotImplementedError

    def disconnect(self) -> None:
        raise NotImplementedError

    def round(self, budget: int) -> None:
        """Sends about `budget` commands."""
        raise NotImplementedError

    def run(self) -> None:
        connected, owed = False, 0.0
        due = time.monotonic()
        while True:
            due += TICK_SECONDS
            time.sleep(max(0.0, due - time.monotonic()))
            if time.monotonic() - due > LATE_SECONDS:
                due = time.monotonic()
            owed = min(owed + self.rate * TICK_SECONDS, self.rate * LATE_SECONDS)
            try:
                if not connected:
                    self.connect()
                    connected = True
                self.round(int(owed))
                owed -= int(owed)
            except (OSError, ReplyError) as error:
                self.note(error)
                self.disconnect()
                connected = False
                time.sleep(RETRY_SECONDS)

    def note(self, error: Exception) -> None:
        self.counts["errors"] += 1
        self.last_error = str(error)
        self.failed_at = time.monotonic()

    def take(self, replies: list) -> list:
        """Counts replies; an error is noted, and of a demoted or lost server it ends the connection."""
        self.counts["commands"] += len(replies)
        for reply in replies:
            if isinstance(reply, ReplyError):
                self.note(reply)
                if str(reply).split(" ", 1)[0] in ("READONLY", "MASTERDOWN", "LOADING", "NOAUTH"):
                    raise reply
        return replies

    def report(self) -> dict:
        recent = time.monotonic() - self.failed_at < RECENT_SECONDS
        return dict(self.counts) | {"last_error": self.last_error, "failed_recently": recent}
