"""Pages of a list: 50 rows, and the filters that its pager keeps."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

PER_PAGE = 50


def page_of(request: HttpRequest, rows: QuerySet[Any, Any]) -> Page[Any]:
    """The page that `?page=` names; the last one where the number is too high."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))


def kept(**filters: str) -> str:
    """The query string of the filters that are set, for links of the pager."""
    return urlencode({name: value for name, value in filters.items() if value})


def ids_of(texts: Iterable[str], *, most: int = 5000) -> list[uuid.UUID]:
    """What a form selected: the first `most`, without what is no id."""
    found = []
    for text in islice(texts, most):
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def ids(rows: Page[Any]) -> list[Any]:
    """The primary keys on this page, for look-ups that take one query for all rows."""
    return [row.pk for row in rows.object_list if isinstance(row, Model)]
