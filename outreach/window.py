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


@dataclass(frozen=True)
class Window:
    """`start` equal to `end` means the whole day; `end` before `start` reaches into the next day.

    `weekdays` are 0 (Monday) to 6; a window over midnight belongs to the day on which it starts.
    """

    start: dt.time
    end: dt.time
    weekdays: frozenset[int]
    zone: ZoneInfo

    def is_open(self, moment: dt.datetime) -> bool:
        here = moment.astimezone(self.zone)
        time, day, before = here.time(), here.weekday(), (here.weekday() - 1) % 7
        if self.start == self.end:
            return day in self.weekdays
        if self.start < self.end:
            return day in self.weekdays and self.start <= time < self.end
        return (day in self.weekdays and time >= self.start) or (before in self.weekdays and time < self.end)

    def next_open(self, moment: dt.datetime) -> dt.datetime | None:
        """`moment` itself when open, else the next opening; None when no day is chosen."""
        if self.is_open(moment):
            return moment
        today = moment.astimezone(self.zone).date()
        start = dt.time(0, 0) if self.start == self.end else self.start
        for offset in range(_HORIZON_DAYS):
            day = today + dt.timedelta(days=offset)
            for fold in (0, 1):
                local = dt.datetime.combine(day, start, tzinfo=self.zone).replace(fold=fold)
                opening = local.astimezone(dt.UTC)
                if opening > moment and self.is_open(opening):
                    return opening
        return None


def zone_of(*names: str) -> ZoneInfo:
    """The first of `names` that is a zone; UTC when none is."""
    for name in names:
        try:
            if name:
                return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return ZoneInfo("UTC")


def window_of(campaign: Campaign, contact: Contact | None) -> Window:
    """The campaign's window in the contact's zone where it is known, else in the campaign's."""
    return Window(
        campaign.window_start,
        campaign.window_end,
        frozenset(campaign.weekdays),
        zone_of(contact.timezone if contact else "", campaign.timezone),
    )
