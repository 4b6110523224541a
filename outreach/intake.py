"""Taking in: mails that belong to our conversations by their headers are read, stored and acted on.

The poll and the comparison use it. Mails that are stored already, and those that were read once and are not
ours, are not read again; a mail is stored in the transaction that finds the mailbox still connected.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from django.db import transaction

from accounts import clock
from accounts.encryption import seal
from mailbox import gateway
from mailbox.errors import MailboxError, Refused
from mailbox.models import Mailbox, MailboxState
from mailbox.types import Cursor, InboundEmail, InboundHeader
from outreach import arrivals, looks, refused_reads, threads
from outreach.inbox import search
from outreach.models import PassedOver, Reply, ReplyKind, Thread

log = logging.getLogger(__name__)
# Mails whose parsed text is held in memory at once.
PORTION = 25
# More than this of one mail is not fetched; the rest is shown as cut off (F34).
MOST_BYTES = 2 * 1024 * 1024
# Behind an answer that is found later than this nobody looks again for those who name it.
MOST_DAYS_BACK = 30


@dataclass(frozen=True)
class Found:
    """What is new of our conversations: mails to read, and answers that the user wrote by hand."""

    matches: list[threads.Match]
    by_hand: list[tuple[Thread, dt.datetime]]

    def __bool__(self) -> bool:
        return bool(self.matches or self.by_hand)


def look(mailbox: Mailbox, headers: Sequence[InboundHeader]) -> Found:
    """Told by their headers; nothing is read yet."""
    return Found(
        _unknown(mailbox, threads.match(mailbox, headers)), threads.answered_by_hand(mailbox, headers)
    )


def take_in(
    mailbox: Mailbox, found: Found, *, with_the_last: Callable[[list[Reply]], None] = lambda stored: None
) -> list[Reply] | None:
    """Read and store, portion by portion; None where the mailbox is not ours any more. Network inside.

    `with_the_last` is told of all that was stored, in the transaction of the last portion: what it moves
    stands or falls with it. Raises what the gateway raises; what was read by then is stored. The caller has
    the mailbox to itself, as the cursor may be moved.
    """
    stored: list[Reply] = []
    refusal: Refused | None = None
    failure: MailboxError | None = None
    portions = list(_portions(found.matches)) or [[]]
    for number, portion in enumerate(portions, start=1):
        read = []
        for match in portion:
            try:
                arrival = _read(mailbox, match)
            except Refused as refused:
                # The others first: this one holds up the cursor, and not them.
                refusal = refused
            except MailboxError as failed:
                # Each look is to come further: with some calls failing, a whole portion never might.
                failure = failed
                break
            else:
                read += [arrival] if arrival is not None else []
        looks.renew(mailbox)
        with transaction.atomic():
            if not still_ours(mailbox):
                return None
            new = _store(mailbox, read)
            look_again(mailbox, new)
            stored += new
            if number == len(portions) and refusal is None and failure is None:
                for thread, at in found.by_hand:
                    arrivals.seen_by_hand(thread, at)
                with_the_last(stored)
        if failure is not None:
            raise failure
    if refusal is not None:
        raise refusal
    return stored


def look_again(mailbox: Mailbox, stored: Sequence[Reply]) -> None:
    """Have the next look go once more past what came behind these, where that was seen before they were here.

    Inside the transaction that stores them.
    """
    cursor = leading_back(mailbox, mailbox.cursor or "", stored)
    if cursor != (mailbox.cursor or ""):
        Mailbox.objects.filter(pk=mailbox.pk).update(**seal(mailbox, cursor=cursor))
        mailbox.cursor = cursor


def leading_back(mailbox: Mailbox, cursor: str, stored: Sequence[Reply]) -> str:
    """`cursor`, leading once more past what came behind these: somebody may name them and nothing of ours.

    Such a mail, seen before the answer that it names was here, belonged to nobody, and nothing of it was
    kept. A report leads nobody.
    """
    came = [reply.received_at for reply in stored if reply.kind != ReplyKind.BOUNCE]
    if not came:
        return cursor
    since = max(min(came), clock.now() - dt.timedelta(days=MOST_DAYS_BACK))
    return str(gateway.look_again(mailbox, Cursor(cursor), since))


def _unknown(mailbox: Mailbox, matches: Iterable[threads.Match]) -> list[threads.Match]:
    """Without mails that were stored or passed over before: they are not read again."""
    indexes = {threads.provider_index(match.header.provider_id): match for match in matches}
    known = {
        bytes(value)
        for rows in (Reply.objects, PassedOver.objects)
        for value in rows.filter(mailbox=mailbox, provider_index__in=list(indexes)).values_list(
            "provider_index", flat=True
        )
    }
    return [match for index, match in indexes.items() if index not in known]


def still_ours(mailbox: Mailbox) -> bool:
    """The row, locked: nothing is stored for a mailbox that was revoked meanwhile."""
    rows = Mailbox.objects.select_for_update(no_key=True).filter(pk=mailbox.pk, generation=mailbox.generation)
    return rows.exclude(state=MailboxState.REVOKED).first() is not None


def _store(mailbox: Mailbox, read: Sequence[arrivals.Arrival]) -> list[Reply]:
    stored, passed = list[Reply](), list[bytes]()
    refused_reads.taken_in(mailbox, [threads.provider_index(one.match.header.provider_id) for one in read])
    for arrival in read:
        reply = arrivals.store(mailbox, arrival)
        if reply is not None:
            stored.append(reply)
        else:
            passed.append(threads.provider_index(arrival.match.header.provider_id))
    search.index_mails(stored)
    PassedOver.objects.bulk_create(
        [PassedOver(mailbox=mailbox, provider_index=index) for index in passed], ignore_conflicts=True
    )
    return stored


def _read(mailbox: Mailbox, match: threads.Match) -> arrivals.Arrival | None:
    """This mail, and no other, in full. Raises Refused; None once that was heard often enough."""
    try:
        email = gateway.fetch(
            mailbox, match.header.provider_id, purpose=match.purpose, limit=MOST_BYTES, header=match.header
        )
    except Refused as refused:
        if refused.reason != "gone":
            log.warning("a mail of ours in mailbox %s: %s", mailbox.pk, refused.reason)
            if refused_reads.refused(mailbox, match):
                return None
            raise
        # Deleted between the list and the reading. They answered all the same, so the sequence stops.
        email = InboundEmail(match.header, b"", truncated=True)
    return arrivals.read(match, email)


def _portions(matches: Sequence[threads.Match]) -> Iterator[Sequence[threads.Match]]:
    for begin in range(0, len(matches), PORTION):
        yield matches[begin : begin + PORTION]
