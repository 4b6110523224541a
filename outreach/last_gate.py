"""The last gate's transaction: what may stop a mail is held, then read, then the mail is handed over.

One call of the database takes the locks, one after the other, and reads behind them: each of its statements
sees what was committed while it waited. A pause, a revoke or a suspension that commits before this
transaction wins, a later one finds the mail handed over. Opt-outs, replies and bounces cancel the message's
own row and meet this transaction there (faults.md 3.1 rule 4).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.db import connection

from accounts.models import Workspace
from accounts.rows import Cut, Shape
from mailbox.models import Mailbox
from outreach.gates import facts
from outreach.in_hand import MAILBOX
from outreach.models import Campaign, Contact, Enrollment, Message, MessageKind

# What the gates look at.
_WORKSPACE = Shape(Workspace, "suspended_at", "postal_address")
_CAMPAIGN = Shape(Campaign, "state", "kind", "window_start", "window_end", "weekdays", "timezone",
                  "observes_holidays")  # fmt: skip
_ENROLLMENT = Shape(Enrollment, "state", "reason", "campaign", "contact", "answer_suspected_at", "paused_at")
_CONTACT = Shape(Contact, "basis", "source", "country", "timezone", "site")
_SHAPES = ((_WORKSPACE, "w"), (MAILBOX, "b"), (_CAMPAIGN, "c"), (_ENROLLMENT, "e"), (_CONTACT, "p"))

# Nobody else takes the mailbox's turn, a place of its account, or writes a first mail to the same person
# meanwhile (F28); workspace and campaign are shared with other sends. Both are functions (migration 0011),
# whose plans a connection keeps; the first one's statements follow one another, so that each sees what was
# committed while it waited for the lock before it.
_HOLD = f"""
SELECT h.moment, {", ".join(shape.columns(f"(h.{alias})") for shape, alias in _SHAPES)},
    h.blocked, h.replied, h.came_back, h.complaints, h.wrote_at, h.bulk_at, h.site_at, h.counted_at,
    h.consumer, h.first_seen_at, h.used, h.minute, h.holds, h.has_old, {facts.HOLIDAYS}
FROM outreach_hold(%(fence)s, %(first)s, {facts.PARAMETERS}) h
"""  # nosec B608  (our own constants)
_HAND_OVER = """
SELECT outreach_hand_over(%(message)s, %(fence)s, %(generation)s, make_interval(secs => %(settle)s))
"""


@dataclass(frozen=True)
class Held:
    """The mailbox as it stands, and what the gates ask, at `now`; the message's neighbours are as fresh."""

    mailbox: Mailbox
    facts: facts.Facts
    now: dt.datetime


def hold(message: Message, fence: int) -> Held | None:
    """Take the locks and read what the gates look at; None where the row is not the caller's any more.

    Inside the caller's transaction. `message` gets its workspace, mailbox, campaign, enrollment and contact
    as they stand behind the locks; a removal request's case is read when its gate asks.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD,
            facts.values(message)
            | {
                "fence": fence,
                "first": message.contact_id if message.kind == MessageKind.FIRST else None,
            },
        )
        found = cursor.fetchone()
    if found is None:
        return None
    cut = Cut(found[1:])
    workspace, mailbox, campaign = cut.row(_WORKSPACE), cut.row(MAILBOX), cut.row(_CAMPAIGN)
    enrollment, contact = cut.row(_ENROLLMENT), cut.row(_CONTACT)
    if workspace is None or mailbox is None:
        return None
    message.workspace, message.mailbox, message.campaign = workspace, mailbox, campaign
    message.enrollment, message.contact = enrollment, contact
    return Held(mailbox, facts.facts_of(message, cut.rest()), found[0])


def hand_over(message: Message, held: Held, fence: int) -> None:
    """Write `submitting`: with the commit the mail counts as handed to the provider."""
    with connection.cursor() as cursor:
        cursor.execute(
            _HAND_OVER,
            {
                "message": message.pk,
                "fence": fence,
                "generation": held.mailbox.generation,
                "settle": settings.SETTLE_SECONDS,
            },
        )
