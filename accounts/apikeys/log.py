"""Which credential made which request (promises 19, 23): one row each, without content, kept 30 days."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest

from accounts import clock
from accounts.devices import device_of
from accounts.geo import country_of
from accounts.models import ApiKey, ApiRequest, User

KEPT = dt.timedelta(days=30)
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
    """Delete what is older than KEPT in the open workspace; how many."""
    gone = 0
    before = clock.now() - KEPT
    while True:
        ids = list(ApiRequest.objects.filter(at__lt=before).values_list("pk", flat=True)[:_BATCH])
        if not ids:
            return gone
        gone += ApiRequest.objects.filter(pk__in=ids).delete()[0]
