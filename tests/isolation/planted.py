"""The product's addresses with mistakes beside them: the checks of tests/test_isolation.py must name each."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from config.urls import urlpatterns as real
from outreach.models import Contact, Site


@require_GET
def bare(request: HttpRequest, pk: uuid.UUID, **_: Any) -> HttpResponse:
    """Forgot @member."""
    return HttpResponse("open")


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def unscoped(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Goes round the workspace's manager."""
    row: Contact = QuerySet(Contact).get(pk=pk)
    if request.method == "POST":
        QuerySet(Contact).filter(pk=pk).update(company="Taken over")
    return HttpResponse(row.company)


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def too_kind(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Lets viewers write."""
    row = own_or_404(Contact, pk)
    if request.method == "POST":
        Contact.objects.filter(pk=row.pk).update(company="Other")
    return HttpResponse(row.company)


@member(Role.MEMBER)
@require_GET
def writes_on_get(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    Contact.objects.filter(pk=own_or_404(Contact, pk).pk).update(company="Other")
    return HttpResponse("done")


@csrf_exempt
@member(Role.MEMBER)
@require_http_methods(["POST"])
def without_token(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return HttpResponse(own_or_404(Contact, pk).company)


@member(Role.VIEWER)
@require_GET
def falls_over(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return HttpResponse(int(request.GET.get("page", "1")))


@member(Role.MEMBER)
@require_http_methods(["POST"])
def adopts(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Takes any id that a form names."""
    row = own_or_404(Contact, pk)
    row.site = QuerySet(Site).get(pk=request.POST["site"])
    row.save()
    return HttpResponse("done")


PLANTED = [bare, unscoped, too_kind, writes_on_get, without_token, falls_over, adopts]
# Registered in tests/isolation/house.py as planted-…
planted = [
    path(f"w/<slug:slug>/planted/{view.__name__}/<uuid:pk>/", view, name=f"planted-{view.__name__}")
    for view in PLANTED
]
urlpatterns = [*real, *planted]
