"""Claimed rows leave once, or say why not: against a sandbox that keeps its own ledger."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.db.models import F

from accounts.models import AuditEvent, Workspace
from accounts.tenancy import workspace
from mailbox import limits
from mailbox.models import Mailbox, MailboxState, SendSlot
from outreach import suppression
from outreach.models import (
    Campaign,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    SuppressionReason,
)
from outreach.pipeline import claim, send
from outreach.pipeline.send import Sent
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"


@BOTH
def test_it_sends_once_and_stores_what_the_provider_stamped(
    queue: Queue, providers: Running, provider: str
) -> None:
    (row,) = queue(provider, TO)
    assert send_now(row) is Sent.ACCEPTED
    row.refresh_from_db()
    (entry,) = providers.get("ledger")
    assert row.state == MessageState.SENT
    assert row.rfc_message_id == entry["message_id"]
    assert row.provider_id == entry["id"]
    assert row.settle_at is None
    assert row.thread is not None
    assert row.thread.provider_thread_id == entry["thread"]
    assert AuditEvent.objects.filter(action="message.accepted", object_id=str(row.pk)).exists()


@BOTH
def test_it_plans_the_follow_up_with_the_acceptance(queue: Queue, provider: str) -> None:
    (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP))
    send_now(row)
    row.refresh_from_db()
    following = Message.objects.get(step__position=2)
    assert (following.state, following.kind) == (MessageState.PLANNED, MessageKind.FOLLOW_UP)
    assert following.thread == row.thread
    assert row.sent_at is not None
    assert (following.due_at - row.sent_at).days == 4


def test_it_finishes_the_person_behind_the_last_step(queue: Queue) -> None:
    (row,) = queue("google", TO)
    send_now(row)
    assert Enrollment.objects.get().state == EnrollmentState.FINISHED


@BOTH
def test_it_never_sends_a_row_twice(queue: Queue, providers: Running, provider: str) -> None:
    (row,) = queue(provider, TO)
    send_now(row)
    row.refresh_from_db()
    assert send.send(row.pk, row.fence) is Sent.LOST
    assert claim.claim_batch(Mailbox.objects.get()) == []
    assert len(providers.get("ledger")) == 1


def test_it_stops_a_worker_that_lost_its_fence(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    Message.objects.filter(pk=row.pk).update(fence=held.fence + 1)
    assert send.send(held.id, held.fence) is Sent.LOST
    assert providers.get("ledger") == []


@BOTH
@pytest.mark.parametrize("kind", ["accept_then_reset", "error_but_accepted", "error_not_accepted"])
def test_it_leaves_an_unclear_answer_to_settle(
    queue: Queue, providers: Running, provider: str, kind: str
) -> None:
    """F1, F2, F4, F8: the outcome is unknown, whatever really happened."""
    (row,) = queue(provider, TO)
    providers.post("faults", mailbox="*", op="send", kind=kind)
    assert send_now(row) is Sent.UNKNOWN
    row.refresh_from_db()
    assert (row.state, row.lease_until) == (MessageState.SUBMITTING, None)
    assert row.settle_at is not None
    assert SendSlot.objects.filter(key=row.pk).exists()
    assert claim.claim_batch(Mailbox.objects.get()) == []


@BOTH
def test_it_waits_when_the_provider_asks_for_it(queue: Queue, providers: Running, provider: str) -> None:
    """F6: not a failure, nothing is called before the time, the slot is free again."""
    (row,) = queue(provider, TO)
    providers.post("faults", mailbox="*", op="send", kind="throttle", retry_after="300")
    assert send_now(row) is Sent.WAITS
    row.refresh_from_db()
    assert row.state == MessageState.DEFERRED
    assert row.draft_id
    assert row.not_before is not None
    assert Mailbox.objects.get().state == MailboxState.THROTTLED
    assert not SendSlot.objects.exists()


@BOTH
def test_it_records_a_refusal_and_ends_the_sequence(queue: Queue, providers: Running, provider: str) -> None:
    (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP))
    providers.post("faults", mailbox="*", op="send", kind="refuse_permanent")
    assert send_now(row) is Sent.ENDED
    row.refresh_from_db()
    assert row.state == MessageState.REFUSED
    assert row.reason
    assert row.draft_left
    assert Message.objects.count() == 1
    assert not SendSlot.objects.exists()


def test_it_keeps_the_mail_when_the_grant_is_lost(queue: Queue, providers: Running) -> None:
    """F13: the mailbox needs its owner, the row waits with its draft."""
    (row,) = queue("google", TO)
    providers.post("revoke_grant", email="maya@studio.example")
    providers.post("expire_access", email="maya@studio.example")
    for _ in range(3):
        if send_now(row) is not Sent.WAITS:
            pytest.fail("the row must wait")
        Message.objects.update(not_before=F("created_at"))
        Mailbox.objects.filter(state=MailboxState.THROTTLED).update(state=MailboxState.CONNECTED)
    assert Mailbox.objects.get().state == MailboxState.BROKEN
    row.refresh_from_db()
    assert row.state in (MessageState.QUEUED, MessageState.DRAFTED, MessageState.DEFERRED)
    assert providers.get("ledger") == []


def test_it_does_not_send_what_was_suppressed_since(queue: Queue, providers: Running) -> None:
    """F26: the opt-out comes between the claim and the gate."""
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    suppression.suppress(TO, reason=SuppressionReason.OPTED_OUT)
    assert send.send(held.id, held.fence) is Sent.LOST
    row.refresh_from_db()
    assert row.state == MessageState.SUPPRESSED
    assert providers.get("ledger") == []


def test_it_holds_a_claimed_mail_of_a_paused_campaign(queue: Queue, providers: Running) -> None:
    """F25: paused in mid-batch; the mail keeps its draft and goes when the campaign runs again."""
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    Campaign.objects.update(state=CampaignState.PAUSED)
    assert send.send(held.id, held.fence) is Sent.WAITS
    assert claim.claim_batch(Mailbox.objects.get()) == []
    assert providers.get("ledger") == []
    Campaign.objects.update(state=CampaignState.RUNNING)
    Message.objects.update(not_before=F("created_at"))
    assert send_now(row) is Sent.ACCEPTED


def test_it_cancels_a_claimed_mail_of_a_cancelled_campaign(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    Campaign.objects.update(state=CampaignState.CANCELLED)
    assert send.send(held.id, held.fence) is Sent.ENDED
    row.refresh_from_db()
    assert (row.state, row.draft_left) == (MessageState.CANCELLED, True)


def test_it_looks_at_the_inbox_before_a_follow_up(queue: Queue, providers: Running) -> None:
    """F27: a poll that is too old stops the follow-up, not the first mail."""
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    send_now(row)
    following = Message.objects.get(step__position=2)
    following.text, following.subject, following.state = "Hello", "Re: Your hut table", MessageState.QUEUED
    following.due_at = following.created_at
    following.save()
    assert send_now(following) is Sent.WAITS
    following.refresh_from_db()
    assert following.reason == send.STALE_POLL
    assert len(providers.get("ledger")) == 1


def test_it_leaves_out_what_the_cap_does_not_allow(queue: Queue, providers: Running) -> None:
    first, second = queue("google", TO, "bo.silent@other.example")
    Mailbox.objects.update(daily_cap=1)
    assert send_now(first) is Sent.ACCEPTED
    assert send_now(second) is Sent.WAITS
    second.refresh_from_db()
    assert second.reason == "cap_reached"
    assert limits.usage(Mailbox.objects.get()).left == 0
    assert len(providers.get("ledger")) == 1


def test_it_keeps_the_gap_between_two_mails(queue: Queue, settings: object, providers: Running) -> None:
    settings.SEND_SPACING_SECONDS = 60.0  # type: ignore[attr-defined]
    first, second = queue("google", TO, "bo.silent@other.example")
    assert send_now(first) is Sent.ACCEPTED
    assert send_now(second) is Sent.WAITS
    second.refresh_from_db()
    assert (second.state, second.reason) == (MessageState.DEFERRED, "spacing")


def test_it_starts_no_submit_behind_its_time(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    assert send.send(held.id, held.fence, until=0.0) is Sent.WAITS
    row.refresh_from_db()
    assert (row.state, row.attempted_at) == (MessageState.DRAFTED, None)
    assert not SendSlot.objects.exists()


@BOTH
def test_it_makes_no_call_behind_a_revoke(
    queue: Queue, providers: Running, provider: str, open_ws: Workspace
) -> None:
    """F14: the bin is pressed between the draft and the submit."""
    from mailbox.revocation import revoke

    rows = queue(provider, TO, "bo.silent@other.example")
    held = claim.claim_batch(Mailbox.objects.get(), limit=2)
    revoke(Mailbox.objects.get(), actor=None)
    calls = len([call for call in providers.get("calls") if call["op"] in ("send", "draft")])
    assert {send.send(row.id, row.fence) for row in held} <= {Sent.LOST, Sent.ENDED}
    after = len([call for call in providers.get("calls") if call["op"] in ("send", "draft")])
    assert after == calls
    for thread in threading.enumerate():
        if thread.name == "revoke":
            thread.join(20)
    assert {row.state for row in Message.objects.filter(pk__in=[row.pk for row in rows])} == {
        MessageState.CANCELLED
    }
    assert providers.get("ledger") == []


def test_it_lets_a_stop_and_a_gate_meet_in_one_place(
    queue: Queue, providers: Running, open_ws: Workspace
) -> None:
    """F26: opt-outs race the last gate; whoever commits first decides, and nothing in between exists."""
    rows = queue("google", *[f"p{number}.silent@site{number}.example" for number in range(6)])
    held = claim.claim_batch(Mailbox.objects.get(), limit=6)
    addresses = {row.pk: row.to_address for row in rows}

    def opt_out(address: str) -> None:
        try:
            with workspace(open_ws):
                suppression.suppress(address, reason=SuppressionReason.OPTED_OUT)
        finally:
            connections.close_all()

    for row in held:
        race = threading.Thread(target=opt_out, args=(addresses[row.id],))
        race.start()
        send.send(row.id, row.fence)
        race.join()
    accepted = {entry["to"][0] for entry in providers.get("ledger")}
    for end in Message.objects.all():
        assert end.state in (MessageState.SENT, MessageState.SUPPRESSED)
        assert (end.to_address in accepted) == (end.state == MessageState.SENT)
