"""What a recipient gets of a mail, in a form that two spellings of one mail share.

A provider writes a mail anew when its draft is opened or saved: other line breaks, other tags, a text part
made from the HTML, links out of bare addresses. A person's edit changes who gets it, the subject, a word,
where a link leads, or what hangs on it. Formatting and pictures from elsewhere are not looked at: an edit of
those alone is not seen.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from mailbox.parsing import addresses, content, text
from mailbox.parsing import html as markup
from mailbox.types import OutgoingEmail

_PREFIX = re.compile(r"^\s*((re|aw|sv|antw|rv|tr|fw|fwd)\s*:\s*)+", re.IGNORECASE)
_RECIPIENTS = ("to", "cc", "bcc")
_LONGEST_SUBJECT = 4000


@dataclass(frozen=True)
class Face:
    """`words` is the visible text without white space; `links` what it does not spell out itself."""

    people: frozenset[str]
    subject: str
    words: str
    links: frozenset[str]
    attached: bool

    @classmethod
    def made(cls, *, people: Iterable[str], subject: str, text: str, html: str, attached: bool) -> Self:
        """`html` counts where there is some: it is what a mail program shows."""
        words = _close(markup.to_text(html) if html.strip() else text)
        return cls(
            people=frozenset(map(_address, people)),
            subject=_close(bare_subject(subject)),
            words=words,
            links=frozenset(link for link in _links(html) if link not in words),
            attached=attached,
        )


def of(mail: OutgoingEmail) -> Face:
    """Of the mail as we wrote it."""
    return Face.made(
        people=[mail.to_address],
        subject=mail.subject,
        text=mail.text,
        html=mail.html or "",
        attached=bool(mail.files),
    )


def of_raw(raw: bytes) -> Face:
    """Of a mail as it lies at a provider."""
    found = content.read_content(raw)
    values = [value for name in _RECIPIENTS for value in found.headers.all(name)]
    return Face.made(
        people=[one.address for value in values for one in addresses.read_addresses(value)],
        subject=text.decode_words(found.headers.get("subject"), _LONGEST_SUBJECT),
        text=found.text,
        html=found.html,
        attached=bool(found.attachments),
    )


def bare_subject(subject: str) -> str:
    """Without "Re:" and its like: a provider sets its own in front of an answer."""
    return _PREFIX.sub("", subject).strip()


def _links(html: str) -> Iterable[str]:
    root = markup.parse(html) if html.strip() else None
    for element in root.iter("a") if root is not None else ():
        target = _close(str(element.get("href") or "")).rstrip("/")
        if target and not target.lower().startswith("mailto:"):
            yield target


def _close(spelled: str) -> str:
    """Without white space and invisible marks, composed."""
    kept = unicodedata.normalize("NFC", "".join(spelled.split()))
    return "".join(one for one in kept if unicodedata.category(one) != "Cf")


def _address(spelled: str) -> str:
    local, at, domain = spelled.strip().lower().rpartition("@")
    try:
        return f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return f"{local}{at}{domain}"
