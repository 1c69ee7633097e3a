"""A strict parser of the text format 0.0.4: what it accepts, every Prometheus accepts."""

import dataclasses
import math
import re

from .check import Failed

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*\Z")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
TYPES = {"counter", "gauge", "histogram", "summary", "untyped"}
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "summary": ("_sum", "_count")}
Series = tuple[str, frozenset]


@dataclasses.dataclass
class Family:
    name: str
    type: str = ""
    help: str = ""
    series: dict[Series, float] = dataclasses.field(default_factory=dict)


class Page:
    """Families by name, in the order of the page, and every series with its family.

    `sums` says that every histogram has a sum; one whose server does not tell it has none.
    """

    def __init__(self, text: str, sums: bool = True):
        self.families: dict[str, Family] = {}
        self.family_of: dict[Series, Family] = {}
        self._current: Family | None = None
        if text and not text.endswith("\n"):
            raise Failed("the page does not end with a newline")
        for number, line in enumerate(text[:-1].split("\n"), 1):
            try:
                self._read(line)
            except (Failed, ValueError) as error:
                raise Failed(f"line {number}: {error}: {line[:200]!r}") from None
        for family in self.families.values():
            if family.type == "histogram":
                check_histogram(family, sums)

    def _read(self, line: str) -> None:
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            kind, name, *text = line[2:].split(" ", 2)
            self._declare(kind, name, text[0] if text else "")
        elif line.startswith("#") or not line:
            raise Failed("neither HELP, TYPE nor a sample")
        else:
            self._sample(line)

    def _declare(self, kind: str, name: str, text: str) -> None:
        if not NAME.match(name):
            raise Failed("not a metric name")
        if self._current is None or self._current.name != name:
            if name in self.families:
                raise Failed("the family appears twice")
            self._current = self.families[name] = Family(name)
        if self._current.series:
            raise Failed(f"{kind} after the family's samples")
        if kind == "TYPE":
            if self._current.type or text not in TYPES:
                raise Failed("a second or unknown TYPE")
            self._current.type = text
        else:
            if self._current.help:
                raise Failed("a second HELP")
            self._current.help = text

    def _sample(self, line: str) -> None:
        name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)
        if not name:
            raise Failed("not a metric name")
        labels, position = {}, name.end()
        if line[position:position + 1] == "{":
            labels, position = read_labels(line, position + 1)
        words = line[position:].split(" ")
        if len(words) != 2 or words[0]:
            raise Failed("not one value after one space")
        value = float(words[1].replace("Inf", "inf"))
        family = self._current
        allowed = (family.name, *(family.name + s for s in SUFFIXES.get(family.type, ()))) if family else ()
        if name[0] not in allowed:
            raise Failed("a sample outside its family")
        if not family.type or not family.help:
            raise Failed("a sample without HELP and TYPE")
        series = (name[0], frozenset(labels.items()))
        if series in self.family_of:
            raise Failed("the series appears twice")
        family.series[series] = value
        self.family_of[series] = family

    def value(self, name: str, **labels: str) -> float | None:
        """The value of one series, or nil when the page lacks it."""
        series = (name, frozenset(labels.items()))
        family = self.family_of.get(series)
        return family.series[series] if family else None

    def named(self, name: str) -> dict[frozenset, float]:
        """The series of one family, by labels."""
        family = self.families.get(name)
        return {labels: value for (_, labels), value in family.series.items()} if family else {}


def read_labels(line: str, position: int) -> tuple[dict[str, str], int]:
    labels: dict[str, str] = {}
    while line[position:position + 1] != "}":
        match = LABEL.match(line, position)
        if not match:
            raise Failed("a malformed label")
        if match[1] in labels:
            raise Failed(f"the label {match[1]} appears twice")
        labels[match[1]] = re.sub(r"\\(.)", lambda escape: {"n": "\n"}.get(escape[1], escape[1]), match[2])
        position = match.end()
        if line[position:position + 1] == ",":
            position += 1
        elif line[position:position + 1] != "}":
            raise Failed("a malformed label list")
    return labels, position + 1


def check_histogram(family: Family, sums: bool) -> None:
    """Buckets grow with their edges, end in +Inf, and +Inf equals the count."""
    groups: dict[frozenset, list[tuple[float, float]]] = {}
    for (name, labels), value in family.series.items():
        if name.endswith("_bucket"):
            edge = dict(labels).get("le")
            if edge is None:
                raise Failed(f"{family.name}: a bucket without le")
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            groups.setdefault(rest, []).append((float(edge.replace("Inf", "inf")), value))
    for labels, buckets in groups.items():
        buckets.sort()
        counts = [count for _, count in buckets]
        if buckets[-1][0] != math.inf or counts != sorted(counts):
            raise Failed(f"{family.name}{dict(labels)}: buckets shrink or lack +Inf")
        if family.series.get((family.name + "_count", labels)) != counts[-1]:
            raise Failed(f"{family.name}{dict(labels)}: +Inf differs from the count")
        if sums and (family.name + "_sum", labels) not in family.series:
            raise Failed(f"{family.name}{dict(labels)}: no sum")
