"""What looking at keys costs the servers, beside the share of their time that is allowed.

    Tests/bench/run --keys [--seconds N] [--keys N]

A master with a replica holds known keys, and clients write and read a few thousand of them a second. Redline follows locks, samples the
keyspace and looks at every key without a pause, on the replica, once for each share. What it costs is the CPU of the servers with key
work less that without it, both with polls, probes and clients; and the time that the daemon itself counts as spent.

Prints progress on standard error and a Markdown table on standard output.
"""

import argparse
import pathlib
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
sys.dont_write_bytecode = True

from checks.keyspace import filled  # noqa: E402
from harness import exporters, servers  # noqa: E402
from harness.check import Check  # noqa: E402
from measure import cpu_seconds, progress, table, verdict  # noqa: E402

SHARES = (0.005, 0.01, 0.05)
# As documents promise: a batch in hand when the share is used up, and what may be spent at once after a pause.
SLACK_SECONDS = 0.2
RATE = 4000

CONFIG = """
workloads:
- name: carts
  kind: session
  topology: replication
  seeds: ["127.0.0.1:{master}"]
  expected: {{masters: 1, replicas: 1}}
"""
KEYS = """  watches: {follow: replica, locks: {patterns: ["lock:*"]}, idempotency: {}, circuits: {}}
  keyspace: {every: 1m, sample: 20000, census: replicas}
"""


class Clients(threading.Thread):
    """Writes and reads in batches of forty, at a steady rate."""

    def __init__(self, server: servers.RedisServer):
        super().__init__(daemon=True)
        self.server, self.end = server, threading.Event()

    def run(self) -> None:
        with self.server.client(60) as client:
            index, begun = 0, time.monotonic()
            while not self.end.is_set():
                for step in range(40):
                    key = f"load:{(index + step) % 5000}"
                    client.send(*(("SET", key, "x" * 100) if step % 2 else ("GET", key)))
                for _ in range(40):
                    client.read()
                index += 40
                time.sleep(max(0.0, begun + index / RATE - time.monotonic()))


def share_of(check: Check, master: servers.RedisServer, replica: servers.RedisServer, share: float | None,
             seconds: float) -> dict[str, float]:
    """CPU of both servers, and what the daemon counts, a second."""
    config = check.file("redline.yml", CONFIG.format(master=master.port) + (KEYS if share else ""))
    flags = [f"--keywork.duty-ratio={share}"] if share else []
    exporter = exporters.redline(check, None, f"--config.file={config}", *flags)
    check.until(lambda: exporter.page().value("redis_workload_replicas_online", workload="carts") == 1, 30, "both are watched")
    time.sleep(5)

    def counted(name: str) -> float:
        return sum(exporter.page().named(name).values())

    names = {"busy": "redis_exporter_key_work_busy_seconds_total", "keys": "redis_exporter_key_work_keys_scanned_total"}
    before = {key: counted(name) for key, name in names.items()}
    cpu = {server.port: cpu_seconds(server.process.pid) for server in (master, replica)}
    own, begun = cpu_seconds(exporter.pid), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - begun
    found = {key: (counted(name) - before[key]) / took for key, name in names.items()}
    found |= {"master": (cpu_seconds(master.process.pid) - cpu[master.port]) / took,
              "replica": (cpu_seconds(replica.process.pid) - cpu[replica.port]) / took,
              "own": (cpu_seconds(exporter.pid) - own) / took, "took": took}
    exporter.stop()
    return found


def measure(check: Check, options: argparse.Namespace) -> list[list[str]]:
    master = servers.RedisServer(check)
    filled(master, options.keys)
    replica = servers.replica_of(check, master)
    clients = Clients(master)
    clients.start()
    rows = []
    progress("polls alone")
    quiet = share_of(check, master, replica, None, options.seconds)
    for share in SHARES:
        progress(f"{share:.1%} of the time")
        found = share_of(check, master, replica, share, options.seconds)
        spent = found["replica"] - quiet["replica"]
        bound = share + SLACK_SECONDS / found["took"]
        rows.append([f"{share:.1%}", f"{found['busy']:.2%}", f"{spent:.2%}", f"{found['master'] - quiet['master']:.2%}",
                     f"{found['keys']:,.0f}", f"{found['own'] - quiet['own']:.2%}", f"{bound:.2%}",
                     verdict(found["busy"] <= bound and spent <= bound)])
    clients.end.set()
    clients.join(10)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--keys", type=int, default=300_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="redline-bench.") as folder:
        check = Check(pathlib.Path(folder))
        with check.closing:
            rows = measure(check, options)
    print(table(["share allowed", "spent, by the daemon's count", "CPU of the replica", "CPU of the master", "keys a second",
                 "CPU of redline", "bound", "met"], rows))


if __name__ == "__main__":
    main()
