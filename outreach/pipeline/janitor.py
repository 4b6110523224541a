"""Drafts that will never be used leave the mailbox again (faults.md 3, 4.3; F3).

Of rows that were stopped, and of rows whose worker died between making a draft and storing it: those are
found by our own key, never by opening the user's other drafts.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.conf import settings
from django.db.models import QuerySet

from accounts.clock import Now
from mailbox import gateway, health
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.models import USABLE, Mailbox
from mailbox.types import Draft
from outreach.models import Message, MessageState

log = logging.getLogger(__name__)
ENDED = [MessageState.CANCELLED, MessageState.SUPPRESSED, MessageState.REFUSED]
# Behind this nobody looks any more; the draft then lies in the user's own mailbox, to see and delete.
LOOK_BACK = dt.timedelta(days=7)
ORPHAN_AGE_LEASES = 30


def left_drafts() -> QuerySet[Message]:
    """Ended rows whose draft may still lie in a mailbox that can be called."""
    rows: QuerySet[Message] = _callable().filter(
        draft_left=True, state__in=ENDED, draft_id__isnull=False, ended_at__gt=Now() - LOOK_BACK
    )
    return rows


def unclear_drafts() -> QuerySet[Message]:
    """Rows with a draft that no row names: a worker was lost, or an answer (F3).

    Old enough that neither a worker nor a late provider can still be making it.
    """
    age = dt.timedelta(seconds=settings.LEASE_SECONDS * ORPHAN_AGE_LEASES)
    rows: QuerySet[Message] = _callable().filter(draft_unclear_at__lt=Now() - age)
    return rows


def _callable() -> QuerySet[Message]:
    rows: QuerySet[Message] = Message.objects.filter(mailbox__state__in=USABLE)
    return rows


def sweep(mailbox: Mailbox, *, limit: int = 50) -> int:
    """How many drafts were thrown away in one mailbox. Never raises a MailboxError."""
    if not health.may_be_called(mailbox):
        return 0
    thrown = 0
    try:
        for row in left_drafts().filter(mailbox=mailbox).order_by("ended_at")[:limit]:
            gateway.discard(mailbox, Draft(row.draft_id or "", "", ""))
            Message.objects.filter(pk=row.pk, state__in=ENDED).update(draft_id=None, draft_left=False)
            thrown += 1
        for row in unclear_drafts().filter(mailbox=mailbox)[:limit]:
            thrown += _throw_orphans(mailbox, row)
    except Retry as error:
        health.wait(mailbox, error)
    except Disconnected as error:
        health.broke(mailbox, error)
    except MailboxError as error:
        log.warning("drafts of mailbox %s remain for now: %s", mailbox.pk, error.reason)
    return thrown


def _throw_orphans(mailbox: Mailbox, row: Message) -> int:
    seen = row.draft_unclear_at
    found = gateway.find_ours(mailbox, str(row.pk), to_address=row.to_address)
    row.refresh_from_db()
    if row.state == MessageState.CLAIMED and row.lease_until is not None:
        # A worker may have made one of these and not stored it yet.
        return 0
    orphans = [draft for draft in found if draft.draft_id != row.draft_id]
    for draft in orphans:
        gateway.discard(mailbox, draft)
    Message.objects.filter(pk=row.pk, draft_unclear_at=seen).update(draft_unclear_at=None)
    return len(orphans)
