"""Child processes of a check. Each is recorded by id and start time, so that the runner can end what is left."""

import os
import pathlib
import resource
import signal
import subprocess
import time

from .check import Check, Failed

TICKS = os.sysconf("SC_CLK_TCK")


def stat_fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the command's name: index 0 is the state, 11 utime, 19 start time."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return file.read().rpartition(")")[2].split()


def start_time(pid: int) -> str:
    return stat_fields(pid)[19]


def is_alive(pid: int) -> bool:
    try:
        return stat_fields(pid)[0] not in "ZX"
    except FileNotFoundError:
        return False


def rollup_bytes(pid: int) -> dict[str, int]:
    """`Rss`, `Anonymous` and the other sums of /proc/PID/smaps_rollup, in bytes."""
    sums = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="utf-8") as file:
        for line in file:
            words = line.split()
            if len(words) == 3 and words[2] == "kB":
                sums[words[0].rstrip(":")] = int(words[1]) * 1024
    return sums


class Process:
    def __init__(self, check: Check, name: str, arguments: list[str], environment: dict[str, str] | None = None,
                 open_files: int | None = None, inherited: tuple[int, ...] = ()):
        self.name = name
        self.arguments = arguments
        self.output_path = check.folder / f"{name}-{time.monotonic_ns()}.log"
        self._output = open(self.output_path, "wb")
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))) if open_files else None
        clean = {key: value for key, value in os.environ.items() if not key.startswith("REDIS_")}
        self.child = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
            env=clean | (environment or {}), cwd=check.folder, preexec_fn=limit, pass_fds=inherited)
        with open(check.folder / "processes", "a", encoding="utf-8") as file:
            file.write(f"{self.pid} {start_time(self.pid)} {name}\n")
        check.closing.callback(self.stop)

    @property
    def pid(self) -> int:
        return self.child.pid

    def output(self) -> str:
        return self.output_path.read_text(encoding="utf-8", errors="replace")

    def signal(self, number: int) -> None:
        self.child.send_signal(number)

    def wait(self, seconds: float) -> int:
        """The exit code; a process that does not end in time is a failure."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} did not end within {seconds:g} s") from None

    def stop(self) -> None:
        if self.child.poll() is None:
            for number, seconds in ((signal.SIGCONT, 0), (signal.SIGTERM, 3), (signal.SIGKILL, 3)):
                self.child.send_signal(number)
                try:
                    if seconds:
                        self.child.wait(seconds)
                        break
                except subprocess.TimeoutExpired:
                    continue
        self._output.close()

    def cpu_seconds(self) -> float:
        """User and system time so far, of every thread."""
        fields = stat_fields(self.pid)
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_bytes(self) -> int:
        return rollup_bytes(self.pid)["Rss"]

    def anonymous_bytes(self) -> int:
        return rollup_bytes(self.pid)["Anonymous"]

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def end_recorded(folder: pathlib.Path) -> list[str]:
    """Kills what a check left behind, by the ids in its `processes` file; returns their names."""
    left = []
    record = folder / "processes"
    if not record.exists():
        return left
    for line in record.read_text(encoding="utf-8").splitlines():
        pid, started, name = line.split(" ", 2)
        try:
            if is_alive(int(pid)) and start_time(int(pid)) == started:
                os.kill(int(pid), signal.SIGKILL)
                left.append(f"{name} ({pid})")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return left
