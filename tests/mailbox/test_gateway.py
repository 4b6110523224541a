"""The door: who may pass, with which token, and what is counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, cast

import pytest
from django.db import transaction

from accounts import clock
from mailbox import gateway
from mailbox.errors import Disconnected, Retry
from mailbox.limited_use import Purpose
from mailbox.models import Credential, Mailbox, MailboxState
from mailbox.providers.transport import NetworkInTransaction
from mailbox.types import Draft, OutgoingEmail
from tests.mailbox.sandbox.conftest import Running

Write = Callable[..., OutgoingEmail]
PROVIDERS = ("google", "microsoft")
# The sign-in's own door counts the test's block as a transaction too.
refreshes = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def calls(providers: Running) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], providers.get("calls"))


def verbs(mailbox: Mailbox, mail: OutgoingEmail, draft: Draft) -> list[Callable[[], object]]:
    asked: dict[str, Any] = {"key": mail.key, "to_address": mail.to_address, "attempted_at": clock.now()}
    return [
        lambda: gateway.prepare(mailbox, mail),
        lambda: gateway.submit(mailbox, draft),
        lambda: gateway.confirm(mailbox, draft, **asked),
        lambda: gateway.outcome(mailbox, draft, **asked),
        lambda: gateway.find_ours(mailbox, mail.key, to_address=mail.to_address),
        lambda: gateway.discard(mailbox, draft),
        lambda: gateway.headers_since(mailbox, None),
        lambda: gateway.fetch(mailbox, "m1", purpose=Purpose.REPLY_IN_OUR_THREAD),
    ]


@pytest.mark.parametrize("change", ["generation", "credential", "revoked"])
def test_it_makes_no_call_for_a_mailbox_that_was_cut_off(
    mailbox: Mailbox, write: Write, providers: Running, change: str
) -> None:
    """F14, I4: every verb."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    before = len(calls(providers))
    if change == "generation":
        Mailbox.objects.filter(pk=mailbox.pk).update(generation=mailbox.generation + 1)
    elif change == "credential":
        Credential.objects.all().delete()
    else:
        Mailbox.objects.filter(pk=mailbox.pk).update(state=MailboxState.REVOKED)
    for verb in verbs(mailbox, mail, draft):
        with pytest.raises(Disconnected):
            verb()
    assert len(calls(providers)) == before
    assert providers.get("ledger") == []


def test_it_stops_between_two_calls_of_one_look(
    mailbox: Mailbox, write: Write, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look makes several calls; a revoke that commits in between ends it there."""
    gateway.headers_since(mailbox, None)
    before = len(calls(providers))
    really, asked = gateway._check, []

    def check(row: Mailbox) -> None:
        asked.append(1)
        if len(asked) == 2:  # before the first write, before the second
            Credential.objects.all().delete()
        really(row)

    monkeypatch.setattr(gateway, "_check", check)
    with pytest.raises(Disconnected):
        gateway.headers_since(mailbox, None)
    assert len(calls(providers)) == before + 1


def test_it_refuses_to_be_called_inside_a_transaction(mailbox: Mailbox, write: Write) -> None:
    with pytest.raises(NetworkInTransaction), transaction.atomic():
        gateway.prepare(mailbox, write(mailbox))


@refreshes
def test_it_refreshes_an_old_token_once_and_goes_on(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F11: the provider says 401 to a token that looked good."""
    providers.post("expire_access", email=str(mailbox.address))
    draft = gateway.prepare(mailbox, write(mailbox))
    assert draft.draft_id
    kinds = [call["op"] for call in calls(providers)]
    assert kinds.count("token") == 1
    assert kinds.count("draft") == 2


@refreshes
def test_it_never_sends_twice_under_one_fence_for_a_token(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """providers.md 3.6: one refresh, then once more under a new fence."""
    draft = gateway.prepare(mailbox, write(mailbox))
    providers.post("expire_access", email=str(mailbox.address))
    with pytest.raises(Retry, match="token_refreshed"):
        gateway.submit(mailbox, draft)
    kinds = [call["op"] for call in calls(providers)]
    assert (kinds.count("send"), kinds.count("token")) == (1, 1)
    assert providers.get("ledger") == []
    gateway.submit(mailbox, draft)
    assert len(providers.get("ledger")) == 1


@refreshes
def test_it_asks_for_a_reconnect_when_the_new_token_is_not_taken_either(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    draft = gateway.prepare(mailbox, write(mailbox))
    for op in ("send", "get", "list"):
        providers.post("faults", op=op, kind="auth_lost", times=0)
    with pytest.raises(Disconnected, match="unauthorized"):
        gateway.submit(mailbox, draft)
    assert [call["op"] for call in calls(providers)].count("send") == 1


@refreshes
def test_it_asks_for_a_reconnect_when_the_person_ended_the_grant(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F13: believed the second time."""
    providers.post("revoke_grant", email=str(mailbox.address))
    with pytest.raises(Retry):
        gateway.prepare(mailbox, write(mailbox))
    with pytest.raises(Disconnected):
        gateway.prepare(mailbox, write(mailbox))
    assert providers.get("ledger") == []


@refreshes
def test_it_has_the_token_ready_before_the_last_gate(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    draft = gateway.prepare(mailbox, write(mailbox))
    Credential.objects.update(access_expires_at=clock.now() - dt.timedelta(seconds=1))
    gateway.ready(mailbox)
    before = len(calls(providers))
    gateway.submit(mailbox, draft)
    assert [call["op"] for call in calls(providers)[before:]] == ["send"]


def test_it_reads_in_full_for_a_stated_purpose_only(mailbox: Mailbox, providers: Running) -> None:
    with pytest.raises(TypeError):
        gateway.fetch(mailbox, "m1", purpose="curiosity")  # type: ignore[arg-type]
    assert not any(call["full_read"] for call in calls(providers))
    mailbox.refresh_from_db()
    assert mailbox.full_reads == 0


def test_it_leaves_no_address_token_or_text_in_the_log(
    mailbox: Mailbox, write: Write, providers: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """T13."""
    mail = write(mailbox)
    with caplog.at_level("INFO"):
        draft = gateway.prepare(mailbox, mail)
        gateway.submit(mailbox, draft)
        arrived = providers.post("inbound", email=str(mailbox.address), subject="S3cret", text="hidden")
        gateway.headers_since(mailbox, None)
        gateway.fetch(mailbox, arrived["id"], purpose=Purpose.REPLY_IN_OUR_THREAD)
    token = str(Credential.objects.get().access_token)
    for kept in (mail.to_address, str(mailbox.address), token, mail.subject, "S3cret", "hidden"):
        assert kept not in caplog.text
    assert "reply_in_our_thread" in caplog.text
