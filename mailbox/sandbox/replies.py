"""What simulated people write back, as whole mails."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from mailbox.sandbox.mime import Mail
from mailbox.sandbox.recipients import KEYWORDS

TEXTS = {
    "reply": (
        "Hi {sender},\n\n"
        "thank you for writing. This sounds interesting, could you tell me a little more?\n\n"
        "Best,\n{name}"
    ),
    "reply2": (
        "Hi {sender},\n\n"
        "sorry for the late answer, your second mail reached me. Let us talk next week.\n\n"
        "Best,\n{name}"
    ),
    "replyde": (
        "Hallo {sender},\n\n"
        "vielen Dank für Ihre Nachricht. Das klingt interessant, bitte schicken Sie mir mehr dazu.\n\n"
        "Mit freundlichen Grüßen\n{name}"
    ),
    "replyhtml": ("Hi {sender},\n\nsee the picture below, it shows what I mean.\n\n{name}"),
    "interested": ("Hi {sender},\n\nyes, I am interested. Please go ahead and send the details.\n\n{name}"),
    "question": ("Hi {sender},\n\nwhich page do you mean exactly, and what would it cost?\n\n{name}"),
    "declined": (
        "Hello {sender},\n\nthank you, but this is not for us. We do not take such requests.\n\n{name}"
    ),
    "notnow": ("Hello {sender},\n\nthis quarter is full. Please come back to me in January.\n\n{name}"),
    "placed": ("Hi {sender},\n\nthe link is live now, please check the article.\n\n{name}"),
    "stop": ("Please stop mailing me and remove me from your list.\n\nUnsubscribe.\n\n{name}"),
    "paid": (
        "Hello,\n\n"
        "we can remove the links for a handling fee of 50 USD per link, payable by PayPal in advance.\n\n"
        "{name}"
    ),
    "removed": (
        "Hello {sender},\n\n"
        "the links have been removed from our site. Please check and confirm.\n\n"
        "Regards,\n{name}"
    ),
    "wrong": (
        "Hello,\n\n"
        "I am the wrong person for this. Please write to my colleague at web-team@{domain}.\n\n"
        "{name}"
    ),
    "other": ("Hi {sender},\n\nI answer from my other address. Yes, let us do it.\n\n{name}"),
    "ooo": ("I am out of the office until Monday and will answer your message when I am back.\n\n{name}"),
}
SURNAMES = (
    "Berg",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "Greco",
    "Hansen",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lind",
)
FIRST_NAMES = ("Alex", "Bea", "Chris", "Dana", "Eli", "Fran", "Gil", "Hanna", "Ida", "Jo", "Kim")


@dataclass(frozen=True)
class Persona:
    """The person behind an address."""

    name: str
    address: str


def persona(address: str, addressed_as: str) -> Persona:
    """The name the mail used, else one made from the address."""
    name = addressed_as.strip()
    if not name or "@" in name:
        digest = hashlib.sha256(address.encode()).digest()
        words = re.split(r"[^a-z]+", address.partition("@")[0].lower())
        first = next((word.capitalize() for word in words if len(word) > 1 and word not in KEYWORDS), "")
        name = f"{first or FIRST_NAMES[digest[1] % 11]} {SURNAMES[digest[0] % 11]}"
    return Persona(name, address)


def reply(kind: str, mail: Mail, person: Persona, *, at: float) -> bytes:
    """A human answer in the thread, with the mail quoted below as mail programs do."""
    domain = person.address.rpartition("@")[2]
    text = TEXTS[kind].format(sender=_first(mail.sender_name), name=person.name, domain=domain)
    address = person.address
    if kind == "other":
        address = f"{person.address.partition('@')[0].partition('.')[0]}-private@mail.{domain}"
    prefix = "AW: " if kind == "replyde" else "Re: "
    subject = mail.subject if mail.subject.lower().startswith(("re:", "aw:")) else prefix + mail.subject
    message = _answer(mail, Persona(person.name, address), subject, at)
    introduction = _introduction(mail, german=kind == "replyde", at=at)
    quoted = "\n".join("> " + line if line else ">" for line in mail.plain.strip().splitlines()[:200])
    message.set_content(f"{text}\n\n{introduction}\n{quoted}\n", cte="quoted-printable")
    paragraphs = "".join(f"<p>{escape(p)}</p>".replace("\n", "<br>") for p in text.split("\n\n"))
    extra = ""
    if kind == "replyhtml":
        extra = (
            "<script>document.title = 'sandbox'</script>"
            '<img src="https://images.invalid/signature.png" onerror="alert(1)" width="1" height="1">'
            '<a href="javascript:alert(1)">our price list</a>'
        )
    inner = mail.html or f"<pre>{escape(mail.text)}</pre>"
    html = (
        f'<div dir="ltr">{paragraphs}{extra}</div><br><div class="gmail_quote">'
        '<div dir="ltr" class="gmail_attr">'
        f'{escape(introduction)}<br></div><blockquote class="gmail_quote">{inner}</blockquote></div>'
    )
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes()


def out_of_office(mail: Mail, person: Persona, *, at: float) -> bytes:
    """An automatic answer, marked as RFC 3834 asks."""
    message = _answer(mail, person, f"Automatic reply: {mail.subject}", at)
    message["Auto-Submitted"] = "auto-replied"
    message["X-Auto-Response-Suppress"] = "All"
    message["Precedence"] = "auto_reply"
    message["Return-Path"] = "<>"
    message.set_content(TEXTS["ooo"].format(name=person.name) + "\n")
    return message.as_bytes()


def one_line(text: str) -> str:
    return " ".join(text.split())


def _answer(mail: Mail, person: Persona, subject: str, at: float) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = f'"{one_line(person.name).replace(chr(34), "")}" <{person.address}>'
    message["To"] = mail.header("From") or mail.sender
    message["Subject"] = one_line(subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(at, UTC))
    message["Message-ID"] = f"<{secrets.token_hex(16)}@{person.address.rpartition('@')[2]}>"
    if mail.message_id:
        message["In-Reply-To"] = mail.message_id
        message["References"] = " ".join(dict.fromkeys([*mail.references, mail.message_id]))
    return message


def _introduction(mail: Mail, *, german: bool, at: float) -> str:
    when = datetime.fromtimestamp(at, UTC)
    who = f"{mail.sender_name} <{mail.sender}>".strip()
    if german:
        return f"Am {when:%d.%m.%Y} um {when:%H:%M} schrieb {who}:"
    return f"On {when:%a, %b} {when.day}, {when:%Y} at {when:%I:%M %p} {who} wrote:"


def _first(name: str) -> str:
    return name.split()[0] if name.split() else "there"
