"""The workspaces in which a stage may have work, found by one statement (migration 0018)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from django.db import connection

from accounts.tenancy import workspace

KINDS = ("queue", "send", "settle", "finish")


def with_work(kind: str) -> Iterator[uuid.UUID]:
    """Open one after another. A few of them may turn out to have nothing after all, none is left out."""
    if kind not in KINDS:
        raise ValueError(f"nobody works on {kind}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT outreach_with_work(%s)", [kind])
        found = [pk for (pk,) in cursor.fetchall()]
    for pk in found:
        with workspace(pk):
            yield pk
