"""What came back and why, against mails of real servers and reports made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbox.parsing.bounces import Bounce, BounceKind, read_bounce
from tests.mailbox.parsing import corpus

KINDS = {
    "invalid": BounceKind.HARD,
    "temporary": BounceKind.SOFT,
    "blocked": BounceKind.BLOCKED,
    "complaint": BounceKind.COMPLAINT,
}
SPARED = ("mailboxfull", "spamdetected", "blocked", "badreputation", "requireptr", "policyviolation")
FOLDERS = [folder for folder in (corpus.HERE, corpus.WHOLE) if folder.is_dir()]


def report(*groups: str, headers: str = "", original: str = "Message-ID: <ours@x.example>") -> bytes:
    fields = "\n\n".join(groups)
    return (
        "From: Mail Delivery Subsystem <mailer-daemon@mx.example>\nTo: me@ours.example\n"
        "Subject: Undeliverable\n"
        f"{headers}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nYour mail came back.\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{fields}\n\n"
        f"--b\nContent-Type: text/rfc822-headers\n\n{original}\n--b--\n"
    ).encode()


def group(status: str, words: str = "", *, action: str = "failed", address: str = "ann@far.example") -> str:
    diagnostic = f"Diagnostic-Code: smtp; {words}\n" if words else ""
    return f"Final-Recipient: rfc822; {address}\nAction: {action}\n{diagnostic}Status: {status}"


def read(raw: bytes) -> Bounce:
    bounce = read_bounce(raw)
    assert bounce is not None
    return bounce


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "copied" if folder == corpus.HERE else "whole")
def test_it_finds_nearly_every_failed_recipient_of_real_bounces(folder: Path) -> None:
    wanted = found = named = agreed = 0
    for one in corpus.labelled(folder):
        bounce = read_bounce(one.raw)
        got = {
            recipient.address.lower(): recipient.kind for recipient in (bounce.recipients if bounce else ())
        }
        wanted += len(one.wanted)
        found += len(got.keys() & one.wanted.keys())
        named += len(got)
        agreed += sum(
            _agrees(*one.wanted[address], got[address]) for address in got.keys() & one.wanted.keys()
        )
    assert wanted > 25
    assert found >= 0.95 * wanted
    assert found >= 0.93 * named
    assert agreed >= 0.88 * found


def _agrees(category: str, reason: str, kind: BounceKind) -> bool:
    if category == "temporary":
        return kind in (BounceKind.SOFT, BounceKind.DELAYED)
    # Sisimai's "filtered" is a "user unknown" said after the body; the address is as gone as before it.
    return (
        category == "unknown" or kind is KINDS[category] or (reason == "filtered" and kind is BounceKind.HARD)
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "copied" if folder == corpus.HERE else "whole")
def test_it_never_takes_a_full_mailbox_or_a_blocked_sender_for_a_dead_address(folder: Path) -> None:
    wrong = []
    for one in corpus.labelled(folder):
        bounce = read_bounce(one.raw)
        for recipient in bounce.recipients if bounce else ():
            category, reason = one.wanted.get(recipient.address.lower(), ("", ""))
            if recipient.kind is BounceKind.HARD and reason in SPARED:
                wrong.append((one.name, category, reason))
    # Labelled full, although its server says "user unknown".
    assert [name for name, _, _ in wrong if name != "rfc3464-01.eml"] == []


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        ("5.1.1", "550 5.1.1 User unknown", BounceKind.HARD),
        ("5.1.10", "550 5.1.10 Recipient not found", BounceKind.HARD),
        ("5.1.2", "", BounceKind.HARD),
        ("5.2.1", "550 account disabled", BounceKind.HARD),
        ("5.2.2", "552 5.2.2 mailbox full", BounceKind.SOFT),
        ("5.1.1", "552 sorry, that mailbox is over quota", BounceKind.SOFT),
        ("5.1.8", "550 5.1.8 sender address rejected", BounceKind.BLOCKED),
        ("5.7.1", "550 5.7.1 blocked using zen.spamhaus.org", BounceKind.BLOCKED),
        ("5.7.26", "550-5.7.26 unauthenticated mail is not accepted, DMARC", BounceKind.BLOCKED),
        ("5.7.1", "550 5.7.1 user unknown", BounceKind.BLOCKED),
        ("5.0.0", "550 no such user here", BounceKind.HARD),
        ("5.0.0", "554 your mail looks like spam", BounceKind.BLOCKED),
        ("5.0.0", "", BounceKind.BLOCKED),
        ("4.4.7", "message expired", BounceKind.SOFT),
        ("4.2.2", "452 4.2.2 mailbox full", BounceKind.SOFT),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied", BounceKind.HARD),
        ("", "550 5.1.1 gone", BounceKind.HARD),
    ],
)
def test_it_judges_by_status_and_words(status: str, words: str, kind: BounceKind) -> None:
    bounce = read(report(group(status, words)))
    assert bounce.kind is kind
    assert [(one.address, one.action) for one in bounce.recipients] == [("ann@far.example", "failed")]


def test_it_calls_a_delay_a_delay() -> None:
    assert read(report(group("4.2.2", action="delayed"))).kind is BounceKind.DELAYED


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded", "Delivered (to mailbox)"])
def test_it_sees_no_bounce_in_a_report_of_arrival_whatever_its_words(action: str) -> None:
    # The words alone would be a permanent failure.
    assert read_bounce(report(group("2.0.0", "550 user unknown", action=action))) is None


def test_it_keeps_only_the_recipients_that_failed() -> None:
    bounce = read(report(group("2.0.0", action="delivered", address="bob@far.example"), group("5.1.1")))
    assert [one.address for one in bounce.recipients] == ["ann@far.example"]


def test_it_finds_our_key_and_the_ids_of_the_returned_mail() -> None:
    original = (
        "Message-ID: <ours@x.example>\nX-Outreach-Id: 0b5c\nX-Google-Original-Message-ID: <first@x.example>"
    )
    bounce = read(report(group("5.1.1"), headers="References: <thread@x.example>\n", original=original))
    assert bounce.original_key == "0b5c"
    assert bounce.original_message_ids == ("<ours@x.example>", "<first@x.example>", "<thread@x.example>")


def test_it_has_no_key_where_the_returned_mail_has_none() -> None:
    assert read(report(group("5.1.1"))).original_key == ""


def test_it_lets_the_worst_recipient_stand_for_the_report() -> None:
    bounce = read(report(group("4.2.2"), group("5.1.1", address="bob@far.example")))
    assert bounce.kind is BounceKind.HARD
    assert [one.kind for one in bounce.recipients] == [BounceKind.SOFT, BounceKind.HARD]


def test_it_reads_a_complaint() -> None:
    bounce = read(corpus.raw("arf-16"))
    assert bounce.kind is BounceKind.COMPLAINT
    assert len(bounce.recipients) == 7


def test_it_reads_outlooks_own_kind_of_complaint() -> None:
    assert read(corpus.raw("arf-22")).kind is BounceKind.COMPLAINT


def test_it_sees_no_complaint_in_a_report_about_authentication() -> None:
    assert read_bounce(corpus.raw("arf-18")) is None


def test_it_knows_a_complaint_by_its_ids_where_the_recipient_is_hidden() -> None:
    raw = (
        b"Content-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        b"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
        b"--b\nContent-Type: message/rfc822\n\nMessage-ID: <ours@x.example>\nTo: undisclosed\n\nhi\n--b--"
    )
    bounce = read(raw)
    assert bounce.recipients == ()
    assert bounce.original_message_ids == ("<ours@x.example>",)


@pytest.mark.parametrize("name", ["rfc3834-02", "rfc3834-03"])
def test_it_leaves_a_vacation_notice_alone(name: str) -> None:
    assert read_bounce(corpus.raw(name)) is None


def test_it_takes_a_warning_in_prose_for_a_delay() -> None:
    assert read(corpus.raw("lhost-gmail-09")).kind is BounceKind.DELAYED


@pytest.mark.parametrize(
    "raw",
    [
        b"From: Ann <ann@far.example>\nSubject: Re: offer\n\nI cannot deliver to bob@far.example.\n",
        b"From: Ann <ann@far.example>\nSubject: Fwd: Undeliverable\n\n> 550 5.1.1 bob@far.example unknown\n",
        b"From: postmaster@far.example\nSubject: Re: your links\n\nHello, write to bob@far.example please.\n",
        b"",
        b"\x00\xff",
    ],
)
def test_it_sees_no_bounce_in_what_a_person_wrote(raw: bytes) -> None:
    assert read_bounce(raw) is None
