"""Opens, clicks and opt-outs reach the mail's row through the addresses that the mail itself carries."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts import clock
from accounts.models import AuditEvent, Workspace
from outreach import rendering
from outreach.models import (
    Backlink,
    CampaignKind,
    CampaignState,
    CaseState,
    Consent,
    Contact,
    Enrollment,
    EnrollmentState,
    LinkState,
    Message,
    MessageState,
    RemovalCase,
    Site,
    Suppression,
    SuppressionReason,
    Verdict,
)
from tests.factories import make_campaign, make_contact, make_enrollment, make_message
from tracking import recipient
from tracking.tokens import opt_out_url, pixel_url

Later = Callable[..., None]
READER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"}
# What a browser says of a tab that a person opened; programs that follow links do not.
VISITOR = {**READER, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
BODY = ("A table", '<p>Hello</p><p><a href="https://fernhill.example/table">the table</a></p>')


@pytest.fixture
def mail(in_ws: Workspace) -> Message:
    """An accepted mail whose opens and clicks are counted, with a follow-up that waits."""
    campaign = make_campaign(steps=(BODY, ("", "<p>Once more</p>")), state=CampaignState.RUNNING)
    enrollment = make_enrollment(
        campaign, make_contact("ana@site.example", name="Ana Berg"), state=EnrollmentState.RUNNING
    )
    row = make_message(
        enrollment,
        state=MessageState.SENT,
        tracks_opens=True,
        tracks_clicks=True,
        attempted_at=clock.now(),
    )
    assert row.step is not None
    assert row.mailbox is not None
    rendered = rendering.render_step(
        row.step,
        enrollment.contact,
        mailbox=row.mailbox,
        campaign=campaign,
        key=row.pk,
        opens=True,
        clicks=True,
    )
    row.html, row.text = rendered.html, rendered.text
    row.save()
    make_message(enrollment, position=2, state=MessageState.QUEUED)
    return row


def address(row: Message, kind: str) -> str:
    found = re.search(rf'"http://localhost:8000(/{kind}/[^"]+)"', row.html or "")
    assert found is not None
    return found.group(1)


def test_it_counts_an_open_once_in_a_moment(mail: Message, client: Client, later: Later) -> None:
    later(minutes=5)
    client.get(address(mail, "o"), headers=READER)
    client.get(address(mail, "o"), headers=READER)
    mail.refresh_from_db()
    assert (mail.opens, mail.clicks) == (1, 0)
    assert mail.opened_at is not None


def test_it_counts_a_click_of_a_person_apart_from_a_scanners(
    mail: Message, client: Client, later: Later
) -> None:
    later(minutes=5)
    client.get(address(mail, "c"), headers=READER)
    mail.refresh_from_db()
    assert (mail.clicks, mail.automatic_clicks) == (0, 1)
    later(minutes=5)
    answer = client.get(address(mail, "c"), headers=VISITOR)
    assert answer["Location"] == "https://fernhill.example/table"
    mail.refresh_from_db()
    assert (mail.clicks, mail.automatic_clicks) == (1, 1)
    assert mail.clicked_at is not None


def test_it_counts_nothing_of_a_mail_that_was_sent_without(
    mail: Message, client: Client, later: Later
) -> None:
    Message.objects.update(tracks_opens=False, tracks_clicks=False)
    later(minutes=5)
    client.get(address(mail, "o"), headers=READER)
    client.get(address(mail, "c"), headers=READER)
    mail.refresh_from_db()
    assert (mail.opens, mail.clicks, mail.automatic_clicks) == (0, 0, 0)


def test_it_counts_nothing_after_consent_was_withdrawn(mail: Message, client: Client, later: Later) -> None:
    Contact.objects.update(tracking_consent=Consent.REFUSED)
    later(minutes=5)
    client.get(address(mail, "o"), headers=READER)
    mail.refresh_from_db()
    assert mail.opens == 0


def test_it_stops_everything_within_the_opt_out(mail: Message, client: Client) -> None:
    """F26: when the answer is there, the stop is committed."""
    assert client.get(address(mail, "u")).status_code == 200
    assert not Suppression.objects.exists()
    answer = client.post(address(mail, "u"), {"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert Suppression.objects.get().reason == SuppressionReason.OPTED_OUT
    assert Message.objects.get(step__position=2).state == MessageState.SUPPRESSED
    assert Enrollment.objects.get().state == EnrollmentState.SUPPRESSED


def test_it_stops_a_whole_company_when_asked(mail: Message, client: Client) -> None:
    client.post(address(mail, "u"), {"act": "stop_company"})
    row = Suppression.objects.get()
    assert (row.scope, row.value) == (Suppression.Scope.DOMAIN, "site.example")


def test_it_hears_an_opt_out_of_a_mail_whose_address_is_gone(mail: Message, client: Client) -> None:
    """After the bin the row keeps its contact, and nothing else that names a person."""
    Message.objects.filter(pk=mail.pk).update(to_index=None)
    mail.to_address = ""
    mail.save(update_fields=["to_address"])
    client.post(address(mail, "u"))
    assert Suppression.objects.get().value == "ana@site.example"


def test_it_tells_the_recipient_who_wrote_and_why(mail: Message, client: Client) -> None:
    page = client.get(address(mail, "u")).content.decode()
    assert "mira@fernhill.example" in page
    assert "Your page lists you as editor" in page
    assert "14 Quay Lane" in page
    assert mail.campaign is not None
    assert mail.campaign.name not in page


def test_it_answers_a_forged_pixel_like_any_other(mail: Message, client: Client, later: Later) -> None:
    later(minutes=5)
    genuine = client.get(address(mail, "o"), headers=READER)
    forged = client.get("/o/AQAAAAAAAAAA", headers=READER)
    unknown = client.get(
        pixel_url(mail.workspace_id, mail.workspace_id).removeprefix("http://localhost:8000")
    )
    assert genuine.content == forged.content == unknown.content
    assert Message.objects.filter(opens__gt=0).count() == 1


@pytest.fixture
def removal(in_ws: Workspace) -> Message:
    """An accepted removal request about one link."""
    campaign = make_campaign(kind=CampaignKind.REMOVAL, state=CampaignState.RUNNING, steps=(BODY, BODY))
    enrollment = make_enrollment(campaign, make_contact("web@farm.example"), state=EnrollmentState.RUNNING)
    case = RemovalCase.objects.create(
        project=campaign.project,
        site=Site.objects.get(domain="farm.example"),
        verdict=Verdict.REMOVE,
        contact=enrollment.contact,
        enrollment=enrollment,
    )
    Backlink.objects.create(
        project=campaign.project,
        case=case,
        source_url="https://farm.example/page",
        target_url="https://fernhill.example/",
        key="k",
    )
    make_message(enrollment, position=2, state=MessageState.QUEUED)
    return make_message(enrollment, state=MessageState.SENT)


def test_it_takes_the_word_of_a_site_that_says_removed(removal: Message, client: Client) -> None:
    url = opt_out_url(removal.workspace_id, removal.pk).removeprefix("http://localhost:8000")
    assert "https://farm.example/page" in client.get(url).content.decode()
    assert client.post(url, {"act": "removed", "note": "done\r\nyesterday"}).status_code == 200
    assert Backlink.objects.get().state == LinkState.SAYS_REMOVED
    assert RemovalCase.objects.get().state == CaseState.YOUR_TURN
    assert Message.objects.get(step__position=2).state == MessageState.CANCELLED
    event = AuditEvent.objects.get(action="recipient.says_removed")
    assert "done yesterday" in event.sentence
    assert not Suppression.objects.exists()


def test_it_still_shows_what_they_said_when_they_come_back(
    removal: Message, client: Client, later: Later
) -> None:
    url = opt_out_url(removal.workspace_id, removal.pk).removeprefix("http://localhost:8000")
    assert "I have removed it" in client.get(url).content.decode()
    client.post(url, {"act": "removed"})
    client.post(url, {"act": "delete_data"})
    asked = clock.now()
    later(days=9)
    client.post(url, {"act": "delete_data"})
    body = client.get(url).content.decode()
    assert "Removed, as you say" in body
    assert "I have removed it" not in body
    assert "Deletion asked for" in body
    answer_by = asked + dt.timedelta(days=30)
    assert f"must answer by {answer_by.day} {answer_by:%B}" in body


def test_it_stops_writing_to_the_wrong_person(mail: Message, client: Client) -> None:
    client.post(address(mail, "u"), {"act": "wrong_person", "note": "ask Bo"})
    assert Message.objects.get(step__position=2).state == MessageState.CANCELLED
    assert AuditEvent.objects.filter(action="recipient.wrong_person").exists()


def test_it_records_a_wish_for_deletion_and_stops(mail: Message, client: Client) -> None:
    client.post(address(mail, "u"), {"act": "delete_data"})
    assert AuditEvent.objects.filter(action="recipient.asks_deletion").exists()
    assert Suppression.objects.exists()


def test_it_knows_nothing_of_a_key_that_was_never_a_mail(in_ws: Workspace) -> None:
    assert recipient.describe(in_ws.pk) is None
    assert recipient.trace(in_ws.pk) is None
