"""On which day each waiting mail of a mailbox goes, and when a campaign ends. No query, no settings.

All campaigns of a mailbox stand in one line, because they share its cap. The line is walked mail by mail
as the workers take it: of those that are due and inside their window, the one that was due first.
Follow-ups are counted as if nobody answered, so the truth can only be earlier.
"""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from outreach.window import ONE_DAY, Wait, Window

# Nothing is said about what would go later than this.
MOST_DAYS = 400


@dataclass(frozen=True)
class Waiting:
    """A mail that waits. `due` gives its place in the line, `ready` the time before which it stays.

    `waits` are those before each later step of the same person.
    """

    person: Hashable
    campaign: Hashable
    window: Window
    due: dt.datetime
    ready: dt.datetime
    first: bool
    waits: tuple[Wait, ...] = ()


@dataclass(frozen=True)
class Account:
    """What the mailbox may: `left` of today's cap, then `caps` by the day from today, the last one for good.

    A day is one of `zone`. `spacing` is the pause between two mails.
    """

    now: dt.datetime
    zone: ZoneInfo
    left: int
    caps: tuple[int, ...]
    spacing: dt.timedelta

    def cap_on(self, number: int) -> int:
        return self.left if number == 0 else self.caps[min(number, len(self.caps) - 1)]


@dataclass(frozen=True)
class Going:
    """A mail and about when it goes. `is_next`: it waits already; a later step only follows from it."""

    person: Hashable
    campaign: Hashable
    window: Window
    at: dt.datetime
    first: bool
    is_next: bool

    @property
    def date(self) -> dt.date:
        """The day by the person's own calendar."""
        return self.at.astimezone(self.window.zone).date()


@dataclass(frozen=True)
class Plan:
    """`goings` in the order in which they go; `undated` mails find no day within the horizon."""

    goings: tuple[Going, ...]
    undated: int

    def of(self, campaign: Hashable) -> Iterator[Going]:
        return (going for going in self.goings if going.campaign == campaign)

    def ends(self, campaign: Hashable) -> dt.datetime | None:
        """When the last mail of a campaign goes."""
        return max((going.at for going in self.of(campaign)), default=None)


@dataclass
class _Line:
    """The mails of one window: those that are not ready by time, those that are by their place."""

    window: Window
    later: list[tuple[dt.datetime, int, Waiting]] = field(default_factory=list)
    ripe: list[tuple[dt.datetime, int, Waiting]] = field(default_factory=list)

    def ripen(self, at: dt.datetime) -> None:
        while self.later and self.later[0][0] <= at:
            _, number, mail = heapq.heappop(self.later)
            heapq.heappush(self.ripe, (mail.due, number, mail))

    def next_at(self, at: dt.datetime) -> dt.datetime | None:
        """When its next mail could go, after `at`."""
        if self.ripe:
            return self.window.next_open(at)
        return self.window.next_open(self.later[0][0]) if self.later else None


class _Room:
    """How many have gone on each day of the account."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.today = account.now.astimezone(account.zone).date()
        self.used: Counter[int] = Counter()

    def day(self, at: dt.datetime) -> int:
        return (at.astimezone(self.account.zone).date() - self.today).days

    def from_(self, at: dt.datetime) -> dt.datetime:
        """`at`, or the start of the first day behind it that has room."""
        number = self.day(at)
        if self.used[number] < self.account.cap_on(number):
            return at
        while self.used[number] >= self.account.cap_on(number) and number <= MOST_DAYS:
            number += 1
        start = dt.datetime.combine(self.today + number * ONE_DAY, dt.time(), tzinfo=self.account.zone)
        return max(at, start.astimezone(dt.UTC))


def plan(waiting: Iterable[Waiting], account: Account, *, day: dt.timedelta = ONE_DAY) -> Plan:
    """When each mail goes. `day` is how long a day of waiting for the next step lasts."""
    numbers = itertools.count()
    lines: dict[Window, _Line] = {}
    left = 0
    for mail in sorted(waiting, key=lambda mail: mail.due):
        line = lines.setdefault(mail.window, _Line(mail.window))
        heapq.heappush(line.later, (mail.ready, next(numbers), mail))
        left += 1 + len(mail.waits)
    known = next(numbers)
    room, goings = _Room(account), []
    at, horizon = account.now.astimezone(dt.UTC), account.now + MOST_DAYS * ONE_DAY
    while (at := room.from_(at)) < horizon:
        foremost = _first_in(lines.values(), at)
        if foremost is None:
            opens = [moment for each in lines.values() if (moment := each.next_at(at)) is not None]
            if not opens:
                break
            at = min(opens)
            continue
        _, number, mail = heapq.heappop(foremost.ripe)
        goings.append(Going(mail.person, mail.campaign, mail.window, at, mail.first, number < known))
        room.used[room.day(at)] += 1
        if mail.waits:
            due = mail.window.after(at, mail.waits[0], day=day)
            later = replace(mail, due=due, ready=due, first=False, waits=mail.waits[1:])
            heapq.heappush(foremost.later, (due, next(numbers), later))
        at += account.spacing
    return Plan(tuple(goings), left - len(goings))


def _first_in(lines: Iterable[_Line], at: dt.datetime) -> _Line | None:
    """The line whose foremost mail goes at `at`."""
    found: _Line | None = None
    for line in lines:
        line.ripen(at)
        if not line.ripe or not line.window.is_open(at):
            continue
        if found is None or line.ripe[0][:2] < found.ripe[0][:2]:
            found = line
    return found


def by_cap(
    account: Account,
    weekdays: frozenset[int],
    *,
    before: int,
    first: int,
    follow: Counter[int],
    waits: tuple[Wait, ...],
    closed: frozenset[dt.date] = frozenset(),
) -> list[tuple[int, int]]:
    """First mails and follow-ups of each day, by the cap alone: for more mails than one walks singly.

    `before` mails of other campaigns stand in front, so nothing goes later than is said here. `follow` are
    the follow-ups by the day on which they are due.
    """
    today = account.now.astimezone(account.zone).date()
    days: list[tuple[int, int]] = []
    due = Counter(follow)
    ripe = 0
    for number in range(MOST_DAYS):
        ripe += due.pop(number, 0)
        date = today + number * ONE_DAY
        works = date.weekday() in weekdays and date not in closed
        room = account.cap_on(number) if works else 0
        others = min(before, room)
        firsts = min(first, room - others)
        later = min(ripe, room - others - firsts)
        before, first, ripe = before - others, first - firsts, ripe - later
        for after in itertools.accumulate(wait.calendar_days(weekdays) for wait in waits):
            due[number + after] += firsts
        days.append((firsts, later))
        if not (before or first or ripe or +due):
            break
    return days
