"""A finished consent becomes a mailbox: keyed by the provider's account, never by its address (T9).

One live connection of an account exists across all workspaces (T10); a reconnect in the same workspace keeps
the row, so that threads, campaigns and counted mails stay with it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from accounts import audit, clock
from accounts.encryption import blind_index, platform_index, seal
from accounts.models import User
from accounts.tenancy import current_workspace_id
from mailbox import notices, standing, watches
from mailbox.consents import Elsewhere
from mailbox.limits import is_consumer
from mailbox.models import Credential, Mailbox, MailboxIdentity, MailboxState
from mailbox.signals import mailbox_changed
from mailbox.types import Connection


def identity_of(provider: str, subject: str) -> bytes:
    """The platform-wide HMAC of an account, 32 bytes."""
    return platform_index("mailbox", f"{provider}:{subject}")


def highest_cap(provider: str, subject: str, address: str) -> int:
    """The most that a person may set for this kind of account (decisions 10); the ramp stays below it."""
    consumer = is_consumer(provider, subject=subject, address=address)
    grown = max(settings.DAILY_CAP, settings.DAILY_CAP_PROVEN)
    return int(min(settings.DAILY_CAP_CONSUMER if consumer else settings.DAILY_CAP_HARD, grown))


def connect(connection: Connection, *, user: User) -> Mailbox:
    """The mailbox of this account in the open workspace, connected. Raises Elsewhere."""
    identity = identity_of(connection.provider, connection.subject)
    consumer = is_consumer(connection.provider, subject=connection.subject, address=connection.address)
    try:
        with transaction.atomic():
            MailboxIdentity.objects.get_or_create(identity=identity, defaults={"consumer": consumer})
            # Two workspaces that connect one account at the same time meet at this row.
            place = MailboxIdentity.objects.select_for_update().get(pk=identity)
            if place.live_in_id not in (None, current_workspace_id()):
                raise Elsewhere
            row = (
                Mailbox.objects.select_for_update()
                .filter(identity=identity)
                .order_by("-connected_at")
                .first()
            )
            known = row is not None
            row = _renew(row, connection, user=user) if row else _create(identity, connection, user=user)
            Credential.objects.filter(mailbox=row).delete()
            Credential.objects.create(
                mailbox=row,
                generation=row.generation,
                secret=connection.secret,
                access_token=connection.access_token,
                access_expires_at=connection.expires_at,
            )
            MailboxIdentity.objects.filter(pk=identity).update(
                live_in=current_workspace_id(), live_mailbox=row.pk
            )
            watches.begin(row)
            done = "connected again" if known else "connected"
            sentence = f"{connection.address} {done} through {row.company}"
            audit.record("mailbox.connected", sentence, actor=user, object_id=row.pk)
            mailbox_changed.send(sender=Mailbox, mailbox=row, fact="connected", receipt=None)
            notices.tell_connected(row, user=user)
            transaction.on_commit(lambda: standing.forget_consent(identity), robust=True)
    except IntegrityError as problem:
        if "one_live_connection_per_account" not in str(problem):
            raise
        raise Elsewhere from problem
    return row


def _create(identity: bytes, connection: Connection, *, user: User) -> Mailbox:
    now = clock.now()
    return Mailbox.objects.create(
        owner=user,
        provider=connection.provider,
        identity=identity,
        subject=connection.subject,
        address=connection.address,
        address_index=_address_index(connection.address),
        display_name=connection.name or user.get_full_name(),
        state_at=now,
        scopes=list(connection.scopes),
        daily_cap=highest_cap(connection.provider, connection.subject, connection.address),
        connected_at=now,
        next_poll_at=now,
    )


def _renew(row: Mailbox, connection: Connection, *, user: User) -> Mailbox:
    """The cursor survives a reconnect, so that what came meanwhile is found; after a bin it is empty."""
    now = clock.now()
    fresh = {"connected_at": now} if row.state == MailboxState.REVOKED else {}
    Mailbox.objects.filter(pk=row.pk).update(
        owner=user,
        state=MailboxState.CONNECTED,
        state_reason="",
        state_at=now,
        generation=F("generation") + 1,
        scopes=list(connection.scopes),
        address_index=_address_index(connection.address),
        throttled_until=None,
        revoked_at=None,
        next_poll_at=now,
        poll_lease_until=None,
        **fresh,
        **seal(row, address=connection.address),
    )
    row.refresh_from_db()
    return row


def _address_index(address: str) -> bytes:
    return blind_index(current_workspace_id(), "address", address.strip().lower())
