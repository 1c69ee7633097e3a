"""Kill -9 of the daemon at random moments, while alerts are pending and while they fire: nobody notices.

The moments come as a Poisson process does, so that none of them is likelier than another: in the middle of a start, of
an evaluation, of a write, of a request.
"""

import random
import signal
import time

from harness import servers
from harness.check import Check, Ended
from harness.fake_alertmanager import FakeAlertmanager, Sent, seconds, story
from harness.judging import Judge, workload
from harness.monitoring import Receiver, telling_at_once

TIMEOUT_SECONDS = 240
THOROUGH_TIMEOUT_SECONDS = 600
WAITS = True

MEAN_LIFE_SECONDS = 1.4
SEED = 20261128
# A life must last for more than three seconds for every rule to be evaluated in it, and most do not.
LATE_SECONDS = 60

RULES = """
groups:
- name: events
  interval: 2s
  rules:
  - {{alert: Gone, expr: redis_up == 0, for: {Gone}s}}
  - {{alert: GoneLong, expr: redis_up == 0, for: {GoneLong}s}}
- name: polls
  interval: 2s
  rules:
  - {{record: "carts:keys:sum", expr: sum by (workload) (redis_db_keys)}}
  - {{alert: Keys, expr: "redis_db_keys{{db='db0'}} > 10", for: {Keys}s}}
  - {{alert: KeysRecorded, expr: "carts:keys:sum > 10", for: {KeysRecorded}s, keep_firing_for: 5s}}
  - {{alert: KeysOfLate, expr: "max_over_time(carts:keys:sum[20s]) > 10"}}
"""


class Watcher:
    """What was seen of the alerts' beginnings, from life to life."""

    def __init__(self):
        self.active_at: dict[str, set[str]] = {}
        self.pending_kills = self.firing_kills = 0

    def look(self, judge: Judge) -> None:
        """A daemon that is not that far yet shows nothing."""
        try:
            alerts = judge.alerts()
        except (OSError, Ended):
            return
        for alert in alerts:
            self.active_at.setdefault(alert["labels"]["alertname"], set()).add(alert["activeAt"])
        states = {alert["state"] for alert in alerts}
        self.pending_kills += "pending" in states
        self.firing_kills += "firing" in states


def check_kills_change_nothing(check: Check) -> None:
    kills = check.share(25, 100)
    waits = {"Gone": 2, "GoneLong": check.share(30, 120), "Keys": check.share(8, 20),
             "KeysRecorded": check.share(20, 70), "KeysOfLate": 0}
    chance = random.Random(SEED)

    def slow(handler) -> None:
        # So that some kills come in the middle of a request.
        time.sleep(chance.uniform(0, 0.2))
        handler.reply(200)

    gone, full = servers.RedisServer(check), servers.RedisServer(check)
    recorder, receiver = FakeAlertmanager(check, slow), Receiver(check)
    alertmanager = telling_at_once(check, receiver)
    judge = Judge(check, [workload(gone, "gone"), workload(full)], RULES.format(**waits), recorder.url, alertmanager.url,
                  resend="20s").start()
    judge.await_samples(count=2)
    gone.process.signal(signal.SIGKILL)
    with full.client() as client:
        client("MSET", *(word for number in range(20) for word in (f"key:{number}", "v")))
    check.until(lambda: {name for name, _ in judge.states()} == set(waits), 20, "all alerts are on their way")
    watcher = Watcher()
    watcher.look(judge)
    for _ in range(kills):
        time.sleep(chance.expovariate(1 / MEAN_LIFE_SECONDS))
        watcher.look(judge)
        judge.kill()
        judge.start(wait=False)
    check.until(lambda: judge.states() and all(state == "firing" for _, state in judge.states()), 60,
                "all alerts fire after the last start")
    check.until(lambda: all(recorder.sent(name) and receiver.told(alertname=name) for name in waits), 60,
                "all alerts arrive")
    check.that(watcher.pending_kills > kills * 0.15 and watcher.firing_kills > kills * 0.3,
               f"kills of pending alerts: {watcher.pending_kills}, of firing ones: {watcher.firing_kills}")
    held = recorder.sent()
    for name, wait_seconds in waits.items():
        beginnings = watcher.active_at[name]
        check.equal(len(beginnings), 1, f"beginnings of {name} that the daemon named, which are {beginnings}")
        one_episode(check, name, wait_seconds, [one for one in held if one.name == name], judge)
        check.equal(receiver.told(alertname=name), ["firing"], f"what people heard of {name}")

    ended = time.time()
    gone.restart()
    with full.client() as client:
        client("FLUSHALL")
    for name in waits:
        check.until(lambda: receiver.told(alertname=name) == ["firing", "resolved"], 60, f"the end of {name} arrives")
        sent = recorder.sent(name)
        check.equal(len({one.starts_at for one in sent}), 1, f"startsAt of {name} to its end: {story(sent)}")
        check.none(story([one for one in sent if not one.is_firing and one.at < ended]), f"ends of {name} too early")
    check.equal(alertmanager.alerts(), [], "alerts that are left")


def one_episode(check: Check, name: str, wait_seconds: float, sent: list[Sent], judge: Judge) -> None:
    """While the fault holds: one beginning, when it was due, and never an end, neither told nor by expiry."""
    check.equal({one.starts_at for one in sent}, {sent[0].starts_at}, f"startsAt of {name}: {story(sent)}")
    check.none(story([one for one in sent if not one.is_firing]), f"ends of {name} that were told while it held")
    for before, after in zip(sent, sent[1:]):
        check.that(after.at < before.ends_at, f"{name} had expired when it was told of again: {story([before, after])}")
    began = next(seconds(alert["activeAt"]) for alert in judge.alerts() if alert["labels"]["alertname"] == name)
    waited = sent[0].starts_at - began
    check.that(wait_seconds <= waited < wait_seconds + LATE_SECONDS, f"{name} fired {waited:.1f} s after its beginning")

