"""The rules and the routes that are shipped, with their long waits cut so that a check can sit through them."""

import pathlib
import re

from .check import Check
from .monitoring import Alertmanager, Receiver
from .paths import ROOT

# Long waits are cut by this, in the rules and in Alertmanager. A node may be down for its whole 30 seconds, though: the
# lab's Sentinels fail over within that time, as Sentinels should.
HASTE = 10
# How often alerts/ asks for failovers of the last ten minutes.
FAILOVER_SPANS = 3


def with_replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        if text.count(old) < 1:
            raise AssertionError(f"{old!r} is not in the file that is shipped")
        text = text.replace(old, new)
    return text


def hastened_minutes(text: str) -> str:
    """Rules whose minutes pass ten times faster; what they name in seconds stays, but for the 600 of failovers.

    Those that wait for minutes still wait longer than those that wait for 30 seconds, whose consequences they may tell.
    """
    text = re.sub(r"< 600\b", f"< {600 // HASTE}", text)
    text = re.sub(r"^( +for: )(\d+)m$", lambda found: f"{found[1]}{35 + int(found[2]) * 60 // HASTE}s", text,
                  flags=re.MULTILINE)
    return re.sub(r"\b(\d+)m\b", lambda found: f"{int(found[1]) * 60 // HASTE}s", text)


def hastened_baseline(text: str) -> str:
    """evictions.yml, whose baseline wants three hours of a sample a minute: here half a minute of one a second."""
    return with_replaced(text, {"interval: 1m": "interval: 1s", "offset 30m": "offset 20s", ">= 180": ">= 30"})


def hastened_routes(text: str) -> str:
    """All of Alertmanager's times, ten times faster."""
    def faster(found: re.Match) -> str:
        return f": {int(found[1]) * {'s': 1, 'm': 60, 'h': 3600}[found[2]] * 1000 // HASTE}ms"

    return re.sub(r": (\d+)([smh])$", faster, text, flags=re.MULTILINE)


def rules(check: Check, folder: str) -> pathlib.Path:
    """The folder with a hastened copy of every file of alerts/."""
    texts = {path.name: path.read_text() for path in sorted((ROOT / "alerts").glob("*.yml"))}
    spans = sum(text.count("< 600\n") for text in texts.values())
    check.equal(spans, FAILOVER_SPANS, "rules that look back on failovers")
    texts["evictions.yml"] = hastened_baseline(texts["evictions.yml"])
    files = [check.file(f"{folder}/{name}", hastened_minutes(text)) for name, text in texts.items()]
    return files[0].parent


def alertmanager(check: Check, name: str, receiver: Receiver) -> Alertmanager:
    """One with the shipped routes and inhibitions."""
    text = (ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text()
    return Alertmanager(check, with_replaced(hastened_routes(text), {"http://localhost:5001/": receiver.url}), name)
