"""deploy/lab as a person uses it: up, looked at, broken, mended, down, and nothing left."""

import os
import pathlib
import signal
import subprocess
import time

from harness.check import Check, Failed
from harness.lab import SERVERS, Lab
from harness.paths import REDLINE
from harness.resp import Redis, ReplyError

TIMEOUT_SECONDS = 180


def check_life(check: Check) -> None:
    """Up, as the operating document says; twice; with live traffic; down, twice."""
    lab = Lab(check)
    text = lab.up()
    for line in ("cache: well", "sessions: well", "queues: well", "traffic: cache"):
        check.that(line in text, f"up does not say {line!r}: {text}")
    pids = lab.pids()
    check.equal(len(pids), SERVERS + 1, "processes: the servers and the traffic")
    configured_as_written(check, lab)
    commands = b"".join(pathlib.Path(f"/proc/{pid}/cmdline").read_bytes() for pid in pids)
    check.that(lab.password().encode() not in commands, "the password is in the process list")
    with Redis(lab.ports()["sessions-2"]) as stranger:
        check.that("NOAUTH" in stranger.refused("DBSIZE"), "sessions want a password")

    began = time.monotonic()
    lab.up()
    check.equal(lab.pids(), pids, "the processes after a second up")
    check.that(time.monotonic() - began < 10, "a second up takes long")

    watch = lab.does("config").strip()
    told = subprocess.run([str(REDLINE), "check-config", watch], capture_output=True, text=True, timeout=10)
    check.equal(told.returncode, 0, f"redline check-config exits ({told.stdout}{told.stderr})")
    check.that(lab.password() not in pathlib.Path(watch).read_text(), "the password is in redline.yml")
    check.until(lambda: patterns_are_live(lab), 15, "every key pattern of the document is seen")
    with lab.client("queues-1") as client:
        # Read by a consumer that has ended since: idle for a minute, as far as the group knows.
        entry = check.until(lambda: client("XREADGROUP", "GROUP", "billing", "ended", "COUNT", 1, "STREAMS", "orders", ">"),
                            10, "an entry to read")[0][1][0][0]
        client("XCLAIM", "orders", "billing", "ended", 0, entry, "IDLE", 60_000)
        check.until(lambda: client("XPENDING", "orders", "billing", entry, entry, 1) == [], 40,
                    "another consumer does what was left")

    ports = lab.ports()
    lab.goes_down()
    lab.does("down")
    check.equal(lab.run("status")[0], 1, "the exit code of status without a lab")
    check.that("deploy/lab up" in lab.run("kill", "cache-1")[1], "a fault without a lab names the way to one")
    rows = [line.split() for line in (lab.folder / "ports").read_text().splitlines()]
    check.that(ports.items() <= {name: int(port) for name, port, _ in rows}.items(), "the ports are remembered")


def configured_as_written(check: Check, lab: Lab) -> None:
    wanted = {
        "cache": {"maxmemory-policy": "allkeys-lru", "save": "", "appendonly": "no", "cluster-enabled": "yes"},
        "sessions": {"maxmemory-policy": "noeviction", "save": "3600 1", "appendonly": "yes",
                     "appendfsync": "everysec"},
        "queues": {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "always"},
    }
    roles: dict[str, list[str]] = {}
    for name in lab.ports():
        workload = name.rpartition("-")[0]
        if workload == "sentinel":
            verdict = lab.ask(name, "SENTINEL", "CKQUORUM", "sessions")
            check.that("OK 3 usable" in verdict, f"{name} has a quorum: {verdict}")
            continue
        with lab.client(name) as client:
            roles.setdefault(workload, []).append(client("ROLE")[0].decode())
            seen = {key: client("CONFIG", "GET", key)[1].decode() for key in wanted[workload]}
            check.equal(seen, wanted[workload], f"the configuration of {name}")
            check.that(int(client("CONFIG", "GET", "maxmemory")[1]) > 0, f"{name} has a maxmemory")
    check.equal({workload: sorted(each) for workload, each in roles.items()},
                {"cache": ["master"] * 3 + ["slave"] * 3, "sessions": ["master"] + ["slave"] * 2,
                 "queues": ["master"] + ["slave"] * 2}, "the roles")


def patterns_are_live(lab: Lab) -> bool:
    with lab.client(lab.master_of_sessions()) as client:
        for pattern in ("session:*", "rate:client-*:*", "sliding:*", "bucket:*", "idem:*", "circuit:*:failures"):
            keys = client("SCAN", 0, "MATCH", pattern, "COUNT", 100_000)[1]
            if not keys or client("TTL", keys[0]) == -1:
                return False
        # A lock lives for less than a moment; its script is seen all the same.
        if "cmdstat_evalsha" not in client.info("commandstats"):
            return False
    with lab.client("queues-1") as client:
        group = client("XINFO", "GROUPS", "orders")[0]
        facts = dict(zip(group[::2], group[1::2]))
        if not facts[b"consumers"] or not facts[b"entries-read"]:
            return False
    stats = [lab.ask(f"cache-{number}", "INFO", "stats").decode() for number in (1, 2, 3)]
    return all("keyspace_hits:0\r" not in text for text in stats)


def check_faults(check: Check) -> None:
    """Each kind of fault shows, and is mended."""
    lab = Lab(check)
    lab.up()

    lab.does("kill", "cache-5")
    lab.does("hang", "queues-3")
    os.kill(lab.pid_of("sentinel-3"), signal.SIGKILL)
    code, text = lab.run("status")
    check.equal(code, 1, "the exit code of status with faults")
    for complaint in ("cache-5 is down", "queues-3 is hung", "sentinel-3 is down"):
        check.that(complaint in text, f"status does not say {complaint!r}: {text}")
    try:
        lab.ask("queues-3", "PING")
        raise Failed("a hung node answers")
    except TimeoutError:
        pass
    lab.does("heal", "queues-3")
    lab.does("heal", "cache")
    lab.does("heal", "sessions")
    check.that(lab.run("status")[0] == 0, "status has no complaint once all is healed")

    old, began = lab.master_of_sessions(), time.monotonic()
    lab.does("failover", "sessions")
    took = time.monotonic() - began
    check.that(lab.master_of_sessions() != old, "the master of the sessions is another one")
    check.that(took < 12, f"the failover took {took:.1f} s")
    lab.does("failover", "queues")
    check.equal(lab.ask("queues-1", "ROLE")[0], b"slave", "the old master of the queues")
    lab.does("failover", "cache-1")
    check.equal(lab.ask("cache-1", "ROLE")[0], b"slave", "the old master of a shard")

    # A replica that was promoted knows no lag until each group has read to the end once.
    check.until(lambda: lag_of_orders(lab) is not None, 10, "the new master of the queues knows the lag")
    lab.does("lag", "queues", "--entries", "500")
    check.until(lambda: (lag_of_orders(lab) or 0) >= 500, 10, "orders wait for their consumers")
    lab.does("heal", "queues")
    check.until(lambda: (lag_of_orders(lab) or 0) < 100, 15, "the consumers have caught up")
    lab.does("fill", "cache")
    check.that("evicted_keys:0\r" not in lab.ask("cache-2", "INFO", "stats").decode(), "a full cache evicts")
    lab.does("deadlock", "basket")
    check.equal(lab.ask(lab.master_of_sessions(), "TTL", "lock:basket"), -1, "the TTL of a forgotten lock")
    lab.goes_down()


def lag_of_orders(lab: Lab) -> int | None:
    """The lag of the group that is furthest behind, on whichever node is master; None when one is unknown."""
    for name in ("queues-1", "queues-2", "queues-3"):
        with lab.client(name) as client:
            if client("ROLE")[0] == b"master":
                groups = [dict(zip(group[::2], group[1::2])) for group in client("XINFO", "GROUPS", "orders")]
                lags = [group[b"lag"] for group in groups]
                return None if None in lags else max(lags)
    raise ReplyError("no node of the queues is master")


def check_killed_halfway(check: Check) -> None:
    """`up` killed with all its strength, and then anything else: the next `up` mends it, `down` finds everything."""
    lab = Lab(check)
    first = lab.start("up")
    check.until(lambda: len(lab.pids()) >= 5, 20, "some servers run", pause=0.02)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    lab.up()
    check.equal(len(lab.pids()), SERVERS + 1, "processes after the second up")
    for name in ("traffic", "sentinel-2", "cache-6", "queues-2", "sessions-2"):
        os.kill(lab.pid_of(name), signal.SIGKILL)
    # A process id that a stranger has by now is left alone.
    record = lab.folder / "processes" / "cache-6"
    boot = record.read_text().split()[2]
    record.write_text(f"{os.getpid()} 1 {boot}\n")
    lab.up()
    check.equal(len(lab.pids()), SERVERS + 1, "processes after the third up")
    lab.goes_down()
