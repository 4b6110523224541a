"""What every provider keeps (mailbox/providers/base.py), run over each against the sandbox's own process:
sending here, reading in tests/mailbox/test_reading.py.

A new provider is one line in PROVIDERS. The provider here is a simulator: this proves our side only.
"""

# ruff: noqa: F811
from __future__ import annotations

import base64
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from accounts import clock
from mailbox import gateway
from mailbox.errors import Refused, Retry, Uncertain
from mailbox.models import Mailbox
from mailbox.types import Draft, OutgoingEmail, SentEmail, ThreadRef, Verdict
from tests.mailbox.conftest import connected, write  # noqa: F401
from tests.mailbox.sandbox.conftest import Running

PROVIDERS = ("google", "microsoft")
Write = Callable[..., OutgoingEmail]


@pytest.fixture(params=PROVIDERS)
def mailbox(request: pytest.FixtureRequest, connected: Callable[..., Mailbox]) -> Mailbox:
    return connected(request.param)


def parsed(entry: dict[str, Any]) -> EmailMessage:
    return message_from_bytes(base64.b64decode(entry["raw"]), policy=policy.default)


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


def test_it_leaves_an_unused_draft_unsent(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F2: a worker that died before the write."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    assert look(mailbox, draft, mail).verdict is Verdict.UNSENT
    assert providers.get("ledger") == []
    assert not any(call["full_read"] for call in providers.get("calls"))


@pytest.mark.parametrize("kind", ["accept_then_reset", "truncate", "error_but_accepted"])
def test_it_says_uncertain_when_the_answer_is_lost_and_finds_the_one_mail(
    mailbox: Mailbox, write: Write, providers: Running, kind: str
) -> None:
    """F1, F4, F8: accepted, and we were not told."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind=kind)
    with pytest.raises(Uncertain):
        gateway.submit(mailbox, draft)
    (entry,) = providers.get("ledger")
    assert sends(providers) == 1
    outcome = look(mailbox, draft, mail)
    assert (outcome.verdict, outcome.copies) == (Verdict.SENT, 1)
    assert outcome.sent == SentEmail(entry["id"], entry["thread"], entry["message_id"])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_it_says_uncertain_to_each_server_error_and_sends_the_same_draft_later(
    mailbox: Mailbox, write: Write, providers: Running, status: int
) -> None:
    """F8: the half that was not accepted."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind="error_not_accepted", status=status)
    with pytest.raises(Uncertain, match=str(status)):
        gateway.submit(mailbox, draft)
    assert look(mailbox, draft, mail).verdict is Verdict.UNSENT
    gateway.submit(mailbox, draft)
    assert len(providers.get("ledger")) == 1


def test_it_gives_up_at_the_deadline_and_does_not_know(
    mailbox: Mailbox, write: Write, providers: Running, settings: Any
) -> None:
    settings.HTTP_DEADLINE_SECONDS = 0.7
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind="hang", seconds=3)
    with pytest.raises(Uncertain):
        gateway.submit(mailbox, draft)
    assert sends(providers) == 1


def test_it_finds_a_mail_that_was_accepted_late(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F5: still a draft is no proof before the settle time."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind="accept_after", after=300)
    with pytest.raises(Uncertain):
        gateway.submit(mailbox, draft)
    assert look(mailbox, draft, mail).verdict is Verdict.UNSENT
    providers.post("clock", advance=301)
    providers.wait(lambda: providers.get("ledger"))
    assert look(mailbox, draft, mail).verdict is Verdict.SENT


def test_it_takes_an_accepted_mail_with_retry_after_for_accepted(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F7: the status wins over the header."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind="accept_with_retry_after", retry_after=30)
    ids_of(mailbox, draft, mail, gateway.submit(mailbox, draft))
    assert sends(providers) == len(providers.get("ledger")) == 1


@pytest.mark.parametrize(
    ("asked", "least", "most"), [("7", 7, 7), ("date", 1, 1), (None, 60, 90), ("999999", 3600, 3600)]
)
def test_it_waits_as_long_as_it_is_asked_to_and_an_hour_at_the_most(
    mailbox: Mailbox, write: Write, providers: Running, asked: str | None, least: float, most: float
) -> None:
    """F6: seconds, a date (now), absent, absurd."""
    draft = gateway.prepare(mailbox, write(mailbox))
    providers.post("faults", op="send", kind="throttle", **({"retry_after": asked} if asked else {}))
    with pytest.raises(Retry) as caught:
        gateway.submit(mailbox, draft)
    assert least <= caught.value.after <= most
    assert (sends(providers), providers.get("ledger")) == (1, [])


@pytest.mark.parametrize("op", ["draft", "send"])
def test_it_refuses_what_the_provider_refuses(
    mailbox: Mailbox, write: Write, providers: Running, op: str
) -> None:
    draft = gateway.prepare(mailbox, write(mailbox)) if op == "send" else None
    providers.post("faults", op=op, kind="refuse_permanent")
    with pytest.raises(Refused) as caught:
        gateway.submit(mailbox, draft) if draft else gateway.prepare(mailbox, write(mailbox))
    assert "@" not in str(caught.value)
    assert providers.get("ledger") == []


def test_it_cannot_send_a_used_draft_again(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F18: a paused worker wakes up as a zombie."""
    mail = write(mailbox)
    draft, _ = leave(mailbox, mail)
    with pytest.raises(Uncertain, match="draft_gone"):
        gateway.submit(mailbox, draft)
    assert len(providers.get("ledger")) == 1
    assert look(mailbox, draft, mail).verdict is Verdict.SENT


def test_it_calls_a_deleted_draft_missing_and_never_sent(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F43."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.discard(mailbox, draft)
    with pytest.raises(Uncertain):
        gateway.submit(mailbox, draft)
    assert look(mailbox, draft, mail).verdict is Verdict.MISSING


def test_it_calls_a_mail_missing_that_the_person_deleted(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F44: no proof is no reason to send again."""
    mail = write(mailbox)
    draft, sent = leave(mailbox, mail)
    providers.post("delete", email=str(mailbox.address), id=sent.provider_id)
    assert look(mailbox, draft, mail).verdict is Verdict.MISSING


def test_it_never_deletes_a_sent_mail_with_its_draft(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    mail = write(mailbox)
    draft, _ = leave(mailbox, mail)
    gateway.discard(mailbox, draft)
    assert look(mailbox, draft, mail).verdict is Verdict.SENT


def test_it_finds_the_orphan_of_a_crash_by_its_key_alone(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """F3: the draft was made, and its id was never stored."""
    mail, other = write(mailbox), write(mailbox)
    gateway.prepare(mailbox, other)
    draft = gateway.prepare(mailbox, mail)
    (found,) = gateway.find_ours(mailbox, mail.key, to_address=mail.to_address)
    assert found.draft_id == draft.draft_id
    gateway.discard(mailbox, found)
    assert gateway.find_ours(mailbox, mail.key, to_address=mail.to_address) == ()
    assert len(gateway.find_ours(mailbox, other.key, to_address=mail.to_address)) == 1
    assert not any(call["full_read"] for call in providers.get("calls"))


def test_it_settles_at_a_hostile_provider(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """Stripped headers, rewritten ids, late moves and a late index."""
    providers.post("settings", profile="hostile")
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    providers.post("faults", op="send", kind="accept_then_reset")
    with pytest.raises(Uncertain):
        gateway.submit(mailbox, draft)
    providers.post("clock", advance=450)
    outcome = providers.wait(lambda: (found := look(mailbox, draft, mail)).verdict is Verdict.SENT and found)
    (entry,) = providers.get("ledger")
    assert (outcome.copies, outcome.sent.message_id) == (1, entry["message_id"])


INJECTED = "Hello\r\nBcc: victim@other.example"


@pytest.mark.parametrize(
    "parts",
    [
        {"subject": INJECTED},
        {"subject": "Hello\nX-Mailer: a"},
        {"subject": "a\x00b"},
        {"subject": "a\u2028b"},
        {"sender_name": INJECTED},
        {"to_name": INJECTED},
        {"to_address": "ana@site.example, victim@other.example"},
        {"to_address": "ana@site.example>\r\nBcc: <victim@other.example"},
        {"to_address": "nobody"},
        {"to_address": "ana@" + "a" * 70 + ".example"},
        {"headers": (("List-Unsubscribe", INJECTED),)},
        {"headers": (("X-A: b\r\nBcc", "victim@other.example"),)},
        {"headers": (("Bcc", "victim@other.example"),)},
        {"thread": ThreadRef("t", "s", (INJECTED,))},
        {"key": INJECTED},
    ],
)
def test_it_writes_nothing_that_would_become_another_header(
    mailbox: Mailbox, write: Write, providers: Running, parts: dict[str, Any]
) -> None:
    """T19."""
    with pytest.raises(Refused):
        gateway.prepare(mailbox, write(mailbox, **parts))
    assert providers.get("calls", mailbox=str(mailbox.address)) == []
