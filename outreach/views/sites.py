"""Sites: the domains that people and links belong to."""

from __future__ import annotations

import uuid

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts import clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import why
from outreach.models import Backlink, Contact, Message, MessageState, RemovalCase, Site
from outreach.views.listing import kept, page_of


@member(Role.VIEWER)
@require_GET
def sites(request: MemberRequest) -> HttpResponse:
    asked = request.GET.get("q", "").strip().lower()[:253]
    rows = Site.objects.annotate(
        people=Count("contacts", distinct=True),
        last_at=Subquery(_sent().filter(contact__site=OuterRef("pk")).values("sent_at")[:1]),
    ).order_by("domain")
    if asked:
        rows = rows.filter(domain__icontains=asked)
    page = {"page": page_of(request, rows), "q": asked, "query": kept(q=asked), "nav_on": "sites"}
    return render(request, "outreach/sites.html", page)


@member(Role.VIEWER)
@require_GET
def site(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Site, pk)
    people = (
        Contact.objects.filter(site=row)
        .annotate(last_at=Subquery(_sent().filter(contact=OuterRef("pk")).values("sent_at")[:1]))
        .order_by("-created_at", "-id")
    )
    mails = list(
        Message.objects.filter(contact__site=row)
        .select_related(*why.WITH)
        .order_by("-created_at", "-id")[:50]
    )
    now = clock.now()
    page = {
        "site": row,
        "page": page_of(request, people),
        "mails": [(mail, why.state_of(mail, now=now)) for mail in mails],
        "cases": RemovalCase.objects.filter(site=row).select_related("project").order_by("project__name"),
        "links": Backlink.objects.filter(case__site=row).count(),
        "nav_on": "sites",
    }
    return render(request, "outreach/site.html", page)


def _sent() -> QuerySet[Message]:
    return Message.objects.filter(state=MessageState.SENT).order_by("-sent_at")
