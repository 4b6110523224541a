"""A finished consent becomes a mailbox, keyed by the account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from mailbox import oauth
from mailbox.models import Credential, Mailbox, MailboxIdentity, MailboxState
from tests.mailbox.consenting import arrive, begin, connect, decide, offered, press
from tests.mailbox.sandbox.conftest import Running
from tests.roles import as_owner

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
SignedIn = Callable[[User], Client]
EMAIL = "mira@fernhill.example"


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


@BOTH
def test_it_keeps_the_row_at_a_reconnect(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    connect(client, ws, provider, EMAIL)
    with workspace(ws):
        before = Mailbox.objects.get()
        Mailbox.objects.update(state=MailboxState.BROKEN, state_reason="grant_ended")
    again = begin(client, ws, provider, again=str(before.pk))
    assert "login_hint=mira%40fernhill.example" in again
    page = press(client, ws, arrive(client, provider, decide(again, email=EMAIL)))
    assert "is connected" in words(page)
    with workspace(ws):
        row = Mailbox.objects.get()
        assert (row.pk, row.state, row.generation) == (before.pk, "connected", 2)
        assert Credential.objects.get().generation == 2
        assert oauth.access(row).token
        assert [e.action for e in AuditEvent.objects.order_by("at")][-2:] == ["mailbox.connected"] * 2


@BOTH
def test_it_refuses_a_reconnect_with_another_account(
    provider: str, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """T9: the stored subject must match."""
    client = signed_in(owner)
    connect(client, ws, provider, EMAIL)
    with workspace(ws):
        row = Mailbox.objects.get()
    query = decide(begin(client, ws, provider, again=str(row.pk)), email="other@fernhill.example")
    assert "with another account" in words(arrive(client, provider, query))
    with workspace(ws):
        assert Mailbox.objects.get().generation == 1


@BOTH
def test_it_refuses_an_account_that_is_connected_elsewhere(
    provider: str,
    ws: Workspace,
    owner: User,
    stranger: User,
    signed_in: SignedIn,
    providers: Running,
) -> None:
    """T10: one live connection; the words say nothing about where."""
    connect(signed_in(owner), ws, provider, EMAIL)
    elsewhere = Workspace.objects.get(name="Elsewhere")
    page = offered(signed_in(stranger), elsewhere, provider, EMAIL)
    assert "This account cannot be connected here now" in words(page)
    assert "Studio" not in words(page)
    with workspace(elsewhere):
        assert not Mailbox.objects.exists()
        assert not Credential.objects.exists()
    with workspace(ws):
        assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_it_lets_the_account_move_after_the_bin(
    ws: Workspace, owner: User, stranger: User, signed_in: SignedIn, providers: Running
) -> None:
    client = signed_in(owner)
    connect(client, ws, "microsoft", EMAIL)
    with workspace(ws):
        row = Mailbox.objects.get()
    client.post(f"/w/{ws.slug}/mailboxes/{row.pk}/remove/")
    elsewhere = Workspace.objects.get(name="Elsewhere")
    assert "is connected" in words(connect(signed_in(stranger), elsewhere, "microsoft", EMAIL))
    # One account, one identity: caps are counted for it across both workspaces.
    assert MailboxIdentity.objects.count() == 1


def test_it_connects_two_accounts_of_one_address_apart(
    ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    """T9: keyed by the provider's subject, never by the address."""
    client = signed_in(owner)
    connect(client, ws, "google", EMAIL)
    connect(client, ws, "microsoft", EMAIL)
    with workspace(ws):
        assert Mailbox.objects.count() == 2
        assert len({bytes(row.identity) for row in Mailbox.objects.all()}) == 2


@pytest.mark.parametrize(("email", "cap"), [("mira@gmail.com", 50), (EMAIL, 150)])
def test_it_sets_the_lid_by_the_kind_of_account(
    email: str, cap: int, ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    connect(signed_in(owner), ws, "google", email)
    with workspace(ws):
        assert Mailbox.objects.get().daily_cap == cap
    assert MailboxIdentity.objects.get().consumer is (cap == 50)


def test_it_keeps_address_subject_and_tokens_as_ciphertext(
    ws: Workspace, owner: User, signed_in: SignedIn, providers: Running
) -> None:
    from django.db import connection

    connect(signed_in(owner), ws, "google", EMAIL)
    with workspace(ws):
        row, credential = Mailbox.objects.get(), Credential.objects.get()
        secrets = [row.address, row.subject, credential.secret, credential.access_token]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT m::text || c::text FROM mailbox_mailbox m, mailbox_credential c")
        stored = cursor.fetchone()[0]
    for secret in secrets:
        assert str(secret) not in stored
        assert str(secret).encode().hex() not in stored
