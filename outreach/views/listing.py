"""Pages of a list: 50 rows by number or by keyset, and the filters that its pager keeps."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

PER_PAGE = 50
_PLACE = re.compile(r"(\d{1,17})-([0-9a-f]{32})")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Slice:
    """Rows found by their place, so that the last page costs what the first one costs.

    `newer` and `older` are queries of the neighbouring pages, "" where there is none.
    """

    rows: list[Any]
    newer: str = ""
    older: str = ""


def slice_of(request: HttpRequest, rows: QuerySet[Any, Any], *, query: str = "") -> Slice:
    """Newest first by (created_at, id), behind `?after=` or before `?before=`. One query."""
    after, before = place_in(request.GET.get("after", "")), place_in(request.GET.get("before", ""))
    back = before is not None
    place = before or after
    if place is not None:
        at, pk = place
        # The first part bounds the walk through the index, the second decides between rows of one moment.
        if back:
            rows = rows.filter(Q(created_at__gt=at) | Q(created_at=at, id__gt=pk), created_at__gte=at)
        else:
            rows = rows.filter(Q(created_at__lt=at) | Q(created_at=at, id__lt=pk), created_at__lte=at)
    found = list(rows.order_by(*(("created_at", "id") if back else ("-created_at", "-id")))[: PER_PAGE + 1])
    more, found = len(found) > PER_PAGE, found[:PER_PAGE]
    if back:
        found.reverse()
    if not found:
        return Slice([])
    first, last = place_of(found[0]), place_of(found[-1])
    is_newer, is_older = (more, True) if back else (place is not None, more)
    start = f"{query}&" if query else ""
    return Slice(
        found, f"{start}before={first}" if is_newer else "", f"{start}after={last}" if is_older else ""
    )


def place_in(text: str) -> tuple[dt.datetime, uuid.UUID] | None:
    found = _PLACE.fullmatch(text)
    if found is None:
        return None
    try:
        return _EPOCH + dt.timedelta(microseconds=int(found[1])), uuid.UUID(found[2])
    except OverflowError:
        return None


def place_of(row: Any) -> str:
    return f"{(row.created_at - _EPOCH) // dt.timedelta(microseconds=1)}-{row.pk.hex}"


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
