"""How many mails may leave a mailbox now: the cap of the rolling 24 hours, its ramp, and the spacing.

Counted by the account at the provider (MailboxIdentity), not by our row: disconnecting and connecting
again, or another workspace, does not reset it. The ramp only throttles: it grows with the days since the
account was first seen. Times are the database's.
"""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from accounts import clock
from accounts.clock import Now
from mailbox.models import Mailbox, MailboxIdentity, Provider, SendSlot

WINDOW = timedelta(hours=24)
KEPT = timedelta(hours=48)
# Gmail: 6,000 units a user and minute, 130 a mail. Exchange Online: 30 messages a minute.
A_MINUTE = {Provider.GOOGLE: 46, Provider.MICROSOFT: 30}

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


def usage(mailbox: Mailbox) -> Usage:
    """What has left the account in the last 24 hours, and what may."""
    identity = MailboxIdentity.objects.filter(pk=mailbox.identity).first() or _unseen(mailbox)
    return _usage(mailbox, identity)


def room(mailbox: Mailbox) -> int:
    """How many may leave now: the rest of the day's cap, and of the provider's minute."""
    minute = SendSlot.objects.filter(
        identity_id=mailbox.identity, taken_at__gt=Now() - timedelta(minutes=1)
    ).count()
    return min(usage(mailbox).left, max(A_MINUTE[Provider(mailbox.provider)] - minute, 0))


def forecast(mailbox: Mailbox, waiting: int) -> int:
    """In how many days, today included, so many mails will have left as the cap grows."""
    identity = MailboxIdentity.objects.filter(pk=mailbox.identity).first() or _unseen(mailbox)
    now = _usage(mailbox, identity)
    rest, day = waiting - now.left, 1
    while rest > 0 and day < 366:
        rest -= max(_cap(mailbox, identity, now.days + day), 1)
        day += 1
    return day if waiting > 0 else 0


def take(mailbox: Mailbox, key: uuid.UUID) -> bool:
    """Take a place for this mail; False when the cap is reached. Inside the caller's transaction.

    The identity's row stays locked until that transaction ends, so that two workers cannot take the
    last place. A mail that holds a place keeps it; one whose place is older than 24 hours needs a new one.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a place is taken inside the transaction that commits `submitting`")
    MailboxIdentity.objects.get_or_create(pk=mailbox.identity, defaults={"consumer": _consumer(mailbox)})
    identity = MailboxIdentity.objects.select_for_update().get(pk=mailbox.identity)
    SendSlot.objects.filter(identity=identity, taken_at__lt=Now() - KEPT).exclude(key=key).delete()
    holds = SendSlot.objects.filter(key=key, identity=identity, taken_at__gt=Now() - WINDOW)
    if not holds.exists() and not _usage(mailbox, identity).left:
        return False
    SendSlot.objects.update_or_create(key=key, defaults={"identity": identity, "taken_at": clock.now()})
    return True


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
    step = timedelta(seconds=settings.SEND_SPACING_SECONDS + jitter)
    rows = Mailbox.objects.filter(pk=mailbox.pk)
    # GREATEST passes over NULL: a mailbox that never sent starts now.
    rows.update(next_send_at=Greatest(F("next_send_at"), Now()) + step)
    mailbox.next_send_at = rows.values_list("next_send_at", flat=True).get()
    return mailbox.next_send_at or clock.now()


def _usage(mailbox: Mailbox, identity: MailboxIdentity) -> Usage:
    used = SendSlot.objects.filter(identity_id=mailbox.identity, taken_at__gt=Now() - WINDOW).count()
    days = max((clock.now() - identity.first_seen_at).days, 0)
    return Usage(used, _cap(mailbox, identity, days), days)


def _cap(mailbox: Mailbox, identity: MailboxIdentity, days: int) -> int:
    """The least of: the ramp, what its age allows, the provider's kind, and the owner's own wish."""
    proven = days >= settings.DAILY_CAP_PROVEN_DAYS
    ceiling = max(settings.DAILY_CAP_PROVEN, settings.DAILY_CAP) if proven else settings.DAILY_CAP
    hard = settings.DAILY_CAP_CONSUMER if identity.consumer else settings.DAILY_CAP_HARD
    # Capped before the power: it would outgrow a float after some years.
    ramp: float = settings.DAILY_CAP_START * (1 + settings.DAILY_CAP_GROWTH) ** min(days, 365)
    return int(min(math.floor(ramp), ceiling, hard, mailbox.daily_cap))


def _unseen(mailbox: Mailbox) -> MailboxIdentity:
    """The identity as its first mail will make it, not stored."""
    return MailboxIdentity(pk=mailbox.identity, consumer=_consumer(mailbox), first_seen_at=clock.now())


def _consumer(mailbox: Mailbox) -> bool:
    return is_consumer(mailbox.provider, subject=str(mailbox.subject), address=str(mailbox.address))
