"""Writes deploy/grafana/dashboards from the tables; --check only compares and names the files that differ."""

import argparse
import importlib
import pathlib
import sys

from .grafana import document

NAMES = ("fleet", "cache", "session", "queue", "peak", "failover", "daemon")
FOLDER = pathlib.Path(__file__).resolve().parents[2] / "grafana" / "dashboards"


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy/dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a file is not up to date")
    is_check = parser.parse_args().check
    texts = {}
    for name in NAMES:
        dashboard = importlib.import_module(f".{name}", __package__).DASHBOARD
        texts[FOLDER / f"{dashboard.uid}.json"] = document(dashboard)
    found = set(FOLDER.glob("*.json"))
    stale = sorted([path for path, text in texts.items() if path not in found or path.read_text("utf-8") != text]
                   + list(found - set(texts)))
    if is_check:
        for path in stale:
            print(f"{path.name} is not what the tables say: run deploy/dashboards", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in found - set(texts):
        path.unlink()
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
