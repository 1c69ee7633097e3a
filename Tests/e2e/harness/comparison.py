"""Compares our page with the peer's: every series of theirs, same labels, same type, same value.

What may differ is written down, each line with its reason, in Tests/e2e/differential:
`self_moving.tsv` (a numeric bound), `drift.tsv` (the peer is old), `deviations.tsv` (ours is meant to differ), `missing.txt`.
"""

import dataclasses
import fnmatch
import math

from .exposition import Page, Series
from .paths import E2E, rows

TABLES = E2E / "differential"


@dataclasses.dataclass
class Bound:
    """How far a series that moves by itself may be from the peer's: absolute + relative * the larger magnitude."""

    series: str
    labels: dict[str, list[str]]
    absolute: float
    relative: float

    @classmethod
    def read(cls, row: list[str]) -> "Bound":
        series, labels, absolute, relative, _reason = row
        pairs = [] if labels == "-" else [pair.split("=", 1) for pair in labels.split(";")]
        return cls(series, {name: values.split(",") for name, values in pairs}, float(absolute), float(relative))

    def covers(self, name: str, labels: dict[str, str]) -> bool:
        return fnmatch.fnmatchcase(name, self.series) and all(
            any(fnmatch.fnmatchcase(labels.get(label, ""), value) for value in values)
            for label, values in self.labels.items())

    def allows(self, ours: float, theirs: float) -> bool:
        return abs(ours - theirs) <= self.absolute + self.relative * max(abs(ours), abs(theirs))


@dataclasses.dataclass
class Difference:
    """One allowed difference: `absent` (ours may lack the series), `type` (ours has the type `detail`),
    `value` (ours may have another value), `labels` (ours may have the labels named in `detail`, comma separated,
    beside the peer's or with other values). `series` is a name, or a whole series with labels; `*` matches."""

    series: str
    kind: str
    detail: str

    @classmethod
    def read(cls, row: list[str]) -> "Difference":
        series, kind, detail, _reason = row
        if kind not in ("absent", "type", "value", "labels"):
            raise ValueError(f"unknown kind of difference: {kind}")
        return cls(series, kind, detail)


class Comparison:
    def __init__(self):
        self.bounds = [Bound.read(row) for row in rows(TABLES / "self_moving.tsv")]
        self.differences = [Difference.read(row) for table in ("drift.tsv", "deviations.tsv")
                            for row in rows(TABLES / table)]
        self.missing = {row[0] for row in rows(TABLES / "missing.txt")}

    def complaints(self, ours: Page, theirs: Page) -> list[str]:
        """What our page lacks or says otherwise, one line each."""
        found = [f"{name} is listed in missing.txt and is present: take it off the list"
                 for name in sorted(self.missing & ours.families.keys())]
        for series, family in theirs.family_of.items():
            if family.name in self.missing:
                continue
            match = self.match(ours, series)
            if match is None:
                if not self.allowed(series[0], "absent", text_of(series)):
                    found.append(f"missing: {text_of(series)}")
                continue
            found += self.type_complaint(ours, theirs, match, series)
            found += self.value_complaint(ours, theirs, match, series)
        return list(dict.fromkeys(found))

    def missing_series(self, ours: Page, theirs: Page) -> list[str]:
        return [line for line in self.complaints(ours, theirs) if line.startswith("missing: ")]

    def allowed(self, name: str, kind: str, text: str = "") -> Difference | None:
        """The line for a series, by its name or by its whole text with labels."""
        return next((d for d in self.differences if d.kind == kind and any(
            fnmatch.fnmatchcase(candidate, d.series) for candidate in (name, text))), None)

    def match(self, ours: Page, series: Series) -> Series | None:
        if series in ours.family_of:
            return series
        other = self.allowed(series[0], "labels")
        if not other:
            return None
        loose = set(other.detail.split(","))

        def key(labels: frozenset) -> frozenset:
            return frozenset(pair for pair in labels if pair[0] not in loose)

        return next((candidate for candidate in ours.family_of
                     if candidate[0] == series[0] and key(candidate[1]) == key(series[1])), None)

    def type_complaint(self, ours: Page, theirs: Page, match: Series, series: Series) -> list[str]:
        mine, other = ours.family_of[match], theirs.family_of[series]
        allowed = self.allowed(other.name, "type")
        if mine.type == other.type or (allowed and allowed.detail == mine.type):
            return []
        return [f"type of {other.name}: {mine.type}, theirs {other.type}"]

    def value_complaint(self, ours: Page, theirs: Page, match: Series, series: Series) -> list[str]:
        mine, other = ours.family_of[match].series[match], theirs.family_of[series].series[series]
        if mine == other or (math.isnan(mine) and math.isnan(other)) or self.allowed(series[0], "value", text_of(series)):
            return []
        labels = dict(series[1])
        if any(bound.covers(series[0], labels) and bound.allows(mine, other) for bound in self.bounds):
            return []
        return [f"value of {text_of(series)}: {mine:g}, theirs {other:g}"]


def text_of(series: Series) -> str:
    labels = ",".join(f"{name}={value!r}" for name, value in sorted(series[1]))
    return f"{series[0]}{{{labels}}}" if labels else series[0]
