"""Choices in the composer: what is stored, shown, checked, tested and sent is the same wording."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect

from accounts.models import User, Workspace
from outreach.models import Campaign, Message, MessageKind
from outreach.pipeline import compose
from outreach.pipeline.queue import queue_due
from tests import factories
from tests.outreach.test_browser_campaigns import draft, saved, text_of, visit
from tests.outreach.test_views_composer import HTMX, url

__all__ = ["draft", "visit"]
SignedIn = Callable[[User], Client]
SUBJECT = "{A map|Your hut table|Two springs|A ford}"
BODY = "<p>{Hello|Good <b>day</b>|Dear} {{ first_name }}, {one|two|three|four|five}.</p>"


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def seen(page: str) -> tuple[str, str]:
    """(subject, greeting's paragraph) of the preview, without our marks."""
    article = re.sub(r"</?(mark|b)>", "", page[page.index("<article") : page.index("</article>")])
    subject = re.findall(r'<div class="cut">([^<]*)</div>', article)[-1]
    body = re.search(r"<p>([^<]*)</p>", article)
    assert body is not None
    return subject, body[1]


def test_preview_test_mail_and_mail_are_the_same_wording(client: Client, in_ws: Workspace) -> None:
    people = [factories.make_contact(f"p{n}@ridge.example", first_name=f"P{n}") for n in range(5)]
    campaign = factories.make_campaign(contacts=people)
    answer = client.post(url(in_ws, campaign) + "?step=1", {"subject": SUBJECT, "body": BODY}, headers=HTMX)
    assert answer.status_code == 200
    shown = {}
    for n in range(1, 6):
        page = client.get(url(in_ws, campaign, f"compose/preview/?n={n}")).content.decode()
        subject, words = seen(page)
        shown[words.partition(",")[0].split()[-1]] = (subject, words)
        client.post(url(in_ws, campaign, "test/"), {"n": str(n), "compose_id": str(uuid.uuid4())})
    tests = Message.objects.filter(kind=MessageKind.TEST)
    assert {(row.subject, row.text.partition("\n")[0]) for row in tests} == set(shown.values())
    compose.launch(campaign, actor=None)
    assert queue_due() == 5
    for row in Message.objects.filter(kind=MessageKind.FIRST):
        assert row.contact is not None
        assert (row.subject, row.text.partition("\n")[0]) == shown[row.contact.first_name]
    assert len({words for _, words in shown.values()} | {subject for subject, _ in shown.values()}) > 6


def test_the_preview_goes_on_to_the_next_option_and_says_so(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(
        steps=[(SUBJECT, BODY)], contacts=[factories.make_contact(first_name="Ana")]
    )
    subjects = []
    for turn in range(5):
        page = client.get(url(in_ws, campaign, f"compose/preview/?n=1&turn={turn}")).content.decode()
        subjects.append(seen(page)[0])
        assert ("does not get this one" in page) is (turn > 0)
        assert f"turn={turn + 1}" in page
    assert sorted(subjects[:4]) == sorted(SUBJECT.strip("{}").split("|"))
    assert subjects[4] == subjects[0]
    for nonsense in ("-1", "x", "99999"):
        page = client.get(url(in_ws, campaign, f"compose/preview/?n=1&turn={nonsense}")).content.decode()
        assert seen(page)[0] == subjects[0]


def test_a_text_without_choices_offers_no_next_option(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(contacts=[factories.make_contact(first_name="Ana")])
    page = client.get(url(in_ws, campaign, "compose/preview/?n=1")).content.decode()
    assert "Next option" not in page


def test_the_preview_says_what_is_blank_in_another_option(client: Client, in_ws: Workspace) -> None:
    text = "<p>Hello " + "{you|and|{{ company }}|them}" * 4 + "</p>"
    campaign = factories.make_campaign(
        steps=[("A map", text)], contacts=[factories.make_contact(first_name="Ana", company="")]
    )
    page = client.get(url(in_ws, campaign, "compose/preview/?n=1")).content.decode()
    assert "Blank for Ana: Company" in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<p>One</p><p>{Hello|Hi there</p>", "Step 1, line 2. This stops the queue."),
        ("<p>{Hello|}</p>", "An option of a choice is empty."),
        ("<p>{Hello|Hi [their name]}</p>", "“[their name]” is a leftover placeholder."),
    ],
)
def test_the_checks_stop_a_launch_over_any_option(
    client: Client, in_ws: Workspace, body: str, words: str
) -> None:
    campaign = factories.make_campaign(
        steps=[("A map", body)], contacts=[factories.make_contact(first_name="Ana")]
    )
    assert words in client.get(url(in_ws, campaign, "compose/checks/")).content.decode()
    client.post(url(in_ws, campaign, "launch/"))
    assert not Message.objects.exists()


def test_a_subject_is_measured_by_its_longest_choice(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign()
    long = "{" + "|".join(letter * 200 for letter in "abcd") + "}"
    fields = {"subject": long, "body": "<p>x</p>"}
    assert client.post(url(in_ws, campaign) + "?step=1", fields, headers=HTMX).status_code == 200
    assert campaign.steps.get().subject == long
    fields["subject"] = "{a|" + "b" * 251 + "}"
    answer = client.post(url(in_ws, campaign) + "?step=1", fields, headers=HTMX)
    assert answer.status_code == 422
    assert "at most 250 characters; this has 251" in answer.content.decode()


def test_a_marked_word_becomes_a_choice_and_the_preview_turns(
    visit: Callable[[str], Page], draft: Campaign, ws: Workspace
) -> None:
    page = visit(f"campaigns/{draft.pk}/compose/")
    page.get_by_role("textbox", name="Text of the mail").click()
    page.keyboard.press("Control+Home")
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    saved(page, page.get_by_role("button", name="Choice").click)
    assert text_of(draft, ws)[1].startswith("<p>{Hello|another wording} {{ first_name")
    turn = page.get_by_role("button", name="Next option")
    body = page.locator("#preview article .in")
    expect(body).to_contain_text(re.compile("^(Hello|another wording) Anselm"))
    before = body.inner_text()
    turn.click()
    expect(page.get_by_text("Anselm does not get this one.")).to_be_visible()
    assert body.inner_text() != before
    page.get_by_role("button", name="Back to theirs").click()
    expect(page.get_by_text("Anselm does not get this one.")).to_have_count(0)
    assert body.inner_text() == before
    # The subject has a menu of its own: a choice around a field keeps the field.
    page.get_by_role("textbox", name="Subject").focus()
    page.keyboard.press("Control+a")
    saved(page, page.get_by_role("button", name="Choice").click)
    assert text_of(draft, ws)[0] == "{A map for {{ first_name }}|another wording}"
