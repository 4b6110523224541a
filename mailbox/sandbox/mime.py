"""Bytes of a mail in and out. Reading never raises, however broken the mail is."""

from __future__ import annotations

import base64
import binascii
import email
import quopri
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message, MIMEPart
from email.parser import BytesHeaderParser
from email.policy import SMTP, compat32
from email.utils import getaddresses
from functools import cached_property, lru_cache
from html import unescape
from typing import cast

People = tuple[tuple[str, str], ...]
MAX_HEADERS = 262_144
MAX_DEPTH = 60
MAX_REMEMBERED = 65_536
_ID = re.compile(r"<[^<>\s]+>")
_ALTERNATIVE = re.compile(r"multipart/alternative;\s*boundary=\"?(?P<boundary>[\w=.-]{3,70})\"?", re.I)
_TEXT_PART = re.compile(
    rb"content-transfer-encoding: (?P<coding>base64|quoted-printable|7bit|8bit)\r\n"
    rb"content-type: text/(?P<kind>plain|html); charset=\"?utf-8\"?(?:\r\nmime-version: 1.0)?"
)
_NAME = re.compile(r"[!-9;-~]+")
_ADDRESS = r"[A-Za-z0-9._+=-]+@[A-Za-z0-9.-]+"
_PERSON = re.compile(
    rf"(?:\"(?P<quoted>[^\"\\]*)\"|(?P<plain>[A-Za-z0-9 ]*))\s*<(?P<named>{_ADDRESS})>|(?P<bare>{_ADDRESS})"
)
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S | re.I)


class Mail:
    """What the sandbox needs of a mail. Addresses are lower case; ids keep their angle brackets.

    The headers are read at once, the body when somebody asks for it: most mails only pass through.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.headers = _headers(raw)
        self._first: dict[str, str] = {}
        for name, value in self.headers:
            self._first.setdefault(name.lower(), value)
        self.message_id = next(iter(_ID.findall(self._first.get("message-id", ""))), "")
        self.subject = self._first.get("subject", "")
        named = self._first.get("references", ""), self._first.get("in-reply-to", "")
        self.references = tuple(dict.fromkeys(one for ids in named for one in _ID.findall(ids)))

    @cached_property
    def to(self) -> People:
        return self._people("to")

    @cached_property
    def cc(self) -> People:
        return self._people("cc")

    @cached_property
    def bcc(self) -> People:
        return self._people("bcc")

    @cached_property
    def _from(self) -> tuple[str, str]:
        return next(iter(self._people("from")), ("", ""))

    @property
    def sender(self) -> str:
        return self._from[1]

    @property
    def sender_name(self) -> str:
        return self._from[0]

    @cached_property
    def recipients(self) -> tuple[str, ...]:
        """Every address the mail goes to, once each, in order."""
        return tuple(dict.fromkeys(address for _, address in (*self.to, *self.cc, *self.bcc)))

    @cached_property
    def _bodies(self) -> tuple[str, str]:
        return simple_bodies(self._raw, self.header("Content-Type")) or bodies(message_of(self._raw))

    @property
    def text(self) -> str:
        return self._bodies[0]

    @property
    def html(self) -> str:
        return self._bodies[1]

    @cached_property
    def plain(self) -> str:
        """Its words: the text part, or the HTML part without its tags."""
        return self.text or as_text(self.html)

    @property
    def content_type(self) -> str:
        given = self.header("Content-Type").partition(";")[0].strip().lower()
        return given if given.count("/") == 1 else "text/plain"

    def header(self, name: str) -> str:
        """The first value of a header, '' without one."""
        return self._first.get(name.lower(), "")

    def _people(self, name: str) -> People:
        values = [value for key, value in self.headers if key.lower() == name and value]
        if len(values) == 1 and (simple := _PERSON.fullmatch(values[0])):
            address = simple["named"] or simple["bare"]
            return (((simple["quoted"] or simple["plain"] or "").strip(), address.lower()),)
        return _addresses(message_of(_split(self._raw)[0] + b"\r\n\r\n"), name) if values else ()


def parse(raw: bytes) -> Mail:
    """Read a mail. Small ones are remembered: the same bytes are asked for several times in a row."""
    return _remembered(raw) if len(raw) < MAX_REMEMBERED else Mail(raw)


@lru_cache(maxsize=2048)
def _remembered(raw: bytes) -> Mail:
    return Mail(raw)


def _headers(raw: bytes) -> People:
    """Every header in order, decoded. Plain ones are split here, all others are left to the library."""
    head = _split(raw)[0]
    if len(head) <= MAX_HEADERS and head.isascii() and b"=?" not in head:
        found = []
        for line in _header_lines(head):
            name, colon, value = line.decode("ascii").partition(":")
            if not colon or not _NAME.fullmatch(name):
                break
            found.append((name, re.sub(r"\r?\n[ \t]*", " ", value).strip()))
        else:
            return tuple(found)
    return tuple((name, decoded(str(value))) for name, value in message_of(raw).items())


@dataclass(frozen=True)
class File:
    """A file that hangs on a mail."""

    name: str
    content_type: str
    content: bytes


def files_of(raw: bytes) -> tuple[File, ...]:
    """What hangs on a mail, in order."""
    if b"attachment" not in raw.lower():
        return ()
    return tuple(
        File(
            part.get_filename() or "",
            part.get_content_type(),
            cast(bytes, part.get_payload(decode=True) or b""),
        )
        for part in message_of(raw).walk()
        if part.get_content_disposition() == "attachment"
    )


def file_part(file: File) -> bytes:
    """The file as a part of a mail."""
    kind, _, form = file.content_type.partition("/")
    part = MIMEPart(policy=SMTP)
    part.set_content(
        file.content,
        kind or "application",
        form or "octet-stream",
        disposition="attachment",
        filename=file.name,
    )
    return part.as_bytes()


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


def simple_bodies(raw: bytes, content_type: str) -> tuple[str, str] | None:
    """The same of a mail of flat UTF-8 alternatives, the way most are written; None for any other."""
    found = _ALTERNATIVE.fullmatch(content_type)
    if not found:
        return None
    mark = b"--" + found["boundary"].encode()
    cut = _split(raw)[2].split(mark)
    if len(cut) < 3 or cut[0].strip() or not cut[-1].startswith(b"--"):
        return None
    texts: dict[str, str] = {}
    for part in cut[1:-1]:
        head, blank, body = _split(part)
        kind = _TEXT_PART.fullmatch(b"\r\n".join(sorted(_header_lines(head))).lower())
        if not kind or not blank:
            return None
        name, coding = kind["kind"].decode(), kind["coding"]
        if coding == b"base64":
            try:
                data = base64.b64decode(body)
            except binascii.Error:
                return None
        elif coding == b"quoted-printable":
            data = quopri.decodestring(_without_last_break(body))
        else:
            data = _without_last_break(body)
        texts.setdefault(name, data.decode("utf-8", "replace"))
    return texts.get("plain", ""), texts.get("html", "")


def _without_last_break(body: bytes) -> bytes:
    """The line break before a boundary belongs to the boundary."""
    return body.removesuffix(b"\n").removesuffix(b"\r")


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


def with_html(raw: bytes, html: str) -> bytes:
    """The same headers over another text, as a mail program writes it anew."""
    kind = {"Content-Type": 'text/html; charset="utf-8"', "Content-Transfer-Encoding": "base64"}
    head, separator, _ = _split(with_headers(raw, kind))
    return head + separator + base64.encodebytes(html.encode()).replace(b"\n", b"\r\n")


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


def _addresses(message: Message, name: str) -> People:
    values = [re.sub(r"\s+", " ", str(value)) for value in message.get_all(name, [])]
    return tuple((decoded(label), address.lower()) for label, address in getaddresses(values) if address)


def _decode(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset, "replace")
    except (LookupError, ValueError):
        return data.decode("utf-8", "replace")
