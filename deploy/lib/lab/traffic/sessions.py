"""Sessions, and what applications keep beside them: rate limits, locks, idempotency keys, circuit breakers."""

import random
import time

from ..place import Place
from ..resp import Connection, ReplyError
from ..workloads.sessions import MASTER_NAME
from .worker import Worker

USERS = 400
SESSION_SECONDS = 1800
CLIENTS = 40
WINDOW_SECONDS = 60
BUCKET_TOKENS = 20
LOCKS = ("invoice", "stock", "mail", "report")
LOCK_SECONDS = 10
REQUESTS = 2000
IDEMPOTENCY_SECONDS = 86_400
SERVICES = ("billing", "search", "shipping")
CIRCUIT_SECONDS = 60
OPEN_FAILURES = 5

# Compare and delete: only the holder releases.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"
# KEYS[1] is a bucket; ARGV are its size, tokens per second, and the time in seconds. 1 when a token was taken.
TAKE_TOKEN = """
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local size, rate, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens = math.min(size, (tonumber(bucket[1]) or size) + (now - (tonumber(bucket[2]) or now)) * rate)
local taken = tokens >= 1 and 1 or 0
redis.call('HSET', KEYS[1], 'tokens', tokens - taken, 'at', now)
redis.call('EXPIRE', KEYS[1], 60)
return taken
"""


class SessionsTraffic(Worker):
    def __init__(self, place: Place, rate: int):
        super().__init__(place, "sessions", rate)
        self.connection: Connection | None = None
        self.circuits_renewed = 0.0
        # Locks that are held over rounds: the holder's token, and when the work ends.
        self.held: dict[str, tuple[int, float]] = {}
        self.patterns = ((self.session, 50), (self.fixed_window, 20), (self.sliding_window, 8), (self.token_bucket, 7),
                         (self.lock, 7), (self.idempotent_request, 5), (self.circuit, 3))

    def connect(self) -> None:
        """Asks the Sentinels who is master, as an application does."""
        password = self.place.password("sessions")
        last: Exception = ConnectionError("no sentinel answers")
        for sentinel in self.place.nodes("sentinel"):
            if not sentinel.is_running:
                continue
            try:
                address = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME)
                connection = Connection(int(address[1]), password)
            except (OSError, ReplyError) as error:
                last = error
                continue
            self.connection, self.held = connection, {}
            if connection("ROLE")[0] != b"master":
                raise ConnectionError("the master that the sentinels name is none")
            self.release = connection("SCRIPT", "LOAD", RELEASE)
            self.take_token = connection("SCRIPT", "LOAD", TAKE_TOKEN)
            return
        raise last

    def disconnect(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def round(self, budget: int) -> None:
        commands: list[tuple] = self.forced_circuits() + self.releases()
        makers, weights = zip(*self.patterns)
        while len(commands) < budget:
            commands += random.choices(makers, weights)[0]()
        self.take(self.connection.exchange(commands))

    def session(self) -> list[tuple]:
        key = f"session:{int(USERS * random.random() ** 2)}"
        if random.random() < 0.2:
            return [("HSET", key, "user", random.randrange(10_000), "cart", random.randrange(9)),
                    ("EXPIRE", key, SESSION_SECONDS)]
        return [("HGETALL", key)]

    def fixed_window(self) -> list[tuple]:
        key = f"rate:client-{random.randrange(CLIENTS)}:{int(time.time() // WINDOW_SECONDS)}"
        return [("INCR", key), ("EXPIRE", key, WINDOW_SECONDS)]

    def sliding_window(self) -> list[tuple]:
        key, now = f"sliding:client-{random.randrange(CLIENTS)}", time.time()
        return [("ZREMRANGEBYSCORE", key, 0, now - WINDOW_SECONDS), ("ZADD", key, now, random.getrandbits(48)),
                ("ZCARD", key), ("EXPIRE", key, WINDOW_SECONDS)]

    def token_bucket(self) -> list[tuple]:
        key = f"bucket:client-{random.randrange(CLIENTS)}"
        return [("EVALSHA", self.take_token, 1, key, BUCKET_TOKENS, 5, f"{time.time():.3f}")]

    def lock(self) -> list[tuple]:
        """Most work is done at once; some takes up to half a second."""
        key, token = f"lock:{random.choice(LOCKS)}", random.getrandbits(64)
        if key in self.held:
            return []
        if random.random() < 0.3:
            self.held[key] = (token, time.monotonic() + random.uniform(0.02, 0.5))
            return [("SET", key, token, "NX", "EX", LOCK_SECONDS)]
        return [("SET", key, token, "NX", "EX", LOCK_SECONDS), ("EVALSHA", self.release, 1, key, token)]

    def releases(self) -> list[tuple]:
        due = [(key, token) for key, (token, ends) in self.held.items() if ends <= time.monotonic()]
        for key, _ in due:
            del self.held[key]
        return [("EVALSHA", self.release, 1, key, token) for key, token in due]

    def idempotent_request(self) -> list[tuple]:
        key = f"idem:{random.randrange(REQUESTS)}"
        return [("SET", key, "processing", "NX", "EX", IDEMPOTENCY_SECONDS),
                ("SET", key, '{"status":201}', "XX", "EX", IDEMPOTENCY_SECONDS)]

    def circuit(self) -> list[tuple]:
        """Now and then a failure, and a success before they are five."""
        key = f"circuit:{random.choice(SERVICES)}:failures"
        return [("INCR", key), ("EXPIRE", key, CIRCUIT_SECONDS)] if random.random() < 0.3 else [("DEL", key)]

    def forced_circuits(self) -> list[tuple]:
        """Those that `deploy/lab circuit` opened fail on, well within the quiet minute that would close them."""
        if time.monotonic() - self.circuits_renewed < CIRCUIT_SECONDS / 6:
            return []
        self.circuits_renewed = time.monotonic()
        services = [name.removeprefix("circuit-") for name in self.place.faults() if name.startswith("circuit-")]
        return [("SET", f"circuit:{service}:failures", OPEN_FAILURES, "EX", CIRCUIT_SECONDS) for service in services]
