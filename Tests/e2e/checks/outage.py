"""Alertmanager down for minutes, and back: nothing is lost, nothing is left firing, every beginning is right."""

import html
import re
import signal
import time

from harness import servers
from harness.check import Check
from harness.fake_alertmanager import FakeAlertmanager, Sent, seconds, story
from harness.judging import Judge, workload
from harness.monitoring import Receiver, telling_at_once

TIMEOUT_SECONDS = 400
THOROUGH_TIMEOUT_SECONDS = 900
WAITS = True

# One resend, a try with the longest pause, and some for a busy machine.
BACK_SECONDS = 90

RULES = """
groups:
- name: outage
  interval: 2s
  rules:
  - {alert: Gone, expr: redis_up == 0, for: 4s, labels: {severity: critical}}
"""
# What becomes of the server of each workload: broken or mended, at such a share of the outage.
COURSE = {
    "lasting": [],
    "begun": [(0.1, "break")],
    "ended": [(0.25, "mend")],
    "passed": [(0.15, "break"), (0.3, "mend")],
    "anew": [(0.2, "mend"), (0.5, "break")],
    "well": [],
}
BROKEN_BEFORE = {"lasting", "ended", "anew"}
BROKEN_AFTER = {"lasting", "begun", "anew"}
EPISODES = {"well": 0, "anew": 2}
# The daemon does not even live through it.
KILLS_AT = (0.4, 0.7)


class Site:
    """A server for each course, an Alertmanager that goes away, and one that hears everything."""

    def __init__(self, check: Check):
        self.servers = {name: servers.RedisServer(check) for name in COURSE}
        self.receiver, self.recorder = Receiver(check), FakeAlertmanager(check)
        self.alertmanager = telling_at_once(check, self.receiver)
        self.judge = Judge(check, [workload(server, name) for name, server in self.servers.items()], RULES,
                           self.alertmanager.url, self.recorder.url, watchdog=True).start()
        self.judge.await_samples(count=len(COURSE))

    def change(self, name: str, what: str) -> None:
        if what == "mend":
            self.servers[name].restart()
        elif what == "break":
            self.servers[name].process.signal(signal.SIGKILL)
        else:
            self.judge.kill()
            self.judge.start()

    def told(self, name: str) -> list[str]:
        return self.receiver.told(workload=name)

    def held(self) -> dict[str, float]:
        """The beginnings of the alerts that the real Alertmanager takes for firing, by workload."""
        return {one["labels"]["workload"]: seconds(one["startsAt"]) for one in self.alertmanager.alerts()
                if "workload" in one["labels"]}

    def recorded(self, name: str) -> list[Sent]:
        return [one for one in self.recorder.sent() if one.labels.get("workload") == name]

    def beginnings(self, name: str) -> list[float]:
        """Those that the other Alertmanager was told of, each once."""
        return list(dict.fromkeys(one.starts_at for one in self.recorded(name)))


def cut_off(check: Check, site: Site) -> str:
    """Pages, API and the daemon's state say whom alerts do not reach, and since when, which is given back."""
    cut, = site.judge.ask("fleet")["undelivered"]
    check.equal(cut["alertmanager"], site.alertmanager.url, "whom alerts do not reach")
    check.that(cut["waiting"] > 0 and cut["problem"].startswith("connect: "), f"why: {cut}")
    for path in ("/", "/alerts"):
        page = html.unescape(site.judge.process.get(path).text)
        check.that(f"Alerts are not delivered to {site.alertmanager.url}</b> since" in page, f"the banner of {path}")
        banner = re.search(r'<div class="banner.*?</div>', page, re.S)[0]
        check.that(site.recorder.url not in banner, f"who is told is not in the banner of {path}: {banner}")
    check.that(f"alerts are not delivered to {site.alertmanager.url} since" in site.judge.process.get("/health").text,
               "the state of the daemon")
    check.that("reaches" not in str(site.judge.alerts()), "the watchdog claims nothing")
    return cut["failingSince"]


def check_alertmanager_is_away(check: Check) -> None:
    outage_seconds = check.share(150, 600)
    site = Site(check)
    for name in BROKEN_BEFORE:
        site.change(name, "break")
    check.until(lambda: all(site.told(name) == ["firing"] for name in BROKEN_BEFORE), 30, "the first alerts arrive")
    held_before = site.held()
    # In good order: killed, a real one forgets whom it has told, and tells all of it again.
    site.alertmanager.signal(signal.SIGTERM)
    site.alertmanager.wait(10)

    began = time.monotonic()
    steps = [(at, name, what) for name, changes in COURSE.items() for at, what in changes]
    for at, name, what in sorted(steps + [(at, "redline", "kill") for at in KILLS_AT]):
        time.sleep(max(0, began + at * outage_seconds - time.monotonic()))
        site.change(name, what)
    check.until(lambda: "alerts cannot be delivered" in site.judge.process.output(), 90, "the outage is told of")
    check.until(lambda: site.judge.figure("redis_exporter_notifications_queue_length") >= len(BROKEN_AFTER), 90,
                "what is firing waits")
    told = cut_off(check, site)
    time.sleep(max(0, began + outage_seconds - time.monotonic()))
    check.equal(told, cut_off(check, site), "since when the outage lasts")
    check.equal(site.judge.process.output().count("alerts cannot be delivered"), 1, "how often the outage is told of")
    site.alertmanager.restart()

    check.until(lambda: set(site.held()) == BROKEN_AFTER, BACK_SECONDS, "what is broken is held for firing, and no more")
    check.until(lambda: site.told("ended") == ["firing", "resolved"] and site.told("begun") == ["firing"], BACK_SECONDS,
                "the end arrives, and what began meanwhile")
    check.until(lambda: "alerts are delivered again" in site.judge.process.output(), 30, "its end is told of, too")
    check.equal(site.judge.ask("fleet")["undelivered"], [], "that it is over")
    check.that(all('class="banner' not in site.judge.process.get(path).text for path in ("/", "/alerts")), "no banner is left")
    check.equal(site.judge.process.get("/health").text.strip(), "ok", "the state of the daemon")
    page = html.unescape(site.judge.process.get("/notifications?alert=Gone").text)
    rows = site.judge.ask("notifications?alert=Gone")["notifications"]
    for one in rows:
        check.that(f"workload={one['labels']['workload']}" in page and one["alertmanager"] in page, f"{one} is on the page")
    # However often it was tried, and however often the daemon began again.
    untold = sorted(one["labels"]["workload"] for one in rows if one["outcome"] != "accepted")
    check.equal(untold, ["anew", "anew", "begun", "ended", "passed"], "who was not told, once for each alert")
    check.equal({one["outcome"] for one in rows}, {"accepted", "not delivered: connect"}, "what became of them")
    check.that(all(one["alertmanager"] == site.alertmanager.url for one in rows if one["outcome"] != "accepted"), "whom")
    check.that(site.alertmanager.url in page and site.recorder.url in page, "both were told")
    # Whatever may still come of what waited.
    time.sleep(10)
    check.equal(set(site.held()), BROKEN_AFTER, "what the Alertmanager takes for firing")
    check.equal([site.told(name) for name in ("lasting", "begun", "ended", "passed", "well")],
                [["firing"], ["firing"], ["firing", "resolved"], [], []], "what people heard")
    for name in COURSE:
        check.equal(len(site.beginnings(name)), EPISODES.get(name, 1), f"beginnings of {name}: {site.beginnings(name)}")
    check.equal(site.held(), {name: site.beginnings(name)[-1] for name in BROKEN_AFTER}, "startsAt")
    check.equal(site.held()["lasting"], held_before["lasting"], "startsAt of what lasted")
    check.equal(site.judge.figure("redis_exporter_notifications_dropped_total"), 0, "alerts that were dropped")
    check.equal(site.judge.figure("redis_exporter_notifications_queue_length"), 0, "alerts that still wait")

    # The other one heard all the while what there was to hear.
    for name in ("lasting", "begun"):
        sent = site.recorded(name)
        check.none(story([one for one in sent if not one.is_firing]), f"ends of {name}")
        for before, after in zip(sent, sent[1:]):
            check.that(after.at < before.ends_at, f"{name} had expired: {story([before, after])}")
