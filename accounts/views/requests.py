"""Which credential made which request to the API: the list of 30 days, its filters, and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import MemberRequest, member
from accounts.models import ApiKey, ApiRequest, Role
from accounts.spreadsheet import as_csv

ANSWERS = {"2": "Done", "4": "Refused", "5": "Our side broke"}
_HEAD = [
    "Time (UTC)",
    "Credential",
    "Key or person",
    "Method",
    "Address",
    "Answer",
    "From",
    "Country",
    "Device",
]


@member(Role.ADMIN)
@require_GET
def api_requests(request: MemberRequest) -> HttpResponse:
    rows, asked = _asked(request)
    page = {
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
        "keys": ApiKey.objects.order_by("name", "-pk")[:100],
        "answers": ANSWERS,
        "asked": asked,
        "query": urlencode(asked),
        "nav_on": "keys",
    }
    return render(request, "accounts/requests.html", page)


@member(Role.ADMIN)
@require_GET
def api_requests_csv(request: MemberRequest) -> HttpResponseBase:
    rows, _ = _asked(request)
    # Evaluated here: the workspace is closed by the time the last line leaves.
    answer = StreamingHttpResponse(
        as_csv(_lines(list(rows[:50_000]))), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = 'attachment; filename="api-requests.csv"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _asked(request: MemberRequest) -> tuple[QuerySet[ApiRequest], dict[str, str]]:
    """The rows that the filters leave, newest first, and the filters that fit."""
    rows = ApiRequest.objects.select_related("key", "user").order_by("-at", "-id")
    asked: dict[str, str] = {}
    credential, status = request.GET.get("credential", "")[:20], request.GET.get("answer", "")
    if credential and "\x00" not in credential:
        rows, asked["credential"] = rows.filter(credential=credential), credential
    if status in ANSWERS:
        low = int(status) * 100
        rows, asked["answer"] = rows.filter(status__gte=low, status__lt=low + 100), status
    return rows, asked


def _lines(rows: list[ApiRequest]) -> Iterator[Sequence[object]]:
    yield _HEAD
    for row in rows:
        who = row.key.name if row.key else row.user.get_full_name() if row.user else ""
        when = f"{row.at:%Y-%m-%d %H:%M:%S}"
        yield [
            when, row.credential, who, row.method, row.route, row.status, row.place, row.country, row.device,
        ]  # fmt: skip
