"""The product's addresses with mistakes beside them: tests/isolation/test_planted.py must name each."""

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
from tests.isolation.rules import acts, reads, shows


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


@member(Role.VIEWER)
@require_GET
def too_low(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """What is declared for admins."""
    return HttpResponse("settings")


@member(Role.VIEWER)
@require_GET
def offers(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Shows everybody what only some may do."""
    home = f"/w/{request.workspace.slug}"
    return HttpResponse(
        f'<a href="{home}/mailboxes/{pk}/remove/">Remove</a>'
        f'<form method="post" action="{home}/projects/new/"></form><a href="{home}/contacts/">People</a>'
    )


@member(Role.MEMBER)
@require_http_methods(["POST"])
def assigns(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Sets whatever a form names."""
    row = own_or_404(Contact, pk)
    for name, value in request.POST.items():
        setattr(row, name, value)
    row.save()
    return HttpResponse("done")


PLANTED = [
    bare, unscoped, too_kind, writes_on_get, without_token, falls_over, adopts, too_low, offers, assigns
]  # fmt: skip
# What the matrix is told of them.
RULES = {
    "bare": reads(Role.VIEWER),
    "unscoped": shows(Role.VIEWER, Role.VIEWER),
    "too_kind": shows(Role.VIEWER, Role.MEMBER),
    "writes_on_get": reads(Role.MEMBER),
    "without_token": acts(Role.MEMBER),
    "falls_over": reads(Role.VIEWER),
    "adopts": acts(Role.MEMBER),
    "too_low": reads(Role.ADMIN),
    "offers": reads(Role.VIEWER),
    "assigns": acts(Role.MEMBER),
}
# Registered in tests/isolation/house.py as planted-…
planted = [
    path(f"w/<slug:slug>/planted/{view.__name__}/<uuid:pk>/", view, name=f"planted-{view.__name__}")
    for view in PLANTED
]
urlpatterns = [*real, *planted]
