"""A redline that judges by rules, started again and again with what it keeps, and what it says of its alerts."""

import json
import pathlib
import signal

from . import exporters
from .check import Check
from .exporters import Exporter
from .servers import RedisServer

# Checks wait for what takes a team's redline longer.
HASTY = "interval: 1s, scrape_interval: 1s"


def workload(server: RedisServer, name: str = "carts", kind: str = "cache") -> str:
    """An entry of `workloads` in flow style."""
    return f"{{name: {name}, kind: {kind}, seeds: ['127.0.0.1:{server.port}']}}"


class Daemon:
    """A configuration and what is kept on disk under it; one process at a time runs by them.

    `prefix` are words of a program that becomes redline.
    """

    def __init__(self, check: Check, config: pathlib.Path, *flags: str, storage: str | None = None,
                 prefix: tuple[str, ...] = (), environment: dict[str, str] | None = None):
        self.check = check
        self.storage = storage or str(config.with_suffix(".db"))
        self.flags = (f"--config.file={config}", f"--storage.path={self.storage}", *flags)
        self.prefix, self.environment = prefix, environment
        self.process: Exporter = None

    def start(self, wait: bool = True) -> "Daemon":
        self.process = exporters.redline(self.check, None, *self.flags, environment=self.environment, wait=wait,
                                         prefix=self.prefix)
        return self

    def kill(self) -> None:
        self.process.signal(signal.SIGKILL)
        self.process.wait(5)

    def ask(self, path: str):
        """The data of an answer of the HTTP API."""
        return json.loads(self.process.get(f"/api/v1/{path}", seconds=5).text)["data"]

    def await_samples(self, query: str = "redis_up", count: int = 1) -> None:
        """Until it judges by this many series."""
        self.check.until(lambda: len(self.ask(f"query?query={query}")["result"]) >= count, 15, f"{query} is judged by")

    def alerts(self) -> list[dict]:
        return self.ask("alerts")["alerts"]

    def states(self) -> list[tuple[str, str]]:
        return [(alert["labels"]["alertname"], alert["state"]) for alert in self.alerts()]

    def figure(self, name: str) -> float:
        """A family of its own metrics, summed up."""
        return sum(self.process.page().named(name).values())


class Judge(Daemon):
    """One with rules of the check's own.

    `told` are the URLs of Alertmanagers, `rules` is the text of its rule file, `settings` are more keys of `rules` in
    flow style, `more` is further text of the configuration.
    """

    def __init__(self, check: Check, workloads: list[str], rules: str, *told: str, name: str = "redline",
                 settings: str = HASTY, watchdog: bool = False, resend: str = "1m", more: str = "",
                 flags: tuple[str, ...] = (), storage: str | None = None, prefix: tuple[str, ...] = (),
                 environment: dict[str, str] | None = None):
        self.rules = check.file(f"{name}.rules.yml", rules)
        entries = ", ".join(f"{{url: '{url}'}}" for url in told)
        alerting = f"alerting: {{resend_delay: {resend}, alertmanagers: [{entries}]}}\n" if told else ""
        config = check.file(f"{name}.yml", (
            f"defaults: {{poll_interval: 1s}}\nworkloads: [{', '.join(workloads)}]\n"
            f"rules: {{files: [{self.rules.name}], {settings}, watchdog: {str(watchdog).lower()}}}\n{alerting}{more}"))
        super().__init__(check, config, *flags, storage=storage, prefix=prefix, environment=environment)
