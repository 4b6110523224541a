"""Lists go forward by a cursor, the id of the last row that was given. Ids sort by time, newest first."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.db.models import Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

USUAL = 50
MOST = 200
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def uuid_of(name: str, text: str) -> uuid.UUID:
    """Raises ValidationError beside the parameter's name."""
    if not _ID.fullmatch(text):
        raise ValidationError({name: "This is not an id."})
    return uuid.UUID(text)


def page_of(request: Request, rows: QuerySet[Any], shape: Any) -> dict[str, Any]:
    """{"results": […], "next": cursor or None}. Raises ValidationError for a bad limit or cursor."""
    limit, cursor = _limit(request.query_params.get("limit")), request.query_params.get("cursor")
    if cursor is not None:
        rows = rows.filter(pk__lt=uuid_of("cursor", cursor))
    found: list[Model] = list(rows.order_by("-pk")[: limit + 1])
    more = len(found) > limit
    return {
        "next": str(found[limit - 1].pk) if more else None,
        "results": shape(found[:limit], many=True).data,
    }


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and 1 <= int(text) <= MOST):
        raise ValidationError({"limit": f"A whole number from 1 to {MOST}."})
    return int(text)
