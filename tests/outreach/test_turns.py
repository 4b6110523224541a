"""Nobody waits for ever, nobody is called before the time: turns, waits, and what a neighbour may do."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable

import pytest
from django.db import connections, transaction
from django.db.models import F

from accounts import clock
from accounts.models import Workspace
from accounts.tenancy import workspace
from mailbox import health, oauth
from mailbox.errors import Disconnected, Retry
from mailbox.models import Credential, Mailbox, MailboxState, SendSlot
from outreach import campaigns, tasks
from outreach.models import (
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
)
from outreach.pipeline import claim, janitor, send
from outreach.pipeline import queue as queueing
from outreach.pipeline.send import Sent
from tests.factories import (
    FIRST_MAIL,
    FOLLOW_UP,
    make_campaign,
    make_enrollment,
    make_mailbox,
    make_message,
)
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, queued, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"
OTHER = "bo.silent@other.example"
Later = Callable[..., None]


def due_follow_up() -> Message:
    """The second step's mail as the queue stage would freeze it."""
    row: Message = Message.objects.get(step__position=2)
    row.text, row.subject, row.state = "Hello", "Re: Your hut table", MessageState.QUEUED
    row.due_at = row.created_at
    row.save()
    return row


def batch(ws: Workspace) -> int:
    return int(tasks.send_batch(str(ws.pk), str(Mailbox.objects.get().pk)))


def test_it_calls_nobody_for_the_rest_of_a_batch_once_the_provider_asked_to_wait(
    queue: Queue, providers: Running, open_ws: Workspace, settings: object
) -> None:
    """F6: the wait counts for every mail of the mailbox, also for those of the same batch."""
    settings.SEND_CONCURRENCY = 1  # type: ignore[attr-defined]
    queue("google", *[f"p{number}.silent@site{number}.example" for number in range(5)])
    providers.post("faults", mailbox="*", op="any", kind="throttle", retry_after="120", times=1)
    batch(open_ws)
    assert len([call for call in providers.get("calls") if call["op"] in ("draft", "send")]) == 1
    assert providers.get("ledger") == []


def test_it_asks_for_no_draft_while_the_mailbox_waits(queue: Queue, providers: Running) -> None:
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    health.wait(Mailbox.objects.get(), Retry("throttled", after=600))
    assert send.send(held.id, held.fence) is Sent.WAITS
    row.refresh_from_db()
    assert row.draft_id is None
    assert row.not_before is not None
    assert row.not_before > clock.now() + dt.timedelta(seconds=500)
    assert [call for call in providers.get("calls") if call["op"] == "draft"] == []


def test_it_lets_no_shorter_wait_replace_a_longer_one(in_ws: Workspace) -> None:
    mailbox = make_mailbox()
    health.wait(mailbox, Retry("throttled", after=3000))
    health.wait(mailbox, Retry("unreachable", after=5))
    mailbox.refresh_from_db()
    assert mailbox.throttled_until is not None
    assert mailbox.throttled_until > clock.now() + dt.timedelta(seconds=2000)


def test_it_lets_a_first_mail_pass_a_follow_up_that_waits_for_the_inbox(
    queue: Queue, providers: Running, open_ws: Workspace
) -> None:
    """Another worker polls for long: the follow-up keeps its time and does not use up the batch."""
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    send_now(row)
    following = due_follow_up()
    assert row.campaign is not None
    queued(row.campaign, OTHER)
    Mailbox.objects.update(poll_lease_until=clock.now() + dt.timedelta(hours=1))
    fence = following.fence
    batch(open_ws)
    following.refresh_from_db()
    assert following.fence <= fence + 1
    assert [entry["to"] for entry in providers.get("ledger")] == [[TO], [OTHER]]


def test_it_asks_about_newcomers_before_it_asks_again(in_ws: Workspace, later: Later) -> None:
    """A campaign whose mailbox needs its owner holds no other campaign up."""
    broken = make_mailbox(state=MailboxState.BROKEN)
    stuck = make_campaign(mailbox=broken, state=CampaignState.RUNNING)
    for _ in range(3):
        make_message(make_enrollment(stuck, state=EnrollmentState.RUNNING))
    healthy = make_campaign(mailbox=make_mailbox(address="max@fernhill.example"), state=CampaignState.RUNNING)
    mine = make_message(make_enrollment(healthy, state=EnrollmentState.RUNNING))
    for _ in range(2):
        queueing.queue_due(limit=2)
        later(seconds=31)
    mine.refresh_from_db()
    assert mine.state == MessageState.QUEUED


def test_it_keeps_a_mail_whose_mailbox_was_connected_anew_meanwhile(queue: Queue, providers: Running) -> None:
    """A reconnect is no stop: the mail waits a moment and goes through the new connection."""
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    message = Message.objects.get(pk=row.pk)
    stale = Mailbox.objects.get()
    Message.objects.filter(pk=row.pk).update(state=MessageState.DRAFTED, draft_id=None)
    Mailbox.objects.update(generation=F("generation") + 1)
    Credential.objects.update(generation=F("generation") + 1)
    assert send._pass_last_gate(message, stale, held.fence, until=1e12) is Sent.WAITS
    row.refresh_from_db()
    assert row.state in (MessageState.QUEUED, MessageState.DRAFTED)
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


def test_it_ends_what_is_left_queued_at_a_removed_mailbox(in_ws: Workspace) -> None:
    """An answer that was being stored while the bin was pressed is not lost in "Queued"."""
    gone = make_mailbox(state=MailboxState.REVOKED)
    campaign = make_campaign(mailbox=gone, state=CampaignState.RUNNING)
    row = make_message(
        make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.QUEUED, mailbox=gone
    )
    nowhere = make_message(
        make_enrollment(campaign, state=EnrollmentState.RUNNING), state=MessageState.DEFERRED, mailbox=None
    )
    tasks.wake_erasure()
    for message in (row, nowhere):
        message.refresh_from_db()
        assert (message.state, message.reason) == (MessageState.CANCELLED, "mailbox_removed")
    assert {one.state for one in Enrollment.objects.all()} == {EnrollmentState.CANCELLED}


def test_it_does_not_take_a_worker_s_fresh_draft_for_an_orphan(
    queue: Queue, providers: Running, later: Later
) -> None:
    """The janitor looks by the mail's key while a worker has made a draft and not yet stored it."""
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    assert send.send(held.id, held.fence, until=0.0) is Sent.WAITS
    row.refresh_from_db()
    draft = row.draft_id
    Message.objects.filter(pk=row.pk).update(
        state=MessageState.CLAIMED,
        draft_id=None,
        lease_until=clock.now() + dt.timedelta(hours=1),
        draft_unclear_at=clock.now() - dt.timedelta(days=1),
    )
    assert janitor.sweep(Mailbox.objects.get()) == 0
    row.refresh_from_db()
    assert row.draft_unclear_at is not None
    Message.objects.filter(pk=row.pk).update(state=MessageState.QUEUED, lease_until=None)
    assert janitor.sweep(Mailbox.objects.get()) == 1
    assert draft


def test_it_gives_no_place_back_for_a_worker_that_lost_its_fence(queue: Queue, providers: Running) -> None:
    """A zombie hears "throttled" after another worker has taken the mail over: the place is the other's."""
    (row,) = queue("google", TO)
    (held,) = claim.claim_batch(Mailbox.objects.get())
    message = Message.objects.get(pk=row.pk)
    mailbox = Mailbox.objects.get()
    draft = send._draft(message, mailbox, held.fence)
    assert draft is not None
    assert send._pass_last_gate(message, mailbox, held.fence, until=1e12) is None
    Message.objects.filter(pk=row.pk).update(fence=F("fence") + 1)
    providers.post("faults", mailbox="*", op="send", kind="throttle", retry_after="300")
    assert send._submit(message, mailbox, draft, held.fence, until=1e12) is Sent.LOST
    assert SendSlot.objects.filter(key=row.pk).exists()


def test_it_refreshes_once_for_two_workers_that_saw_no_token(in_ws: Workspace) -> None:
    """F11: the second one finds the first one's token."""
    make_mailbox()
    Credential.objects.update(access_token=None, access_expires_at=None)
    late = Credential.objects.get()
    Credential.objects.update(access_expires_at=clock.now() + dt.timedelta(hours=1))
    assert oauth._take_lease(late) is None


def test_it_keeps_a_suspended_workspace_s_mailboxes_connected(
    queue: Queue, providers: Running, open_ws: Workspace
) -> None:
    """Suspension is the operator's stop, not the owner's: nobody has to sign in again afterwards."""
    (row,) = queue("google", TO)
    type(open_ws).objects.filter(pk=open_ws.pk).update(suspended_at=clock.now())
    batch(open_ws)
    tasks.poll_mailbox(str(open_ws.pk), str(Mailbox.objects.get().pk))
    assert Mailbox.objects.get().state == MailboxState.CONNECTED
    with pytest.raises((Retry, Disconnected)):
        oauth.access(Mailbox.objects.get())
    assert [call for call in providers.get("calls") if call["op"] in ("draft", "send", "list")] == []
    row.refresh_from_db()
    assert row.state == MessageState.QUEUED
    type(open_ws).objects.filter(pk=open_ws.pk).update(suspended_at=None)
    Message.objects.update(not_before=None)
    batch(open_ws)
    assert len(providers.get("ledger")) == 1


def test_it_ends_a_follow_up_whose_first_mail_left_no_trace(
    queue: Queue, providers: Running, later: Later
) -> None:
    """The owner deleted the sent copy: without its ids the follow-up cannot join the conversation, ever."""
    (row,) = queue("google", TO, steps=(FIRST_MAIL, FOLLOW_UP))
    send_now(row)
    following = due_follow_up()
    Message.objects.filter(pk=row.pk).update(rfc_message_id=None, provider_id=None, settle_at=None)
    Mailbox.objects.update(last_poll_at=clock.now())
    assert send_now(following) is Sent.WAITS
    later(hours=25)
    Mailbox.objects.update(last_poll_at=clock.now())
    assert send_now(following) is Sent.ENDED
    following.refresh_from_db()
    assert (following.state, following.reason) == (MessageState.CANCELLED, "ids_missing")
    assert len(providers.get("ledger")) == 1


def test_it_writes_no_mail_with_a_text_that_is_being_changed(open_ws: Workspace) -> None:
    """A person saves a step while its mail is being queued: whoever comes second sees the other's work."""
    campaign = make_campaign(state=CampaignState.RUNNING)
    row = make_message(make_enrollment(campaign, state=EnrollmentState.RUNNING))
    saved, may_commit = threading.Event(), threading.Event()

    def edit() -> None:
        try:
            with workspace(open_ws), transaction.atomic():
                campaigns.save_step(campaign, 1, subject="Anew", body="<p>Written anew.</p>")
                saved.set()
                may_commit.wait(10)
        finally:
            connections.close_all()

    def plan() -> None:
        try:
            with workspace(open_ws):
                queueing.queue_due()
        finally:
            connections.close_all()

    editor, planner = threading.Thread(target=edit), threading.Thread(target=plan)
    editor.start()
    assert saved.wait(10)
    planner.start()
    planner.join(1)
    may_commit.set()
    editor.join()
    planner.join()
    row.refresh_from_db()
    assert (row.state, row.subject) == (MessageState.QUEUED, "Anew")
