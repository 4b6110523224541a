"""Due planned rows pass the gates, and their text is frozen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import User, Workspace
from outreach import campaigns
from outreach.contacts import save_contact
from outreach.models import (
    Campaign,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    SuppressionReason,
    Thread,
)
from outreach.pipeline import compose
from outreach.pipeline.queue import queue_due
from outreach.suppression import suppress
from outreach.window import Window, zone_of
from tests.factories import make_campaign, make_contact, make_message

PLANNED, QUEUED = MessageState.PLANNED, MessageState.QUEUED


def launched(**values: object) -> Campaign:
    campaign = make_campaign(contacts=[make_contact(first_name="Ana")], **values)  # type: ignore[arg-type]
    compose.launch(campaign, actor=None)
    campaign.refresh_from_db()
    return campaign


def test_it_freezes_the_text_and_opens_a_thread(in_ws: Workspace) -> None:
    launched()
    assert queue_due() == 1
    row = Message.objects.get()
    assert (row.state, row.reason) == (QUEUED, "")
    assert "Hello Ana" in row.text
    assert row.html is not None
    assert len(row.content_hash) == 64
    assert row.queued_at is not None
    thread = Thread.objects.get()
    assert (row.thread, thread.subject) == (thread, row.subject)
    contact = Contact.objects.get()
    contact.first_name = "Eva"
    contact.save()
    assert queue_due() == 0
    row.refresh_from_db()
    assert "Hello Ana" in row.text


def test_it_leaves_a_paused_campaign_and_a_later_row_alone(
    in_ws: Workspace, later: Callable[..., None]
) -> None:
    campaign = launched()
    campaigns.pause(campaign, actor=None)
    assert queue_due() == 0
    campaigns.resume(campaign, actor=None)
    Message.objects.update(due_at=clock.now() + dt.timedelta(hours=1))
    assert queue_due() == 0
    later(hours=2)
    assert queue_due() == 1


def test_it_keeps_a_row_planned_outside_the_window_and_says_so(
    in_ws: Workspace, later: Callable[..., None]
) -> None:
    now = clock.now()
    start, end = (now + dt.timedelta(hours=2)).time(), (now + dt.timedelta(hours=3)).time()
    launched(window_start=start, window_end=end, timezone="UTC")
    assert queue_due() == 0
    row = Message.objects.get()
    assert (row.state, row.reason) == (PLANNED, "window")
    assert row.not_before is not None
    assert abs((row.not_before - now - dt.timedelta(hours=2)).total_seconds()) < 60
    assert row.detail is not None
    assert "UTC time" in row.detail
    later(hours=2, minutes=1)
    assert queue_due() == 1


def test_it_asks_again_at_once_when_a_person_opens_the_window(
    in_ws: Workspace, owner: User, signed_in: Callable[[User], Client]
) -> None:
    now = clock.now()
    start, end = (now + dt.timedelta(hours=2)).time(), (now + dt.timedelta(hours=3)).time()
    campaign = launched(window_start=start, window_end=end, timezone="UTC")
    assert queue_due() == 0
    answer = signed_in(owner).post(
        f"/w/{in_ws.slug}/campaigns/{campaign.pk}/settings/",
        {
            "name": campaign.name,
            "mailbox": str(campaign.mailbox_id),
            "weekdays": ["0", "1", "2", "3", "4", "5", "6"],
            "window_start": "00:00",
            "window_end": "00:00",
            "timezone": "UTC",
        },
    )
    assert answer.status_code == 302
    assert queue_due() == 1


def test_it_asks_again_at_once_when_the_persons_zone_is_corrected(in_ws: Workspace) -> None:
    now = clock.now()
    launched(window_start=now.time(), window_end=(now + dt.timedelta(minutes=30)).time(), timezone="UTC")
    Contact.objects.update(timezone="Asia/Kolkata")
    assert queue_due() == 0
    contact = Contact.objects.get()
    save_contact(contact=contact, address=contact.address, first_name="Ana", timezone="UTC", actor=None)
    assert queue_due() == 1


def test_it_uses_the_recipients_own_clock(in_ws: Workspace) -> None:
    now = clock.now()
    launched(window_start=now.time(), window_end=(now + dt.timedelta(minutes=30)).time(), timezone="UTC")
    Contact.objects.update(timezone="Asia/Kolkata")
    assert queue_due() == 0
    Contact.objects.update(timezone="")
    Message.objects.update(not_before=None)
    assert queue_due() == 1


def test_it_never_sends_half_blank(in_ws: Workspace, later: Callable[..., None]) -> None:
    launched(steps=[("Hi", "<p>{{ first_name }}</p>")])
    contact = Contact.objects.get()
    contact.first_name = ""
    contact.save()
    assert queue_due() == 0
    row = Message.objects.get()
    assert (row.state, row.reason, row.text) == (PLANNED, "blank:first_name", "")
    contact.first_name = "Eva"
    contact.save()
    later(minutes=1)
    assert queue_due() == 1


def test_it_ends_a_row_of_somebody_who_opted_out(in_ws: Workspace) -> None:
    launched()
    suppress(Contact.objects.get().address, reason=SuppressionReason.OPTED_OUT)
    Message.objects.update(state=PLANNED)
    Enrollment.objects.update(state=EnrollmentState.RUNNING)
    assert queue_due() == 0
    row = Message.objects.get()
    assert (row.state, row.reason) == (MessageState.SUPPRESSED, "opted_out")
    assert Enrollment.objects.get().state == EnrollmentState.SUPPRESSED


@pytest.mark.parametrize(
    ("country", "consent", "counted"),
    [
        ("US", "unknown", True),
        ("FR", "unknown", False),
        ("", "unknown", False),
        ("FR", "given", True),
        ("US", "refused", False),
    ],
)
def test_it_counts_clicks_only_where_it_may(
    in_ws: Workspace, country: str, consent: str, counted: bool
) -> None:
    launched(steps=[("Hi", '<p><a href="https://huts.example/">map</a></p>')])
    Contact.objects.update(country=country, tracking_consent=consent)
    assert queue_due() == 1
    row = Message.objects.get()
    assert (row.tracks_opens, row.tracks_clicks) == (False, counted)
    assert ("/c/" in (row.html or "")) is counted
    assert "/o/" not in (row.html or "")


def test_it_continues_the_thread_with_a_follow_up(in_ws: Workspace) -> None:
    campaign = launched(steps=[("For {{ first_name }}", "<p>Hello</p>"), ("", "<p>Again</p>")])
    queue_due()
    first = Message.objects.get()
    Message.objects.update(state=MessageState.SENT, sent_at=clock.now())
    row = make_message(campaign.enrollments.get(), position=2, thread=first.thread)
    assert queue_due() == 1
    row.refresh_from_db()
    assert row.subject == "Re: For Ana"
    assert row.thread == first.thread
    assert Thread.objects.count() == 1


def test_it_queues_an_edited_mail_anew(in_ws: Workspace) -> None:
    campaign = launched()
    queue_due()
    before = Message.objects.get()
    campaigns.save_step(campaign, 1, subject="New", body="<p>New text</p>")
    row = Message.objects.get()
    assert (row.state, row.text, row.fence) == (PLANNED, "", before.fence + 1)
    assert queue_due() == 1
    row.refresh_from_db()
    assert row.subject == "New"
    assert "New text" in row.text
    assert Thread.objects.count() == 1


def test_it_queues_no_more_than_asked(in_ws: Workspace) -> None:
    campaign = make_campaign(contacts=[make_contact() for _ in range(5)])
    compose.launch(campaign, actor=None)
    assert queue_due(2) == 2
    assert queue_due() == 3


def test_it_cancels_what_is_left_of_an_ended_campaign(in_ws: Workspace) -> None:
    campaign = launched()
    Campaign.objects.filter(pk=campaign.pk).update(state=CampaignState.CANCELLED)
    queue_due()
    assert Message.objects.get().state == MessageState.CANCELLED


def window(start: str, end: str, zone: str, days: str = "0123456") -> Window:
    return Window(
        dt.time.fromisoformat(start), dt.time.fromisoformat(end), frozenset(map(int, days)), zone_of(zone)
    )


@pytest.mark.parametrize(
    ("start", "end", "zone", "now", "opens"),
    [
        # Spring forward: 02:30 does not exist in Berlin on 29 March 2026; that day's window is skipped.
        ("02:15", "02:45", "Europe/Berlin", "2026-03-29T00:00+00:00", "2026-03-30T00:15+00:00"),
        # The window's start in summer time and in winter time.
        ("09:00", "17:00", "Europe/Berlin", "2026-03-28T20:00+00:00", "2026-03-29T07:00+00:00"),
        ("09:00", "17:00", "Europe/Berlin", "2026-10-24T20:00+00:00", "2026-10-25T08:00+00:00"),
        # Over midnight.
        ("22:00", "02:00", "UTC", "2026-06-01T01:00+00:00", "2026-06-01T01:00+00:00"),
        ("22:00", "02:00", "UTC", "2026-06-01T03:00+00:00", "2026-06-01T22:00+00:00"),
        # A leap day.
        ("09:00", "10:00", "America/New_York", "2028-02-29T15:30+00:00", "2028-03-01T14:00+00:00"),
        # The whole day.
        ("00:00", "00:00", "Asia/Kathmandu", "2026-06-01T03:00+00:00", "2026-06-01T03:00+00:00"),
    ],
)
def test_it_opens_by_the_wall_clock(start: str, end: str, zone: str, now: str, opens: str) -> None:
    found = window(start, end, zone).next_open(dt.datetime.fromisoformat(now))
    assert found == dt.datetime.fromisoformat(opens)


def test_it_keeps_to_the_weekdays() -> None:
    friday = dt.datetime(2026, 6, 5, 18, 0, tzinfo=dt.UTC)
    assert window("09:00", "17:00", "UTC", "01234").next_open(friday) == dt.datetime(
        2026, 6, 8, 9, tzinfo=dt.UTC
    )
    assert window("09:00", "17:00", "UTC", "").next_open(friday) is None
