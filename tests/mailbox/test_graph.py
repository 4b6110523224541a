"""What is Graph's own: JSON drafts, replies, the late move to Sent, and delta over three folders."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from email import message_from_bytes, policy
from typing import Any

import pytest

from accounts import clock
from mailbox import gateway
from mailbox.errors import Refused, Retry
from mailbox.models import Mailbox
from mailbox.providers import graph_messages
from mailbox.types import Cursor, Draft, Outcome, OutgoingEmail, SentEmail, ThreadRef, Verdict
from tests.mailbox.sandbox.conftest import Running

Write = Callable[..., OutgoingEmail]


@pytest.fixture
def mailbox(connected: Callable[..., Mailbox]) -> Mailbox:
    return connected("microsoft")


def look(mailbox: Mailbox, draft: Draft, mail: OutgoingEmail) -> Outcome:
    return gateway.outcome(mailbox, draft, key=mail.key, to_address=mail.to_address, attempted_at=clock.now())


def confirm(mailbox: Mailbox, draft: Draft, mail: OutgoingEmail) -> SentEmail | None:
    return gateway.confirm(mailbox, draft, key=mail.key, to_address=mail.to_address, attempted_at=clock.now())


def sent(mailbox: Mailbox, mail: OutgoingEmail) -> SentEmail:
    draft = gateway.prepare(mailbox, mail)
    assert gateway.submit(mailbox, draft) is None
    found = confirm(mailbox, draft, mail)
    assert found is not None
    return found


def test_it_puts_only_headers_on_a_mail_that_graph_takes(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """One header without x- would fail the whole send (providers.md 1, 8)."""
    headers = (
        ("List-Unsubscribe", "<https://localhost/u/t>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("X-Campaign", "c1"),
    )
    mail = write(mailbox, headers=headers)
    sent(mailbox, mail)
    (entry,) = providers.get("ledger")
    message = message_from_bytes(base64.b64decode(entry["raw"]), policy=policy.default)
    assert (message["X-Campaign"], message["X-Outreach-Id"]) == ("c1", mail.key)
    assert message["List-Unsubscribe-Post"] is None
    assert message["List-Unsubscribe"] == "<https://localhost/u/t>"  # by Exchange's own property
    assert entry["properties"][graph_messages.KEY_PROPERTY] == mail.key


def test_it_answers_to_the_recipient_and_keeps_the_quote_out(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """createReply would answer to ourselves, with the first mail below."""
    first = sent(mailbox, write(mailbox, text="First words", html=None))
    thread = ThreadRef(first.thread_id, first.provider_id, (first.message_id,))
    mail = write(mailbox, subject="A broken link on your page", text="Second", html=None, thread=thread)
    sent(mailbox, mail)
    entry = providers.get("ledger")[-1]
    raw = base64.b64decode(entry["raw"])
    message = message_from_bytes(raw, policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    assert entry["to"] == [mail.to_address]
    assert "First words" not in body.get_content()
    assert entry["thread"] == first.thread_id
    assert entry["properties"][graph_messages.KEY_PROPERTY] == mail.key


def test_it_finds_the_mail_to_answer_by_its_message_id_after_a_move(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    first = sent(mailbox, write(mailbox))
    thread = ThreadRef(first.thread_id, "AAMk-moved-away", (first.message_id,))
    assert sent(mailbox, write(mailbox, thread=thread)).thread_id == first.thread_id


def test_it_writes_a_mail_of_its_own_when_there_is_nothing_to_answer(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    thread = ThreadRef("gone", "gone", ("<earlier@outlook.com>",))
    sent(mailbox, write(mailbox, thread=thread))
    (entry,) = providers.get("ledger")
    assert entry["properties"][graph_messages.IN_REPLY_TO] == "<earlier@outlook.com>"


@pytest.mark.parametrize(("kind", "ends"), [("refuse_permanent", Refused), ("error_not_accepted", Retry)])
def test_it_leaves_no_untagged_draft_behind(
    mailbox: Mailbox, write: Write, providers: Running, kind: str, ends: type[Exception]
) -> None:
    first = sent(mailbox, write(mailbox))
    thread = ThreadRef(first.thread_id, first.provider_id, (first.message_id,))
    providers.post("faults", op="draft", kind=kind, skip=1)
    with pytest.raises(ends):
        gateway.prepare(mailbox, write(mailbox, thread=thread))
    messages = providers.get("messages", mailbox=str(mailbox.address))
    assert [one["folder"] for one in messages if one["folder"] == "drafts"] == []


def test_it_waits_for_the_sent_copy_and_does_not_take_the_draft_for_it(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """202 means that transport will pick it up: nothing is known before the move."""
    providers.post("settings", move_lag=300, id_changes_on_send=True)
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.submit(mailbox, draft)
    assert confirm(mailbox, draft, mail) is None
    assert look(mailbox, draft, mail).verdict is Verdict.UNSENT
    providers.post("clock", advance=301)
    found = providers.wait(lambda: confirm(mailbox, draft, mail))
    assert found.provider_id != draft.draft_id
    assert look(mailbox, draft, mail).copies == 1


def test_it_sees_the_sent_copy_before_the_search_does(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    providers.post("settings", index_lag=10_000)
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.submit(mailbox, draft)
    outcome = look(mailbox, draft, mail)
    assert (outcome.verdict, outcome.copies) == (Verdict.SENT, 1)


def test_it_counts_a_mail_that_graph_took_twice(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F45: inside the move window one draft can become two mails."""
    providers.post("settings", move_lag=300, second_send_mails=True)
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.submit(mailbox, draft)
    gateway.submit(mailbox, draft)
    # Still a draft, but one copy lies in Sent already: that is no unused draft.
    assert look(mailbox, draft, mail).verdict is Verdict.SENT
    providers.post("clock", advance=301)
    outcome = providers.wait(lambda: (found := look(mailbox, draft, mail)).copies == 2 and found)
    assert outcome.verdict is Verdict.SENT
    assert len(providers.get("ledger")) == 2


def test_it_finds_the_copy_by_message_id_where_the_key_was_lost(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.submit(mailbox, draft)
    (entry,) = providers.get("ledger")
    elsewhere = Draft("AAMk-gone", draft.thread_id, draft.message_id)
    outcome = look(mailbox, elsewhere, write(mailbox))
    assert outcome.sent is not None
    assert outcome.sent.provider_id == entry["id"]


def test_it_asks_for_immutable_ids_and_for_no_body(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    sent(mailbox, write(mailbox))
    gateway.headers_since(mailbox, None)
    asked = [call for call in providers.get("calls") if "$select" in call["query"]]
    assert asked
    assert all("body" not in call["query"].lower() for call in asked)
    assert not any(call["full_read"] for call in providers.get("calls"))


def test_it_begins_one_folder_anew_and_keeps_the_others(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F30: a token can die alone, and a cursor may hold one that was never ours."""
    cursor = gateway.headers_since(mailbox, None).cursor
    arrived = providers.post("inbound", email=str(mailbox.address), subject="Hello")
    place = json.loads(cursor)
    place["links"]["inbox"] = place["links"]["inbox"].partition("?")[0] + "?$deltatoken=broken"
    page = gateway.headers_since(mailbox, Cursor(json.dumps(place)))
    assert page.resynced
    assert [header.provider_id for header in page.headers] == [arrived["id"]]
    assert not gateway.headers_since(mailbox, page.cursor).resynced


def test_it_sends_its_token_to_no_other_place_that_a_cursor_names(
    mailbox: Mailbox, providers: Running
) -> None:
    cursor = json.loads(gateway.headers_since(mailbox, None).cursor)
    cursor["links"]["inbox"] = "https://evil.example/v1.0/me/mailFolders/inbox/messages/delta"
    with pytest.raises(Retry, match="foreign_link"):
        gateway.headers_since(mailbox, Cursor(json.dumps(cursor)))


def test_it_passes_over_what_was_removed(mailbox: Mailbox, providers: Running) -> None:
    cursor = gateway.headers_since(mailbox, None).cursor
    gone = providers.post("inbound", email=str(mailbox.address))
    providers.post("delete", email=str(mailbox.address), id=gone["id"])
    assert gateway.headers_since(mailbox, cursor).headers == ()


def test_it_walks_all_pages(mailbox: Mailbox, providers: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailbox.providers.graph.PAGE", 3)
    arrived = {providers.post("inbound", email=str(mailbox.address))["id"] for _ in range(8)}
    page = gateway.headers_since(mailbox, None)
    assert {header.provider_id for header in page.headers} == arrived


@pytest.mark.parametrize(
    "shape",
    [
        {"id": "1"},
        {"id": "1", "from": None, "toRecipients": None, "receivedDateTime": "never"},
        {"id": "1", "internetMessageHeaders": None, "subject": None, "conversationId": None},
    ],
)
def test_it_reads_a_mail_that_lacks_what_is_usual(shape: dict[str, Any]) -> None:
    header = graph_messages.header(shape, own=False)
    assert (header.provider_id, header.from_address, header.references) == ("1", "", ())
    assert header.received_at.tzinfo is not None
