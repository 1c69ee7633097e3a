"""Redline beside prometheus-redis-exporter 1.45 on the same real Redis: nothing that a dashboard reads may be lost."""

from harness import awkward, exporters, servers
from harness.captured import FIXTURES
from harness.check import Check, thorough_only
from harness.comparison import Comparison
from harness.evil import EvilRedis, bulk
from harness.versions import library, on_servers

TIMEOUT_SECONDS = 150
KEY_WORK_SECONDS = 45
FOREIGN = FIXTURES / "foreign"

KEY_FLAGS = ("--check-keys=db0=*,db3=stream*,db15=l?st", "--check-single-keys=db1=number,db2=hash,db0=nosuchkey",
             "--count-keys=db0=*,db5=stream:*", "--check-streams=db0=stream:*", "--check-single-streams=db4=stream:orders")
GROUP_FLAGS = ("--check-key-groups=^(rate):,^(stream):,^([a-z]+)$", "--max-distinct-key-groups=5")
OTHER_FLAGS = ("--include-config-metrics", "--include-system-metrics", "--ping-on-connect")


def compare(check: Check, url: str, *flags: str, padded: tuple[str, ...] = ()) -> None:
    """Both watch `url`; their pages are compared once ours has every series, or the wait for key work is over.

    `padded` are families that the peer makes up where the server does not tell.
    """
    comparison = Comparison()
    comparison.missing.update(padded)
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


def check_tile38(check: Check) -> None:
    """A fake one, which answers INFO and SERVER EXT as the source of Tile38 1.36 writes them, and knows nothing else."""
    told = {b"INFO": bulk((FOREIGN / "tile38-1.36.6.txt").read_bytes()),
            b"SERVER": (FOREIGN / "tile38-1.36.6-server-ext.resp").read_bytes()}
    server = EvilRedis(check, lambda _, words: told.get(words[0].upper(), b"-ERR unknown command\r\n"))
    compare(check, server.url, "--is-tile38", padded=("redis_db_keys", "redis_db_keys_expiring"))
    ours = exporters.redline(check, server.url, "--is-tile38")
    check.equal(ours.page().value("redis_tile38_num_points_total"), 7, "redis_tile38_num_points_total")


@thorough_only
def check_search_indexes(check: Check) -> None:
    """The peer knows none yet: what FT.INFO of a real RediSearch says is on our page."""
    server = servers.RedisServer(check, f"loadmodule {library('redis-7.4', 'redisearch.so')}", version="redis-7.4")
    ours = exporters.redline(check, server.url, "--include-search-indexes-metrics", "--check-search-indexes=^id",
                             "--keywork.interval=1s")
    with server.client() as redis:
        for index in ("idx", "other:idx"):
            redis("FT.CREATE", index, "ON", "HASH", "PREFIX", "1", "d:", "SCHEMA", "t", "TEXT", "v", "NUMERIC")
        redis("HSET", "d:1", "t", "hello world", "v", "3")
        redis("HSET", "d:2", "t", "hello", "v", "none")
        check.until(lambda: ours.page().value("redis_search_index_num_docs", index_name="idx") == 1, 15, "the document that can be indexed is counted")
        info = redis("FT.INFO", "idx")
    told = {key: value for key, value in zip(info[::2], info[1::2]) if not isinstance(value, list)}
    page = ours.page()
    for field, metric, factor in (("max_doc_id", "max_doc_id", 1), ("num_terms", "num_terms", 1),
                                  ("hash_indexing_failures", "hash_indexing_failures", 1),
                                  ("doc_table_size_mb", "doc_table_size_bytes", 1 << 20),
                                  ("bytes_per_record_avg", "avg_per_record_bytes", 1)):
        check.equal(page.value(f"redis_search_index_{metric}", index_name="idx"), float(told[field]) * factor, metric)
    check.none([series for series in page.family_of if ("index_name", "other:idx") in series[1]], "what does not match")
