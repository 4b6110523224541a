"""What every provider keeps (mailbox/providers/base.py), run over each against the sandbox's own process.

A new provider is one line in PROVIDERS. The provider here is a simulator: this proves our side only.
"""

# ruff: noqa: F811
from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

import pytest
from django.db import transaction

from accounts import clock
from mailbox import gateway
from mailbox.errors import Disconnected, Refused, Retry, Uncertain
from mailbox.limited_use import Purpose
from mailbox.models import Credential, Mailbox
from mailbox.providers.transport import NetworkInTransaction
from mailbox.types import Cursor, Draft, OutgoingEmail, SentEmail, ThreadRef, Verdict
from tests.mailbox.conftest import connected, open_ws, write  # noqa: F401
from tests.mailbox.sandbox.conftest import Running

PROVIDERS = ("google", "microsoft")
Write = Callable[..., OutgoingEmail]


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def parsed(entry: dict[str, Any]) -> EmailMessage:
    found = message_from_bytes(base64.b64decode(entry["raw"]), policy=policy.default)
    return cast(EmailMessage, found)


def ids_of(mailbox: Mailbox, draft: Draft, mail: OutgoingEmail, sent: SentEmail | None) -> SentEmail:
    """The ids as the pipeline gets them: by the read-back."""
    found = gateway.confirm(
        mailbox,
        draft,
        key=mail.key,
        to_address=mail.to_address,
        attempted_at=clock.now(),
        provider_id=sent.provider_id if sent else "",
    )
    assert found is not None
    return found


def leave(mailbox: Mailbox, mail: OutgoingEmail) -> tuple[Draft, SentEmail]:
    draft = gateway.prepare(mailbox, mail)
    return draft, ids_of(mailbox, draft, mail, gateway.submit(mailbox, draft))


def look(mailbox: Mailbox, draft: Draft, mail: OutgoingEmail) -> Any:
    return gateway.outcome(mailbox, draft, key=mail.key, to_address=mail.to_address, attempted_at=clock.now())


def sends(providers: Running) -> int:
    return len(providers.get("calls", op="send"))


# --- sending ------------------------------------------------------------------------------------


def test_it_sends_a_draft_once_and_reads_the_stamped_ids_back(
    mailbox: Mailbox,
    write: Write,
    providers: Running,
) -> None:
    mail = write(mailbox)
    draft, sent = leave(mailbox, mail)
    (entry,) = providers.get("ledger")
    assert (sent.provider_id, sent.thread_id, sent.message_id) == (
        entry["id"],
        entry["thread"],
        entry["message_id"],
    )
    assert draft.thread_id == entry["thread"]
    message = parsed(entry)
    assert message["Subject"] == mail.subject
    assert message["X-Outreach-Id"] == mail.key
    body = message.get_body(("html",))
    assert body is not None
    assert "that is gone" in body.get_content()


def test_it_puts_a_follow_up_into_the_same_thread(
    mailbox: Mailbox,
    write: Write,
    providers: Running,
) -> None:
    _, first = leave(mailbox, write(mailbox))
    thread = ThreadRef(first.thread_id, first.provider_id, (first.message_id,))
    again = write(mailbox, subject="Re: A broken link on your page", text="Second", html=None, thread=thread)
    _, second = leave(mailbox, again)
    entry = providers.get("ledger")[-1]
    assert second.thread_id == first.thread_id
    assert parsed(entry)["In-Reply-To"] == first.message_id
    assert first.message_id in parsed(entry)["References"]
    assert entry["to"] == ["ana.silent@site.example"]
    assert look(mailbox, Draft("gone", second.thread_id), again).verdict is Verdict.SENT
