"""Debian's packages: whose a library is, and a Debian that has none but those that apt needs."""

import fcntl
import os
import pathlib
import re
import subprocess

from .check import Check, Failed, Skipped
from .paths import ROOT

RELEASE = "bookworm"
MIRROR = "http://deb.debian.org/debian"
# Without these nothing runs.
OF_EVERY_DEBIAN = {"libc6", "libgcc-s1"}
TOOLS = ROOT / ".build" / "tools"
KEPT = TOOLS / f"debian-{RELEASE}.tar"
FETCH_SECONDS = 400


def libraries(program: pathlib.Path) -> dict[str, str]:
    """Where each library is that a program itself loads; what libraries load comes with their packages."""
    dynamic = subprocess.run(["readelf", "--dynamic", str(program)], capture_output=True, text=True, timeout=20).stdout
    needed = re.findall(r"\(NEEDED\).*\[(\S+)\]", dynamic)
    loaded = subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=True, timeout=20).stdout
    paths = dict(re.findall(r"(\S+) => (/\S+)", loaded))
    return {name: paths[name] for name in needed if name in paths}


def owner(path: str) -> str:
    """The Debian package of a file, which is recorded by the one or the other name where folders are merged."""
    for name in (os.path.realpath(path), os.path.realpath(path).removeprefix("/usr")):
        told = subprocess.run(["dpkg", "-S", name], capture_output=True, text=True, timeout=20).stdout
        if told:
            return told.partition(":")[0]
    return f"no package ({path})"


def fresh_root(check: Check) -> pathlib.Path:
    """The folder of a Debian of one's own, made by debootstrap once and kept below .build."""
    if os.geteuid() != 0:
        raise Skipped("only root can make a Debian of its own and change into it")
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / "debian.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not KEPT.exists():
            _make(check)
    root = check.folder / "debian"
    root.mkdir()
    _runs("tar", "--extract", "--numeric-owner", "--file", str(KEPT), "--directory", str(root))
    return root


def _make(check: Check) -> None:
    root = check.folder / "bootstrap"
    _runs("bash", "-c", f'root={ROOT}; source "$root/deploy/lib/say.sh"; source "$root/deploy/lib/packages.sh"; '
          "unpack_packages debootstrap")
    program = TOOLS / "root" / "usr" / "sbin" / "debootstrap"
    told = subprocess.run(
        ["unshare", "--mount", "sh", str(program), "--variant=minbase", RELEASE, str(root), MIRROR], capture_output=True,
        text=True, timeout=FETCH_SECONDS, env=os.environ | {"DEBOOTSTRAP_DIR": str(TOOLS / "root/usr/share/debootstrap")})
    if told.returncode != 0:
        raise Skipped(f"no Debian comes from {MIRROR}: {told.stdout.strip()[-300:]} {told.stderr.strip()[-300:]}")
    # Only a whole one gets the name.
    partial = KEPT.with_suffix(".partial")
    _runs("tar", "--create", "--numeric-owner", "--exclude=./var/cache/apt/archives/*.deb", "--file", str(partial),
          "--directory", str(root), ".")
    partial.rename(KEPT)


def _runs(*command: str) -> None:
    told = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if told.returncode != 0:
        raise Failed(f"{' '.join(command[:3])} exits with {told.returncode}: {(told.stdout + told.stderr)[-1000:]}")
