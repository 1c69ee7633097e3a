"""A copy of the sources to which things are added, built on what the unit tests' build has left."""

import json
import pathlib
import re
import shutil
import subprocess

from .check import Check, Skipped
from .paths import ROOT, kept

DEBUG = ROOT / ".build" / "debug"
PLAN = ROOT / ".build" / "debug.yaml"
# What only SwiftPM's own build has a use for.
SINGLE = {"-emit-dependencies", "-incremental", "-emit-objc-header", "-parseable-output", "-serialize-diagnostics"}
WITH_VALUE = {"-emit-module-path", "-output-file-map", "-index-store-path", "-emit-objc-header-path"}


class Additions:
    """Adds files and lines, and notes which: what an addition costs is what is asked."""

    def __init__(self, check: Check):
        if not PLAN.exists() or not (DEBUG / "redline").exists():
            raise Skipped("the unit tests are not built: run swift build --build-tests")
        self.folder = check.folder / "copy"
        shutil.copytree(ROOT / "Sources", self.folder / "Sources")
        self.files: list[str] = []
        self.lines: list[str] = []
        self._log = check.folder / "build.log"

    def copy_everything(self) -> None:
        """Makes of it a checkout that SwiftPM can build without the network."""
        for path in kept():
            target = self.folder / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        if (ROOT / "Package.resolved").exists():
            shutil.copy2(ROOT / "Package.resolved", self.folder)
        for name in ("checkouts", "repositories", "workspace-state.json"):
            path = ROOT / ".build" / name
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, self.folder / ".build" / name)

    def add_file(self, path: str, text: str) -> None:
        target = self.folder / path
        assert not target.exists(), f"{path} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        self.files.append(path)

    def add_line(self, path: str, before: str, line: str) -> None:
        """Puts a line before the only one that begins with `before`, blanks aside."""
        target = self.folder / path
        lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
        places = [number for number, text in enumerate(lines) if text.strip().startswith(before)]
        assert len(places) == 1, f"{before!r} is at {len(places)} places of {path}"
        indent = lines[places[0]][:len(lines[places[0]]) - len(lines[places[0]].lstrip())]
        lines.insert(places[0], f"{indent}{line}\n")
        target.write_text("".join(lines), encoding="utf-8")
        self.lines.append(path)

    def build(self) -> pathlib.Path:
        """Compiles the modules that were added to, and links them with the others as they are."""
        modules = sorted({path.split("/")[1] for path in self.files + self.lines}, key=self._height)
        output = self.folder / "build"
        objects: list[str] = []
        for module in modules:
            folder = output / module
            folder.mkdir(parents=True)
            self._run([*self._arguments(module, output), "-emit-module-path", str(output / f"{module}.swiftmodule"),
                       *map(str, sorted((self.folder / "Sources" / module).rglob("*.swift")))], folder)
            objects += map(str, folder.glob("*.o"))
        listed = (DEBUG / "redline.product" / "Objects.LinkFileList").read_text().splitlines()
        kept = [path for path in listed if pathlib.Path(path).parent.name.removesuffix(".build") not in modules]
        (output / "objects").write_text("\n".join(kept + objects) + "\n")
        binary = output / "redline"
        link = [f"@{output / 'objects'}" if word.startswith("@") else word for word in command("redline", "exe")]
        link[link.index("-o") + 1] = str(binary)
        self._run(link, output)
        return binary

    @staticmethod
    def _height(module: str) -> int:
        return ("Runtime", "Metrics", "Transport", "Redis", "Config", "HTTPClient", "Storage", "PromQL",
                "Fleet", "Alerting", "Web", "API", "redline").index(module)

    def _arguments(self, module: str, output: pathlib.Path) -> list[str]:
        words = iter(command(module, "module"))
        found = [next(words), "-I", str(output)]
        for word in words:
            if word in WITH_VALUE:
                next(words)
            elif word not in SINGLE and not word.startswith("@") and not word.endswith(".swift"):
                found.append(word)
        return found

    def _run(self, words: list[str], folder: pathlib.Path) -> None:
        with open(self._log, "a", encoding="utf-8") as log:
            ended = subprocess.run(words, cwd=folder, stdout=log, stderr=subprocess.STDOUT, timeout=500)
        errors = [line for line in self._log.read_text(errors="replace").splitlines() if "error:" in line]
        assert ended.returncode == 0, "the copy does not build:\n" + "\n".join(errors[:20])


def command(name: str, kind: str) -> list[str]:
    """The words of the command that makes a module or the program in SwiftPM's plan of the debug build."""
    plan = PLAN.read_text(encoding="utf-8")
    found = re.search(rf'^  "C\.{name}-[^"]*\.{kind}":\n(?:    .*\n)*?    args: (\[.*\])$', plan, re.MULTILINE)
    assert found, f"{PLAN} has no command for {name}"
    return json.loads(found[1])
