"""The door to Google and Microsoft. Nothing else in the product calls them with a mailbox's token.

Each function raises only `mailbox.errors`, and NetworkInTransaction where the caller has a transaction
open. The mailbox's generation and its credential are read again right before each request is written;
where they are not what `mailbox` says, Disconnected is raised and nothing leaves. Nothing is recorded in
the product's tables, `Mailbox.full_reads` apart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from django.db.models import F

from mailbox import oauth, tokens
from mailbox.errors import Disconnected, Refused, Retry
from mailbox.limited_use import Purpose
from mailbox.models import Mailbox, Provider
from mailbox.providers import push_tokens
from mailbox.providers.base import Gone, ProviderClient, Stale, Unauthorized
from mailbox.providers.gmail import Gmail
from mailbox.providers.graph import Graph
from mailbox.providers.transport import line
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

PROVIDERS: dict[str, type[Gmail] | type[Graph]] = {Provider.GOOGLE: Gmail, Provider.MICROSOFT: Graph}

T = TypeVar("T")
logger = logging.getLogger(__name__)


def ready(mailbox: Mailbox) -> None:
    """Have a valid token in hand, before `submitting` is committed (providers.md 3.3 rule 3)."""
    tokens.access(mailbox)


def prepare(mailbox: Mailbox, mail: OutgoingEmail) -> Draft:
    """Lay a mail down as a draft. Raises Retry (an orphan draft may remain), Refused, Disconnected."""
    return _run(mailbox, lambda client: client.prepare(mail))


def submit(mailbox: Mailbox, draft: Draft, *, deadline: float | None = None) -> SentEmail | None:
    """Let a draft leave, once. `deadline` (monotonic): after it nothing is written any more.

    None, and a SentEmail without `message_id`: accepted, ask `confirm` for the ids. Retry, Refused and
    Disconnected: certainly not accepted. Uncertain: nobody knows before `outcome` has looked.
    """
    try:
        return _once(mailbox, lambda client: client.submit(draft, not_after=deadline), draft.draft_id)
    except Unauthorized as refused:
        # Not accepted. One refresh, and a look whether the new token lives: then the next fence sends.
        _run(mailbox, lambda client: client.probe())
        raise Retry("token_refreshed", str(refused), after=1) from refused


def confirm(
    mailbox: Mailbox,
    draft: Draft,
    *,
    key: str,
    to_address: str,
    attempted_at: datetime,
    provider_id: str = "",
) -> SentEmail | None:
    """The ids of an accepted mail, or None while its sent copy cannot be seen.

    `provider_id`, where `submit` gave one, makes the look cheaper.
    """
    return _run(
        mailbox,
        lambda client: client.confirm(
            draft, key=key, to_address=to_address, attempted_at=attempted_at, provider_id=provider_id
        ),
    )


def outcome(mailbox: Mailbox, draft: Draft, *, key: str, to_address: str, attempted_at: datetime) -> Outcome:
    """What became of an uncertain submit; after the settle time only (providers.md 3.7)."""
    return _run(
        mailbox,
        lambda client: client.outcome(draft, key=key, to_address=to_address, attempted_at=attempted_at),
    )


def is_edited(mailbox: Mailbox, draft: Draft, mail: OutgoingEmail) -> bool:
    """Whether somebody changed the draft that `prepare` made of `mail` (F43). Raises Retry, Disconnected.

    One look without the text where nobody saved it since; only another version has the text read and
    compared, because a draft that was merely opened is saved anew too. False for a draft of unknown version
    and for one that is gone: of those the submit tells.
    """
    if not draft.version:
        return False
    try:
        if _run(mailbox, lambda client: client.version(draft)) in ("", draft.version):
            return False
        _count_full_read(mailbox, Purpose.OUR_OWN_DRAFT)
        return not _run(mailbox, lambda client: client.reads_as(draft, mail))
    except Refused as refused:
        # A look that is refused says nothing against the mail.
        raise Retry(refused.reason, refused.detail) from refused


def find_ours(mailbox: Mailbox, key: str, *, to_address: str) -> tuple[Draft, ...]:
    """The drafts that carry this key: what a crash between creating and storing left behind (F3)."""
    return _run(mailbox, lambda client: client.find(key, to_address=to_address))


def discard(mailbox: Mailbox, draft: Draft) -> None:
    """Delete an unused draft; one that is gone is fine, and a sent mail is never deleted."""
    _run(mailbox, lambda client: client.discard(draft))


def headers_since(mailbox: Mailbox, cursor: Cursor | None) -> HeaderPage:
    """Headers since the cursor (None: since connecting), without bodies. Raises Retry, Disconnected."""
    return _run(mailbox, lambda client: client.headers_since(cursor, connected_at=mailbox.connected_at))


def look_again(mailbox: Mailbox, cursor: Cursor, since: datetime) -> Cursor:
    """`cursor`, leading once more past what came from `since` on, where the mailbox's own is behind that.

    No call is made, and nothing of those mails need be kept.
    """
    seen = Cursor(mailbox.cursor) if mailbox.cursor else None
    return PROVIDERS[mailbox.provider].look_again(cursor, since, seen=seen)


def headers_in(mailbox: Mailbox, thread_id: str) -> tuple[InboundHeader, ...]:
    """Headers of one of our conversations, wherever its mails lie. Raises Retry, Disconnected."""
    return _run(mailbox, lambda client: client.headers_in(thread_id))


def conversations(mailbox: Mailbox, thread_ids: Sequence[str]) -> tuple[InboundHeader, ...]:
    """Headers of every mail in these conversations of ours, to compare. Raises Retry, Disconnected."""
    return _run(mailbox, lambda client: client.conversations(thread_ids))


def watch(mailbox: Mailbox, known: str, *, to: str, secret: str) -> Watch | None:
    """Have the provider tell us of new mail (mailbox/watches.py). Raises Retry, Refused, Disconnected."""
    return _run(mailbox, lambda client: client.watch(known, to=to, secret=secret))


def is_google_push(token: str) -> bool:
    """Whether Google signed this for our endpoint, by our push account. Raises Retry without its keys."""
    return push_tokens.is_ours(token)


def fetch(
    mailbox: Mailbox,
    provider_id: str,
    *,
    purpose: Purpose,
    limit: int = 1024 * 1024,
    header: InboundHeader | None = None,
) -> InboundEmail:
    """Read one mail in full, for a stated purpose; at most its first `limit` bytes.

    The caller has decided by its headers that it belongs to one of our threads; with `header` they are not
    asked for again. Raises Refused("gone") for a mail that is not there any more.
    """
    if not isinstance(purpose, Purpose):
        raise TypeError("a full read names its purpose")
    _count_full_read(mailbox, purpose)
    return _run(mailbox, lambda client: client.fetch(provider_id, limit=limit, header=header))


def _count_full_read(mailbox: Mailbox, purpose: Purpose) -> None:
    """Before the call: the figure that a person sees may be too high, never too low."""
    Mailbox.objects.filter(pk=mailbox.pk).update(full_reads=F("full_reads") + 1)
    logger.info("full read in mailbox %s for %s", mailbox.pk, purpose.value)


def _run(mailbox: Mailbox, act: Callable[[ProviderClient], T]) -> T:
    """One verb other than the send. A token that is not taken is refreshed once, and the verb begins anew."""
    try:
        return _once(mailbox, act, None)
    except Unauthorized:
        pass
    try:
        return _once(mailbox, act, None)
    except Unauthorized as refused:
        raise Disconnected("unauthorized", str(refused)) from refused


def _once(mailbox: Mailbox, act: Callable[[ProviderClient], T], draft_id: str | None) -> T:
    access = tokens.access(mailbox)
    provider = PROVIDERS[mailbox.provider]
    with line(
        (mailbox.pk, mailbox.generation),
        token=access.token,
        check=lambda: _check(mailbox),
        draft_id=draft_id,
        serial=provider.serial,
    ) as held:
        try:
            return act(provider(held))
        except Unauthorized as refused:
            tokens.reject(mailbox, access, claims=refused.claims)
            raise
        except Gone as gone:
            raise Refused("gone", str(gone)) from gone
        except Stale as stale:
            raise Retry("stale", str(stale)) from stale


def _check(mailbox: Mailbox) -> None:
    """Raise Disconnected or Retry unless the mailbox is still the one that the caller holds (F14)."""
    if not oauth.is_living(mailbox):
        raise oauth.broken_link(mailbox)
