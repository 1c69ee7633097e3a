"""What is done to replies: one number that is extreme, or anything."""

import dataclasses
import random

from .replies import DIGITS, EXTREMES, Template, bulk

# What has to stay text on every page; `MARKS` are found where it did not.
MARKUP = (b'<script>alert("f")</script>', b'"><img src=x onerror=alert(1)>', b"</td></table><marquee>", b"'\"`{{ .Labels }}")
MARKS = ("<script>alert", "<img src=x", "<marquee")
TEXTS = MARKUP + (b"\n", b"\r\n", b"\x00", b"\x1b[31m", b"\xff\xfe", b"a" * 5000, b"\xe2\x80\xa8", b"\xe2\x80\xae",
                  b"}\nevil 1\n", b"\\", b",", b"=", b":", b" ", b"# HELP x y\n")
OTHER_TYPES = (b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b":5\r\n", b":-9223372036854775808\r\n", b"+odd\r\n", b"-ERR odd\r\n",
               b"$0\r\n\r\n", b"-LOADING odd\r\n", b"*1\r\n*1\r\n$1\r\nx\r\n", b"*2\r\n:1\r\n:2\r\n", b"*2\r\n$1\r\na\r\n*0\r\n")
# One in so many values is a megabyte of digits.
LONG_SHARE = 1 / 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Single:
    """One number of one reply, replaced."""

    command: str
    place: int
    value: bytes


def value(chance: random.Random) -> bytes:
    return DIGITS if chance.random() < LONG_SHARE else chance.choice(EXTREMES)


def shown(text: bytes) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:12]!r}… ({len(text)} bytes)"


def singles(templates: dict[str, Template], chance: random.Random):
    """Every place of every reply in an order of its own, again and again, each time with another extreme."""
    places = [(command, place) for command, template in templates.items() for place in range(len(template.places))]
    values = list(EXTREMES)
    chance.shuffle(values)
    turn = 0
    while places:
        chance.shuffle(places)
        for number, (command, place) in enumerate(places):
            extreme = DIGITS if chance.random() < LONG_SHARE else values[(number + turn) % len(values)]
            if templates[command].takes(place, extreme):
                yield Single(command, place, extreme)
        turn += 7


@dataclasses.dataclass(frozen=True, slots=True)
class Wild:
    """A reply that is odd in more than one way. `ends` closes the connection after it; None for `reply` is silence."""

    reply: bytes | None
    numbers: dict[int, bytes]
    ends: bool = False
    text: str = ""


def wild(template: Template, chance: random.Random) -> Wild:
    way = chance.random()
    if way < 0.35 and template.places:
        return with_numbers(template, {chance.randrange(len(template.places)): value(chance)})
    if way < 0.7 and template.places:
        share = chance.choice((0.03, 0.2, 1))
        chosen = [index for index in range(len(template.places)) if chance.random() < share]
        same = value(chance) if chance.random() < 0.3 else None
        # A megabyte in every place would be all that this reply is about.
        return with_numbers(template, {index: chance.choice(EXTREMES) if same in (None, DIGITS) else same for index in chosen})
    if way < 0.8:
        return Wild(template.reply, {})
    if not template.leaves:
        return Wild(chance.choice(OTHER_TYPES), {}, text="another type")
    number = chance.randrange(len(template.leaves))
    leaf = template.leaves[number]
    content = template.reply[leaf.start:leaf.end]
    if way < 0.88:
        coded = chance.choice(OTHER_TYPES)
        return Wild(template.with_leaf(number, coded), {}, text=f"leaf {number} is {coded!r}")
    if way < 0.995:
        at = chance.randrange(len(content) + 1)
        to = min(len(content), at + chance.randrange(200))
        text = chance.choice(TEXTS)
        begin, end = content[:at], content[to:]
        content = chance.choice((begin + text + content[at:], begin + end, begin + text + end, content[:to] + content[at:], begin))
        return Wild(template.with_leaf(number, bulk(content)), {}, text=f"leaf {number} changed at {at}: {shown(text)}")
    if way < 0.998:
        cut = chance.randrange(len(template.reply))
        return Wild(template.reply[:cut], {}, ends=True, text=f"cut after {cut} bytes")
    if way < 0.999:
        at = chance.randrange(len(template.reply))
        changed = template.reply[:at] + bytes([chance.randrange(256)]) + template.reply[at + 1:]
        return Wild(changed, {}, text=f"byte {at} changed")
    return Wild(None, {}, text="no answer") if chance.random() < 0.5 else Wild(template.reply * 2, {}, text="answered twice")


def with_numbers(template: Template, numbers: dict[int, bytes]) -> Wild:
    return Wild(template.with_numbers(numbers), numbers)
