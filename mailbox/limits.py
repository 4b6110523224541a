"""How many mails may leave a mailbox now: the cap of the rolling 24 hours, its ramp, and the spacing.

Counted by the account at the provider (MailboxIdentity), not by our row: disconnecting and connecting
again, or another workspace, does not reset it. The ramp only throttles: it grows with the days since the
account was first seen. Times are the database's.
"""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from accounts import clock
from accounts.clock import Now
from mailbox.models import Mailbox, MailboxIdentity, Provider, SendSlot

KEPT = timedelta(hours=48)

CONSUMER_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com"}
)
CONSUMER_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"


@dataclass(frozen=True)
class Usage:
    """`used` of `cap` in the last 24 hours. `days`: the whole days since the account was first seen."""

    used: int
    cap: int
    days: int

    @property
    def left(self) -> int:
        return max(self.cap - self.used, 0)


def is_consumer(provider: str, *, subject: str, address: str) -> bool:
    """A private account: its provider allows far less than to an organisation's."""
    if provider == Provider.MICROSOFT and subject.lower().startswith(CONSUMER_TENANT):
        return True
    return address.rpartition("@")[2].strip().lower() in CONSUMER_DOMAINS


@dataclass(frozen=True)
class Standing:
    """How an account stands now. `holds`: the mail that was asked about has its place already.

    `has_old`: places that no longer count are still there. `known`: the account has its row.
    """

    usage: Usage
    minute: int
    holds: bool
    has_old: bool
    known: bool

    @property
    def room(self) -> int:
        """How many may leave now: the rest of the day's cap, and of the provider's minute."""
        return min(self.usage.left, self.minute)


def a_minute(mailbox: Mailbox) -> int:
    """How many mails the provider takes from one mailbox in a minute."""
    if mailbox.provider == Provider.GOOGLE:
        return int(settings.GMAIL_USER_UNITS // settings.GMAIL_MAIL_UNITS)
    return int(settings.GRAPH_MAILS_A_MINUTE)


def usage(mailbox: Mailbox) -> Usage:
    """What has left the account in the last 24 hours, and what may."""
    return standing(mailbox).usage


def room(mailbox: Mailbox) -> int:
    """How many may leave now."""
    return standing(mailbox).room


def standing(mailbox: Mailbox, key: uuid.UUID | None = None) -> Standing:
    """Everything about the account's limits in one look; `key` is the mail that wants to leave."""
    identity = bytes(mailbox.identity)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_STANDING}", {"identity": identity, "key": key or uuid.UUID(int=0)})
        return standing_of(mailbox, cursor.fetchone())


def standing_of(mailbox: Mailbox, columns: Sequence[Any]) -> Standing:
    """The account's row and its places, as `standing` and outreach_facts read them."""
    now, consumer, first_seen_at, used, minute, holds, has_old = columns
    known = first_seen_at is not None
    if first_seen_at is None:
        # As its first mail will make it.
        consumer, first_seen_at = _consumer(mailbox), now
    days = max((now - first_seen_at).days, 0)
    today = Usage(used, _cap(mailbox, consumer, days), days)
    return Standing(today, max(a_minute(mailbox) - minute, 0), holds, has_old, known)


# With the parameters `identity` and `key`; outreach_facts ends with the same columns.
_STANDING = """
    app_now(),
    (SELECT i.consumer FROM mailbox_mailboxidentity i WHERE i.identity = %(identity)s),
    (SELECT i.first_seen_at FROM mailbox_mailboxidentity i WHERE i.identity = %(identity)s),
    (SELECT count(*) FROM mailbox_sendslot s
        WHERE s.identity_id = %(identity)s AND s.taken_at > app_now() - interval '24 hours'),
    (SELECT count(*) FROM mailbox_sendslot s
        WHERE s.identity_id = %(identity)s AND s.taken_at > app_now() - interval '1 minute'),
    EXISTS (SELECT 1 FROM mailbox_sendslot s WHERE s.key = %(key)s
        AND s.identity_id = %(identity)s AND s.taken_at > app_now() - interval '24 hours'),
    EXISTS (SELECT 1 FROM mailbox_sendslot s
        WHERE s.identity_id = %(identity)s AND s.taken_at < app_now() - interval '48 hours')
"""


def coming_caps(mailbox: Mailbox, now: Usage, days: int) -> tuple[int, ...]:
    """The cap of each coming day, today first, as it grows with the account's age."""
    found = MailboxIdentity.objects.filter(pk=mailbox.identity).first()
    consumer = found.consumer if found is not None else _consumer(mailbox)
    return tuple(_cap(mailbox, consumer, now.days + day) for day in range(days))


def take(mailbox: Mailbox, key: uuid.UUID, *, now: Standing | None = None) -> bool:
    """Take a place for this mail; False when the cap is reached. Inside the caller's transaction.

    The identity's row stays locked until that transaction ends, so that two workers cannot take the
    last place. `now`: how the account stands, counted behind that lock by who has it. A mail that holds a
    place keeps it; one whose place is older than 24 hours needs a new one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a place is taken inside the transaction that commits `submitting`")
    if now is None or not now.known:
        now = _counted_alone(mailbox, key)
    if not now.holds and not now.usage.left:
        return False
    if now.has_old:
        SendSlot.objects.filter(identity_id=mailbox.identity, taken_at__lt=Now() - KEPT).exclude(
            key=key
        ).delete()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [bytes(mailbox.identity), key])
    return True


def _counted_alone(mailbox: Mailbox, key: uuid.UUID) -> Standing:
    """Lock the account's row, made here for its first mail, and count in a statement of its own behind it."""
    locked = MailboxIdentity.objects.select_for_update().filter(pk=mailbox.identity)
    if not locked.values_list("consumer"):
        MailboxIdentity.objects.get_or_create(pk=mailbox.identity, defaults={"consumer": _consumer(mailbox)})
        locked.get()
    return standing(mailbox, key)


_TAKE = """
INSERT INTO mailbox_sendslot (identity_id, key, taken_at) VALUES (%s, %s, app_now())
ON CONFLICT (key) DO UPDATE SET identity_id = excluded.identity_id, taken_at = excluded.taken_at
"""


def give_back(key: uuid.UUID) -> None:
    """The mail was certainly not accepted: its place is free. Doing it twice does no harm."""
    SendSlot.objects.filter(key=key).delete()


def keep_used(key: uuid.UUID) -> None:
    """The mail may have left: its place stays used, also when the row ends or is sent again."""
    SendSlot.objects.filter(key=key).update(key=uuid.uuid4())


def next_slot(mailbox: Mailbox) -> datetime:
    """Put the mailbox's next mail off by the spacing and its jitter; returns when it may leave.

    Counted from the later of now and the time already set: several mails line up behind each other.
    """
    jitter = random.uniform(0, settings.SEND_SPACING_JITTER)  # noqa: S311
    step = settings.SEND_SPACING_SECONDS + jitter
    with connection.cursor() as cursor:
        # GREATEST passes over NULL: a mailbox that never sent starts now.
        cursor.execute(
            "UPDATE mailbox_mailbox SET"
            " next_send_at = greatest(next_send_at, app_now()) + make_interval(secs => %s)"
            " WHERE id = %s RETURNING next_send_at",
            [step, mailbox.pk],
        )
        (mailbox.next_send_at,) = cursor.fetchone()
    return mailbox.next_send_at or clock.now()


def _cap(mailbox: Mailbox, consumer: bool, days: int) -> int:
    """The least of: the ramp, what its age allows, the provider's kind, and the owner's own wish."""
    proven = days >= settings.DAILY_CAP_PROVEN_DAYS
    ceiling = max(settings.DAILY_CAP_PROVEN, settings.DAILY_CAP) if proven else settings.DAILY_CAP
    hard = settings.DAILY_CAP_CONSUMER if consumer else settings.DAILY_CAP_HARD
    # Capped before the power: it would outgrow a float after some years.
    ramp: float = settings.DAILY_CAP_START * (1 + settings.DAILY_CAP_GROWTH) ** min(days, 365)
    return int(min(math.floor(ramp), ceiling, hard, mailbox.daily_cap))


def _consumer(mailbox: Mailbox) -> bool:
    return is_consumer(mailbox.provider, subject=str(mailbox.subject), address=str(mailbox.address))
