"""What a dashboard's table is made of. Everything that Grafana needs besides is in grafana.py.

In queries `$where` stands for the labels that the variables choose, and `$masters` for "of masters only".
"""

import dataclasses

OBJECTIVE = "Objective"


@dataclasses.dataclass(frozen=True)
class Query:
    """PromQL, and the name of its series: text with {{label}} in it."""

    text: str
    legend: str = "{{workload}}"


@dataclasses.dataclass(frozen=True)
class Panel:
    """`unit` is Grafana's name of it. `objective` is a query that is drawn as a dashed red line.

    `red_from` is the value from which a stat or a gauge is red; `kind` is timeseries, stat, state-timeline or table.
    `states` tells the values of a state-timeline: the name of 0, the name of 1, and the colour of 0.
    """

    title: str
    unit: str
    description: str
    queries: tuple[Query, ...]
    runbook: str | None = None
    objective: str | None = None
    red_from: float | None = None
    kind: str = "timeseries"
    states: tuple[str, str, str] | None = None
    low: float | None = None
    high: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclasses.dataclass(frozen=True)
class Dashboard:
    """`workloads` narrows the workloads that its variable offers: a matcher of redis_workload_info."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    workloads: str = ""


def panel(title: str, unit: str, description: str, *queries: Query | tuple[str, str] | str, **rest) -> Panel:
    """A panel; a query is text, or text and legend."""
    made = tuple(query if isinstance(query, Query) else Query(*((query,) if isinstance(query, str) else query))
                 for query in queries)
    return Panel(title, unit, description, made, **rest)


def stat(title: str, unit: str, description: str, query: str, red_from: float | None = None, **rest) -> Panel:
    """One number: what it is now."""
    return panel(title, unit, description, (query, title), kind="stat", red_from=red_from, **rest)
