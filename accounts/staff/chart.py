"""Mails handed over in each of the last 60 minutes, as a picture and its table; spans of time in words."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.staff.figures import Minute

MINUTES = 60
_LEFT, _FLOOR, _HEIGHT, _STEP = 30, 74, 64, 9.6


@dataclass(frozen=True)
class Bar:
    """Numbers of a picture of 620 by 92."""

    ago: int
    mails: int
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    most: int

    @property
    def half(self) -> int:
        return self.most // 2

    @property
    def mails(self) -> int:
        return sum(bar.mails for bar in self.bars)


def of(minutes: list[Minute]) -> Chart:
    """A minute that is not named has none. The newest is on the right."""
    counts = {minute.ago: minute.mails for minute in minutes}
    mails = [counts.get(ago, 0) for ago in range(MINUTES - 1, -1, -1)]
    most = _round(max(mails))
    bars = []
    for place, number in enumerate(mails):
        tall = number / most * _HEIGHT
        x = round(_LEFT + 4 + place * _STEP, 1)
        bars.append(Bar(MINUTES - 1 - place, number, x, round(_FLOOR - tall, 1), round(tall, 1)))
    return Chart(bars, most)


def span(seconds: float) -> str:
    """ "12 s", "4 min", "3 h", "2 days"."""
    for size, unit in ((86_400, "day"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            number = int(seconds // size)
            return f"{number:,} {unit}{'s' if unit == 'day' and number != 1 else ''}"
    return f"{seconds:.0f} s"


def _round(number: int) -> int:
    """The top of the axis: an even number at or above the highest bar."""
    return max(2, number + number % 2)
