"""The forecast on a campaign's pages: who gets a mail when, when it ends, and what is said before a press."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from mailbox import limits
from mailbox.models import Mailbox
from outreach import forecast_line, forecasting
from outreach.models import Campaign, CampaignState, Enrollment, EnrollmentState, MessageState
from outreach.views.forecast import forecast_of
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


@pytest.fixture(autouse=True)
def no_spacing(settings: Any) -> None:
    """A run shortly before midnight counts the same days."""
    settings.SEND_SPACING_SECONDS = settings.SEND_SPACING_JITTER = 0


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/campaigns/{path}"


def running(**values: Any) -> Campaign:
    return factories.make_campaign(
        **{
            "steps": [factories.FIRST_MAIL, factories.FOLLOW_UP],
            "state": CampaignState.RUNNING,
            "launched_at": clock.now(),
            **values,
        }
    )


def person(campaign: Campaign, **values: Any) -> Enrollment:
    return factories.make_enrollment(campaign, **{"state": EnrollmentState.RUNNING, **values})


def waiting(campaign: Campaign, count: int) -> None:
    for _ in range(count):
        factories.make_message(person(campaign))


def page_of(client: Client, ws: Workspace, campaign: Campaign, path: str = "") -> str:
    return client.get(url(ws, f"{campaign.pk}/{path}")).content.decode()


def told(page: str) -> str:
    """The page as one reads it."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))


def day(number: int, month: str = "%b") -> str:
    date = clock.now().date() + dt.timedelta(days=number)
    return f"{date:%a} {date.day} {date:{month}}" + ("" if date.year == clock.now().year else f" {date.year}")


def test_it_counts_the_coming_days_by_the_cap_as_it_grows(in_ws: Workspace) -> None:
    campaign = running()
    campaign.steps.filter(position=2).update(wait_days=9)
    waiting(campaign, 45)
    found = forecast_of(campaign)
    assert found is not None
    assert (found.cap, found.waiting) == ("cap 20 a day, growing to 50", 45)
    assert [each.first for each in found.days][:4] == [20, 23, 2, 0]
    # Nobody before day 9, and then as many as went on the day of their first mail.
    assert [each.follow for each in found.days][8:13] == [0, 20, 23, 2, 0]
    assert found.last_first == f"on {day(2, '%B')}"
    assert found.last_step == f"on {day(11, '%B')}"
    # Those of today go now, so nothing need be said of them.
    assert Counter(found.goes.values()) == {f"about {day(1)}": 23, f"about {day(2)}": 2}


def test_it_leaves_out_the_days_that_are_not_the_campaigns(in_ws: Workspace) -> None:
    today = clock.now().weekday()
    campaign = running(weekdays=[(today + 2) % 7])
    waiting(campaign, 3)
    found = forecast_of(campaign)
    assert found is not None
    assert [(n, each.first) for n, each in enumerate(found.days) if each.first] == [(2, 3)]
    assert [n for n, each in enumerate(found.days) if each.works] == [2, 9]


def test_campaigns_of_one_mailbox_do_not_each_take_its_whole_cap(client: Client, in_ws: Workspace) -> None:
    mailbox = factories.make_mailbox()
    older, campaign = running(mailbox=mailbox), running(mailbox=mailbox)
    idle = running(mailbox=mailbox, state=CampaignState.PAUSED)
    for each in (idle, older, campaign):
        waiting(each, 15)
    found = forecast_of(campaign)
    assert found is not None
    assert [each.first for each in found.days][:3] == [5, 10, 0]
    assert "other campaigns stand in the same line" in page_of(client, in_ws, campaign)


def test_it_shows_the_forecast_beside_the_people_and_none_without_waiting_mails(
    client: Client, in_ws: Workspace
) -> None:
    campaign = running()
    assert "Forecast by day" not in page_of(client, in_ws, campaign)
    waiting(campaign, 1)
    page = page_of(client, in_ws, campaign)
    assert "Forecast by day" in page
    assert "All steps end on" in page


def test_where_a_day_is_short_it_counts_in_such_days_and_says_so(
    client: Client, in_ws: Workspace, settings: Any
) -> None:
    settings.DAY_SECONDS, settings.DAILY_CAP, settings.DAILY_CAP_START = 20, 400, 400
    campaign = running(launched_at=clock.now() - dt.timedelta(seconds=41))
    waiting(campaign, 3)
    found = forecast_of(campaign)
    assert found is not None
    assert [(each.label, each.first, each.follow) for each in found.days[:6]] == [
        ("0", 3, 0), ("1", 0, 0), ("2", 0, 0), ("3", 0, 0), ("4", 0, 3), ("5", 0, 0),
    ]  # fmt: skip
    words = told(page_of(client, in_ws, campaign))
    assert "Here a day of waiting lasts 20 seconds" in words
    assert re.search(r"All steps end at about \d\d:\d\d if nobody answers", words)
    assert "Goes now, when it passes the gates" in words
    settings.SEND_SPACING_SECONDS = 90
    words = told(page_of(client, in_ws, campaign))
    assert re.search(r"Goes about \d\d:\d\d, when it passes the gates", words)


def test_too_many_mails_are_counted_by_the_cap_and_said_to_be(
    client: Client, in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = running()
    waiting(campaign, 45)
    exact = forecast_of(campaign)
    monkeypatch.setattr(forecast_line, "MOST_MAILS", 40)
    rough = forecast_of(campaign)
    assert exact is not None
    assert rough is not None
    assert [each.first for each in rough.days] == [each.first for each in exact.days]
    assert (rough.waiting, rough.last_first, rough.goes) == (45, exact.last_first, {})
    assert "counted by the cap" in page_of(client, in_ws, campaign)


def test_it_asks_as_much_of_the_database_for_one_waiting_mail_as_for_thirty(in_ws: Workspace) -> None:
    campaign = running()
    other = running(mailbox=campaign.mailbox)
    counts = []
    for more in (1, 29):
        waiting(campaign, more)
        waiting(other, more)
        with CaptureQueriesContext(connection) as found:
            forecast_of(campaign)
        counts.append(len(found))
    assert counts[0] == counts[1]
    assert counts[0] <= 8


def test_the_live_part_comes_anew_where_only_the_forecast_has_changed(
    client: Client, in_ws: Workspace
) -> None:
    campaign = running()
    waiting(campaign, 25)
    seen = re.search(r"live=([0-9a-f]+)", page_of(client, in_ws, campaign))
    assert seen is not None
    ask = {"live": seen[1]}
    assert client.get(url(in_ws, f"{campaign.pk}/"), ask).status_code == 204
    Mailbox.objects.update(daily_cap=5)
    assert client.get(url(in_ws, f"{campaign.pk}/"), ask).status_code == 200


def test_each_row_says_about_when_the_next_mail_goes(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    mailbox = campaign.mailbox
    assert mailbox is not None
    Mailbox.objects.filter(pk=mailbox.pk).update(daily_cap=1)
    waiting(campaign, 2)
    followed = person(campaign)
    factories.make_message(followed, state=MessageState.SENT)
    factories.make_message(followed, position=2, due_at=clock.now() + dt.timedelta(days=4))
    words = told(page_of(client, in_ws, campaign))
    assert "Goes now, when it passes the gates." in words
    assert f"Goes about {day(1)}, when it passes the gates." in words
    assert f"Step 2 goes about {day(4)} if no reply comes." in words
    campaigns_paused = running(state=CampaignState.PAUSED)
    waiting(campaigns_paused, 1)
    words = told(page_of(client, in_ws, campaigns_paused))
    assert "Goes" not in words


def test_before_the_launch_it_says_from_when_to_when(client: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact() for _ in range(25)]
    campaign = factories.make_campaign(steps=[factories.FIRST_MAIL, factories.FOLLOW_UP], contacts=people)
    words = f"25 people: first mails {day(0)} to {day(1)}, last follow-up about {day(5)}."
    for path in ("settings/", "compose/"):
        assert words in told(page_of(client, in_ws, campaign, path)), path
    Mailbox.objects.filter(pk=campaign.mailbox_id or "").update(daily_cap=0)
    words = "25 people: the window and the cap leave no day on which they could be written to."
    assert words in told(page_of(client, in_ws, campaign, "settings/"))
    empty = factories.make_campaign()
    assert "first mails" not in page_of(client, in_ws, empty, "settings/")


def test_whom_it_does_not_reach_within_its_horizon_it_does_not_date(
    client: Client, in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasting, "MOST_DAYS", 3)
    people = [factories.make_contact() for _ in range(5)]
    campaign = factories.make_campaign(contacts=people)
    Mailbox.objects.filter(pk=campaign.mailbox_id or "").update(daily_cap=1)
    words = told(page_of(client, in_ws, campaign, "settings/"))
    assert re.search(r"5 people: first mails [^,.]+ to [^,.]+ and later\.", words)
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.RUNNING)
    for enrollment in campaign.enrollments.all():
        factories.make_message(enrollment)
    assert "Some go later than one can say." in told(page_of(client, in_ws, campaign))


def test_it_says_before_a_resume_how_many_overdue_mails_go_at_once(client: Client, in_ws: Workspace) -> None:
    campaign = running(state=CampaignState.PAUSED)
    waiting(campaign, 3)
    later = person(campaign)
    factories.make_message(later, due_at=clock.now() + dt.timedelta(days=2))
    assert "3 mails are overdue and go at once when you resume" in told(page_of(client, in_ws, campaign))
    assert limits.usage(campaign.mailbox).left == 20  # type: ignore[arg-type]
    waiting(campaign, 22)
    words = told(page_of(client, in_ws, campaign))
    assert "25 mails are overdue: 20 go at once when you resume, the rest as window and cap allow" in words
    closed = running(state=CampaignState.PAUSED, weekdays=[(clock.now().weekday() + 3) % 7])
    waiting(closed, 2)
    words = told(page_of(client, in_ws, closed))
    assert f"2 mails are overdue. Nothing goes at once: the first goes on {day(3, '%B')}." in words
