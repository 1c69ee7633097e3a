"""Documents in Markdown, taken apart: blocks of code, spans of code, links."""

import dataclasses
import os
import pathlib
import re

from harness.paths import ROOT

# Those that people read; what the program writes about itself is compared with the program instead.
HANDWRITTEN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "deploy" / "README.md",
               *sorted((ROOT / "deploy" / "docs").glob("*.md"))]
GENERATED = sorted((ROOT / "deploy" / "docs" / "reference").glob("*.md"))

# Programs that are no files of the project; a span or line that begins with one, and says more, is a command.
PROGRAMS = set("""
amtool apt apt-get bash cat cp curl docker docker-compose dpkg dpkg-deb git go helm journalctl kill kubectl lintian
make mkdir mv npm openssl pip pip3 podman prometheus promtool python3 redis-cli redis-server redline rm scp sed sh sqlite3
ssh sudo swift swiftc systemctl systemd-analyze systemd-run tar vmalert wget
""".split())


@dataclasses.dataclass(frozen=True)
class Code:
    """A block of code, or a span of it (`language` is then `span`)."""
    document: pathlib.Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def is_drawing(self) -> bool:
        return "──" in self.text

    @property
    def is_yaml(self) -> bool:
        """Whether each line is a key, an entry, a comment or goes on with what stands above it."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        return self.language == "yaml" or all(
            re.match(r"\s*(- .+|[\w-]+:( .*)?|#.*)$", line) or line.startswith(" ") for line in lines)

    def commands(self) -> list[str]:
        """The commands in it, without prompts and comments behind them."""
        if self.language == "span":
            return [" ".join(self.text.split())] if is_command(self.text) else []
        lines = re.sub(r"\\\n\s*", "", self.text).splitlines()
        return [re.sub(r"\s+# .*$", "", line).strip() for line in lines if is_command(line)]


def is_command(text: str) -> bool:
    words = [word for word in text.strip().removeprefix("$ ").split() if not re.match(r"[A-Z_]+=", word)]
    if not words:
        return False
    path = ROOT / words[0]
    if "/" in words[0] and path.is_file() and os.access(path, os.X_OK):
        return True
    name = words[0].rsplit("/", 1)[-1]
    return name in PROGRAMS and len(words) > 1 and not words[0].endswith("/")


def code(document: pathlib.Path) -> list[Code]:
    """Every block and span, in the order of the document."""
    found: list[Code] = []
    lines = document.read_text(encoding="utf-8").splitlines()
    prose: list[tuple[int, str]] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if fence := re.match(r"```(\w*)$", line):
            end = next(at for at in range(number + 1, len(lines)) if lines[at] == "```")
            found.append(Code(document, number + 1, fence[1], "\n".join(lines[number + 1:end])))
            number = end
        elif line.startswith("    ") and (number == 0 or not lines[number - 1].strip()):
            end = number
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            text = "\n".join(each[4:] for each in lines[number:end]).rstrip()
            found.append(Code(document, number + 1, "", text))
            number = end - 1
        else:
            prose.append((number + 1, line))
        number += 1
    text, starts = "", []
    for at, line in prose:
        starts.append((len(text), at))
        text += line + "\n"
    for span in re.finditer(r"`([^`]+)`", text):
        at = max(line for start, line in starts if start <= span.start())
        found.append(Code(document, at, "span", span[1]))
    return sorted(found, key=lambda one: one.line)


def links(document: pathlib.Path) -> list[str]:
    """What links and pictures point to, without addresses elsewhere."""
    targets = re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8"))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(document: pathlib.Path) -> set[str]:
    """Where links may lead within a document: its headings, as GitHub writes them."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
