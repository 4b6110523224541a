"""An answer that is easy to overlook still stops the sequence: behind a crowd, in a folder, or deleted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest

from accounts import clock
from accounts.models import Workspace
from mailbox.models import Mailbox
from outreach import tasks
from outreach.models import Enrollment, EnrollmentState, Message, MessageState, Reply, ReplyKind
from outreach.pipeline import reply, send
from tests.factories import FIRST_MAIL, FOLLOW_UP
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import Queue, send_now

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])
TO = "ana.silent@site.example"


@pytest.fixture
def followed(queue: Queue, providers: Running) -> Callable[..., Message]:
    """The first mail, accepted; its follow-up is due at once, as the queue stage freezes it."""

    def make(provider: str) -> Message:
        (row,) = queue(provider, TO, steps=(FIRST_MAIL, FOLLOW_UP))
        send_now(row)
        following = Message.objects.get(step__position=2)
        following.text, following.subject, following.state = "Hello", "Re: Your hut", MessageState.QUEUED
        following.due_at = following.created_at
        following.save()
        row.refresh_from_db()
        return row

    return make


def arrives(providers: Running, row: Message, **parts: object) -> str:
    wish = {
        "email": Mailbox.objects.get().address,
        "from": f"Ana Berg <{TO}>",
        "subject": "Re: Your hut table",
        "text": "Thank you, tell me more.",
        "reply_to": row.rfc_message_id,
        **parts,
    }
    return str(providers.post("inbound", **wish)["id"])


def stopped() -> bool:
    following = Message.objects.get(step__position=2)
    state = Enrollment.objects.get().state
    return following.state == MessageState.CANCELLED and state == EnrollmentState.REPLIED


def test_it_sends_no_follow_up_while_part_of_the_inbox_is_unread(
    followed: Callable[..., Message], providers: Running, open_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F27: one look is bounded; the answer lies behind a crowd of other mail."""
    monkeypatch.setattr("mailbox.providers.gmail.MOST_HEADERS", 5)
    row = followed("google")
    mailbox = Mailbox.objects.get()
    reply.poll(mailbox)
    for number in range(12):
        arrives(providers, row, reply_to="", subject=f"Lunch {number}", **{"from": f"m{number}@home.example"})
    arrives(providers, row)
    Mailbox.objects.update(last_poll_at=clock.now() - dt.timedelta(hours=1))
    tasks.send_batch(str(open_ws.pk), str(mailbox.pk))
    assert len(providers.get("ledger")) == 1
    assert Mailbox.objects.filter(next_poll_at__lte=clock.now()).exists()
    for _ in range(4):
        reply.poll(Mailbox.objects.get())
    assert stopped()
    assert Reply.objects.count() == 1


@BOTH
@pytest.mark.parametrize("folder", ["archive", "deleteditems"])
def test_it_finds_an_answer_that_a_rule_moved_away(
    followed: Callable[..., Message], providers: Running, provider: str, folder: str
) -> None:
    """Outlook's rules sort mail before anybody looks: the conversation is asked before its follow-up."""
    row = followed(provider)
    arrives(providers, row, folder=folder)
    reply.poll(Mailbox.objects.get())
    assert stopped()
    assert Reply.objects.get().kind == ReplyKind.REPLY
    reply.poll(Mailbox.objects.get())
    assert Reply.objects.count() == 1


def test_it_does_not_answer_itself(followed: Callable[..., Message], providers: Running) -> None:
    """Somebody writes to themselves first: the copy in their own inbox is no answer."""
    row = followed("microsoft")
    assert row.thread is not None
    mailbox = Mailbox.objects.get()
    arrives(providers, row, reply_to="", thread=row.thread.provider_thread_id, **{"from": mailbox.address})
    reply.poll(mailbox)
    assert not Reply.objects.exists()
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


@BOTH
def test_it_stops_for_an_answer_that_was_deleted_before_it_was_read(
    followed: Callable[..., Message], providers: Running, provider: str
) -> None:
    """Its headers were seen, so they did answer; only the text is not there any more."""
    from mailbox import gateway
    from outreach.pipeline.reply import _take_in

    row = followed(provider)
    reply.poll(Mailbox.objects.get())
    gone = arrives(providers, row)
    mailbox = Mailbox.objects.get()
    page = gateway.headers_since(mailbox, None)
    providers.post("delete", email=mailbox.address, id=gone)
    _take_in(mailbox, page)
    answer = Reply.objects.get()
    assert (answer.kind, answer.text, answer.truncated) == (ReplyKind.REPLY, "", True)
    assert stopped()


def test_it_does_not_take_a_deleted_machine_s_answer_for_a_person_s(
    followed: Callable[..., Message], providers: Running
) -> None:
    from mailbox import gateway
    from outreach.pipeline.reply import _take_in

    row = followed("google")
    gone = arrives(providers, row, headers={"Auto-Submitted": "auto-replied"}, subject="Out of office")
    mailbox = Mailbox.objects.get()
    page = gateway.headers_since(mailbox, None)
    providers.post("delete", email=mailbox.address, id=gone)
    _take_in(mailbox, page)
    assert Reply.objects.get().kind == ReplyKind.AUTO_REPLY
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


def test_it_still_follows_up_where_nobody_answered(
    followed: Callable[..., Message], providers: Running
) -> None:
    followed("microsoft")
    reply.poll(Mailbox.objects.get())
    assert not stopped()
    assert not send.needs_fresh_poll(Message.objects.get(step__position=2))
