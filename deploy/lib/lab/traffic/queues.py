"""Streams with groups of consumers: producers add, each group reads and acknowledges, one takes over what was left."""

import random
import time

from ..place import Place
from ..resp import Connection, ReplyError
from ..workloads.workload import role_of
from .worker import Worker

STREAMS = {"orders": ("billing", "shipping"), "emails": ("senders",)}
READERS = [(stream, group) for stream, groups in STREAMS.items() for group in groups]
CONSUMERS = ("one", "two")
STREAM_LENGTH = 20_000
BATCH = 100
ABANDONED_MS = 30_000
# Between two looks of a group for what was abandoned.
CLAIM_SECONDS = 2


class QueuesTraffic(Worker):
    def __init__(self, place: Place, rate: int):
        super().__init__(place, "queues", rate)
        self.connection: Connection | None = None
        self.number = 0
        self.turn = 0
        self.claimed_at: dict[tuple[str, str], float] = {}

    def connect(self) -> None:
        masters = [node for node in self.place.nodes("queues") if node.is_running and role_of(node) == "master"]
        if not masters:
            raise ConnectionError("no node of the queues says that it is master")
        self.connection = masters[0].connect()
        for stream, groups in STREAMS.items():
            for group in groups:
                try:
                    self.connection("XGROUP", "CREATE", stream, group, "0", "MKSTREAM")
                except ReplyError as error:
                    if not str(error).startswith("BUSYGROUP"):
                        raise

    def disconnect(self) -> None:
        if self.connection:
            self.connection.close()
            self.connection = None

    def round(self, budget: int) -> None:
        """Half of the budget produces; the rest reads and acknowledges, in batches."""
        added = []
        for _ in range(max(1, budget // 2)):
            self.number += 1
            stream = random.choice(list(STREAMS))
            added.append(("XADD", stream, "MAXLEN", "~", STREAM_LENGTH, "*", "order", self.number))
        self.take(self.connection.exchange(added))
        if "consumers-paused" not in self.place.faults():
            self.consume(max(1, budget // 4))

    def consume(self, reads: int) -> None:
        readers = [(*READERS[(self.turn + index) % len(READERS)], random.choice(CONSUMERS)) for index in range(reads)]
        self.turn += reads
        batches = self.take(self.connection.exchange(
            [("XREADGROUP", "GROUP", group, consumer, "COUNT", BATCH, "STREAMS", stream, ">")
             for stream, group, consumer in readers]))
        finished, claims = [], []
        for (stream, group, consumer), batch in zip(readers, batches):
            if isinstance(batch, list):
                ids = [entry[0] for entry in batch[0][1]]
                finished.append(("XACK", stream, group, *ids))
                self.counts["consumed"] += len(ids)
            if time.monotonic() - self.claimed_at.get((stream, group), 0) > CLAIM_SECONDS:
                self.claimed_at[stream, group] = time.monotonic()
                claims.append(("XAUTOCLAIM", stream, group, consumer, ABANDONED_MS, "0", "COUNT", BATCH))
        # What was read and never acknowledged, such as by a consumer that was ended.
        for (_, stream, group, *_), reply in zip(claims, self.take(self.connection.exchange(claims)) if claims else ()):
            if isinstance(reply, list) and reply[1]:
                finished.append(("XACK", stream, group, *(entry[0] for entry in reply[1])))
        if finished:
            self.take(self.connection.exchange(finished))
