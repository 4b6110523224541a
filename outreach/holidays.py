"""The workspace's calendar of days on which nothing leaves: typed in, pasted, or a country's own.

What waits for such a day is asked again when it is taken out; one that is added needs nothing, because the
last gate asks for each mail (outreach/gates/pace.py).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

import holidays as countries
from django.db import transaction
from django.db.models import QuerySet
from holidays.registry import COUNTRIES

from accounts import audit, clock
from accounts.models import User
from outreach.models import Holiday, Message

# Ten years of two countries; a calendar beyond that is a mistake.
MOST = 400
MOST_NAME = 80
_LINE = re.compile(r"\s*(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4}))[\s,;:]*(.*)")


class NotRead(Exception):
    """The message is the sentence for beside the field."""


@dataclass(frozen=True)
class Day:
    date: dt.date
    name: str


def read(text: str) -> list[Day]:
    """One day a line, such as "2026-12-25 Christmas Day" or "25.12.2026 Christmas Day". Raises NotRead."""
    found: list[Day] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise NotRead(f"Line {number} does not begin with a date such as 2026-12-25.")
        year, month, day = parts[1] or parts[6], parts[2] or parts[5], parts[3] or parts[4]
        try:
            date = dt.date(int(year), int(month), int(day))
        except ValueError:
            raise NotRead(f"Line {number}: there is no such day.") from None
        name = " ".join(parts[7].split())
        if not name:
            raise NotRead(f"Line {number} needs a name behind its date, such as “Christmas Day”.")
        if len(name) > MOST_NAME:
            raise NotRead(f"Line {number}: a name has at most {MOST_NAME} characters.")
        found.append(Day(date, name))
    if not found:
        raise NotRead("Write at least one day.")
    return found


def choices() -> list[tuple[str, str]]:
    """Country codes with their names, by name."""
    named = [
        (code, module.replace("_", " ").title().replace(" And ", " and ").replace(" Of ", " of "))
        for module, (_, code, *_) in COUNTRIES.items()
    ]
    return sorted(named, key=lambda pair: pair[1])


def days_of(country: str, year: int) -> list[Day]:
    """What the whole country rests on, in English where the names are known in it."""
    found = countries.country_holidays(country, years=year, language="en_US")
    return [Day(date, name[:MOST_NAME]) for date, name in sorted(found.items())]


def add(days: list[Day], *, actor: User | None, country: str = "") -> int:
    """Put days into the calendar; one that stands there keeps its name. How many are new. Raises NotRead."""
    with transaction.atomic():
        wanted = {day.date: day for day in reversed(days)}
        known = set(Holiday.objects.filter(date__in=list(wanted)).values_list("date", flat=True))
        fresh = [day for date, day in sorted(wanted.items()) if date not in known]
        if Holiday.objects.count() + len(fresh) > MOST:
            raise NotRead(f"The calendar holds {MOST} days. Remove some that are over first.")
        rows = [Holiday(date=day.date, name=day.name, country=country) for day in fresh]
        Holiday.objects.bulk_create(rows, ignore_conflicts=True)
        if fresh:
            words = "1 holiday" if len(fresh) == 1 else f"{len(fresh)} holidays"
            audit.record("holiday.added", f"{words} added, on which nothing leaves", actor=actor)
    return len(fresh)


def remove(row: Holiday, *, actor: User | None) -> None:
    """What waits for the end of a holiday is asked again at once."""
    with transaction.atomic():
        row.delete()
        Message.objects.all().ask_again("holiday")
        audit.record("holiday.removed", f"{row.name} on {row.date} is a day for mail again", actor=actor)


def coming(since: dt.date | None = None) -> QuerySet[Holiday]:
    """From the day before today, because somewhere it is still yesterday."""
    first = since or clock.now().date() - dt.timedelta(days=1)
    return Holiday.objects.filter(date__gte=first).order_by("date")


def closed(since: dt.date | None = None) -> frozenset[dt.date]:
    """The dates alone, for a window."""
    return frozenset(coming(since).values_list("date", flat=True))
