"""A mail on its way out: checked for what must not stand in a header, and written as MIME."""

from __future__ import annotations

import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy

from mailbox.errors import Refused
from mailbox.types import OutgoingEmail

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


_POLICY = _Policy(linesep="\r\n", max_line_length=78, raise_on_defect=False)


def check(mail: OutgoingEmail) -> None:
    """Raise Refused for a mail that could say something else than it means (T19).

    One recipient, one sender, no control character in anything that becomes a header.
    """
    named = [mail.key, mail.sender_name, mail.to_name, mail.subject]
    if mail.thread is not None:
        named += [mail.thread.thread_id, mail.thread.last_sent_id, *mail.thread.references]
    named += [part for pair in mail.headers for part in pair]
    if any(map(_unfit, named)):
        raise Refused("header_injection", "a header holds a control character")
    for address in (mail.sender_address, mail.to_address):
        _ascii_address(address)
    for name, _ in mail.headers:
        if name.lower() in _OWN or not name.isascii() or not name.replace("-", "").isalnum():
            raise Refused("bad_header", "an extra header has a name that it must not have")


def as_mime(mail: OutgoingEmail) -> bytes:
    """The mail as RFC 5322 bytes for Gmail, which gives it the Date and the Message-ID. Raises Refused."""
    check(mail)
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = Address(mail.sender_name, addr_spec=_ascii_address(mail.sender_address))
        message["To"] = Address(mail.to_name, addr_spec=_ascii_address(mail.to_address))
        message["Subject"] = mail.subject
        message[KEY_HEADER] = mail.key
        if mail.thread is not None and mail.thread.references:
            ids = mail.thread.references
            kept = ids if len(ids) <= MOST_REFERENCES else (ids[0], *ids[1 - MOST_REFERENCES :])
            message["In-Reply-To"] = ids[-1]
            message["References"] = " ".join(kept)
        for name, value in mail.headers:
            message[name] = value
        message.set_content(mail.text, cte="quoted-printable")
        if mail.html is not None:
            message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
        raw = message.as_bytes()
    except (ValueError, IndexError, LookupError) as problem:
        # UnicodeError is a ValueError: a lone surrogate, a machine header that is not ASCII.
        raise Refused("bad_message", type(problem).__name__) from problem
    if len(raw) > MOST_BYTES:
        raise Refused("too_large", f"{len(raw)} bytes")
    return raw


def _unfit(text: str) -> bool:
    """Control characters, line and paragraph separators, lone surrogates."""
    return any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in text)


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
