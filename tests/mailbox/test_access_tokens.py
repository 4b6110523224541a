"""Access tokens: one refresh for many, stored before use; what disconnects a mailbox and what does not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from mailbox import oauth
from mailbox.errors import Disconnected, Retry
from mailbox.models import Credential, Mailbox, MailboxState
from tests.mailbox.sandbox.conftest import Running

pytestmark = pytest.mark.django_db(transaction=True)
BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


@BOTH
def test_it_refreshes_once_for_many_and_stores_before_use(
    provider: str, connected: Callable[..., Mailbox], providers: Running
) -> None:
    row = connected(provider)
    Credential.objects.update(access_token=None)
    found: list[str] = []

    def ask() -> None:
        try:
            with workspace(row.workspace_id):
                found.append(oauth.access(row).token)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert set(found) == {str(Credential.objects.get().access_token)}
    assert len(providers.get("calls", mailbox=str(row.address), op="token")) == 1


@BOTH
def test_it_asks_anew_after_the_provider_rejected_a_token(
    provider: str, connected: Callable[..., Mailbox], providers: Running
) -> None:
    row = connected(provider)
    first = oauth.access(row)
    assert oauth.access(row).token == first.token
    oauth.reject(row, first)
    assert oauth.access(row).token != first.token


@BOTH
def test_it_disconnects_after_the_second_refusal_only(
    provider: str,
    connected: Callable[..., Mailbox],
    providers: Running,
    member: User,
    owner: User,
    mailoutbox: list[Any],
) -> None:
    """F12, F13: one invalid_grant may be a lost race, two are the end. Other members are not told."""
    row = connected(provider)
    providers.post("revoke_grant", email=str(row.address))
    Credential.objects.update(access_token=None)
    with pytest.raises(Retry):
        oauth.access(row)
    row.refresh_from_db()
    assert row.state == MailboxState.CONNECTED
    with pytest.raises(Disconnected):
        oauth.access(row)
    row.refresh_from_db()
    assert (row.state, row.state_reason) == (MailboxState.BROKEN, "grant_ended")
    assert [address for mail in mailoutbox for address in mail.recipients()] == [owner.email]
    assert "none is lost" in mailoutbox[0].body
    before = len(providers.get("calls", mailbox=str(row.address)))
    with pytest.raises(Disconnected):
        oauth.access(row)
    assert len(providers.get("calls", mailbox=str(row.address))) == before


@BOTH
def test_it_stays_connected_when_one_refusal_was_a_slip(
    provider: str, connected: Callable[..., Mailbox], providers: Running
) -> None:
    row = connected(provider)
    providers.post("faults", mailbox=str(row.address), op="token", kind="auth_lost", times=1)
    Credential.objects.update(access_token=None)
    with pytest.raises(Retry):
        oauth.access(row)
    assert oauth.access(row).token
    assert Credential.objects.get().refusals == 0


@BOTH
@pytest.mark.parametrize("kind", ["error_not_accepted", "truncate", "accept_then_reset"])
def test_it_waits_where_the_token_endpoint_stumbles(
    provider: str, kind: str, connected: Callable[..., Mailbox], providers: Running
) -> None:
    row = connected(provider)
    providers.post("faults", mailbox=str(row.address), op="token", kind=kind, times=1)
    Credential.objects.update(access_token=None)
    with pytest.raises(Retry):
        oauth.access(row)
    row.refresh_from_db()
    assert row.state == MailboxState.CONNECTED
    assert oauth.access(row).token


@BOTH
def test_it_disconnects_nobody_for_our_own_registration(
    provider: str, connected: Callable[..., Mailbox], providers: Running, settings: Any
) -> None:
    row = connected(provider)
    settings.GOOGLE_CLIENT_SECRET = settings.MS_CLIENT_SECRET = "expired"
    Credential.objects.update(access_token=None)
    for _ in range(3):
        with pytest.raises(Retry) as problem:
            oauth.access(row)
        assert problem.value.reason == "our_registration"
    row.refresh_from_db()
    assert row.state == MailboxState.CONNECTED


def test_it_gives_no_token_where_a_link_of_the_chain_is_broken(
    connected: Callable[..., Mailbox], providers: Running, member: User, ws: Workspace
) -> None:
    """T14: workspace, owner and generation."""
    row = connected("google")
    Mailbox.objects.update(owner=member)
    assert oauth.access(row).token
    Membership.objects.filter(user=member).delete()
    with pytest.raises(Disconnected):
        oauth.access(row)
    Mailbox.objects.update(owner=None)
    Workspace.objects.update(suspended_at="2026-01-01T00:00Z")
    with pytest.raises(Retry):
        oauth.access(row)
    Workspace.objects.update(suspended_at=None)
    Mailbox.objects.update(generation=2)
    with pytest.raises(Disconnected):
        oauth.access(row)


@pytest.mark.parametrize(
    "breaks",
    [
        lambda row: Mailbox.objects.update(generation=2),
        lambda row: Credential.objects.update(generation=2),
        lambda row: Credential.objects.all().delete(),
        lambda row: Mailbox.objects.update(state=MailboxState.REVOKED),
        lambda row: Mailbox.objects.update(state=MailboxState.BROKEN),
        lambda row: Mailbox.objects.update(owner=None),
        lambda row: User.objects.filter(pk=row.owner_id).update(is_active=False),
        lambda row: Workspace.objects.update(suspended_at="2026-01-01T00:00Z"),
    ],
)
def test_it_says_the_same_in_both_ways_of_asking(
    breaks: Callable[[Mailbox], object], connected: Callable[..., Mailbox], providers: Running
) -> None:
    """The look before each write is written as SQL, the one behind a token for the row itself (F14, T14)."""
    row = connected("google")
    assert oauth.is_living(row)
    assert oauth.living(row).exists()
    breaks(row)
    assert not oauth.is_living(row)
    assert not oauth.living(row).exists()


def test_it_never_reaches_a_provider_inside_a_transaction(
    connected: Callable[..., Mailbox], providers: Running
) -> None:
    row = connected("google")
    Credential.objects.update(access_token=None)
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        oauth.access(row)
