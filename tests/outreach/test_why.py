"""What screens say of a mail and a person: the words of decisions 19 and no more than is known."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.template import Context, Template

from accounts import clock
from accounts.models import Workspace
from accounts.templatetags.ui import MARKS, TONES
from mailbox.models import MailboxState
from outreach import reasons, timeline, why
from outreach.holding import held_sentence
from outreach.models import Campaign, Enrollment, EnrollmentState, Message, MessageState, ReplyKind
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_contact,
    make_enrollment,
    make_mailbox,
    make_message,
    make_reply,
)
from tracking.models import Event, Kind, Source

FORBIDDEN = re.compile(
    r"\b(delivered|read|received|seen|success|failed|error|engaged|toxic)\b|!", re.IGNORECASE
)
HOUR = dt.timedelta(hours=1)


def shown(row: Message | Enrollment, **later: float) -> why.Shown:
    now = clock.now() + dt.timedelta(**later)
    if isinstance(row, Message):
        fresh: Any = Message.objects.select_related(*why.WITH).get(pk=row.pk)
    else:
        fresh = Enrollment.objects.prefetch_related("messages__step", "messages__mailbox").get(pk=row.pk)
    found = why.state_of(fresh, now=now)
    assert found.tone in TONES
    assert found.mark in MARKS
    assert not FORBIDDEN.search(f"{found.words} {re.sub('<[^>]+>', '', found.sentence)}")
    page = Template("{% state s.tone s.mark s.words %}{% evidence s.rung %}{{ s.sentence }}")
    assert not re.search(r"&lt;/?(time|b|svg)", page.render(Context({"s": found})))
    return found


@pytest.mark.parametrize(
    ("values", "words", "tone"),
    [
        ({"state": "planned"}, "Planned", "n"),
        ({"state": "planned", "reason": "window"}, "Waiting for the window", "w"),
        ({"state": "planned", "reason": "blank:first_name"}, "Waiting for a field", "w"),
        ({"state": "planned", "reason": "site_budget"}, "Waiting for this site", "w"),
        ({"state": "queued"}, "Queued", "m"),
        ({"state": "claimed"}, "Queued", "m"),
        ({"state": "drafted"}, "Queued", "m"),
        ({"state": "submitting"}, "Sending now", "m"),
        ({"state": "deferred", "reason": "rate_limited"}, "Waiting for Google", "w"),
        ({"state": "deferred", "reason": "cap_reached"}, "Waiting for the daily cap", "w"),
        ({"state": "refused", "reason": "invalid_recipient"}, "Refused", "b"),
        ({"state": "doubt"}, "In doubt", "d"),
        ({"state": "cancelled", "reason": "replied"}, "Cancelled", "n"),
        ({"state": "suppressed", "reason": "opted_out"}, "Suppressed", "n"),
        ({"state": "sent"}, "Accepted", "n"),
        ({"state": "sent", "opens": 3}, "Opened (may be automatic)", "n"),
        ({"state": "sent", "automatic_clicks": 2}, "Clicked (looks automatic)", "n"),
        ({"state": "sent", "clicks": 1, "opens": 1}, "Clicked", "g"),
    ],
)
def test_it_uses_the_words_of_the_table(in_ws: Workspace, values: Any, words: str, tone: str) -> None:
    found = shown(make_message(**values))
    assert (found.words, found.tone) == (words, tone)
    assert found.sentence


@pytest.mark.parametrize(
    ("field", "more", "words"),
    [
        ("replied_at", {"clicks": 1}, "Replied"),
        ("bounced_at", {"bounce_kind": "hard"}, "Bounced"),
        ("bounced_at", {"bounce_kind": "blocked"}, "Bounced"),
        ("bounced_at", {"bounce_kind": "delayed"}, "Accepted"),
        ("auto_replied_at", {"opens": 1}, "Auto-reply"),
    ],
)
def test_it_says_what_came_back(in_ws: Workspace, field: str, more: Any, words: str) -> None:
    values: Any = {field: clock.now(), **more}
    assert shown(make_message(state=MessageState.SENT, **values)).words == words


def test_it_says_no_bounce_only_after_its_time(in_ws: Workspace) -> None:
    row = make_message(state=MessageState.SENT)
    early = shown(row, hours=71)
    assert (early.words, early.rung) == ("Accepted", ("accepted",))
    assert "1 hour to go" in early.sentence
    late = shown(row, hours=73)
    assert (late.words, late.rung) == ("No bounce after 72 h", ("accepted", "quiet"))


def test_it_takes_a_bounce_off_the_ladder(in_ws: Workspace) -> None:
    row = make_message(state=MessageState.SENT, bounced_at=clock.now(), bounce_kind="hard", opens=1)
    assert shown(row, hours=80).rung == ("bounced",)


def test_it_puts_the_mailbox_before_the_mail(in_ws: Workspace) -> None:
    mailbox = make_mailbox("microsoft", throttled_until=clock.now() + HOUR, state=MailboxState.THROTTLED)
    row = make_message(make_enrollment(make_campaign(mailbox=mailbox, state="running")), state="queued")
    found = shown(row)
    assert str(found.words).startswith("Waiting for Microsoft until <time")
    assert found.next_at == mailbox.throttled_until
    assert shown(row, hours=2).words == "Queued"
    mailbox.state = MailboxState.BROKEN
    mailbox.save()
    assert shown(row).words == "Needs reconnecting"
    Campaign.objects.update(state="paused")
    assert shown(row).words == "Paused"


def test_it_escapes_what_others_wrote(in_ws: Workspace) -> None:
    row = make_message(state=MessageState.REFUSED, detail="550 <script>alert(1)</script>")
    assert "<script" not in shown(row).sentence


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"state": EnrollmentState.PLANNED}, "Planned"),
        ({"state": EnrollmentState.HELD_BACK, "reason": "blank:company"}, "Waiting for a field"),
        ({"state": EnrollmentState.HELD_BACK, "reason": "opted_out"}, "Suppressed"),
        ({"state": EnrollmentState.HELD_BACK, "reason": "consent_needed"}, "Waiting for consent"),
        ({"state": EnrollmentState.SUPPRESSED, "reason": "opted_out"}, "Suppressed"),
        ({"state": EnrollmentState.CANCELLED, "reason": "removed"}, "Cancelled"),
        ({"state": EnrollmentState.BOUNCED, "reason": "bounced"}, "Bounced"),
        ({"state": EnrollmentState.REPLIED}, "Replied"),
    ],
)
def test_it_says_where_a_person_stands(in_ws: Workspace, values: Any, words: str) -> None:
    assert shown(make_enrollment(make_campaign(), **values)).words == words


def test_it_shows_the_mail_that_tells_most_of_a_person(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[FIRST_MAIL, FOLLOW_UP], state="running")
    person = make_enrollment(campaign, make_contact(), state=EnrollmentState.RUNNING)
    make_message(person, state=MessageState.SENT, clicks=1)
    second = make_message(person, position=2, due_at=clock.now() + 48 * HOUR)
    found = shown(person)
    assert (found.words, found.next_at) == ("Clicked", second.due_at)
    assert "Step 2 goes" in found.sentence
    Message.objects.filter(pk=second.pk).update(state=MessageState.DOUBT, attempted_at=clock.now())
    assert shown(person).words == "In doubt"


@pytest.mark.parametrize("state", [EnrollmentState.RUNNING, EnrollmentState.FINISHED])
def test_it_keeps_an_opened_link_when_a_later_mail_is_only_accepted(in_ws: Workspace, state: str) -> None:
    now = clock.now()
    campaign = make_campaign(steps=[FIRST_MAIL, FOLLOW_UP])
    person = make_enrollment(campaign, make_contact(), state=state)
    first, second = campaign.steps.order_by("position")
    make_message(person, step=first, state="sent", sent_at=now, clicks=1, clicked_at=now)
    make_message(person, step=second, state="sent", sent_at=now, opens=2, opened_at=now)
    found = shown(person)
    assert found.words == "Clicked"
    assert "clicked" in found.rung


def test_it_counts_the_follow_ups_that_a_reply_cancelled(in_ws: Workspace) -> None:
    campaign = make_campaign(steps=[FIRST_MAIL, FOLLOW_UP], state="running")
    person = make_enrollment(campaign, state=EnrollmentState.REPLIED)
    make_message(person, state=MessageState.SENT, replied_at=clock.now())
    make_message(person, position=2, state=MessageState.CANCELLED, reason="replied")
    found = shown(person)
    assert "1 follow-up was cancelled." in found.sentence
    assert found.rung == ("accepted", "replied")


def test_it_asks_the_database_nothing_per_row(in_ws: Workspace, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        make_message(state=MessageState.SENT)
    rows = list(Message.objects.select_related(*why.WITH))
    now = clock.now()
    # The first reading of a row opens its ciphertext under a key that is in memory by now.
    with django_assert_num_queries(0):
        assert len([why.state_of(row, now=now) for row in rows]) == 5


def test_it_tells_a_mails_story_in_order(in_ws: Workspace) -> None:
    start = clock.now() - 100 * HOUR
    row = make_message(state=MessageState.SENT, queued_at=start, sent_at=start + HOUR, opens=1)
    make_reply(row, received_at=start + 5 * HOUR)
    make_reply(row, kind=ReplyKind.AUTO_REPLY, received_at=start + 2 * HOUR)
    events = [
        Event(key=row.pk, kind=Kind.CLICKED, source=Source.SCANNER, link=1, at=start + 3 * HOUR),
        Event(key=row.pk, kind=Kind.CLICKED, source=Source.HUMAN, link=1, at=start + 4 * HOUR),
        Event(
            key=row.pk, kind=Kind.OPENED, source=Source.PROXY, at=start + 90 * 60 * dt.timedelta(seconds=1)
        ),
    ]
    told = timeline.of_message(Message.objects.prefetch_related("replies").get(pk=row.pk), events)
    assert [entry.words for entry in told] == [
        "Queued",
        "Accepted",
        "Opened (may be automatic)",
        "Auto-reply",
        "Clicked (looks automatic)",
        "Clicked",
        "Replied",
        "No bounce after 72 h",
    ]
    assert not any(FORBIDDEN.search(f"{entry.words} {entry.sentence}") for entry in told)


@pytest.mark.parametrize("state", list(MessageState))
def test_it_tells_a_story_for_every_state(in_ws: Workspace, state: MessageState) -> None:
    told = timeline.of_message(make_message(state=state, attempted_at=clock.now()))
    assert told
    assert all(entry.tone in TONES and entry.mark in MARKS for entry in told)


@pytest.mark.parametrize("reason", sorted(code for code, known in reasons.CODES.items() if known.waits))
def test_it_keeps_a_state_as_short_as_its_column(in_ws: Workspace, reason: str) -> None:
    # "Opened (may be automatic)" is the longest state of the table of words; the column fits it.
    for row in (
        make_message(state="deferred", reason=reason),
        make_enrollment(make_campaign(), state="held_back", reason=reason),
    ):
        assert len(shown(row).words) <= len("Opened (may be automatic)"), shown(row).words


def test_it_names_a_blank_field_as_the_editor_does() -> None:
    assert held_sentence("blank:page_title") == "Page title is blank here, and the text has no fallback."


def test_it_keeps_what_is_known_of_a_person_while_the_campaign_rests(in_ws: Workspace) -> None:
    campaign = make_campaign(state="paused", steps=(FIRST_MAIL, FOLLOW_UP))
    person = make_enrollment(campaign, state="running")
    make_message(person, state="sent", opens=1)
    make_message(person, position=2, state="planned")
    found = shown(person)
    assert found.words == "Paused"
    assert found.rung == ("accepted", "opened")


def test_it_never_says_that_an_image_tells_of_a_person(in_ws: Workspace) -> None:
    row = make_message(state="sent", opens=1)
    Event.objects.create(key=row.pk, workspace=in_ws, kind=Kind.OPENED, source=Source.HUMAN, at=clock.now())
    entries = timeline.of_message(row, list(Event.objects.filter(key=row.pk)))
    opened = next(entry for entry in entries if entry.mark == "opened")
    assert opened.sentence == "Image fetched, not by a proxy we know. This says little about a person."


def test_it_says_since_when_somebody_is_left_out(in_ws: Workspace) -> None:
    row = make_enrollment(make_campaign(), state="suppressed", reason="opted_out", stopped_at=clock.now())
    assert re.fullmatch(
        r"Asked not to be written to\. Final\. Since <time.*</time>\.", str(shown(row).sentence)
    )


def test_it_says_at_an_hour_and_on_a_day(in_ws: Workspace) -> None:
    today = make_message(state="sent", sent_at=clock.now())
    assert re.search(r"Accepted by \w+ at <time", shown(today).sentence)
    earlier = make_message(state="sent", sent_at=clock.now() - 50 * HOUR)
    assert re.search(r"Accepted by \w+ on <time", shown(earlier).sentence)
