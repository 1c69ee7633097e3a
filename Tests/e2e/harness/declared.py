"""Servers that run with a redis.conf of Tests/e2e/drift/conf, and that file as redline is to read it."""

import re
import shutil

from .check import Check, Ended
from .paths import E2E, ROOT
from .process import Process
from .resp import Redis, ReplyError
from .versions import USUAL, program

FILES = E2E / "drift" / "conf"
DEBIAN = ROOT / ".build" / "tools" / "root" / "etc" / "redis" / "redis.conf"
# What no test server can have, and redline does not compare.
LEFT_OUT = re.compile(
    r"^\s*(?:loadmodule|user|rename-command|aclfile|requirepass|masterauth|masteruser|primaryauth|primaryuser|daemonize|"
    r"supervised|pidfile|replicaof|dir\s+[\"']?/)", re.IGNORECASE)


def names(server: str) -> list[str]:
    """The files that such a server reads: those of today's Redis, unless the first line says otherwise; Debian's on Debian's."""
    found = []
    for path in sorted(FILES.glob("*.conf")):
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        if server in first if first.startswith("# only on:") else not (first.startswith("# not on:") and server in first):
            found.append(path.stem)
    return found + (["debian"] if server == USUAL else [])


class DeclaredServer:
    """A server on the file's settings, in a folder of its own; its port stands at the end of both files."""

    def __init__(self, check: Check, name: str):
        self.check, self.name, self.port = check, name, check.free_port()
        self.folder = check.folder / "conf" / name
        shutil.copytree(FILES / "parts", self.folder / "parts")
        source = DEBIAN if name == "debian" else FILES / f"{name}.conf"
        lines = [line for line in source.read_bytes().decode().split("\n") if not re.match(r"\s*port\s", line)]
        # A log that nobody may write, and a place where none may stand.
        lines = [re.sub(r"^(logfile) +/.*", r"\1 server.log", line) for line in lines] + [f"port {self.port}", ""]
        self.file = self.folder / "redis.conf"
        # What redline does not compare stays in its file, but for a file that no server here has.
        self.file.write_bytes("\n".join(line for line in lines if not line.startswith("aclfile")).encode())
        own = self.folder / "server.conf"
        own.write_bytes("\n".join(line for line in lines if not LEFT_OUT.match(line)).encode())
        # Where the server is started is where its relative paths begin.
        self.process = Process(check, name, ["env", "-C", str(self.folder), program(check.server), str(own)])

    def answers(self) -> bool:
        if self.process.child.poll() is not None:
            raise Ended(f"the server of {self.name} ended: {self.process.output()[-2000:]}")
        try:
            with self.client() as client:
                return client("PING") == "PONG"
        except (OSError, ReplyError):
            return False

    def client(self) -> Redis:
        return Redis(self.port)

    def workload(self) -> str:
        return (f"  - {{name: {self.name}, kind: custom, topology: static, seeds: ['127.0.0.1:{self.port}'],\n"
                f"     declared: {{redis_conf: '{self.file}'}}}}\n")

    def change(self) -> str | None:
        """Gives one setting of the file another value; its name as redline tells it, or nil where none can be changed."""
        with self.client() as client:
            for name in self._declared():
                found = client("CONFIG", "GET", name)
                for value in self._others(name, found[1].decode() if found else ""):
                    try:
                        client("CONFIG", "SET", name, value)
                    except ReplyError:
                        continue
                    if client("CONFIG", "GET", name) != found:
                        return name
        return None

    def _declared(self) -> list[str]:
        kept = []
        for line in self.file.read_text(encoding="utf-8").splitlines():
            word = line.split()[0].lower() if line.split() else "#"
            if not word.startswith("#") and not LEFT_OUT.match(line) and word not in ("include", "port", "bind", *kept):
                kept.append(word)
        return sorted(kept, key=lambda name: self._others(name, "yes") == ["no"])

    @staticmethod
    def _others(name: str, value: str) -> list[str]:
        """Values that mean something else."""
        known = {
            "save": "77 7", "notify-keyspace-events": "Kx", "loglevel": "debug", "appendfsync": "no",
            "maxmemory-policy": "allkeys-random", "client-output-buffer-limit": "normal 2gb 2gb 1 pubsub 2gb 2gb 5 replica 2gb 2gb 9",
            "latency-tracking-info-percentiles": "12", "oom-score-adj": "absolute", "oom-score-adj-values": "1 2 3",
            "shutdown-on-sigterm": "now", "proc-title-template": "{title} x", "dbfilename": "other.rdb",
            "maxmemory-clients": "7%", "tls-protocols": "TLSv1.2",
        }
        if name in known:
            return [known[name]]
        if value in ("yes", "no"):
            return ["no" if value == "yes" else "yes"]
        return [str(int(value) + 1), str(max(1, int(value) - 1))] if re.fullmatch(r"-?\d+", value) else []


def servers(check: Check) -> list[DeclaredServer]:
    """One for each file, all of them up."""
    started = [DeclaredServer(check, name) for name in names(check.server)]
    for server in started:
        check.until(server.answers, 20, f"the server of {server.name} answers")
    return started
