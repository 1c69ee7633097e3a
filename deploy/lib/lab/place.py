"""The lab's folder: its lock, its ports, its secrets, its nodes and the faults that are on."""

import contextlib
import fcntl
import os
import pathlib
import random
import secrets
import shutil
import socket
import time

from .node import Node
from .process import Daemon
from .terminal import Refused, say

MEMBERS = {"cache": 6, "sessions": 3, "sentinel": 3, "queues": 3}
SPARES = {"cache": 2, "sessions": 2, "sentinel": 0, "queues": 2}
PROTECTED = ("sessions",)


class Place:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        self.nodes_folder = folder / "nodes"
        self.ports_file = folder / "ports"
        self.faults_folder = folder / "faults"
        self.watch_file = folder / "redline.yml"
        self.traffic = Daemon(folder / "processes" / "traffic")
        self.traffic_report = folder / "traffic.json"

    @contextlib.contextmanager
    def locked(self, seconds: float = 90):
        """One command at a time changes the lab."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w") as file:
            deadline = time.monotonic() + seconds
            waiting = False
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Refused(f"another deploy/lab command has been at work for {seconds:g} s") from None
                    if not waiting:
                        say("    waiting for another deploy/lab command")
                    waiting = True
                    time.sleep(0.1)
            yield

    # Nodes

    def node(self, name: str) -> Node:
        workload = name.rpartition("-")[0]
        port, bus = self.ports()[name]
        return Node(name, workload, port, bus, self.nodes_folder / name, Daemon(self.folder / "processes" / name),
                    self.password(workload) if workload in PROTECTED else None)

    def nodes(self, workload: str | None = None) -> list[Node]:
        """The members: a node is one from when its folder is made until it is removed."""
        if not self.nodes_folder.exists():
            return []
        names = [name for name in self.ports() if (self.nodes_folder / name).exists()]
        return [self.node(name) for name in names if workload in (None, name.rpartition("-")[0])]

    def member(self, name: str) -> Node:
        for node in self.nodes():
            if node.name == name:
                return node
        names = " ".join(node.name for node in self.nodes())
        raise Refused(f"no node is called {name}; there are {names}" if names else "the lab is not up: deploy/lab up")

    def first_members(self) -> list[str]:
        return [f"{workload}-{index}" for workload, count in MEMBERS.items() for index in range(1, count + 1)]

    def spare(self, workload: str) -> str:
        """The first name of `workload` that no member has."""
        members = {node.name for node in self.nodes(workload)}
        for index in range(1, MEMBERS[workload] + SPARES[workload] + 1):
            if f"{workload}-{index}" not in members:
                return f"{workload}-{index}"
        raise Refused(f"{workload} has all the {len(members)} nodes that the lab has ports for")

    def daemons(self) -> list[Daemon]:
        """Everything that was ever started here and recorded, traffic and former members included."""
        folder = self.folder / "processes"
        return [Daemon(record) for record in sorted(folder.iterdir())] if folder.exists() else []

    # Ports

    def ports(self) -> dict[str, tuple[int, int]]:
        """Port and cluster bus port (0 for none) by name."""
        if not self.ports_file.exists():
            return {}
        rows = [line.split() for line in self.ports_file.read_text().splitlines()]
        return {name: (int(port), int(bus)) for name, port, bus in rows}

    def settle_ports(self) -> None:
        """Ports are chosen once and kept. When nothing runs and a stranger has taken one, all are chosen again."""
        known = self.ports()
        if known:
            running = any(node.daemon.pid for node in self.nodes())
            taken = [port for pair in known.values() for port in pair if port and is_taken(port)]
            if running or not taken:
                return
            say(f"    port {taken[0]} is taken by another program: choosing other ports")
            self.clear()
        for _ in range(100):
            table = port_table(random.randrange(200, 298) * 100)
            if not any(is_taken(port) for pair in table.values() for port in pair if port):
                break
        else:
            raise Refused("found no free block of loopback ports")
        lines = [f"{name} {port} {bus}\n" for name, (port, bus) in table.items()]
        write_whole(self.ports_file, "".join(lines))

    # Secrets

    def password_file(self, workload: str) -> pathlib.Path:
        return self.folder / "secrets" / workload

    def password(self, workload: str) -> str:
        path = self.password_file(workload)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, secrets.token_hex(16) + "\n")
        return path.read_text().strip()

    # Faults that traffic acts on

    def set_fault(self, name: str) -> None:
        self.faults_folder.mkdir(parents=True, exist_ok=True)
        (self.faults_folder / name).touch()

    def clear_faults(self, *prefixes: str) -> None:
        for name in self.faults():
            if name.startswith(prefixes):
                (self.faults_folder / name).unlink(missing_ok=True)

    def faults(self) -> list[str]:
        return sorted(os.listdir(self.faults_folder)) if self.faults_folder.exists() else []

    def clear(self) -> None:
        """Removes everything but the remembered ports and the held lock."""
        for entry in self.folder.iterdir() if self.folder.exists() else []:
            if entry.name in ("ports", "lock"):
                continue
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def port_table(base: int) -> dict[str, tuple[int, int]]:
    """A hundred ports that read well: base + 1 is cache-1, + 31 is sessions-1, + 51 is sentinel-1, + 61 is queues-1."""
    offsets = {"cache": 0, "sessions": 30, "sentinel": 50, "queues": 60}
    table = {}
    for workload, offset in offsets.items():
        for index in range(1, MEMBERS[workload] + SPARES[workload] + 1):
            port = base + offset + index
            table[f"{workload}-{index}"] = (port, port + 10 if workload == "cache" else 0)
    return table


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def write_whole(path: pathlib.Path, text: str) -> None:
    """Readable by this user alone, and never seen half written."""
    new = path.with_name(path.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    new.rename(path)
