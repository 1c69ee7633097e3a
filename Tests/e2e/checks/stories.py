"""A night on call: each fault of the lab, as the person sees it on the pages, in the terminal and in what is sent, until it is healed.

One lab, the shipped rules with their long waits cut, a real Alertmanager with the shipped routes, Chromium at a desk and on
a phone.
"""

import dataclasses
import html
import json
import pathlib
import re
import subprocess

from harness import shipped
from harness.browser import Browser
from harness.check import Check
from harness.incidents import Incident, Pages
from harness.judging import HASTY, Daemon
from harness.lab import Lab
from harness.linters import accessibility_script
from harness.paths import REDLINE, ROOT
from harness.shipped import with_replaced

TIMEOUT_SECONDS = 900
THOROUGH_TIMEOUT_SECONDS = 1500
WAITS = True

MEMBERS = 12
HEAL_SECONDS = 75
# How wide and high, and whether it is dark there.
SIZES = {"a desk": (1400, 900, False), "a phone": (390, 844, True)}
EXIT_STATUS = {"healthy": 0, "degraded": 1, "critical": 2, "unknown": 3}

# What stands in the window before anybody scrolls.
VISIBLE = """
(() => { const texts = []; const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) { const range = document.createRange(); range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    if (box.height > 0 && box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth + 1) texts.push(walker.currentNode.textContent); }
  return texts.join(' ').replace(/\\s+/g, ' '); })()
"""
# What axe finds against WCAG 2 A and AA.
FAULTS_OF_ACCESS = """
axe.run(document, {runOnly: ['wcag2a', 'wcag2aa'], resultTypes: ['violations']}).then(found =>
  found.violations.map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => node.html.slice(0, 160)).join(' | ')}`))
"""


# Controls that are smaller than a thumb; links within sentences are as high as their line.
SMALL_TARGETS = """
[...document.querySelectorAll('nav a, summary, button, input')].filter(one => one.offsetParent)
  .map(one => [one.getBoundingClientRect(), one]).filter(([box]) => box.height < 43.5 || box.width < 43.5)
  .map(([box, one]) => `${Math.round(box.width)}x${Math.round(box.height)} ${one.outerHTML.slice(0, 100)}`)
"""


@dataclasses.dataclass(frozen=True)
class Story:
    """What is broken, which alert tells it, and what the person must read."""

    break_: tuple[str, ...]
    incident: Incident
    # How the workload is called then; several where it depends on the moment.
    states: tuple[str, ...]
    # Part of what the alert says.
    says: str
    # Part of what its runbook says to do.
    step: str
    heal: str
    # How long it may take until it is told.
    seconds: float = 60
    # Whether its alert fires for as long as the fault is there.
    lasts: bool = False
    needs_thorough: bool = False


STORIES = (
    Story(("flush", "cache"), Incident("RedisFlushExecuted", "cache"), ("critical",), "FLUSH", "INFO keyspace", "cache"),
    Story(("lag", "queues"), Incident("RedisStreamLagHigh", "queues", severity="warning"), ("degraded", "critical"),
          "orders", "XINFO GROUPS", "queues", 120, lasts=True),
    Story(("deadlock",), Incident("RedisLockWithoutTTL", "sessions"), ("critical",), "never expires", "OBJECT IDLETIME",
          "sessions", lasts=True),
    Story(("circuit",), Incident("RedisCircuitOpen", "sessions", severity="warning"), ("degraded", "critical"), "circuit",
          "circuit", "sessions", lasts=True),
    Story(("kill", "sessions-1"), Incident("RedisFailover", "sessions", master_name="sessions"), ("critical",),
          "has failed over from sessions-1 to", "switch-master", "sessions"),
    Story(("hang", "queues-1"), Incident("RedisDown", "queues", "queues-1"), ("critical",), "queues-1 of queues", "PING",
          "queues", 90),
    Story(("hang", "sentinel-1"), Incident("RedisSentinelMissing", "sessions", severity="warning"), ("degraded",),
          "of 3 Sentinels of sessions answer", "PING", "sentinel-1", 120, needs_thorough=True),
    Story(("kill", "cache-1"), Incident("RedisFailover", "cache"), ("critical",), "from cache-1 to", "CLUSTER NODES", "cache",
          needs_thorough=True),
    Story(("failover", "queues"), Incident("RedisFailover", "queues"), ("critical",), "has failed over", "INFO replication",
          "queues", needs_thorough=True),
)
# What wakes nobody: the workload, and what is done to it. It is seen all the same.
QUIET = {("fill", "cache"): "cache", ("load", "queues-2"): "queues", ("replace", "queues-3"): "queues",
         ("restart", "cache-5"): "cache"}


class Night:
    """The lab, a redline that watches and judges it, and the windows through which somebody looks."""

    def __init__(self, check: Check):
        self.check = check
        self.lab = Lab(check)
        self.lab.up()
        self.pages = Pages(check)
        rules = shipped.rules(check, "alerts")
        # Late sooner; and what is over by itself stays for longer than the slowest machine needs to look at it.
        for name, changes in {
                "streams.yml": {'lag_seconds{workload!=""}) > 60': 'lag_seconds{workload!=""}) > 15', "for: 65s": "for: 5s"},
                "failover.yml": {" < 60\n": " < 120\n"}, "security.yml": {"[30s]) > 0": "[90s]) > 0"}}.items():
            file = rules / name
            file.write_text(with_replaced(file.read_text(encoding="utf-8"), changes), encoding="utf-8")
        config = pathlib.Path(self.lab.does("config").strip()).read_text()
        # A month's allowance is not cut with the waits.
        kinds = {f"    kind: {kind}\n": f"    kind: {kind}\n    objectives: {{ availability: off }}\n"
                 for kind in ("cache", "session", "queue")}
        watch = check.file("redline.yml", with_replaced(
            config, {"  environment: lab\n": "  environment: lab\n  poll_interval: 1s\n"} | kinds)
            + f"rules: {{files: ['{rules}/*.yml'], {HASTY}, runbooks: '{ROOT}/alerts/runbooks'}}\nhistory: {{retention: 1h}}\n"
            + f"alerting: {{alertmanagers: [{{url: '{self.pages.alertmanager.url}'}}]}}\n")
        self.judge = Daemon(check, watch).start()
        self.judge.await_samples("redis_up==1", MEMBERS)
        self.browser = Browser(check)
        self.axe = accessibility_script()
        self.said: dict[Story, str] = {}

    def get(self, path: str) -> str:
        return html.unescape(self.judge.process.get(path).text)

    def terminal(self, *words: str) -> tuple[int, str]:
        ended = subprocess.run([REDLINE, *words, "--url", f"http://127.0.0.1:{self.judge.process.port}"],
                               capture_output=True, text=True, timeout=30)
        return ended.returncode, ended.stdout + ended.stderr

    def firing(self, story: Story) -> list[dict]:
        return [one for one in self.judge.alerts() if one["state"] == "firing"
                and story.incident.group.items() <= one["labels"].items()]

    def look(self, about: str, path: str, *visible: str) -> None:
        """The page fits each window and anybody can use it; what matters stands on the first screen."""
        for size, (width, height, dark) in SIZES.items():
            self.browser.open(f"http://127.0.0.1:{self.judge.process.port}{path}", width, height, dark)
            self.check.equal(self.browser.value("document.documentElement.scrollWidth"), width, f"{about} on {size}: width")
            seen = self.browser.value(VISIBLE)
            self.check.none([text for text in visible if text not in seen], f"{about} on {size}: what is not seen without "
                            f"scrolling, of {seen}")
            name = re.sub(r"\W+", "-", f"{about} {size}")
            self.browser.picture(self.check.folder / f"{name}.png", whole=False)
            self.browser.value(self.axe)
            self.check.equal(self.browser.value(FAULTS_OF_ACCESS), [], f"{about} on {size}: what keeps people out")
        self.check.equal(self.browser.value(SMALL_TARGETS), [], f"{about}: what a thumb misses")

    def is_calm(self) -> bool:
        return self.terminal("status")[0] == 0

    def tell(self, story: Story) -> None:
        """From the fault to what the person reads."""
        check, incident, about = self.check, story.incident, " ".join(story.break_)
        check.until(lambda: self.firing(story), story.seconds, f"{about}: {incident.alert} fires")
        alert, = self.firing(story)[:1]
        self.said[story] = alert["annotations"]["summary"]
        check.that(story.says in self.said[story], f"{about}: what is said: {alert['annotations']}")

        # The terminal: the same sentence, and the exit status for scripts.
        code, words = self.terminal("status", "--workload", incident.workload)
        state = next((state for state, status in EXIT_STATUS.items() if status == code), "none")
        check.that(state in story.states and words.startswith(f"{incident.workload} is {state}"), f"{about}: status: {words}")
        check.that(incident.alert in words, f"{about}: status names the alert: {words}")

        # The pages: the workload, since when, what, and what to do, before anybody scrolls.
        path = f"/workload/{incident.workload}"
        self.look(f"{about}: {path}", path, f"{incident.workload} is {state} for", incident.alert, "since", "What to do")
        alerts = self.get("/alerts")
        check.that(story.says in alerts and f'id="a-{incident.workload}-{incident.alert}"' in alerts, f"{about}: /alerts")
        # The runbook in the terminal: the step, for this very server.
        subject = ("--node", alert["labels"]["instance"]) if "instance" in alert["labels"] else ("--workload", incident.workload)
        code, text = self.terminal("runbook", incident.alert, *subject)
        check.that(code == 0 and story.step in text, f"{about}: redline runbook ({code}): {text}")
        check.that("redis-cli -h 127.0.0.1 -p" in text and "HOST" not in text, f"{about}: it names its targets: {text}")
        check.that(self.lab.password() not in text + words, f"{about}: no password is shown")

        # What is sent: what, and where to read on.
        self.pages.await_pages(60, incident)
        sent = next(one for one in self.pages.of(incident) if one["status"] == "firing")
        told = sent["alerts"][0]["annotations"]
        check.that(story.says in told["summary"], f"{about}: what is sent: {told}")
        runbook = told["runbook_url"].partition("/runbooks/")[2]
        check.that(runbook and self.judge.process.get(f"/runbooks/{runbook}").status == 200, f"{about}: its link: {told}")

    def heal(self, *stories: Story) -> None:
        for place in dict.fromkeys(story.heal for story in stories):
            self.lab.does("heal", place, seconds=HEAL_SECONDS)
        for story in stories:
            self.check.until(lambda: not self.firing(story), 240, f"{' '.join(story.break_)}: {story.incident.alert} ends")
            ended = self.get("/alerts?state=resolved")
            self.check.that(f"<b>{story.incident.alert}</b> {story.incident.workload}" in ended and self.said[story] not in ended,
                            f"{story.incident.alert} has ended, and nothing says that it is so: {ended[-3000:]}")
        self.pages.await_resolution(240, *(story.incident for story in stories))


def check_from_fault_to_healed(check: Check) -> None:
    """Fault, page, terminal, notification, runbook, heal: at each step what the person sees."""
    night = Night(check)
    check.until(night.is_calm, 60, f"the lab is well: {night.terminal('status')[1]}")
    for path in ("/", "/alerts", "/rules", "/events", "/runbooks", "/notifications", "/workload/cache", "/node/cache-1"):
        night.look(f"calm: {path}", path)
    night.look("calm: the first screen", "/", "All 3 workloads are healthy.", "cache", "queues", "sessions")
    chosen = [story for story in STORIES if check.thorough or not story.needs_thorough]
    # What lasts and does not disturb the others is broken at once; the rest by itself.
    together = [story for story in chosen if story.lasts]
    for story in together:
        night.lab.does(*story.break_)
    for story in together:
        night.tell(story)
    worst = json.loads(night.judge.process.get("/api/v1/fleet").text)["data"]["summary"].split(" is ")[0]
    night.look("broken: the first screen", "/", worst, "critical for", "What to do")
    check.that(night.browser.value("document.title").startswith("critical: "), "the title tells it")
    night.look("broken: /alerts", "/alerts", "critical", "since", "Runbook")
    check.that("firing" in night.browser.value("document.title"), "the title counts")
    night.heal(*together)
    for story in chosen:
        if story.lasts:
            continue
        night.lab.does(*story.break_)
        night.tell(story)
        instance = story.incident.instance
        if instance:
            night.look(f"broken: /node/{instance}", f"/node/{instance}", instance, "since", story.incident.alert)
        night.heal(story)
    for break_, workload in QUIET.items() if check.thorough else ():
        told = len([one for one in night.pages.receiver.notifications if one["status"] == "firing"])
        night.lab.does(*break_)
        check.until(lambda: night.terminal("status", "--workload", workload)[0] in (0, 1, 2), 10, f"{break_}: status answers")
        night.look(f"{' '.join(break_)}: {workload}", f"/workload/{workload}", workload)
        night.lab.does("heal", workload, seconds=HEAL_SECONDS)
        more = [one for one in night.pages.receiver.notifications if one["status"] == "firing"][told:]
        check.none([one["groupLabels"] for one in more if one["alerts"][0]["labels"]["severity"] == "critical"],
                   f"{' '.join(break_)}: who is woken")
    # That somebody flushed a cache is told for longer than anything else.
    healed = sorted({story.incident.workload for story in chosen} - {"cache"})
    for name in healed:
        check.until(lambda: night.terminal("status", "--workload", name)[0] == 0, 90,
                    f"{name} is well again: {night.terminal('status', '--workload', name)[1]}")
        night.look(f"healed: {name}", f"/workload/{name}", f"{name} is healthy.")
