"""Redline among servers that say extreme things, with its pages asked for all the while.

Prints what it has seen; exits 1 when the daemon ends, stands still, grows too large or answers with a bad page, when more
than a tenth of single numbers cost more than themselves, and says by which replies that can be had again.
"""

import argparse
import asyncio
import pathlib
import shutil
import sys
import tempfile

from harness.check import Check
from harness.paths import REDLINE

from .campaign import RSS_LIMIT_BYTES, Campaign, Limits
from .reduction import reduced


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="Tests/fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="what is said follows from it (1)")
    parser.add_argument("--replies", type=int, default=1_000_000, help="how many are enough (1000000)")
    parser.add_argument("--seconds", type=float, default=3600, help="within which they must have been asked for (3600)")
    parser.add_argument("--complaints", type=int, default=1, help="how many end it; a crash always does (1)")
    parser.add_argument("--binary", default=str(REDLINE), help="the redline that is tried")
    parser.add_argument("--slowness", type=float, default=1, help="how many times longer everything may take (1)")
    parser.add_argument("--any-memory", action="store_true", help="do not hold its memory to the limit")
    parser.add_argument("--log", type=pathlib.Path, help="where the output of redline is written")
    options = parser.parse_args()
    limits = Limits(options.replies, options.seconds, options.slowness, None if options.any_memory else RSS_LIMIT_BYTES,
                    options.complaints)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-fuzz."))
    check = Check(folder)
    try:
        with check.closing:
            campaign = Campaign(check, options.binary, options.seed, limits, say)
            outcome = asyncio.run(campaign.run())
            if options.log:
                options.log.write_text(campaign.redline.output(), encoding="utf-8")
        say(outcome.summary())
        for line in [*outcome.judge.table(), *outcome.judge.told()]:
            say(f"    {line}")
        for complaint in outcome.complaints:
            say(f"FAILED (seed {options.seed}): {complaint}")
        if outcome.suspects:
            say(reduced(options.binary, campaign.workloads, outcome.suspects, options.slowness))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if outcome.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
