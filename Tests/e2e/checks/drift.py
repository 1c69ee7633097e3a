"""What servers run with beside the files that declare it: Redis itself says what a file means.

A server is started on each file of Tests/e2e/drift/conf, and Debian's own, and must not differ from it; after CONFIG SET it
must differ in that, and in nothing else.
"""

import json
import pathlib
import subprocess

from harness.captured import static, watching
from harness.check import Check
from harness.declared import FILES, servers
from harness.paths import REDLINE
from harness.servers import RedisServer, sentinel_of
from harness.versions import on_servers

TIMEOUT_SECONDS = 150


def drift(file: pathlib.Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([REDLINE, "drift", *([file] if file else []), *words], capture_output=True, text=True, timeout=60)


def verdicts(told: subprocess.CompletedProcess[str]) -> dict[tuple[str, str], dict]:
    """Each result, by workload and setting."""
    return {(result["workload"], result["setting"]): result for result in json.loads(told.stdout)["results"]}


def shown(results: dict) -> list[str]:
    return [f"{workload}: {result['text']}" for (workload, _), result in results.items() if result["verdict"] == "finding"]


@on_servers
def check_each_file_means_what_its_server_makes_of_it(check: Check) -> None:
    check.that(len(list(FILES.glob("*.conf"))) > 55, "the files are there")
    started = servers(check)
    check.that(len(started) > 40, f"{len(started)} files are read")
    file = check.file("redline.yml", "workloads:\n" + "".join(server.workload() for server in started))
    told = drift(file, "--format", "json")
    results = verdicts(told)
    # The servers were not given the lines that rename commands, and know them all.
    renamed = {key: results.pop(key) for key in sorted(results) if key[1].startswith("rename-command")}
    check.equal([(name, setting, result["verdict"]) for (name, setting), result in renamed.items()],
                [(name, f"rename-command {command}", "finding")
                 for name, command in (("secrets-and-users", "CONFIG"), ("secrets-and-users", "FLUSHALL"),
                                       ("session-master", "FLUSHDB"), ("session-master", "KEYS"))], "commands under their own name")
    check.none(shown(results), "what servers run with other than their own files")
    check.none([f"{key}: {result['text']}" for key, result in results.items() if result["verdict"] == "unknown"], "what is unknown")
    compared = sum(result["verdict"] == "ok" for result in results.values())
    check.that(compared > 250, f"{compared} settings are compared")
    for server in started:
        check.that(any(key[0] == server.name for key in results), f"{server.name} is compared")
        check.that("planted" not in told.stdout + told.stderr, "no secret of a file is told")

    changed = {server.name: name for server in started if (name := server.change())}
    check.that(len(changed) > len(started) * 0.8, f"settings are changed on {sorted(changed)}")
    told = drift(file, "--format", "json")
    found: dict[str, set[str]] = {}
    for (workload, _), result in verdicts(told).items():
        if result["verdict"] == "finding" and not result["setting"].startswith("rename-command"):
            # Classes of clients are settings of their own, and a name of before is told by that of today.
            found.setdefault(workload, set()).add(result["setting"].split()[0])
    check.none([f"{name}: {found.get(name, set())}" for name in sorted({*changed, *found})
                if len(found.get(name, ())) != (name in changed)], "where not just the changed setting differs")
    wrong = [f"{name}: {changed[name]} was changed, {settings} is told" for name, settings in found.items()
             if changed[name] not in settings and not is_of_before(changed[name])]
    check.none(wrong, "what differs")
    check.equal(told.returncode, 1, "the exit with differences")


def is_of_before(name: str) -> bool:
    return any(word in name for word in ("slave", "ziplist", "lua-time", "slowlog"))


def workload(server: RedisServer, conf: pathlib.Path, more: str = "") -> str:
    return static("carts", server, kind="custom", more=f", declared: {{redis_conf: '{conf}'{more}}}, audit: {{interval: 10s}}")


def check_a_daemon_tells_what_differs(check: Check) -> None:
    """As a metric, a finding, an event and an answer of the API, and no more once it is put right; the file may change, too."""
    server = RedisServer(check, "maxmemory 64mb", 'rename-command FLUSHALL ""')
    conf = check.file("conf/redis.conf", "include part.conf\nsave 900 1\nrename-command FLUSHALL \"\"\nrequirepass planted-secret-1\n")
    part = check.file("conf/part.conf", "maxmemory 64mb\ntimeout 0\n")
    exporter = watching(check, workload(server, conf), f"--storage.path={check.folder}/store.db")
    name = f"127.0.0.1:{server.port}"

    def count() -> float | None:
        return exporter.page().value("redis_instance_declared_drift_settings", workload="carts", instance=name)

    def differing() -> list[str]:
        results = json.loads(exporter.get("/api/v1/drift?workload=carts").text)["data"]["results"]
        return [result["setting"] for result in results if result["verdict"] == "finding"]

    check.until(lambda: count() == 1, 100, "the server is looked over, and one setting differs", pause=1)
    check.equal(differing(), ["save"], "the setting that differs")
    page = exporter.page()
    check.equal(page.value("redis_finding", workload="carts", check="declared-drift", instance=name), 2, "it is a warning")
    told = drift(None, "--url", f"http://127.0.0.1:{exporter.port}", "--workload", "carts")
    check.equal(told.returncode, 1, f"the exit of the command ({told.stdout}{told.stderr})")
    check.that('save  900 1  redis.conf:2  runs with ""' in told.stdout, f"the line of the setting: {told.stdout}")
    check.that("not compared: requirepass (a secret)" in told.stdout, f"what is not compared: {told.stdout}")

    # Others are changed on the server, and it is put right in the file.
    with server.client() as client:
        client("CONFIG", "SET", "timeout", "77")
        client("CONFIG", "SET", "save", "900 1")
    check.until(lambda: differing() == ["timeout"], 40, "another setting differs", pause=1)
    events = exporter.get("/api/v1/events?workload=carts&kind=config_change").text
    check.that(f"{name} differs from redis.conf in 1 setting: timeout (0 in part.conf:2, runs with 77)" in events,
               f"the event tells it: {events[-1500:]}")
    part.write_text("maxmemory 64mb\ntimeout 77\n")
    check.until(lambda: count() == 0, 40, "the changed file is taken over", pause=1)
    check.until(lambda: "runs again with what redis.conf declares" in exporter.get("/api/v1/events?workload=carts").text, 10,
                "the event tells that, too")
    # A file that Redis would not take changes nothing, and the log says what is wrong with it.
    part.write_text("maxmemory 64mb\ntimeout\n")
    check.until(lambda: "part.conf:2:1: timeout: has no value" in exporter.output(), 20, "the log names the broken line")
    check.equal(count(), 0, "what was read before stays in force")
    part.write_text("maxmemory 32mb\ntimeout 77\nacllog-max-len 5\n")
    check.until(lambda: sorted(differing()) == ["acllog-max-len", "maxmemory"], 100,
                "a new line of the file is asked about before the next look is due", pause=1)
    check.that("planted-secret" not in exporter.output() + exporter.get("/").text + told.stdout, "no secret is told")


@on_servers
def check_servers_that_hide_config(check: Check) -> None:
    """CONFIG is renamed away, or the user may not: INFO tells a few settings, the others are unknown and say why."""
    hidden = RedisServer(check, "maxmemory 64mb", "hz 20", "maxclients 100", "appendonly yes", 'rename-command CONFIG ""')
    conf = check.file("redis.conf", "\n".join([
        f"port {hidden.port}", "maxmemory 32mb", "maxmemory-policy noeviction", "hz 20", "maxclients 100", "appendonly yes",
        "timeout 0", 'rename-command CONFIG ""', ""]))
    told = drift(check.file("hidden.yml", "workloads:\n" + workload(hidden, conf)), "--format", "json")
    results = {setting: result["verdict"] for (_, setting), result in verdicts(told).items()}
    check.equal(results, {
        "port": "ok", "maxmemory": "finding", "maxmemory-policy": "ok", "hz": "ok", "maxclients": "ok", "appendonly": "ok",
        "timeout": "unknown", "rename-command CONFIG": "ok"}, "what is known without CONFIG")
    check.equal(told.returncode, 1, "a finding beats what is unknown")

    limited = RedisServer(check, "user default on nopass ~* &* +@all -config -command")
    conf = check.file("limited.conf", 'timeout 0\nrename-command FLUSHALL ""\n')
    told = drift(check.file("limited.yml", "workloads:\n" + workload(limited, conf)), "--format", "json")
    found = verdicts(told)
    check.equal({setting: result.get("right") for (_, setting), result in found.items()},
                {"timeout": "+config|get", "rename-command FLUSHALL": "+command|info"}, "the rights that are missing")
    check.equal(told.returncode, 3, "the exit of what is unknown")


def check_sentinels_are_compared(check: Check) -> None:
    master = RedisServer(check)
    sentinel = sentinel_of(check, master)
    conf = check.file("sentinel.conf", "\n".join([
        "port 26379", "sentinel monitor mymaster 10.0.0.1 6379 2", "sentinel down-after-milliseconds mymaster 5000",
        "sentinel auth-pass mymaster planted-secret-2", ""]))
    file = check.file("redline.yml", "\n".join([
        "workloads:", "  - name: carts", "    kind: session", "    expected: {replicas: 0, sentinels: 1}",
        f"    sentinel: {{master_name: mymaster, seeds: ['127.0.0.1:{sentinel.port}']}}",
        f"    declared: {{sentinel_conf: '{conf}'}}", ""]))
    told = drift(file)
    check.equal(told.returncode, 1, f"the exit ({told.stdout}{told.stderr})")
    check.that("sentinel quorum  2  sentinel.conf:2  runs with 1" in told.stdout, f"the quorum differs: {told.stdout}")
    check.that(f"127.0.0.1:{sentinel.port}  1 of 2 settings differs" in told.stdout, f"the server is named: {told.stdout}")


def check_files_that_redis_would_not_take(check: Check) -> None:
    conf = check.file("redis.conf", "include other.conf\nmaxmemory 1gb # half of it\nrequirepass \"planted-secret-3\n")
    file = check.file("redline.yml", "workloads:\n" + static("carts", kind="custom", more=f", declared: {{redis_conf: '{conf}'}}")
                      .replace("seeds: []", "seeds: ['127.0.0.1:1']") + "\n")
    for words in (["check", "config", file], ["drift", file], ["audit", file], ["check", "fleet", file]):
        told = subprocess.run([REDLINE, *words], capture_output=True, text=True, timeout=40)
        check.equal(told.returncode, 1 if words[1] == "config" else 2, f"the exit of {words[0]} ({told.stdout}{told.stderr})")
        check.that("redis.conf:1:1: include:" in told.stderr and "redis.conf:3:1: requirepass: has quotes" in told.stderr,
                   f"{words[0]} says what is wrong: {told.stderr}")
        check.that("planted-secret" not in told.stdout + told.stderr, f"{words[0]} tells no secret")
    check.file("other.conf", "timeout 5\n")
    told = drift(file)
    check.that("requirepass" in told.stderr, "what cannot be split comes before what cannot be meant")
    conf.write_text("include other.conf\nmaxmemory 1gb # half of it\n")
    told = drift(file)
    check.that("redis.conf:2:1: maxmemory: \"1gb\" has more than one value; a comment stands on a line of its own" in told.stderr,
               f"the value is judged: {told.stderr}")
    plain = check.file("plain.yml", "workloads: [{name: carts, kind: custom, topology: static, seeds: ['127.0.0.1:1']}]\n")
    told = drift(plain)
    check.equal(told.returncode, 2, f"the exit where nothing is declared ({told.stderr})")
