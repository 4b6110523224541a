"""What is Gmail's own: the mail as bytes, the library's calls, history, and doubled copies."""

from __future__ import annotations

import base64
from collections.abc import Callable
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st

from accounts import clock
from mailbox import gateway
from mailbox.errors import Disconnected, Refused, Retry
from mailbox.models import Mailbox
from mailbox.providers import gmail, gmail_calls, outgoing
from mailbox.providers.outgoing import as_mime
from mailbox.types import Cursor, OutgoingEmail, ThreadRef, Verdict
from tests.mailbox.sandbox.conftest import Running

Write = Callable[..., OutgoingEmail]
LONG_ID = "<" + "A" * 90 + "@AM0PR05MB1234.eurprd05.prod.outlook.com>"


@pytest.fixture
def mailbox(connected: Callable[..., Mailbox]) -> Mailbox:
    return connected("google")


def built(**parts: Any) -> OutgoingEmail:
    values: dict[str, Any] = {
        "key": "11111111-1111-1111-1111-111111111111",
        "sender_address": "maya@studio.example",
        "sender_name": "Maya Núñez, Studio",
        "to_address": "ana@bücher.example",
        "to_name": 'Ana "the" Owner',
        "subject": "Grüße – ein Link auf Ihrer Seite über schöne alte Bücher, den wir gern entfernt sähen",
        "text": "Zeile eins\nZeile zwei äöü\n.\nFrom here on",
        "html": "<p>Grüße</p>",
    }
    return OutgoingEmail(**(values | parts))


def test_it_writes_a_mail_that_reads_back_as_it_was_meant() -> None:
    raw = as_mime(built())
    message = message_from_bytes(raw, policy=policy.default)
    assert message["From"].addresses[0].display_name == "Maya Núñez, Studio"
    assert message["To"].addresses[0].addr_spec == "ana@xn--bcher-kva.example"
    assert message["To"].addresses[0].display_name == 'Ana "the" Owner'
    assert message["Subject"] == built().subject
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == built().text.splitlines()
    assert "Grüße" in html.get_content()
    assert raw.isascii()
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert message["Message-ID"] is None


def test_it_never_encodes_or_breaks_what_machines_compare() -> None:
    """The standard library would write a long id as an encoded word, and threading would be lost."""
    ids = tuple(LONG_ID.replace("A", letter) for letter in "ABCDEFGHIJKLMNOPQRST")
    url = "<https://t.example/u/" + "x" * 300 + ">"
    headers = (("List-Unsubscribe", url), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    raw = as_mime(built(headers=headers, thread=ThreadRef("t", "s", ids)))
    head = raw.partition(b"\r\n\r\n")[0].decode()
    assert url in head
    unfolded = head.replace("\r\n ", " ")
    references = next(line for line in unfolded.split("\r\n") if line.startswith("References: "))
    assert references.split()[1:] == [ids[0], *ids[-11:]]
    assert f"In-Reply-To: {ids[-1]}" in unfolded
    assert max(map(len, head.split("\r\n"))) <= 998


def as_the_library_writes_it(mail: OutgoingEmail) -> bytes:
    """The same mail by `email`, which is right and slow."""
    message = EmailMessage(policy=outgoing._POLICY)
    message["From"] = Address(mail.sender_name, addr_spec=mail.sender_address)
    message["To"] = Address(mail.to_name, addr_spec=mail.to_address)
    message["Subject"] = mail.subject
    message[outgoing.KEY_HEADER] = mail.key
    for name, value in mail.headers:
        message[name] = value
    message.set_content(mail.text, cte="quoted-printable")
    if mail.html is not None:
        message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


_APART = ("Content-Type", "MIME-Version", "From", "To", "Subject")


def meaning(raw: bytes) -> list[object]:
    """Each part's headers and content, the boundary, the version's place, the people and the subject apart.

    Where the library folds a name it may lose its quotes, and where it folds a subject it may cut an encoded
    word, so that ours are written another way.
    """
    found: list[object] = []
    for part in message_from_bytes(raw, policy=policy.default).walk():
        names = sorted((name, value) for name, value in part.items() if name not in _APART)
        kind = (part.get_content_type(), str(part.get_content_charset()))
        found += [names, kind, part.defects, None if part.is_multipart() else part.get_content()]
    return found


LETTERS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)
NAMES = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=90)


@given(
    text=LETTERS,
    html=st.none() | LETTERS,
    subject=NAMES,
    sender=NAMES,
    to=NAMES,
    local=st.from_regex(r"[a-z0-9_+-]+(\.[a-z0-9_+-]+){0,3}", fullmatch=True).filter(lambda it: len(it) < 60),
    value=st.from_regex(r"[!-~]+( [!-~]+){0,40}", fullmatch=True),
)
@settings_of(max_examples=150, deadline=None)
def test_it_writes_what_the_library_would_write(
    text: str, html: str | None, subject: str, sender: str, to: str, local: str, value: str
) -> None:
    """The cheap way and the library's, read back by the library, part for part."""
    mail = built(
        text=text, html=html, subject=subject, sender_name=sender, to_name=to,
        to_address=f"{local}@site.example", headers=(("X-More", value), ("List-Unsubscribe", "<https://t/u>")),
    )  # fmt: skip
    try:
        expected = as_the_library_writes_it(mail)
    except (ValueError, IndexError):
        return
    assert meaning(as_mime(mail)) == meaning(expected)
    read = message_from_bytes(as_mime(mail), policy=policy.default)
    for header, name in (("From", sender), ("To", to)):
        (one,) = read[header].addresses
        assert "".join(one.display_name.split()) == "".join(name.split())
    assert "".join(read["Subject"].split()) == "".join(subject.split())
    assert as_mime(mail).count(b"MIME-Version: 1.0\r\n") == 1


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"text": "half \ud800 letter"}, "bad_message"),
        ({"subject": "half \ud800 letter"}, "header_injection"),
        ({"text": "x" * (26 * 1024 * 1024), "html": None}, "too_large"),
        ({"headers": (("List-Unsubscribe", "<https://t.example/ü>"),)}, "bad_message"),
        ({"sender_address": "two@a.example,three@b.example"}, "bad_address"),
    ],
)
def test_it_refuses_what_cannot_be_written(parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        as_mime(built(**parts))


def test_it_takes_its_address_from_the_settings_when_it_is_used(settings: Any) -> None:
    settings.GMAIL_API_BASE = "http://one.example"
    one = gmail_calls.api_at(settings.GMAIL_API_BASE).users
    settings.GMAIL_API_BASE = "http://two.example/prefix"
    two = gmail_calls.api_at(settings.GMAIL_API_BASE).users
    assert one.getProfile(userId="me").uri.startswith("http://one.example/gmail/v1/")
    assert two.getProfile(userId="me").uri.startswith("http://two.example/prefix/gmail/v1/")


def test_it_uses_no_library_transport() -> None:
    with pytest.raises(RuntimeError):
        gmail_calls.api_at("http://one.example").users.getProfile(userId="me").execute()


def test_it_sends_the_headers_that_graph_cannot(mailbox: Mailbox, write: Write, providers: Running) -> None:
    headers = (
        ("List-Unsubscribe", "<https://localhost/u/t>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    gateway.submit(mailbox, gateway.prepare(mailbox, write(mailbox, headers=headers)))
    (entry,) = providers.get("ledger")
    message = message_from_bytes(base64.b64decode(entry["raw"]), policy=policy.default)
    assert message["List-Unsubscribe"] == "<https://localhost/u/t>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_it_spends_130_units_on_a_mail(mailbox: Mailbox, write: Write, providers: Running) -> None:
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    sent = gateway.submit(mailbox, draft)
    assert sent is not None
    gateway.confirm(
        mailbox,
        draft,
        key=mail.key,
        to_address=mail.to_address,
        attempted_at=clock.now(),
        provider_id=sent.provider_id,
    )
    assert sum(call["units"] for call in providers.get("calls")) == 130


def test_it_counts_copies_that_gmail_doubled(mailbox: Mailbox, write: Write, providers: Running) -> None:
    """F45."""
    mail = write(mailbox)
    draft = gateway.prepare(mailbox, mail)
    gateway.submit(mailbox, draft)
    (entry,) = providers.get("ledger")
    double = {"raw": entry["raw"], "folder": "sentitems", "thread": entry["thread"]}
    providers.post("inbound", email=str(mailbox.address), **double)
    outcome = gateway.outcome(
        mailbox, draft, key=mail.key, to_address=mail.to_address, attempted_at=clock.now()
    )
    assert (outcome.verdict, outcome.copies) == (Verdict.SENT, 2)


def test_it_does_not_take_an_earlier_mail_of_the_thread_for_this_one(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    """providers.md 3.7: the label alone proves nothing."""
    first = write(mailbox)
    draft = gateway.prepare(mailbox, first)
    sent = gateway.submit(mailbox, draft)
    assert sent is not None
    (entry,) = providers.get("ledger")
    thread = ThreadRef(sent.thread_id, sent.provider_id, (entry["message_id"],))
    second = write(mailbox, thread=thread)
    lost = gateway.prepare(mailbox, second)
    assert lost.thread_id == sent.thread_id
    gateway.discard(mailbox, lost)
    outcome = gateway.outcome(
        mailbox, lost, key=second.key, to_address=second.to_address, attempted_at=clock.now()
    )
    assert outcome.verdict is Verdict.MISSING


def test_it_still_sends_when_the_person_deleted_the_conversation(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    thread = ThreadRef("19gone", "19gone", ("<earlier@mail.gmail.com>",))
    gateway.submit(mailbox, gateway.prepare(mailbox, write(mailbox, thread=thread)))
    (entry,) = providers.get("ledger")
    message = message_from_bytes(base64.b64decode(entry["raw"]), policy=policy.default)
    assert message["In-Reply-To"] == "<earlier@mail.gmail.com>"


def test_it_takes_many_mails_in_pieces_and_loses_none(
    mailbox: Mailbox, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F10: one look stays within the minute's units, and the cursor goes on."""
    monkeypatch.setattr(gmail, "MOST_HEADERS", 4)
    cursor = gateway.headers_since(mailbox, None).cursor
    arrived = [providers.post("inbound", email=str(mailbox.address), subject=str(n))["id"] for n in range(11)]
    found: list[str] = []
    for _ in range(5):
        page = gateway.headers_since(mailbox, cursor)
        assert len(page.headers) <= 4
        found += [header.provider_id for header in page.headers]
        cursor = page.cursor
    assert found == arrived


@pytest.mark.parametrize("cursor_is_dead", [False, True])
def test_it_keeps_what_it_read_before_a_call_failed(
    mailbox: Mailbox, providers: Running, cursor_is_dead: bool
) -> None:
    """With one call of forty failing, a look at two hundred mails would never come to its end."""
    cursor = gateway.headers_since(mailbox, None).cursor
    arrived = []
    for n in range(6):
        arrived.append(providers.post("inbound", email=str(mailbox.address), subject=str(n))["id"])
        providers.post("clock", advance=5)
    if cursor_is_dead:
        providers.post("expire_history", email=str(mailbox.address))
    found: set[str] = set()
    stops = 0
    for _ in range(12):
        providers.post("faults", op="get", kind="error_not_accepted", skip=2)
        page = gateway.headers_since(mailbox, cursor)
        providers.post("faults/clear")
        found |= {header.provider_id for header in page.headers}
        stops += page.stopped is not None
        assert page.more or page.stopped is None
        cursor = page.cursor
        if not page.more:
            break
    assert found == set(arrived)
    assert stops >= 2


@pytest.mark.parametrize("skip", [0, 2])
def test_it_begins_anew_where_the_provider_asks_for_patience(
    mailbox: Mailbox, providers: Running, skip: int
) -> None:
    """F6: what it read before would have bodies fetched behind a 429."""
    cursor = gateway.headers_since(mailbox, None).cursor
    for _ in range(4):
        providers.post("inbound", email=str(mailbox.address))
    providers.post("faults", op="get", kind="throttle", retry_after="120", skip=skip)
    with pytest.raises(Retry) as asked:
        gateway.headers_since(mailbox, cursor)
    assert asked.value.reason == "throttled"
    assert len(gateway.headers_since(mailbox, cursor).headers) == 4


def test_it_searches_a_long_gap_in_pieces_too(
    mailbox: Mailbox, providers: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F29: a dead cursor, more mails than one look takes, and the end is the fresh place."""
    monkeypatch.setattr(gmail, "MOST_HEADERS", 4)
    cursor = gateway.headers_since(mailbox, None).cursor
    arrived = set()
    for n in range(10):
        arrived.add(providers.post("inbound", email=str(mailbox.address), subject=str(n))["id"])
        providers.post("clock", advance=5)
    providers.post("expire_history", email=str(mailbox.address))
    found: set[str] = set()
    for _ in range(6):
        page = gateway.headers_since(mailbox, cursor)
        found |= {header.provider_id for header in page.headers}
        cursor = page.cursor
    assert found == arrived
    assert not gateway.headers_since(mailbox, cursor).resynced


def test_it_passes_over_drafts_and_mails_that_are_gone(
    mailbox: Mailbox, write: Write, providers: Running
) -> None:
    cursor = gateway.headers_since(mailbox, None).cursor
    gateway.prepare(mailbox, write(mailbox))
    gone = providers.post("inbound", email=str(mailbox.address))
    providers.post("delete", email=str(mailbox.address), id=gone["id"])
    assert gateway.headers_since(mailbox, cursor).headers == ()


def test_it_says_that_the_permission_to_read_is_missing(mailbox: Mailbox, providers: Running) -> None:
    compose = "https://www.googleapis.com/auth/gmail.compose"
    given = providers.post("grant", provider="google", email=str(mailbox.address), scopes=["openid", compose])
    mailbox.credential.access_token = given["access_token"]
    mailbox.credential.save()
    with pytest.raises(Disconnected, match="permission_missing"):
        gateway.headers_since(mailbox, Cursor('["1", 0, 0, 0]'))


def test_it_waits_when_the_minutes_units_are_used_up(mailbox: Mailbox, providers: Running) -> None:
    """F10: slow, not lost."""
    providers.post("settings", units_per_minute=1)
    with pytest.raises(Retry, match="throttled"):
        gateway.headers_since(mailbox, None)
