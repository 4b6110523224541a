"""A draft that somebody edits in the mailbox while the mail waits: held, and a person is asked (F43)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F

from accounts.models import AuditEvent
from mailbox.models import Mailbox, MailboxState, SendSlot
from outreach.models import Enrollment, EnrollmentState, Message, MessageState
from outreach.pipeline import claim, janitor, send, settle
from outreach.pipeline.send import Sent
from outreach.pipeline.settle import Decision
from outreach.reasons import DRAFT_EDITED
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"
Later = Callable[..., None]


def waiting(queue: Queue, provider: str) -> Message:
    """A mail that waits with its draft, and is due again."""
    (row,) = queue(provider, TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    assert send.send(held.id, held.fence, until=0.0) is Sent.WAITS
    row.refresh_from_db()
    assert row.state == MessageState.DRAFTED
    due_again()
    return row


def due_again() -> None:
    Message.objects.update(not_before=F("created_at"))


def act(providers: Running, what: str, row: Message, **wish: Any) -> None:
    mailbox = Mailbox.objects.get()
    providers.post(what, email=mailbox.address, provider=mailbox.provider, draft=row.draft_id, **wish)


def asked(queue: Queue, providers: Running, provider: str) -> Message:
    """The same, edited and in doubt."""
    row = waiting(queue, provider)
    act(providers, "edit", row, subject="My own words")
    assert send_now(row) is Sent.WAITS
    settle.settle_due(Mailbox.objects.get())
    row.refresh_from_db()
    return row


def drafts(providers: Running) -> list[str]:
    lying = providers.get("messages", mailbox=str(Mailbox.objects.get().address))
    return [one["subject"] for one in lying if one["folder"] == "drafts"]


@BOTH
def test_it_holds_an_edited_draft_and_asks(queue: Queue, providers: Running, provider: str) -> None:
    row = waiting(queue, provider)
    act(providers, "edit", row, subject="My own words")
    assert send_now(row) is Sent.WAITS
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.DRAFTED, DRAFT_EDITED)
    assert claim.claim_batch(Mailbox.objects.get()) == []
    assert settle.settle_due(Mailbox.objects.get()) == 1
    row.refresh_from_db()
    assert (row.state, row.reason, row.attempted_at) == (MessageState.DOUBT, DRAFT_EDITED, None)
    assert AuditEvent.objects.filter(action="message.in_doubt", object_id=str(row.pk)).exists()
    due_again()
    assert claim.claim_batch(Mailbox.objects.get()) == []
    assert not SendSlot.objects.exists()
    assert (providers.get("ledger"), drafts(providers)) == ([], ["My own words"])


@BOTH
def test_it_sends_a_draft_that_nobody_touched(queue: Queue, providers: Running, provider: str) -> None:
    row = waiting(queue, provider)
    before = len(providers.get("calls"))
    assert send_now(row) is Sent.ACCEPTED
    assert [call["op"] for call in providers.get("calls")[before:]][:2] == ["get", "send"]


@BOTH
def test_it_sends_a_draft_that_was_merely_opened(queue: Queue, providers: Running, provider: str) -> None:
    row = waiting(queue, provider)
    act(providers, "edit", row, subject=row.subject)
    assert send_now(row) is Sent.ACCEPTED


def test_it_looks_at_no_draft_that_it_has_just_made(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", TO)
    assert send_now(row) is Sent.ACCEPTED
    assert [call["op"] for call in providers.get("calls")][:2] == ["draft", "send"]


def test_it_asks_nothing_about_a_row_from_before_versions_were_kept(queue: Queue, providers: Running) -> None:
    row = waiting(queue, "google")
    Message.objects.update(draft_version=None)
    act(providers, "edit", row, subject="My own words")
    assert send_now(row) is Sent.ACCEPTED


@BOTH
def test_it_waits_where_the_look_has_to(queue: Queue, providers: Running, provider: str) -> None:
    row = waiting(queue, provider)
    providers.post("faults", mailbox="*", op="get", kind="throttle", retry_after="300")
    assert send_now(row) is Sent.WAITS
    row.refresh_from_db()
    assert (row.state, Mailbox.objects.get().state) == (MessageState.DEFERRED, MailboxState.THROTTLED)
    assert providers.get("ledger") == []


@BOTH
def test_it_looks_before_a_mail_goes_once_more(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    """Behind an answer that was lost the draft may have been edited as well."""
    (row,) = queue(provider, TO)
    providers.post("faults", mailbox="*", op="send", kind="error_not_accepted")
    assert send_now(row) is Sent.UNKNOWN
    later(seconds=30)
    settle.settle_due(Mailbox.objects.get())
    row.refresh_from_db()
    act(providers, "edit", row)
    assert send_now(row) is Sent.WAITS
    settle.settle_due(Mailbox.objects.get())
    row.refresh_from_db()
    assert (row.state, row.reason) == (MessageState.DOUBT, DRAFT_EDITED)
    assert providers.get("ledger") == []


# --- a person decides ---------------------------------------------------------------------------------


@BOTH
def test_it_sends_the_draft_as_edited(queue: Queue, providers: Running, provider: str) -> None:
    row = asked(queue, providers, provider)
    settle.decide(row, Decision.AS_EDITED, actor=None)
    assert send_now(row) is Sent.ACCEPTED
    (entry,) = providers.get("ledger")
    assert entry["subject"] == "My own words"
    assert AuditEvent.objects.filter(action="message.decided_as_edited").exists()


@BOTH
def test_it_sends_our_text_in_a_new_draft(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    row = asked(queue, providers, provider)
    row = settle.decide(row, Decision.SEND_AGAIN, actor=None)
    assert (row.state, row.draft_id, row.draft_version) == (MessageState.QUEUED, None, None)
    assert send_now(row) is Sent.ACCEPTED
    (entry,) = providers.get("ledger")
    assert entry["subject"] == row.subject
    later(seconds=settings.LEASE_SECONDS * janitor.ORPHAN_AGE_LEASES + 1)
    assert janitor.sweep(Mailbox.objects.get()) == 1
    assert drafts(providers) == []


@BOTH
def test_it_leaves_the_edited_draft_where_nothing_is_to_be_sent(
    queue: Queue, providers: Running, provider: str
) -> None:
    """What a person wrote is theirs."""
    row = asked(queue, providers, provider)
    row = settle.decide(row, Decision.DO_NOT_SEND, actor=None)
    assert (row.state, row.draft_left) == (MessageState.CANCELLED, False)
    assert Enrollment.objects.get().state == EnrollmentState.CANCELLED
    janitor.sweep(Mailbox.objects.get())
    assert (providers.get("ledger"), drafts(providers)) == ([], ["My own words"])


@BOTH
def test_it_sees_that_the_person_sent_the_edited_draft(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    row = asked(queue, providers, provider)
    act(providers, "send", row)
    later(seconds=30)
    settle.settle_due(Mailbox.objects.get())
    row.refresh_from_db()
    (entry,) = providers.get("ledger")
    assert (row.state, row.rfc_message_id) == (MessageState.SENT, entry["message_id"])


def test_it_stops_looking_after_a_day(queue: Queue, providers: Running, later: Later) -> None:
    asked(queue, providers, "google")
    later(seconds=settle.T_MAX / dt.timedelta(seconds=1) + 60)
    assert settle.settle_due(Mailbox.objects.get()) == 0


def test_it_sends_nothing_as_edited_that_was_not_edited(queue: Queue, providers: Running) -> None:
    row = waiting(queue, "google")
    Message.objects.update(state=MessageState.DOUBT, reason=settle.NO_TRACE)
    with pytest.raises(settle.NotInDoubt):
        settle.decide(row, Decision.AS_EDITED, actor=None)
