"""Broken mails: the sandbox reads what there is."""

from __future__ import annotations

import random
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from mailbox.sandbox import gmail_shapes, mime
from mailbox.sandbox.mailstore import Stored
from tests.mailbox.sandbox.conftest import mail


def stored(raw: bytes) -> Stored:
    return Stored(
        pk=1, account=1, id="1", thread="1", folder="inbox", draft=None, raw=raw, message_id="", subject="",
        sender="", recipients="", at=0, seq=1, properties={}, decoy=False, moving=False,
    )  # fmt: skip


def nested(depth: int) -> bytes:
    head = b"Subject: deep\r\n"
    for number in range(depth):
        head += b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (number, number)
    return head + b"Content-Type: text/plain\r\n\r\nbottom\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff\xfe",
        b"Subject: =?utf-8?b?////?=\r\nContent-Type: text/plain; charset=nonsense\r\n\r\n\xff\x00",
        b"From: <<>>@@\r\nTo: ,,,;\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%",
        nested(40),
        nested(400),
        nested(5_000),
    ],
)
def test_it_reads_a_broken_mail(raw: bytes) -> None:
    mime.parse(raw)
    for format_ in gmail_shapes.FORMATS:
        gmail_shapes.message(stored(raw), format_)


def test_it_reads_mutated_mails() -> None:
    draw = random.Random(1)
    whole = mail("Ana <ana@site.example>", html="<p>Hi</p>", headers={"X-Note": "é" * 80})
    for _ in range(300):
        raw = bytearray(whole)
        for _ in range(20):
            raw[draw.randrange(len(raw))] = draw.randrange(256)
        mime.parse(bytes(raw))
        gmail_shapes.message(stored(bytes(raw)), "full")


def test_it_changes_headers_and_leaves_the_body() -> None:
    raw = b"Subject: a\r\n folded\r\nBcc: x@y\r\n\r\nbody\nend"
    assert mime.with_headers(raw, {"Subject": "b", "bcc": None}) == b"Subject: b\r\n\r\nbody\nend"


@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "7bit"])
@pytest.mark.parametrize("words", ["Hi there", "Hi\nthere = 1\n\n  x  ", "Grüße – ✓\n" * 40])
def test_it_reads_a_plain_mail_as_the_library_does(cte: str, words: str) -> None:
    """The short way for flat alternatives says the same as the whole parser."""
    if cte == "7bit" and not words.isascii():
        cte = "8bit"
    message = EmailMessage(policy=SMTP)
    message["To"] = "ana@site.example"
    message.set_content(words, cte=cte)
    message.add_alternative(f"<p>{words}</p>", subtype="html", cte=cte)
    raw = message.as_bytes()
    short = mime.simple_bodies(raw, mime.parse(raw).header("Content-Type"))
    assert short is not None
    assert short == mime.bodies(mime.message_of(raw))


def test_it_leaves_other_mails_to_the_library() -> None:
    attached = EmailMessage(policy=SMTP)
    attached.set_content("Hi")
    attached.add_alternative("<p>Hi</p>", subtype="html")
    attached.add_attachment(b"x", maintype="application", subtype="pdf", filename="a.pdf")
    cut = mail("ana@site.example", html="<p>Hi</p>")[:-40]
    for raw in (attached.as_bytes(), mail("ana@site.example"), cut, b"", b"\x00"):
        assert mime.simple_bodies(raw, mime.parse(raw).header("Content-Type")) is None
    assert mime.parse(cut).text.strip() == "Hi there"
