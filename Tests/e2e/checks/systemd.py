"""Redline under systemd, whose part this check plays: notifications, watchdog, socket activation, and the unit itself."""

import re
import shutil
import signal
import subprocess
import time

from harness import http, servers
from harness.check import Check, Skipped
from harness.paths import REDLINE, ROOT
from harness.systemd import ListeningSocket, NotifySocket, Service

UNITS = ROOT / "deploy" / "systemd"
WATCHDOG_SECONDS = 1.0
EXPOSURE_LIMIT = 1.5


def started(check: Check, notify: NotifySocket, listener: ListeningSocket, *flags: str, **environment: str) -> Service:
    server = servers.RedisServer(check)
    return Service(check, listener, f"--redis.addr={server.url}", *flags,
                   environment={"NOTIFY_SOCKET": notify.name} | environment)


def check_life(check: Check) -> None:
    """READY once it serves, RELOADING and READY around a reload, STOPPING before the end."""
    notify, listener = NotifySocket(check), ListeningSocket(check)
    service = started(check, notify, listener)
    ready = notify.until("READY", 10)
    check.equal(ready["READY"], "1", "READY")
    check.that("127.0.0.1" in ready["STATUS"], f"the status names what is watched: {ready['STATUS']!r}")
    check.equal(service.get("/-/healthy").status, 200, "it serves when it says so")
    check.that("process_start_time_seconds" in service.get().text, "the page is whole")

    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    service.signal(signal.SIGHUP)
    reloading = notify.until("RELOADING", 5)
    after = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    check.that(before <= int(reloading["MONOTONIC_USEC"]) <= after, f"MONOTONIC_USEC of {reloading}")
    check.equal(notify.until("READY", 5)["STATUS"], "reloaded", "the status after a reload")

    service.signal(signal.SIGTERM)
    check.equal(notify.until("STOPPING", 5)["STOPPING"], "1", "STOPPING")
    check.equal(service.wait(5), 0, "the exit code")
    check.equal(notify.next(0.2), None, "a message after the end")


def check_failed_reload_is_told(check: Check) -> None:
    notify, listener = NotifySocket(check, abstract=True), ListeningSocket(check)
    secret = check.file("password", "")
    service = started(check, notify, listener, f"--redis.password-from-file={secret}")
    notify.until("READY", 10)
    secret.unlink()
    service.signal(signal.SIGHUP)
    notify.until("RELOADING", 5)
    ready = notify.until("READY", 5)
    check.that("failed" in ready["STATUS"], f"the status after a reload that failed: {ready['STATUS']!r}")


def check_watchdog(check: Check) -> None:
    """Two signs of life in each period; none while the process is stopped, and again when it goes on."""
    notify, listener = NotifySocket(check), ListeningSocket(check)
    service = started(check, notify, listener, WATCHDOG_USEC=str(int(WATCHDOG_SECONDS * 1e6)))
    notify.until("WATCHDOG", 10)
    count = notify.beats(4 * WATCHDOG_SECONDS)
    check.that(6 <= count <= 9, f"signs of life in four periods: {count}")
    service.signal(signal.SIGSTOP)
    notify.beats(0.2)
    check.equal(notify.beats(2 * WATCHDOG_SECONDS), 0, "signs of life of a process that is stopped")
    service.signal(signal.SIGCONT)
    notify.until("WATCHDOG", 5)


def check_watchdog_of_another_process(check: Check) -> None:
    """WATCHDOG_PID names whom the watchdog is for; without WATCHDOG_USEC there is none."""
    for environment in ({"WATCHDOG_USEC": "400000", "WATCHDOG_PID": "1"}, {}):
        notify, listener = NotifySocket(check), ListeningSocket(check)
        service = started(check, notify, listener, **environment)
        notify.until("READY", 10)
        check.equal(notify.beats(1.2), 0, f"signs of life with {environment}")
        service.stop()


def check_without_systemd(check: Check) -> None:
    """No socket, or one that nobody listens on, changes nothing."""
    for name in ("", "/no/such/socket", "@nobody-is-there", "vsock:2:1"):
        listener = ListeningSocket(check)
        server = servers.RedisServer(check)
        service = Service(check, listener, f"--redis.addr={server.url}", environment={"NOTIFY_SOCKET": name})
        check.until(lambda: service.get("/-/healthy").status == 200, 5, f"it serves with NOTIFY_SOCKET={name!r}")
        service.signal(signal.SIGTERM)
        check.equal(service.wait(5), 0, "the exit code")


def check_socket_outlives_the_service(check: Check) -> None:
    """A scrape that comes while the service restarts waits and is answered; none is refused."""
    notify, listener = NotifySocket(check), ListeningSocket(check)
    first = started(check, notify, listener)
    notify.until("READY", 10)
    first.signal(signal.SIGTERM)
    check.equal(first.wait(5), 0, "the exit code")
    with http.connect(listener.port) as waiting:
        waiting.sendall(http.request_bytes("/-/healthy", headers={"Connection": "close"}))
        started(check, notify, listener)
        with waiting.makefile("rb") as stream:
            check.equal(http.read_response(stream).status, 200, "the answer of the second service")


def check_unit(check: Check) -> None:
    """systemd finds no fault in the units, and little that they leave open."""
    if shutil.which("systemd-analyze") is None:
        raise Skipped("systemd-analyze is not installed")
    folder = check.folder / "units"
    folder.mkdir()
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/usr/bin/redline", str(REDLINE))
        # The manual page comes with the package.
        (folder / unit.name).write_text(re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE))
    verified = analyze("verify", *(str(folder / unit.name) for unit in UNITS.iterdir()))
    check.equal((verified.returncode, verified.stdout + verified.stderr), (0, ""), "systemd-analyze verify")
    rated = analyze("security", "--offline=true", "--no-pager", str(folder / "redline.service"))
    score = re.search(r"exposure level for redline.service: ([0-9.]+)", rated.stdout)
    check.that(score is not None, f"systemd-analyze security says {rated.stdout}{rated.stderr}")
    check.that(float(score.group(1)) <= EXPOSURE_LIMIT, f"the exposure is {score.group(1)}")
    stated = re.search(r"exposure of ([0-9.]+)", (UNITS / "redline.service").read_text())
    check.equal(stated and stated.group(1), score.group(1), "the exposure that the unit's comment states")


def check_unit_of_shards(check: Check) -> None:
    """It is restricted as the unit of one Redline is, and differs in what shards must not share."""
    one, shard = ((UNITS / name).read_text().partition("[Unit]")[2].splitlines() for name in ("redline.service", "redline@.service"))
    check.equal(sorted(set(shard) - set(one)), sorted((
        "Description=Redline, shard %i", "After=network-online.target", "StateDirectory=redline-%i",
        "EnvironmentFile=/etc/default/redline-shards", "EnvironmentFile=-/etc/default/redline-%i",
        "ExecStart=/usr/bin/redline --config.file=/etc/redline/redline.yml --storage.path=/var/lib/redline-%i/redline.db"
        " --shard=%i/${REDLINE_SHARDS}")), "what it has of its own")
    check.equal(sorted(set(one) - set(shard)), sorted((
        "Description=Redline, the Prometheus exporter for Redis", "After=network-online.target redline.socket",
        "Requires=redline.socket", "StateDirectory=redline", "Also=redline.socket",
        "ExecStart=/usr/bin/redline --config.file=/etc/redline/redline.yml --storage.path=/var/lib/redline/redline.db"
        " --web.systemd-socket")), "what it does without")


def analyze(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=20)


def check_system_calls(check: Check) -> None:
    """Whatever it calls while it polls, serves, stores, reloads and ends, the unit's filter lets through."""
    for program in ("systemd-analyze", "strace"):
        if shutil.which(program) is None:
            raise Skipped(f"{program} is not installed")
    server = servers.RedisServer(check)
    seed = f"127.0.0.1:{server.port}"
    config = check.file("redline.yml", f"workloads:\n  - {{name: w, kind: custom, topology: replication, seeds: [{seed!r}]}}\n")
    listener = ListeningSocket(check)
    trace = check.folder / "trace"
    service = Service(check, listener, f"--config.file={config}", f"--storage.path={check.folder / 'redline.db'}")
    strace = subprocess.Popen(["strace", "-f", "-qq", "-o", str(trace), "-p", str(service.pid)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    check.closing.callback(strace.kill)
    check.until(lambda: "redis_up" in service.get().text, 20, "the fleet is watched")
    service.signal(signal.SIGHUP)
    time.sleep(2)
    service.get("/")
    service.signal(signal.SIGTERM)
    check.equal(service.wait(20), 0, "the exit code")
    strace.wait(10)
    called = set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z0-9_]+)(?:\(| resumed)", trace.read_text(), re.MULTILINE))
    check.that({"sendto", "epoll_wait"} & called != set() and len(called) > 20, f"the trace holds {sorted(called)}")
    # SQLite sets the owner of its files when it runs as root, as this check may.
    refused = sorted(called - allowed_calls() - {"fchown"})
    check.none(refused, "system calls that the unit's filter refuses")


def allowed_calls() -> set[str]:
    """The calls that the SystemCallFilter lines leave, in their order."""
    # Every list of allowed calls begins with these.
    allowed = members("@default")
    for line in re.findall(r"^SystemCallFilter=(.*)$", (UNITS / "redline.service").read_text(), re.MULTILINE):
        names = set().union(*(members(word) for word in line.removeprefix("~").split()))
        allowed = allowed - names if line.startswith("~") else allowed | names
    return allowed


def members(word: str) -> set[str]:
    if not word.startswith("@"):
        return {word}
    listed = analyze("syscall-filter", "--no-pager", word).stdout.splitlines()
    words = [line.strip() for line in listed if line.startswith("    ") and not line.strip().startswith("#")]
    return set().union(*(members(inner) for inner in words))
