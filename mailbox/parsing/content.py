"""What a mail says: its text, its HTML and the names of what hangs on it. Never raises, never decodes more
than the limits below, however large the mail is (faults.md F33, F34)."""

from __future__ import annotations

from dataclasses import dataclass

from mailbox.parsing import html, mime, text

MAX_TEXT = 256 * 1024  # characters
MAX_HTML = 512 * 1024
MAX_ATTACHMENTS = 100
_ALTERNATIVES = ("text/plain", "text/html")


@dataclass(frozen=True)
class Attachment:
    """`size` in bytes, computed from the encoded length."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True)
class Content:
    """`html` is as the sender wrote it: never show it without `html.clean`.

    `truncated`: something of the mail was left out of `text`, `html` or `attachments`.
    """

    text: str
    html: str
    attachments: tuple[Attachment, ...]
    truncated: bool
    headers: mime.Headers


def read_content(raw: bytes) -> Content:
    """The first plain and the first HTML part that are no attachment; without a plain one, text from HTML."""
    mail = mime.read(raw)
    inline = [part for part in mail.parts if not part.attached]
    plain = _first_with_words(mail, inline, "text/plain")
    rich = _first_with_words(mail, inline, "text/html")
    words = mail.text(plain, MAX_TEXT) if plain else ""
    markup = mail.text(rich, MAX_HTML) if rich else ""
    if not words.strip() and markup:
        words = html.to_text(markup[:MAX_TEXT])
    attached = [part for part in mail.parts if part.attached or part.content_type not in _ALTERNATIVES]
    truncated = (
        mail.truncated
        or len(attached) > MAX_ATTACHMENTS
        or any(_longer(part, limit) for part, limit in ((plain, MAX_TEXT), (rich, MAX_HTML)) if part)
    )
    return Content(
        text=words,
        html=markup,
        attachments=tuple(_attachment(part) for part in attached[:MAX_ATTACHMENTS]),
        truncated=truncated,
        headers=mail.headers,
    )


def _first_with_words(mail: mime.Mail, parts: list[mime.Part], kind: str) -> mime.Part | None:
    found = [part for part in parts if part.content_type == kind]
    for part in found[:5]:
        if mail.text(part, 1024).strip():
            return part
    return found[0] if found else None


def _longer(part: mime.Part, limit: int) -> bool:
    """Whether a part may hold more than was read of it: an estimate that errs towards yes."""
    return part.size > limit


def _attachment(part: mime.Part) -> Attachment:
    name = part.filename.replace("/", "_").replace("\\", "_").strip()
    return Attachment(name or _unnamed(part), text.one_line(part.content_type, 100), part.size)


def _unnamed(part: mime.Part) -> str:
    if part.content_type == "message/rfc822":
        return "forwarded mail"
    return "unnamed"
