"""Whose turn it is to be looked at, over all workspaces: the directory table PollTurn (decisions 12).

A mailbox's own row says when (`next_poll_at`, `poll_lease_until`); a trigger copies that into the directory.
"""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models import Q

from accounts.clock import Now
from mailbox.models import USABLE, Mailbox


def due(*, most: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Workspace and mailbox of what is due, at most so many, in turns between workspaces. One statement.

    No workspace has to be open, and one in which nothing is due costs nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace, mailbox FROM mailbox_due_turns(%s)", [most])
        return list(cursor.fetchall())


def hint(mailbox: Mailbox) -> None:
    """Something may have come: the next look is due now, also behind one that is under way.

    A look takes its time off the row when it begins and sets the next one only where nobody has done so.
    """
    later = Q(next_poll_at__isnull=True) | Q(next_poll_at__gt=Now())
    Mailbox.objects.filter(later, pk=mailbox.pk, state__in=USABLE).update(next_poll_at=Now())
