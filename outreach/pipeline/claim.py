"""The claim stage: rows that are due get a lease and the next fence, one row at a time.

A claim is a commit before any work: whoever holds the fence may write, everybody else is a zombie and
finds zero rows to change (faults.md 3.1). A row whose lease ran out in the hands of a worker has lost one;
the third loss takes it out of the way of the others (F23).
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from accounts.clock import Now
from accounts.failpoints import failpoint
from mailbox.models import Mailbox, MailboxState
from outreach import results
from outreach.models import CampaignState, Message, MessageState
from outreach.models.messages import AT_ONCE, STOPPABLE

MOST_KILLS = 3
QUARANTINED = "quarantined"
# What a claim looks at: the text is read by whoever writes the draft.
_CLAIMED = ("workspace", "kind", "state", "fence", "kills", "lease_until", "draft_id", "draft_unclear_at",
            "enrollment", "mailbox")  # fmt: skip
CAP_REACHED = "cap_reached"
_QUARANTINED_WORDS = "Preparing this mail ended the program three times, so it was taken out of the queue."


@dataclass(frozen=True)
class Claimed:
    """A row that the caller alone may change, until its lease ends."""

    id: uuid.UUID
    fence: int
    kind: str


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


def claim_batch(mailbox: Mailbox, *, limit: int = 1, at_once_only: bool = False) -> list[Claimed]:
    """Claim up to `limit` rows of one mailbox, each in a transaction of its own.

    Mails that a person waits for come first. `at_once_only` leaves the sequences' rows alone (the cap is
    used up or the gap between two mails has not passed).
    """
    claimed: list[Claimed] = []
    while len(claimed) < limit:
        row = _claim_one(mailbox, at_once_only=at_once_only)
        if row is None:
            break
        if row.fence:
            failpoint("after_claim")
            claimed.append(row)
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


def _claim_one(mailbox: Mailbox, *, at_once_only: bool) -> Claimed | None:
    """The next row; with fence 0 when the row that came up was quarantined instead."""
    rows = claimable().filter(mailbox=mailbox)
    with transaction.atomic():
        locked = rows.select_for_update(skip_locked=True, of=("self",)).only(*_CLAIMED)
        row = locked.filter(kind__in=AT_ONCE).order_by("due_at", "pk").first()
        if row is None and not at_once_only:
            row = locked.exclude(kind__in=AT_ONCE).order_by("due_at", "pk").first()
        if row is None:
            return None
        # A lease that is still written here ran out while somebody held it.
        lost = row.state in (MessageState.CLAIMED, MessageState.DRAFTED) and row.lease_until is not None
        kills = row.kills + 1 if lost else row.kills
        if kills >= MOST_KILLS:
            results.end(
                row,
                MessageState.REFUSED,
                fence=row.fence,
                reason=QUARANTINED,
                detail=_QUARANTINED_WORDS,
                kills=kills,
            )
            return Claimed(row.pk, 0, row.kind)
        Message.objects.filter(pk=row.pk).update(
            state=MessageState.DRAFTED if row.draft_id else MessageState.CLAIMED,
            fence=F("fence") + 1,
            lease_until=Now() + dt.timedelta(seconds=settings.LEASE_SECONDS),
            not_before=None,
            kills=kills,
            # The lost worker may have made a draft and not stored it (F3).
            draft_unclear_at=Now() if lost and not row.draft_id else row.draft_unclear_at,
            reason="",
            detail=None,
        )
        return Claimed(row.pk, row.fence + 1, row.kind)
