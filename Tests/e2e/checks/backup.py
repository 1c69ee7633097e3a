"""A backup is loaded by a server of its own before it counts as one, and each way in which it is none has a name."""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

from harness.captured import static, watching
from harness.check import Check
from harness.paths import REDLINE, tool
from harness.servers import RedisServer, replica_of
from harness.versions import program

TIMEOUT_SECONDS = 180


def configuration(check: Check, server: RedisServer, backup: str = "", more: str = "") -> str:
    fields = f", backup: {{server_binary: {program(check.server)}{backup}}}{more}"
    return check.file("fleet.yml", f"results: {{path: {results(check)}}}\nworkloads:\n"
                      f"{static('carts', server, kind='custom', more=fields)}\n")


def results(check: Check) -> pathlib.Path:
    folder = check.folder / "results"
    folder.mkdir(exist_ok=True)
    return folder


def scratch(check: Check) -> pathlib.Path:
    """Where private folders are made: whoever the server runs as may pass through it."""
    folder = pathlib.Path("/var/tmp") / f"redline-check-{check.folder.name}-{check.folder.stat().st_ino}"
    folder.mkdir(exist_ok=True, mode=0o711)
    folder.chmod(0o711)
    check.closing.callback(shutil.rmtree, folder, ignore_errors=True)
    return folder


def words(config: str, *more: str) -> list[str]:
    return [REDLINE, "backup", "verify", config, "--workload", "carts", *more]


def environment(check: Check, path: str | None = None) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(scratch(check)), **({"PATH": path} if path else {})}


def verify(check: Check, config: str, *more: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    told = subprocess.run(words(config, *more), capture_output=True, text=True, timeout=100, env=environment(check, path))
    check.equal(list(scratch(check).iterdir()), [], "folders that are left")
    return told


def told(check: Check, run: subprocess.CompletedProcess[str], status: int, *texts: str) -> None:
    check.equal(run.returncode, status, f"the exit ({run.stdout}{run.stderr})")
    for text in texts:
        check.that(text in run.stdout, f"{text!r} is told: {run.stdout}{run.stderr}")


def last_report(check: Check) -> dict:
    files = sorted(results(check).glob("backup-carts-*.json"), key=lambda file: file.stat().st_mtime_ns)
    return json.loads(files[-1].read_text())


def fill(server: RedisServer, keys: int, expiring: int = 0, prefix: str = "session:") -> None:
    with server.client(60) as client:
        client("EVAL", "for i=1,ARGV[1] do redis.call('SET', ARGV[2]..i, 'v'..i) end", "0", str(keys), prefix)
        if expiring:
            client("EVAL", "for i=1,ARGV[1] do redis.call('SET', 'basket:'..i, 'v', 'PX', ARGV[2]) end", "0", str(expiring), "2000")


def save(server: RedisServer) -> pathlib.Path:
    with server.client(60) as client:
        client("SAVE")
    return server.folder / "dump.rdb"


def check_keys_are_counted_exactly(check: Check) -> None:
    """121,000 keys and 20,000 that have expired when the file is loaded: a master would drop these."""
    server = RedisServer(check)
    fill(server, 121_000, 20_000)
    with server.client() as client:
        client("SELECT", "3")
        client("HSET", "cart:1", "a", "b")
    file = save(server)
    time.sleep(2.5)
    good = verify(check, configuration(check, server), "--file", str(file))
    told(check, good, 0, "db0: 141000 keys, 121000 of them without a TTL", "db3: 1 keys", "session:", "RTO: loaded in",
         "RPO: the last write")
    report = last_report(check)
    check.equal((report["check"], report["workload"], report["verdict"]), ("backup", "carts", "ok"), "the report")
    check.equal((report["numbers"]["keys_db0"], report["numbers"]["keys_db3"]), (141_000, 1), "its keys")
    check.that(0 < report["numbers"]["load_seconds"] < 60 and 2 < report["numbers"]["age_seconds"] < 60, "its times")
    check.that("session:1" not in json.dumps(report) + good.stdout, "no key is told")
    answers = json.loads(verify(check, configuration(check, server), "--file", str(file), "--format", "json").stdout)
    check.equal({one["verdict"] for one in answers["results"]}, {"ok"}, "the answers")
    check.equal(len(answers["results"]), 10, "how many answers there are")


def check_each_fault_fails_by_its_name(check: Check) -> None:
    server = RedisServer(check)
    fill(server, 30_000)
    file = save(server)
    good = file.read_bytes()
    config = configuration(check, server)
    random.seed(7)

    def broken(name: str, content: bytes) -> subprocess.CompletedProcess[str]:
        path = check.folder / f"{name}.rdb"
        path.write_bytes(content)
        return verify(check, config, "--file", str(path))

    told(check, broken("cut", good[:len(good) // 2]), 1, "truncated:")
    flipped = bytearray(good)
    for _ in range(20):
        flipped[random.randrange(2000, len(good) - 2000)] ^= 0xFF
    run = broken("flipped", bytes(flipped))
    told(check, run, 1)
    check.that("damaged:" in run.stdout or "truncated:" in run.stdout, f"flipped bytes are named: {run.stdout}")
    told(check, broken("checksum", good[:-1] + bytes([good[-1] ^ 1])), 1, "damaged:")
    told(check, broken("nothing", b""), 1, "empty:")
    told(check, broken("foreign", b"\x1f\x8b" + bytes(5000)), 1, "foreign:", "packed by gzip")
    told(check, broken("newer", good[:5] + b"0099" + good[9:]), 1, "newer-format:")
    told(check, verify(check, config, "--file", str(check.folder / "none.rdb")), 1, "missing:")
    told(check, verify(check, config, "--command", "false {}"), 1, "missing:")
    told(check, verify(check, config, "--command", f"cat {file} > {{}}"), 0, "db0: 30000 keys")
    empty = RedisServer(check)
    told(check, verify(check, config, "--file", str(save(empty))), 1, "no-keys:")
    aged = configuration(check, server, more=", objectives: {backup_age: 1s}")
    time.sleep(2)
    told(check, verify(check, aged, "--file", str(file)), 1, "too-old:")
    check.equal(verify(check, aged, "--file", str(file), "--fail-on", "critical").returncode, 0, "an old one may be let pass")
    slow = configuration(check, server, ", max_load: 1ms")
    told(check, verify(check, slow, "--file", str(file)), 1, "slow:")


def check_what_is_gone_since_the_last_time_is_named(check: Check) -> None:
    server = RedisServer(check)
    fill(server, 9000)
    fill(server, 1000, prefix="queue:")
    config = configuration(check, server)
    told(check, verify(check, config, "--file", str(save(server))), 0, "db0: 10000 keys")
    with server.client(60) as client:
        client("EVAL", "for i=1,1000 do redis.call('DEL', 'queue:'..i) end", "0")
    told(check, verify(check, config, "--file", str(save(server))), 1, "prefix-gone:", "queue: (10 % of the keys last time)")


def check_history_and_stream_are_compared(check: Check) -> None:
    """A daemon tells how many keys there were, and when the offset of the file was reached."""
    master = RedisServer(check)
    replica_of(check, master)
    fill(master, 10_000)
    daemon = watching(check, static("carts", master, kind="custom"), more="history: {retention: 1h}\n")

    def seen() -> bool:
        answer = json.loads(daemon.get("/api/v1/query?query=redis_db_keys%7Bdb%3D%22db0%22%7D").text)
        return [one["value"][1] for one in answer["data"]["result"]] == ["10000"]

    check.until(seen, 15, "the daemon sees the keys")
    time.sleep(3)
    file = save(master)
    with master.client() as client:
        client("SET", "later", "x" * 5000)
    config = configuration(check, master)
    run = verify(check, config, "--file", str(file), "--url", f"http://127.0.0.1:{daemon.port}")
    told(check, run, 0, "db0: 10000 keys", "by its offset in the stream of writes", "KiB of writes since")
    behind = last_report(check)["numbers"]
    check.that(behind["behind_bytes"] >= 5000, f"bytes that came later: {behind}")
    check.that(0 <= behind["behind_seconds"] < 60, f"the age of the last write: {behind}")
    other = RedisServer(check)
    replica_of(check, other)
    fill(other, 10_000)
    told(check, verify(check, config, "--file", str(save(other))), 1, "foreign-repl-id:")
    few = RedisServer(check)
    fill(few, 9000)
    told(check, verify(check, config, "--file", str(save(few)), "--url", f"http://127.0.0.1:{daemon.port}"), 1,
         "keys-differ:", "db0 has 9000 keys, and had 10000")


def check_append_only_files(check: Check) -> None:
    server = RedisServer(check, "appendonly yes")
    fill(server, 5000)
    with server.client() as client:
        client("BGREWRITEAOF")
    check.until(lambda: rewritten(server), 20, "the file is rewritten")
    fill(server, 2000, prefix="late:")
    folder = server.folder / "appendonlydir"
    config = configuration(check, server)
    told(check, verify(check, config, "--aof", str(folder)), 0, "db0: 7000 keys", "late:")

    def copy(name: str) -> pathlib.Path:
        return pathlib.Path(shutil.copytree(folder, check.folder / name))

    cut = copy("cut")
    increment = max(cut.glob("*.incr.aof"), key=lambda file: file.stat().st_size)
    increment.write_bytes(increment.read_bytes()[:-9])
    run = verify(check, config, "--aof", str(cut))
    told(check, run, 1, "truncated:")
    gone = copy("gone")
    next(gone.glob("*.base.rdb")).unlink()
    told(check, verify(check, config, "--aof", str(gone)), 1, "part-missing:")
    bare = copy("bare")
    next(bare.glob("*.manifest")).unlink()
    told(check, verify(check, config, "--aof", str(bare)), 1, "part-missing:", "no manifest")


def rewritten(server: RedisServer) -> bool:
    with server.client() as client:
        state = client.info("persistence")
    return (state["aof_rewrite_in_progress"], state["aof_rewrite_scheduled"]) == ("0", "0")


def check_other_servers(check: Check) -> None:
    """A file of Redis 8.2 or Valkey 9.1 needs a server of its own kind; an older one is no way back."""
    old = program("redis-7.0")
    for name in ("redis-8.2", "valkey-9.1"):
        server = RedisServer(check, version=name, name=name)
        fill(server, 1000)
        file = save(server)
        more = f", backup: {{server_binary: {program(name)}}}"
        config = check.file(f"{name}.yml", f"workloads:\n{static('carts', server, kind='custom', more=more)}\n")
        told(check, verify(check, config, "--file", str(file)), 0, "db0: 1000 keys")
        config = check.file(f"{name}-old.yml", f"workloads:\n{static('carts', server, kind='custom', more=more.replace(program(name), old))}\n")
        run = verify(check, config, "--file", str(file))
        told(check, run, 1)
        check.that("newer-format:" in run.stdout or "foreign:" in run.stdout, f"an old server does not read it: {run.stdout}")


def check_what_stops_it(check: Check) -> None:
    server = RedisServer(check)
    fill(server, 100)
    file = save(server)
    text = f"workloads:\n{static('carts', server, kind='custom')}\n"
    config = check.file("plain.yml", text)
    run = verify(check, config, "--file", str(file), path="/usr/bin:/bin")
    told(check, run, 3, "binary:", "redis-server")
    check.equal(verify(check, config).returncode, 2, "without a backup")
    check.equal(verify(check, check.file("bad.yml", "workloads: 1\n"), "--file", str(file)).returncode, 2, "a bad file")
    check.equal(verify(check, config, "--file", str(file), "--aof", "/tmp").returncode, 64, "two backups")
    if os.geteuid() == 0:
        # The server runs as nobody, who may not pass through this one: that says nothing of the file.
        closed = check.folder / "closed"
        closed.mkdir(mode=0o700)
        run = subprocess.run(words(configuration(check, server), "--file", str(file)), capture_output=True, text=True, timeout=60,
                             env={**os.environ, "TMPDIR": str(closed)})
        told(check, run, 3, "binary:", "nobody")
        check.equal(list(closed.iterdir()), [], "folders that are left")
    found = str(pathlib.Path(tool("redis-server")).parent)
    told(check, verify(check, config, "--file", str(file), path=f"{found}:/usr/bin:/bin"), 0, "db0: 100 keys")


def check_a_replica_saves_it_and_a_master_never(check: Check) -> None:
    master = RedisServer(check)
    fill(master, 20_000)
    replica = replica_of(check, master)
    text = f", backup: {{server_binary: {program(check.server)}}}"
    both = check.file("both.yml", f"workloads:\n{static('carts', master, replica, kind='custom', more=text)}\n")

    def forks(server: RedisServer) -> int:
        with server.client() as client:
            return int(client.info("stats")["total_forks"])

    before = forks(master)
    told(check, verify(check, both, "--from-replica"), 0, "db0: 20000 keys", "0 B of writes since")
    check.equal((forks(master), forks(replica)), (before, 1), "forks of master and replica")
    alone = check.file("alone.yml", f"workloads:\n{static('carts', master, kind='custom', more=text)}\n")
    run = verify(check, alone, "--from-replica")
    check.equal(run.returncode, 2, f"the exit without a replica ({run.stdout}{run.stderr})")
    with replica.client() as client:
        client("CONFIG", "SET", "maxmemory", "1000gb")
    run = verify(check, both, "--from-replica")
    check.equal(run.returncode, 2, f"the exit without headroom ({run.stdout}{run.stderr})")
    check.that("fork headroom" in run.stderr, f"the guard is named: {run.stderr}")
    check.equal(forks(replica), 1, "forks of the replica that is refused")


def children(folder: pathlib.Path) -> list[str]:
    """Processes that have the folder in their arguments, this one's own command left out."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, IndexError):
            continue
        if str(folder) in line and state != "Z":
            found.append(f"{entry.name}: {line[:100]}")
    return found


def check_a_kill_leaves_nothing(check: Check) -> None:
    server = RedisServer(check)
    fill(server, 60_000)
    file = save(server)
    config = configuration(check, server)
    place = scratch(check)
    random.seed(time.time_ns())
    seen = 0
    for _ in range(check.share(8, 60)):
        run = subprocess.Popen(words(config, "--command", f"sleep 0.2; cat {file} > {{}}"), env=environment(check),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0.1, 2.0))
        seen += bool(children(place))
        run.send_signal(signal.SIGKILL)
        run.wait()
        check.until(lambda: not children(place) and not list(place.iterdir()), 10,
                    "no server and no folder is left")
    check.that(seen > 0, "some were killed while a child ran")
