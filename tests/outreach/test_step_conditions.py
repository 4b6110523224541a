"""A step that asks about clicks: met, not met, not known. What is left out says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from outreach import campaigns, why
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Consent,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    StepCondition,
)
from outreach.pipeline import queue as queueing
from outreach.pipeline import track
from outreach.readiness import readiness
from tests import factories
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tracking.models import Event, Kind, Source

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


def asking(condition: str, *, counts: bool = True, clicks: int = 0, steps: int = 3) -> Message:
    """The first mail was sent; the second, which asks, is due, and a third may follow."""
    campaign = factories.make_campaign(
        state=CampaignState.RUNNING, steps=(FIRST_MAIL, *[FOLLOW_UP] * (steps - 1))
    )
    campaign.steps.filter(position=2).update(condition=condition)
    person = factories.make_enrollment(campaign, state=EnrollmentState.RUNNING)
    factories.make_message(
        person, state=MessageState.SENT, tracks_clicks=counts, clicks=clicks, sent_at=clock.now()
    )
    return factories.make_message(person, position=2)


@pytest.mark.parametrize(
    ("condition", "counts", "clicks", "code"),
    [
        ("always", False, 0, ""),
        ("clicked", True, 2, ""),
        ("clicked", True, 0, "no_click"),
        ("clicked", False, 0, "clicks_unknown"),
        ("not_clicked", True, 0, ""),
        ("not_clicked", True, 1, "clicked"),
        ("not_clicked", False, 0, "clicks_unknown"),
    ],
)
def test_it_goes_or_is_passed_over(
    in_ws: Workspace, condition: str, counts: bool, clicks: int, code: str
) -> None:
    row = asking(condition, counts=counts, clicks=clicks)
    assert queueing.queue_due() == (0 if code else 1)
    row.refresh_from_db()
    assert row.state == (MessageState.CANCELLED if code else MessageState.QUEUED)
    assert row.reason == code
    third = Message.objects.filter(step__position=3).first()
    assert (third is not None) == bool(code)
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING
    if third is not None:
        assert third.state == MessageState.PLANNED
        assert (third.due_at - clock.now()) > dt.timedelta(days=3)


@pytest.mark.parametrize(
    ("condition", "clicks", "sentence"),
    [
        ("clicked", 0, "Skipped: no click on step 1."),
        ("not_clicked", 1, "Skipped: a link of step 1 was opened."),
    ],
)
def test_the_skipped_step_says_why(in_ws: Workspace, condition: str, clicks: int, sentence: str) -> None:
    row = asking(condition, clicks=clicks)
    queueing.queue_due()
    row.refresh_from_db()
    shown = why.state_of(row)
    assert shown.words == "Cancelled"
    assert sentence in shown.sentence


def test_image_loads_and_automatic_clicks_are_no_click(in_ws: Workspace) -> None:
    row = asking("clicked")
    Message.objects.filter(state=MessageState.SENT).update(opens=9, automatic_clicks=9)
    queueing.queue_due()
    row.refresh_from_db()
    assert row.reason == "no_click"


def test_a_last_step_that_is_passed_over_ends_the_way_and_says_so(in_ws: Workspace) -> None:
    asking("clicked", steps=2)
    queueing.queue_due()
    person = Enrollment.objects.get()
    assert (person.state, person.reason) == (EnrollmentState.FINISHED, "no_click")
    assert queueing.queue_due() == 0
    assert Message.objects.count() == 2


def test_nothing_is_decided_while_something_else_holds_the_mail(in_ws: Workspace) -> None:
    """A person who is paused may click before they go on."""
    row = asking("clicked")
    Enrollment.objects.update(paused_at=clock.now())
    queueing.queue_due()
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.PLANNED, "person_paused")


def test_a_click_that_comes_while_the_mail_waits_in_line_still_counts(in_ws: Workspace) -> None:
    row = asking("not_clicked")
    assert queueing.queue_due() == 1
    first = Message.objects.get(step__position=1)
    first.sent_at = clock.now() - dt.timedelta(hours=2)
    Message.objects.filter(pk=first.pk).update(sent_at=first.sent_at, attempted_at=first.sent_at)
    Event.objects.create(key=first.pk, kind=Kind.CLICKED, source=Source.HUMAN, at=clock.now())
    track.observe(first.pk, Kind.CLICKED, source=Source.HUMAN)
    row.refresh_from_db()
    assert row.state == MessageState.PLANNED
    queueing.queue_due()
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.CANCELLED, "clicked")


def test_the_composer_keeps_the_condition_and_says_for_whom_it_cannot_be_known(
    signed_in: SignedIn, member: User, in_ws: Workspace
) -> None:
    client = signed_in(member)
    in_ws.tracks_clicks = True
    in_ws.save()
    known = factories.make_contact(country="US")
    unknown = factories.make_contact(country="DE", basis="consent", tracking_consent=Consent.REFUSED)
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP), contacts=[known, unknown])
    url = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/compose/?step=2"
    client.post(url, {"body": "<p>Hello</p>", "wait_days": "4", "condition": "clicked"})
    assert campaign.steps.get(position=2).condition == StepCondition.CLICKED
    page = client.get(url).content.decode()
    assert "4 days, no reply, a click" in page
    assert "skipped for 1 of 2 people" in page
    assert client.post(url, {"body": "x", "condition": "opened"}).status_code == 422
    Campaign.objects.update(tracks_clicks=False)
    campaign.refresh_from_db()
    assert "skipped for everybody" in readiness(campaign).warnings[-1].sentence


def test_a_first_mail_and_a_removal_request_ask_nothing(in_ws: Workspace) -> None:
    campaign = factories.make_campaign(steps=(FIRST_MAIL, FOLLOW_UP), kind=CampaignKind.REMOVAL)
    for position in (1, 2):
        step = campaigns.save_step(campaign, position, subject="x", body="<p>x</p>", condition="clicked")
        assert step.condition == StepCondition.ALWAYS
