"""`redline upgrade check`: what stands in the way of an upgrade, on real servers with one fault each; its steps as they stand."""

import json
import pathlib
import re
import subprocess
import time

from harness import drills, exporters, servers
from harness.check import Check
from harness.paths import REDLINE, ROOT, tool

TIMEOUT_SECONDS = 180
WAITS = True

PASSWORD = "upgrade-secret-0815"
# Of Valkey's and Redis' documentation, for a user of Sentinels before Valkey 9.
SENTINEL_USER = ("allchannels -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname "
                 "+client|kill +script|kill")


def asked(check: Check, config: pathlib.Path, target: str, *words: str, form: str = "json") -> tuple[int, str]:
    made = subprocess.run([REDLINE, "upgrade", "check", str(config), "--to", target, "--format", form, *words],
                          capture_output=True, text=True, timeout=60)
    check.that(PASSWORD not in made.stdout + made.stderr, "the password is not printed")
    return made.returncode, made.stdout + (made.stderr if not made.stdout else "")


def lines(check: Check, config: pathlib.Path, target: str, status: int, *words: str) -> dict[str, dict]:
    code, text = asked(check, config, target, *words)
    check.equal(code, status, f"upgrade check --to {target} exits: {text}")
    return {line["check"].removeprefix("upgrade-"): line for line in json.loads(text)["results"]}


def said(check: Check, found: dict[str, dict], name: str, verdict: str, part: str, severity: str | None = None) -> None:
    line = found[name]
    check.equal((line["verdict"], line.get("severity")), (verdict, severity), f"{name}: {line}")
    check.that(part in line["text"], f"{name} says {part!r}: {line}")


def of_one(check: Check, server: servers.RedisServer, more: str = "") -> pathlib.Path:
    return check.file(f"one-{server.port}.yml", (
        f"workloads:\n- name: carts\n  kind: custom\n  topology: replication\n  seeds: ['127.0.0.1:{server.port}']\n{more}"))


def check_steps_work_as_they_stand(check: Check) -> None:
    group = drills.SentinelGroup(check)
    config = check.file("redline.yml", f"workloads:\n{group.fleet()}")
    found = lines(check, config, "7.2", 0)
    said(check, found, "releases", "ok", "all 3 run Redis 7.0.15")
    said(check, found, "format", "ok", "not the other way round")
    said(check, found, "replicas", "ok", "a replica whose link is up")
    said(check, found, "backup", "finding", "none was verified within a day", "info")
    check.equal(asked(check, config, "7.2", "--fail-on", "info")[0], 1, "an info fails it where that is asked for")

    steps = json.loads(asked(check, config, "7.2")[1])["steps"]
    titles = [step["title"] for step in steps]
    old = group.masters()[0]
    check.equal((titles[0], titles[-1]), ("Before", "Afterwards"), "a beginning and an end")
    check.that(all("a replica" in title for title in titles[1:3]) and titles[3] == f"Fail over from 127.0.0.1:{old.port}"
               and "the old master" in titles[4] and all("Sentinel" in title for title in titles[5:8]), f"the order: {titles}")
    path = {"PATH": f"{pathlib.Path(tool('redis-cli')).parent}:/usr/bin:/bin"}

    def pasted(line: str) -> str:
        made = subprocess.run(["sh", "-c", line], env=path, capture_output=True, text=True, timeout=30, cwd=check.folder)
        check.that(made.returncode == 0 and not re.search("ERR|NOAUTH|Could not", made.stdout), f"{line}: {made.stdout}{made.stderr}")
        return made.stdout

    for step in steps:
        for line in step["commands"]:
            check.that("{" not in re.sub(r"'\{.*\}'", "", line), f"filled in: {line}")
            if "redis-cli" in line and "PAUSE" not in line and step is not steps[3]:
                check.that(pasted(line), f"{line} says something")
    check.that("OK" in pasted(steps[5]["commands"][0]), "the quorum is asked for")
    # The failover as it is written: nobody loses a write, and the old master becomes a replica.
    patient = drills.Patient(old)
    pasted(steps[3]["commands"][0])
    check.until(lambda: str(old.port) not in pasted(steps[3]["commands"][1]), 20, "another is named")
    check.until(lambda: group.role(old) == b"slave", 40, "the old master follows")
    pasted(steps[3]["commands"][2])
    check.equal(patient.lost_on(group.masters()[0]), 0, "a client that waited lost nothing")

    text = asked(check, config, "7.2", form="markdown")[1]
    check.that(text.startswith("# Upgrade of sessions to Redis 7.2\n") and "## Steps\n\n1. Before." in text, f"as Markdown: {text[:300]}")
    plain = asked(check, config, "7.2", form="text")[1]
    check.that("nothing was changed" in plain and "- ok: " in plain, f"as text: {plain[-300:]}")

    # Half of it is done.
    half = {step["title"] for step in json.loads(asked(check, config, "redis-7.0.15")[1])["steps"]}
    check.equal(half, {"Before", "Afterwards"}, "who has it already is left alone")


def check_the_user_of_sentinels_is_asked_about(check: Check) -> None:
    group = drills.SentinelGroup(check)
    config = check.file("redline.yml", f"workloads:\n{group.fleet()}")
    said(check, lines(check, config, "valkey-9.1", 0), "sentinels", "ok", "may FAILOVER")
    for server in group.members:
        with server.client() as client:
            client("ACL", "SETUSER", "watch", "on", f">{PASSWORD}", *SENTINEL_USER.split())
    for server in group.sentinels:
        with server.client() as client:
            client("SENTINEL", "SET", group.master_name, "auth-user", "watch", "auth-pass", PASSWORD)
    with group.members[0].client() as client:
        client("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        check.until(lambda: b"user=watch" in client("CLIENT", "LIST"), 30, "the Sentinels log in as watch")
        check.until(lambda: not re.search(rb"name=sentinel-\S+ .*user=default", client("CLIENT", "LIST")), 30, "and as nobody else")
    found = lines(check, config, "valkey-9.1", 1)
    said(check, found, "sentinels", "finding", "ACL SETUSER watch +failover", "warning")
    said(check, lines(check, config, "7.2", 0), "sentinels", "ok", "asks nothing new")


def check_one_fault_each(check: Check) -> None:
    newest = servers.RedisServer(check, "cluster-compatibility-sample-ratio 5", version="redis-8.2")
    replica = servers.RedisServer(check, f"replicaof 127.0.0.1 {newest.port}", version="redis-8.2")
    check.until(lambda: newest.client().info("replication").get("connected_slaves") == "1", 20, "a replica")
    config = of_one(check, newest)
    found = lines(check, config, "8.4", 0)
    check.equal({name: line["verdict"] for name, line in found.items() if line["verdict"] != "ok"}, {"backup": "finding"},
                f"from 8.2 to 8.4 nothing stands in the way: {found}")
    found = lines(check, config, "valkey-9.1", 1)
    said(check, found, "format", "finding", "is not assured to read Redis 8.2.3 (RDB format 12)", "critical")
    said(check, found, "settings", "finding", "cluster-compatibility-sample-ratio of", "warning")
    said(check, found, "commands", "ok", "is missing")
    said(check, found, "defaults", "finding", "repl-backlog-size is 1048576 now", "info")
    with newest.client() as client:
        client("VADD", "v", "VALUES", "2", "1", "2", "a")
        client("HSET", "h", "f", "v")
        client("HEXPIRE", "h", "100", "FIELDS", "1", "f")
    said(check, lines(check, config, "valkey-9.1", 1), "commands", "finding", "VADD (1 call on", "warning")
    found = lines(check, config, "valkey-8.1", 1)
    said(check, found, "commands", "finding", "HEXPIRE (1 call on", "warning")
    # Backwards.
    found = lines(check, config, "7.2", 1)
    said(check, found, "format", "finding", "Redis 7.2 (RDB format 11) is older than Redis 8.2.3 (RDB format 12)", "critical")
    steps = [step["title"] for step in json.loads(asked(check, config, "8.4")[1])["steps"]]
    check.equal(len(steps), 5, f"replica, failover, old master: {steps}")
    # What the table says of a file is so: the servers themselves refuse, or write that format.
    for server, magic in ((newest, b"REDIS0012"), (servers.RedisServer(check, version="valkey-9.1"), b"VALKEY080"),
                          (servers.RedisServer(check), b"REDIS0010")):
        with server.client() as client:
            client("SET", "k", "v")
            client("SAVE")
            folder = client("CONFIG", "GET", "dir")[1].decode()
            name = client("CONFIG", "GET", "dbfilename")[1].decode()
        check.equal((pathlib.Path(folder) / name).read_bytes()[:9], magic, "the format that it writes")
    valkey = ROOT / ".build/tools/servers/valkey-9.1/valkey-server"
    refused = subprocess.run([valkey, "--port", "0", "--cluster-compatibility-sample-ratio", "5"], capture_output=True, text=True, timeout=20)
    check.that("Bad directive" in refused.stdout + refused.stderr, f"Valkey does not start with it: {refused.stdout}{refused.stderr}")
    replica.process.stop()
    said(check, lines(check, config, "8.4", 1), "replicas", "finding", "no replica can take over", "critical")


def check_what_is_refused_is_unknown(check: Check) -> None:
    server = servers.RedisServer(check, f"user ops on >{PASSWORD} ~* &* -@all +info +ping +role +client|setname")
    word = check.file("password", PASSWORD)
    config = of_one(check, server, f"  credentials: {{user: ops, password_file: '{word}'}}\n")
    found = lines(check, config, "7.2", 1, "--fail-on", "critical")
    said(check, found, "settings", "unknown", "+config|get")
    said(check, found, "modules", "unknown", "+module|list")
    said(check, found, "commands", "ok", "is missing")
    check.equal(found["settings"]["right"], found["settings"]["text"], "which right is missing stands in `right`")
    text = asked(check, config, "7.2", form="markdown")[1]
    check.that(f"REDISCLI_AUTH=$(cat {word}) redis-cli" in text, "commands read the password from its file")
    server.process.stop()
    check.equal(asked(check, config, "7.2")[0], 3, "a server that does not answer is unknown")
    for words, status in ((["--to", "eight"], 64), ([], 64)):
        code = subprocess.run([REDLINE, "upgrade", "check", str(config), *words], capture_output=True, timeout=20).returncode
        check.equal(code, status, f"{words} exits")
    check.equal(asked(check, check.file("bad.yml", "workloads: []\n"), "7.2")[0], 2, "a configuration that cannot be used")


def check_the_daemon_says_when_a_backup_was_verified(check: Check) -> None:
    server = servers.RedisServer(check)
    folder = check.folder / "results"
    config = of_one(check, server, f"results: {{path: '{folder}'}}\n")
    exporter = exporters.redline(check, None, f"--config.file={config}", f"--storage.path={check.folder / 'redline.db'}")
    check.until(folder.is_dir, 20, "the folder is made")
    ended = time.time()
    (folder / "x.partial").write_text(json.dumps({
        "check": "backup", "workload": "carts", "startedAt": ended - 5, "endedAt": ended, "verdict": "ok", "numbers": {"age_seconds": 3600}}))
    (folder / "x.partial").rename(folder / "x.json")
    check.until(lambda: exporter.page().value("redis_workload_check_passed", workload="carts", check="backup") == 1, 20, "it is taken")
    found = lines(check, config, "7.2", 1, "--url", f"http://127.0.0.1:{exporter.port}")
    said(check, found, "backup", "ok", "was verified")
