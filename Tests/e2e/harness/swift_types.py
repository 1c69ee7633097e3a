"""How large the types of Swift sources are: lines over all their files, and stored properties.

A type's lines are those of its declaration and of all its extensions in its module, without the types nested in them, which
count for themselves. `python3 Tests/e2e/harness/swift_types.py [TREE]` prints the figures of a tree.
"""

import collections
import dataclasses
import pathlib
import re
import statistics
import sys

DECLARATION = re.compile(r"(?<![\w.`])(struct|class|enum|actor|protocol|extension)\s+(`?[A-Za-z_][\w.]*`?)")
PROPERTY = re.compile(r"(?<![\w.`])(let|var)\s+(?=[`A-Za-z_(])")
OPENING = re.compile(r'//|/\*|#*"')
STRING = re.compile(r'#*"')


@dataclasses.dataclass
class Part:
    """One declaration or extension in one file."""
    name: str
    kind: str
    lines: int
    stored: int


@dataclasses.dataclass
class Size:
    lines: int = 0
    stored: int = 0
    files: int = 0


def masked(text: str) -> str:
    """The text with comments and strings made blank, newlines kept: each place stays where it is."""
    out, place = [], 0
    while (opening := OPENING.search(text, place)) is not None:
        if opening[0] == "//":
            end = text.find("\n", opening.end())
            end = len(text) if end < 0 else end
        elif opening[0] == "/*":
            end = _comment_end(text, opening.start())
        else:
            end = _string_end(text, opening.start(), len(opening[0]) - 1)
        out += [text[place:opening.start()], re.sub(r"[^\n]", " ", text[opening.start():end])]
        place = end
    return "".join(out) + text[place:]


def _comment_end(text: str, start: int) -> int:
    """Comments nest."""
    depth = 0
    for mark in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if depth == 0:
            return mark.end()
    return len(text)


def _string_end(text: str, start: int, hashes: int) -> int:
    place = start + hashes
    quotes = '"""' if text.startswith('"""', place) else '"'
    place += len(quotes)
    closing, escape = quotes + "#" * hashes, "\\" + "#" * hashes
    while place < len(text):
        if text.startswith(escape + "(", place):
            place = _interpolation_end(text, place + len(escape))
        elif text.startswith(escape, place):
            place += len(escape) + 1
        elif text.startswith(closing, place):
            return place + len(closing)
        elif quotes == '"' and text[place] == "\n":
            return place
        else:
            place += 1
    return len(text)


def _interpolation_end(text: str, start: int) -> int:
    depth, place = 0, start
    while place < len(text):
        if (opening := STRING.match(text, place)) is not None:
            place = _string_end(text, place, len(opening[0]) - 1)
            continue
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        place += 1
        if depth == 0:
            break
    return place


def _block_end(code: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`."""
    depth = 0
    for place in range(start, len(code)):
        depth += 1 if code[place] in "([{" else -1 if code[place] in ")]}" else 0
        if depth == 0:
            return place + 1
    return len(code)


def _levels(code: str, start: int, end: int) -> list[int]:
    """How deep in brackets each place lies, from 0 at the start."""
    depth, levels = 0, []
    for char in code[start:end]:
        if char in ")]}":
            depth -= 1
        levels.append(depth)
        if char in "([{":
            depth += 1
    return levels


def parts(text: str) -> list[Part]:
    code = masked(text)
    found: list[Part] = []

    def walk(start: int, end: int, outer: str) -> int:
        """Adds the types from `start` to `end`; returns their lines."""
        lines, place = 0, start
        while (match := DECLARATION.search(code, place, end)) is not None:
            brace = code.find("{", match.end(), end)
            if brace < 0:
                break
            if match[1] == "class" and match[2] in ("func", "var", "let"):
                place = match.end()
                continue
            close = _block_end(code, brace)
            name = match[2].strip("`")
            name = f"{outer}.{name}" if outer else name
            part = Part(name, match[1], code.count("\n", match.start(), close) + 1, 0)
            found.append(part)
            nested = walk(brace + 1, close - 1, name)
            lines += part.lines
            part.lines -= nested
            if match[1] in ("struct", "class", "actor"):
                part.stored = _stored(code, brace + 1, close - 1)
            place = close
        return lines

    walk(0, len(code), "")
    return found


def _stored(code: str, start: int, end: int) -> int:
    levels, count = _levels(code, start, end), 0
    for match in PROPERTY.finditer(code, start, end):
        if levels[match.start() - start] != 0:
            continue
        before = code[max(code.rfind("\n", start, match.start()), start - 1) + 1:match.start()]
        if re.search(r"\b(?:static|class|case)\b", before):
            continue
        count += _names(code, match.end(), end) if not _is_computed(code, match.end(), end) else 0
    return count


def _statement(code: str, start: int, end: int):
    """Places of a declaration at its own level, with what is there, up to the brace or the line that ends it."""
    depth = 0
    for place in range(start, end):
        char = code[place]
        if char in ")]}":
            depth -= 1
        if depth == 0:
            if char == "\n" and not re.match(r"\s*[=.?:&|+-]|\s*\{", code[place:place + 200]) \
                    and not re.search(r"[,=:&|+(-]\s*$", code[start:place]):
                return
            yield place, char
            if char == "{":
                return
        if char in "([{":
            depth += 1


def _is_computed(code: str, start: int, end: int) -> bool:
    for place, char in _statement(code, start, end):
        if char == "=" and code[place + 1] != "=":
            return False
        if char == "{":
            return re.match(r"\{\s*(?:willSet|didSet)\b", code[place:place + 400]) is None
    return False


def _names(code: str, start: int, end: int) -> int:
    """`let a, b: Int` are two, and so are `let (a, b) = …`."""
    if code[start] == "(":
        return code[start:_block_end(code, start)].count(",") + 1
    count = 1
    angle = 0
    for place, char in _statement(code, start, end):
        angle += {"<": 1, ">": 0 if code[place - 1] == "-" else -1}.get(char, 0)
        if char == "," and angle == 0:
            count += 1
    return count


def sizes(files: dict[str, str]) -> dict[str, Size]:
    """Of each type, by module and name. `files` are texts by their paths below the folder of the modules."""
    total: dict[str, Size] = collections.defaultdict(Size)
    for path, text in files.items():
        seen = set()
        for part in parts(text):
            size = total[f"{path.split('/')[0]}.{part.name}"]
            size.lines += part.lines
            size.stored += part.stored
            size.files += part.name not in seen
            seen.add(part.name)
    return dict(total)


def main() -> None:
    sources = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "Sources"
    files = {str(path.relative_to(sources)): path.read_text(encoding="utf-8") for path in sorted(sources.rglob("*.swift"))}
    counts = [text.count("\n") for text in files.values()]
    found = sizes(files)
    long = {name: size for name, size in found.items() if size.lines > 400}
    name, most = max(found.items(), key=lambda item: item[1].stored)
    print(f"{sum(counts)} lines in {len(counts)} files, the median {statistics.median(counts):g}, the longest {max(counts)}")
    print(f"{len(found)} types, {len(long)} of more than 400 lines")
    for key, size in sorted(long.items(), key=lambda item: -item[1].lines):
        print(f"  {key}: {size.lines} lines in {size.files} files")
    print(f"most stored properties: {name}, {most.stored}; above 15:")
    for key, size in sorted(found.items(), key=lambda item: -item[1].stored):
        if size.stored > 15:
            print(f"  {key}: {size.stored}")


if __name__ == "__main__":
    main()
