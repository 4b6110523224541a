"""Holidays and working days: nothing leaves on a holiday, and a wait leaves out what is no working day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from outreach import campaigns, holidays, policy, sequences, why
from outreach.forecast_line import line_of
from outreach.forecasting import plan
from outreach.models import Campaign, CampaignState, EnrollmentState, Holiday, MessageState
from outreach.pipeline import queue as queueing
from outreach.pipeline.send import Sent
from outreach.window import Wait
from tests import factories
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

SignedIn = Callable[[User], Client]
CHRISTMAS = dt.date(2030, 12, 25)


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def today() -> dt.date:
    return clock.now().date()


def rest_today(name: str = "Christmas Day") -> None:
    """All around today, whatever the hour is while the test runs over midnight."""
    for number in range(-1, 3):
        factories.make_holiday(name, today() + dt.timedelta(days=number))


@pytest.mark.parametrize("provider", ["google", "microsoft"])
def test_the_last_gate_lets_nothing_go_on_a_holiday(queue: Queue, providers: Running, provider: str) -> None:
    (row,) = queue(provider, "ana.silent@ridge.example")
    rest_today()
    assert send_now(row) is Sent.WAITS
    assert providers.get("ledger") == []
    row.refresh_from_db()
    date = today()
    assert (row.state, row.reason) == (MessageState.DEFERRED, "holiday")
    assert row.detail == f"Waits: {date.day} {date:%B} is a holiday (Christmas Day)."
    assert row.not_before is not None
    assert row.not_before.date() > today()
    shown = why.state_of(row)
    assert (shown.words, "Christmas Day" in shown.sentence) == ("Waiting for a working day", True)
    for holiday in Holiday.objects.all():
        holidays.remove(holiday, actor=None)
    assert send_now(row) is Sent.ACCEPTED


def test_a_campaign_that_does_not_rest_sends_on_a_holiday(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", "ana.silent@ridge.example")
    Campaign.objects.update(observes_holidays=False)
    rest_today()
    assert send_now(row) is Sent.ACCEPTED


def test_the_queue_says_which_holiday_a_mail_waits_for(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state=CampaignState.RUNNING)
    row = factories.make_message(factories.make_enrollment(campaign, state=EnrollmentState.RUNNING))
    rest_today()
    assert queueing.queue_due() == 0
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.PLANNED, "holiday")


def test_the_persons_own_date_decides(in_ws: Workspace) -> None:
    """At noon in London it is the next day already on Kiritimati."""
    campaign = factories.make_campaign(state=CampaignState.RUNNING)
    here = factories.make_contact(timezone="Europe/London")
    there = factories.make_contact(timezone="Pacific/Kiritimati")
    rows = [factories.make_message(factories.make_enrollment(campaign, one)) for one in (here, there)]
    noon = dt.datetime.combine(today() + dt.timedelta(days=1), dt.time(12), tzinfo=dt.UTC)
    factories.make_holiday("Rest", noon.date() + dt.timedelta(days=1))
    codes = [
        next(verdict.code for gate, verdict in policy.asked(row, now=noon) if "hours" in gate.rule)
        for row in rows
    ]
    assert codes == ["", "holiday"]


def test_a_follow_up_waits_in_working_days_and_leaves_holidays_out(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(
        state=CampaignState.RUNNING, steps=(FIRST_MAIL, FOLLOW_UP), weekdays=[0, 1, 2, 3, 4]
    )
    campaigns.save_step(campaign, 2, subject="", body="<p>x</p>", wait_days=3, working_days=True)
    row = factories.make_message(factories.make_enrollment(campaign), state=MessageState.SENT)
    factories.make_holiday("Christmas Day", CHRISTMAS)  # a Wednesday
    # Monday: Tuesday is the first, Thursday and Friday are the next.
    planned = sequences.plan_next(row, after=dt.datetime(2030, 12, 23, 10, 0, tzinfo=dt.UTC))
    assert planned is not None
    assert planned.due_at == dt.datetime(2030, 12, 27, 10, 0, tzinfo=dt.UTC)


def test_the_forecast_leaves_holidays_out(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state=CampaignState.RUNNING, steps=(FIRST_MAIL, FOLLOW_UP))
    campaign.steps.filter(position=2).update(wait_days=2, working_days=True)
    factories.make_message(factories.make_enrollment(campaign, state=EnrollmentState.RUNNING))
    rest_today()
    found = line_of(campaign)
    assert found.waits == (Wait(2, working=True),)
    first, second = plan(found.waiting, found.account).goings
    assert first.date > today() + dt.timedelta(days=1)
    assert (second.date - first.date).days == 2
    assert not {first.date, second.date} & holidays.closed()


def test_it_stores_in_which_days_a_step_waits(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP))
    url = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/compose/?step=2"
    client.post(url, {"body": "<p>Second</p>", "wait_days": "3", "working_days": "True"})
    assert campaign.steps.get(position=2).working_days
    page = client.get(url).content.decode()
    assert "3 working days, no reply" in page
    assert '<option value="True" selected>working days' in page
    assert client.post(url, {"body": "x", "wait_days": "3", "working_days": "moons"}).status_code == 422


def test_days_are_typed_or_pasted_and_taken_out(client: Client, in_ws: Workspace) -> None:
    url = f"/w/{in_ws.slug}/holidays/"
    pasted = "2030-12-25 Christmas Day\n\n26.12.2030, Boxing Day\r\n2030-12-25 Again"
    client.post(url, {"days": pasted})
    assert list(Holiday.objects.order_by("date").values_list("name", flat=True)) == [
        "Christmas Day",
        "Boxing Day",
    ]
    row = Holiday.objects.get(name="Boxing Day")
    assert "Boxing Day" in client.get(url).content.decode()
    again = client.post(url, {"days": pasted}, follow=True).content.decode()
    assert "stands in the calendar already" in again
    client.post(f"{url}{row.pk}/remove/")
    assert Holiday.objects.get().name == "Christmas Day"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("Christmas", "Line 1 does not begin with a date"),
        ("2030-12-25 Christmas\n2030-02-30 Never", "Line 2: there is no such day"),
        ("2030-12-25", "needs a name"),
        ("0000-01-01 Nought", "there is no such day"),
        ("12/25/2030 Which is the month", "does not begin with a date"),
        ("\n".join(f"{year}-01-01 New Year" for year in range(2000, 2500)), "holds 400 days"),
    ],
)
def test_what_cannot_be_read_stands_there_still_with_its_sentence(
    client: Client, in_ws: Workspace, typed: str, words: str
) -> None:
    answer = client.post(f"/w/{in_ws.slug}/holidays/", {"days": typed})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page
    assert typed.splitlines()[0] in page
    assert Holiday.objects.count() == 0


def test_a_countrys_days_are_added_for_a_year(client: Client, in_ws: Workspace) -> None:
    url = f"/w/{in_ws.slug}/holidays/"
    year = today().year + 1
    client.post(url, {"country": "DE", "year": str(year)})
    christmas = Holiday.objects.get(date=dt.date(year, 12, 25))
    assert (christmas.name, christmas.country) == ("Christmas Day", "DE")
    assert client.post(url, {"country": "XX", "year": str(year)}).status_code == 422
    assert client.post(url, {"country": "DE", "year": "1066"}).status_code == 422


def test_taking_a_day_out_asks_what_waited_for_it_at_once(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state=CampaignState.RUNNING)
    row = factories.make_message(
        factories.make_enrollment(campaign),
        reason="holiday",
        not_before=clock.now() + dt.timedelta(days=1),
    )
    holidays.remove(factories.make_holiday("Rest", today()), actor=None)
    row.refresh_from_db()
    assert row.not_before is not None
    assert row.not_before <= clock.now()


def test_a_campaigns_rest_is_its_own_setting_and_is_copied(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    form = {
        "name": "Huts",
        "mailbox": str(campaign.mailbox_id),
        "weekdays": ["0"],
        "window_start": "09:00",
        "window_end": "17:00",
        "timezone": "UTC",
    }
    url = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/settings/"
    assert "Rest on holidays" in client.get(url).content.decode()
    client.post(url, form)
    campaign.refresh_from_db()
    assert not campaign.observes_holidays
    assert not campaigns.duplicate(campaign, actor=None).observes_holidays
