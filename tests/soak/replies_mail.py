"""The mails of a soak of replies: ours, answers to them in every shape, and private ones that look alike."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate

from mailbox.sandbox import bounces, mime
from mailbox.sandbox.accounts import Account
from tests.soak.replies_oracle import HEADER, truth

SUBJECT = "Your hut table"
QUOTED = "On Mon, 23 Nov 2026 at 09:12, Soak wrote:\n> Hello Ana, your page names an address that is gone.\n"
# Shapes of one answer in shares.
SHAPES = {
    "in_thread": 0.34,
    "by_references": 0.16,
    "other_sender": 0.09,
    "colleague": 0.12,
    "colleague_elsewhere": 0.06,
    "bounce": 0.07,
    "auto_reply": 0.07,
    "no_headers_in_thread": 0.09,
}
FOLDERS = {"inbox": 0.8, "junkemail": 0.1, "archive": 0.06, "deleteditems": 0.04}
# Of these another answer has to lie there first.
NEEDS_AN_ANSWER = frozenset({"colleague", "colleague_elsewhere"})


@dataclass
class Conversation:
    """One mail of ours and what has come back so far. `answers`: Message-IDs of persons' answers."""

    thread: str
    mailbox: str
    provider: str
    account: Account
    provider_thread: str
    message_id: str
    to: str
    raw: bytes
    answers: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Wish:
    """What the sandbox is asked to take in. `thread` empty: where its References lead; `answer`: its id."""

    raw: bytes
    folder: str
    thread: str
    answer: str


def ours(*, mailbox: str, to: str, token: str, thread: str, message_id: str, at: float) -> bytes:
    mail = _mail(f"Soak <{mailbox}>", to, SUBJECT, message_id, at)
    mail[HEADER] = truth(token, thread=thread, kind="sent", shape="sent")
    mail.set_content("Hello Ana, your page names an address that is gone.\n")
    return mail.as_bytes()


def answer(talk: Conversation, dice: random.Random, *, token: str, at: float) -> Wish:
    """One mail that belongs to the conversation, in a shape that can be told by its headers."""
    shape = dice.choices(list(SHAPES), list(SHAPES.values()))[0]
    if shape in NEEDS_AN_ANSWER and not talk.answers:
        shape = "in_thread"
    folder = dice.choices(list(FOLDERS), list(FOLDERS.values()))[0]
    if shape == "bounce":
        return _bounce(talk, dice, token=token, at=at)
    name = f"<{token}.{dice.getrandbits(48):x}@answers.example>"
    subject = dice.choice((f"Re: {SUBJECT}", f"AW: {SUBJECT}", "Something else", "RE: FW: hut"))
    mail = _mail(f"Ana Berg <{_sender(talk, shape, token)}>", talk.mailbox, subject, name, at)
    kind = "auto_reply" if shape == "auto_reply" else "reply"
    mail[HEADER] = truth(token, thread=talk.thread, kind=kind, shape=f"{shape}:{folder}")
    text = f"Thank you, we have changed it. {token}-words\n\n{QUOTED}"
    if shape == "auto_reply":
        mail["Auto-Submitted"] = "auto-replied"
        text = f"I am out of the office. {token}-words\n"
    for header, value in _references(talk, shape, dice).items():
        mail[header] = value
    mail.set_content(text)
    return Wish(mail.as_bytes(), folder, _place(talk, shape, dice), name if kind == "reply" else "")


def private(talk: Conversation, dice: random.Random, *, number: int, at: float) -> bytes:
    """A mail that looks like one of ours and is none: nobody may read it."""
    make = dice.choice(_PRIVATE)
    name = f"<private{number}.{dice.getrandbits(48):x}@private.example>"
    sender, subject, more = make(talk, number)
    mail = _mail(sender, talk.mailbox, subject, name, at)
    for header, value in more.items():
        mail[header] = value
    mail.set_content(f"PRIVATE-{number}\n")
    return mail.as_bytes()


# --- inside -------------------------------------------------------------------------------------------


def _mail(sender: str, to: str, subject: str, message_id: str, at: float) -> EmailMessage:
    # Headers that a line's length would fold could not be found again as they were written.
    mail = EmailMessage(policy=SMTP.clone(max_line_length=900))
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"], mail["Message-ID"] = formatdate(at), message_id
    return mail


def _sender(talk: Conversation, shape: str, token: str) -> str:
    name, _, domain = talk.to.partition("@")
    if shape == "other_sender":
        return f"{name}@mail.{domain}"
    return f"colleague.{token}@{domain}" if shape in NEEDS_AN_ANSWER else talk.to


def _references(talk: Conversation, shape: str, dice: random.Random) -> dict[str, str]:
    ids = [talk.message_id, *talk.answers[-3:]]
    match shape:
        case "no_headers_in_thread":
            return {}
        case "by_references":
            return {"References": " ".join(["<root@elsewhere.example>", *ids])}
        # Only the answer that was forwarded to them; it may lie where a look comes later.
        case "colleague" | "colleague_elsewhere":
            return {"In-Reply-To": dice.choice(talk.answers)}
    return {"In-Reply-To": ids[-1], "References": " ".join(ids)}


def _place(talk: Conversation, shape: str, dice: random.Random) -> str:
    """By name where the headers say nothing, a new one where the provider began one, else as they say."""
    if shape == "no_headers_in_thread":
        return talk.provider_thread
    if shape in ("by_references", "colleague_elsewhere"):
        fresh = f"{dice.getrandbits(60):016x}"
        return fresh if talk.provider == "google" else f"AAQkAD{fresh}"
    return talk.provider_thread if shape == "colleague" else ""


def _bounce(talk: Conversation, dice: random.Random, *, token: str, at: float) -> Wish:
    kind = dice.choice(("bounce", "delayed", "softbounce"))
    raw = bounces.report(kind, talk.account, talk.raw, mime.parse(talk.raw), talk.to, at=at)
    said = truth(token, thread=talk.thread, kind="bounce", shape=f"{kind}:inbox")
    # Its returned part holds the header of our own mail: the first one counts.
    return Wish(f"{HEADER}: {said}\r\n".encode() + raw, "inbox", "", "")


Made = tuple[str, str, dict[str, str]]


def _new_mail(talk: Conversation, number: int) -> Made:
    return f"Ana Berg <{talk.to}>", f"Summer party {number}", {}


def _other_talk(talk: Conversation, number: int) -> Made:
    name = f"<elsewhere{number}@private.example>"
    return f"Ana Berg <{talk.to}>", "Re: the roof", {"In-Reply-To": name, "References": name}


def _foreign_bounce(_: Conversation, number: int) -> Made:
    lost = f"aunt{number}@private.example"
    said = {"X-Failed-Recipients": lost, "References": f"<card{number}@private.example>"}
    return "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification", said


def _newsletter(_: Conversation, number: int) -> Made:
    return f"Shop <news@shop{number % 9}.example>", f"Re: {SUBJECT}", {"List-Id": "<news.shop.example>"}


def _same_subject(_: Conversation, number: int) -> Made:
    return f"Otto <otto{number}@stranger.example>", f"Re: {SUBJECT}", {}


_PRIVATE: tuple[Callable[[Conversation, int], Made], ...] = (
    _new_mail,
    _other_talk,
    _foreign_bounce,
    _newsletter,
    _same_subject,
)
