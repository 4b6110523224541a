"""How long nobody gets a first mail from a second campaign: the workspace says, the gates obey (F28, G12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts import clock
from accounts.models import AuditEvent, User, Workspace
from outreach import policy
from outreach.models import Contact, Message, MessageKind, MessageState
from outreach.pipeline import compose
from tests import factories
from tests.outreach.test_policy import fresh, ready

SignedIn = Callable[[User], Client]
pytestmark = pytest.mark.django_db


def wrote(person: Contact, *, days: int) -> None:
    """Another campaign's first mail left so long ago."""
    row = factories.make_message(
        factories.make_enrollment(factories.make_campaign(), person), state=MessageState.SENT
    )
    Message.objects.filter(pk=row.pk).update(sent_at=clock.now() - dt.timedelta(days=days))


@pytest.mark.parametrize(
    ("days", "workspace_days", "goes"),
    [(12, 30, False), (12, 10, True), (8, 10, False), (0, 0, True), (300, 365, False), (31, 30, True)],
)
def test_it_holds_back_as_long_as_the_workspace_says(
    days: int, workspace_days: int, goes: bool, in_ws: Workspace
) -> None:
    Workspace.objects.filter(pk=in_ws.pk).update(cool_down_days=workspace_days)
    row = ready(MessageKind.FIRST)
    assert row.contact is not None
    wrote(row.contact, days=days)
    verdict = policy.may_send(fresh(row))
    assert (verdict.code != "cool_down") is goes
    if not goes:
        assert f"First mails are {workspace_days} days apart." in verdict.sentence
        assert verdict.until is not None
        assert verdict.until - clock.now() > dt.timedelta(days=workspace_days - days - 1)
    person = factories.make_contact()
    wrote(person, days=days)
    campaign = factories.make_campaign(contacts=[person])
    campaign.workspace.refresh_from_db()
    held = [one.reason for one, _ in compose.readiness(campaign).held_back]
    assert held == ([] if goes else ["cool_down"])


def test_it_is_set_by_an_admin_and_written_down(in_ws: Workspace, signed_in: SignedIn, admin: User) -> None:
    client = signed_in(admin)
    page = client.get(f"/w/{in_ws.slug}/settings/").content.decode()
    assert 'value="30"' in page
    assert "Days between campaigns" in page
    assert _saved(client, in_ws, {"ws-cool_down_days": "14"}) == 302
    in_ws.refresh_from_db()
    assert in_ws.cool_down_days == 14
    assert "days between campaigns" in AuditEvent.objects.get(action="workspace.changed").sentence


@pytest.mark.parametrize("given", ["-1", "366", "a week", "1.5", "9" * 40])
def test_it_says_what_is_no_number_of_days(
    given: str, in_ws: Workspace, signed_in: SignedIn, admin: User
) -> None:
    assert _saved(signed_in(admin), in_ws, {"ws-cool_down_days": given}) == 422
    in_ws.refresh_from_db()
    assert in_ws.cool_down_days == 30


def test_it_keeps_what_it_was_where_the_field_is_empty(
    in_ws: Workspace, signed_in: SignedIn, admin: User
) -> None:
    Workspace.objects.filter(pk=in_ws.pk).update(cool_down_days=7)
    assert _saved(signed_in(admin), in_ws, {}) == 302
    in_ws.refresh_from_db()
    assert in_ws.cool_down_days == 7


def _saved(client: Client, here: Workspace, more: dict[str, Any]) -> int:
    fields = {"about": "workspace", "ws-name": here.name, "ws-postal_address": "14 Quay Lane", **more}
    return client.post(f"/w/{here.slug}/settings/", fields).status_code
