"""What happens by itself: the mails of the coming days, as bars, as a sentence and as a table.

An estimate from the daily cap and the campaign's weekdays. Follow-ups are counted as if nobody answered, so
the true numbers can only be lower.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count
from django.db.models.functions import Coalesce, Greatest, TruncDate

from accounts import clock
from mailbox import limits
from outreach.models import Campaign, Message, MessageState
from outreach.models.messages import STOPPABLE

DAYS_SHOWN = 15
MOST_DAYS = 400
# The picture's measures, in its own units: 288 wide, bars between y 10 (the cap) and 70 (zero).
STEP, WIDTH, TOP, FLOOR = 19.2, 14, 10, 69


@dataclass(frozen=True)
class Bar:
    """One part of a day's bar."""

    tone: str
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Day:
    date: dt.date
    accepted: int
    first: int
    follow: int
    works: bool
    x: float
    bars: tuple[Bar, ...]

    @property
    def middle(self) -> float:
        return round(self.x + WIDTH / 2, 1)

    @property
    def idle(self) -> bool:
        return not (self.accepted or self.first or self.follow)


@dataclass(frozen=True)
class Forecast:
    """`last_first` and `last_step` are None where nothing of the kind is left."""

    days: tuple[Day, ...]
    cap: int
    waiting: int
    last_first: dt.date | None
    last_step: dt.date | None


def forecast_of(campaign: Campaign) -> Forecast | None:
    """None where nothing waits, no mailbox is chosen, or a day of this installation is shorter than a day."""
    if campaign.mailbox is None or not campaign.is_open or settings.DAY_SECONDS < 86_400:
        return None
    zone = ZoneInfo(campaign.timezone)
    today = clock.now().astimezone(zone).date()
    first, follow = _waiting(campaign, today, zone)
    waiting = first + sum(follow.values())
    if not waiting:
        return None
    usage = limits.usage(campaign.mailbox)
    waits = [step.wait_days for step in campaign.steps.all() if step.position > 1]
    accepted = Message.objects.filter(
        campaign=campaign,
        state=MessageState.SENT,
        sent_at__gte=dt.datetime.combine(today, dt.time(), tzinfo=zone),
    ).count()
    return _walk(campaign, today, first, follow, usage.cap, usage.left, waits, accepted, waiting)


def _waiting(campaign: Campaign, today: dt.date, zone: ZoneInfo) -> tuple[int, Counter[int]]:
    """(first mails, follow-ups by the day from today on which they are due)."""
    due = TruncDate(Greatest("due_at", Coalesce("not_before", "due_at")), tzinfo=zone)
    rows = (
        Message.objects.filter(campaign=campaign, state__in=STOPPABLE, step__isnull=False)
        .annotate(day=due)
        .values_list("step__position", "day")
        .annotate(count=Count("id"))
        .order_by()
    )
    first, follow = 0, Counter[int]()
    for position, day, count in rows:
        if position == 1:
            first += count
        else:
            follow[max(0, (day - today).days)] += count
    return first, follow


def _walk(
    campaign: Campaign,
    today: dt.date,
    first: int,
    follow: Counter[int],
    cap: int,
    left: int,
    waits: list[int],
    accepted: int,
    waiting: int,
) -> Forecast:
    """Day by day: follow-ups that are due come first, first mails fill the rest of the cap."""
    days: list[Day] = []
    last_first = last_step = None
    for number in range(MOST_DAYS):
        date = today + dt.timedelta(days=number)
        works = date.weekday() in campaign.weekdays
        room = 0 if not works else left if number == 0 else cap
        due = follow.pop(number, 0)
        sent_follow = min(due, room)
        if due > sent_follow:
            follow[number + 1] += due - sent_follow
        sent_first = min(first, room - sent_follow)
        first -= sent_first
        after = number
        for wait in waits:
            after += wait
            if sent_first:
                follow[after] += sent_first
        last_first = date if sent_first else last_first
        last_step = date if sent_first or sent_follow else last_step
        if number < DAYS_SHOWN:
            done = accepted if number == 0 else 0
            days.append(_day(number, date, (done, sent_first, sent_follow), works, max(cap, accepted)))
        if not first and not +follow and number >= DAYS_SHOWN:
            break
    return Forecast(tuple(days), cap, waiting, last_first, last_step)


def _day(number: int, date: dt.date, counts: tuple[int, int, int], works: bool, top: int) -> Day:
    x, floor = round(1 + number * STEP, 1), float(FLOOR)
    bars = []
    for tone, count in zip(("f-accent", "f-neutral", "f-wait"), counts, strict=True):
        height = round(count / max(top, 1) * (FLOOR - TOP), 1)
        if count:
            floor -= height
            bars.append(Bar(tone, x, round(floor, 1), max(height, 1)))
    return Day(date, *counts, works=works, x=x, bars=tuple(bars))
