"""What is wrong in a fleet, and the pages that Alertmanager made of it with the routes that are shipped."""

import dataclasses

from . import shipped
from .check import Check, Failed
from .monitoring import Receiver


@dataclasses.dataclass(frozen=True)
class Incident:
    """What is wrong with which workload of the lab, and with which of its members where it is about one."""

    alert: str
    workload: str
    instance: str | None = None
    severity: str = "critical"
    master_name: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        own = {"severity": self.severity, "instance": self.instance, "master_name": self.master_name}
        return self.group | {name: value for name, value in own.items() if value}

    @property
    def group(self) -> dict[str, str]:
        return {"alertname": self.alert, "environment": "lab", "workload": self.workload}


class Pages:
    """An Alertmanager with the shipped routes, and what it sent, in its order."""

    def __init__(self, check: Check, name: str = "pages"):
        self.check, self.name = check, name
        self.receiver = Receiver(check)
        self.alertmanager = shipped.alertmanager(check, f"alertmanager-{name}", self.receiver)

    def of(self, incident: Incident) -> list[dict]:
        return [sent for sent in list(self.receiver.notifications) if sent["groupLabels"] == incident.group]

    def statuses(self, incident: Incident) -> list[str]:
        return [sent["status"] for sent in self.of(incident)]

    def is_paged(self, incident: Incident) -> bool:
        return "firing" in self.statuses(incident)

    def is_resolved(self, incident: Incident) -> bool:
        return "resolved" in self.statuses(incident)

    def await_pages(self, seconds: float, *incidents: Incident) -> None:
        self._await(self.is_paged, seconds, incidents, "pages")

    def await_resolution(self, seconds: float, *incidents: Incident) -> None:
        self._await(self.is_resolved, seconds, incidents, "tells the end of")

    def _await(self, is_so, seconds: float, incidents: tuple[Incident, ...], does: str) -> None:
        for incident in incidents:
            try:
                self.check.until(lambda: is_so(incident), seconds, f"{self.name} {does} {incident}")
            except Failed as failed:
                raise Failed(f"{failed}; it has sent {self.story()}") from None

    def are_one_for_each(self, incidents: list[Incident]) -> None:
        """Each incident was told once and ended once, and nothing else was told of."""
        check = self.check
        for incident in incidents:
            check.equal(self.statuses(incident), ["firing", "resolved"], f"{self.name}: what is sent of {incident}")
        for sent in self.receiver.notifications:
            # Failovers are told apart by their epochs, which Sentinels choose.
            check.equal([{name: value for name, value in alert["labels"].items() if name != "epoch"} for alert in sent["alerts"]],
                        [incident.labels for incident in incidents if incident.group == sent["groupLabels"]],
                        f"{self.name}: the alerts of a page, among {self.story()}")
            check.that(all(alert["annotations"]["summary"] for alert in sent["alerts"]), "a page says what it is about")

    def story(self) -> list[str]:
        """Every notification in a line, for a person to read when something is wrong."""
        return [f"{self.name}: {sent['status']} " + "; ".join(
            f"{alert['status']} {sorted(alert['labels'].items())}" for alert in sent["alerts"])
            for sent in list(self.receiver.notifications)]
