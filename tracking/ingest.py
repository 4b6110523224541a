"""From a mail program's request to a stored fact. Whatever happens here, the caller answers the same."""

from __future__ import annotations

import logging
import uuid

from django.conf import settings
from django.db import DatabaseError, transaction
from django.http import HttpRequest

from accounts import clock
from accounts.models import Membership, Workspace
from accounts.tenancy import workspace
from tracking import recipient, record
from tracking.models import Kind, Source
from tracking.scanners import Visit, classify, opts_out_of_counting

logger = logging.getLogger(__name__)


def note(
    request: HttpRequest, kind: Kind, *, workspace_id: uuid.UUID, key: uuid.UUID, link: int | None = None
) -> None:
    """Count an open or a click, unless the visitor, the recipient or the sender does not want it counted.

    A database that does not answer loses the fact, never the recipient's way to the page.
    """
    if opts_out_of_counting(request.headers):
        return
    try:
        _note(request, kind, workspace_id, key, link)
    except DatabaseError:
        logger.exception("a %s was not stored", kind.value)


def _note(
    request: HttpRequest, kind: Kind, workspace_id: uuid.UUID, key: uuid.UUID, link: int | None
) -> None:
    if not Workspace.objects.filter(pk=workspace_id).exists():
        return
    with workspace(workspace_id), transaction.atomic():
        trace = recipient.trace(key)
        if trace is None or not (trace.opens if kind == Kind.OPENED else trace.clicks):
            return
        after = (clock.now() - trace.sent_at).total_seconds() if trace.sent_at else None
        source = classify(
            kind,
            Visit(request.method or "", request.headers, after),
            soonest=settings.SCANNER_SECONDS,
        )
        if _is_sender(request, workspace_id):
            source = Source.SELF
        record.observe(key, kind, source=source, link=link)


def _is_sender(request: HttpRequest, workspace_id: uuid.UUID) -> bool:
    """A signed-in member of the workspace that sent the mail. Without a cookie no session is read."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return False
    return Membership.objects.filter(workspace_id=workspace_id, user=request.user).exists()
