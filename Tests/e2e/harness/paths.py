"""Where things are: the project's folder, the built program and the privately unpacked tools."""

import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]
E2E = ROOT / "Tests" / "e2e"
TOOLS = ROOT / ".build" / "tools" / "bin"
REDLINE = pathlib.Path(os.environ.get("REDLINE_BINARY", ROOT / ".build" / "release" / "redline"))
PEER = pathlib.Path(os.environ.get("PEER_BINARY", TOOLS / "prometheus-redis-exporter"))


def tool(name: str) -> str:
    """The path of an unpacked program; `Tests/run` unpacks them."""
    path = TOOLS / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: Tests/run unpacks it")
    return str(path)


def rows(path: pathlib.Path) -> list[list[str]]:
    """The rows of a checked-in TSV file, without its comments and empty lines."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line.strip() and not line.startswith("#")]
