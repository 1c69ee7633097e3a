"""Where things are: the project's folder, the built program and the privately unpacked tools."""

import functools
import os
import pathlib
import subprocess

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


@functools.cache
def kept() -> tuple[pathlib.Path, ...]:
    """Every file that git keeps or would keep; of what is no checkout, every file that no build has made."""
    told = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                          capture_output=True, text=True, timeout=20)
    if told.returncode == 0:
        paths = [ROOT / name for name in told.stdout.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not {".build", ".git"} & set(path.relative_to(ROOT).parts)]
    return tuple(path for path in paths if path.is_file())
