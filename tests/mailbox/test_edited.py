"""A draft that the user edits is told apart from one that was merely opened (F43), at both providers."""

# ruff: noqa: F811
from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from mailbox import gateway
from mailbox.models import Mailbox
from mailbox.types import OutgoingEmail, ThreadRef
from tests.mailbox.conftest import connected, write  # noqa: F401
from tests.mailbox.sandbox.conftest import Running
from tests.test_providers import PROVIDERS, leave

Write = Callable[..., OutgoingEmail]
# One mail as two programs might spell it: Exchange's head, Gmail's blocks, a bare address made a link.
OURS = (
    '<p>Hello Ana,</p><p>your page links to <a href="https://studio.example/a?b=1&amp;c=2">ours</a>, '
    "see https://studio.example/old.</p>"
)
RESPELLED = (
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>'
    '<div dir="ltr">Hello&nbsp;Ana,<br><br>your page\r\nlinks to '
    '<a href="https://studio.example/a?b=1&amp;c=2" target="_blank">ours</a>, see '
    '<a href="https://studio.example/old">https://studio.example/old</a>.<br></div></body></html>'
)


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def edit(providers: Running, mailbox: Mailbox, draft_id: str, **wish: Any) -> None:
    providers.post("edit", email=str(mailbox.address), provider=mailbox.provider, draft=draft_id, **wish)


def reads(providers: Running) -> list[bool]:
    return [call["full_read"] for call in providers.get("calls") if call["op"] == "get"]


def full_reads(mailbox: Mailbox) -> int:
    return Mailbox.objects.get(pk=mailbox.pk).full_reads


def test_it_knows_its_own_draft_by_one_look_without_the_text(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    assert draft.version
    assert not gateway.is_edited(mailbox, draft, mail)
    assert (reads(providers), full_reads(mailbox)) == ([False], 0)


@pytest.mark.parametrize(
    "wish",
    [
        {"subject": "Other words"},
        {"html": OURS.replace("Hello Ana", "Dear Ana")},
        {"html": OURS.replace("b=1", "b=2")},
    ],
)
def test_it_sees_an_edit(mailbox: Mailbox, write: Write, providers: Running, wish: dict[str, str]) -> None:
    mail = write(mailbox, html=OURS)
    draft = gateway.prepare(mailbox, mail)
    edit(providers, mailbox, draft.draft_id, **{"subject": mail.subject, **wish})
    assert gateway.is_edited(mailbox, draft, mail)
    assert full_reads(mailbox) == 1


@pytest.mark.parametrize("spelled", ["", RESPELLED])
def test_it_passes_over_a_draft_that_was_merely_saved_again(
    mailbox: Mailbox, write: Write, providers: Running, spelled: str
) -> None:
    """Opening a draft saves it: another version of the same words is no edit."""
    mail = write(mailbox, html=OURS, subject="Ein Gruß an Ana")
    draft = gateway.prepare(mailbox, mail)
    edit(providers, mailbox, draft.draft_id, subject=mail.subject, html=spelled)
    assert not gateway.is_edited(mailbox, draft, mail)
    assert full_reads(mailbox) == 1


def test_it_knows_a_mail_without_html_again(mailbox: Mailbox, write: Write, providers: Running) -> None:
    mail = write(mailbox, html=None, text="Hello Ana,\n\nsee https://studio.example/old\n\n-- \nMaya\n")
    draft = gateway.prepare(mailbox, mail)
    edit(providers, mailbox, draft.draft_id, subject=mail.subject)
    assert not gateway.is_edited(mailbox, draft, mail)
    edit(providers, mailbox, draft.draft_id, subject="Other words")
    assert gateway.is_edited(mailbox, draft, mail)


def test_it_knows_a_follow_up_in_its_thread_again(mailbox: Mailbox, write: Write, providers: Running) -> None:
    _, first = leave(mailbox, write(mailbox))
    thread = ThreadRef(first.thread_id, first.provider_id, (first.message_id,))
    mail = write(mailbox, subject="Re: A broken link on your page", text="Second", html=None, thread=thread)
    draft = gateway.prepare(mailbox, mail)
    assert not gateway.is_edited(mailbox, draft, mail)
    edit(providers, mailbox, draft.draft_id, subject=mail.subject)
    assert not gateway.is_edited(mailbox, draft, mail)
    edit(providers, mailbox, draft.draft_id, subject=mail.subject, html="<p>Second thoughts</p>")
    assert gateway.is_edited(mailbox, draft, mail)


def test_it_leaves_a_draft_that_is_gone_to_the_submit(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    mail, other = write(mailbox), write(mailbox)
    draft, used = gateway.prepare(mailbox, mail), gateway.prepare(mailbox, other)
    gateway.discard(mailbox, draft)
    providers.post("send", email=str(mailbox.address), provider=mailbox.provider, draft=used.draft_id)
    assert not gateway.is_edited(mailbox, draft, mail)
    assert not gateway.is_edited(mailbox, used, other)
    assert full_reads(mailbox) == 0


def test_it_does_not_look_at_a_draft_of_unknown_version(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """Rows from before the version was kept, and drafts that a person wants sent as they are."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    edit(providers, mailbox, draft.draft_id)
    assert not gateway.is_edited(mailbox, dataclasses.replace(draft, version=""), mail)
    assert reads(providers) == []
