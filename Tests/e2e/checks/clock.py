"""The wall clock is set while alerts are pending and firing: `for` goes on, beginnings stay, ends arrive at once."""

import time

from harness import servers
from harness.check import Check
from harness.clock import Clock
from harness.fake_alertmanager import FakeAlertmanager, story
from harness.judging import Judge, workload

WAITS = True
TIMEOUT_SECONDS = 120

RULES = """
groups:
- name: clock
  interval: 1s
  rules:
  - {alert: Quick, expr: redis_up == 0, for: 1s}
  - {alert: Slow, expr: redis_up == 0, for: 20s}
  - {alert: PollsOld, expr: time() - redis_exporter_last_success_timestamp_seconds > 60 unless redis_up == 0, for: 5s}
"""
HOUR = 3600


class Site:
    """A machine with a clock: a redline, and an Alertmanager that reads the same one."""

    def __init__(self, check: Check, resend: str = "5s"):
        self.check = check
        self.clock = Clock(check)
        self.alertmanager = FakeAlertmanager(check)
        self.server, self.other = servers.RedisServer(check), servers.RedisServer(check)
        self.judge = Judge(check, [workload(self.server, "first"), workload(self.other, "second")], RULES,
                           self.alertmanager.url, resend=resend, environment=self.clock.environment).start()
        self.judge.await_samples(count=2)

    def set(self, ahead_seconds: int) -> None:
        self.clock.set(ahead_seconds)
        self.alertmanager.date_offset = ahead_seconds

    def sent(self, name: str, workload: str = "first") -> list:
        return [one for one in self.alertmanager.sent(name) if one.labels["workload"] == workload]

    def began(self, name: str) -> list[str]:
        """When the alerts of this name became active, as the API shows it."""
        return [alert["activeAt"] for alert in self.judge.alerts() if alert["labels"]["alertname"] == name]

    def loses(self, server: servers.RedisServer, workload: str) -> float:
        """Until the Alertmanager has heard of it; when that began, by a clock that nobody sets."""
        began = time.monotonic()
        server.process.child.kill()
        self.check.until(lambda: self.sent("Quick", workload), 15, f"the loss of {workload} arrives", pause=0.05)
        return began

    def ends(self, server: servers.RedisServer, workload: str) -> None:
        """All that was told of the server ends within seconds, by the Alertmanager's own clock."""
        server.restart()
        for name in ("Quick", "Slow"):
            self.check.until(lambda: not self.sent(name, workload)[-1].is_firing, 10,
                             f"the end of {name} is one to the Alertmanager: {story(self.sent(name, workload))}")

    def holds(self, workload: str) -> None:
        """What was told of the server is one episode, that never seemed to be over before its end."""
        for name in ("Quick", "Slow"):
            sent = self.sent(name, workload)
            firing = [one for one in sent if one.is_firing]
            self.check.equal(len({one.starts_at for one in firing}), 1, f"beginnings of {name}: {story(sent)}")
            self.check.equal(sent[:len(firing)], firing, f"{name} ends once: {story(sent)}")
            # Else a real one refuses it.
            self.check.none(story([one for one in sent if one.ends_at < one.starts_at]), "ends before the beginning")
        self.check.equal(story(self.alertmanager.sent("PollsOld")), [], "polls that seem old")


def check_clock_set_back(check: Check) -> None:
    site = Site(check)
    began = site.loses(site.server, "first")
    shown = site.began("Quick")
    site.set(-2 * HOUR)
    check.until(lambda: site.sent("Slow"), 40, "the slow one fires", pause=0.05)
    check.equal(site.began("Quick"), shown, "the beginning of what fires")
    took = time.monotonic() - began
    check.that(19 < took < 26, f"it waited for {took:.1f} s of 20")
    # What begins now, begins now.
    site.loses(site.other, "second")
    late = abs(site.sent("Quick", "second")[0].starts_at - site.alertmanager.now())
    check.that(late < 10, f"what begins after that begins {late:.0f} s away from now")
    check.until(lambda: site.sent("Slow", "second"), 40, "its slow one fires")
    site.ends(site.server, "first")
    site.ends(site.other, "second")
    site.holds("first")
    site.holds("second")


def check_clock_set_back_over_a_restart(check: Check) -> None:
    site = Site(check)
    began = site.loses(site.server, "first")
    site.judge.kill()
    site.set(-2 * HOUR)
    site.judge.start()
    check.until(lambda: site.sent("Slow"), 45, "the slow one fires", pause=0.05)
    took = time.monotonic() - began
    check.that(19 < took < 30, f"it waited for {took:.1f} s of 20")
    site.ends(site.server, "first")
    site.holds("first")


def check_clock_put_forward(check: Check) -> None:
    site = Site(check)
    began = site.loses(site.server, "first")
    site.set(2 * HOUR)
    check.until(lambda: "the clock was set forward" in site.judge.process.output(), 10, "it is told of")
    check.until(lambda: site.sent("Slow"), 40, "the slow one fires", pause=0.05)
    took = time.monotonic() - began
    check.that(19 < took < 26, f"it waited for {took:.1f} s of 20")
    site.ends(site.server, "first")
    site.holds("first")
