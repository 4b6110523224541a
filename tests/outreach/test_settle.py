"""Unknown outcomes: nothing is judged early, nothing is sent again without proof, the rest is doubt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AuditEvent, User
from mailbox.models import Mailbox, MailboxState, SendSlot
from outreach.models import Enrollment, EnrollmentState, Message, MessageState
from outreach.pipeline import claim, janitor, send, settle
from outreach.pipeline.send import Sent
from outreach.pipeline.settle import Decision
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"
Later = Callable[..., None]


def unclear(queue: Queue, providers: Running, provider: str, kind: str, **options: object) -> Message:
    (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP))
    providers.post("faults", mailbox="*", op="send", kind=kind, **options)
    assert send_now(row) is Sent.UNKNOWN
    return row


def settled(row: Message) -> Message:
    settle.settle_due(Mailbox.objects.get())
    row.refresh_from_db()
    return row


@BOTH
def test_it_finds_what_was_accepted(queue: Queue, providers: Running, provider: str, later: Later) -> None:
    """F1, F4: accepted, the answer was lost."""
    row = unclear(queue, providers, provider, "accept_then_reset")
    later(seconds=30)
    row = settled(row)
    (entry,) = providers.get("ledger")
    assert (row.state, row.rfc_message_id) == (MessageState.SENT, entry["message_id"])
    assert Message.objects.filter(step__position=2, state=MessageState.PLANNED).count() == 1


@BOTH
def test_it_sends_an_unused_draft_once_more(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    """F2: the request never counted; the same draft leaves under the next fence."""
    row = unclear(queue, providers, provider, "error_not_accepted")
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.resends) == (MessageState.DRAFTED, 1)
    assert not SendSlot.objects.exists()
    draft = row.draft_id
    assert send_now(row) is Sent.ACCEPTED
    row.refresh_from_db()
    assert row.draft_id == draft
    assert len(providers.get("ledger")) == 1


@BOTH
def test_it_judges_nothing_before_the_settle_time(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    """F5: "still a draft" too early would be a second mail."""
    row = unclear(queue, providers, provider, "accept_after", after=8, hold=0)
    assert settle.settle_due(Mailbox.objects.get()) == 0
    row.refresh_from_db()
    assert row.state == MessageState.SUBMITTING
    providers.post("clock", advance=10)
    providers.wait(lambda: providers.get("ledger"))
    later(seconds=30)
    assert settled(row).state == MessageState.SENT
    assert len(providers.get("ledger")) == 1


def test_it_asks_a_person_after_a_second_unused_draft_at_microsoft(
    queue: Queue, providers: Running, later: Later
) -> None:
    row = unclear(queue, providers, "microsoft", "error_not_accepted", times=2)
    later(seconds=30)
    settled(row)
    assert send_now(row) is Sent.UNKNOWN
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.reason) == (MessageState.DOUBT, settle.UNSENT_TWICE)
    assert SendSlot.objects.filter(key=row.pk).exists()
    assert claim.claim_batch(Mailbox.objects.get()) == []


@BOTH
def test_it_parks_a_mail_without_trace(queue: Queue, providers: Running, provider: str, later: Later) -> None:
    """F43, F44: the user deleted the draft; a 404 is neither sent nor refused."""
    row = unclear(queue, providers, provider, "error_not_accepted")
    row.refresh_from_db()
    mailbox = Mailbox.objects.get()
    key = {"draft": row.draft_id} if provider == "google" else {"id": row.draft_id}
    providers.post("delete", email=mailbox.address, **key)
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.reason) == (MessageState.DOUBT, settle.NO_TRACE)
    assert AuditEvent.objects.filter(action="message.in_doubt").exists()
    for _ in range(3):
        later(seconds=30)
        assert settled(row).state == MessageState.DOUBT
    assert providers.get("ledger") == []


def test_it_lets_a_late_proof_settle_a_doubt(queue: Queue, providers: Running, later: Later) -> None:
    row = unclear(queue, providers, "google", "accept_then_reset")
    Message.objects.filter(pk=row.pk).update(state=MessageState.DOUBT, reason=settle.NO_TRACE)
    later(seconds=30)
    assert settled(row).state == MessageState.SENT


def test_it_waits_for_a_mailbox_that_needs_its_owner(queue: Queue, providers: Running, later: Later) -> None:
    row = unclear(queue, providers, "google", "accept_then_reset")
    Mailbox.objects.update(state=MailboxState.BROKEN)
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.reason) == (MessageState.SUBMITTING, settle.DISCONNECTED)
    Mailbox.objects.update(state=MailboxState.CONNECTED)
    later(seconds=30)
    assert settled(row).state == MessageState.SENT


def test_it_parks_what_a_removed_mailbox_left_open(queue: Queue, providers: Running, later: Later) -> None:
    row = unclear(queue, providers, "google", "accept_then_reset")
    Mailbox.objects.update(state=MailboxState.REVOKED)
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.reason, row.settle_at) == (MessageState.DOUBT, settle.DISCONNECTED, None)


def test_it_settles_what_a_killed_worker_left(queue: Queue, providers: Running, later: Later) -> None:
    """F1: SIGKILL right after the commit of `submitting`, before the socket write: the lease still stands."""
    row = unclear(queue, providers, "google", "error_not_accepted")
    Message.objects.update(lease_until=row.created_at)
    later(seconds=30)
    row = settled(row)
    assert (row.state, row.kills) == (MessageState.DRAFTED, 1)
    assert send_now(row) is Sent.ACCEPTED


def test_it_reads_ids_later_where_the_first_look_did_not_work(
    queue: Queue, providers: Running, later: Later
) -> None:
    (row,) = queue("microsoft", TO)
    providers.post("settings", move_lag=60)
    assert send_now(row) is Sent.ACCEPTED
    row.refresh_from_db()
    first_id = row.rfc_message_id
    providers.post("clock", advance=90)
    later(seconds=30)
    row = settled(row)
    (entry,) = providers.get("ledger")
    assert (row.rfc_message_id, row.settle_at) == (entry["message_id"], None)
    assert first_id is None or first_id == entry["message_id"]


# --- a person decides -------------------------------------------------------------------------------


@pytest.fixture
def doubt(queue: Queue, providers: Running, later: Later) -> Message:
    row = unclear(queue, providers, "google", "error_not_accepted")
    row.refresh_from_db()
    providers.post("delete", email="maya@studio.example", draft=row.draft_id)
    later(seconds=30)
    row = settled(row)
    assert row.state == MessageState.DOUBT
    return row


def test_it_goes_on_when_a_person_says_it_was_sent(doubt: Message, owner: User) -> None:
    assert settle.decide(doubt, Decision.SENT, actor=owner).state == MessageState.SENT
    assert Message.objects.filter(step__position=2).exists()
    event = AuditEvent.objects.get(action="message.decided_sent")
    assert event.actor == owner


def test_it_sends_again_when_a_person_says_so(doubt: Message, owner: User, providers: Running) -> None:
    row = settle.decide(doubt, "send_again", actor=owner)
    assert (row.state, row.draft_id) == (MessageState.QUEUED, None)
    assert send_now(row) is Sent.ACCEPTED
    assert len(providers.get("ledger")) == 1
    # The first try may have left as well: both count (I5).
    assert SendSlot.objects.count() == 2


def test_it_stops_when_a_person_says_do_not_send(doubt: Message, owner: User) -> None:
    row = settle.decide(doubt, "do_not_send", actor=owner)
    assert row.state == MessageState.CANCELLED
    assert Enrollment.objects.get().state == EnrollmentState.CANCELLED
    # Nobody knows whether it left: its place in the 24 hours stays used (faults 3.1 rule 5).
    assert SendSlot.objects.count() == 1


def test_it_refuses_a_second_decision(doubt: Message, owner: User) -> None:
    settle.decide(doubt, Decision.DO_NOT_SEND, actor=owner)
    with pytest.raises(settle.NotInDoubt):
        settle.decide(doubt, Decision.SEND_AGAIN, actor=owner)
    with pytest.raises(ValueError, match="maybe"):
        settle.decide(doubt, "maybe", actor=owner)


# --- drafts that will not be used -------------------------------------------------------------------


@BOTH
def test_it_throws_the_draft_of_a_stopped_mail_away(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    (row,) = queue(provider, TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    providers.post("faults", mailbox="*", op="send", kind="throttle", retry_after="1")
    send.send(held.id, held.fence)
    Message.objects.all().cancel("campaign_cancelled")
    later(seconds=30)
    assert janitor.sweep(Mailbox.objects.get()) == 1
    assert providers.get("messages", mailbox=Mailbox.objects.get().address) == []
    row.refresh_from_db()
    assert (row.draft_left, row.draft_id) == (False, None)


@BOTH
def test_it_throws_a_draft_away_that_no_row_knows(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    """F3: the worker was killed between making the draft and storing its id."""
    (row,) = queue(provider, TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    assert send.send(held.id, held.fence, until=0.0) is Sent.WAITS
    Message.objects.update(
        state=MessageState.CLAIMED, draft_id=None, not_before=None, lease_until=row.created_at
    )
    assert send_now(row) is Sent.ACCEPTED
    assert janitor.sweep(Mailbox.objects.get()) == 0
    later(hours=2)
    assert janitor.sweep(Mailbox.objects.get()) == 1
    left = providers.get("messages", mailbox=Mailbox.objects.get().address)
    (entry,) = providers.get("ledger")
    assert [mail["id"] for mail in left] == [entry["id"]]


# --- the providers at their worst -------------------------------------------------------------------


@BOTH
def test_it_sends_once_where_everything_arrives_late_and_changed(
    queue: Queue, providers: Running, provider: str, later: Later
) -> None:
    """F1 with rewritten Message-IDs, stripped headers, lagging search, a late move and changing ids."""
    providers.post("settings", profile="hostile")
    row = unclear(queue, providers, provider, "accept_then_reset")
    providers.post("clock", advance=600)
    providers.wait(lambda: providers.get("health")["pending"] == 0)
    later(seconds=30)
    row = settled(row)
    (entry,) = providers.get("ledger")
    assert row.state == MessageState.SENT
    assert row.provider_copies == 1
    if row.rfc_message_id != entry["message_id"]:
        pytest.fail(f"{row.rfc_message_id} is not what left: {entry['message_id']}")


def test_it_counts_what_the_provider_doubled(queue: Queue, providers: Running, later: Later) -> None:
    """F45: one submit of ours, two copies: shown, and never taken for our own second mail."""
    row = unclear(queue, providers, "microsoft", "accept_then_reset")
    row.refresh_from_db()
    (entry,) = providers.get("ledger")
    mailbox = Mailbox.objects.get()
    copies = providers.get("messages", mailbox=mailbox.address)
    assert len(copies) == 1
    providers.post("inbound", email=mailbox.address, folder="sentitems", raw=entry["raw"])
    later(seconds=30)
    assert settled(row).state == MessageState.SENT
