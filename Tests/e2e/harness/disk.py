"""A small disk of its own: full, read-only or good, as a check wants."""

import pathlib
import shutil
import subprocess

from .check import Check, Failed, Skipped
from .process import Process

SIZE_KILOBYTES = 2048
BLOCK_BYTES = 4096


class Disk:
    """A file system in memory, which only the processes see that are started with `prefix`; others look at `folder`."""

    def __init__(self, check: Check):
        self.check = check
        self.path = check.folder / "disk"
        self.path.mkdir()
        # It lives as long as the process that holds its name space. Root needs no name space of users for that.
        script = f'mount -t tmpfs -o size={SIZE_KILOBYTES}k tmpfs "$0" && touch "$0/.there" && exec sleep 1d'
        holder = None
        for user in ((), ("--user", "--map-root-user")):
            if subprocess.run(["unshare", *user, "--mount", "true"], capture_output=True, timeout=10).returncode == 0:
                holder = Process(check, "disk", ["unshare", *user, "--mount", "bash", "-c", script, str(self.path)])
                break
        if holder is None:
            raise Skipped("no name space for mounts may be made here")
        also = ("--user", "--preserve-credentials") if user else ()
        self._enter = ("nsenter", f"--target={holder.pid}", "--mount", *also)
        self.folder = pathlib.Path(f"/proc/{holder.pid}/root{self.path}")

        def is_there() -> bool:
            if holder.child.poll() is not None:
                raise Skipped(f"no file system may be mounted here: {holder.output()}")
            return (self.folder / ".there").exists()

        check.until(is_there, 10, "the disk is mounted")

    @property
    def prefix(self) -> tuple[str, ...]:
        """Words that make a program's process one that sees the disk."""
        return self._enter

    def fill(self) -> None:
        """To its last block."""
        with open(self.folder / "ballast", "ab", buffering=0) as file:
            for size in (1 << 18, BLOCK_BYTES):
                try:
                    while True:
                        file.write(b"\0" * size)
                except OSError:
                    continue
        if free := shutil.disk_usage(self.folder).free:
            raise Failed(f"the disk is not full: {free} bytes are free")

    def free(self) -> None:
        (self.folder / "ballast").unlink()

    def make(self, how: str) -> None:
        """Mounts it anew as `ro` or `rw`; nothing may have a file open for writing."""
        told = subprocess.run([*self._enter, "mount", "-o", f"remount,{how}", str(self.path)], capture_output=True,
                              text=True, timeout=10)
        if told.returncode != 0:
            raise Failed(f"the disk does not become {how}: {told.stderr}")
