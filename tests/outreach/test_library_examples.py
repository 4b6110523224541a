"""The examples: three for each use, which hold nobody back and leave nothing open without a name."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from outreach import example_texts, library
from outreach.example_texts import EXAMPLES, Example
from outreach.models import SavedText, TextUse
from outreach.pipeline import compose
from outreach.rendering import preview, sanitise
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/library/{path}"


def test_there_are_three_examples_for_each_use() -> None:
    uses = [each.use for each in EXAMPLES]
    assert {use: uses.count(use) for use in uses} == {
        TextUse.LINK_BUILDING: 3,
        TextUse.GUEST_POST: 3,
        TextUse.REMOVAL: 3,
        TextUse.PARTNERSHIP: 3,
    }
    assert len({each.key for each in EXAMPLES}) == 12
    assert [each.key for each in example_texts.fitting("NOWHERE")] == ["link-broken"]


def filled(text: str) -> str:
    """As an author leaves it: every placeholder filled in."""
    return re.sub(r"\[[^\]]+\]", "our own words", text)


@pytest.mark.parametrize("each", EXAMPLES, ids=lambda each: each.key)
def test_an_example_holds_nobody_back_once_its_brackets_are_filled(each: Example, in_ws: Workspace) -> None:
    """Not even somebody of whom nothing but an address is known; and the cleaner leaves it as it is."""
    assert sanitise(each.body) == each.body
    body = filled(each.body)
    for plain in (False, True):
        words = library.words_of(each.subject, body, plain=plain)
        bare = factories.make_contact(site=None, source="Your imprint")
        campaign = factories.make_campaign(
            steps=[(words.subject, words.body)], contacts=[bare], text_only=plain
        )
        found = compose.readiness(campaign)
        assert (found.problems, [why for _, why in found.held_back]) == ([], [])
        step = campaign.steps.get()
        mail = preview(step, bare)
        assert mail.blanks == []
        assert "{" not in mail.text + mail.subject
        with_links = preview(step, bare, links=["https://a.example/1"])
        assert ("https://a.example/1" in with_links.text) == (each.use == TextUse.REMOVAL)


@pytest.mark.parametrize("each", EXAMPLES, ids=lambda each: each.key)
def test_an_example_is_short_and_what_is_left_open_stops_the_queue(each: Example, in_ws: Workspace) -> None:
    assert len(each.body.split()) < 110
    campaign = factories.make_campaign(steps=[(each.subject, each.body)], contacts=[factories.make_contact()])
    codes = {problem.code for problem in compose.readiness(campaign).problems}
    assert codes == ({"placeholder"} if "[" in each.body else set())


def test_it_copies_an_example_into_the_library(client: Client, in_ws: Workspace) -> None:
    page = client.get(url(in_ws)).content.decode()
    assert page.count("Copy to library") == 12
    client.post(url(in_ws, "examples/guest-offer/copy/"))
    row = SavedText.objects.get()
    assert (row.name, row.use) == ("An article for your site", "guest_post")
    assert "[the subject]" in row.body
    assert client.post(url(in_ws, "examples/nobody/copy/")).status_code == 404


def test_a_viewer_reads_examples_and_copies_none(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    client = signed_in(viewer)
    page = client.get(url(in_ws)).content.decode()
    assert "A link that leads nowhere" in page
    assert "Copy to library" not in page
    assert client.post(url(in_ws, "examples/link-broken/copy/")).status_code == 403
    assert not SavedText.objects.exists()
