"""The activity log's only writer, and the usual way to read it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import QuerySet

from accounts import origin
from accounts.activity.chain import digest_of
from accounts.models import AuditEvent, AuditText
from accounts.origin import ActorKind, Origin
from accounts.rows import Insert
from accounts.tenancy import current_workspace_id

if TYPE_CHECKING:
    from accounts.models import User
# First words of actions that are about something with another name.
_OTHER_KINDS = {"contacts": "contact", "disavow": "project", "enrollment": "campaign", "links": "project"}

_EVENT: Insert[AuditEvent] = Insert(AuditEvent, "at")
_TEXT: Insert[AuditText] = Insert(AuditText)


def record(
    action: str,
    sentence: str,
    *,
    actor: User | None = None,
    object_id: object = "",
    object_kind: str = "",
    by: ActorKind | None = None,
) -> AuditEvent:
    """Write one line: `action` is a stable code ("mailbox.revoked"), `sentence` what a person reads.

    `object_kind` is the action's first word unless given. From where, and under which credential, comes from
    the open origin (accounts/origin.py); an act without an actor is the product's own, unless a key is at
    work or `by` says otherwise.
    """
    here = _origin_of(actor, by)
    first = action.partition(".")[0]
    salt = secrets.token_hex(16)
    event = AuditEvent(
        workspace_id=current_workspace_id(),
        action=action,
        actor_id=actor.sid if actor is not None else None,
        actor_kind=here.actor_kind,
        credential=here.credential,
        object_kind=(object_kind or _OTHER_KINDS.get(first, first))[:20],
        object_id=str(object_id)[:40],
        place=here.place,
        country=here.country,
        device=here.device,
        digest=digest_of(salt, sentence),
    )
    event.text = AuditText(workspace_id=event.workspace_id, event=event, sentence=sentence, salt=salt)
    with connection.cursor() as cursor:
        # One message is one transaction, where none is open.
        cursor.execute(f"{_EVENT.sql};{_TEXT.sql}", [*_EVENT.values(event), *_TEXT.values(event.text)])
    return event


def _origin_of(actor: User | None, by: ActorKind | None) -> Origin:
    """The act's origin. A recipient's visit is no member's act: where it comes from is not kept."""
    found = origin.current()
    if by is not None:
        return Origin(actor_kind=by)
    if found.actor_kind == ActorKind.KEY:
        return found
    if actor is None:
        return origin.NOWHERE
    return Origin(found.place, found.country, found.device, found.credential, ActorKind.PERSON)


def lines() -> QuerySet[AuditEvent]:
    """Newest first, each with its person and its words, in one query."""
    return AuditEvent.objects.select_related("actor", "text").order_by("-at", "-id")
