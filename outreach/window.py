"""When a campaign's mails may leave, by the recipient's own wall clock (faults F21).

Everything is worked out per day and zone name, so a change of the clocks moves no window: a wall time that
does not exist on a day is skipped, one that exists twice counts both times.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from outreach.models import Campaign, Contact

_HORIZON_DAYS = 15
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Wait:
    """Between two steps: so many days, or so many of the days on which the campaign writes."""

    days: int
    working: bool = False

    def calendar_days(self, weekdays: frozenset[int]) -> int:
        """About how many days of the calendar, without a look at any holiday."""
        return -(-self.days * 7 // len(weekdays)) if self.working and weekdays else self.days


@dataclass(frozen=True)
class Window:
    """`start` equal to `end` means the whole day; `end` before `start` reaches into the next day.

    `weekdays` are 0 (Monday) to 6; a window over midnight belongs to the day on which it starts. On a date of
    `closed` nothing leaves at all, nor behind its midnight where the window began on it.
    """

    start: dt.time
    end: dt.time
    weekdays: frozenset[int]
    zone: ZoneInfo
    closed: frozenset[dt.date] = frozenset()

    def works(self, date: dt.date) -> bool:
        """Whether the campaign writes on this day at all."""
        return date.weekday() in self.weekdays and date not in self.closed

    def is_open(self, moment: dt.datetime) -> bool:
        here = moment.astimezone(self.zone)
        time, date = here.time(), here.date()
        if date in self.closed:
            return False
        if self.start == self.end:
            return self.works(date)
        if self.start < self.end:
            return self.works(date) and self.start <= time < self.end
        return (time >= self.start and self.works(date)) or (time < self.end and self.works(date - ONE_DAY))

    def next_open(self, moment: dt.datetime) -> dt.datetime | None:
        """`moment` itself when open, else the next opening; None when no day is chosen."""
        if self.is_open(moment):
            return moment
        if not self.weekdays:
            return None
        today = moment.astimezone(self.zone).date()
        start = dt.time(0, 0) if self.start == self.end else self.start
        # A holiday may fall on each of the few days that a campaign has.
        for offset in range(_HORIZON_DAYS + 7 * len(self.closed)):
            day = today + offset * ONE_DAY
            if not self.works(day):
                continue
            for fold in (0, 1):
                local = dt.datetime.combine(day, start, tzinfo=self.zone).replace(fold=fold)
                opening = local.astimezone(dt.UTC)
                if opening > moment and self.is_open(opening):
                    return opening
        return None

    def after(self, moment: dt.datetime, wait: Wait, *, day: dt.timedelta = ONE_DAY) -> dt.datetime:
        """When the wait is over: on the last of the working days, at the time of day at which it began.

        `day` is how long a day of waiting lasts; shorter ones than the sun's know no weekday.
        """
        if not wait.working or not self.weekdays or day < ONE_DAY:
            return moment + wait.days * day
        here = moment.astimezone(self.zone)
        date, left = here.date(), wait.days
        while left > 0:
            date += ONE_DAY
            left -= self.works(date)
        return dt.datetime.combine(date, here.timetz()).astimezone(dt.UTC)


def zone_of(*names: str) -> ZoneInfo:
    """The first of `names` that is a zone; UTC when none is."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def window_of(
    campaign: Campaign, contact: Contact | None, *, closed: frozenset[dt.date] = frozenset()
) -> Window:
    """The campaign's window in the contact's zone where it is known, else in the campaign's.

    `closed` are the workspace's holidays; a campaign that does not observe them has none.
    """
    return Window(
        campaign.window_start,
        campaign.window_end,
        frozenset(campaign.weekdays),
        zone_of(contact.timezone if contact else "", campaign.timezone),
        closed if campaign.observes_holidays else frozenset(),
    )
