"""Bytes of a mail in and out. Reading never raises, however broken the mail is."""

from __future__ import annotations

import email
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses
from functools import lru_cache
from html import unescape

MAX_HEADERS = 262_144
MAX_DEPTH = 60
MAX_REMEMBERED = 65_536
_ID = re.compile(r"<[^<>\s]+>")
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S | re.I)


@dataclass(frozen=True)
class Mail:
    """What the sandbox needs of a mail. Addresses are lower case; ids keep their angle brackets."""

    message_id: str
    subject: str
    sender: str
    sender_name: str
    to: tuple[tuple[str, str], ...]
    cc: tuple[tuple[str, str], ...]
    bcc: tuple[tuple[str, str], ...]
    references: tuple[str, ...]
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address the mail goes to, once each, in order."""
        return tuple(dict.fromkeys(address for _, address in (*self.to, *self.cc, *self.bcc)))

    def header(self, name: str) -> str:
        """The first value of a header, '' without one."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def plain(self) -> str:
        """Its words: the text part, or the HTML part without its tags."""
        return self.text or as_text(self.html)


def parse(raw: bytes) -> Mail:
    """Read a mail. Small ones are remembered: the same bytes are asked for several times in a row."""
    return _remembered(raw) if len(raw) < MAX_REMEMBERED else _parse(raw)


def _parse(raw: bytes) -> Mail:
    message = message_of(raw)
    headers = tuple((name, decoded(str(value))) for name, value in message.items())
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name.lower(), value)
    text, html = bodies(message)
    senders = _addresses(message, "from")
    named, address = senders[0] if senders else ("", "")
    ids = _ID.findall(first.get("references", "")) + _ID.findall(first.get("in-reply-to", ""))
    return Mail(
        message_id=next(iter(_ID.findall(first.get("message-id", ""))), ""),
        subject=first.get("subject", ""),
        sender=address,
        sender_name=named,
        to=_addresses(message, "to"),
        cc=_addresses(message, "cc"),
        bcc=_addresses(message, "bcc"),
        references=tuple(dict.fromkeys(ids)),
        headers=headers,
        text=text,
        html=html,
    )


@lru_cache(maxsize=512)
def _remembered(raw: bytes) -> Mail:
    return _parse(raw)


def message_of(raw: bytes) -> Message:
    """The mail as a tree; of one nested too deep to walk, only its headers."""
    try:
        message = email.message_from_bytes(raw, policy=compat32)
    except RecursionError:
        message = None
    if message is None or _too_deep(message):
        return BytesHeaderParser(policy=compat32).parsebytes(raw[:MAX_HEADERS])
    return message


def bodies(message: Message) -> tuple[str, str]:
    """First text/plain and first text/html part that is no attachment."""
    text = html = ""
    for part in message.walk():
        if part.is_multipart() or part.get_filename():
            continue
        kind = part.get_content_type()
        if kind == "text/plain" and not text:
            text = content(part)
        elif kind == "text/html" and not html:
            html = content(part)
    return text, html


def content(part: Message) -> str:
    return _decode(payload(part), part.get_content_charset() or "utf-8")


def payload(part: Message) -> bytes:
    """The decoded bytes of a leaf part."""
    try:
        data = part.get_payload(decode=True)
    except (ValueError, LookupError, MessageError):
        data = None
    return data if isinstance(data, bytes) else b""


def decoded(value: str) -> str:
    """A header's words in the clear, unfolded."""
    try:
        value = str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        value = value.encode("utf-8", "replace").decode("utf-8", "replace")
    return re.sub(r"\r?\n[ \t]*", " ", value).strip()


def as_text(html: str) -> str:
    broken = re.sub(r"<(br|/p|/div|/tr|/li)\b[^>]*>", "\n", html, flags=re.I)
    return re.sub(r"[ \t]*\n\s*\n\s*", "\n\n", unescape(_TAG.sub("", broken))).strip()


def with_headers(raw: bytes, changes: Mapping[str, str | None]) -> bytes:
    """The same bytes with some headers replaced, added or (None) left out; the body stays untouched."""
    lower = {name.lower(): value for name, value in changes.items()}
    head, separator, body = _split(raw)
    kept = [line for line in _header_lines(head) if _name(line) not in lower]
    new = [
        f"{name}: {value}".encode("utf-8", "replace") for name, value in changes.items() if value is not None
    ]
    return b"\r\n".join([*kept, *new]) + (separator or b"\r\n\r\n") + body


def without_headers(raw: bytes, known: frozenset[str]) -> bytes:
    """The same bytes with only the headers whose lower-case names are in `known`."""
    head, separator, body = _split(raw)
    kept = [line for line in _header_lines(head) if _name(line) in known]
    return b"\r\n".join(kept) + (separator or b"\r\n\r\n") + body


def base_subject(subject: str) -> str:
    """A subject without Re:, Fwd: and their like, for comparing."""
    return re.sub(r"^(?:(?:re|fwd?|aw|wg|sv|antw)\s*:\s*)+", "", subject.strip(), flags=re.I).strip().lower()


def _too_deep(message: Message) -> bool:
    level = [message]
    for _ in range(MAX_DEPTH):
        inner = [part.get_payload() for part in level if part.is_multipart()]
        level = [
            child
            for children in inner
            if isinstance(children, list)
            for child in children
            if isinstance(child, Message)
        ]
    return bool(level)


def _split(raw: bytes) -> tuple[bytes, bytes, bytes]:
    match = re.search(rb"\r?\n\r?\n", raw)
    if not match:
        return raw, b"", b""
    return raw[: match.start()], match.group(), raw[match.end() :]


def _header_lines(head: bytes) -> list[bytes]:
    lines: list[bytes] = []
    for line in re.split(rb"\r?\n", head):
        if line[:1] in (b" ", b"\t") and lines:
            lines[-1] += b"\r\n" + line
        elif line:
            lines.append(line)
    return lines


def _name(line: bytes) -> str:
    return line.split(b":", 1)[0].strip().lower().decode("ascii", "replace")


def _addresses(message: Message, name: str) -> tuple[tuple[str, str], ...]:
    values = [re.sub(r"\s+", " ", str(value)) for value in message.get_all(name, [])]
    return tuple((decoded(label), address.lower()) for label, address in getaddresses(values) if address)


def _decode(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
