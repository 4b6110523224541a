"""Targets of links that are too long for a token: a row each (decisions 17)."""

from __future__ import annotations

import uuid

from accounts.encryption import blind_index
from accounts.tenancy import current_workspace_id
from tracking.models import LinkTarget


def keep_target(url: str, *, key: uuid.UUID, link_no: int) -> uuid.UUID:
    """The row's id, which follows from mail, link and target: rendering twice makes one row."""
    row_id = uuid.UUID(bytes=blind_index(current_workspace_id(), "link", f"{key}|{link_no}|{url}")[:16])
    LinkTarget.objects.get_or_create(pk=row_id, defaults={"key": key, "url": url})
    return row_id


def find_target(row_id: uuid.UUID, *, key: uuid.UUID) -> str:
    """'' when there is none (any more)."""
    row = LinkTarget.objects.filter(pk=row_id, key=key).first()
    return str(row.url) if row else ""
