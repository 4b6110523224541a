"""What the gates ask about the past of a mail's person, mailbox, text and site: one look for all of them.

At the last gate this is a part of the statement that reads the rows under their locks
(outreach/last_gate.py). Elsewhere it is asked for when the first gate wants it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from accounts.tenancy import current_workspace_id
from mailbox import limits
from outreach.gates.verdict import days
from outreach.models import Message, MessageKind
from outreach.models.contacts import address_index
from outreach.suppression import indexes_of

SITE_DAYS = 90
SITE_MAILS = 4
BULK = 50
BULK_WINDOW = dt.timedelta(hours=24)
# Of the last 100 mails of a mailbox in 14 days: 3 % warns, 5 % stops (decisions 10).
BOUNCE_WINDOW = 100
BOUNCE_DAYS = 14
COMPLAINT_DAYS = 30

_SEQUENCE = (MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL)
# Of the function outreach_facts (migration 0009), for mails of every kind; `values` fills them in.
PARAMETERS = """
    %(workspace)s, %(kind)s, %(message)s, %(mailbox)s, %(thread)s, %(campaign)s, %(step)s, %(contact)s,
    %(to)s, %(blocking)s::bytea[], %(identity)s, %(bounces_within)s, %(bounce_window)s, %(complaints_within)s,
    (SELECT w.cool_down_days * %(day)s::interval FROM accounts_workspace w WHERE w.id = %(workspace)s),
    %(bulk_within)s, %(bulk)s, %(site_within)s, %(site_mails)s
"""

# The next holidays, each as "2026-12-25 Christmas Day": enough to name the next day on which mail leaves.
HOLIDAYS = """
    ARRAY(SELECT x.date::text || ' ' || x.name FROM outreach_holiday x
        WHERE x.workspace_id = %(workspace)s AND x.date >= (app_now() AT TIME ZONE 'UTC')::date - 2
        ORDER BY x.date LIMIT 20)
"""


@dataclass(frozen=True)
class Facts:
    """`came_back` counts mails of the mailbox, `complaints` people.

    `wrote_at`: when another campaign last wrote to this person. `bulk_at`: when the 50th newest first mail
    of this text left; `site_at`: when the 4th newest mail to this site did; None while there are fewer.
    `holidays`: the workspace's next ones, by date.
    """

    blocked: uuid.UUID | None
    replied: bool
    came_back: int
    complaints: int
    wrote_at: dt.datetime | None
    bulk_at: dt.datetime | None
    site_at: dt.datetime | None
    standing: limits.Standing | None
    holidays: Mapping[dt.date, str] = field(default_factory=dict)


class Asked:
    """What a gate gets beside the row: the database's time, and the facts when it wants them."""

    def __init__(self, message: Message, now: dt.datetime, facts: Facts | None = None) -> None:
        self.now = now
        self._message = message
        self._facts = facts

    @property
    def facts(self) -> Facts:
        if self._facts is None:
            self._facts = look(self._message)
        return self._facts


_LOOK = f"SELECT f.*, {HOLIDAYS} FROM outreach_facts({PARAMETERS}) f"  # nosec B608  (our own constants)


def look(message: Message) -> Facts:
    """Ask the database, by its own time."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, values(message))
        return facts_of(message, cursor.fetchone())


def values(message: Message) -> dict[str, Any]:
    address, mailbox = message.to_address, message.mailbox
    if not address and message.contact is not None:
        address = message.contact.address
    return {
        "workspace": current_workspace_id(),
        "kind": str(message.kind),
        "message": message.pk,
        "mailbox": message.mailbox_id,
        "thread": message.thread_id,
        "campaign": message.campaign_id,
        "step": message.step_id,
        "contact": message.contact_id,
        "to": message.to_index or (address_index(address) if address else None),
        "blocking": list(indexes_of(address)) if message.kind in _SEQUENCE else [],
        "bounces_within": days(BOUNCE_DAYS),
        "bounce_window": BOUNCE_WINDOW,
        "complaints_within": days(COMPLAINT_DAYS),
        "day": days(1),
        "bulk_within": BULK_WINDOW,
        "bulk": BULK,
        "site_within": days(SITE_DAYS),
        "site_mails": SITE_MAILS,
        "identity": bytes(mailbox.identity) if mailbox is not None else b"",
    }


def facts_of(message: Message, found: Sequence[Any]) -> Facts:
    """What the function gave."""
    mailbox = message.mailbox
    blocked, replied, came_back, complaints, wrote_at, bulk_at, site_at = found[:7]
    standing = limits.standing_of(mailbox, found[7:-1]) if mailbox is not None else None
    return Facts(
        blocked,
        replied,
        came_back or 0,
        complaints or 0,
        wrote_at,
        bulk_at,
        site_at,
        standing,
        {dt.date.fromisoformat(row[:10]): row[11:] for row in found[-1]},
    )
