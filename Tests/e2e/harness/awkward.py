"""Data, clients and errors of the kinds that exporters stumble over."""

import contextlib

from .check import Check
from .resp import Redis, ReplyError
from .servers import RedisServer

STRANGE_NAMES = ["naïve-клиент-客户", 'quote"inside', "back\\slash", "comma,semi;colon", "equals=sign", "{curly}"]
STRANGE_KEYS = ["plain", "ключ-键", 'say "hello"', "back\\slash", "line\nbreak", "tab\there", "percent%41", "a=b,c", "{tag}one",
                "rate:client-1:60"]

SERVER_OPTIONS = (
    "databases 16", 'rename-command SWAPDB "oddly.named-COMMAND"', "slowlog-log-slower-than 0",
    "slowlog-max-len 32", "latency-monitor-threshold 1", "maxmemory 256mb", "maxmemory-policy volatile-lru",
    "client-output-buffer-limit normal 16mb 8mb 60",
)


def server_options(check: Check) -> tuple[str, ...]:
    # Older servers need no leave for DEBUG, and do not know the setting.
    return SERVER_OPTIONS if check.server == "redis-6.2" else (*SERVER_OPTIONS, "enable-debug-command yes")


def load(check: Check, server: RedisServer, cluster_node: bool = False) -> None:
    """Fills the databases, makes errors and leaves strange clients connected until the check ends."""
    with server.client() as redis:
        for number in range(1 if cluster_node else 16):
            if not cluster_node:
                redis("SELECT", number)
            fill_database(redis, number)
        if not cluster_node:
            redis("SELECT", 0)
            redis("oddly.named-COMMAND", 14, 15)
        make_errors(redis)
        ignoring(redis, "EVAL", "return redis.call('GET', KEYS[1])", 1, "number")
        ignoring(redis, "FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
        ignoring(redis, "DEBUG", "SLEEP", "0.02")
    if not cluster_node:
        connect_strangers(check, server)


def ignoring(redis: Redis, *words) -> None:
    """A command that a cluster node may redirect, and an old server not know."""
    with contextlib.suppress(ReplyError):
        redis(*words)


def fill_database(redis: Redis, number: int) -> None:
    for index, key in enumerate(STRANGE_KEYS):
        ignoring(redis, "SET", key, f"value {index} of {number}")
        if index % 3 == 0:
            ignoring(redis, "EXPIRE", key, 100_000)
    ignoring(redis, "SET", "number", 40 + number)
    ignoring(redis, "SET", "float", "2.5e3")
    ignoring(redis, "SET", "binary", bytes(range(256)))
    ignoring(redis, "SET", "empty", "")
    ignoring(redis, "RPUSH", "list", *range(20 + number))
    ignoring(redis, "SADD", "set", *STRANGE_KEYS)
    ignoring(redis, "ZADD", "zset", 1, "one", 2, "two", "inf", "most")
    ignoring(redis, "HSET", "hash", *sum(([f"field{i}", i] for i in range(30)), []))
    ignoring(redis, "PFADD", "loglog", *range(1000))
    ignoring(redis, "SETBIT", "bits", 10_000, 1)
    fill_streams(redis)


def fill_streams(redis: Redis) -> None:
    for index in range(25):
        ignoring(redis, "XADD", "stream:orders", f"17000000{index:05}-0", "item", index)
    ignoring(redis, "XADD", "stream:naïve \"s\"", "1700000000000-1", "item", 1)
    ignoring(redis, "XGROUP", "CREATE", "stream:empty", "nobody", "$", "MKSTREAM")
    ignoring(redis, "XGROUP", "CREATE", "stream:orders", "workers", "0")
    ignoring(redis, "XGROUP", "CREATE", "stream:orders", "quoted \"group\"", "1700000000010-0")
    ignoring(redis, "XREADGROUP", "GROUP", "workers", "consumer-1", "COUNT", 7, "STREAMS", "stream:orders", ">")
    ignoring(redis, "XREADGROUP", "GROUP", "workers", "consumer \\2", "COUNT", 3, "STREAMS", "stream:orders", ">")
    ignoring(redis, "XDEL", "stream:orders", "1700000000020-0")


def make_errors(redis: Redis) -> None:
    for words in (["LPUSH", "number", 1], ["NOSUCHCOMMAND"], ["SET", "only-a-key"], ["EVALSHA", "f" * 40, 0],
                  ["AUTH", "wrong"], ["OBJECT", "NOSUCH"], ["INCR", "float"],
                  ["EVAL", "return redis.error_reply('ODDLY-named error here')", 0]):
        ignoring(redis, *words)


def connect_strangers(check: Check, server: RedisServer) -> None:
    """Named, blocked, subscribed, watching and transacting clients that stay for the whole check."""
    for name in STRANGE_NAMES:
        check.closing.callback(client_named(server, name).close)
    actions = {
        "blocked": [("BLPOP", "nothing-here", 0)], "stream-blocked": [("XREAD", "BLOCK", 0, "STREAMS", "quiet", "$")],
        "subscriber": [("SUBSCRIBE", "news", "naïve\"channel")], "patterns": [("PSUBSCRIBE", "news.*", "*[a-z]")],
        "sharded": [("SSUBSCRIBE", "shard-news")], "watcher": [("WATCH", "number")],
        "transaction": [("MULTI",), ("SET", "never", 1)], "tracker": [("HELLO", 3), ("CLIENT", "TRACKING", "ON")],
    }
    for name, commands in actions.items():
        client = client_named(server, name)
        for words in commands:
            client.send(*words)
        check.closing.callback(client.close)

    def settled() -> bool:
        with server.client() as redis:
            info = redis.info()
            return info["blocked_clients"] == "2" and info["tracking_clients"] == "1"

    check.until(settled, 5, "the strange clients are in their states")


def client_named(server: RedisServer, name: str) -> Redis:
    client = server.client()
    try:
        client("CLIENT", "SETNAME", name)
    except ReplyError:
        # Redis itself refuses some names; HELLO and older servers let more through.
        client("CLIENT", "SETNAME", name.encode("ascii", "replace").decode())
    return client
