"""What came back and why, against mails of real servers and reports made here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailbox.parsing.bounces import BounceReport, Category, parse
from tests.mailbox.parsing import corpus

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


def read(raw: bytes) -> BounceReport:
    bounce = parse(raw)
    assert bounce is not None
    return bounce


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "copied" if folder == corpus.HERE else "whole")
def test_it_finds_nearly_every_failed_recipient_of_real_bounces(folder: Path) -> None:
    wanted = found = named = agreed = 0
    for one in corpus.labelled(folder):
        bounce = parse(one.raw)
        got = {
            recipient.address.lower(): recipient.category
            for recipient in (bounce.recipients if bounce else ())
            if recipient.action in ("failed", "delayed")
        }
        wanted += len(one.wanted)
        found += len(got.keys() & one.wanted.keys())
        named += len(got)
        agreed += sum(
            _agrees(*one.wanted[address], got[address]) for address in got.keys() & one.wanted.keys()
        )
    assert wanted > 25
    # One in fifty, and one of a small folder.
    assert wanted - found <= max(1, 0.02 * wanted)
    assert found >= 0.97 * named
    assert found - agreed <= max(2, 0.05 * found)


def _agrees(category: str, reason: str, found: Category) -> bool:
    """As the collection's own page says: one who calls a suspended account temporary is not wrong."""
    return found == category or (reason == "suspend" and found is Category.TEMPORARY)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: "copied" if folder == corpus.HERE else "whole")
def test_it_never_takes_a_full_mailbox_or_a_blocked_sender_for_a_dead_address(folder: Path) -> None:
    wrong = []
    for one in corpus.labelled(folder):
        bounce = parse(one.raw)
        for recipient in bounce.recipients if bounce else ():
            category, reason = one.wanted.get(recipient.address.lower(), ("", ""))
            if recipient.category is Category.INVALID and reason in SPARED:
                wrong.append((one.name, category, reason))
    # Labelled full, although its server says "user unknown".
    assert [name for name, _, _ in wrong if name != "rfc3464-01.eml"] == []


def test_it_tells_a_delay_from_a_failure() -> None:
    late = read(report(group("4.2.2", action="delayed")))
    final = read(report(group("4.2.2")))
    assert (late.category, final.category) == (Category.TEMPORARY, Category.TEMPORARY)
    assert (late.recipients[0].action, final.recipients[0].action) == ("delayed", "failed")


def test_it_keeps_the_category_of_a_delayed_mail() -> None:
    late = read(report(group("4.7.1", "450 4.7.1 Client host rejected: blocked, spam", action="delayed")))
    assert (late.category, late.recipients[0].action) == (Category.BLOCKED, "delayed")


@pytest.mark.parametrize(
    ("action", "known"),
    [
        ("delivered", "delivered"),
        ("relayed", "relayed"),
        ("expanded", "expanded"),
        ("Delivered (to mailbox)", "delivered"),
    ],
)
def test_it_says_that_a_mail_arrived_whatever_the_words(action: str, known: str) -> None:
    # The words alone would be a permanent failure.
    bounce = read(report(group("2.0.0", "550 user unknown", action=action)))
    assert bounce.category is Category.DELIVERED
    assert [(one.category, one.action) for one in bounce.recipients] == [(Category.DELIVERED, known)]


def test_a_failure_counts_more_than_the_relaying_before_it() -> None:
    bounce = read(report(group("2.0.0", action="relayed"), group("5.1.1")))
    assert [(one.category, one.action) for one in bounce.recipients] == [(Category.INVALID, "failed")]


def test_it_keeps_apart_who_got_the_mail_and_who_did_not() -> None:
    bounce = read(report(group("2.0.0", action="delivered", address="bob@far.example"), group("5.1.1")))
    assert bounce.category is Category.INVALID
    assert [(one.address, one.category) for one in bounce.recipients] == [
        ("bob@far.example", Category.DELIVERED),
        ("ann@far.example", Category.INVALID),
    ]


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
    assert bounce.category is Category.INVALID
    assert [one.category for one in bounce.recipients] == [Category.TEMPORARY, Category.INVALID]


def test_it_reads_a_complaint() -> None:
    bounce = read(corpus.raw("arf-16"))
    assert bounce.category is Category.COMPLAINT
    assert len(bounce.recipients) == 7


def test_it_reads_outlooks_own_kind_of_complaint() -> None:
    assert read(corpus.raw("arf-22")).category is Category.COMPLAINT


def test_it_sees_no_complaint_in_a_report_about_authentication() -> None:
    """RFC 6591: a signature did not hold; the mail was delivered all the same."""
    (one,) = read(corpus.raw("arf-18")).recipients
    assert (one.category, one.action) == (Category.DELIVERED, "delivered")


@pytest.mark.parametrize("kind", ["not-spam", "virus"])
def test_it_sees_no_complaint_where_none_is_made(kind: str) -> None:
    assert (
        parse(corpus.raw("arf-16").replace(b"Feedback-Type: abuse", f"Feedback-Type: {kind}".encode()))
        is None
    )


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
    assert parse(corpus.raw(name)) is None


def test_it_takes_a_warning_in_prose_for_a_delay() -> None:
    assert [one.action for one in read(corpus.raw("lhost-gmail-09")).recipients] == ["delayed"]


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
    assert parse(raw) is None
