"""The links in our mails to a mailbox's own address. They only stop, never start, and need no sign-in.

A notice's link names one mailbox. A move's link names the account by its HMAC, and by a hash the connection
that was live when it was asked for: whoever reads it learns nothing of where that is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse

from accounts import clock
from accounts.tenancy import workspace
from mailbox.models import Mailbox, MailboxIdentity

NOTICE, MOVE = "mailbox.stop", "mailbox.move"
LASTS = {NOTICE: dt.timedelta(days=30), MOVE: dt.timedelta(hours=24)}


@dataclass(frozen=True)
class Target:
    """What a link points to: ids only."""

    workspace_id: uuid.UUID
    mailbox_id: uuid.UUID
    purpose: str


def notice_link(mailbox: Mailbox) -> str:
    return _link(NOTICE, [mailbox.workspace_id.hex, mailbox.pk.hex])


def move_link(identity: bytes) -> str | None:
    """For the account's live connection; None where it has none."""
    place = MailboxIdentity.objects.filter(pk=identity, live_in__isnull=False).first()
    if place is None or place.live_mailbox is None:
        return None
    return _link(MOVE, [bytes(identity).hex(), _tag(place.live_mailbox)])


def read(token: str) -> Target | None:
    """Where a link points, or None: not ours, too old, or over already."""
    for purpose, lasts in LASTS.items():
        try:
            first, second, made = signing.loads(token, salt=purpose)
        except (signing.BadSignature, ValueError, TypeError):
            continue
        if clock.now().timestamp() > made + lasts.total_seconds():
            return None
        if purpose == NOTICE:
            return Target(uuid.UUID(first), uuid.UUID(second), purpose)
        place = MailboxIdentity.objects.filter(pk=bytes.fromhex(first), live_in__isnull=False).first()
        if place and place.live_mailbox and place.live_in_id and _tag(place.live_mailbox) == second:
            return Target(place.live_in_id, place.live_mailbox, purpose)
        return None
    return None


def mailbox_of(target: Target) -> Mailbox | None:
    """The live mailbox; its workspace must be open for anything more."""
    with workspace(target.workspace_id):
        found: Mailbox | None = Mailbox.objects.live().filter(pk=target.mailbox_id).first()
    return found


def _link(purpose: str, value: list[str]) -> str:
    signed = signing.dumps([*value, int(clock.now().timestamp())], salt=purpose)
    path = reverse("mailbox:stop", args=[signed])
    return f"{settings.PUBLIC_BASE_URL}{path}"


def _tag(mailbox_id: uuid.UUID) -> str:
    return hashlib.sha256(b"mailbox.move:" + mailbox_id.bytes).hexdigest()[:24]
