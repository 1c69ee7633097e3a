"""Processes that outlive the command which started them, each known by its id and by what proves that it is the one."""

import os
import pathlib
import signal
import subprocess
import time

BOOT = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def state_and_start(pid: int) -> tuple[str, str] | None:
    """State letter and start time in ticks since boot; None when there is no such process."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = stat.rpartition(")")[2].split()
    return words[0], words[19]


class Daemon:
    """One recorded process. A process id is used again in time: start time and boot say whether it still is ours."""

    def __init__(self, record: pathlib.Path):
        self.record = record

    @property
    def pid(self) -> int | None:
        """None when it does not run (any more)."""
        return self._look()[0]

    @property
    def is_stopped(self) -> bool:
        """Whether it is halted by SIGSTOP."""
        return self._look()[1] in ("T", "t")

    def _look(self) -> tuple[int | None, str]:
        try:
            pid, start, boot = self.record.read_text().split()
        except (FileNotFoundError, ValueError):
            return None, ""
        seen = state_and_start(int(pid))
        if boot != BOOT or seen is None or seen[1] != start or seen[0] in "ZX":
            return None, ""
        return int(pid), seen[0]

    def start(self, arguments: list[str], log: pathlib.Path, folder: pathlib.Path) -> None:
        """Starts it in a session of its own, so that Ctrl-C at this terminal is not for it."""
        self.record.parent.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REDIS")}
        with open(log, "ab") as output:
            subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=folder,
                             env=environment, start_new_session=True, preexec_fn=self._write_record)

    def _write_record(self) -> None:
        # In the child, before it becomes the program: whatever ends the parent, nothing runs without its record.
        pid = os.getpid()
        self.record.write_text(f"{pid} {state_and_start(pid)[1]} {BOOT}\n")

    def signal(self, number: int) -> bool:
        """False when there was nothing to signal."""
        pid = self.pid
        if pid is None:
            return False
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return False
        return True

    def stop(self, seconds: float) -> None:
        """SIGTERM, and SIGKILL for what is left of it after `seconds`."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        if not self._has_ended_within(seconds):
            self.kill()

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._has_ended_within(5)

    def _has_ended_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True
