"""One person's mail edited by hand: what goes out, until when, what is refused, and the way back."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from outreach import campaigns, enrollments, hand_edits, readiness, text_modes
from outreach.models import Campaign, Enrollment, HandEdit, Message, Step
from outreach.pipeline import compose
from outreach.pipeline.queue import queue_due
from tests import factories
from tests.outreach.test_browser_campaigns import draft, visit
from tests.outreach.test_views_composer import url

__all__ = ["draft", "visit"]
SignedIn = Callable[[User], Client]
STEPS = [
    ("{A map|Two maps} for {{ first_name }}", "<p>{Hello|Hi} {{ first_name }}</p>"),
    ("", "<p>Again</p>"),
]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


@pytest.fixture
def campaign(in_ws: Workspace) -> Campaign:
    people = [factories.make_contact(f"{name}@ridge.example", first_name=name) for name in ("ana", "ben")]
    return factories.make_campaign(steps=STEPS, contacts=people)


@pytest.fixture
def ana(campaign: Campaign) -> Enrollment:
    return campaign.enrollments.select_related("contact", "campaign").order_by("created_at", "id")[0]


def edit_url(ws: Workspace, row: Enrollment, position: int = 1, act: str = "") -> str:
    return url(ws, row.campaign, f"people/{row.pk}/edit/{position}/{act}")


def write(client: Client, ws: Workspace, row: Enrollment, subject: str, body: str, position: int = 1) -> int:
    answer = client.post(edit_url(ws, row, position), {"subject": subject, "body": body})
    return answer.status_code


def test_the_page_begins_with_what_this_person_would_get(
    client: Client, in_ws: Workspace, ana: Enrollment
) -> None:
    page = client.get(edit_url(in_ws, ana)).content.decode()
    found = re.search(r'name="subject" value="([^"]*)"', page)
    assert found is not None
    assert found[1] in ("A map for ana", "Two maps for ana")
    assert re.search(r"<textarea[^>]*>&lt;p&gt;(Hello|Hi) ana&lt;/p&gt;</textarea>", page)


def test_preview_test_mail_and_mail_take_it_with_our_footer(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment, member: User
) -> None:
    assert write(client, in_ws, ana, "Only for you", "<p>Dear Ana, the <b>ford</b> is open.</p>") == 302
    page = client.get(url(in_ws, campaign, "compose/preview/?n=1")).content.decode()
    assert "the <b>ford</b> is open" in page
    assert "Edited by hand" in page
    assert "Next option" not in page
    other = client.get(url(in_ws, campaign, "compose/preview/?n=2")).content.decode()
    assert "ford" not in other
    assert "Edited by hand" not in other
    client.post(
        url(in_ws, campaign, "test/"), {"n": "1", "compose_id": "01a21d47-75e6-7058-b56d-6bdb2867b08e"}
    )
    assert "the ford is open" in Message.objects.get().text
    compose.launch(campaign, actor=None)
    assert queue_due() == 2
    mail = Message.objects.get(enrollment=ana)
    assert mail.subject == "Only for you"
    assert mail.html is not None
    for part in (mail.text, mail.html):
        assert "Dear Ana, the" in part
        assert "14 Quay Lane" in part
        assert "/u/" in part
    assert "ford" not in Message.objects.exclude(enrollment=ana).get(enrollment__isnull=False).text


def test_a_follow_up_answers_under_the_subject_written_by_hand(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment
) -> None:
    assert write(client, in_ws, ana, "Only for you", "<p>x</p>") == 302
    assert write(client, in_ws, ana, "ignored", "<p>And again, Ana</p>", position=2) == 302
    page = client.get(url(in_ws, campaign, "compose/preview/?n=1&step=2")).content.decode()
    assert "Re: Only for you" in page
    assert "And again, Ana" in page


@pytest.mark.parametrize(
    ("subject", "body", "words"),
    [
        ("", "<p>x</p>", "The subject is empty."),
        ("A map", "<p> </p>", "The text is empty."),
        ("Re: a map", "<p>x</p>", "must not begin with"),
        ("A map", "<p>Hello [name]</p>", "“[name]” is a leftover placeholder."),
        ("A map", "<p>Hello {{ first_name }}</p>", "its braces are still there"),
        ("For {first name}", "<p>x</p>", "“{first name}” is a leftover placeholder."),
        ("A map", "<p>{Hello|Hi}</p>", "“{Hello|Hi}” is a leftover placeholder."),
        ("A map", '<p><a href="http://127.0.0.1/">x</a></p>', "bare number"),
        ("A map", "x" * 50_001, "a mail takes 50,000"),
        ("A\nBcc: x@y.example", "<p>x</p>", "Line breaks"),
    ],
)
def test_what_is_not_final_is_refused_beside_its_field_and_kept(
    client: Client, in_ws: Workspace, ana: Enrollment, subject: str, body: str, words: str
) -> None:
    answer = client.post(edit_url(in_ws, ana), {"subject": subject, "body": body})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in page.replace("&quot;", '"')
    assert body.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in page
    assert not HandEdit.objects.exists()


def test_only_clean_html_is_kept(client: Client, in_ws: Workspace, ana: Enrollment) -> None:
    write(client, in_ws, ana, "A map", '<p onclick="x">a<script>alert(1)</script><img src="x"></p>')
    assert HandEdit.objects.get().body == "<p>a</p>"


def test_one_press_brings_the_campaigns_text_back(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment
) -> None:
    write(client, in_ws, ana, "Only for you", "<p>x</p>")
    answer = client.post(edit_url(in_ws, ana, act="undo/"), follow=True)
    page = answer.content.decode()
    assert not HandEdit.objects.exists()
    assert "gets the campaign’s text again" in page
    assert "Edited by hand" not in page
    acts = list(
        AuditEvent.objects.filter(action__contains="hand").order_by("pk").values_list("action", flat=True)
    )
    assert sorted(acts) == ["campaign.edited_by_hand", "campaign.hand_edit_undone"]


def test_it_says_when_the_text_changed_since(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment, member: User
) -> None:
    write(client, in_ws, ana, "Only for you", "<p>x</p>")
    assert "changed since" not in client.get(url(in_ws, campaign)).content.decode()
    campaigns.save_step(campaign, 1, subject="New", body="<p>New</p>", actor=member)
    preview = client.get(url(in_ws, campaign, "compose/preview/?n=1")).content.decode()
    assert "The text of this step changed since" in preview
    assert (
        "1 mail edited by hand keeps older words"
        in client.get(url(in_ws, campaign, "compose/checks/")).content.decode()
    )
    compose.launch(campaign, actor=None)
    queue_due()
    assert "keeps older words" not in str(readiness.readiness(campaign).warnings)


def test_a_blank_of_the_text_does_not_hold_back_whose_mail_was_written(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment, member: User
) -> None:
    campaigns.save_step(campaign, 1, subject="A map", body="<p>{{ topic }}</p>", actor=member)
    Enrollment.objects.exclude(pk=ana.pk).update(state="planned")
    other = campaign.enrollments.exclude(pk=ana.pk).get().contact
    other.fields = {"topic": "huts"}
    other.save()
    assert [row.pk for row, _ in readiness.readiness(campaign).held_back] == [ana.pk]
    write(client, in_ws, ana, "Only for you", "<p>x</p>")
    assert readiness.readiness(campaign).held_back == []


@pytest.mark.parametrize("state", ["queued", "claimed", "submitting", "sent", "doubt", "cancelled"])
def test_a_frozen_mail_is_not_edited_and_nothing_typed_is_lost(
    client: Client, in_ws: Workspace, ana: Enrollment, state: str
) -> None:
    write(client, in_ws, ana, "Only for you", "<p>first</p>")
    factories.make_message(ana, state=state)
    answer = client.post(edit_url(in_ws, ana), {"subject": "Later", "body": "<p>typed late</p>"})
    assert answer.status_code == 422
    assert "typed late" in answer.content.decode()
    assert client.get(edit_url(in_ws, ana)).status_code == 302
    client.post(edit_url(in_ws, ana, act="undo/"))
    assert HandEdit.objects.get().body == "<p>first</p>"


def test_the_switch_to_plain_text_turns_edits_too(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment, member: User
) -> None:
    write(client, in_ws, ana, "Only for you", "<p>one</p><p><b>two</b></p>")
    text_modes.set_text_only(campaign, True, actor=member)
    edit = HandEdit.objects.get()
    assert [line for line in edit.body.splitlines() if line] == ["one", "two"]
    assert edit.of_text == hand_edits.text_hash(Step.objects.get(pk=edit.step_id))


def test_it_goes_with_the_person_and_the_step(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment, member: User
) -> None:
    write(client, in_ws, ana, "One", "<p>x</p>")
    write(client, in_ws, ana, "", "<p>y</p>", position=2)
    campaigns.remove_step(campaign.steps.get(position=2), actor=member)
    assert HandEdit.objects.count() == 1
    enrollments.take_out(ana, actor=member)
    assert not HandEdit.objects.exists()


def test_the_people_list_names_who_gets_other_words(
    client: Client, in_ws: Workspace, campaign: Campaign, ana: Enrollment
) -> None:
    assert "edited by hand" not in client.get(url(in_ws, campaign, "")).content.decode()
    write(client, in_ws, ana, "Only for you", "<p>x</p>")
    page = client.get(url(in_ws, campaign, "")).content.decode()
    assert page.count("edited by hand") == 1
    person = client.get(url(in_ws, campaign, f"people/{ana.pk}/")).content.decode()
    assert "Step 1 edited by hand" in person


def test_a_person_edits_one_mail_and_takes_it_back(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("link", name="Edit this one mail").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Only for Anselm")
    body = page.get_by_role("textbox", name="Text of the mail")
    expect(body).to_have_text("Hello Anselm, about huts.")
    body.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" And [something]")
    page.get_by_role("button", name="Keep for Anselm").click()
    expect(page.get_by_text("“[something]” is a leftover placeholder.")).to_be_visible()
    expect(body).to_have_text("Hello Anselm, about huts. And [something]")
    body.click()
    page.keyboard.press("Control+End")
    for _ in range("[something]".__len__()):
        page.keyboard.press("Backspace")
    page.keyboard.type("the ford.")
    page.get_by_role("button", name="Keep for Anselm").click()
    expect(page.locator("#preview article")).to_contain_text("And the ford.")
    expect(page.locator("#hand-edit")).to_contain_text("Edited by hand")
    with workspace(ws):
        assert HandEdit.objects.get().body == "<p>Hello Anselm, about huts. And the ford.</p>"
    page.get_by_role("button", name="Back to the campaign’s text").click()
    expect(page.locator("#hand-edit")).to_have_count(0)
    expect(page.locator("#preview article")).not_to_contain_text("ford")
