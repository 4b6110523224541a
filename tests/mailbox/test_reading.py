"""What every provider keeps when mail is read: headers first, nothing lost, and no private body ever."""

from __future__ import annotations

import base64
import dataclasses
import tracemalloc
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from typing import Any, cast

import pytest

from mailbox import gateway
from mailbox.errors import Refused, Retry
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox
from mailbox.types import Cursor
from tests.mailbox.sandbox.conftest import Running
from tests.test_providers import PROVIDERS, Write, leave


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def arrive(providers: Running, mailbox: Mailbox, **wish: Any) -> dict[str, str]:
    given = {"email": str(mailbox.address), "from": "Ana <ana@site.example>", "text": "Gone now."}
    return cast(dict[str, str], providers.post("inbound", **(given | wish)))


def fresh(mailbox: Mailbox) -> Cursor:
    return gateway.headers_since(mailbox, None).cursor


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_reads_headers_of_new_mails_and_no_body_of_a_private_one(
    connected: Callable[..., Mailbox], write: Write, providers: Running, provider: str
) -> None:
    mailbox = connected(provider, private_mails=200)
    cursor = fresh(mailbox)
    _, sent = leave(mailbox, write(mailbox))
    reply = arrive(providers, mailbox, subject="Re: a link", reply_to=sent.message_id, thread=sent.thread_id)
    arrive(providers, mailbox, subject="Lunch?")
    page = gateway.headers_since(mailbox, cursor)
    found = {header.provider_id: header for header in page.headers}
    mine, answer = found[sent.provider_id], found[reply["id"]]
    assert len(found) == 3
    assert (mine.own, answer.own, page.resynced) == (True, False, False)
    assert (answer.thread_id, answer.message_id) == (sent.thread_id, reply["message_id"])
    assert answer.in_reply_to == sent.message_id
    assert answer.references == (sent.message_id,)
    assert (answer.from_address, answer.from_name) == ("ana@site.example", "Ana")
    assert answer.subject == "Re: a link"
    assert answer.received_at.tzinfo is not None
    email = gateway.fetch(mailbox, reply["id"], purpose=Purpose.REPLY_IN_OUR_THREAD)
    assert b"Gone now." in email.raw
    read = {one for call in providers.get("calls") if call["full_read"] for one in call["message_ids"]}
    assert read == {reply["id"]}
    mailbox.refresh_from_db()
    assert mailbox.full_reads == 1


def test_it_tells_each_mail_once(mailbox: Mailbox, providers: Running) -> None:
    cursor = fresh(mailbox)
    first = arrive(providers, mailbox, subject="one")
    page = gateway.headers_since(mailbox, cursor)
    second = arrive(providers, mailbox, subject="two", folder="junkemail")
    after = gateway.headers_since(mailbox, page.cursor)
    assert [header.provider_id for header in page.headers] == [first["id"]]
    assert [header.provider_id for header in after.headers] == [second["id"]]
    assert gateway.headers_since(mailbox, after.cursor).headers == ()
    # A cursor that was not stored gives the same again: nothing is lost by a crash (F32).
    assert gateway.headers_since(mailbox, cursor).headers == (*page.headers, *after.headers)


def test_it_fills_the_gap_when_its_cursor_is_dead(mailbox: Mailbox, providers: Running) -> None:
    """F29, F30: the search is bounded, loses nothing, and does not come back to the dead cursor."""
    cursor = fresh(mailbox)
    missed = arrive(providers, mailbox, subject="missed")
    providers.post("expire_history", email=str(mailbox.address))
    page = gateway.headers_since(mailbox, cursor)
    assert page.resynced
    assert missed["id"] in [header.provider_id for header in page.headers]
    later = arrive(providers, mailbox, subject="later")
    after = gateway.headers_since(mailbox, page.cursor)
    assert [header.provider_id for header in after.headers] == [later["id"]]
    assert not after.resynced
    assert not any(call["full_read"] for call in providers.get("calls"))


def test_it_reads_an_unknown_cursor_as_none(mailbox: Mailbox, providers: Running) -> None:
    fresh(mailbox)
    arrived = arrive(providers, mailbox)
    page = gateway.headers_since(mailbox, Cursor("not ours"))
    assert [header.provider_id for header in page.headers] == [arrived["id"]]


def test_it_reads_the_beginning_of_a_reply_of_25_megabytes(
    mailbox: Mailbox, providers: Running, settings: Any
) -> None:
    """F34: bounded in memory, whatever the size."""
    # How long the sandbox takes to write such an answer on a busy machine is not the question.
    settings.HTTP_DEADLINE_SECONDS = 60.0
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = "ana@site.example", str(mailbox.address), "Big"
    message["Message-ID"] = "<big@site.example>"
    message.set_content("The link is gone.")
    message.add_attachment(b"x" * 18_000_000, maintype="application", subtype="zip", filename="a.zip")
    raw = message.as_bytes()
    assert len(raw) > 24_000_000
    arrived = providers.post("inbound", email=str(mailbox.address), raw=base64.b64encode(raw).decode())
    limit = 256 * 1024
    gateway.headers_since(mailbox, None)
    tracemalloc.start()
    email = gateway.fetch(mailbox, arrived["id"], purpose=Purpose.REPLY_IN_OUR_THREAD, limit=limit)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert email.truncated
    assert len(email.raw) <= limit
    assert raw.startswith(email.raw)
    assert b"The link is gone." in email.raw
    assert peak < 8 * limit


def test_it_says_gone_of_a_mail_that_is_gone(mailbox: Mailbox, providers: Running) -> None:
    arrived = arrive(providers, mailbox)
    providers.post("delete", email=str(mailbox.address), id=arrived["id"])
    with pytest.raises(Refused, match="gone"):
        gateway.fetch(mailbox, arrived["id"], purpose=Purpose.REPLY_IN_OUR_THREAD)


def test_it_never_reads_the_whole_of_a_short_mail_as_cut(mailbox: Mailbox, providers: Running) -> None:
    arrived = arrive(providers, mailbox, text="Short.")
    email = gateway.fetch(mailbox, arrived["id"], purpose=Purpose.BOUNCE_OF_OUR_MAIL)
    assert not email.truncated
    assert email.raw.rstrip().endswith(b"Short.")
    assert dataclasses.asdict(email.header)["provider_id"] == arrived["id"]


@pytest.mark.parametrize("kind", ["error_not_accepted", "accept_then_reset", "truncate"])
def test_it_comes_back_later_when_reading_fails(mailbox: Mailbox, providers: Running, kind: str) -> None:
    cursor = fresh(mailbox)
    arrived = arrive(providers, mailbox)
    providers.post("faults", op="list", kind=kind)
    with pytest.raises(Retry):
        gateway.headers_since(mailbox, cursor)
    page = gateway.headers_since(mailbox, cursor)
    assert arrived["id"] in [header.provider_id for header in page.headers]


def test_it_lists_whole_conversations_without_a_body(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """What is compared each night: both sides, wherever the mails lie, and nothing else of the mailbox."""
    _, sent = leave(mailbox, write(mailbox))
    reply = arrive(providers, mailbox, subject="Re: a link", reply_to=sent.message_id, thread=sent.thread_id)
    junk = arrive(providers, mailbox, folder="junkemail", reply_to=sent.message_id, thread=sent.thread_id)
    arrive(providers, mailbox, subject="Lunch?")
    found = {header.provider_id: header for header in gateway.conversations(mailbox, [sent.thread_id])}
    assert set(found) == {sent.provider_id, reply["id"], junk["id"]}
    assert (found[sent.provider_id].own, found[reply["id"]].own) == (True, False)
    assert found[reply["id"]].message_id == reply["message_id"]
    assert not [call for call in providers.get("calls", mailbox=str(mailbox.address)) if call["full_read"]]


def test_it_says_gone_of_a_conversation_that_is_gone(mailbox: Mailbox) -> None:
    """Graph answers a filter, which finds nothing; at Gmail the thread itself is gone."""
    assert gateway.conversations(mailbox, ["18c0ffee18c0ffee"]) == ()
