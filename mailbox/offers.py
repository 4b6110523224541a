"""What a provider gave, until a person says on our page that it may be kept (threats T6).

Nothing is connected before. The row lasts 10 minutes; cancelled or lapsed, its secret is dropped and Google
is asked to end the grant. An account that is connected elsewhere is offered without any secret: all that can
come of it is a mail to the account's own address.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass
from typing import Any

from django.db import connections, transaction
from django.db.models import QuerySet

from accounts import clock
from accounts.clock import Now
from accounts.models import User
from accounts.tenancy import current_workspace_id
from mailbox import oauth, standing
from mailbox.connecting import identity_of
from mailbox.consents import Stale
from mailbox.errors import Retry
from mailbox.models import Mailbox, PendingConsent, Provider
from mailbox.types import Connection

log = logging.getLogger(__name__)
SESSION_KEY = "offers"
OFFER_SECONDS = 600


def lay(
    connection: Connection,
    *,
    user: User,
    session: MutableMapping[str, Any],
    mailbox: Mailbox | None = None,
    elsewhere: bool = False,
) -> PendingConsent:
    """Keep this answer for this person, in this browser and the open workspace.

    `mailbox` is set for a reconnect. `elsewhere`: known to be so, whatever the directory says.
    """
    identity = identity_of(connection.provider, connection.subject)
    answer: dict[str, Any] = {
        "provider": connection.provider,
        "subject": connection.subject,
        "address": connection.address,
        "elsewhere": elsewhere or standing.is_elsewhere(identity),
    }
    if not answer["elsewhere"]:
        answer |= {**asdict(connection), "expires_at": connection.expires_at.isoformat()}
    row = PendingConsent.objects.create(
        user=user,
        provider=connection.provider,
        mailbox=mailbox,
        flow="",
        answer=json.dumps(answer),
        expires_at=clock.now() + dt.timedelta(seconds=OFFER_SECONDS),
    )
    if not answer["elsewhere"]:
        standing.note_consent(identity, str(row.pk))
    session[SESSION_KEY] = {**session.get(SESSION_KEY, {}), str(current_workspace_id()): str(row.pk)}
    return row


def current(session: MutableMapping[str, Any], *, user: User) -> PendingConsent | None:
    """The offer that this browser holds for this person in the open workspace, decided or not."""
    known = session.get(SESSION_KEY, {}).get(str(current_workspace_id()))
    return PendingConsent.objects.filter(pk=known, user=user).first() if known else None


@dataclass(frozen=True)
class Offer:
    """What the page shows of an answer: no secret."""

    id: str
    address: str
    elsewhere: bool
    again: bool


def shown(row: PendingConsent) -> Offer:
    answer = json.loads(str(row.answer))
    return Offer(
        id=str(row.pk),
        address=answer["address"],
        elsewhere=answer["elsewhere"],
        again=row.mailbox_id is not None,
    )


def is_open(row: PendingConsent) -> bool:
    return row.used_at is None and row.answer is not None and row.expires_at > clock.now()


def take(row: PendingConsent) -> dict[str, Any]:
    """The answer, once: of two presses one gets it. Nothing secret stays in the row. Raises Stale."""
    fresh = PendingConsent.objects.filter(pk=row.pk, used_at=None, expires_at__gt=Now())
    if row.answer is None or fresh.update(used_at=Now(), answer=None) != 1:
        raise Stale("this answer was used or is too old")
    return dict(json.loads(str(row.answer)))


def connection_of(answer: dict[str, Any]) -> Connection:
    """Raises Stale for an answer that was offered without a secret."""
    if answer["elsewhere"]:
        raise Stale("the account is connected elsewhere")
    values = {name: value for name, value in answer.items() if name != "elsewhere"}
    return Connection(
        **{
            **values,
            "scopes": tuple(values["scopes"]),
            "expires_at": dt.datetime.fromisoformat(values["expires_at"]),
        }
    )


def give_up(row: PendingConsent, answer: dict[str, Any]) -> None:
    """Drop what was offered; Google is asked on a thread, so that no page and no transaction waits for it."""
    secret = _ours_to_end(row, answer)
    if secret:
        arguments = (row.provider, secret)
        thread = threading.Thread(target=_end, args=arguments, name="revoke", daemon=True)
        transaction.on_commit(thread.start, robust=True)


def lapsed() -> QuerySet[PendingConsent]:
    """Answers that nobody has decided about in time."""
    rows: QuerySet[PendingConsent] = PendingConsent.objects.filter(
        answer__isnull=False, used_at=None, expires_at__lte=Now()
    )
    return rows


def drop_lapsed() -> int:
    """Drop them, and the rows of decided ones whose time is over."""
    gone = _drop(lapsed())
    PendingConsent.objects.filter(answer__isnull=True, expires_at__lte=Now()).delete()
    return gone


def drop_of(user: User) -> int:
    """Everything that is under way for somebody who has no place here any more."""
    gone = _drop(PendingConsent.objects.filter(user=user, answer__isnull=False, used_at=None))
    PendingConsent.objects.filter(user=user).delete()
    return gone


def _drop(rows: QuerySet[PendingConsent]) -> int:
    count = 0
    for row in rows:
        answer = json.loads(str(row.answer))
        if PendingConsent.objects.filter(pk=row.pk, used_at=None).delete()[0]:
            count += 1
            give_up(row, answer)
    return count


def _ours_to_end(row: PendingConsent, answer: dict[str, Any]) -> str:
    """Google's refresh token, unless a connection or a newer consent rests on the same grant."""
    if answer["elsewhere"] or row.provider != Provider.GOOGLE:
        return ""
    identity = identity_of(row.provider, answer["subject"])
    if standing.is_needed(identity, but_for=str(row.pk)):
        return ""
    standing.forget_consent(identity)
    return str(answer["secret"])


def _end(provider: str, secret: str) -> None:
    try:
        oauth.revoke_grant(provider, secret)
    except Retry as problem:
        log.info("Google did not end a declined grant: %s", problem.reason)
    finally:
        connections.close_all()
