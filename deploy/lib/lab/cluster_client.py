"""A client of the cache that follows its slots: commands go to their masters, one write per master."""

import binascii
import contextlib
import random
import time

from .resp import Connection, ReplyError

SLOTS = 16384
REST_SECONDS = 1.0


def slot_of(key: str) -> int:
    """CRC16 (XMODEM) of the key, or of the part in braces that the key asks to be placed by."""
    opening = key.find("{")
    closing = key.find("}", opening + 1)
    if opening >= 0 and closing > opening + 1:
        key = key[opening + 1:closing]
    return binascii.crc_hqx(key.encode(), 0) % SLOTS


class ClusterClient:
    """Not for two threads at once. A node that fails is left alone for a second, its keys fail at once meanwhile."""

    def __init__(self, seed_ports: list[int], seconds: float = 0.5):
        self.seed_ports = seed_ports
        self.seconds = seconds
        self.owners: list[tuple[int, int, int]] = []
        self.connections: dict[int, Connection] = {}
        self.resting: dict[int, float] = {}
        self.learnt = 0.0

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def master_ports(self) -> list[int]:
        self._learn()
        return sorted({port for _, _, port in self.owners})

    def exchange(self, commands: list[tuple]) -> list:
        """A reply per command, whose key is its second word; an error or a lost connection is an element."""
        self._learn()
        replies: list = [ConnectionError("no node has this slot")] * len(commands)
        by_port: dict[int, list[int]] = {}
        for index, words in enumerate(commands):
            by_port.setdefault(self._port_of(slot_of(words[1])), []).append(index)
        for port, indices in by_port.items():
            if port == 0:
                continue
            for index, reply in zip(indices, self._exchange(port, [commands[index] for index in indices])):
                replies[index] = reply
        if any(isinstance(reply, Exception) for reply in replies):
            self.owners = []
        return replies

    def _exchange(self, port: int, commands: list[tuple]) -> list:
        if self.resting.get(port, 0) > time.monotonic():
            return [ConnectionError("left alone for a moment")] * len(commands)
        try:
            if port not in self.connections:
                self.connections[port] = Connection(port, seconds=self.seconds)
            return self.connections[port].exchange(commands)
        except OSError as error:
            self._drop(port)
            return [error] * len(commands)

    def _drop(self, port: int) -> None:
        self.resting[port] = time.monotonic() + REST_SECONDS
        if connection := self.connections.pop(port, None):
            connection.close()

    def _port_of(self, slot: int) -> int:
        return next((port for first, last, port in self.owners if first <= slot <= last), 0)

    def _learn(self) -> None:
        """Asks any node for the slots, when they are unknown and were not asked for within the last half second."""
        now = time.monotonic()
        if self.owners or now - self.learnt < 0.5:
            return
        self.learnt = now
        for port in random.sample(self.seed_ports, len(self.seed_ports)):
            if self.resting.get(port, 0) > now:
                continue
            with contextlib.suppress(OSError, ReplyError), Connection(port, seconds=self.seconds) as connection:
                self.owners = [(first, last, master[1]) for first, last, master, *_ in connection("CLUSTER", "SLOTS")]
                return
            self.resting[port] = now + REST_SECONDS
