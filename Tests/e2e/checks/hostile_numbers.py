"""Servers that answer with the numbers, texts and streams that no honest server has: they end nothing but their own truth."""

import json
import re
import time

from harness import exporters
from harness.captured import Captured, CapturedSentinel, encoded, published, static, watching
from harness.check import Check
from harness.exporters import Exporter

TIMEOUT_SECONDS = 120
MOST, LEAST = 2 ** 63 - 1, -2 ** 63
# A person can read it: no more digits than a server in good faith has bytes.
NONSENSE = re.compile(r"\d{18,}|\.\d{6,}e|\bnan\b|\binf\b")
NUMBERS = ("used_memory", "used_memory_rss", "maxmemory", "total_system_memory", "mem_not_counted_for_evict", "keyspace_hits",
           "keyspace_misses", "connected_clients", "maxclients", "rdb_last_cow_size", "rdb_last_save_time",
           "rdb_last_bgsave_time_sec", "rdb_changes_since_last_save", "rdb_saves", "aof_delayed_fsync", "uptime_in_seconds",
           "master_repl_offset", "slave_repl_offset", "second_repl_offset", "slave_priority", "server_time_usec",
           "eventloop_duration_sum", "instantaneous_ops_per_sec", "blocked_clients", "repl_backlog_size")
LIES = [
    ("rss, doubled for a fork", {"used_memory_rss": MOST, "total_system_memory": 1}),
    ("what a fork may copy", {"used_memory_rss": 4 * 10 ** 18, "maxmemory": MOST, "total_system_memory": 1,
                              "rdb_last_cow_size": MOST}),
    ("hits and misses, added", {"keyspace_hits": MOST, "keyspace_misses": 1}),
    ("flushes, added", {f"cmdstat_{name}": f"calls={MOST},usec=1,usec_per_call=1" for name in ("flushall", "flushdb")}),
    ("memory that is not counted", {"used_memory": 1, "mem_not_counted_for_evict": -MOST, "maxmemory": 1}),
    ("memory of a maxmemory of 1", {"used_memory": MOST, "maxmemory": 1}),
    ("a dump before all time", {"rdb_last_save_time": "-1e300", "rdb_changes_since_last_save": 5, "aof_enabled": 0,
                                "rdb_last_bgsave_time_sec": 1}),
    ("up for longer than the world", {"uptime_in_seconds": "1e300", "rdb_changes_since_last_save": 5, "rdb_saves": 0,
                                      "rdb_last_bgsave_time_sec": -1, "rdb_last_save_time": 0, "aof_enabled": 0}),
    ("a silent replica", {"role": "master", "connected_slaves": 1,
                          "slave0": f"ip=127.0.0.1,port=1,state=online,offset={LEAST},lag={MOST}"}),
    ("room that is negated", {"used_memory_rss": 1, "total_system_memory": 1, "maxmemory": MOST, "rdb_last_cow_size": 2}),
    ("another time", {"server_time_usec": "1e300"}),
    *((f"{value} everywhere", dict.fromkeys(NUMBERS, value)) for value in ("nan", "1e400", "-inf", LEAST, MOST, "")),
]


def fetch_pages(check: Check, exporter: Exporter, server: Captured) -> None:
    """Every page is there, and a person can read it."""
    for path in ("/", "/events", "/alerts", f"/node/{server.address}"):
        response = exporter.get(path)
        check.equal(response.status, 200, f"the status of {path}")
        shown = re.sub(r"<style.*?</style>|<svg.*?</svg>|<[^>]*>", " ", response.text, flags=re.DOTALL)
        check.that(not NONSENSE.search(shown), f"{path} shows {NONSENSE.search(shown)}")
    check.that(json.loads(exporter.get("/sd").text), "/sd lists the members")


def check_no_number_ends_the_daemon(check: Check) -> None:
    """Sums, products and conversions of what a server says of itself, in polls, judgement and pages."""
    honest = Captured(check)
    liars = [Captured(check, info) for _, info in LIES]
    exporter = watching(
        check, "\n".join([static("honest", honest)] + [
            f"  - {{name: liar-{index}, kind: session, topology: replication, seeds: ['{liar.address}'], "
            "poll_interval: 300ms}" for index, liar in enumerate(liars)]),
        more="history: {retention: 5m}\n")
    wanted = usual_families(check, exporter, honest)
    for (name, _), liar in zip(LIES, liars):
        check.until(lambda: liar.counts.get("INFO", 0) >= 3, 15, f"{name}: polled again and again")
        page = exporter.page()
        check.equal(value_at(page, "redis_up", liar), 1, f"{name}: redis_up")
        lost = wanted - {family for family, *_ in families_of(page, liar)}
        check.that(len(lost) < 40, f"{name}: families that are gone: {sorted(lost)}")
        fetch_pages(check, exporter, liar)
    exporter.lives()
    check.equal(value_at(exporter.page(), "redis_up", honest), 1, "redis_up of the honest one")


def families_of(page, server: Captured) -> list[tuple[str, float]]:
    """The series of a member, as (name of the family, value)."""
    return [(page.family_of[series].name, page.family_of[series].series[series]) for series in page.family_of
            if ("instance", server.address) in series[1]]


def value_at(page, family: str, server: Captured) -> float | None:
    return next((value for name, value in families_of(page, server) if name == family), None)


def usual_families(check: Check, exporter: Exporter, server: Captured) -> set[str]:
    check.until(lambda: server.counts.get("INFO", 0) >= 3, 15, "the honest one is polled")
    check.until(lambda: len(families_of(exporter.page(), server)) > 100, 15, "the honest one is on the page")
    return {family for family, _ in families_of(exporter.page(), server)}


def check_a_lie_is_no_crash_loop(check: Check) -> None:
    """The same file and the same server, start after start, and with what was kept of the runs before."""
    liar = Captured(check, {"used_memory_rss": MOST, "keyspace_hits": MOST, "keyspace_misses": MOST,
                            "cmdstat_flushall": f"calls={MOST},usec=1,usec_per_call=1"})
    storage = check.folder / "redline.db"
    for start in range(3):
        before = liar.counts.get("INFO", 0)
        exporter = watching(check, static("liar", liar), f"--storage.path={storage}")
        check.until(lambda: liar.counts.get("INFO", 0) >= before + 4, 15, f"start {start + 1}: polled again and again")
        exporter.lives()
        check.equal(value_at(exporter.page(), "redis_up", liar), 1, f"start {start + 1}: redis_up")
        exporter.stop()


def check_integers_of_replies(check: Check) -> None:
    """Numbers of CLUSTER NODES, of Sentinels and of nested replies."""
    node, peer = "a" * 40, "b" * 40
    cluster = Captured(check, {"cluster_enabled": 1})
    cluster.answers["CLUSTER NODES"] = lambda _: encoded(
        f"{node} {cluster.address}@1 myself,master - 0 0 {MOST} connected 0-16383\n"
        f"{peer} 127.0.0.1:1@1 slave {node} {MOST} {LEAST} {MOST}0 connected\n")
    cluster.answers["CLUSTER INFO"] = encoded("\r\n".join(
        ["cluster_state:ok", "cluster_stats_messages_ping_sent:1", "cluster_known_nodes:99999999999999999999"]
        + [f"cluster_stats_messages_{kind}_{way}:{MOST}" for kind in ("mfstart", "fail") for way in ("sent", "received")]))
    cluster.answers["SLOWLOG GET"] = encoded([[MOST, LEAST, MOST, ["GET"], "1.2.3.4:5", ""]])
    master = Captured(check)
    sentinel = CapturedSentinel(check, ("127.0.0.1", master.port), peers=[("127.0.0.1", 1)])
    sentinel.fields = {name: str(value) for value, names in (
        (MOST, ("config-epoch", "num-other-sentinels", "quorum", "down-after-milliseconds")),
        (LEAST, ("num-slaves", "last-ok-ping-reply", "failover-timeout", "info-refresh"))) for name in names}
    exporter = watching(check, "\n".join([
        f"  - {{name: cluster, kind: cache, seeds: ['{cluster.address}'], poll_interval: 300ms}}",
        "  - {name: group, kind: session, poll_interval: 300ms, "
        f"sentinel: {{master_name: mymaster, seeds: ['127.0.0.1:{sentinel.port}']}}}}"]))
    for server in (cluster, master, sentinel):
        check.until(lambda server=server: server.counts.get("INFO", 0) >= 5, 20, "polled again and again")
    fetch_pages(check, exporter, cluster)
    for server in (cluster, master):
        check.equal(value_at(exporter.page(), "redis_up", server), 1, "redis_up")


def check_long_texts_are_cut(check: Check) -> None:
    """Labels, pages and the log hold a piece of each text of a server, and show that it is one."""
    long = 2_000_000
    texts = {"redis_version": "7." + "v" * long, "os": "é" * (long // 2), "maxmemory_policy": "p" * long,
             "run_id": "r" * long, "executable": "/e" * (long // 2)}
    alone = Captured(check, texts)
    exporter = exporters.redline(check, alone.url)
    text = check.until(lambda: exporter.get().text, 10, "the page")
    labels = [line for line in text.splitlines() if line.startswith("redis_instance_info")]
    check.equal(len(labels), 1, "series of redis_instance_info")
    check.that("…" in labels[0] and "\ufffd" not in labels[0], f"what is cut shows it: {labels[0][:3000]}")
    longest = max(map(len, text.splitlines()))
    check.that(longest < 16_384, f"the longest line has {longest} characters")

    member = Captured(check, texts)
    watcher = watching(check, static("long", member))
    check.until(lambda: member.counts.get("INFO", 0) >= 3, 15, "polled again and again")
    for path in ("/metrics", "/", "/events", f"/node/{member.address}", "/sd"):
        longest = max(map(len, watcher.get(path).text.splitlines()))
        check.that(longest < 16_384, f"the longest line of {path} has {longest} characters")
    check.that(len(watcher.output()) < 100_000, f"the log has {len(watcher.output())} characters")


def check_a_subscription_keeps_no_bytes(check: Check) -> None:
    """What is published never ends with the end of a message: the next one has always begun."""
    sent = [0]
    # One read of the daemon's is the rest of a message and the beginning of the next.
    head, channel = b"*4\r\n$8\r\npmessage\r\n", published("news", "")[len(b"*4\r\n$8\r\npmessage\r\n"):-len(b"$0\r\n\r\n")]
    size = 8192 - len(head) - len(channel) - len(b"$8000\r\n\r\n")
    rest = channel + b"$%d\r\n%s\r\n" % (size, b"x" * size)
    check.equal(len(head + rest), 8192, "bytes of a message")

    master = Captured(check)
    sentinel = CapturedSentinel(check, ("127.0.0.1", master.port))

    def behave(connection, words):
        reply = sentinel.answer(words)
        if words[0].upper() != b"PSUBSCRIBE":
            return reply
        connection.sendall(reply + head)
        time.sleep(0.3)
        began = time.monotonic()
        while time.monotonic() - began < 30 and sent[0] < 256 << 20:
            connection.sendall(rest + head)
            sent[0] += 8192
        return None

    sentinel.behave = behave
    exporter = watching(check, "  - {name: group, kind: session, "
                               f"sentinel: {{master_name: mymaster, seeds: ['127.0.0.1:{sentinel.port}']}}}}")
    check.until(lambda: sent[0] >= 4 << 20, 20, "messages are taken")
    before = exporter.anonymous_bytes()
    check.until(lambda: sent[0] >= 200 << 20, 40, "200 MiB of messages are taken")
    grown = exporter.anonymous_bytes() - before
    check.that(grown < 64 << 20, f"200 MiB of messages left {grown >> 20} MiB")
