"""The users that `redline acl` prints: they suffice, they allow nothing that is not used, and check-access agrees."""

import re
import subprocess
import threading
import time

import yaml

from harness import exporters, servers
from harness.check import Check
from harness.lab import Lab
from harness.paths import REDLINE, ROOT

TIMEOUT_SECONDS = 150
PASSWORD = "least-privilege-word"
CONTAINERS = {"client", "cluster", "command", "config", "latency", "memory", "sentinel", "slowlog", "xinfo"}
# Logging in needs no right.
FREE = {"auth"}
# MONITOR does not show these; the check of one server holds them, and those of the audit, whose connections are over before they
# are known, that it has nothing unknown. The servers of the lab have keys in one database alone, and few that are large enough for
# their elements to be counted.
UNSEEN = {"acl|dryrun", "acl|log", "acl|users", "client|list", "command|info", "config|get", "latency|histogram",
          "hlen", "latency|latest", "llen", "module|list", "scard", "select", "slowlog|get", "slowlog|len", "strlen", "type", "xlen",
          "zcard"}


def run(*arguments: str, password: str = PASSWORD) -> subprocess.CompletedProcess:
    is_fleet = any(word.endswith(".yml") for word in arguments)
    return subprocess.run([str(REDLINE), *arguments], capture_output=True, text=True, timeout=60,
                          env={} if is_fleet else {"REDIS_PASSWORD": password})


def users(check: Check, *arguments: str) -> dict[str, list[str]]:
    """The words of each ACL SETUSER command, by what its comment says."""
    told = run("acl", "--setuser", *arguments)
    check.equal(told.returncode, 0, f"redline acl exits ({told.stderr})")
    found: dict[str, list[str]] = {}
    for subjects, line in re.findall(r"^# (.*)\n(ACL SETUSER .*)$", told.stdout, re.MULTILINE):
        for subject in subjects.split("; "):
            found[subject] = line.replace(">PASSWORD", f">{PASSWORD}").split(" ")
    return found


def commands(words: list[str]) -> set[str]:
    return {word[1:] for word in words if word.startswith("+")}


# One server


EVERYTHING = ("--export-client-list", "--include-modules-metrics", "--include-config-metrics", "--ping-on-connect",
              "--check-keys=db0=app:*", "--check-single-streams=db0=app:stream", "--count-keys=db0=app:*",
              "--check-key-groups=^(app):", "--keywork.duty-ratio=0.5")


def loaded(check: Check) -> servers.RedisServer:
    server = servers.RedisServer(check)
    with server.client() as redis:
        redis("SET", "app:string", "1")
        redis("RPUSH", "app:list", "1")
        redis("SADD", "app:set", "1")
        redis("ZADD", "app:zset", "1", "1")
        redis("HSET", "app:hash", "f", "1")
        redis("PFADD", "app:hyperloglog", "1")
        redis("XGROUP", "CREATE", "app:stream", "group", "0", "MKSTREAM")
        redis("XADD", "app:stream", "*", "f", "1")
        redis("XREADGROUP", "GROUP", "group", "consumer", "STREAMS", "app:stream", ">")
        redis("SELECT", "1")
        redis("SET", "app:string", "1")
    return server


def check_one_server(check: Check) -> None:
    """Everything switched on, as that user: nothing is refused, and each right is used."""
    server = loaded(check)
    script = check.file("script.lua", "return {'a', '1'}")
    flags = (*EVERYTHING, f"--script={script}")
    words = users(check, f"127.0.0.1:{server.port}", *flags)["a server on its own, or with replicas"]
    with server.client() as redis:
        redis(*words)
        redis("CONFIG", "RESETSTAT")
    exporter = exporters.redline(check, server.url, *flags, exporters.FRESH, "--redis.user=redline",
                                 environment={"REDIS_PASSWORD": PASSWORD})

    def is_whole() -> bool:
        page = exporter.page()
        return all(name in page.families for name in (
            "redis_key_size", "redis_key_group_count", "redis_keys_count", "redis_script_values",
            "redis_stream_group_oldest_pending_seconds", "redis_connected_client_info", "redis_slowlog_length",
            "redis_config_maxclients", "redis_commands_latencies_usec"))

    check.until(is_whole, 30, "every feature shows something", pause=0.5)
    page = exporter.page()
    nothing_is_refused(check, page)
    with server.client() as redis:
        check.equal(redis("ACL", "LOG"), [], "the server's ACL log")
        sent = {name.removeprefix("cmdstat_") for name in redis.info("commandstats")}
    # What this check itself asked.
    sent -= FREE | {"acl|log", "config|resetstat"}
    check.equal(sorted(commands(words) - sent), [], "rights that are not used")
    check.equal(sorted(sent - commands(words)), [], "commands that are not allowed")


def nothing_is_refused(check: Check, page) -> None:
    refused = [series for name in ("redis_exporter_collector_refused", "redis_exporter_key_work_refused")
               for series, value in page.named(name).items() if value]
    check.equal(refused, [], "what is refused")


def check_each_missing_right_is_told(check: Check) -> None:
    """Without any one of its rights, check-access names it and what is lost; with all of them it is content."""
    server = loaded(check)
    arguments = (f"127.0.0.1:{server.port}", *EVERYTHING, "--redis.user=redline")
    words = users(check, *arguments)["a server on its own, or with replicas"]
    with server.client() as redis:
        redis(*words)
        good = run("check-access", *arguments)
        check.equal((good.returncode, "DENIED" in good.stdout), (0, False), f"check-access exits ({good.stdout})")
        for name in sorted(commands(words)):
            redis("ACL", "SETUSER", "redline", f"-{name}")
            told = run("check-access", *arguments)
            if name == "info":
                check.equal((told.returncode, "permission" in told.stdout), (3, True), f"without INFO: {told.stdout}")
            else:
                check.equal(told.returncode, 1, f"the exit code without {name} ({told.stdout}{told.stderr})")
                check.that(re.search(rf"add .*\+{re.escape(name)}(\s|$)", told.stdout) is not None,
                           f"it names {name}: {told.stdout}")
                check.that("missing without it: " in told.stdout, f"it says what is lost without {name}")
            redis("ACL", "SETUSER", "redline", f"+{name}")
        redis("ACL", "SETUSER", "redline", "resetkeys")
        told = run("check-access", *arguments)
        check.that(told.returncode == 1 and "~app:*" in told.stdout, f"without keys: {told.stdout}")
    check.that(PASSWORD not in good.stdout + told.stdout + told.stderr, "the password is shown")


def check_exit_codes(check: Check) -> None:
    server = servers.RedisServer(check, f"user redline on >{PASSWORD} +@all ~* &*")
    there = f"127.0.0.1:{server.port}"
    wrong = run("check-access", there, "--redis.user=redline", password="another-word")
    check.equal(wrong.returncode, 3, f"the exit code with a wrong password ({wrong.stdout})")
    check.that("auth" in wrong.stdout and "another-word" not in wrong.stdout + wrong.stderr, wrong.stdout)
    check.equal(run("check-access", f"127.0.0.1:{check.free_port()}").returncode, 3, "the exit code with nobody there")
    check.equal(run("check-access", there, "--redis.user=redline").returncode, 0, "the exit code with all rights")
    bad = check.file("bad.yml", "workloads: [{name: a, kind: nonsense}]\n")
    for command in ("acl", "check-access"):
        told = run(command, str(bad))
        check.equal(told.returncode, 2, f"redline {command} with a bad file exits")
        check.that("bad.yml:1" in told.stderr, f"redline {command} names file and line: {told.stderr}")
        check.equal(run(command, "--no-such-flag").returncode, 2, f"redline {command} with an unknown flag exits")


def check_lines_of_a_file(check: Check) -> None:
    """What is printed without --setuser is understood by a server that reads it from its configuration."""
    told = run("acl", "--check-keys=db0=app:*")
    line = next(text for text in told.stdout.splitlines() if text.startswith("user "))
    server = servers.RedisServer(check, line.replace("PASSWORD", PASSWORD))
    with server.client() as redis:
        redis("AUTH", "redline", PASSWORD)
        check.that("NOPERM" in redis.refused("SET", "app:x", "1"), "SET is refused")
        check.that("NOPERM" in redis.refused("CONFIG", "SET", "maxclients", "9"), "CONFIG SET is refused")
        check.that("NOPERM" in redis.refused("TYPE", "other"), "other keys are refused")
        check.equal(redis("TYPE", "app:x"), "none", "TYPE of a key that is watched")
    for version in ("redis-6.0", "redis-6.2", "valkey-8.1"):
        told = run("acl", "--server", version, "--check-keys=db0=app:*")
        check.equal(told.returncode, 0, f"redline acl --server {version} exits")
        check.equal("%R~" in told.stdout, version.startswith("valkey"), f"rights to read alone for {version}")
        check.equal("commandlog|len" in told.stdout, version.startswith("valkey"), f"COMMANDLOG for {version}")


# The lab


class Monitor:
    """What connections of user redline send to one server."""

    def __init__(self, check: Check, lab: Lab, name: str):
        self.lab, self.name = lab, name
        self.lines: list[str] = []
        self.addresses: set[str] = set()
        self.client = lab.client(name, seconds=60)
        self.client("MONITOR")
        check.closing.callback(self.client.close)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        try:
            while True:
                self.lines.append(self.client.read())
        except (OSError, ConnectionError, ValueError):
            pass

    def look(self) -> None:
        text = self.lab.ask(self.name, "CLIENT", "LIST").decode()
        for line in text.splitlines():
            fields = dict(word.split("=", 1) for word in line.split(" ") if "=" in word)
            if fields.get("user") == "redline":
                self.addresses.add(fields["addr"])

    def sent(self) -> set[str]:
        found = set()
        for line in list(self.lines):
            match = re.match(r'[0-9.]+ \[\d+ (\S+)\] "([^"]*)"(?: "([^"]*)")?', line)
            if match and match.group(1) in self.addresses:
                name = match.group(2).lower()
                found.add(f"{name}|{match.group(3).lower()}" if name in CONTAINERS else name)
        return found - FREE


def check_lab(check: Check) -> None:
    """The whole lab as those users: nothing is refused anywhere, nothing else is sent, and each right is used."""
    lab = Lab(check)
    lab.up()
    config = yaml.safe_load(open(lab.does("config").strip(), encoding="utf-8"))
    word = check.file("password", PASSWORD)
    login = {"user": "redline", "password_file": str(word)}
    for workload in config["workloads"]:
        workload["credentials"] = login
        workload["watches"] = {"interval": "2s", "follow": "replica"}
        # The first sample comes within a quarter of that.
        workload["keyspace"] = {"every": "1m"}
        if "sentinel" in workload:
            workload["sentinel"]["credentials"] = login
    path = check.file("redline.yml", yaml.safe_dump(config))
    allowed = users(check, str(path))
    nodes = {name: f"servers of {name.rpartition('-')[0]}" for name in lab.ports() if not name.startswith("sentinel")}
    sentinels = {name: "Sentinels of sessions" for name in lab.ports() if name.startswith("sentinel")}
    check.equal(len(nodes | sentinels), 15, "servers of the lab")
    for name, subject in (nodes | sentinels).items():
        lab.ask(name, *allowed[subject])
    monitors = {name: Monitor(check, lab, name) for name in nodes}
    give_something_to_find(lab)
    daemon = exporters.redline(check, None, f"--config.file={path}")
    check.until(lambda: sum(daemon.page().named("redis_up").values()) == 15, 30, "all servers are up")
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for monitor in monitors.values():
            monitor.look()
        time.sleep(0.5)
    # What is asked when an alert begins.
    for workload in config["workloads"]:
        told = run("runbook", "RedisAuthFailures", "--gather", "--workload", workload["name"], f"--config.file={path}",
                   f"--folder={ROOT / 'alerts' / 'runbooks'}")
        check.equal(told.returncode, 0, f"evidence is gathered ({told.stderr})")
        check.that("refused:" not in told.stdout, f"nothing of it is refused: {told.stdout}")
    # What the audit asks, which looks a minute after a start.
    told = run("audit", str(path), "--fail-on", "critical")
    check.that(", 0 unknown" in told.stdout, f"the audit sees all that it looks for ({told.stdout}{told.stderr})")
    for monitor in monitors.values():
        monitor.look()
    nothing_is_refused(check, daemon.page())
    used, granted = set(), set()
    for name, subject in nodes.items():
        sent = monitors[name].sent()
        check.equal(sorted(sent - commands(allowed[subject])), [], f"commands to {name} that are not allowed")
        check.that("info" in sent, f"{name} was not asked: {sorted(sent)}")
        used, granted = used | sent, granted | commands(allowed[subject])
    check.equal(sorted(granted - used - UNSEEN), [], "rights that are not used")
    for name in nodes | sentinels:
        check.equal([entry for entry in lab.ask(name, "ACL", "LOG") if b"redline" in entry], [], f"the ACL log of {name}")
    told = run("check-access", str(path))
    check.equal(told.returncode, 0, f"check-access exits ({told.stdout}{told.stderr})")
    check.equal(len(re.findall(r"all that is needed is allowed", told.stdout)), 15, f"servers checked: {told.stdout}")
    each_right_of_a_sentinel_is_used(check, lab, path, allowed["Sentinels of sessions"])


def give_something_to_find(lab: Lab) -> None:
    """A lock that is held, and an entry that nobody acknowledges."""
    lab.ask(lab.master_of_sessions(), "SET", "lock:report", "token", "EX", "600")
    queue = next(name for name in lab.ports() if name.startswith("queues")
                 and lab.ask(name, "ROLE")[0] == b"master")
    lab.ask(queue, "XGROUP", "CREATE", "unread", "group", "0", "MKSTREAM")
    lab.ask(queue, "XADD", "unread", "*", "f", "1")
    lab.ask(queue, "XREADGROUP", "GROUP", "group", "consumer", "STREAMS", "unread", ">")


def each_right_of_a_sentinel_is_used(check: Check, lab: Lab, path, words: list[str]) -> None:
    """A Sentinel has no MONITOR: there each right is taken away in turn, and redline misses it."""
    for name in sorted(commands(words) - {"info"}) + ["&*"]:
        rule = "resetchannels" if name == "&*" else f"-{name}"
        lab.ask("sentinel-1", "ACL", "SETUSER", "redline", rule)
        told = run("check-access", str(path))
        given = "&*" if name == "&*" else f"+{name}"
        check.that(told.returncode == 1 and re.search(rf"add .*{re.escape(given)}(\s|$)", told.stdout) is not None,
                   f"without {name} on a Sentinel: {told.stdout}")
        lab.ask("sentinel-1", "ACL", "SETUSER", "redline", given)
