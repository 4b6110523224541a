"""Somebody opens the inbox: what came a moment ago should be there."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from accounts.bells import ring
from accounts.clock import Now
from mailbox.models import Mailbox

# A look that is younger is good enough.
FRESH = dt.timedelta(seconds=30)
MOST = 20


def inbox_opened() -> None:
    """Ring for the mailboxes of the open workspace that nobody has looked into lately, the oldest first.

    One statement where all are fresh, or in hand.
    """
    from outreach import tasks

    old = Q(last_poll_at__isnull=True) | Q(last_poll_at__lt=Now() - FRESH)
    free = Q(poll_lease_until__isnull=True) | Q(poll_lease_until__lte=Now())
    rows = Mailbox.objects.usable().filter(old, free).order_by("last_poll_at")
    for row in rows.only("pk", "workspace_id")[:MOST]:
        ring(tasks.poll_mailbox, str(row.workspace_id), str(row.pk))
