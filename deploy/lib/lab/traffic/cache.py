"""Reads of product pages through the cache: some are wanted far more than others, and a miss is filled."""

import random

from ..cluster_client import ClusterClient
from ..place import Place
from .worker import Worker

PAGES = 1500
PAGE_BYTES = 800
TTL_SECONDS = 300
WARM_PAGES = 1000


class CacheTraffic(Worker):
    def __init__(self, place: Place, rate: int):
        super().__init__(place, "cache", rate)
        self.client: ClusterClient | None = None
        self.is_warm = False

    def connect(self) -> None:
        self.client = ClusterClient([node.port for node in self.place.nodes("cache")])
        if not self.is_warm:
            self.client.exchange([fill(page_key(number)) for number in range(WARM_PAGES)])
            self.is_warm = True

    def disconnect(self) -> None:
        if self.client:
            self.client.close()

    def round(self, budget: int) -> None:
        keys = [page_key(int(PAGES * random.random() ** 3)) for _ in range(budget)]
        pages = self.exchange([("GET", key) for key in keys])
        missed = [key for key, page in zip(keys, pages) if page is None]
        found = sum(isinstance(page, bytes) for page in pages)
        self.counts["hits"] += found
        self.counts["misses"] += len(missed)
        if missed:
            self.exchange([fill(key) for key in missed])

    def exchange(self, commands: list[tuple]) -> list:
        replies = self.client.exchange(commands)
        for reply in replies:
            # A shard that is out costs its own keys only.
            if isinstance(reply, OSError):
                self.note(reply)
        return self.take(replies)


def page_key(number: int) -> str:
    return f"product:{number}"


def fill(key: str) -> tuple:
    # The jitter keeps pages that were filled together from expiring together.
    return ("SET", key, "p" * PAGE_BYTES, "EX", random.randint(TTL_SECONDS * 4 // 5, TTL_SECONDS * 6 // 5))
