"""What rules say of a layout: in Redline and in Prometheus, and whether that is true."""

import dataclasses
import json
import pathlib
import re
import statistics
import subprocess

from harness.check import Check
from harness.paths import REDLINE, tool
from harness.process import Process
from precision_layout import STEP_SECONDS
from promql.replay import group_names, quoted

FIRING = 'ALERTS{alertstate="firing"}'
# What began so shortly after a fault was over still tells of it: windows of ten minutes, and waiting.
AFTERMATH_SECONDS = 15 * 60
# Alerts of one name and workload that begin within this time are one notification.
GROUP_SECONDS = 300
PAGES, TICKETS = {"critical", "page", "error"}, {"warning", "ticket"}


@dataclasses.dataclass(frozen=True)
class Laid:
    """Series that were laid out: files by the index of their first evaluation, and how many there are in all."""

    files: list[tuple[int, pathlib.Path]]
    count: int


@dataclasses.dataclass(frozen=True)
class Firing:
    """From when to when an alert fired, in seconds of the layout."""

    labels: tuple[tuple[str, str], ...]
    begin: float
    end: float

    def label(self, name: str) -> str:
        return dict(self.labels).get(name, "")

    @property
    def name(self) -> str:
        return self.label("alertname")

    @property
    def kind(self) -> str:
        """`page`, `ticket`, or nothing for what tells nobody."""
        severity = self.label("severity")
        return "page" if severity in PAGES else "ticket" if severity in TICKETS else ""

    @property
    def subject(self) -> str:
        return f"{self.label('environment')}/{self.label('workload') or self.label('master_name')}"


@dataclasses.dataclass(frozen=True)
class Occasion:
    """When something of the table was on, in seconds of the layout."""

    text: str
    is_fault: bool
    told: tuple[str, ...]
    begin: float
    end: float


@dataclasses.dataclass
class Score:
    """Of one alert: what it said that was false, and after how many seconds it told of which fault."""

    kind: str = ""
    false: list[Firing] = dataclasses.field(default_factory=list)
    told: list[Firing] = dataclasses.field(default_factory=list)
    seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    false_hours: float = 0.0


# The engines


def by_redline(laid: Laid, files: list[pathlib.Path], seconds: float) -> list[Firing]:
    """What fires up to the end of a file and again soon after is one alert: a daemon restores those that fired."""
    found: list[Firing] = []
    for first, series in laid.files:
        edge = first * STEP_SECONDS
        for one in fired(series, edge, files, seconds):
            last = next((each for each in found if each.labels == one.labels and each.end == edge
                         and one.begin - edge <= GROUP_SECONDS), None)
            if last:
                found.remove(last)
                one = dataclasses.replace(one, begin=last.begin)
            found.append(one)
    return found


def fired(series: pathlib.Path, start: int, files: list[pathlib.Path], seconds: float) -> list[Firing]:
    told = subprocess.run(
        [str(REDLINE), "query-series", str(series), f"--start={start}", f"--interval={STEP_SECONDS}",
         f"--step={STEP_SECONDS}", *(f"--rules={file}" for file in files)],
        input=f"{FIRING}\n", capture_output=True, text=True, timeout=seconds)
    if told.returncode != 0:
        raise RuntimeError(f"redline exits with {told.returncode}: {told.stderr[-2000:]}")
    answer = json.loads(told.stdout)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    found = []
    for one in answer["result"]:
        labels = tuple(sorted((name, value) for name, value in one["metric"].items() if name != "__name__"))
        begin = last = None
        for moment, _ in one["values"]:
            if last is not None and moment - last > STEP_SECONDS:
                found.append(Firing(labels, begin, last + STEP_SECONDS))
                begin = None
            begin = moment if begin is None else begin
            last = moment
        if last is not None:
            found.append(Firing(labels, begin, last + STEP_SECONDS))
    return found


BEGINS = f"({FIRING} unless {FIRING} offset {STEP_SECONDS}s)"
ENDS = f'label_replace({FIRING} offset {STEP_SECONDS}s unless {FIRING}, "edge", "end", "", "")'
SAMPLE = re.compile(r"(\{[^}]*\}) [^\s,]+")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def by_prometheus(check: Check, laid: Laid, files: list[pathlib.Path], seconds: float) -> list[Firing]:
    """By the rule engine of Prometheus, as promtool runs it: asked at each evaluation what began and what ended."""
    ((_, series),) = laid.files
    count = laid.count
    path = check.folder / f"{series.stem}.test.yml"
    with open(path, "w", encoding="utf-8") as file:
        file.write("rule_files:\n" + "".join(f"- {one}\n" for one in files))
        file.write(f"evaluation_interval: {STEP_SECONDS}s\ngroup_eval_order: [{', '.join(group_names(files))}]\n")
        file.write(f"tests:\n- interval: {STEP_SECONDS}s\n  input_series:\n")
        with open(series, encoding="utf-8") as lines:
            for line in lines:
                name, _, values = line.rstrip("\n").partition("} ")
                file.write(f"  - series: {quoted(name + '}')}\n    values: '{values}'\n")
        file.write("  promql_expr_test:\n")
        for index in range(count):
            file.write(f"  - {{expr: {quoted(f'{BEGINS} or {ENDS}')}, eval_time: {index * STEP_SECONDS}s}}\n")
    promtool = Process(check, "promtool", [tool("promtool"), "test", "rules", str(path)])
    status, text = promtool.wait(seconds), promtool.output()
    begun: dict[tuple, float] = {}
    found = []
    edges = re.findall(r"^ *expr: .*, time: (\S+?),\n *exp: nil\n *got: (.*)$", text, re.MULTILINE)
    if not edges and status != 0:
        raise RuntimeError(f"promtool exits with {status}: {text[:3000]}")
    for time, got in edges:
        moment = seconds_of(time)
        for sample in SAMPLE.findall(got):
            labels = dict(LABEL.findall(sample))
            labels.pop("__name__", None)
            is_end = labels.pop("edge", None) == "end"
            key = tuple(sorted(labels.items()))
            if not is_end:
                begun.setdefault(key, moment)
            elif key in begun:
                found.append(Firing(key, begun.pop(key), moment))
    return found + [Firing(key, begin, count * STEP_SECONDS) for key, begin in begun.items()]


def seconds_of(duration: str) -> int:
    days, hours, minutes, rest = (int(part or 0) for part in re.fullmatch(
        r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration).groups())
    return days * 86400 + hours * 3600 + minutes * 60 + rest


# What is true of it


def occasion_of(firing: Firing, occasions: list[Occasion]) -> Occasion | None:
    """The newest that had begun."""
    return max((one for one in occasions if one.begin <= firing.begin), key=lambda one: one.begin, default=None)


def scores(firings: list[Firing], occasions: list[Occasion]) -> dict[str, Score]:
    """By the alert's name."""
    found: dict[str, Score] = {}
    for one in sorted(firings, key=lambda one: one.begin):
        if not one.kind:
            continue
        score = found.setdefault(one.name, Score(one.kind))
        if one.kind == "page":
            score.kind = "page"
        cause = occasion_of(one, occasions)
        is_near = cause is not None and one.begin <= cause.end + AFTERMATH_SECONDS
        if is_near and cause.is_fault:
            score.seconds.setdefault(cause.text, one.begin - cause.begin)
        elif is_near and one.name in cause.told:
            score.told.append(one)
        else:
            score.false.append(one)
            score.false_hours += (one.end - one.begin) / 3600
    return found


def notifications(firings: list[Firing]) -> list[Firing]:
    """The first of each group that a person hears of at once."""
    heard: dict[tuple[str, str], float] = {}
    found = []
    for one in sorted(firings, key=lambda one: one.begin):
        key = (one.name, one.subject)
        if one.begin - heard.get(key, -1e9) > GROUP_SECONDS:
            found.append(one)
        heard[key] = one.begin
    return found


@dataclasses.dataclass(frozen=True)
class Figures:
    """What a table says of an alert or of many: `seconds` are those to each fault that was told."""

    pages: int
    tickets: int
    hours: float
    seconds: dict[str, float]

    @classmethod
    def of(cls, scores: list[Score]) -> "Figures":
        heard = notifications([one for score in scores for one in score.false])
        seconds: dict[str, float] = {}
        for score in scores:
            for fault, after in score.seconds.items():
                seconds[fault] = min(after, seconds.get(fault, after))
        pages = sum(one.kind == "page" for one in heard)
        return cls(pages, len(heard) - pages, sum(score.false_hours for score in scores), seconds)

    def cells(self, faults: int) -> list[str]:
        median = f"{statistics.median(self.seconds.values()):.0f}" if self.seconds else ""
        return [f"{self.pages}", f"{self.tickets}", f"{self.hours:.1f}", f"{len(self.seconds)} of {faults}", median]


HEADINGS = ["false pages", "false tickets", "hours of them", "faults told", "seconds to that, median"]


def summary(found: dict[str, dict[str, Score]], faults: int) -> list[list[str]]:
    """A line for each pack."""
    rows = []
    for title, by_alert in found.items():
        whole = Figures.of(list(by_alert.values())).cells(faults)
        paged = Figures.of([score for score in by_alert.values() if score.kind == "page"]).cells(faults)
        rows.append([title, *whole, *paged[3:]])
    return rows


def by_alert(found: list[dict[str, Score]], faults: int) -> list[list[str]]:
    """A line for each alert that said something; where those who judge differ, one beside the other."""
    rows = []
    for name in sorted({name for one in found for name in one}):
        sides = [Figures.of([one.get(name, Score())]).cells(faults) for one in found]
        kind = next(one[name].kind for one in found if name in one)
        rows.append([name, kind, *(" / ".join(cells) if len(set(cells)) > 1 else cells[0] for cells in zip(*sides))])
    return rows


def by_fault(own: dict[str, Score], published: list[dict[str, Score]], faults: list[str]) -> list[list[str]]:
    """A line for each fault: what said it first."""
    def first(packs: list[dict[str, Score]], fault: str, kinds: tuple[str, ...]) -> str:
        said = [(score.seconds[fault], name) for pack in packs for name, score in pack.items()
                if score.kind in kinds and fault in score.seconds]
        return "{1}, {0:.0f} s".format(*min(said)) if said else ""

    return [[fault, first([own], fault, ("page",)), first([own], fault, ("ticket",)),
             first(published, fault, ("page", "ticket"))] for fault in faults]
