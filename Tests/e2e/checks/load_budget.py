"""What redline costs a server is within the budget that deploy/docs/security.md promises, on the lab and alone."""

import re
import time

from harness import exporters, servers
from harness.check import Check
from harness.lab import Lab
from harness.paths import ROOT

TIMEOUT_SECONDS = 120
WAITS = True
MEASURED_SECONDS = 30


def budget(check: Check) -> dict[str, tuple[int, float]]:
    """The most connections and commands a second, by the first column of the document's table."""
    text = (ROOT / "deploy" / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (\d+): [^|]+ \| ([\d.]+) \| [^|]+ \|$", text, re.MULTILINE)
    check.equal(len(rows), 4, "rows of the budget")
    return {name: (int(connections), float(commands)) for name, connections, commands in rows}


def connections(text: bytes, name: str) -> int:
    return len(re.findall(rf"\bname={name}\b", text.decode()))


def by_instance(page, name: str) -> dict[str, float]:
    return {dict(series)["instance"]: value for series, value in page.named(name).items()}


def check_a_fleet(check: Check) -> None:
    allowed = budget(check)
    lab = Lab(check)
    lab.up()
    daemon = exporters.redline(check, None, f"--config.file={lab.does('config').strip()}")
    check.until(lambda: sum(daemon.page().named("redis_up").values()) == 15, 30, "all servers are up")
    # The first polls and walks find out what there is.
    time.sleep(10)
    before, began = daemon.page(), time.monotonic()
    most = dict.fromkeys(lab.ports(), 0)
    while time.monotonic() - began < MEASURED_SECONDS:
        for name in most:
            most[name] = max(most[name], connections(lab.ask(name, "CLIENT", "LIST"), "redline"))
        time.sleep(0.5)
    after, seconds = daemon.page(), time.monotonic() - began
    roles = {name: "a Sentinel" if name.startswith("sentinel") else "a member of a fleet" for name in most}
    check.equal({name: count for name, count in most.items() if count > allowed[roles[name]][0]}, {},
                "servers with more connections than the budget")
    check.equal({name: count for name, count in most.items() if count < 2}, {}, "servers with fewer than two connections")
    check.equal(max(count for name, count in most.items() if roles[name] != "a Sentinel"), allowed["a member of a fleet"][0],
                "the most connections of a member, which the budget says")
    sent = by_instance(after, "redis_exporter_commands_sent_total")
    # Who is asked about keys has its share of the time for a bound, below.
    asked = {name for name, count in by_instance(after, "redis_exporter_key_work_commands_total").items() if count > 0}
    counted = {name: count for name, count in by_instance(before, "redis_exporter_commands_sent_total").items()
               if name not in asked}
    check.that(len(counted) >= 6, f"servers that are not asked about keys: {sorted(counted)}")
    for name, count in counted.items():
        rate = (sent[name] - count) / seconds
        limit = allowed["a member of a fleet" if name in most else "a Sentinel"][1]
        check.that(0.5 < rate <= limit, f"{name} is sent {rate:.2f} commands a second; the budget is {limit}")
    busy = by_instance(after, "redis_exporter_key_work_busy_seconds_total")
    duty = by_instance(after, "redis_exporter_key_work_duty_ratio")
    check.that(len(busy) > 0 and busy.keys() == duty.keys(), f"work on keys is counted: {busy.keys()} {duty.keys()}")
    check.equal(sorted(set(duty.values())), [0.005, 0.01], "shares of time: half of it on a master")
    for name, began_with in by_instance(before, "redis_exporter_key_work_busy_seconds_total").items():
        share = (busy[name] - began_with) / seconds
        check.that(share <= duty[name], f"work on keys of {name} takes {share:.4f} of the time, more than {duty[name]}")


def check_one_server(check: Check) -> None:
    allowed = budget(check)
    server = servers.RedisServer(check)

    def most(*flags: str) -> tuple[int, float]:
        daemon = exporters.redline(check, server.url, *flags)
        check.until(lambda: daemon.page().value("redis_up") == 1, 10, "the server is up")
        before, began, count = daemon.page().value("redis_exporter_commands_sent_total"), time.monotonic(), 0
        # As a Prometheus scrapes that is in a hurry.
        while time.monotonic() - began < 10:
            with server.client() as redis:
                count = max(count, connections(redis("CLIENT", "LIST"), "redis_exporter"))
            time.sleep(1)
        rate = (daemon.page().value("redis_exporter_commands_sent_total") - before) / (time.monotonic() - began)
        daemon.stop()
        return count, rate

    for name, flags in (("the server of `--redis.addr`", ()),
                        ("the same with work on keys", ("--check-keys=db0=app:*", "--keywork.interval=1s"))):
        count, rate = most(*flags)
        check.equal(count, allowed[name][0], f"connections of {name}")
        check.that(rate <= allowed[name][1], f"{name} is sent {rate:.2f} commands a second, more than {allowed[name][1]}")
