"""What crosses the border of this app: frozen dataclasses, in the product's words, not a provider's."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import NewType

from mailbox.errors import Retry

Cursor = NewType("Cursor", str)  # opaque; only the provider that made it can read it


@dataclass(frozen=True)
class ThreadRef:
    """The conversation a mail joins.

    `thread_id` is the provider's; `last_sent_id` the provider's id of our newest sent copy in it;
    `references` are RFC 5322 Message-IDs with angle brackets, oldest first, the newest last.
    """

    thread_id: str
    last_sent_id: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class OutgoingFile:
    """A file that hangs on a mail. `content_type` is like "image/png"; `content` are its bytes."""

    name: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class OutgoingEmail:
    """One mail to one recipient, final: nothing is rendered after this.

    `key` is the row's stable id (lower-case UUID), put on the mail as X-Outreach-Id and, at
    Microsoft, as an extended property. `html` is None for a text-only mail. `headers` are extra
    headers such as List-Unsubscribe; a provider leaves out those it cannot carry.
    """

    key: str
    sender_address: str
    sender_name: str
    to_address: str
    to_name: str
    subject: str
    text: str
    html: str | None
    headers: tuple[tuple[str, str], ...] = ()
    thread: ThreadRef | None = None
    files: tuple[OutgoingFile, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A mail that lies in the mailbox's drafts; using it to send is one way.

    `version` changes whenever the draft is saved; only the provider that made it can read it, "" is unknown.
    """

    draft_id: str
    thread_id: str
    message_id: str = ""
    version: str = ""


@dataclass(frozen=True)
class SentEmail:
    """The provider's sent copy. `message_id` is the RFC 5322 Message-ID the provider stamped."""

    provider_id: str
    thread_id: str
    message_id: str


class Verdict(enum.Enum):
    """What a look after the settle time found (providers.md 3.7)."""

    UNSENT = "unsent"
    SENT = "sent"
    MISSING = "missing"


@dataclass(frozen=True)
class Outcome:
    """`sent` is set for SENT. `copies` above 1 means that the provider doubled one submit (F45)."""

    verdict: Verdict
    sent: SentEmail | None = None
    copies: int = 0


@dataclass(frozen=True)
class InboundHeader:
    """Headers of one mail in the mailbox, fetched without its body.

    `headers` holds (name, value) pairs in order. `own` is true for the account's own sent copies
    and drafts. `received_at` has a time zone.
    """

    provider_id: str
    thread_id: str
    message_id: str
    in_reply_to: str
    references: tuple[str, ...]
    from_address: str
    from_name: str
    to: str
    subject: str
    received_at: datetime
    own: bool
    size: int = 0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class InboundEmail:
    """A mail fetched in full, for a stated purpose."""

    header: InboundHeader
    raw: bytes = field(repr=False)
    truncated: bool = False


@dataclass(frozen=True)
class HeaderPage:
    """New mails since a cursor, all pages together. `resynced`: the cursor was dead and bounded
    search filled the gap. `more`: the look ended before the end, the cursor goes on there; `stopped`:
    what ended it, where a call got no answer. Store `cursor` only after everything in `headers` is
    committed."""

    headers: tuple[InboundHeader, ...]
    cursor: Cursor
    resynced: bool = False
    more: bool = False
    stopped: Retry | None = None


@dataclass(frozen=True)
class Watch:
    """The provider tells us of new mail until `until`. `name`: its own name of the promise, "" at Google."""

    name: str
    until: datetime


@dataclass(frozen=True)
class Access:
    """A usable access token for one mailbox, valid until `expires_at`."""

    token: str = field(repr=False)
    expires_at: datetime
    address: str


@dataclass(frozen=True)
class Connection:
    """What a finished authorization gives: identity, granted scopes and the secret to store.

    `subject` is the provider's stable account id (Google `sub`, Microsoft `tid.oid`), never the
    address. `secret` is Google's refresh token or Microsoft's serialized token cache.
    """

    provider: str
    subject: str
    address: str
    name: str
    scopes: tuple[str, ...]
    secret: str = field(repr=False)
    access_token: str = field(repr=False)
    expires_at: datetime
