"""What the gates ask about the past of a mail's person, mailbox, text and site: one look for all of them.

At the last gate this is a part of the statement that reads the rows under their locks
(outreach/last_gate.py). Elsewhere it is asked for when the first gate wants it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection

from accounts.tenancy import current_workspace_id
from mailbox import limits
from outreach.gates.verdict import days
from outreach.models import Message, MessageKind
from outreach.models.contacts import address_index
from outreach.suppression import indexes_of

COOL_DOWN_DAYS = 30
SITE_DAYS = 90
SITE_MAILS = 4
BULK = 50
BULK_WINDOW = dt.timedelta(hours=24)
# Of the last 100 mails of a mailbox in 14 days: 3 % warns, 5 % stops (decisions 10).
BOUNCE_WINDOW = 100
BOUNCE_DAYS = 14
COMPLAINT_DAYS = 30

_SEQUENCE = (MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL)
_LEFT = "COALESCE(x.sent_at, x.attempted_at, x.created_at)"
_COUNTED = "('submitting', 'doubt', 'sent')"
_NEWEST = """
    FROM outreach_message x WHERE x.workspace_id = %(workspace)s AND x.mailbox_id = %(mailbox)s
    AND x.state = 'sent' AND x.sent_at > app_now() - %(bounces_within)s ORDER BY x.sent_at DESC LIMIT"""

# Each part, and the kinds of mail whose gates look at it.
_PARTS: dict[str, tuple[str, tuple[MessageKind, ...]]] = {
    "blocked": (
        """SELECT x.id FROM outreach_suppression x WHERE x.workspace_id = %(workspace)s
        AND x.value_index = ANY(%(blocking)s) ORDER BY x.scope, x.created_at LIMIT 1""",
        _SEQUENCE,
    ),
    "replied": (
        """SELECT x.id FROM outreach_reply x WHERE x.workspace_id = %(workspace)s
        AND x.thread_id = %(thread)s AND x.kind = 'reply' LIMIT 1""",
        (MessageKind.FOLLOW_UP, MessageKind.REMOVAL),
    ),
    "came_back": (
        f"""SELECT count(*) FROM (SELECT x.bounce_kind {_NEWEST} {BOUNCE_WINDOW}) x
        WHERE x.bounce_kind IN ('hard', 'blocked')""",
        _SEQUENCE,
    ),
    "complaints": (
        """SELECT count(*) FROM outreach_suppression x WHERE x.workspace_id = %(workspace)s
        AND x.reason = 'complained' AND x.created_at > app_now() - %(complaints_within)s""",
        _SEQUENCE,
    ),
    "wrote_at": (
        f"""SELECT max({_LEFT}) FROM outreach_message x WHERE x.workspace_id = %(workspace)s
        AND (x.contact_id = %(contact)s OR x.to_index = %(to)s) AND x.kind = 'first'
        AND x.state IN {_COUNTED} AND {_LEFT} > app_now() - %(cool_within)s AND x.id <> %(message)s
        AND x.campaign_id IS DISTINCT FROM %(campaign)s""",
        (MessageKind.FIRST,),
    ),
    "bulk_at": (
        f"""SELECT x.attempted_at FROM outreach_message x WHERE x.workspace_id = %(workspace)s
        AND x.step_id = %(step)s AND x.kind = 'first' AND x.state IN {_COUNTED}
        AND x.attempted_at > app_now() - %(bulk_within)s AND x.id <> %(message)s
        ORDER BY x.attempted_at DESC OFFSET {BULK - 1} LIMIT 1""",
        (MessageKind.FIRST,),
    ),
    "site_at": (
        f"""SELECT {_LEFT} FROM outreach_message x JOIN outreach_contact c ON c.id = x.contact_id
        WHERE x.workspace_id = %(workspace)s AND x.state IN {_COUNTED}
        AND c.site_id = (SELECT s.site_id FROM outreach_contact s WHERE s.id = %(contact)s)
        AND x.kind IN ('first', 'follow_up', 'removal') AND {_LEFT} > app_now() - %(site_within)s
        AND x.id <> %(message)s ORDER BY 1 DESC OFFSET {SITE_MAILS - 1} LIMIT 1""",
        (MessageKind.REMOVAL,),
    ),
}


@dataclass(frozen=True)
class Facts:
    """`came_back` counts mails of the mailbox, `complaints` people.

    `wrote_at`: when another campaign last wrote to this person. `bulk_at`: when the 50th newest first mail
    of this text left; `site_at`: when the 4th newest mail to this site did; None while there are fewer.
    """

    blocked: uuid.UUID | None
    replied: bool
    came_back: int
    complaints: int
    wrote_at: dt.datetime | None
    bulk_at: dt.datetime | None
    site_at: dt.datetime | None
    standing: limits.Standing | None


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


def look(message: Message) -> Facts:
    """Ask the database, by its own time."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns(message.kind)}", values(message))
        return facts_of(message, cursor.fetchone())


@lru_cache(maxsize=len(MessageKind))
def columns(kind: str) -> str:
    """What a SELECT needs, with `values`, for a mail of this kind; `facts_of` reads it."""
    parts = [f"({sql})" if kind in kinds else "NULL" for sql, kinds in _PARTS.values()]
    return ", ".join([*parts, limits.STANDING_COLUMNS])


def values(message: Message) -> dict[str, Any]:
    address, mailbox = message.to_address, message.mailbox
    if not address and message.contact is not None:
        address = message.contact.address
    return {
        "workspace": current_workspace_id(),
        "message": message.pk,
        "mailbox": message.mailbox_id,
        "thread": message.thread_id,
        "campaign": message.campaign_id,
        "step": message.step_id,
        "contact": message.contact_id,
        "to": message.to_index or (address_index(address) if address else None),
        "blocking": list(indexes_of(address)) if message.kind in _SEQUENCE else [],
        "bounces_within": days(BOUNCE_DAYS),
        "complaints_within": days(COMPLAINT_DAYS),
        "cool_within": days(COOL_DOWN_DAYS),
        "bulk_within": BULK_WINDOW,
        "site_within": days(SITE_DAYS),
        "identity": bytes(mailbox.identity) if mailbox is not None else b"",
        "key": message.pk,
    }


def facts_of(message: Message, found: Sequence[Any]) -> Facts:
    """The columns as facts."""
    mailbox = message.mailbox
    blocked, replied, came_back, complaints, wrote_at, bulk_at, site_at = found[: len(_PARTS)]
    standing = limits.standing_of(mailbox, found[len(_PARTS) :]) if mailbox is not None else None
    return Facts(
        blocked,
        replied is not None,
        came_back or 0,
        complaints or 0,
        wrote_at,
        bulk_at,
        site_at,
        standing,
    )
