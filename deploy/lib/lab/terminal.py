"""What the person at the terminal reads, and how long anything may take."""

import contextlib
import sys
import time


class Refused(Exception):
    """The command cannot be done; the text says why and what to do instead."""


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str):
    """Names a step, and says how long it took when that was more than a second."""
    say(f"==> {text}")
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took > 1:
        say(f"    done in {took:.1f} s")


def await_true(condition, seconds: float, what: str, pause: float = 0.1):
    """The first true answer of `condition`; after `seconds` without one, a `Refused` that says what was awaited."""
    return await_none(lambda: [] if condition() else [what], seconds, pause)


def await_none(complaints, seconds: float, pause: float = 0.2) -> None:
    """Asks `complaints` until it returns none; after `seconds`, a `Refused` with those that are left."""
    deadline = time.monotonic() + seconds
    while left := complaints():
        if time.monotonic() > deadline:
            raise Refused(f"not within {seconds:g} s: " + "; ".join(left))
        time.sleep(pause)


def fail(text: str) -> int:
    print(f"error: {text}", file=sys.stderr, flush=True)
    return 1
