"""The claim stage: rows that are due get a lease and the next fence, one row at a time.

A claim is a commit before any work: whoever holds the fence may write, everybody else is a zombie and
finds zero rows to change (faults.md 3.1). A row whose lease ran out in the hands of a worker has lost one;
the third loss takes it out of the way of the others (F23).
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection
from django.db.models import Q, QuerySet

from accounts.clock import Now
from accounts.failpoints import failpoint
from accounts.tenancy import current_workspace_id
from mailbox.models import USABLE, Mailbox, MailboxState
from outreach import in_hand, results
from outreach.models import CampaignState, Message, MessageKind, MessageState
from outreach.models.messages import AT_ONCE, STOPPABLE

MOST_KILLS = 3
QUARANTINED = "quarantined"
CAP_REACHED = "cap_reached"
_QUARANTINED_WORDS = "Preparing this mail ended the program three times, so it was taken out of the queue."


@dataclass(frozen=True)
class Claimed:
    """A row that the caller alone may change, until its lease ends."""

    id: uuid.UUID
    fence: int
    kind: str
    message: Message = field(compare=False, repr=False)


def claimable() -> QuerySet[Message]:
    """Rows whose time has come, and rows whose holder has let go or was lost.

    Rows of a paused campaign stay where they are. Those of a cancelled one are claimed, so that the last
    gate ends them.
    """
    free = Q(state__in=[MessageState.CLAIMED, MessageState.DRAFTED]) & (
        Q(lease_until__isnull=True) | Q(lease_until__lte=Now())
    )
    waited = Q(not_before__isnull=True) | Q(not_before__lte=Now())
    due = Q(state=MessageState.QUEUED, due_at__lte=Now()) & waited
    deferred = Q(state=MessageState.DEFERRED, not_before__lte=Now())
    goes = Q(kind__in=AT_ONCE) | Q(campaign__isnull=True) | ~Q(campaign__state=CampaignState.PAUSED)
    rows: QuerySet[Message] = Message.objects.filter((free & waited) | due | deferred).filter(goes)
    return rows


@dataclass(frozen=True)
class Hint:
    """A row that would be claimed next; nobody has it yet."""

    id: uuid.UUID
    kind: str

    @property
    def at_once(self) -> bool:
        """A person waits for it."""
        return self.kind in AT_ONCE

    @property
    def may_follow(self) -> bool:
        """Another mail may stand before it, and an answer to that one stop it (F27)."""
        return self.kind in (MessageKind.FOLLOW_UP, MessageKind.REMOVAL)


def upcoming(mailbox: Mailbox, *, limit: int, most_of_sequences: int) -> list[Hint]:
    """The rows of one mailbox that would be claimed next, those that a person waits for first.

    At most `most_of_sequences` are of sequences: as many as the cap and the gap between two mails leave.
    """
    sequences = min(max(most_of_sequences, 0), limit)
    with connection.cursor() as cursor:
        cursor.execute(
            _UPCOMING,
            {
                "mailbox": mailbox.pk,
                "workspace": mailbox.workspace_id,
                "limit": limit,
                "sequences": sequences,
            },
        )
        found = [Hint(pk, kind) for pk, kind, _ in cursor.fetchall()]
    return sorted(found, key=lambda hint: not hint.at_once)[:limit]


def in_line(*, most: int) -> list[uuid.UUID]:
    """The workspace's share of a turn: mailboxes where a person waits, then those that have waited longest.

    A workspace with a thousand mailboxes does not fill the queue that all workspaces stand in.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM outreach_mailboxes_in_line(%s, %s, %s)",
            [current_workspace_id(), [str(state) for state in USABLE], most],
        )
        return [pk for (pk,) in cursor.fetchall()]


def claim(message_id: uuid.UUID) -> Claimed | None:
    """Take one row, in a transaction of its own; None where it is not to be had any more.

    A row that has lost its worker for the third time is quarantined instead.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"message": message_id, "lease": settings.LEASE_SECONDS})
        found = cursor.fetchone()
    if found is None:
        return None
    row = in_hand.row_of(found)
    if row.kills >= MOST_KILLS:
        results.end(row, MessageState.REFUSED, fence=row.fence, reason=QUARANTINED, detail=_QUARANTINED_WORDS)
        return None
    failpoint("after_claim")
    return Claimed(message_id, row.fence, row.kind, row)


def claim_batch(mailbox: Mailbox, *, limit: int = 1, at_once_only: bool = False) -> list[Claimed]:
    """Claim up to `limit` rows of one mailbox, row by row."""
    claimed: list[Claimed] = []
    tried: set[uuid.UUID] = set()
    while len(claimed) < limit:
        few = limit - len(claimed)
        hints = [
            hint.id for hint in upcoming(mailbox, limit=few, most_of_sequences=0 if at_once_only else few)
        ]
        if tried.issuperset(hints):
            break
        tried.update(hints)
        claimed += [row for row in map(claim, hints) if row is not None]
    return claimed


def hold_at_cap(mailbox: Mailbox) -> None:
    """Nothing more may leave this mailbox today: the rows that wait say so."""
    rows = claimable().filter(mailbox=mailbox, state=MessageState.QUEUED).exclude(kind__in=AT_ONCE)
    waiting = Message.objects.filter(pk__in=rows.exclude(reason=CAP_REACHED).values("pk"))
    waiting.filter(state=MessageState.QUEUED).update(reason=CAP_REACHED)


def end_stranded() -> int:
    """End what waits at a mailbox that nobody may use any more; how many rows.

    The bin cancels the queue in its own transaction. A mail that was being stored or queued at that very
    moment comes behind it, and no worker would ever claim it.
    """
    gone = Q(mailbox__isnull=True) | Q(mailbox__state=MailboxState.REVOKED)
    rows = Message.objects.stoppable().exclude(state=MessageState.PLANNED).filter(gone)
    return sum(
        results.end(row, MessageState.CANCELLED, fence=row.fence, reason="mailbox_removed", was=STOPPABLE)
        for row in rows.select_related("enrollment")[:100]
    )


# The conditions of both functions (migrations 0009 and 0011) are those of `claimable`: tests hold them
# together.
_UPCOMING = "SELECT * FROM outreach_upcoming(%(workspace)s, %(mailbox)s, %(limit)s, %(sequences)s)"
_CLAIM = f"""
SELECT k.moment, {in_hand.columns("(k.m)", "(k.b)", "(k.s)")}
FROM outreach_claim(%(message)s, make_interval(secs => %(lease)s)) k
"""  # nosec B608  (our own constants)
