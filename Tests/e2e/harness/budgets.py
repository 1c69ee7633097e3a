"""Error budgets of days that a check cannot wait for, as a redline of then would have written them."""

import pathlib
import sqlite3
import struct
import time

FORMAT, EVEN, EACH = b"\x01", b"\x00", b"\x01"


def row(known: list[int]) -> bytes:
    """Steps of which so many seconds were seen and nothing was bad, for both objectives."""
    column = EACH + b"".join(struct.pack(">f", seconds) for seconds in known)
    zero = EVEN + struct.pack(">f", 0)
    return FORMAT + (column + zero + zero) * 2


def seed(store: pathlib.Path, workload: str, days: int) -> None:
    """All of the days before today, and of today until now, was seen. The file is one that a redline has made and left."""
    now = int(time.time())
    hour, today = now // 3600 * 3600, now // 86400 * 86400
    rows = [(3600, today - day * 86400, row([3600] * 24)) for day in range(1, days + 1)]
    rows += [(3600, today, row([3600 * (today + index * 3600 < hour) for index in range(24)])),
             (60, hour - 3600, row([60] * 60)),
             (60, hour, row([60 * (hour + index * 60 < now // 60 * 60) for index in range(60)]))]
    with sqlite3.connect(store) as database:
        database.executemany(
            "INSERT OR REPLACE INTO budgets(step_seconds, start_seconds, workload, amounts) VALUES(?, ?, ?, ?)",
            [(step, start, workload, amounts) for step, start, amounts in rows])
    database.close()
