"""The dashboards of deploy/grafana, and what Grafana asks of a data source to draw them."""

import dataclasses
import json
import math
import pathlib
import re
import time
import urllib.parse

from . import http
from .check import Failed
from .paths import ROOT

FOLDER = ROOT / "deploy" / "grafana" / "dashboards"


@dataclasses.dataclass(frozen=True)
class Source:
    """A data source of Grafana's kind prometheus: Prometheus itself, or whoever speaks its API at that port.

    `interval` is what $__rate_interval becomes, `range` what $__range does, in seconds.
    """

    port: int
    interval: int = 20
    range: int = 40
    step: int = 2

    def asks(self, path: str, **parameters) -> list | dict:
        response = http.get(self.port, f"/api/v1/{path}?" + urllib.parse.urlencode(parameters, doseq=True))
        try:
            answer = json.loads(response.text)
        except ValueError:
            raise Failed(f"{path} {parameters}: {response.status} {response.text[:300]}") from None
        if answer.get("status") != "success":
            raise Failed(f"{path} {parameters}: {answer.get('error')}")
        return answer["data"]

    def label_values(self, label: str, matcher: str) -> list[str]:
        return self.asks(f"label/{label}/values", **{"match[]": matcher})

    def series(self, expression: str, is_instant: bool) -> list[tuple[dict[str, str], list[float]]]:
        """The labels and numbers of each series; what is not a number is not drawn."""
        now = time.time()
        if is_instant:
            data = self.asks("query", query=expression, time=f"{now:.3f}")
        else:
            data = self.asks("query_range", query=expression, start=f"{now - self.range:.3f}", end=f"{now:.3f}",
                             step=self.step)
        found = []
        for series in data["result"]:
            samples = [series["value"]] if is_instant else series["values"]
            numbers = [float(value) for _, value in samples]
            found.append((series["metric"], [number for number in numbers if not math.isnan(number)]))
        return [(labels, numbers) for labels, numbers in found if numbers]


@dataclasses.dataclass(frozen=True)
class Panel:
    dashboard: str
    content: dict

    @property
    def name(self) -> str:
        return f"{self.dashboard}: {self.content.get('title')}"

    @property
    def targets(self) -> list[dict]:
        return self.content["targets"]


class Dashboard:
    def __init__(self, path: pathlib.Path):
        self.path = path
        self.content = json.loads(path.read_text(encoding="utf-8"))
        self.uid: str = self.content["uid"]
        self.panels = [Panel(self.uid, panel) for panel in self.content["panels"] if panel["type"] != "row"]
        self.annotations: list[dict] = self.content["annotations"]["list"]

    def panel(self, title: str) -> Panel:
        return next(panel for panel in self.panels if panel.content["title"] == title)

    def variables(self, source: Source, job: str) -> dict[str, str]:
        """Each variable as Grafana writes it into a query: all values of those that take many, else one."""
        values = {"__rate_interval": f"{source.interval}s", "__interval": f"{source.step}s",
                  "__range": f"{source.range}s"}
        for variable in self.content["templating"]["list"]:
            if variable["type"] != "query":
                continue
            query = expanded(variable["query"]["query"], values)
            matcher, label = re.fullmatch(r"label_values\((.+), (\w+)\)", query).groups()
            found = source.label_values(label, matcher)
            if variable["multi"]:
                if not found:
                    raise Failed(f"{self.uid}: ${variable['name']} has no value")
                values[variable["name"]] = "(" + "|".join(map(re.escape, found)) + ")"
            else:
                if job not in found:
                    raise Failed(f"{self.uid}: ${variable['name']} offers {found}")
                values[variable["name"]] = job
        return values


def expanded(text: str, values: dict[str, str]) -> str:
    """A query with its variables replaced; one that has no value stays, for the data source to refuse."""
    return re.sub(r"\$(\w+)", lambda found: values.get(found[1], found[0]), text)


def dashboards() -> list[Dashboard]:
    return [Dashboard(path) for path in sorted(FOLDER.glob("*.json"))]


def named(uid: str) -> Dashboard:
    return Dashboard(FOLDER / f"{uid}.json")
