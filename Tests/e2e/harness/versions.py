"""The servers that checks run on: Debian's is the usual one, `Tests/lib/servers.py` unpacks the others."""

from .paths import ROOT, tool

USUAL = "redis-7.0"
NEWEST = ("redis-8.2", "valkey-9.1")
ALL = ("redis-6.2", USUAL, "redis-7.4", *NEWEST)


def on_servers(check):
    """Marks a check function that runs on the usual server and on the newest ones, under `--thorough` on all."""
    check.servers = (USUAL, *NEWEST)
    check.thorough_servers = ALL
    return check


def program(server: str) -> str:
    """The path of a server's program, such as that of `redis-8.2`."""
    if server == USUAL:
        return tool("redis-server")
    path = ROOT / ".build" / "tools" / "servers" / server / f"{server.partition('-')[0]}-server"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: Tests/run unpacks it, and with --thorough all servers")
    return str(path)


def library(server: str, name: str) -> str:
    """The path of a module that came with a server."""
    path = ROOT / ".build" / "tools" / "servers" / server / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: Tests/run --thorough unpacks it")
    return str(path)
