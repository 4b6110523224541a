"""The reply stage: what is new in a mailbox, headers first, bodies only of our own conversations.

One poll at a time per mailbox. The cursor moves in the transaction of the last mails, after all pages, so
that a crash repeats work and loses none; a mail that is already stored is skipped (faults.md 4.3).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import logging
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.clock import Now
from accounts.encryption import seal
from mailbox import gateway, health
from mailbox.errors import Disconnected, MailboxError, Refused, Retry
from mailbox.models import USABLE, Mailbox, MailboxState
from mailbox.types import Cursor, HeaderPage, InboundEmail, InboundHeader
from outreach import arrivals, threads
from outreach.models import Reply

log = logging.getLogger(__name__)
# Mails whose parsed text is held in memory at once.
PORTION = 25
# Conversations asked about by name in one look, and how long before their next mail is due.
MOST_FOLLOWED = 30
FOLLOWED_WITHIN = dt.timedelta(minutes=5)
# More than this of one mail is not fetched; the rest is shown as cut off (F34).
MOST_BYTES = 2 * 1024 * 1024


class Polled(enum.Enum):
    """What a call of `poll` did."""

    DONE = "done"
    BUSY = "busy"
    WAITS = "waits"
    BROKEN = "broken"


def due() -> Q:
    """Mailboxes whose poll is due and that nobody polls now."""
    return (
        Q(state__in=USABLE)
        & (Q(next_poll_at__isnull=True) | Q(next_poll_at__lte=Now()))
        & (Q(poll_lease_until__isnull=True) | Q(poll_lease_until__lte=Now()))
    )


def poll(mailbox: Mailbox) -> Polled:
    """Look once. Never raises a MailboxError: the mailbox's row says what happened."""
    if not health.may_be_called(mailbox):
        return Polled.WAITS
    if not _take_lease(mailbox):
        return Polled.BUSY
    pause = float(settings.POLL_SECONDS)
    try:
        mailbox.refresh_from_db()
        page = gateway.headers_since(mailbox, Cursor(mailbox.cursor) if mailbox.cursor else None)
        _take_in(mailbox, dataclasses.replace(page, headers=_with_followed(mailbox, page)))
        pause = 0.0 if page.more else settings.POLL_SECONDS
    except Disconnected as error:
        health.broke(mailbox, error)
        return Polled.BROKEN
    except Retry as error:
        health.wait(mailbox, error)
        return Polled.WAITS
    except MailboxError as error:
        # A reading that told nothing: the cursor stays, the next poll begins at the same place.
        log.warning("poll of mailbox %s: %s", mailbox.pk, error.reason)
        return Polled.WAITS
    finally:
        Mailbox.objects.filter(pk=mailbox.pk).update(
            poll_lease_until=None, next_poll_at=Now() + dt.timedelta(seconds=pause)
        )
    return Polled.DONE


def _take_lease(mailbox: Mailbox) -> bool:
    free = Q(poll_lease_until__isnull=True) | Q(poll_lease_until__lte=Now())
    taken = (
        Mailbox.objects.filter(free, pk=mailbox.pk, generation=mailbox.generation)
        .exclude(state=MailboxState.REVOKED)
        .update(poll_lease_until=Now() + dt.timedelta(seconds=settings.LEASE_SECONDS))
    )
    return bool(taken == 1)


def _with_followed(mailbox: Mailbox, page: HeaderPage) -> tuple[InboundHeader, ...]:
    """Also what lies elsewhere in the conversations that are written to next (F27)."""
    found = {header.provider_id: header for header in page.headers}
    for name in threads.followed_soon(mailbox, within=FOLLOWED_WITHIN, limit=MOST_FOLLOWED):
        for header in gateway.headers_in(mailbox, name):
            found.setdefault(header.provider_id, header)
    return tuple(found.values())


def _take_in(mailbox: Mailbox, page: HeaderPage) -> None:
    matches = _unknown(mailbox, threads.match(mailbox, page.headers))
    by_hand = threads.answered_by_hand(mailbox, page.headers)
    for portion in _portions(matches):
        read = _fetch(mailbox, portion)
        _renew_lease(mailbox)
        with transaction.atomic():
            if not _still_ours(mailbox):
                return
            for arrival in read:
                arrivals.store(mailbox, arrival)
    with transaction.atomic():
        if not _still_ours(mailbox):
            return
        for thread, at in by_hand:
            arrivals.seen_by_hand(thread, at)
        # A look that ended before the end does not count: a follow-up waits for the rest of the inbox (F27).
        looked = {} if page.more else {"last_poll_at": Now()}
        Mailbox.objects.filter(pk=mailbox.pk).update(**looked, **seal(mailbox, cursor=str(page.cursor)))


def _unknown(mailbox: Mailbox, matches: Sequence[threads.Match]) -> list[threads.Match]:
    """Without mails that an earlier poll stored: they are not read again."""
    indexes = {threads.provider_index(match.header.provider_id): match for match in matches}
    known = Reply.objects.filter(mailbox=mailbox, provider_index__in=list(indexes))
    stored = {bytes(value) for value in known.values_list("provider_index", flat=True)}
    return [match for index, match in indexes.items() if index not in stored]


def _portions(matches: Sequence[threads.Match]) -> Iterator[Sequence[threads.Match]]:
    for begin in range(0, len(matches), PORTION):
        yield matches[begin : begin + PORTION]


def _fetch(mailbox: Mailbox, portion: Sequence[threads.Match]) -> list[arrivals.Arrival]:
    """Read these mails, and no others, in full."""
    read: list[arrivals.Arrival] = []
    for match in portion:
        try:
            email = gateway.fetch(mailbox, match.header.provider_id, purpose=match.purpose, limit=MOST_BYTES)
        except Refused:
            # Deleted between the list and the reading. They answered all the same, so the sequence stops.
            email = InboundEmail(match.header, b"", truncated=True)
        read.append(arrivals.read(match, email))
    return read


def _renew_lease(mailbox: Mailbox) -> None:
    Mailbox.objects.filter(pk=mailbox.pk).update(
        poll_lease_until=Now() + dt.timedelta(seconds=settings.LEASE_SECONDS)
    )


def _still_ours(mailbox: Mailbox) -> bool:
    """The row, locked: nothing is stored for a mailbox that was revoked meanwhile."""
    rows = Mailbox.objects.select_for_update(no_key=True).filter(pk=mailbox.pk, generation=mailbox.generation)
    return rows.exclude(state=MailboxState.REVOKED).first() is not None
