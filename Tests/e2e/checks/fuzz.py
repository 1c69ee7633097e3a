"""Servers of every kind say extreme things: the daemon lives on, answers, stays small and loses no more than the odd number."""

import asyncio
import itertools
import random

from fuzz import cast
from fuzz.campaign import Campaign, Limits, parts_of
from fuzz.mutation import singles
from fuzz.reduction import reduced
from fuzz.replies import EXTREMES, Template, leaves
from harness.check import Check, Failed, Skipped
from harness.paths import REDLINE

TIMEOUT_SECONDS = 420
THOROUGH_TIMEOUT_SECONDS = 4000
SEED = 1
# Every so many places of a reply are looked at.
STEP = 5
REPLIES = 120_000
THOROUGH_REPLIES = 1_000_000
# A busy machine of two cores asks for a fraction of what one that is idle does.
SECONDS = 240
THOROUGH_SECONDS = 3600


def check_replies_stay_sound(check: Check) -> None:
    """Whatever number is put in, and whatever field is left out, a reader of RESP finds as many values as before."""
    for part in itertools.chain(*parts_of(check)):
        for command, template in part.templates().items():
            check.equal(template.with_numbers({}), template.reply, f"{part.name}, {command}: nothing is changed")
            for place in range(0, len(template.places), STEP):
                value = EXTREMES[place % len(EXTREMES)]
                for reply in (template.with_numbers({place: value}), template.without(place)):
                    check.equal(len(leaves(reply)), len(template.leaves), f"{part.name}, {command}: {template.name_of(place)}")
    master = cast.pair(cast.kinds()[0], iter((7001, 7002)), False)[0]
    template = master.templates()["INFO ALL"]
    [place] = [place for place in range(len(template.places)) if template.name_of(place).startswith("used_memory:")]
    check.that(b"\r\nused_memory:1e300\r\n" in template.with_numbers({place: b"1e300"}), "the number is in its place")
    check.that(b"\r\nused_memory:" not in template.without(place), "the field is left out")
    integers = itertools.islice(singles({"COUNT": Template(b":5\r\n")}, random.Random(SEED)), 40)
    check.that(all(one.value == b"%d" % int(one.value) for one in integers), "an integer of RESP stays one")


def check_extremes(check: Check) -> None:
    if not REDLINE.exists():
        raise Skipped(f"{REDLINE} is not built")
    limits = Limits(check.share(REPLIES, THOROUGH_REPLIES), check.share(SECONDS, THOROUGH_SECONDS))
    campaign = Campaign(check, str(REDLINE), SEED, limits)
    outcome = asyncio.run(campaign.run())
    if outcome.complaints:
        how = reduced(str(REDLINE), campaign.workloads, outcome.suspects, 1) if outcome.suspects else ""
        command = f"Tests/fuzz --seed {SEED} --replies {limits.replies}"
        raise Failed("\n".join([f"{command}: {outcome.summary()}", *outcome.complaints, how, *outcome.judge.told()]))
    check.that(outcome.judge.total > 500 and outcome.pages > 100, f"it was a run: {outcome.summary()}")
