"""What a provider can do: fifteen verbs, and what each promises. `gmail.py` and `graph.py` keep it.

A new provider is one file, one line in `mailbox.gateway.PROVIDERS` and one line in tests/test_providers.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from mailbox.types import (
    Cursor,
    Draft,
    HeaderPage,
    InboundEmail,
    InboundHeader,
    Outcome,
    OutgoingEmail,
    SentEmail,
    Watch,
)


class Unauthorized(Exception):
    """The access token was not taken (401): nothing was done. The gateway refreshes once.

    `claims` is JSON that the next token must be fetched with (Microsoft's claims challenge), or "".
    """

    def __init__(self, detail: str = "", *, claims: str = "") -> None:
        super().__init__(detail)
        self.claims = claims


class Gone(Exception):
    """The thing asked for is not there (404): moved, deleted, sent, or not there yet."""


class Stale(Exception):
    """The cursor is too old or unknown: look again from the last good moment, within bounds."""


class ProviderClient(Protocol):
    """One mailbox at its provider, for one line (mailbox/providers/transport.py).

    Every verb raises Retry, Refused or Disconnected, or Unauthorized, which stops at the gateway.
    Only `submit` raises Uncertain, and only `submit` makes a mail leave.
    """

    def prepare(self, mail: OutgoingEmail) -> Draft:
        """Lay the mail down as a draft. A lost answer leaves an orphan, never a mail on its way."""

    def submit(self, draft: Draft, *, not_after: float | None) -> SentEmail | None:
        """Let the draft leave: one request, written at most once, not after `not_after` (monotonic).

        None: accepted, and the ids are to be had by `confirm`. Retry, Refused and Disconnected mean
        that the mail was certainly not accepted; everything else is Uncertain, 404 included.
        """

    def confirm(
        self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime, provider_id: str
    ) -> SentEmail | None:
        """The ids of an accepted mail's sent copy, or None while it cannot be seen yet.

        `provider_id` is what `submit` returned, or "".
        """

    def outcome(self, draft: Draft, *, key: str, to_address: str, attempted_at: datetime) -> Outcome:
        """What became of a submit whose answer was lost. To be asked after the settle time only.

        UNSENT: the draft lies there unused. SENT: a sent copy was seen; `copies` counts all of them.
        MISSING: neither, which proves nothing: the draft or the mail may have been deleted.
        """

    def version(self, draft: Draft) -> str:
        """The draft's version as it lies there, without its text; "" where it is no draft any more.

        Providers count more than edits: a draft that was opened, or moved to a server, may be another one.
        """

    def reads_as(self, draft: Draft, mail: OutgoingEmail) -> bool:
        """Whether a recipient would get of the draft what `mail` says (mailbox/providers/likeness.py).

        Reads the draft's text. True where it is no draft any more: there is nothing to differ.
        """

    def find(self, key: str, *, to_address: str) -> tuple[Draft, ...]:
        """Drafts that carry our key. Other people's drafts are told apart without their bodies."""

    def discard(self, draft: Draft) -> None:
        """Delete a draft that was not used. A sent copy is never deleted; a draft that is gone is fine."""

    def headers_since(self, cursor: Cursor | None, *, connected_at: datetime) -> HeaderPage:
        """Headers of the mails that came since the cursor, never a body.

        Without a cursor, and where the cursor is dead, a search bounded by `connected_at` and the
        cursor's own time fills the gap. One call may stop before the end: the returned cursor goes on.
        """

    @staticmethod
    def look_again(cursor: Cursor, since: datetime, *, seen: Cursor | None) -> Cursor:
        """`cursor`, with the order to go once more through what came from `since` on; no call is made.

        Only where a look that ended with `seen` had already been at newer mail; else `cursor` as it is.
        """

    def headers_in(self, thread_id: str) -> tuple[InboundHeader, ...]:
        """Headers of one conversation's mails that `headers_since` may have passed over, never a body:
        a rule of the user can move a mail before anybody looks."""

    def conversations(self, thread_ids: Sequence[str]) -> tuple[InboundHeader, ...]:
        """Headers of every mail in these conversations, our own among them, wherever they lie; never a body
        and no draft. A conversation that is gone has none."""

    def fetch(self, provider_id: str, *, limit: int, header: InboundHeader | None) -> InboundEmail:
        """One mail in full, its first `limit` bytes; its headers are asked for where they are not known.

        Raises Gone."""

    def watch(self, known: str, *, to: str, secret: str) -> Watch | None:
        """Have the provider tell us of new mail, or go on telling: `known` is the name of the last promise.

        `to` is our address for it, `secret` what it is to repeat there, where the provider takes those. None
        where the operator has not set up what it needs. A promise of which nobody knows any more lapses.
        """

    def probe(self) -> None:
        """The cheapest call that needs a valid token; for telling a dead grant from an old token."""
