"""No pattern of the parsing takes more than linear time, up to a megabyte of hostile text.

Every compiled pattern is found by looking into the modules, so that a new one is covered by itself.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import time
from collections.abc import Callable, Iterator

import pytest

import mailbox.parsing

START = 512
MOST = 1024 * 1024
# A pattern that grows with the square takes 64 times as long for 8 times the text; a linear one 8 times.
SPAN = 8
MOST_GROWTH = 24.0
SUSPECT_GROWTH = 12.0
# Below this the clock says more about the machine than about the pattern.
LEAST_SECONDS = 0.02
ENOUGH_SECONDS = 0.5
# `make fuzz` looks at everything up to a megabyte; the tests at what a short look suspects.
EVERY = bool(os.environ.get("FUZZ_MAILS"))

# What the patterns look for, repeated: openings without ends, almost-matches, and runs of one letter.
PIECES = (
    "a", " ", "\n", "1", "@", "<", ">", "=?", "a@", "a.", "-", "_", ":", "(", "x y ", "from ",
    "from x to ", "on ", "on x wrote ", "am schrieb ", "le a écrit ", "en ", "vom 3. ", "until ",
    "until x ", "3. ", "3.6. ", "2024年6月", "user ", "user x ", "mailbox not ", "address ",
    "the recipient ", "unknown ", "no such ", "delivery x ", "message could not be ", "5.1.1 ",
    "5.1.", "<a@b>", "=?utf-8?q?a", "?= =?", "(expanded from <", "http:", "dear ", "best ",
    "mit freundlichen ", "sent from ", ".", "'", '"', "\\", "é", "漢", "bin ", "this e-mail is ",
    "not in ", "dda:", "smtp=", "rcpt to", "---", "— ", "exceeded ", "exceeds the ",
    "blocked for ", "did not reach ",
)  # fmt: skip


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in pkgutil.walk_packages(mailbox.parsing.__path__, "mailbox.parsing."):
        loaded = importlib.import_module(module.name)
        for name, value in vars(loaded).items():
            for index, one in enumerate(value if isinstance(value, tuple | list) else [value]):
                if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                    yield f"{module.name.rpartition('.')[2]}.{name}[{index}]", one


def seconds(work: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    work(text)
    return time.thread_time() - begun


def scan(pattern: re.Pattern[str], text: str) -> None:
    """As far as any use of a pattern goes: every match in the text."""
    for _ in pattern.finditer(text):
        pass


def hostile(piece: str, size: int) -> str:
    """The piece again and again, and then what none of the patterns ends on."""
    return piece * (size // len(piece)) + "\x01"


def took(pattern: re.Pattern[str], piece: str, size: int) -> float:
    text = hostile(piece, size)
    return min(seconds(lambda said: scan(pattern, said), text) for _ in range(2 if size <= 64 * 1024 else 1))


def slow() -> float:
    """Half of what a pattern takes here that grows with the square: machines differ."""
    bad, text = re.compile(r"a.*b.*c"), hostile("a", START * SPAN)
    return min(seconds(lambda said: scan(bad, said), text) for _ in range(5)) / 2


SUSPECT_SECONDS = slow()


def suspect(pattern: re.Pattern[str], piece: str) -> bool:
    """A short look, that may suspect too many: the long one decides."""
    large = seconds(lambda said: scan(pattern, said), hostile(piece, START * SPAN))
    return large > SUSPECT_SECONDS and large > SUSPECT_GROWTH * took(pattern, piece, START)


def growth(pattern: re.Pattern[str], piece: str, *, most: int = MOST) -> float:
    """The most by which the time grew between two texts, one SPAN times as long; 0: too fast to say."""
    times: dict[int, float] = {}
    size = START
    worst = 0.0
    while size <= most:
        times[size] = took(pattern, piece, size)
        if times[size] > LEAST_SECONDS and size // SPAN in times:
            worst = max(worst, times[size] / max(times[size // SPAN], LEAST_SECONDS / SPAN / SPAN))
        if times[size] > ENOUGH_SECONDS:
            break
        size *= 2
    return worst


ALL = sorted(patterns())


def test_it_finds_the_patterns() -> None:
    names = {name.partition("[")[0] for name, _ in ALL}
    assert {
        "bounce_words.FULL",
        "absence._BACK_ON_DATE",
        "quote_words.SEPARATOR",
        "addresses.ADDRESS",
    } <= names
    assert len(ALL) >= 40


@pytest.mark.parametrize(("name", "pattern"), ALL, ids=[name for name, _ in ALL])
def test_its_time_grows_with_the_text_and_no_faster(name: str, pattern: re.Pattern[str]) -> None:
    for piece in PIECES:
        if EVERY or suspect(pattern, piece):
            assert growth(pattern, piece) < MOST_GROWTH, (name, piece)


@pytest.mark.parametrize(
    ("bad", "piece"),
    [(r"\s+$", " "), (r"a.*b.*c", "a"), (r"<[^>]*>", "<"), (r"\w+@", "a")],
)
def test_it_notices_a_planted_pattern(bad: str, piece: str) -> None:
    planted = re.compile(bad)
    assert suspect(planted, piece)
    assert growth(planted, piece) > MOST_GROWTH
