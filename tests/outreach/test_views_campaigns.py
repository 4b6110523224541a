"""A campaign's pages: making one, its people and their states, and every act, through the front door."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from outreach.models import (
    Campaign,
    CampaignState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Project,
)
from tests import factories

SignedIn = Callable[[User], Client]
PASTE = {"about": "paste", "basis": "legitimate", "source": "Their imprint"}
FOUR_DAYS = dt.timedelta(days=4)


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/campaigns/{path}"


def running(**values: Any) -> Campaign:
    return factories.make_campaign(
        steps=[factories.FIRST_MAIL, factories.FOLLOW_UP],
        state=CampaignState.RUNNING,
        launched_at=clock.now(),
        **values,
    )


def person(campaign: Campaign, state: str = EnrollmentState.RUNNING, **values: Any) -> Enrollment:
    return factories.make_enrollment(campaign, state=state, **values)


def test_it_makes_a_campaign_in_a_new_project(client: Client, in_ws: Workspace) -> None:
    mailbox = factories.make_mailbox()
    answer = client.post(
        url(in_ws, "new/"), {"name": "Huts", "new_project": "Guides", "mailbox": str(mailbox.pk)}
    )
    row = Campaign.objects.get()
    assert answer["Location"] == url(in_ws, f"{row.pk}/compose/")
    assert (row.project.name, row.mailbox, row.state) == ("Guides", mailbox, CampaignState.DRAFT)
    assert client.get(answer["Location"]).status_code == 200


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "Huts\r\nBcc: x@y.example"}, "Line breaks"),
        ({"new_project": ""}, "Choose a project, or name a new one"),
        ({"new_project": "Taken"}, "choose it above"),
        ({"project": "no-such-id"}, "is not a valid"),
        ({"mailbox": "0199a1b0-0000-7000-8000-000000000000"}, "Select a valid choice"),
    ],
)
def test_it_says_beside_the_field_what_a_new_campaign_lacks(
    client: Client, in_ws: Workspace, values: dict[str, str], words: str
) -> None:
    factories.make_project("Taken")
    answer = client.post(url(in_ws, "new/"), {"name": "Huts", "new_project": "Guides", **values})
    assert words in answer.content.decode()
    assert not Campaign.objects.exists()
    assert Project.objects.count() == 1


def test_it_shows_each_person_with_state_and_reason(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    doubted, replied, waits = person(campaign), person(campaign, EnrollmentState.REPLIED), person(campaign)
    held = person(campaign, EnrollmentState.HELD_BACK, reason="blank:company")
    doubt = factories.make_message(doubted, state=MessageState.DOUBT)
    answered = factories.make_message(replied, state=MessageState.SENT, replied_at=clock.now())
    factories.make_message(waits)
    page = client.get(url(in_ws, f"{campaign.pk}/")).content.decode()
    for words in ("In doubt", "Replied", "Planned", "Waiting for a field", "1 mail is in doubt"):
        assert words in page
    assert f"/doubt/{doubt.pk}/" in page
    assert f"/{answered.thread_id}/" in page
    needs = client.get(url(in_ws, f"{campaign.pk}/"), {"show": "needs"}).content.decode()
    assert doubted.contact.greeting in needs
    assert held.contact.greeting in needs
    assert waits.contact.greeting not in needs


def test_it_counts_people_and_not_mails(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    for place in range(3):
        factories.make_message(person(campaign), state=MessageState.SENT, opens=place)
    twice = person(campaign)
    factories.make_message(twice, state=MessageState.SENT)
    factories.make_message(twice, position=2, state=MessageState.SENT)
    person(campaign, EnrollmentState.HELD_BACK, reason="cool_down")
    page = client.get(url(in_ws, f"{campaign.pk}/")).content.decode()
    assert re.search(r"Written to</span><b>4</b><span class=\"u\">of 5 people", page)
    assert "4 of 4 written to" in page
    assert 'No bounce after 72 h</span><b>0</b><span class="u">4 too early, 0 bounced' in page


def test_it_says_no_bounce_only_after_72_hours_and_a_soft_report_is_none(
    client: Client, in_ws: Workspace, later: Callable[..., None]
) -> None:
    campaign = running()
    factories.make_message(person(campaign), state=MessageState.SENT)
    hard, soft = person(campaign), person(campaign)
    now = clock.now()
    factories.make_message(hard, state=MessageState.SENT, bounced_at=now, bounce_kind="hard")
    factories.make_message(soft, state=MessageState.SENT, bounced_at=now, bounce_kind="soft")
    later(hours=73)
    page = client.get(url(in_ws, f"{campaign.pk}/")).content.decode()
    assert 'No bounce after 72 h</span><b>2</b><span class="u">0 too early, 1 bounced' in page


def test_it_replaces_the_moving_parts_only_when_something_has_changed(
    client: Client, in_ws: Workspace
) -> None:
    campaign = running()
    someone = person(campaign)
    mail = factories.make_message(someone, state=MessageState.SUBMITTING, attempted_at=clock.now())
    page = client.get(url(in_ws, f"{campaign.pk}/")).content.decode()
    seen = re.search(r"live=([0-9a-f]+)", page)
    assert seen is not None
    assert 'hx-trigger="every 2s"' in page
    same = client.get(url(in_ws, f"{campaign.pk}/"), {"live": seen[1]}, headers={"HX-Request": "true"})
    assert same.status_code == 204
    Message.objects.filter(pk=mail.pk).update(state=MessageState.SENT, sent_at=clock.now())
    changed = client.get(url(in_ws, f"{campaign.pk}/"), {"live": seen[1]}, headers={"HX-Request": "true"})
    words = changed.content.decode()
    assert changed.status_code == 200
    assert words.strip().startswith('<div id="live"') or 'id="live"' in words
    assert "<html" not in words
    assert "1 of 1 written to" in words
    assert "Gates in force" in words


def test_it_asks_no_more_of_the_database_for_50_people_than_for_5(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    path = url(in_ws, f"{campaign.pk}/")
    counts = []
    for more in (5, 45):
        for _ in range(more):
            factories.make_message(person(campaign), state=MessageState.SENT)
        client.get(path)
        with CaptureQueriesContext(connection) as found:
            page = client.get(path).content.decode()
        counts.append(len(found))
    assert page.count("Accepted by Gmail") == 50
    assert counts[0] == counts[1]


def test_it_pauses_and_resumes(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    page = client.post(url(in_ws, f"{campaign.pk}/pause/"), follow=True).content.decode()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.PAUSED
    assert "Nothing is handed over until you resume" in page
    assert 'data-key="p"' in page
    client.post(url(in_ws, f"{campaign.pk}/resume/"))
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING
    assert client.get(url(in_ws, f"{campaign.pk}/pause/")).status_code == 405


def test_it_says_what_a_pause_does_only_where_one_can_be_made(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(contacts=[factories.make_contact()])
    page = f"/w/{in_ws.slug}/campaigns/{campaign.pk}/"
    for state, told in (("draft", False), ("running", True), ("paused", False), ("finished", False)):
        Campaign.objects.filter(pk=campaign.pk).update(state=state)
        assert ("If you pause" in client.get(page).content.decode()) is told, state


def test_it_names_the_numbers_before_it_cancels(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    waiting = [factories.make_message(person(campaign), state=MessageState.QUEUED) for _ in range(3)]
    dialog = client.get(url(in_ws, f"{campaign.pk}/cancel/"), headers={"HX-Request": "true"}).content.decode()
    assert "Cancel 3 mails" in dialog
    assert "<html" not in dialog
    assert "<html" in client.get(url(in_ws, f"{campaign.pk}/cancel/")).content.decode()
    client.post(url(in_ws, f"{campaign.pk}/cancel/"))
    campaign.refresh_from_db()
    waiting[0].refresh_from_db()
    assert (campaign.state, waiting[0].state) == (CampaignState.CANCELLED, MessageState.CANCELLED)


def test_it_copies_a_campaign_without_its_people(client: Client, in_ws: Workspace) -> None:
    campaign = running(contacts=[factories.make_contact()])
    client.post(url(in_ws, f"{campaign.pk}/duplicate/"))
    copy = Campaign.objects.exclude(pk=campaign.pk).get()
    assert (copy.state, copy.steps.count(), copy.enrollments.count()) == (CampaignState.DRAFT, 2, 0)


def test_it_deletes_a_campaign_with_its_mail_after_naming_how_much(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    factories.make_reply(factories.make_message(person(campaign), state=MessageState.SENT))
    assert "Delete 2 mails" in client.get(url(in_ws, f"{campaign.pk}/delete/")).content.decode()
    client.post(url(in_ws, f"{campaign.pk}/delete/"))
    assert not Campaign.objects.exists()
    assert not Message.objects.exists()
    assert Contact.objects.count() == 1


def test_it_names_no_zero_before_it_deletes_a_draft(client: Client, in_ws: Workspace) -> None:
    row = factories.make_campaign(contacts=[factories.make_contact()])
    asked = client.get(f"/w/{in_ws.slug}/campaigns/{row.pk}/delete/").content.decode()
    assert "No mail has been written." in asked
    assert "0 mails" not in asked


def test_it_takes_one_person_out(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    someone = person(campaign)
    mail = factories.make_message(someone, state=MessageState.QUEUED)
    path = url(in_ws, f"{campaign.pk}/people/{someone.pk}/remove/")
    assert "cancel 1 mail" in client.get(path).content.decode()
    client.post(path)
    mail.refresh_from_db()
    assert mail.state == MessageState.CANCELLED


def test_it_shows_one_person_as_a_dialog_and_as_a_page(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    someone = person(campaign)
    factories.make_message(someone, state=MessageState.SENT)
    path = url(in_ws, f"{campaign.pk}/people/{someone.pk}/")
    dialog = client.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "<dialog" in dialog
    assert "Gmail took the mail" in dialog
    assert "<html" in client.get(path).content.decode()


def test_it_adds_pasted_people_and_keeps_the_broken_rows_in_the_field(
    client: Client, in_ws: Workspace
) -> None:
    campaign = factories.make_campaign()
    lines = "Anselm Ridge <anselm@ridge.example>\nnot an address\nbrisa@long-way.example"
    page = client.post(url(in_ws, f"{campaign.pk}/people/"), {**PASTE, "lines": lines}).content.decode()
    assert campaign.enrollments.count() == 2
    assert "1 row was not taken" in page
    assert re.search(r"<textarea[^>]*>\s*not an address</textarea>", page)


def test_it_adds_people_from_a_file_and_picks_known_ones(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    file = SimpleUploadedFile("people.csv", b"Email;Name\r\nanselm@ridge.example;Anselm\r\n")
    answer = client.post(url(in_ws, f"{campaign.pk}/people/"), {**PASTE, "file": file})
    assert answer.status_code == 302
    known = factories.make_contact("brisa@long-way.example")
    assert "brisa@long-way.example" in client.get(url(in_ws, f"{campaign.pk}/people/")).content.decode()
    client.post(
        url(in_ws, f"{campaign.pk}/people/"), {"about": "pick", "contact": [str(known.pk), "nonsense"]}
    )
    assert campaign.enrollments.count() == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"lines": ""}, "Paste some lines"),
        ({"lines": "x" * (2 * 1024 * 1024 + 1)}, "more than 2 MB"),
        ({"lines": "a@b.example", "source": "x\r\nBcc: y"}, "Line breaks"),
    ],
)
def test_it_answers_a_bad_paste_beside_the_field(
    client: Client, in_ws: Workspace, values: dict[str, str], words: str
) -> None:
    campaign = factories.make_campaign()
    answer = client.post(url(in_ws, f"{campaign.pk}/people/"), {**PASTE, **values})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Contact.objects.exists()


def test_it_changes_window_days_and_counting(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    values = {
        "name": "Huts",
        "mailbox": str(campaign.mailbox_id),
        "weekdays": ["0", "2"],
        "window_start": "08:30",
        "window_end": "16:00",
        "timezone": "Europe/Berlin",
        "tracks_opens": "off",
        "tracks_clicks": "",
    }
    client.post(url(in_ws, f"{campaign.pk}/settings/"), values)
    campaign.refresh_from_db()
    assert (campaign.weekdays, campaign.window_start) == ([0, 2], dt.time(8, 30))
    assert (campaign.tracks_opens, campaign.tracks_clicks) == (False, None)
    assert "Mon, Wed, 8:30 to 16:00" in client.get(url(in_ws, f"{campaign.pk}/")).content.decode()
    wrong = client.post(
        url(in_ws, f"{campaign.pk}/settings/"), {**values, "timezone": "Mars", "weekdays": []}
    )
    assert wrong.status_code == 422
    assert "not a time zone" in wrong.content.decode()
    assert "at least one day" in wrong.content.decode()


def test_it_keeps_the_mailbox_of_a_launched_campaign(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    other = factories.make_mailbox(address="other@fernhill.example")
    client.post(
        url(in_ws, f"{campaign.pk}/settings/"),
        {
            "name": "Huts",
            "mailbox": str(other.pk),
            "weekdays": ["0"],
            "window_start": "08:30",
            "window_end": "16:00",
            "timezone": "UTC",
        },
    )
    campaign.refresh_from_db()
    assert campaign.name == "Huts"
    assert campaign.mailbox != other


def test_it_writes_a_log_of_what_people_did(client: Client, in_ws: Workspace) -> None:
    campaign = running()
    client.post(url(in_ws, f"{campaign.pk}/pause/"))
    page = client.get(url(in_ws, f"{campaign.pk}/log/")).content.decode()
    assert "paused" in page
    assert "Milo" in page


@pytest.mark.parametrize(
    "act", ["pause", "resume", "cancel", "duplicate", "delete", "launch", "test", "people"]
)
def test_it_lets_a_viewer_look_and_nothing_more(
    signed_in: SignedIn, viewer: User, in_ws: Workspace, act: str
) -> None:
    campaign = running()
    client = signed_in(viewer)
    assert client.get(url(in_ws, f"{campaign.pk}/")).status_code == 200
    assert client.post(url(in_ws, f"{campaign.pk}/{act}/")).status_code == 403


def test_it_hides_a_campaign_from_a_stranger(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    campaign = running()
    client = signed_in(stranger)
    assert client.get(url(in_ws, f"{campaign.pk}/")).status_code == 404
    assert client.post(f"/w/elsewhere/campaigns/{campaign.pk}/pause/").status_code == 404
