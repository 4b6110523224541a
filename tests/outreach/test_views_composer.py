"""The composer through the front door: saving while one writes, the exact preview, the checks, the launch."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User, Workspace
from outreach.models import Campaign, CampaignState, Contact, Message, MessageKind, MessageState, Step
from tests import factories

SignedIn = Callable[[User], Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, campaign: Campaign, path: str = "compose/") -> str:
    return f"/w/{ws.slug}/campaigns/{campaign.pk}/{path}"


def draft(*contacts: Contact, steps: list[tuple[str, str]] | None = None) -> Campaign:
    return factories.make_campaign(steps=steps or [factories.FIRST_MAIL], contacts=contacts)


def anselm(**values: Any) -> Contact:
    return factories.make_contact("anselm@ridge.example", name="Anselm Ridge", **values)


def stored(campaign: Campaign, position: int = 1) -> Step:
    return campaign.steps.get(position=position)


def test_it_saves_by_itself_and_says_when(client: Client, in_ws: Workspace) -> None:
    campaign = draft()
    answer = client.post(
        url(in_ws, campaign) + "?step=1",
        {"subject": "A map for {{ site }}", "body": '<p>Hi {{ first_name | default: "there" }}</p>'},
        headers=HTMX,
    )
    assert answer.content.decode().strip().startswith("Saved")
    assert answer["HX-Trigger"] == "stored"
    step = stored(campaign)
    assert step.subject == "A map for {{ site }}"
    assert '{{ first_name | default: "there" }}' in step.body.replace("&quot;", '"')


def test_it_saves_without_script_too(client: Client, in_ws: Workspace) -> None:
    campaign = draft()
    answer = client.post(url(in_ws, campaign) + "?step=1", {"subject": "One", "body": "<p>Two</p>"})
    assert answer.status_code == 302
    assert stored(campaign).subject == "One"
    page = client.get(answer["Location"]).content.decode()
    assert re.search(r'<textarea[^>]*name="body"[^>]*>&lt;p&gt;Two&lt;/p&gt;</textarea>', page)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"subject": "Hello\r\nBcc: all@ridge.example"}, "Line breaks"),
        ({"subject": "x" * 400}, "A subject has at most 250 characters"),
        ({"body": "x" * (2 * 1024 * 1024)}, "This text has 2,097,152 characters; a mail takes 50,000"),
        ({"body": "a\x00b"}, "Null characters"),
    ],
)
def test_it_says_what_is_not_saved_and_keeps_the_text(
    client: Client, in_ws: Workspace, values: dict[str, str], words: str
) -> None:
    campaign = draft()
    before = stored(campaign)
    fields = {"subject": "Fine", "body": "<p>Fine words</p>", **values}
    quiet = client.post(url(in_ws, campaign) + "?step=1", fields, headers=HTMX)
    assert quiet.status_code == 422
    assert "Not saved" in quiet.content.decode()
    assert words in quiet.content.decode()
    page = client.post(url(in_ws, campaign) + "?step=1", fields)
    assert page.status_code == 422
    assert words in page.content.decode()
    assert "Fine" in page.content.decode()
    assert (stored(campaign).subject, stored(campaign).body) == (before.subject, before.body)


def test_it_shows_the_very_mail_with_its_values_marked(client: Client, in_ws: Workspace) -> None:
    campaign = draft(
        anselm(fields={"topic": "huts & <passes>"}),
        steps=[("A map for {{ first_name }}", "<p>Dear {{ name }}, about {{ topic }}.</p>")],
    )
    page = client.get(url(in_ws, campaign, "compose/preview/")).content.decode()
    assert "A map for <mark>Anselm</mark>" in page
    assert "Dear <mark>Anselm Ridge</mark>, about <mark>huts &amp; &lt;passes&gt;</mark>." in page
    assert "14 Quay Lane" in page
    assert "Stop these mails" in page
    assert "<a href" not in page.split('<article class="mail">')[1].split("</article>")[0]


def test_it_walks_from_person_to_person(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm(), factories.make_contact("brisa@long-way.example", first_name="Brisa"))
    first = client.get(url(in_ws, campaign, "compose/preview/"), {"n": 1}).content.decode()
    second = client.get(url(in_ws, campaign, "compose/preview/"), {"n": 2}).content.decode()
    assert "As Anselm gets it" in first
    assert "1 of 2" in first
    assert "As Brisa gets it" in second
    for odd in ("99", "-1", "x", "9" * 400):
        assert client.get(url(in_ws, campaign, "compose/preview/"), {"n": odd}).status_code == 200


def test_it_never_runs_what_a_contact_brings(client: Client, in_ws: Workspace) -> None:
    campaign = draft(
        anselm(company='"><script>alert(1)</script>', fields={"x": "<img src=x onerror=alert(1)>"}),
        steps=[("{{ company }}", "<p>{{ company }} {{ x }}</p>")],
    )
    page = client.get(url(in_ws, campaign)).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_it_cleans_what_the_editor_sends(client: Client, in_ws: Workspace) -> None:
    campaign = draft()
    client.post(
        url(in_ws, campaign) + "?step=1",
        {
            "subject": "Hello",
            "body": '<p onclick="x()">Hi<script>y()</script><a href="javascript:z()">l</a></p>',
        },
        headers=HTMX,
    )
    body = stored(campaign).body
    assert "script" not in body
    assert "onclick" not in body


def test_it_blocks_the_launch_with_the_reason_beside_the_button(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm(), steps=[("Hello", "<p>About [add stat] and {{ shoe_size }}</p>")])
    page = client.get(url(in_ws, campaign)).content.decode()
    assert "Fix 2 things first" in page
    assert "“[add stat]” is a leftover placeholder." in page
    assert "There is no field called “shoe_size”." in page
    assert 'aria-disabled="true"' in page
    assert client.get(url(in_ws, campaign, "launch/")).status_code == 302
    client.post(url(in_ws, campaign, "launch/"))
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.DRAFT
    assert not Message.objects.exists()


def test_it_holds_people_with_a_blank_back_by_name_and_queues_the_rest(
    client: Client, in_ws: Workspace
) -> None:
    brisa = factories.make_contact("brisa@long-way.example", first_name="Brisa")
    campaign = draft(anselm(company="Almanac"), brisa, steps=[("Hello", "<p>At {{ company }}</p>")])
    page = client.get(url(in_ws, campaign)).content.decode()
    assert '<b class="num">1</b> <span class="sub">ready,</span> <b class="num">1</b>' in page
    assert "Brisa. They are left out." in page
    dialog = client.get(url(in_ws, campaign, "launch/"), headers=HTMX).content.decode()
    assert "Queue 1<" in dialog
    assert "1 person is held back" in dialog
    answer = client.post(url(in_ws, campaign, "launch/"))
    assert answer["Location"] == url(in_ws, campaign, "")
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING
    assert Message.objects.get().contact.name == "Anselm Ridge"  # type: ignore[union-attr]
    people = client.get(answer["Location"]).content.decode()
    assert "Company is blank here" in people


def test_it_launches_once_however_often_the_button_is_pressed(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm())
    for _ in range(3):
        client.post(url(in_ws, campaign, "launch/"))
    assert Message.objects.count() == 1


def test_it_adds_and_deletes_steps_up_to_ten(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm())
    for position in range(2, 11):
        answer = client.post(url(in_ws, campaign, "compose/steps/"))
        assert answer["Location"].endswith(f"?step={position}")
    page = client.get(url(in_ws, campaign) + "?step=10").content.decode()
    assert "Follow-up 8" in page
    assert "Add a step" not in page
    again = client.post(url(in_ws, campaign, "compose/steps/"), follow=True)
    assert "at most 10 steps" in again.content.decode()
    assert campaign.steps.count() == 10
    assert client.get(url(in_ws, campaign) + "?step=11").status_code == 404
    delete = url(in_ws, campaign, "compose/steps/10/delete/")
    assert "Delete last mail" in client.get(delete).content.decode()
    client.post(delete)
    assert campaign.steps.count() == 9


def test_it_adds_and_deletes_no_step_while_the_campaign_runs(client: Client, in_ws: Workspace) -> None:
    """A page from before the launch still has the buttons; an empty step would have been planned."""
    campaign = draft(anselm(), steps=[factories.FIRST_MAIL, factories.FOLLOW_UP])
    client.post(url(in_ws, campaign, "launch/"))
    for path in ("compose/steps/", "compose/steps/2/delete/"):
        answer = client.post(url(in_ws, campaign, path), follow=True)
        assert "Pause the campaign first" in answer.content.decode()
        assert campaign.steps.count() == 2


def test_it_keeps_the_first_mail(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm())
    answer = client.post(url(in_ws, campaign, "compose/steps/1/delete/"), follow=True)
    assert "The first mail stays" in answer.content.decode()
    assert campaign.steps.count() == 1


def test_it_stores_how_long_a_follow_up_waits(client: Client, in_ws: Workspace) -> None:
    campaign = draft(steps=[factories.FIRST_MAIL, factories.FOLLOW_UP])
    client.post(url(in_ws, campaign) + "?step=2", {"body": "<p>Second</p>", "wait_days": "6"}, headers=HTMX)
    assert stored(campaign, 2).wait_days == 6
    answer = client.post(
        url(in_ws, campaign) + "?step=2", {"body": "<p>Second</p>", "wait_days": "900"}, headers=HTMX
    )
    assert "At most 60 days" in answer.content.decode()
    assert stored(campaign, 2).wait_days == 6


def test_it_turns_all_steps_into_plain_text_and_back(client: Client, in_ws: Workspace) -> None:
    link = '<p>see <a href="https://fernhill.example/">our map</a></p>'
    body = '<p>Hello {{ first_name | default: "there" }},</p>' + link
    campaign = draft(anselm(), steps=[("Hello", body)])
    mode = url(in_ws, campaign, "compose/mode/")
    asked = client.post(mode, {"mode": "plain", "step": "1"}).content.decode()
    assert "Links keep their address" in asked
    assert stored(campaign).body == body
    client.post(mode, {"mode": "plain", "step": "1", "sure": "yes"})
    campaign.refresh_from_db()
    plain = stored(campaign).body
    assert campaign.text_only
    assert '{{ first_name | default: "there" }}' in plain
    assert "our map (https://fernhill.example/)" in plain
    assert "<p>" not in plain
    assert "Hello <mark>Anselm</mark>" in client.get(url(in_ws, campaign)).content.decode()
    client.post(url(in_ws, campaign, "compose/mode/"), {"mode": "rich", "step": "1"})
    assert Campaign.objects.filter(pk=campaign.pk, text_only=False).exists()
    assert stored(campaign).body.startswith("<p>Hello")
    assert "Hello <mark>Anselm</mark>" in client.get(url(in_ws, campaign)).content.decode()


def test_it_asks_nothing_where_plain_text_loses_nothing(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm(), steps=[("Hello", "<p>Hello,</p><p>a <br>map</p>")])
    answer = client.post(url(in_ws, campaign, "compose/mode/"), {"mode": "plain", "step": "1"}, headers=HTMX)
    assert answer.headers["HX-Redirect"].endswith("/compose/?step=1")
    assert Campaign.objects.filter(pk=campaign.pk, text_only=True).exists()


def test_it_shows_the_fields_in_a_follow_up_s_subject_by_name(client: Client, in_ws: Workspace) -> None:
    steps = [
        ('A map for {{ company }} & {{ first_name | default: "you" }}', "<p>One</p>"),
        ("", "<p>Two</p>"),
    ]
    body = client.get(url(in_ws, draft(anselm(), steps=steps)) + "?step=2").content.decode()
    shown = body.partition('<span class="dim">Re:</span>')[2].partition("</div>")[0]
    assert '<span class="chip">Company</span> &amp; <span class="chip">First name or “you”</span>' in shown
    assert "{{" not in shown


def test_it_cuts_a_step_s_first_words_between_words(client: Client, in_ws: Workspace) -> None:
    campaign = draft(anselm(), steps=[("Hello", "<p>" + "Seventeen letters " * 20 + "</p>")])
    body = client.get(url(in_ws, campaign)).content.decode()
    assert re.search(r"<p>Seventeen letters [^<]*(Seventeen|letters)…</p></a>", body)


@pytest.mark.parametrize("state", ["running", "finished", "cancelled"])
def test_it_shows_a_text_that_cannot_be_edited_as_it_looks(
    client: Client, in_ws: Workspace, state: str
) -> None:
    link = '<a href="https://x.example/">a &lt;map&gt;</a>'
    text = '<p>Hello {{ first_name | default: "you" }},<br>see ' + link + "</p>"
    campaign = draft(anselm(), steps=[("Hello", text + "<script>bad()</script>")])
    Campaign.objects.filter(pk=campaign.pk).update(state=state)
    body = client.get(url(in_ws, campaign)).content.decode()
    assert '<p>Hello <span class="chip">First name or “you”</span>,<br>see <u>a &lt;map&gt;</u></p>' in body
    assert "&lt;p&gt;" not in body
    assert "<script>bad" not in body
    assert "&amp;lt;" not in body
    assert "This stops the queue" not in body
    assert ("<h2>Checks</h2>" in body) is (state == "running")


def test_it_edits_a_paused_campaign_and_writes_its_queued_mails_anew(
    client: Client, in_ws: Workspace
) -> None:
    campaign = factories.make_campaign(state=CampaignState.PAUSED)
    queued = factories.make_message(
        factories.make_enrollment(campaign, state="running"), state=MessageState.QUEUED
    )
    client.post(url(in_ws, campaign) + "?step=1", {"subject": "New", "body": "<p>New</p>"}, headers=HTMX)
    queued.refresh_from_db()
    assert queued.state == MessageState.PLANNED
    assert stored(campaign).subject == "New"


def test_it_leaves_the_text_of_a_running_campaign_alone(client: Client, in_ws: Workspace) -> None:
    campaign = factories.make_campaign(state=CampaignState.RUNNING)
    page = client.get(url(in_ws, campaign)).content.decode()
    assert "Pause the campaign to edit" in page
    assert "<textarea" not in page
    client.post(url(in_ws, campaign) + "?step=1", {"subject": "New", "body": "<p>New</p>"}, headers=HTMX)
    assert stored(campaign).subject == factories.FIRST_MAIL[0]


def test_it_sends_a_test_to_oneself_once_per_opened_page(
    client: Client, in_ws: Workspace, member: User
) -> None:
    campaign = draft(anselm())
    page = client.get(url(in_ws, campaign)).content.decode()
    minted = re.search(r'name="compose_id" value="([^"]+)"', page)
    assert minted is not None
    for _ in range(2):
        answer = client.post(
            url(in_ws, campaign, "test/"), {"step": "1", "n": "1", "compose_id": minted[1]}, follow=True
        )
        assert f"The test goes to {member.email}" in answer.content.decode()
    row = Message.objects.get()
    assert (row.kind, row.compose_id) == (MessageKind.TEST, uuid.UUID(minted[1]))
    assert client.post(url(in_ws, campaign, "test/"), {"compose_id": "x"}).status_code == 302
    assert Message.objects.count() == 1


def test_it_lets_a_viewer_read_and_not_write(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    campaign = draft(anselm())
    client = signed_in(viewer)
    assert client.get(url(in_ws, campaign)).status_code == 200
    client.post(url(in_ws, campaign) + "?step=1", {"subject": "New", "body": "x"}, headers=HTMX)
    assert stored(campaign).subject == factories.FIRST_MAIL[0]
    assert client.post(url(in_ws, campaign, "compose/mode/"), {"mode": "plain"}).status_code == 403


def test_it_hides_a_draft_from_a_stranger(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    campaign = draft()
    client = signed_in(stranger)
    assert client.get(url(in_ws, campaign)).status_code == 404
    assert client.get(f"/w/elsewhere/campaigns/{campaign.pk}/compose/").status_code == 404
