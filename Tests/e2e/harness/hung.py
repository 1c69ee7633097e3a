"""Things that hang: a mount that answers nobody, and single threads that are halted."""

import ctypes
import os
import pathlib
import re

from .check import Check, Skipped

LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207


def hung_folder(check: Check) -> pathlib.Path:
    """A folder in which every file holds whoever looks at it: a FUSE mount that is never served."""
    folder = check.folder / "hung"
    folder.mkdir()
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        raise Skipped(f"/dev/fuse cannot be opened: {error}") from None
    options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()},allow_other".encode()
    if LIBC.mount(b"hung", str(folder).encode(), b"fuse", 0, options) != 0:
        number = ctypes.get_errno()
        os.close(device)
        raise Skipped(f"FUSE cannot be mounted: {os.strerror(number)}")

    def end() -> None:
        LIBC.umount2(str(folder).encode(), MNT_DETACH)
        # Whoever still waits for an answer gets an error now.
        os.close(device)

    check.closing.callback(end)
    return folder


class HaltedThread:
    """A thread of a child that is stopped alone, while the others run on. `name` is a pattern for what /proc calls it."""

    def __init__(self, check: Check, pid: int, name: str):
        self.id = next((int(path.name) for path in pathlib.Path(f"/proc/{pid}/task").iterdir()
                        if re.fullmatch(name, (path / "comm").read_text().strip())), None)
        if self.id is None:
            raise Skipped(f"no thread is called {name}")
        LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        LIBC.ptrace.restype = ctypes.c_long
        for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
            if LIBC.ptrace(request, self.id, None, None) != 0:
                raise Skipped(f"a thread cannot be halted: {os.strerror(ctypes.get_errno())}")
        os.waitpid(self.id, 0x40000000)  # __WALL
        check.closing.callback(self.resume)

    def resume(self) -> None:
        if self.id is not None:
            LIBC.ptrace(PTRACE_DETACH, self.id, None, None)
            self.id = None
