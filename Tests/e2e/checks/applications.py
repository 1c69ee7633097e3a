"""What checks of applications judge by, on real servers: which errors and commands they count, and what is said of regions."""

import json
import subprocess

from harness import servers
from harness.check import Check
from harness.paths import REDLINE
from harness.resp import Redis, ReplyError
from harness.versions import on_servers

TIMEOUT_SECONDS = 120


def refused(client: Redis, *words: str) -> str:
    try:
        client(*words)
    except ReplyError as error:
        return str(error).split()[0]
    return ""


def counted(client: Redis, kind: str) -> int:
    return int(client.info("errorstats").get(f"errorstat_{kind}", "count=0").partition("=")[2])


@on_servers
def check_redirections_are_counted(check: Check) -> None:
    """READONLY on a replica, MOVED on a node of a cluster; and MOVED is no command that ran."""
    replica = servers.replica_of(check, servers.RedisServer(check))
    with replica.client() as client:
        check.equal([refused(client, "SET", "k", "v") for _ in range(5)], ["READONLY"] * 5, "writes to the replica")
        check.equal(counted(client, "READONLY"), 5, "the replica counts them")
    nodes = servers.cluster(check)
    with nodes[0].client() as client:
        before = int(client.info("stats")["total_commands_processed"])
        answers = [refused(client, "GET", f"k{number}") for number in range(300)]
        moved = answers.count("MOVED")
        check.that(100 < moved < 300, f"two of three slots are elsewhere: {moved}")
        check.equal(counted(client, "MOVED"), moved, "the node counts them")
        ran = int(client.info("stats")["total_commands_processed"]) - before
        check.that(ran < 300 - moved + 20, f"{ran} of 300 commands ran, {moved} were sent elsewhere")


def check_a_queue_in_one_region_is_found(check: Check) -> None:
    master = servers.RedisServer(check)
    replica = servers.replica_of(check, master)
    workload = (f"workloads: [{{name: jobs, kind: queue, seeds: ['127.0.0.1:{master.port}'], expected: {{replicas: any}},"
                " persistence: {rdb: any, aof: any}, objectives: {rpo: off}}]\n")

    def found(regions: str) -> list[tuple[str, str]]:
        file = check.file("redline.yml", regions + workload)
        told = subprocess.run([REDLINE, "check", "fleet", file, "--format", "json"], capture_output=True, text=True,
                              timeout=40)
        return [(one["verdict"], one["text"]) for one in json.loads(told.stdout)["results"]
                if one["check"] == "queue-without-region"]

    # The regions are told by the port here: every server has the one address of loopback.
    both = f"regions: {{eu: ['127.0.0.1:{master.port}', '127.0.0.1:{replica.port}'], us: ['10.0.0.0/8:*']}}\n"
    (verdict, text), = found(both)
    check.equal(verdict, "finding", text)
    check.that("in eu has replicas in eu alone" in text, text)
    (verdict, text), = found(f"regions: {{eu: ['127.0.0.1:{master.port}'], us: ['127.0.0.1:{replica.port}']}}\n")
    check.equal(verdict, "ok", text)
    (verdict, text), = found(f"regions: {{eu: ['127.0.0.1:{master.port}']}}\n")
    check.equal(verdict, "unknown", text)
    (verdict, text), = found("")
    check.equal(verdict, "ok", f"without regions nothing is judged: {text}")
