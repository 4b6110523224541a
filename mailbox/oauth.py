"""The door to the providers' sign-in: start, finish, a usable access token, the end of a grant.

The network is never inside a transaction (decisions 8): a refresh claims a short lease on the credential's
row, commits, asks the provider, and stores the answer only while the lease is still its own.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import secrets
import time
import uuid
from collections.abc import Mapping, MutableMapping
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts import clock
from accounts.clock import Now
from accounts.encryption import seal
from accounts.models import Membership, User, Workspace
from accounts.people import spent_states
from accounts.tenancy import current_workspace_id
from accounts.tenancy import workspace as open_workspace
from mailbox.consents import OtherAccount, Stale
from mailbox.errors import Disconnected, MailboxError, Retry
from mailbox.health import broke
from mailbox.models import Credential, Mailbox, MailboxState, PendingConsent, Provider
from mailbox.providers import gmail_oauth, graph_oauth
from mailbox.providers.sign_in import Lost, Tokens
from mailbox.types import Access, Connection

log = logging.getLogger(__name__)
DOORS: dict[str, ModuleType] = {Provider.GOOGLE: gmail_oauth, Provider.MICROSOFT: graph_oauth}
SESSION_KEY = "consents"
CONSENT_SECONDS = 600
MARGIN_SECONDS = 60  # a token that ends sooner is refreshed before it is handed out


def start(
    provider: str,
    *,
    user: User,
    workspace: Workspace,
    session: MutableMapping[str, Any],
    mailbox: Mailbox | None = None,
) -> str:
    """Where to send the browser. `mailbox` is set for a reconnect of that very account.

    The workspace must be open. Raises ConsentError (Unreachable).
    """
    state = secrets.token_urlsafe(32)
    hint = mailbox.address if mailbox else ""
    departure = DOORS[provider].depart(redirect_uri=redirect_uri(provider), state=state, hint=hint)
    PendingConsent.objects.filter(expires_at__lte=Now(), answer__isnull=True).delete()
    pending = PendingConsent.objects.create(
        user=user,
        provider=provider,
        mailbox=mailbox,
        flow=json.dumps(departure.flow),
        expires_at=clock.now() + dt.timedelta(seconds=CONSENT_SECONDS),
    )
    known = dict(session.get(SESSION_KEY, {}))
    # The newest few: somebody may have several tabs open.
    kept = dict(list(known.items())[-4:])
    session[SESSION_KEY] = {**kept, _digest(state): [str(workspace.pk), str(pending.pk)]}
    return str(departure.url)


def place_of(session: Mapping[str, Any], state: str) -> uuid.UUID | None:
    """The workspace whose consent this browser session began with `state`, or None."""
    found = session.get(SESSION_KEY, {}).get(_digest(state))
    return uuid.UUID(found[0]) if found else None


def finish(
    provider: str, *, user: User, session: MutableMapping[str, Any], query: Mapping[str, str]
) -> tuple[Connection, Mailbox | None]:
    """What the consent gave, and the mailbox it is a reconnect of. The state is used up whatever comes of it.

    Raises ConsentError.

    Accepted only in the browser session that began it, for the same person, workspace and provider (T5, T6).
    """
    known = dict(session.get(SESSION_KEY, {}))
    found = known.pop(_digest(query.get("state", "")), None)
    if found is None:
        raise Stale("unknown state")
    session[SESSION_KEY] = known
    if spent_states.is_spent(query["state"]):
        raise Stale("the answer came to another browser first")
    with open_workspace(uuid.UUID(found[0])):
        rows = PendingConsent.objects.filter(
            pk=found[1], user=user, provider=provider, expires_at__gt=Now(), answer__isnull=True, used_at=None
        ).select_related("mailbox")
        pending = rows.first()
        # Of two answers with one state, one deletes the row and goes on.
        if pending is None or rows.delete()[0] != 1:
            raise Stale("state used, too old, or of another person")
    flow = json.loads(pending.flow)
    connection: Connection = DOORS[provider].arrive(query, flow, redirect_uri=redirect_uri(provider))
    again = pending.mailbox
    if again is not None and connection.subject != again.subject:
        raise OtherAccount("subject", names=(str(again.address), connection.address))
    return connection, again


def redirect_uri(provider: str) -> str:
    """One callback per provider: a code of one is refused on the other's path (T8)."""
    return f"{settings.PUBLIC_BASE_URL}{reverse('mailbox:callback', args=[provider])}"


def admin_link() -> str:
    """For the admin of an organisation at Microsoft."""
    return graph_oauth.admin_link(redirect_uri=redirect_uri(Provider.MICROSOFT))


def is_admins(query: Mapping[str, str]) -> bool:
    """Whether this is the way back from the admin's page: no consent of ours has such a state."""
    return query.get("state") == graph_oauth.ADMIN_STATE


def living(mailbox: Mailbox) -> QuerySet[Credential]:
    """The credential by which this mailbox may be called now: each link of the chain in one look (T14)."""
    # A mailbox whose owner is nobody any more belongs to nobody here.
    belongs = Membership.objects.filter(
        workspace_id=OuterRef("workspace_id"), user_id=OuterRef("mailbox__owner_id"), user__is_active=True
    )
    rows: QuerySet[Credential] = Credential.objects.filter(
        Exists(belongs),
        mailbox_id=mailbox.pk,
        generation=mailbox.generation,
        mailbox__generation=mailbox.generation,
        workspace__suspended_at=None,
    )
    return rows.exclude(mailbox__state__in=[MailboxState.REVOKED, MailboxState.BROKEN])


def is_living(mailbox: Mailbox) -> bool:
    """Whether `living` finds one, by a function (migration 0005): asked before each write to a provider."""
    with connection.cursor() as cursor:
        cursor.execute(
            _LIVES,
            {
                "workspace": current_workspace_id(),
                "mailbox": mailbox.pk,
                "generation": mailbox.generation,
            },
        )
        return bool(cursor.fetchone()[0])


_LIVES = "SELECT mailbox_is_living(%(workspace)s, %(mailbox)s, %(generation)s)"


def access(mailbox: Mailbox) -> Access:
    """A usable access token; refreshed and stored first where the old one is at its end.

    Raises Disconnected (revoked, broken, another generation, its owner or workspace is out), Retry.
    """
    until = time.monotonic() + settings.HTTP_DEADLINE_SECONDS
    while True:
        row = living(mailbox).annotate(moment=Now()).first()
        if row is None:
            raise broken_link(mailbox)
        soon = row.moment + dt.timedelta(seconds=MARGIN_SECONDS)
        if row.access_token and row.access_expires_at and row.access_expires_at > soon:
            return Access(str(row.access_token), row.access_expires_at, str(mailbox.address))
        lease = _take_lease(row)
        if lease is not None:
            return _refresh(mailbox, row, lease)
        if time.monotonic() > until:
            raise Retry("refresh_under_way", after=5)
        time.sleep(0.1)


def reject(mailbox: Mailbox, refused: Access, *, claims: str = "") -> None:
    """The provider answered 401 to this token: the next `access` refreshes.

    `claims`, what a challenge asks the next token to be fetched with, are kept in the row: whoever refreshes
    next may be another worker.
    """
    rows = Credential.objects.filter(
        mailbox_id=mailbox.pk, generation=mailbox.generation, access_expires_at=refused.expires_at
    )
    values: dict[str, Any] = {"access_token": None, "access_expires_at": None}
    row = rows.first() if claims else None
    rows.update(**values, **(seal(row, claims=claims) if row is not None else {}))


def revoke_grant(provider: str, secret: str, *, seconds: float = 5.0) -> bool:
    """Ask the provider to end the grant; True when it is over. Microsoft has no such call. Raises Retry."""
    if provider != Provider.GOOGLE:
        return False
    return gmail_oauth.end_grant(secret, seconds=seconds)


def broken_link(mailbox: Mailbox) -> MailboxError:
    """Which link of the chain does not hold: workspace, owner, state or generation as they stand now."""
    now = Mailbox.objects.filter(pk=mailbox.pk).values("state", "generation").first()
    if now is None or now["generation"] != mailbox.generation:
        return Disconnected("another_generation")
    if now["state"] in (MailboxState.REVOKED, MailboxState.BROKEN):
        return Disconnected(now["state"])
    if Workspace.objects.filter(pk=mailbox.workspace_id, suspended_at__isnull=False).exists():
        # The operator's stop, which is lifted as it was set: the owner has nothing to sign in again for.
        return Retry("workspace_suspended", after=60)
    if not Credential.objects.filter(mailbox_id=mailbox.pk, generation=mailbox.generation).exists():
        return Disconnected("no_credential")
    return Disconnected("owner_left")


def _take_lease(row: Credential) -> uuid.UUID | None:
    """One refresh at a time: the lease, or None while another holds it."""
    lease = uuid.uuid4()
    free = Q(refresh_until=None) | Q(refresh_until__lte=Now())
    # Somebody who refreshed since we looked has moved this time, or set it where there was none.
    rows = Credential.objects.filter(
        free, pk=row.pk, generation=row.generation, access_expires_at=row.access_expires_at
    )
    held = dt.timedelta(seconds=settings.HTTP_DEADLINE_SECONDS * 2)
    taken = rows.update(refresh_lease=lease, refresh_until=clock.now() + held) == 1
    return lease if taken else None


def _refresh(mailbox: Mailbox, row: Credential, lease: uuid.UUID) -> Access:
    held = Credential.objects.filter(pk=row.pk, generation=row.generation, refresh_lease=lease)
    try:
        tokens: Tokens = DOORS[mailbox.provider].refresh(str(row.secret), claims=str(row.claims or ""))
    except Lost as lost:
        held.update(refresh_lease=None, refresh_until=None, refusals=F("refusals") + 1)
        if row.refusals == 0:
            raise Retry("grant_refused_once", lost.reason, after=10) from lost
        disconnected = Disconnected(lost.reason, lost.detail)
        broke(mailbox, disconnected)
        raise disconnected from lost
    except Retry as problem:
        held.update(refresh_lease=None, refresh_until=None)
        if problem.reason == "our_registration":
            log.error("the provider refuses our own registration: %s", mailbox.provider)
        raise
    expires_at = clock.now() + dt.timedelta(seconds=tokens.seconds)
    values = {"access_token": tokens.access_token}
    if tokens.secret:
        values["secret"] = tokens.secret
    stored = held.update(
        access_expires_at=expires_at,
        refresh_lease=None,
        refresh_until=None,
        refusals=0,
        claims=None,
        **seal(row, **values),
    )
    if stored != 1:
        # The bin was pressed meanwhile, or the lease ran out: what we hold was never stored and is not used.
        raise Retry("refresh_overtaken", after=1)
    return Access(tokens.access_token, expires_at, str(mailbox.address))


def _digest(state: str) -> str:
    """What the session keeps of a state: enough to know it again, useless to anybody who reads it."""
    return hashlib.sha256(state.encode()).hexdigest()
