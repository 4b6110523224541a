"""On which day each waiting mail goes: worked out without a database."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.forecasting import Account, Plan, Waiting, plan
from outreach.window import Wait, Window, zone_of

MONDAY = dt.datetime(2026, 11, 30, 8, 0, tzinfo=dt.UTC)
UTC = ZoneInfo("UTC")
WORKING = frozenset(range(5))
NINE_TO_FIVE = Window(dt.time(9), dt.time(17), WORKING, UTC)
DAY = dt.timedelta(days=1)


def account(*, left: int = 20, caps: tuple[int, ...] = (20,), **values: object) -> Account:
    found = Account(now=MONDAY, zone=UTC, left=left, caps=caps, spacing=dt.timedelta(seconds=90))
    return replace(found, **values)  # type: ignore[arg-type]


def mail(
    person: object, *, due: dt.datetime = MONDAY, window: Window = NINE_TO_FIVE, **values: object
) -> Waiting:
    found = Waiting(person=person, campaign="huts", window=window, due=due, ready=due, first=True)
    return replace(found, **values)  # type: ignore[arg-type]


def by_day(found: Plan) -> dict[str, int]:
    return dict(Counter(f"{going.at:%a %d %b}" for going in found.goings))


def test_the_cap_of_the_day_grows_and_the_weekend_is_left_out() -> None:
    found = plan([mail(n) for n in range(130)], account(left=5, caps=(20, 23, 26, 30, 34, 40, 45, 50)))
    assert by_day(found) == {
        "Mon 30 Nov": 5, "Tue 01 Dec": 23, "Wed 02 Dec": 26,
        "Thu 03 Dec": 30, "Fri 04 Dec": 34, "Mon 07 Dec": 12,
    }  # fmt: skip


def test_follow_ups_wait_from_the_mail_before_and_the_campaign_ends_with_the_last() -> None:
    found = plan([mail("ana", waits=(Wait(4), Wait(7)))], account())
    assert [f"{going.at:%a %d %b %H:%M}" for going in found.goings] == [
        "Mon 30 Nov 09:00",
        "Fri 04 Dec 09:00",
        "Fri 11 Dec 09:00",
    ]
    assert [going.is_next for going in found.goings] == [True, False, False]
    assert found.ends("huts") == found.goings[-1].at
    assert found.ends("another") is None


def test_campaigns_of_one_mailbox_share_its_cap_in_the_order_in_which_mails_are_due() -> None:
    older = [mail(n, campaign="older", due=MONDAY - DAY) for n in range(15)]
    found = plan([*(mail(n) for n in range(15)), *older], account())
    days = Counter((going.campaign, going.at.date().day) for going in found.goings)
    assert days == {("older", 30): 15, ("huts", 30): 5, ("huts", 1): 10}


def test_a_person_elsewhere_is_written_to_by_their_own_clock() -> None:
    tokyo = replace(NINE_TO_FIVE, zone=ZoneInfo("Asia/Tokyo"))
    evening = MONDAY.replace(hour=18)
    found = plan([mail("yui", window=tokyo), mail("ana")], account(now=evening))
    assert {going.person: f"{going.at:%d %H:%M} {going.date:%d}" for going in found.goings} == {
        "yui": "01 00:00 01",
        "ana": "01 09:00 01",
    }


def test_the_pause_between_two_mails_keeps_some_for_the_next_day() -> None:
    late = MONDAY.replace(hour=16, minute=57)
    found = plan([mail(n) for n in range(5)], account(now=late))
    assert by_day(found) == {"Mon 30 Nov": 2, "Tue 01 Dec": 3}


def test_what_never_opens_is_counted_and_given_no_day() -> None:
    never = replace(NINE_TO_FIVE, weekdays=frozenset())
    found = plan([mail("ana", window=never), mail("bo")], account())
    assert [going.person for going in found.goings] == ["bo"]
    assert found.undated == 1
    assert plan([mail("ana")], account(left=0, caps=(0,))).undated == 1


ZONES = ["UTC", "Europe/Berlin", "America/Denver", "Asia/Tokyo", "Pacific/Apia", "Australia/Lord_Howe"]
times = st.times().map(lambda at: at.replace(second=0, microsecond=0))
windows = st.builds(
    Window, times, times, st.frozensets(st.integers(0, 6), min_size=1), st.sampled_from(ZONES).map(zone_of)
)
starts = st.datetimes(dt.datetime(2024, 1, 1), dt.datetime(2030, 12, 1)).map(
    lambda at: at.replace(tzinfo=dt.UTC)
)


@st.composite
def queues(draw: st.DrawFn) -> tuple[list[Waiting], Account]:
    now = draw(starts)
    some = draw(st.lists(windows, min_size=1, max_size=3))
    mails = [
        Waiting(
            person=number,
            campaign=draw(st.sampled_from(["huts", "lakes"])),
            window=draw(st.sampled_from(some)),
            due=(due := now + dt.timedelta(hours=draw(st.integers(-50, 90)))),
            ready=due + dt.timedelta(hours=draw(st.integers(0, 30))),
            first=draw(st.booleans()),
            waits=tuple(Wait(days) for days in draw(st.lists(st.integers(1, 5), max_size=2))),
        )
        for number in range(draw(st.integers(0, 25)))
    ]
    caps = tuple(draw(st.lists(st.integers(1, 6), min_size=1, max_size=5)))
    return mails, Account(
        now=now,
        zone=zone_of(draw(st.sampled_from(ZONES))),
        left=draw(st.integers(0, caps[0])),
        caps=caps,
        spacing=dt.timedelta(seconds=draw(st.integers(0, 600))),
    )


@settings(max_examples=300, deadline=None)
@given(queues())
def test_no_day_is_above_its_cap_no_mail_outside_its_window_and_the_order_is_kept(
    queue: tuple[list[Waiting], Account],
) -> None:
    mails, account = queue
    found = plan(mails, account)
    today = account.now.astimezone(account.zone).date()
    days = Counter((going.at.astimezone(account.zone).date() - today).days for going in found.goings)
    for day, count in days.items():
        cap = account.left if day == 0 else account.caps[min(day, len(account.caps) - 1)]
        assert count <= cap, day
    assert all(going.window.is_open(going.at) for going in found.goings)
    assert len(found.goings) + found.undated == sum(1 + len(each.waits) for each in mails)
    asked = {each.person: each for each in mails}
    own = {going.person: going for going in found.goings if going.is_next}
    for person, going in own.items():
        assert going.at >= max(account.now, asked[person].ready)
        steps = [each.at for each in found.goings if each.person == person]
        for before, after, wait in zip(steps, steps[1:], asked[person].waits, strict=False):
            assert after - before >= wait.days * DAY
        for other, its in own.items():
            mine, theirs = asked[person], asked[other]
            if mine.window == theirs.window and mine.due < theirs.due and mine.ready <= its.at:
                assert going.at <= its.at
