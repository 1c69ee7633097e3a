"""Every fault of a cluster, and its end: the right topology, counts and events, and nothing left over."""

import signal
import time

from checks.faults import SETTLE_SECONDS, Watch
from checks.fleet import address, events, failovers
from harness import servers
from harness.certificates import Authority
from harness.check import Check
from harness.cluster import Cluster

TIMEOUT_SECONDS = 150


def steady_cluster(watch: Watch, cluster: Cluster) -> None:
    cluster.whole()
    masters, replicas = cluster.roles()
    watch.steady(*masters, replicas=replicas)
    watch.check.until(lambda: watch.exporter.page().value(
        "redis_workload_slots", state="ok", workload="pages", environment="test") == 16384, SETTLE_SECONDS, "all slots")


def check_polled_slowly(check: Check) -> None:
    """Failovers that are over before anybody looks: 5 s between polls, 1.5 s until a node counts as failed."""
    cluster = Cluster(check)
    watch = Watch(check, "pages", "- {name: pages, kind: cache, poll_interval: 5s, "
                                  f"seeds: ['{address(cluster.nodes[0])}']}}\n", 6)
    steady_cluster(watch, cluster)
    open_before = watch.open_descriptors()

    victim = cluster.nodes[1]
    heir = cluster.replica_of(victim)
    victim.process.signal(signal.SIGKILL)
    check.until(lambda: cluster.leads(heir), 15, "a replica takes over")
    watch.counts(automatic=1)
    victim.restart()
    steady_cluster(watch, cluster)
    watch.is_told("restart", victim)

    with victim.client() as client:
        client("CLUSTER", "FAILOVER")
    check.until(lambda: victim in cluster.roles()[0], 10, "the manual failover takes place")
    watch.counts(automatic=1, manual=1)

    hung = cluster.nodes[2]
    heir = cluster.replica_of(hung)
    hung.process.signal(signal.SIGSTOP)
    check.until(lambda: cluster.leads(heir), 15, "a replica takes over from the hung master")
    hung.process.signal(signal.SIGCONT)
    steady_cluster(watch, cluster)
    watch.counts(automatic=2, manual=1)
    watch.no_leak(open_before)
    check.equal([detail["kind"] for detail in watch.details()], ["automatic", "manual", "automatic"], "the events")

    # The daemon is killed, too, before the nodes have agreed upon a new master.
    heir = cluster.replica_of(victim)
    victim.process.signal(signal.SIGKILL)
    time.sleep(1.5)
    watch.kill()
    watch.start()
    check.equal(sum(failovers(watch.exporter).values()), 3, "the counts of the first page after a restart")
    check.until(lambda: cluster.leads(heir), 15, "a replica takes over")
    check.until(lambda: sum(failovers(watch.exporter).values()) == 4, SETTLE_SECONDS, "it is counted")
    victim.restart()
    steady_cluster(watch, cluster)
    check.equal(failovers(watch.exporter)["manual"], 1, "what nobody asked for is not manual")
    check.equal((sum(failovers(watch.exporter).values()), len(watch.details())), (4, 4), "it is counted once")
    check.equal(events(check, "config_change"), [], "no failover changes settings")


def check_with_tls_grows_shrinks_and_loses_nodes(check: Check) -> None:
    authority = Authority(check)
    cluster = Cluster(check, authority)
    watch = Watch(check, "pages", f"- {{name: pages, kind: cache, seeds: ['{address(cluster.nodes[0])}'], "
                                  f"tls: {{ca_file: '{authority.certificate}'}}}}\n", 6)
    steady_cluster(watch, cluster)
    open_before = watch.open_descriptors()

    victim = cluster.nodes[1]
    heir = cluster.replica_of(victim)
    victim.process.signal(signal.SIGKILL)
    check.until(lambda: cluster.leads(heir), 15, "a replica takes over")
    watch.counts(automatic=1)
    victim.restart()
    steady_cluster(watch, cluster)

    # A replica joins, and is forgotten.
    master = cluster.nodes[0]
    added = cluster.node()
    with added.client() as client:
        client("CLUSTER", "MEET", "127.0.0.1", master.port)
        check.until(lambda: _replicates(client, cluster.id(master)), 10, "the new node replicates")
    cluster.nodes.append(added)
    steady_cluster(watch, cluster)
    watch.is_told("arrival", added)
    own = cluster.id(added)
    cluster.nodes.remove(added)
    added.process.signal(signal.SIGKILL)
    check.until(lambda: all(_forgets(node, own) for node in cluster.nodes), 10, "all nodes forget it")
    check.until(lambda: watch.is_gone(added), SETTLE_SECONDS, "no series of the removed node")
    watch.is_told("departure", added)
    steady_cluster(watch, cluster)

    # Another node at the address of a dead one: the cluster knows both, by their ids.
    old = cluster.replica_of(master)
    old_id = cluster.id(old)
    old.process.signal(signal.SIGKILL)
    old.process.wait(5)
    (old.folder / "nodes.conf").unlink()
    old.restart()
    with old.client() as client:
        client("CLUSTER", "MEET", "127.0.0.1", master.port)
        check.until(lambda: _replicates(client, cluster.id(master)), 10, "the node that replaced it replicates")
    check.until(lambda: all(_forgets(node, old_id) for node in cluster.nodes), 10, "all nodes forget the old one")
    steady_cluster(watch, cluster)
    watch.is_told("restart", old)
    watch.counts(automatic=1)
    watch.no_leak(open_before)


def _replicates(client, master: str) -> bool:
    try:
        return client("CLUSTER", "REPLICATE", master) == "OK"
    except servers.ReplyError:
        return False


def _forgets(node: servers.RedisServer, own: str) -> bool:
    with node.client() as client:
        if own in client("CLUSTER", "NODES").decode() and client("CLUSTER", "MYID").decode() != own:
            client("CLUSTER", "FORGET", own)
    return True
