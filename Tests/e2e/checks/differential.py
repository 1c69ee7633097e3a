"""Redline beside prometheus-redis-exporter 1.45 on the same real Redis: nothing that a dashboard reads may be lost."""

from harness import awkward, exporters, servers
from harness.check import Check
from harness.comparison import Comparison
from harness.versions import on_servers

TIMEOUT_SECONDS = 150
KEY_WORK_SECONDS = 45

KEY_FLAGS = ("--check-keys=db0=*,db3=stream*,db15=l?st", "--check-single-keys=db1=number,db2=hash,db0=nosuchkey",
             "--count-keys=db0=*,db5=stream:*", "--check-streams=db0=stream:*", "--check-single-streams=db4=stream:orders")
GROUP_FLAGS = ("--check-key-groups=^(rate):,^(stream):,^([a-z]+)$", "--max-distinct-key-groups=5")
OTHER_FLAGS = ("--include-config-metrics", "--include-system-metrics", "--ping-on-connect")


def compare(check: Check, url: str, *flags: str) -> None:
    """Both watch `url`; their pages are compared once ours has every series, or the wait for key work is over."""
    comparison = Comparison()
    theirs = exporters.peer(check, url, *flags)
    ours = exporters.redline(check, url, exporters.FRESH, *flags)
    # The first scrapes make the statistics of the exporters' own commands appear.
    for exporter in (theirs, ours, theirs, ours):
        exporter.page()
    try:
        check.until(lambda: not comparison.missing_series(ours.page(), theirs.page()),
                    KEY_WORK_SECONDS if any("check-" in flag or "script" in flag for flag in flags) else 5, "no series is missing", pause=0.5)
    except AssertionError:
        pass
    their_page = theirs.page()
    check.none(comparison.complaints(ours.page(), their_page), "our page differs from the peer's")


def loaded(check: Check, *options: str) -> servers.RedisServer:
    server = servers.RedisServer(check, *awkward.server_options(check), *options)
    awkward.load(check, server)
    return server


@on_servers
def check_defaults(check: Check) -> None:
    server = loaded(check)
    servers.replica_of(check, server)
    servers.replica_of(check, server)
    compare(check, server.url)


@on_servers
def check_append_only(check: Check) -> None:
    server = loaded(check, "appendonly yes", "save 3600 1")
    with server.client() as redis:
        redis("BGREWRITEAOF")
        check.until(lambda: redis.info("persistence")["aof_rewrite_in_progress"] == "0"
                    and redis.info("persistence")["aof_rewrite_scheduled"] == "0", 20, "the rewrite ends")
        redis("SAVE")
    compare(check, server.url)


@on_servers
def check_keys(check: Check) -> None:
    compare(check, loaded(check).url, *KEY_FLAGS)


@on_servers
def check_key_groups(check: Check) -> None:
    compare(check, loaded(check).url, *GROUP_FLAGS)


@on_servers
def check_client_list(check: Check) -> None:
    compare(check, loaded(check).url, "--export-client-list", "--export-client-port")


@on_servers
def check_config_and_system(check: Check) -> None:
    compare(check, loaded(check).url, *OTHER_FLAGS)


@on_servers
def check_lua_script(check: Check) -> None:
    script = check.file("extra.lua", "return {'first', '1', 'second', '2.5', 'odd \\\"key', '-1e3'}")
    compare(check, loaded(check).url, f"--script={script}")


def check_namespace(check: Check) -> None:
    server = loaded(check)
    theirs = exporters.peer(check, server.url, "--namespace=cache")
    ours = exporters.redline(check, server.url, exporters.FRESH, "--namespace=cache")
    for exporter in (theirs, ours, theirs, ours):
        exporter.page()
    lost = theirs.page().families.keys() - ours.page().families.keys()
    check.none(sorted(name for name in lost if not name.startswith("go_")), "families lost under another namespace")


@on_servers
def check_replica(check: Check) -> None:
    master = loaded(check)
    replica = servers.replica_of(check, master)
    compare(check, replica.url)


@on_servers
def check_sentinel(check: Check) -> None:
    master = loaded(check)
    servers.replica_of(check, master)
    sentinel = servers.sentinel_of(check, master)
    compare(check, sentinel.url)


@on_servers
def check_cluster_node(check: Check) -> None:
    nodes = servers.cluster(check)
    awkward.load(check, nodes[0], cluster_node=True)
    compare(check, nodes[0].url)


@on_servers
def check_no_config_command(check: Check) -> None:
    compare(check, loaded(check).url, "--config-command=-")
