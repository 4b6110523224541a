"""R8 of faults.md: every zone, every hour of 2024 to 2030: no moment outside its window, none in the past.

Every zone is walked hour by hour around each change of its clocks, and hypothesis draws from all of them.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outreach.gates import pace
from outreach.models import Campaign, Contact, Message
from outreach.window import Wait, Window, zone_of

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
HOURS = int((END - START) / HOUR)
ZONES = sorted(zoneinfo.available_timezones())
EVERY_DAY = frozenset(range(7))

times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
days = st.frozensets(st.integers(0, 6), min_size=1)
FIRST_DAY = START.date()
dates = st.integers(0, HOURS // 24).map(lambda number: FIRST_DAY + dt.timedelta(days=number))


def holds(window: Window, moment: dt.datetime) -> None:
    """What must be true of any window at any moment; told by the wall clock, without window.py."""
    opening = window.next_open(moment)
    if opening is None:
        # Only a window that lies within an hour the clocks jump over, on the one day that it has.
        assert not window.is_open(moment)
        return
    assert opening >= moment
    here = opening.astimezone(window.zone)
    day = here.weekday()
    assert here.date() not in window.closed
    if window.start < window.end:
        assert window.start <= here.time() < window.end
    elif window.start > window.end:
        early = here.time() < window.end
        assert early or here.time() >= window.start
        if early and (day - 1) % 7 in window.weekdays:
            return
        assert here.time() >= window.start
    assert day in window.weekdays
    if window.is_open(moment):
        assert opening == moment


@settings(max_examples=3000, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, HOURS - 1), st.integers(0, 3599), times, times, days)
@example("Europe/Berlin", 19585, 0, dt.time(2, 15), dt.time(2, 45), EVERY_DAY)
@example("Africa/Cairo", 2806, 0, dt.time(0), dt.time(0), EVERY_DAY)
@example("Australia/Lord_Howe", 2300, 0, dt.time(1, 45), dt.time(2, 5), EVERY_DAY)
def test_no_window_names_a_moment_outside_itself_or_in_the_past(
    zone: str, hour: int, second: int, start: dt.time, end: dt.time, weekdays: frozenset[int]
) -> None:
    holds(Window(start, end, weekdays, zone_of(zone)), START + hour * HOUR + dt.timedelta(seconds=second))


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(ZONES), dates, st.integers(0, 86_399), times, times, days, st.data())
def test_no_window_opens_on_a_holiday_and_no_wait_is_shorter_than_its_working_days(
    zone: str,
    date: dt.date,
    second: int,
    start: dt.time,
    end: dt.time,
    weekdays: frozenset[int],
    data: st.DataObject,
) -> None:
    near = st.integers(-1, 20).map(lambda number: date + dt.timedelta(days=number))
    closed = frozenset(data.draw(st.lists(near, max_size=12)))
    window = Window(start, end, weekdays, zone_of(zone), closed)
    moment = dt.datetime.combine(date, dt.time(), tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    holds(window, moment)
    wait = data.draw(st.integers(1, 12))
    over = window.after(moment, Wait(wait, working=True))
    began, ends = moment.astimezone(window.zone).date(), over.astimezone(window.zone).date()
    between = [began + dt.timedelta(days=number) for number in range(1, (ends - began).days + 1)]
    worked = [day for day in between if day.weekday() in weekdays and day not in closed]
    assert len(worked) == wait
    assert worked[-1] == ends


def changes(zone: zoneinfo.ZoneInfo) -> list[dt.datetime]:
    """The hours in which a zone's clocks change, found by halving."""
    found: list[dt.datetime] = []
    step = dt.timedelta(days=7)
    at = START
    while at < END:
        low, high = at, at + step
        if low.astimezone(zone).utcoffset() != high.astimezone(zone).utcoffset():
            while high - low > HOUR:
                middle = low + (high - low) // 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.replace(minute=0, second=0, microsecond=0))
        at += step
    return found


def test_every_change_of_every_zones_clocks_is_survived() -> None:
    """Zones that change alike are walked once."""
    alike: dict[tuple[Any, ...], str] = {}
    for name in ZONES:
        zone = zone_of(name)
        key = tuple((at, at.astimezone(zone).utcoffset()) for at in changes(zone))
        alike.setdefault((*key, START.astimezone(zone).utcoffset()), name)
    walked = 0
    for name in alike.values():
        zone = zone_of(name)
        windows = [
            Window(dt.time(start), dt.time(end), EVERY_DAY, zone)
            for start, end in ((9, 17), (0, 0), (0, 1), (1, 2), (2, 3), (22, 3), (23, 0))
        ]
        # A day only counts as hers where the window opens on it.
        windows.append(Window(dt.time(22), dt.time(4), frozenset({5}), zone))
        for change in changes(zone):
            for hour in range(-4, 5):
                for window in windows:
                    holds(window, change + hour * HOUR)
                    walked += 1
            # A change of the clocks is no reason to leave out a day.
            opening = windows[0].next_open(change)
            assert opening is not None
            assert opening - change <= dt.timedelta(hours=26)
    assert len(alike) > 50
    assert walked > 10_000


@pytest.mark.parametrize(
    "zone", ["Europe/Berlin", "America/Santiago", "Africa/Casablanca", "Pacific/Chatham"]
)
def test_the_gate_lets_no_mail_go_outside_its_window(zone: str) -> None:
    """The last gate asks the same window: go inside it, else wait until a moment that is."""
    contact = cast(Contact, SimpleNamespace(timezone=zone))
    campaign = cast(
        Campaign,
        SimpleNamespace(
            window_start=dt.time(2, 30),
            window_end=dt.time(9),
            weekdays=list(range(5)),
            timezone="UTC",
            observes_holidays=True,
        ),
    )
    message = cast(Message, SimpleNamespace(campaign=campaign, contact=contact))
    window = Window(dt.time(2, 30), dt.time(9), frozenset(range(5)), zone_of(zone))
    for change in changes(zone_of(zone)):
        # The Monday behind the change, or the change's own day where that is none of the weekend.
        rest = (change.astimezone(window.zone) + dt.timedelta(days=1)).date()
        facts = SimpleNamespace(holidays={rest: "Rest"})
        for hour in range(-30, 54):
            now = change + hour * HOUR
            verdict = pace.window(message, cast(Any, SimpleNamespace(now=now, facts=facts)))
            here = now.astimezone(window.zone)
            inside = here.weekday() < 5 and dt.time(2, 30) <= here.time() < dt.time(9) and here.date() != rest
            assert (verdict.code == "holiday") == (here.date() == rest)
            assert verdict.ok == inside
            assert inside or (
                verdict.until is not None and window.is_open(verdict.until) and verdict.until > now
            )


def test_the_property_turns_red_where_the_clocks_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted violation: a window that takes today's offset for tomorrow's."""

    def careless(self: Window, moment: dt.datetime) -> dt.datetime:
        here = moment.astimezone(self.zone)
        opening = here.replace(hour=self.start.hour, minute=self.start.minute, second=0, microsecond=0)
        offset = here.utcoffset() or dt.timedelta()
        fixed = opening.replace(tzinfo=dt.timezone(offset))
        return (fixed if fixed > moment else fixed + dt.timedelta(days=1)).astimezone(dt.UTC)

    monkeypatch.setattr(Window, "next_open", careless)
    window = Window(dt.time(9), dt.time(17), EVERY_DAY, zone_of("Europe/Berlin"))
    moments = [at + hour * HOUR for at in changes(window.zone) for hour in range(-30, 1)]
    with pytest.raises(AssertionError):
        _all_hold(window, moments)


def _all_hold(window: Window, moments: list[dt.datetime]) -> None:
    for moment in moments:
        holds(window, moment)
