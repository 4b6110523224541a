"""Addresses at Graph: paths, queries, and what stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from django.conf import settings

from mailbox.providers.graph_messages import SELECT


def url_of(path: str, query: dict[str, str] | None = None) -> str:
    found = f"{settings.GRAPH_BASE.rstrip('/')}{path}"
    return f"{found}?{urlencode(query, quote_via=quote, safe='$')}" if query else found


def in_path(provider_id: str) -> str:
    """An id as one piece of a path, whatever letters it has."""
    return quote(str(provider_id), safe="")


def first_page(folder: str, since: datetime) -> str:
    query = {"changeType": "created", "$select": SELECT, "$filter": f"receivedDateTime ge {in_utc(since)}"}
    return url_of(f"/me/mailFolders/{folder}/messages/delta", query)


def in_filter(text: str) -> str:
    return text.replace("'", "''")


def in_utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
