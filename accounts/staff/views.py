"""The operator's page, and the same figures for Prometheus."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts import clock
from accounts.access import public
from accounts.staff import access, chart, exposition, figures


@dataclass(frozen=True)
class Row:
    """A family on the page: its values as words."""

    family: figures.Family
    values: list[tuple[str, str]]


@access.operator
@never_cache
@require_GET
def console(request: HttpRequest) -> HttpResponse:
    """For htmx the part that moves; without a fresh proof that part holds no figure."""
    if request.headers.get("HX-Request"):
        if not access.may_look(request):
            return render(request, "accounts/_staff_figures.html", {"rests": True})
        return render(request, "accounts/_staff_figures.html", _page())
    return render(request, "accounts/staff.html", _page())


def _page() -> dict[str, Any]:
    found = figures.read()
    groups: dict[str, list[Row]] = {}
    for family in figures.families():
        values = [
            (", ".join(value.labels), _words(value)) for value in found.values if value.family == family
        ]
        groups.setdefault(family.group, []).append(Row(family, values))
    return {"groups": groups, "chart": chart.of(found.minutes), "at": clock.now()}


@public("a monitor has no account: the bearer token is the right, and without one nothing is there")
@never_cache
@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, sent = request.headers.get("Authorization", "").partition(" ")
    given = sent.strip() if scheme.lower() == "bearer" else ""
    if not secrets.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        refused = HttpResponse("a token is needed\n", status=401, content_type="text/plain")
        refused["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return refused
    text = exposition.exposition(figures.families(), figures.read().values)
    return HttpResponse(text, content_type=exposition.CONTENT_TYPE)


def _words(value: figures.Value) -> str:
    if value.value is None:
        return "none"
    return chart.span(value.value) if value.family.is_time else f"{value.value:,.10g}"
