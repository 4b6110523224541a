"""The statement that begins a look into a mailbox, and the one that ends it (faults.md 4.3).

Most looks find nothing, and 10,000 mailboxes want one every minute or two (performance.md): what a look needs
to know is read with its lease, and what it found out is stored as it lets go. Both are functions (migration
0021), which PostgreSQL plans once a connection; they run with the caller's rights.
"""

from __future__ import annotations

import datetime as dt
import random
import uuid
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q
from django.db.models.expressions import CombinedExpression
from psycopg2 import Binary

from accounts.clock import Now
from accounts.encryption import seal
from accounts.rows import Cut, Shape
from accounts.tenancy import current_workspace_id
from mailbox import oauth, tokens
from mailbox.models import Credential, Mailbox, MailboxState
from outreach import sequences

# How long before its next mail is due a conversation is asked about by its name (F27).
FOLLOWED_WITHIN = dt.timedelta(minutes=5)

_MAILBOX = Shape(
    Mailbox, "owner", "provider", "identity", "subject", "address", "state", "generation", "throttled_until",
    "cursor", "connected_at", "next_poll_at", "last_poll_at", "poll_lease_until",
)  # fmt: skip
_CREDENTIAL = Shape(Credential, "mailbox", "generation", "access_token", "access_expires_at")
_BEGIN = f"""
SELECT {_MAILBOX.columns("(l.box)")}, {_CREDENTIAL.columns("(l.credential)")}, l.follows, l.confirmed
FROM outreach_begin_look(%(workspace)s, %(mailbox)s, %(generation)s, %(only_due)s, %(lease)s, %(soon)s,
    %(margin)s) l
"""  # noqa: S608  # nosec B608  (our own constants)
_FINISH = """
SELECT outreach_finish_look(%(workspace)s, %(mailbox)s, %(generation)s, %(at_once)s, %(short)s, %(long)s,
    %(fresh)s, %(seen)s, %(place)s)
"""


@dataclass(frozen=True)
class Look:
    """A mailbox that one has to oneself until `finish`, or for a lease, as it stood when that began.

    `follows`: conversations of it are written to next. `confirmed`: a person said of a mail that it is an
    answer, and its text is still to be fetched.
    """

    mailbox: Mailbox
    follows: bool
    confirmed: bool


def begin(mailbox_id: uuid.UUID, *, generation: int | None = None, only_due: bool = False) -> Look | None:
    """None where another has it, or where it must not be called: health.may_be_called tells which.

    `only_due`: also None where somebody has looked since it was found due. The time of the next look is
    taken off, so that a hint that comes meanwhile can be told from it.
    """
    values: dict[str, Any] = {
        "workspace": current_workspace_id(),
        "mailbox": mailbox_id,
        "generation": generation,
        "only_due": only_due,
        "lease": dt.timedelta(seconds=settings.LEASE_SECONDS),
        "soon": FOLLOWED_WITHIN,
        "margin": dt.timedelta(seconds=oauth.MARGIN_SECONDS),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, values)
        found = cursor.fetchone()
    if found is None:
        return None
    cut = Cut(found)
    mailbox, credential = cut.row(_MAILBOX), cut.row(_CREDENTIAL)
    if mailbox is None:
        return None
    if credential is not None:
        tokens.keep(mailbox, credential)
    follows, confirmed = cut.rest()
    return Look(mailbox, follows, confirmed)


def finish(mailbox: Mailbox, *, at_once: bool, cursor: str | None = None, seen: bool = False) -> None:
    """Let go, and say when the next look is due, unless a hint has said so meanwhile.

    `cursor`, where it moved, and with `seen` the time of this look are stored with it. Nothing is written
    where the mailbox was revoked or connected anew meanwhile. The pause is short while a conversation is
    open: a step is to come, or a mail left within POLL_OPEN_DAYS; each look draws its own, so that what was
    due together, as after a restart, spreads.
    """
    draw = random.random()  # noqa: S311 - no secret
    short = float(settings.POLL_SECONDS) * (1 + draw)
    long = max(float(settings.POLL_IDLE_SECONDS) * (0.67 + draw / 3), short)
    values: dict[str, Any] = {
        "workspace": current_workspace_id(),
        "mailbox": mailbox.pk,
        "generation": mailbox.generation,
        "at_once": at_once,
        "short": dt.timedelta(seconds=short),
        "long": dt.timedelta(seconds=long),
        "fresh": sequences.days(settings.POLL_OPEN_DAYS),
        "seen": seen,
        "place": None if cursor is None else Binary(seal(mailbox, cursor=cursor)["cursor"]),
    }
    with connection.cursor() as statement:
        statement.execute(_FINISH, values)


def hold(mailbox: Mailbox) -> bool:
    """Have the mailbox to oneself without a look, for a lease or until `let_go`; False if another has it."""
    free = Q(poll_lease_until__isnull=True) | Q(poll_lease_until__lte=Now())
    rows = Mailbox.objects.filter(free, pk=mailbox.pk, generation=mailbox.generation)
    if rows.exclude(state=MailboxState.REVOKED).update(poll_lease_until=_lease()) != 1:
        return False
    mailbox.refresh_from_db()
    return True


def let_go(mailbox: Mailbox) -> None:
    """The end of `hold`: when the next look is due stays as it was."""
    Mailbox.objects.filter(pk=mailbox.pk, generation=mailbox.generation).update(poll_lease_until=None)


def renew(mailbox: Mailbox) -> None:
    """Another lease for whoever holds it."""
    Mailbox.objects.filter(pk=mailbox.pk).update(poll_lease_until=_lease())


def _lease() -> CombinedExpression:
    return Now() + dt.timedelta(seconds=settings.LEASE_SECONDS)
