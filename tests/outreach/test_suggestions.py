"""A changed subject and no headers (F37): suggested, never guessed, and the sequence waits for a person."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts import clock
from accounts.clock import Now
from accounts.models import AuditEvent, User, Workspace
from mailbox.models import Mailbox
from mailbox.types import InboundHeader
from outreach import policy, suggestions
from outreach.conversation import bare_subject
from outreach.models import (
    Enrollment,
    EnrollmentState,
    Message,
    MessageState,
    Reply,
    Suggested,
    Suggestion,
    Thread,
)
from outreach.pipeline import queue
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.conftest import send_now
from tests.outreach.receiving import Sent, following, inbound, poll, poll_until

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


def new_mail(providers: Running, row: Message, **parts: Any) -> dict[str, str]:
    """From the person who was written to, with a subject of its own and no headers that lead to us."""
    return inbound(providers, row, **{"reply_to": None, "subject": "A question", **parts})


def full_reads() -> int:
    return Mailbox.objects.get().full_reads


@BOTH
def test_it_suggests_a_new_mail_of_the_person_we_wrote_to(
    sent: Sent, providers: Running, provider: str
) -> None:
    row = sent(provider)
    new_mail(providers, row)
    poll()
    suggested = Suggestion.objects.get()
    assert (suggested.state, suggested.thread) == (Suggested.OPEN, row.thread)
    assert (suggested.subject, suggested.from_address) == ("A question", "ana.silent@site.example")
    assert Enrollment.objects.get().answer_suspected_at is not None
    assert not Reply.objects.exists()
    assert full_reads() == 0
    assert not [call for call in providers.get("calls") if call["full_read"]]


@BOTH
def test_it_lets_no_follow_up_leave_until_a_person_decides(
    sent: Sent, providers: Running, provider: str
) -> None:
    row = sent(provider)
    assert policy.may_queue(following()).ok
    new_mail(providers, row)
    poll()
    verdict = policy.may_queue(following())
    assert (verdict.ok, verdict.code, verdict.ends) == (False, "answer_suspected", None)
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


def test_the_last_gate_holds_a_follow_up_that_was_queued_before(
    sent: Sent, providers: Running, owner: User
) -> None:
    row = sent("google")
    Message.objects.filter(pk=following().pk).update(due_at=Now())
    assert queue.queue_due() == 1
    new_mail(providers, row)
    poll()
    send_now(following())
    waiting = following()
    assert (waiting.state, waiting.reason) == (MessageState.DRAFTED, "answer_suspected")
    assert len(providers.get("ledger")) == 1
    suggestions.decide(Suggestion.objects.get(), is_answer=False, actor=owner)
    Message.objects.update(not_before=None)  # It is asked again before long.
    send_now(following())
    assert following().state == MessageState.SENT


@BOTH
def test_it_reads_the_mail_behind_a_yes(sent: Sent, providers: Running, owner: User, provider: str) -> None:
    row = sent(provider)
    new_mail(providers, row, text="What does it cost?")
    poll()
    suggestions.decide(Suggestion.objects.get(), is_answer=True, actor=owner)
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED
    assert following().state == MessageState.CANCELLED
    answer = poll_until(providers)
    assert (answer.text, answer.thread) == ("What does it cost?", row.thread)
    assert full_reads() == 1
    poll()
    assert Reply.objects.count() == 1
    assert Thread.objects.get().waits_since is not None
    # An answer to it that names nothing of ours is known by it from now on.
    inbound(providers, row, reply_to=answer.rfc_message_id, subject="A question", text="Hello?")
    providers.wait(lambda: poll() and Reply.objects.count() == 2)
    assert {str(found.text) for found in Reply.objects.all()} == {"What does it cost?", "Hello?"}


@BOTH
def test_it_forgets_the_mail_behind_a_no(sent: Sent, providers: Running, owner: User, provider: str) -> None:
    row = sent(provider)
    new_mail(providers, row, subject="Lunch on Friday")
    poll()
    suggestions.decide(Suggestion.objects.get(), is_answer=False, actor=owner)
    kept = Suggestion.objects.get()
    assert (kept.subject, kept.from_address, kept.from_name, kept.provider_id) == ("", "", "", "")
    assert policy.may_queue(following()).ok
    Mailbox.objects.update(cursor=None)
    poll()
    assert Suggestion.objects.count() == 1
    assert (Reply.objects.count(), full_reads()) == (0, 0)


def test_it_decides_once(sent: Sent, providers: Running, owner: User) -> None:
    row = sent("google")
    new_mail(providers, row)
    poll()
    suggested = Suggestion.objects.get()
    suggestions.decide(suggested, is_answer=False, actor=owner)
    with pytest.raises(suggestions.Decided):
        suggestions.decide(suggested, is_answer=True, actor=owner)
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING
    assert AuditEvent.objects.filter(action="reply.suggestion").count() == 1


def test_it_goes_on_only_when_the_last_one_is_told(sent: Sent, providers: Running, owner: User) -> None:
    row = sent("google")
    new_mail(providers, row)
    new_mail(providers, row, subject="Another question")
    poll()
    first, second = Suggestion.objects.order_by("received_at", "pk")
    suggestions.decide(first, is_answer=False, actor=owner)
    assert not policy.may_queue(following()).ok
    suggestions.decide(second, is_answer=False, actor=owner)
    assert policy.may_queue(following()).ok


@BOTH
@pytest.mark.parametrize(
    "parts",
    [
        {"from": "Stranger <somebody@elsewhere.example>"},
        {"from": "A colleague <otto@site.example>"},  # Another subject: nothing ties it to us.
        {"from": "Namesake <ana.silent@gmail.com>", "subject": "Re: Your hut table"},
        {"headers": {"List-Id": "<news.site.example>"}},
        {"headers": {"Auto-Submitted": "auto-replied"}, "subject": "I am away"},
        {"reply_to": "<their-own-talk@site.example>"},
    ],
    ids=["stranger", "colleague", "freemail", "list", "machine", "other-conversation"],
)
def test_it_suggests_nothing_else(
    sent: Sent, providers: Running, provider: str, parts: dict[str, Any]
) -> None:
    row = sent(provider)
    new_mail(providers, row, **parts)
    poll()
    assert not Suggestion.objects.exists()
    assert policy.may_queue(following()).ok
    assert not Reply.objects.exists()


@BOTH
def test_it_suggests_our_subject_from_the_same_company(sent: Sent, providers: Running, provider: str) -> None:
    row = sent(provider)
    subject = f"AW: Fwd: {row.subject}"
    new_mail(providers, row, **{"from": "Otto <otto@site.example>", "subject": subject})
    poll()
    assert Suggestion.objects.get().thread == row.thread


def test_it_suggests_nothing_new_once_they_answered(sent: Sent, providers: Running) -> None:
    """What somebody who answered writes about other things is their own."""
    row = sent("google")
    inbound(providers, row)
    poll_until(providers)
    new_mail(providers, row)
    poll()
    assert not Suggestion.objects.exists()


def private_mail(number: int, *, to: str) -> InboundHeader:
    return InboundHeader(
        provider_id=f"p{number}",
        thread_id=f"t{number}",
        message_id=f"<{number}@home.example>",
        in_reply_to="",
        references=(),
        from_address=f"mum{number}@home{number}.example",
        from_name="Mum",
        to=to,
        subject="Lunch on Friday, or later?",
        received_at=clock.now(),
        own=False,
    )


def test_it_asks_little_however_many_private_mails_came(
    sent: Sent, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    sent("google")
    box = Mailbox.objects.get()
    private = [private_mail(number, to=str(box.address)) for number in range(150)]
    with django_assert_max_num_queries(2):
        assert suggestions.among(box, private) == []


def test_it_keeps_that_they_answered_where_the_mail_is_gone(
    sent: Sent, providers: Running, owner: User
) -> None:
    row = sent("google")
    arrived = new_mail(providers, row)
    poll()
    suggestions.decide(Suggestion.objects.get(), is_answer=True, actor=owner)
    providers.post("delete", id=arrived["id"], email=Mailbox.objects.get().address)
    answer = poll_until(providers)
    assert (answer.text, answer.subject, answer.truncated) == ("", "A question", True)


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Re: Your hut table", "your hut table"),
        ("AW: WG: Fwd: RE[2]: Your  hut table", "your hut table"),
        ("Antw: Your hut table", "your hut table"),
        ("Reading list", "reading list"),
        ("", ""),
    ],
)
def test_it_compares_subjects_without_marks(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


def test_a_workspace_that_is_not_open_sees_none(in_ws: Workspace) -> None:
    assert list(suggestions.waiting()) == []
