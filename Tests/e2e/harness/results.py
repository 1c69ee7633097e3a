"""Results of checks, as a redline of some days ago has kept them."""

import json
import pathlib
import sqlite3
import time


def seed(store: pathlib.Path, workload: str, check: str = "backup", verdict: str = "ok", days: float = 3) -> None:
    ended = round(time.time() - days * 86400, 3)
    report = {"check": check, "workload": workload, "startedAt": ended - 60, "endedAt": ended, "verdict": verdict,
              "numbers": {"keys_db0": 141_000, "load_seconds": 12.5}, "lines": [{"verdict": verdict, "text": "as it should be"}]}
    with sqlite3.connect(store) as database:
        database.execute("INSERT INTO check_results(name, workload, started_at_ms, ended_at_ms, verdict, report) "
                         "VALUES(?, ?, ?, ?, ?, ?)",
                         (check, workload, int(ended * 1000) - 60_000, int(ended * 1000), verdict, json.dumps(report)))
    database.close()
