"""What a report may change, and what it may not: only our own mail to the recipient it names (F39)."""

from __future__ import annotations

import pytest
from django.utils import timezone

from mailbox.types import InboundEmail, InboundHeader
from outreach import arrivals, threads
from outreach.models import (
    Enrollment,
    EnrollmentState,
    Label,
    Message,
    MessageState,
    Reply,
    ReplyKind,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_message

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_ws")]

OURS = "<ours@ours.example>"


@pytest.fixture
def message() -> Message:
    return make_message(state=MessageState.SENT, rfc_message_id=OURS)


def arrive(message: Message, raw: str, *, sender: str = "mailer-daemon@mx.example") -> Reply | None:
    """What becomes of a mail that the headers have put into the message's conversation."""
    header = InboundHeader(
        provider_id="in-1",
        thread_id="t-1",
        message_id="<in-1@mx.example>",
        in_reply_to=OURS,
        references=(OURS,),
        from_address=sender,
        from_name="",
        to="mira@fernhill.example",
        subject="Undeliverable",
        received_at=timezone.now(),
        own=False,
    )
    assert message.thread is not None
    assert message.mailbox is not None
    match = threads.Match(header, message.thread, message)
    arrival = arrivals.read(match, InboundEmail(header, raw.encode()))
    return arrivals.store(message.mailbox, arrival)


def report(*groups: str, original: str = OURS) -> str:
    fields = "\n\n".join(groups)
    return (
        "From: mailer-daemon@mx.example\nSubject: Undeliverable\nAuto-Submitted: auto-replied\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nIt came back.\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{fields}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {original}\n--b--\n"
    )


def group(address: str, status: str, *, action: str = "failed", more: str = "") -> str:
    return f"{more}Final-Recipient: rfc822; {address}\nAction: {action}\nStatus: {status}"


def complaint(recipient: str, *, kind: str = "abuse") -> str:
    named = f"Original-Rcpt-To: {recipient}\n" if recipient else ""
    return (
        "From: staff@provider.example\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: {kind}\n{named}\n"
        f"--b\nContent-Type: message/rfc822\n\nMessage-ID: {OURS}\nTo: undisclosed\n\nhi\n--b--\n"
    )


def suppressed() -> list[str]:
    return list(Suppression.objects.values_list("reason", flat=True))


@pytest.mark.parametrize(
    ("status", "kind", "state", "reasons"),
    [
        ("5.1.1", "hard", EnrollmentState.BOUNCED, [SuppressionReason.BOUNCED]),
        ("5.7.1", "blocked", EnrollmentState.BOUNCED, []),
        ("5.0.0", "blocked", EnrollmentState.BOUNCED, []),
        ("5.2.2", "soft", EnrollmentState.RUNNING, []),
        ("4.2.2", "soft", EnrollmentState.RUNNING, []),
    ],
)
def test_only_an_invalid_address_is_suppressed(
    message: Message, status: str, kind: str, state: str, reasons: list[str]
) -> None:
    reply = arrive(message, report(group(message.to_address, status)))
    assert reply is not None
    assert (reply.kind, reply.bounce_kind) == (ReplyKind.BOUNCE, kind)
    assert suppressed() == reasons
    assert Enrollment.objects.get().state == state
    message.refresh_from_db()
    assert message.bounce_kind == kind


@pytest.mark.parametrize("status", ["4.4.1", "4.1.1", "5.1.1"])
def test_a_delay_stops_nothing_whatever_its_cause(message: Message, status: str) -> None:
    reply = arrive(message, report(group(message.to_address, status, action="delayed")))
    assert reply is not None
    assert reply.bounce_kind == "delayed"
    assert suppressed() == []
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_report_of_arrival_is_no_failure_and_no_reply(message: Message, action: str) -> None:
    assert arrive(message, report(group(message.to_address, "2.0.0", action=action))) is None
    message.refresh_from_db()
    assert (message.bounced_at, message.bounce_kind, message.replied_at) == (None, "", None)
    assert suppressed() == []
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING


def test_a_failure_beside_an_arrival_counts(message: Message) -> None:
    both = report(group("bob@far.example", "2.0.0", action="delivered"), group(message.to_address, "5.1.1"))
    assert arrive(message, both) is not None
    assert suppressed() == [SuppressionReason.BOUNCED]


def test_the_address_behind_a_forwarding_stands_for_ours(message: Message) -> None:
    more = f"Original-Recipient: rfc822; {message.to_address}\n"
    assert arrive(message, report(group("ann@home.example", "5.1.1", more=more))) is not None
    assert suppressed() == [SuppressionReason.BOUNCED]


@pytest.mark.parametrize(
    "raw",
    [
        report(group("somebody@else.example", "5.1.1")),
        report(group("somebody@else.example", "5.1.1"), original="<theirs@else.example>"),
        complaint("somebody@else.example"),
        complaint("somebody@else.example", kind="auth-failure"),
        complaint("", kind="not-spam"),
    ],
    ids=["wrong recipient", "foreign", "complaint of another", "signature", "not spam"],
)
def test_a_forged_or_foreign_report_changes_nothing(message: Message, raw: str) -> None:
    assert arrive(message, raw) is None
    message.refresh_from_db()
    assert (message.bounced_at, message.bounce_kind, message.replied_at) == (None, "", None)
    assert suppressed() == []
    assert Enrollment.objects.get().state == EnrollmentState.RUNNING
    assert not Reply.objects.exists()


@pytest.mark.parametrize("named", [True, False])
def test_a_complaint_about_our_mail_suppresses(message: Message, named: bool) -> None:
    reply = arrive(message, complaint(message.to_address if named else ""))
    assert reply is not None
    assert reply.bounce_kind == "spam"
    assert suppressed() == [SuppressionReason.COMPLAINED]


def test_a_failed_signature_is_no_complaint(message: Message) -> None:
    assert arrive(message, complaint(message.to_address, kind="auth-failure")) is None
    assert suppressed() == []


def answer(body: str) -> str:
    return f"From: ann@far.example\nSubject: Re: Your hut table\n\n{body}"


def test_a_wish_in_the_new_text_is_heard(message: Message) -> None:
    reply = arrive(message, answer("Please unsubscribe me.\n\n-- \nAnn\n"), sender=message.to_address)
    assert reply is not None
    assert reply.label == Label.OPTED_OUT


def test_a_signatures_unsubscribe_is_no_wish(message: Message) -> None:
    body = "Yes, gladly.\n\n-- \nAnn Smith\nPlease unsubscribe me is what our newsletter's link says\n"
    reply = arrive(message, answer(body), sender=message.to_address)
    assert reply is not None
    assert (reply.text, reply.label) == ("Yes, gladly.", "")
    assert reply.quoted.startswith("-- \nAnn Smith")


def test_a_report_that_names_nobody_is_no_answering_machine(message: Message) -> None:
    """It says that a machine wrote it, and nothing of a return: the next step keeps its day (F38, F39)."""
    notice = (
        "From: mailer-daemon@mx.example\nSubject: About your mail\nAuto-Submitted: auto-replied\n\n"
        "Something happened to your mail. Back on 24 December.\n"
    )
    assert arrive(message, notice) is None
    message.refresh_from_db()
    assert message.auto_replied_at is None
    assert Enrollment.objects.get().resumes_at is None
    assert not Reply.objects.exists()


def test_an_answering_machine_is_still_one(message: Message) -> None:
    away = "From: ann@far.example\nSubject: Away\nAuto-Submitted: auto-replied\n\nI am away.\n"
    reply = arrive(message, away, sender=message.to_address)
    assert reply is not None
    assert reply.kind == ReplyKind.AUTO_REPLY
