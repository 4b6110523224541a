"""Being told of new mail by the providers, as a hint: asked for daily, and nothing hangs on it.

The poll is the truth. A promise that lapses, or that could not be renewed, is a figure for the operator; the
mailbox stays as it is. After the bin nothing is called: what was promised lapses by itself (decisions 15).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import logging
import random
import secrets
import uuid

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.urls import reverse

from accounts.clock import Now
from accounts.encryption import platform_index, seal
from mailbox import gateway, health
from mailbox.errors import MailboxError
from mailbox.models import USABLE, Mailbox, Provider, PushRoute

log = logging.getLogger(__name__)
EVERY = dt.timedelta(days=1)
# After a renewal that failed, and for as long as one is under way.
AGAIN = dt.timedelta(hours=1)
SPREAD = 0.2


def route_of(provider: str, name: str) -> bytes:
    """Under which a push finds its mailbox: the account's address, or the subscription's id."""
    return platform_index("push", f"{provider}:{name.strip().lower()}")


def begin(mailbox: Mailbox) -> None:
    """A new connection, or one anew: whatever was promised to the last one is forgotten."""
    # Kept under another workspace where the account has moved.
    PushRoute.objects.update_or_create(
        pk=mailbox.pk,
        defaults={
            "workspace_id": mailbox.workspace_id,
            "route": None,
            "proof": None,
            "until": None,
            "renew_at": Now(),
        },
    )
    Mailbox.objects.filter(pk=mailbox.pk).update(watch_id=None)


def end(mailbox: Mailbox) -> None:
    """The bin: a push that still comes finds nobody."""
    PushRoute.objects.filter(pk=mailbox.pk).delete()
    Mailbox.objects.filter(pk=mailbox.pk).update(watch_id=None)


def due(*, most: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Workspace and mailbox of what is to be asked for anew, in one statement over all workspaces."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [most])
        return list(cursor.fetchall())


# A mailbox without a turn cannot be called: a push for it would be of no use either.
_DUE = """
SELECT r.workspace_id, r.id FROM mailbox_pushroute r
JOIN mailbox_pollturn t ON t.id = r.id JOIN accounts_workspace w ON w.id = r.workspace_id
WHERE r.renew_at <= app_now() AND w.suspended_at IS NULL ORDER BY r.renew_at LIMIT %s
"""


def renew(mailbox: Mailbox) -> bool:
    """Ask for pushes, or for more of them; whether they are promised. Never raises a MailboxError."""
    if not health.may_be_called(mailbox):
        return False
    rows = PushRoute.objects.filter(pk=mailbox.pk)
    # Whoever moves the time asks; another worker that saw it due as well does not.
    if rows.filter(renew_at__lte=Now()).update(renew_at=Now() + AGAIN) != 1:
        return False
    mailbox.refresh_from_db()
    known, secret = mailbox.watch_id or "", secrets.token_urlsafe(32)
    try:
        found = gateway.watch(mailbox, known, to=_address(mailbox), secret=secret)
    except MailboxError as error:
        # Of our own project, mostly: no reason to touch a mailbox that can be polled.
        log.warning("mailbox %s has no push: %s", mailbox.pk, error.reason)
        return False
    later = Now() + EVERY * (1 - SPREAD * random.random())  # noqa: S311 - no secret
    if found is None:
        rows.update(renew_at=later)
        return False
    google = mailbox.provider == Provider.GOOGLE
    values = {"route": route_of(mailbox.provider, mailbox.address if google else found.name)}
    if not google and found.name != known:
        values["proof"] = _digest(secret)
    with transaction.atomic():
        held = Mailbox.objects.select_for_update(no_key=True).filter(
            pk=mailbox.pk, generation=mailbox.generation, state__in=USABLE
        )
        if held.first() is None:
            return False
        rows.update(until=found.until, renew_at=later, **values)
        Mailbox.objects.filter(pk=mailbox.pk).update(**seal(mailbox, watch_id=found.name))
    return True


def found_by(provider: str, name: str, *, secret: str | None = None) -> PushRoute | None:
    """Whose push this is. `secret`: what it repeats, compared in constant time; None where it was signed."""
    route = PushRoute.objects.filter(route=route_of(provider, name)).first()
    if route is None or secret is None:
        return route
    return route if hmac.compare_digest(bytes(route.proof or b""), _digest(secret)) else None


def ask_again(route: PushRoute, *, removed: bool = False) -> None:
    """The provider wants to be asked anew; `removed`: what it had promised is over."""
    gone = {"route": None, "proof": None, "until": None} if removed else {}
    PushRoute.objects.filter(pk=route.pk, route=route.route).filter(
        Q(renew_at__gt=Now()) | Q(route__isnull=False)
    ).update(renew_at=Now(), **gone)
    if removed:
        Mailbox.objects.filter(pk=route.pk).update(watch_id=None)


def _address(mailbox: Mailbox) -> str:
    """Ours, for a provider that posts to it; "" where the operator has named none."""
    base = settings.NOTIFICATION_BASE_URL
    if not base or mailbox.provider == Provider.GOOGLE:
        return ""
    return f"{base}{reverse('mailbox:hook', args=[mailbox.provider])}"


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
