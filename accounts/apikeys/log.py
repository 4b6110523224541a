"""Which credential made which request (promises 19, 23): one row each, without content, kept 30 days.

What repeatable requests were answered goes after a day.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import clock
from accounts.devices import device_of
from accounts.geo import country_of
from accounts.models import ApiAnswer, ApiKey, ApiRequest, User

KEPT = dt.timedelta(days=30)
ANSWERS_KEPT = dt.timedelta(hours=24)
_BATCH = 5000


def note(
    request: HttpRequest,
    *,
    status: int,
    credential: str,
    address: str,
    key: ApiKey | None = None,
    user: User | None = None,
) -> None:
    """Write one line into the open workspace. The route is the pattern, which holds no id."""
    match = request.resolver_match
    ApiRequest.objects.create(
        key=key,
        user=user,
        credential=credential[:20],
        method=(request.method or "")[:7],
        route=f"/{match.route}"[:120] if match else "",
        status=status,
        place=address[:45],
        country=country_of(address),
        device=device_of(request),
    )


def forget_old() -> int:
    """Delete what is older than it is kept for in the open workspace; how many rows."""
    now = clock.now()
    old = ApiRequest.objects.filter(at__lt=now - KEPT), ApiAnswer.objects.filter(at__lt=now - ANSWERS_KEPT)
    return sum(_delete(rows) for rows in old)


def _delete(rows: QuerySet[ApiRequest] | QuerySet[ApiAnswer]) -> int:
    gone = 0
    while ids := list(rows.values_list("pk", flat=True)[:_BATCH]):
        gone += rows.filter(pk__in=ids).delete()[0]
    return gone
