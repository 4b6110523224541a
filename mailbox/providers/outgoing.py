"""A mail on its way out: checked for what must not stand in a header, and written as MIME."""

from __future__ import annotations

import binascii
import re
import unicodedata
from email.headerregistry import Address
from email.message import MIMEPart
from email.policy import EmailPolicy

from mailbox.errors import Refused
from mailbox.types import OutgoingEmail, OutgoingFile

KEY_HEADER = "X-Outreach-Id"
MOST_BYTES = 25 * 1024 * 1024
MOST_REFERENCES = 12
_LINE = 900
# Headers that machines compare: an encoded word in the middle of an id or an address would break them.
_MACHINE = frozenset({"in-reply-to", "references", "list-unsubscribe", "list-unsubscribe-post"})
_OWN = frozenset({"from", "to", "cc", "bcc", "subject", "sender", "date", "message-id", "reply-to"})


class _Policy(EmailPolicy):
    """SMTP's policy, but machine headers are never encoded and are folded at spaces only."""

    def fold(self, name: str, value: str) -> str:
        return self._machine(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return self._machine(name, value).encode("ascii") or super().fold_binary(name, value)

    def _machine(self, name: str, value: str) -> str:
        if name.lower() not in _MACHINE and not name.lower().startswith("x-"):
            return ""
        lines = [f"{name}:"]
        for word in str(value).split():
            if len(lines[-1]) > 1 and len(lines[-1]) + len(word) > _LINE:
                lines.append("")
            lines[-1] += f" {word}"
        return self.linesep.join(lines) + self.linesep


# Written as they are: words of plain letters, addresses that need no quotes, text that needs no folding.
_FOLD = 78
# Bytes of an encoded word: 52 characters of base64, 12 around them, and "Subject: " before the first.
_WORD = 39
_ENCODING = "Content-Transfer-Encoding: quoted-printable"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9]*(?: [A-Za-z0-9]+)*")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PLAIN_VALUE = re.compile(r"[!-~]+(?: [!-~]+)*")
# A message or a part of several would be read as more than a file.
_FILE_TYPE = re.compile(
    r"(?!message/|multipart/)[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}"
)
_POLICY = _Policy(linesep="\r\n", max_line_length=78, raise_on_defect=False)


def check(mail: OutgoingEmail) -> None:
    """Raise Refused for a mail that could say something else than it means (T19).

    One recipient, one sender, no control character in anything that becomes a header.
    """
    named = [mail.key, mail.sender_name, mail.to_name, mail.subject]
    if mail.thread is not None:
        named += [mail.thread.thread_id, mail.thread.last_sent_id, *mail.thread.references]
    named += [part for pair in mail.headers for part in pair]
    named += [file.name for file in mail.files]
    if any(map(_unfit, named)):
        raise Refused("header_injection", "a header holds a control character")
    for address in (mail.sender_address, mail.to_address):
        _ascii_address(address)
    for name, _ in mail.headers:
        if name.lower() in _OWN or not name.isascii() or not name.replace("-", "").isalnum():
            raise Refused("bad_header", "an extra header has a name that it must not have")
    for file in mail.files:
        if not _FILE_TYPE.fullmatch(file.content_type):
            raise Refused("bad_attachment", "a file has a type that no attachment has")


def as_mime(mail: OutgoingEmail) -> bytes:
    """The mail as RFC 5322 bytes for Gmail, which gives it the Date and the Message-ID. Raises Refused.

    What `email` would write, part for part (a test holds the two together), at a tenth of its cost: headers
    of plain letters are written as they are, and only the others go through its policy.
    """
    check(mail)
    try:
        headers = [
            _person("From", mail.sender_name, _ascii_address(mail.sender_address)),
            _person("To", mail.to_name, _ascii_address(mail.to_address)),
            _header("Subject", mail.subject),
            _header(KEY_HEADER, mail.key),
        ]
        if mail.thread is not None and mail.thread.references:
            ids = mail.thread.references
            kept = ids if len(ids) <= MOST_REFERENCES else (ids[0], *ids[1 - MOST_REFERENCES :])
            headers.append(_header("In-Reply-To", ids[-1]))
            headers.append(_header("References", " ".join(kept)))
        headers += [_header(name, value) for name, value in mail.headers]
        raw = "".join(headers).encode("ascii") + _content(mail)
    except (ValueError, IndexError, LookupError) as problem:
        # UnicodeError is a ValueError: a lone surrogate, a machine header that is not ASCII.
        raise Refused("bad_message", type(problem).__name__) from problem
    if len(raw) > MOST_BYTES:
        raise Refused("too_large", f"{len(raw)} bytes")
    return raw


def _content(mail: OutgoingEmail) -> bytes:
    """The rest of the headers, the text, once or in two kinds, and the files behind it."""
    version = b"MIME-Version: 1.0\r\n"
    if not mail.files:
        return version + _text(mail)
    line = f"=_files_{mail.key}".encode("ascii")
    kind = b'Content-Type: multipart/mixed; boundary="' + line + b'"\r\n\r\n'
    parts = [_text(mail), *map(_file, mail.files)]
    return (
        version
        + kind
        + b"".join(b"--" + line + b"\r\n" + part + b"\r\n" for part in parts)
        + (b"--" + line + b"--\r\n")
    )


def _file(file: OutgoingFile) -> bytes:
    kind, _, form = file.content_type.partition("/")
    part = MIMEPart(policy=_POLICY)
    # Of an encoded word in a name, too, `email` would write what it says.
    name = file.name.replace("=?", "=_")
    part.set_content(file.content, kind, form, disposition="attachment", filename=name)
    return part.as_bytes()


def _text(mail: OutgoingEmail) -> bytes:
    plain = _part("plain", mail.text)
    if mail.html is None:
        return plain
    # "=_" cannot stand in quoted-printable text, so that no text can end a part.
    line = f"=_{mail.key}".encode("ascii")
    kind = b'Content-Type: multipart/alternative; boundary="' + line + b'"\r\n\r\n'
    # The line break before a boundary belongs to the boundary (RFC 2046, 5.1.1).
    parts = b"".join(b"--" + line + b"\r\n" + part + b"\r\n" for part in (plain, _part("html", mail.html)))
    return kind + parts + b"--" + line + b"--\r\n"


def _part(kind: str, text: str) -> bytes:
    lines = b"\r\n".join(text.encode("utf-8").splitlines()) + b"\r\n"
    head = (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    )
    return head.encode("ascii") + binascii.b2a_qp(lines, istext=True)


def _person(name: str, display: str, address: str) -> str:
    line = f"{name}: {display} <{address}>\r\n" if display else f"{name}: {address}\r\n"
    longer = len(line) + 2 + display.count('"') + display.count("\\") > _FOLD
    if (
        display
        and not _PLAIN_NAME.fullmatch(display)
        and (longer or "=?" in display or not display.isascii())
    ):
        # `email` loses quotes where it folds, and keeps what looks like a word: either reads as other people.
        return f"{name}: {_as_words(display)}\r\n <{address}>\r\n"
    plain = _PLAIN_NAME.fullmatch(display) and _PLAIN_ADDRESS.fullmatch(address)
    return line if plain and len(line) <= _FOLD else _folded(name, Address(display, addr_spec=address))


def _as_words(text: str) -> str:
    """Encoded words (RFC 2047), each of whole letters, in lines of 76 characters with the longest name."""
    pieces = [b""]
    for letter in text:
        piece = letter.encode("utf-8")
        if len(pieces[-1]) + len(piece) > _WORD:
            pieces.append(b"")
        pieces[-1] += piece
    words = (binascii.b2a_base64(piece, newline=False).decode("ascii") for piece in pieces)
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def _header(name: str, value: str) -> str:
    line = f"{name}: {value}\r\n"
    machine = name.lower() in _MACHINE or name.lower().startswith("x-")
    if ("=?" in value or not value.isascii()) and not machine:
        # `email` would read the words in it before it writes them: a line break and a header among them. And
        # where words of letters and others take turns, it folds some in their middle.
        return f"{name}: {_as_words(value)}\r\n"
    if len(line) <= _FOLD and _PLAIN_VALUE.fullmatch(value) and "=?" not in value:
        return line
    return _folded(name, value)


def _folded(name: str, value: str | Address) -> str:
    return _POLICY.fold(*_POLICY.header_store_parse(name, value))


def _unfit(text: str) -> bool:
    """Control characters, line and paragraph separators, lone surrogates."""
    # Printable text holds none of them, and needs no look at each letter.
    return not text.isprintable() and any(
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text
    )


def _ascii_address(address: str) -> str:
    """The address with its domain in ASCII. Raises Refused unless it is one plain address."""
    local, at, domain = address.rpartition("@")
    plain = local and at and domain and not any(c.isspace() or c in '<>,;:()[]"\\@' for c in local + domain)
    if not plain or _unfit(address) or not local.isascii() or len(address) > 320:
        raise Refused("bad_address", "an address is not a plain address")
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError as problem:
        raise Refused("bad_address", "a domain cannot be written in ASCII") from problem
