"""The suppression list through the front door: who is blocked, adding, lifting, and what cannot be lifted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from outreach.models import MessageState, Suppression, SuppressionReason
from tests import factories

SignedIn = Callable[[User], Client]


@pytest.fixture
def client(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


def url(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/suppressions/{path}"


def test_it_blocks_an_address_and_stops_what_waits_for_it(client: Client, in_ws: Workspace) -> None:
    waiting = factories.make_message(state=MessageState.QUEUED)
    answer = client.post(
        url(in_ws, "new/"), {"value": waiting.to_address, "note": "asked by phone"}, follow=True
    )
    assert "Waiting mails to it are stopped" in answer.content.decode()
    waiting.refresh_from_db()
    assert waiting.state == MessageState.SUPPRESSED
    page = client.get(url(in_ws)).content.decode()
    assert waiting.to_address in page
    assert "asked by phone" in page


def test_it_blocks_a_whole_domain(client: Client, in_ws: Workspace) -> None:
    client.post(url(in_ws, "new/"), {"value": "@Ridge.example"})
    row = Suppression.objects.get()
    assert (row.scope, row.value) == ("domain", "ridge.example")
    assert "whole domain" in client.get(url(in_ws)).content.decode()


@pytest.mark.parametrize(
    "value", ["", "nonsense", "a@b@c", "a b@ridge.example", "x@ridge.example\r\nBcc: y@z.example"]
)
def test_it_refuses_what_is_neither_and_keeps_the_note(client: Client, in_ws: Workspace, value: str) -> None:
    answer = client.post(url(in_ws, "new/"), {"value": value, "note": "kept words"})
    assert answer.status_code == 200
    assert 'class="field wrong"' in answer.content.decode()
    assert "kept words" in answer.content.decode()
    assert not Suppression.objects.exists()


def test_it_finds_an_exact_address_and_the_domain_that_blocks_it(client: Client, in_ws: Workspace) -> None:
    factories.make_suppression("anselm@ridge.example")
    factories.make_suppression("fell.example", scope="domain")
    assert "anselm@ridge.example" in client.get(url(in_ws), {"q": "Anselm@ridge.example"}).content.decode()
    assert "fell.example" in client.get(url(in_ws), {"q": "who@fell.example"}).content.decode()
    assert "No block fits" in client.get(url(in_ws), {"q": "ansel"}).content.decode()


def test_it_lifts_a_block_that_a_person_added(client: Client, in_ws: Workspace) -> None:
    row = factories.make_suppression("anselm@ridge.example")
    asked = client.get(url(in_ws, f"{row.pk}/lift/")).content.decode()
    assert "Lift the block on anselm@ridge.example" in asked
    assert Suppression.objects.exists()
    client.post(url(in_ws, f"{row.pk}/lift/"))
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("reason", [SuppressionReason.OPTED_OUT, SuppressionReason.COMPLAINED])
def test_it_leaves_their_own_word_in_place(client: Client, in_ws: Workspace, reason: str) -> None:
    row = factories.make_suppression("anselm@ridge.example", reason=reason)
    page = client.get(url(in_ws, f"{row.pk}/lift/")).content.decode()
    assert "only they can take it back" in page
    client.post(url(in_ws, f"{row.pk}/lift/"))
    assert Suppression.objects.filter(pk=row.pk).exists()


def test_it_lets_a_viewer_look_and_nothing_more(signed_in: SignedIn, viewer: User, in_ws: Workspace) -> None:
    row = factories.make_suppression("anselm@ridge.example")
    client = signed_in(viewer)
    assert client.get(url(in_ws)).status_code == 200
    assert client.post(url(in_ws, f"{row.pk}/lift/")).status_code == 403
    assert client.post(url(in_ws, "new/"), {"value": "b@c.example"}).status_code == 403


def test_it_hides_another_workspaces_rows(signed_in: SignedIn, stranger: User, in_ws: Workspace) -> None:
    row = factories.make_suppression("anselm@ridge.example")
    client = signed_in(stranger)
    assert client.get(url(in_ws)).status_code == 404
    assert client.get(f"/w/elsewhere/suppressions/{row.pk}/lift/").status_code == 404
