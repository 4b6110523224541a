"""What happens by itself: who gets a mail about when, as bars, as sentences and as a table.

An estimate (outreach/forecasting.py) of the whole line before the mailbox. Where a day of waiting is shorter
than a day, as in the demo, the bars count in such days and the words say so.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.templatetags.ui import plural, when
from outreach.forecast_line import Line, line_of
from outreach.forecasting import Account, Plan, Waiting, by_cap, plan
from outreach.models import Campaign, CampaignState, EnrollmentState, Message, MessageState
from outreach.models.messages import STOPPABLE
from outreach.views.campaign_words import spacing_words
from outreach.window import ONE_DAY

DAYS_SHOWN = 15
# What goes this soon behind its due time goes when it is due.
_SOON = dt.timedelta(minutes=1)
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
    """`label` stands under the bar, `title` in the table."""

    label: str
    title: str
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
    """`last_first` and `last_step` are words, empty where nothing of the kind is left.

    `goes` says by person when the next mail goes. `short_day` is how long a day of waiting lasts, in words,
    where it is none. `overdue` says of a paused campaign what goes at once when it is resumed.
    `rough`: too many mails wait to walk them one by one. `undated`: some go behind the horizon.
    """

    days: tuple[Day, ...]
    cap: str
    waiting: int
    last_first: SafeString | str
    last_step: SafeString | str
    short_day: str
    rough: bool = False
    shared: bool = False
    undated: bool = False
    overdue: SafeString | str = ""
    goes: Mapping[uuid.UUID, SafeString | str] = field(default_factory=dict)

    @property
    def seen(self) -> str:
        """Another text where the forecast is another one."""
        return repr(
            (
                self.days,
                self.cap,
                self.waiting,
                self.last_first,
                self.last_step,
                self.shared,
                self.undated,
                self.overdue,
            )
        )


def forecast_of(campaign: Campaign) -> Forecast | None:
    """None where nothing waits or no mailbox is chosen. As many queries for one mail as for thousands."""
    if campaign.mailbox is None or not campaign.is_open:
        return None
    line = line_of(campaign)
    own = line.of(campaign)
    if not own and not line.too_long:
        return None
    account = line.account
    start = _start_of_day(campaign, account)
    accepted = Message.objects.filter(
        campaign=campaign, state=MessageState.SENT, sent_at__gte=start, step__isnull=False
    ).count()
    if line.too_long:
        return _rough(campaign, line, accepted)
    found = plan(line.waiting, account, day=_day_of_waiting())
    first, follow, last_first = Counter[int](), Counter[int](), None
    for going in found.of(campaign.pk):
        (first if going.first else follow)[_number(going.at, start, account.zone)] += 1
        last_first = going.at if going.first else last_first
    end = found.ends(campaign.pk)
    return Forecast(
        days=_days(campaign, line, accepted, first, follow),
        cap=_cap_words(account),
        waiting=len(own),
        last_first=_on(last_first, account) if last_first else "",
        last_step=_on(end, account) if end else "",
        short_day=short_day(),
        shared=line.before > 0,
        undated=sum(first.values()) + sum(follow.values()) < sum(1 + len(mail.waits) for mail in own),
        overdue=_overdue(campaign, found, own, account),
        goes=_goes(campaign, found, own, account.now),
    )


def ahead_of(campaign: Campaign) -> SafeString | str:
    """For a draft: "148 people: first mails Mon 30 Nov to Wed 2 Dec, last follow-up about Tue 8 Dec."."""
    if campaign.mailbox is None or campaign.state != CampaignState.DRAFT:
        return ""
    line = line_of(campaign, everybody=True)
    people = len(line.of(campaign))
    if not line.too_long:
        if not people:
            return ""
        found = plan(line.waiting, line.account, day=_day_of_waiting())
        firsts = [going.at for going in found.of(campaign.pk) if going.first]
        follow = [going.at for going in found.of(campaign.pk) if not going.first]
        later = len(firsts) < people
        return _sentence(people, firsts, follow, line.account, later=later)
    people = campaign.enrollments.filter(state=EnrollmentState.PLANNED).count()
    if not people:
        return ""
    days = by_cap(
        line.account,
        frozenset(campaign.weekdays),
        before=line.before,
        first=people,
        follow=Counter(),
        waits=line.waits,
        closed=line.closed,
    )
    firsts = [line.noon(number) for number, (first, _) in enumerate(days) if first]
    follow = [line.noon(number) for number, (_, later) in enumerate(days) if later]
    later = sum(first for first, _ in days) < people
    words = _sentence(people, firsts, follow, line.account, later=later)
    return format_html("{} So many mails wait that only the cap is counted.", words)


def short_day() -> str:
    """How long a day of waiting lasts here, in words; empty where it is a day."""
    seconds = settings.DAY_SECONDS
    if seconds >= 86_400:
        return ""
    for unit, size in (("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return plural(round(seconds / size), unit)
    return plural(max(1, round(seconds)), "second")


def _rough(campaign: Campaign, line: Line, accepted: int) -> Forecast | None:
    """By the cap alone, with the true number of those who wait."""
    rows = Message.objects.filter(campaign=campaign, state__in=STOPPABLE, step__isnull=False)
    rows = rows.filter(enrollment__paused_at=None)
    counts = rows.aggregate(all=Count("pk"), first=Count("pk", filter=Q(step__position=1)))
    if not counts["all"]:
        return None
    days = by_cap(
        line.account,
        frozenset(campaign.weekdays),
        before=line.before,
        first=counts["first"],
        follow=Counter({0: counts["all"] - counts["first"]}),
        waits=line.waits,
        closed=line.closed,
    )
    first = Counter({number: count for number, (count, _) in enumerate(days)})
    follow = Counter({number: count for number, (_, count) in enumerate(days)})
    firsts = [line.noon(number) for number in first if first[number]]
    steps = [line.noon(number) for number in first if first[number] or follow[number]]
    return Forecast(
        days=_days(campaign, line, accepted, first, follow),
        cap=_cap_words(line.account),
        waiting=counts["all"],
        last_first=_on(max(firsts), line.account) if firsts else "",
        last_step=_on(max(steps), line.account) if steps else "",
        short_day=short_day(),
        rough=True,
        shared=line.before > 0,
        undated=sum(first.values()) < counts["first"],
    )


def _day_of_waiting() -> dt.timedelta:
    return min(dt.timedelta(seconds=settings.DAY_SECONDS), ONE_DAY)


def _start_of_day(campaign: Campaign, account: Account) -> dt.datetime:
    """Of the first bar: midnight by the campaign's clock, or the short day since its launch."""
    if not short_day():
        return account.now.astimezone(account.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    launched, day = campaign.launched_at or account.now, _day_of_waiting()
    return launched + (account.now - launched) // day * day


def _number(at: dt.datetime, start: dt.datetime, zone: ZoneInfo) -> int:
    if short_day():
        return (at - start) // _day_of_waiting()
    return (at.astimezone(zone).date() - start.date()).days


def _goes(
    campaign: Campaign, found: Plan, own: list[Waiting], now: dt.datetime
) -> dict[uuid.UUID, SafeString | str]:
    """When each person's next mail goes, by their own calendar. Nobody whose mail goes when it is due."""
    soon = {mail.person: max(mail.ready, now) + _SOON for mail in own}
    words: dict[Any, SafeString | str] = {}
    for going in found.of(campaign.pk):
        if not going.is_next:
            continue
        today = going.date <= now.astimezone(going.window.zone).date()
        if (today or short_day()) and going.at <= soon[going.person]:
            continue
        if short_day():
            words[going.person] = format_html("about {}", when(going.at.replace(microsecond=0)))
        else:
            words[going.person] = "today" if today else f"about {_day(going.date, now)}"
    return words


def _overdue(campaign: Campaign, found: Plan, own: list[Waiting], account: Account) -> SafeString | str:
    """Of a paused campaign: how many mails are overdue, and how many of them go at once."""
    late = {mail.person for mail in own if mail.ready <= account.now}
    if campaign.state != CampaignState.PAUSED or not late:
        return ""
    goings = [going for going in found.of(campaign.pk) if going.is_next and going.person in late]
    today = account.now.astimezone(account.zone).date()
    soon = sum(
        going.at.astimezone(account.zone).date() == today and going.window.is_open(account.now)
        for going in goings
    )
    are = plural(len(late), "mail is,mails are")
    if soon == len(late):
        go = "goes" if soon == 1 else "go"
        return f"{are} overdue and {go} at once when you resume, {spacing_words()}."
    if soon:
        go = "goes" if soon == 1 else "go"
        return f"{are} overdue: {soon:,} {go} at once when you resume, the rest as window and cap allow."
    if not goings:
        return f"{are} overdue. Nothing goes at once."
    first = _on(goings[0].at, account)
    return format_html("{} overdue. Nothing goes at once: the first goes {}.", are, first)


def _sentence(
    people: int,
    firsts: list[dt.datetime],
    follow: list[dt.datetime],
    account: Account,
    *,
    later: bool,
) -> SafeString | str:
    who = plural(people, "person,people")
    if not firsts:
        return f"{who}: the window and the cap leave no day on which they could be written to."
    start, end = _short(min(firsts), account), _short(max(firsts), account)
    words = format_html("{}: first mails {}", who, start)
    if start != end:
        words = format_html("{} to {}", words, end)
    if later:
        return format_html("{} and later.", words)
    if follow:
        words = format_html("{}, last follow-up about {}", words, _short(max(follow), account))
    return format_html("{}.", words)


def _short(at: dt.datetime, account: Account) -> SafeString | str:
    if short_day():
        return when(at.replace(second=0, microsecond=0))
    return _day(at.astimezone(account.zone).date(), account.now)


def _on(at: dt.datetime, account: Account) -> SafeString | str:
    if short_day():
        return format_html("at about {}", when(at.replace(microsecond=0)))
    return f"on {_day(at.astimezone(account.zone).date(), account.now, '%B')}"


def _day(date: dt.date, now: dt.datetime, month: str = "%b") -> str:
    year = "" if date.year == now.year else f" {date.year}"
    return f"{date:%a} {date.day} {date:{month}}{year}"


def _cap_words(account: Account) -> str:
    cap, later = account.caps[0], account.caps[min(DAYS_SHOWN, len(account.caps)) - 1]
    return f"cap {cap} a day" if later <= cap else f"cap {cap} a day, growing to {later}"


def _days(
    campaign: Campaign, line: Line, accepted: int, first: Counter[int], follow: Counter[int]
) -> tuple[Day, ...]:
    account = line.account
    short = bool(short_day())
    start = _start_of_day(campaign, account)
    most = max((first[n] + follow[n] + (accepted if n == 0 else 0) for n in range(DAYS_SHOWN)), default=0)
    top = max(most, 1) if short else max(most, account.caps[min(DAYS_SHOWN, len(account.caps)) - 1])
    days = []
    for number in range(DAYS_SHOWN):
        counts = (accepted if number == 0 else 0, first[number], follow[number])
        x = round(1 + number * STEP, 1)
        date = start.date() + number * ONE_DAY
        label, title = str(date.day), _day(date, account.now)
        if short:
            label, title = str(number), f"In {plural(number, 'day')}" if number else "Now"
        works = short or (date.weekday() in campaign.weekdays and date not in line.closed)
        days.append(Day(label, title, *counts, works=works, x=x, bars=_bars(x, counts, top)))
    return tuple(days)


def _bars(x: float, counts: tuple[int, int, int], top: int) -> tuple[Bar, ...]:
    floor, bars = float(FLOOR), []
    for tone, count in zip(("f-accent", "f-neutral", "f-wait"), counts, strict=True):
        height = round(count / top * (FLOOR - TOP), 1)
        if count:
            floor -= height
            bars.append(Bar(tone, x, round(floor, 1), max(height, 1)))
    return tuple(bars)
