"""Files on a mail: byte for byte at both providers, small ones and those that take an upload session."""

from __future__ import annotations

import dataclasses
import email
import random
from collections.abc import Callable
from email.policy import default
from typing import Any

import pytest

from mailbox import gateway
from mailbox.errors import Refused, Retry
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox
from mailbox.providers import graph_files, outgoing
from mailbox.types import OutgoingFile, ThreadRef
from tests.mailbox.sandbox.conftest import Running
from tests.test_providers import PROVIDERS, Write, leave

SMALL = OutgoingFile("Price list.pdf", "application/pdf", b"%PDF-1.7 \x00\xff\r\n.\r\n" * 40)
NAMED = OutgoingFile("Grüße – “Zoë”.txt", "text/plain", "Hallo\nZoë\n".encode())


def large() -> OutgoingFile:
    return OutgoingFile("photo.jpg", "image/jpeg", random.Random(5).randbytes(graph_files.CHUNK + 4321))


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def files_in(raw: bytes) -> list[tuple[str | None, str, Any]]:
    mail = email.message_from_bytes(raw, policy=default)
    return [
        (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
        for part in mail.iter_attachments()
    ]


def sent_copy(mailbox: Mailbox, provider_id: str) -> bytes:
    purpose = Purpose.OUR_OWN_DRAFT
    return gateway.fetch(mailbox, provider_id, purpose=purpose, limit=40 * 1024 * 1024).raw


def test_it_sends_files_as_they_are(mailbox: Mailbox, write: Write, providers: Running) -> None:
    files = (SMALL, NAMED, large())
    mail = dataclasses.replace(write(mailbox), files=files)
    _, sent = leave(mailbox, mail)
    raw = sent_copy(mailbox, sent.provider_id)
    found = files_in(raw)
    assert [(name, kind) for name, kind, _ in found] == [(file.name, file.content_type) for file in files]
    assert [content for _, _, content in found][2] == files[2].content
    assert found[0][2] == SMALL.content
    assert b"your page links to a page of ours" in raw or b"eW91ciBwYWdl" in raw


def test_it_answers_with_a_file_in_the_conversation(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    _, first = leave(mailbox, write(mailbox))
    thread = ThreadRef(first.thread_id, first.provider_id, (first.message_id,))
    mail = dataclasses.replace(
        write(mailbox), files=(SMALL,), thread=thread, subject="Re: A broken link on your page"
    )
    _, sent = leave(mailbox, mail)
    assert sent.thread_id == first.thread_id
    assert [name for name, _, _ in files_in(sent_copy(mailbox, sent.provider_id))] == [SMALL.name]


def test_a_draft_with_files_reads_as_ours(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F43: the draft that was stored is the version with its files."""
    mail = dataclasses.replace(write(mailbox), files=(SMALL, NAMED))
    draft = gateway.prepare(mailbox, mail)
    assert draft.version
    before = mailbox.full_reads
    assert gateway.is_edited(mailbox, draft, mail) is False
    mailbox.refresh_from_db()
    assert mailbox.full_reads == before


def test_it_leaves_no_draft_where_a_file_cannot_be_hung_on(
    connected: Callable[..., Mailbox], write: Write, providers: Running
) -> None:
    mailbox = connected("microsoft")
    mail = dataclasses.replace(write(mailbox), files=(SMALL, large()))
    providers.post("faults", mailbox="*", op="draft", kind="error_not_accepted", skip=2, times=1)
    with pytest.raises((Retry, Refused)):
        gateway.prepare(mailbox, mail)
    drafts = [
        one for one in providers.get("messages", mailbox=str(mailbox.address)) if one["folder"] == "drafts"
    ]
    assert drafts == []


@pytest.mark.parametrize(
    "file",
    [
        OutgoingFile("a\r\nBcc: victim@site.example", "text/plain", b"x"),
        OutgoingFile("a.eml", "message/rfc822", b"x"),
        OutgoingFile("a", "multipart/mixed", b"x"),
        OutgoingFile("a", "text/plain; charset=x", b"x"),
        OutgoingFile("a", "", b"x"),
    ],
    ids=["line break", "message", "multipart", "parameter", "nothing"],
)
def test_it_refuses_a_file_that_would_be_more(
    connected: Callable[..., Mailbox], write: Write, file: OutgoingFile
) -> None:
    """T19."""
    mailbox = connected("google")
    with pytest.raises(Refused):
        gateway.prepare(mailbox, dataclasses.replace(write(mailbox), files=(file,)))


def test_a_mail_with_files_is_what_the_library_reads(write: Write, connected: Callable[..., Mailbox]) -> None:
    mail = dataclasses.replace(write(connected("google")), files=(SMALL, NAMED))
    read = email.message_from_bytes(outgoing.as_mime(mail), policy=default)
    body = read.get_body(("plain",))
    assert body is not None
    assert body.get_content().split() == mail.text.split()
    assert not read.defects
    assert [part.get_content_type() for part in read.iter_parts()] == [
        "multipart/alternative",
        "application/pdf",
        "text/plain",
    ]
