"""What comes back: replies, auto-replies, bounces, and everything that must not be read."""

from __future__ import annotations

import base64
import datetime as dt
from email.message import EmailMessage

import pytest
from django.db.models import F

from accounts import clock
from mailbox.models import Mailbox, MailboxState
from outreach import opting_out
from outreach.models import (
    Enrollment,
    EnrollmentState,
    Label,
    MessageState,
    Reply,
    ReplyKind,
    Suppression,
    SuppressionReason,
    Thread,
)
from outreach.pipeline.reply import Polled
from tests.mailbox.sandbox.conftest import Running
from tests.outreach.receiving import Sent, following, inbound, poll, poll_until

BOTH = pytest.mark.parametrize("provider", ["google", "microsoft"])


@BOTH
def test_it_stops_the_sequence_at_a_reply(sent: Sent, providers: Running, provider: str) -> None:
    row = sent(provider, "ana.reply@site.example")
    answer = poll_until(providers)
    assert (answer.kind, answer.message, answer.different_sender) == (ReplyKind.REPLY, row, False)
    assert "tell me a little more" in answer.text
    assert "Your hut table" not in answer.text
    assert answer.quoted
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED
    assert (following().state, following().reason) == (MessageState.CANCELLED, "replied")
    thread = Thread.objects.get()
    assert thread.waits_since == answer.received_at
    row.refresh_from_db()
    assert row.replied_at == answer.received_at


@BOTH
def test_it_stores_a_reply_once(sent: Sent, providers: Running, provider: str) -> None:
    """F17, F31: the same page again, and a cursor that was lost."""
    sent(provider, "ana.reply@site.example")
    poll_until(providers)
    Mailbox.objects.update(cursor=None)
    poll()
    poll()
    assert Reply.objects.count() == 1


@BOTH
def test_it_reads_nothing_but_its_own_conversations(sent: Sent, providers: Running, provider: str) -> None:
    """Promise 2: 200 private mails, and strangers' new ones, are never read in full."""
    row = sent(provider, private_mails=200)
    inbound(providers, row, reply_to=None, subject="Lunch", text="private", **{"from": "mum@home.example"})
    inbound(providers, row)
    poll_until(providers)
    mailbox = Mailbox.objects.get()
    private = set(providers.get("private", mailbox=mailbox.address))
    assert len(private) == 200
    full = [call for call in providers.get("calls", mailbox=mailbox.address) if call["full_read"]]
    read = {message for call in full for message in call["message_ids"]}
    assert len(read) == 1
    assert not read & private
    assert mailbox.full_reads == 1
    assert Reply.objects.count() == 1


@BOTH
def test_it_attaches_a_reply_from_another_address(sent: Sent, providers: Running, provider: str) -> None:
    """F35: by its references, flagged, and the sequence stops all the same."""
    sent(provider, "ana.other@site.example")
    answer = poll_until(providers)
    assert answer.different_sender
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED


@BOTH
def test_it_goes_on_behind_an_out_of_office(sent: Sent, providers: Running, provider: str) -> None:
    """F38: no answer, nothing stops; the next step waits for the return."""
    row = sent(provider, "ana.ooo@site.example")
    before = following().due_at
    answer = poll_until(providers)
    assert answer.kind == ReplyKind.AUTO_REPLY
    enrollment = Enrollment.objects.get()
    assert enrollment.state == EnrollmentState.RUNNING
    assert enrollment.resumes_at is not None
    assert following().state == MessageState.PLANNED
    assert following().due_at == max(before, enrollment.resumes_at)
    assert Thread.objects.get().waits_since is None
    row.refresh_from_db()
    assert row.auto_replied_at is not None
    assert row.replied_at is None
    assert len(providers.get("ledger")) == 1


@BOTH
def test_it_suppresses_after_a_hard_bounce(sent: Sent, providers: Running, provider: str) -> None:
    """F39."""
    row = sent(provider, "ana.bounce@site.example")
    back = poll_until(providers)
    assert (back.kind, back.bounce_kind, back.bounce_status) == (ReplyKind.BOUNCE, "hard", "5.1.1")
    assert Suppression.objects.get().reason == SuppressionReason.BOUNCED
    assert Enrollment.objects.get().state == EnrollmentState.BOUNCED
    assert following().state in (MessageState.CANCELLED, MessageState.SUPPRESSED)
    row.refresh_from_db()
    assert (row.state, row.bounce_kind) == (MessageState.SENT, "hard")
    assert row.bounced_at is not None
    assert Thread.objects.get().waits_since is None


@BOTH
def test_it_records_a_soft_bounce_and_suppresses_nobody(
    sent: Sent, providers: Running, provider: str
) -> None:
    row = sent(provider, "ana.softbounce@site.example")
    poll_until(providers, bounce_kind="delayed")
    # On a slow machine one look finds both reports.
    both = Reply.objects.filter(bounce_kind="soft").exists()
    row.refresh_from_db()
    assert row.bounce_kind == ("soft" if both else "delayed")
    poll_until(providers, bounce_kind="soft")
    row.refresh_from_db()
    assert row.bounce_kind == "soft"
    assert not Suppression.objects.exists()
    assert following().state == MessageState.PLANNED


def report_about(address: str) -> bytes:
    mail = EmailMessage()
    mail["From"] = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    mail["To"] = "maya@studio.example"
    mail["Subject"] = "Delivery Status Notification (Failure)"
    mail["X-Failed-Recipients"] = address
    mail["Message-ID"] = "<forged@mx.example>"
    mail.set_content(f"Your message wasn't delivered to {address}.\n550 5.1.1 <{address}>: User unknown\n")
    return mail.as_bytes()


def test_it_ignores_a_report_about_a_mail_it_never_sent(sent: Sent, providers: Running) -> None:
    """F39: backscatter, and a report in our own conversation about somebody else."""
    row = sent("google")
    raw = base64.b64encode(report_about("victim@elsewhere.example")).decode()
    providers.post("inbound", email="maya@studio.example", raw=raw)
    assert row.thread is not None
    providers.post("inbound", email="maya@studio.example", raw=raw, thread=row.thread.provider_thread_id)
    assert poll() is Polled.DONE
    assert not Reply.objects.exists()
    assert not Suppression.objects.exists()
    assert following().state == MessageState.PLANNED


def test_it_matches_a_report_by_the_recipient_it_names(sent: Sent, providers: Running) -> None:
    sent("google")
    raw = base64.b64encode(report_about("ana.silent@site.example")).decode()
    providers.post("inbound", email="maya@studio.example", raw=raw)
    poll_until(providers, kind=ReplyKind.BOUNCE)
    assert Suppression.objects.get().value == "ana.silent@site.example"


def test_it_hears_a_plain_stop_in_a_reply(sent: Sent, providers: Running) -> None:
    """F41: the quoted opt-out line of our own footer is no request."""
    sent("google", "ana.stop@site.example")
    answer = poll_until(providers)
    assert answer.label == Label.OPTED_OUT
    assert Suppression.objects.get().reason == SuppressionReason.OPTED_OUT


@pytest.mark.parametrize(
    ("text", "stops"),
    [
        ("Stop", True),
        ("STOP.\n\nSent from my phone", True),
        ("Please remove me from your list.", True),
        ("Bitte keine weiteren Mails mehr.", True),
        ("Bitte nehmen Sie mich aus Ihrem Verteiler", True),
        ("Merci, désinscrivez-moi de votre liste", True),
        ("Por favor no me escriban más", True),
        ("Unsubscribe", True),
        ("Stop by on Monday, I will be there.", False),
        ("We can remove the links for 50 USD.", False),
        ("Do not hesitate to write to me again.", False),
        ("The links have been removed from our list of pages.", False),
        ("", False),
        ("word " * 100 + "please stop mailing me", False),
    ],
)
def test_it_takes_only_a_plain_request_for_an_opt_out(text: str, stops: bool) -> None:
    assert opting_out.asks_to_stop(text) is stops


@BOTH
def test_it_shows_a_broken_mail_and_goes_on(sent: Sent, providers: Running, provider: str) -> None:
    """F33: unknown charset, NUL bytes, a boundary that never comes."""
    row = sent(provider)
    raw = (
        b"From: ana.silent@site.example\r\nTo: maya@studio.example\r\nSubject: =?x-none?Q?=FF=00?=\r\n"
        b"In-Reply-To: " + str(row.rfc_message_id).encode() + b"\r\n"
        b"Content-Type: multipart/mixed; boundary=never\r\n\r\n--nope\r\n\x00\xff\xfe broken \r\n"
    )
    providers.post("inbound", email=Mailbox.objects.get().address, raw=base64.b64encode(raw).decode())
    poll_until(providers)
    assert Enrollment.objects.get().state == EnrollmentState.REPLIED


def test_it_cuts_a_huge_reply_short(sent: Sent, providers: Running) -> None:
    """F34."""
    row = sent("google")
    inbound(providers, row, text="word and word\n" * 400_000)
    answer = poll_until(providers)
    assert answer.truncated
    assert len(answer.text) + len(answer.quoted) <= 300_000


def test_it_sees_an_answer_that_the_user_wrote_in_the_mailbox(sent: Sent, providers: Running) -> None:
    row = sent("google")
    inbound(providers, row)
    poll_until(providers)
    assert Thread.objects.get().waits_since is not None
    assert row.thread is not None
    own = {"email": "maya@studio.example", "thread": row.thread.provider_thread_id, "text": "Here you are."}
    providers.post("inbound", folder="drafts", **own, **{"from": "maya@studio.example"})
    poll()
    assert Thread.objects.get().waits_since is not None
    providers.post("inbound", folder="sentitems", **own, **{"from": "maya@studio.example"})
    poll()
    assert Thread.objects.get().waits_since is None
    assert Reply.objects.count() == 1


@BOTH
def test_it_finds_the_gap_after_a_dead_cursor(sent: Sent, providers: Running, provider: str) -> None:
    """F29, F30."""
    row = sent(provider)
    poll()
    inbound(providers, row)
    providers.post("expire_history", email=Mailbox.objects.get().address)
    poll_until(providers)
    poll()
    assert Reply.objects.count() == 1
    assert Mailbox.objects.get().state == MailboxState.CONNECTED


def test_it_keeps_the_cursor_when_a_page_does_not_come(sent: Sent, providers: Running) -> None:
    """F32: nothing is lost, the next poll starts at the same place."""
    row = sent("google")
    poll()
    before = Mailbox.objects.get().cursor
    inbound(providers, row)
    providers.post("faults", mailbox="*", op="any", kind="error_not_accepted", skip=1, times=1)
    assert poll() is not Polled.DONE
    assert Mailbox.objects.get().cursor == before
    Mailbox.objects.update(state=MailboxState.CONNECTED, throttled_until=None)
    poll_until(providers)


def test_it_says_that_the_mailbox_needs_its_owner(sent: Sent, providers: Running) -> None:
    sent("google")
    providers.post("revoke_grant", email="maya@studio.example")
    providers.post("expire_access", email="maya@studio.example")
    for _ in range(2):
        Mailbox.objects.filter(state=MailboxState.THROTTLED).update(state=MailboxState.CONNECTED)
        poll()
    assert Mailbox.objects.get().state == MailboxState.BROKEN
    assert poll() is Polled.WAITS


def test_it_polls_one_mailbox_once_at_a_time(sent: Sent) -> None:
    sent("google")
    Mailbox.objects.update(poll_lease_until=clock.now() + dt.timedelta(minutes=1))
    assert poll() is Polled.BUSY
    Mailbox.objects.update(poll_lease_until=F("connected_at") - dt.timedelta(minutes=1))
    assert poll() is Polled.DONE
