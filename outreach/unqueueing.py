"""A mail whose text is fixed is planned again: its step, or what is known of the person, has changed."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from accounts.encryption import seal
from outreach.models import Message, MessageState


def unqueue(found: QuerySet[Message]) -> int:
    """Queued mails of a sequence go back to planned, without their text; how many.

    Not those that a worker holds, nor those that lie in the mailbox as a draft.
    """
    rows = found.select_for_update(of=("self",)).filter(
        Q(state=MessageState.QUEUED) | Q(state=MessageState.DEFERRED),
        enrollment__isnull=False,
        draft_id__isnull=True,
    )
    count = 0
    for row in rows:
        count += Message.objects.filter(pk=row.pk, state=row.state).update(
            state=MessageState.PLANNED,
            fence=F("fence") + 1,
            queued_at=None,
            not_before=None,
            reason="",
            detail=None,
            html=None,
            headers=None,
            content_hash="",
            **seal(row, subject="", text=""),
        )
    return count
