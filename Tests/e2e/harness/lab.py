"""deploy/lab, in the folder of a check."""

import os
import pathlib
import subprocess

from .check import Check, Failed
from .paths import REDLINE, ROOT
from .process import is_alive, start_time
from .resp import Redis

UP_SECONDS = 60
SERVERS = 15


class Lab:
    """A lab in the check's own folder; whatever becomes of the check, it goes down with it."""

    def __init__(self, check: Check):
        self.check = check
        self.folder = check.folder / "lab"
        check.closing.callback(self.run, "down", seconds=20)

    def start(self, *arguments: str) -> subprocess.Popen:
        return subprocess.Popen([str(ROOT / "deploy" / "lab"), *arguments], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                                env=os.environ | {"LAB_DIR": str(self.folder), "LAB_REDLINE": str(REDLINE)})

    def run(self, *arguments: str, seconds: float = 45) -> tuple[int, str]:
        child = self.start(*arguments)
        try:
            text = child.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            raise Failed(f"deploy/lab {' '.join(arguments)} took more than {seconds:g} s: "
                         f"{child.communicate()[0]}") from None
        return child.returncode, text

    def does(self, *arguments: str, seconds: float = 45) -> str:
        code, text = self.run(*arguments, seconds=seconds)
        self.check.equal(code, 0, f"deploy/lab {' '.join(arguments)} exits ({text[-1500:]})")
        return text

    def up(self) -> str:
        text = self.does("up", seconds=UP_SECONDS)
        # Should this check be killed, the runner ends what it finds here.
        with open(self.check.folder / "processes", "a", encoding="utf-8") as file:
            file.writelines(f"{pid} {start_time(pid)} lab\n" for pid in self.pids())
        return text

    def ports(self) -> dict[str, int]:
        rows = [line.split() for line in (self.folder / "ports").read_text().splitlines()]
        return {name: int(port) for name, port, _ in rows if (self.folder / "nodes" / name).exists()}

    def client(self, name: str, seconds: float = 3) -> Redis:
        client = Redis(self.ports()[name], seconds=seconds)
        if name.startswith("sessions"):
            client("AUTH", self.password())
        return client

    def password(self) -> str:
        return (self.folder / "secrets" / "sessions").read_text().strip()

    def ask(self, name: str, *words):
        with self.client(name) as client:
            return client(*words)

    def pids(self) -> set[int]:
        """Every process that works inside the lab's folder, recorded by the lab or not."""
        found = set()
        for entry in pathlib.Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and os.readlink(entry / "cwd").startswith(f"{self.folder}"):
                    found.add(int(entry.name))
            except (FileNotFoundError, PermissionError, ProcessLookupError):
                continue
        return {pid for pid in found if is_alive(pid)}

    def pid_of(self, name: str) -> int:
        return int((self.folder / "processes" / name).read_text().split()[0])

    def master_of_sessions(self) -> str:
        port = int(self.ask("sentinel-1", "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "sessions")[1])
        return next(name for name, own in self.ports().items() if own == port)

    def goes_down(self) -> None:
        ports = self.ports()
        self.does("down")
        self.check.equal(self.pids(), set(), "processes after down")
        self.check.equal(sorted(os.listdir(self.folder)), ["lock", "ports"], "files after down")
        for name, port in ports.items():
            try:
                Redis(port).close()
                raise Failed(f"{name} still listens on {port}")
            except ConnectionRefusedError:
                continue
