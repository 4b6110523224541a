"""Removal work: the list of projects, one project's sites with their verdicts, the requests, the file."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit, clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach.forms_removals import RemovalForm
from outreach.links import cases, counting, disavow, request_text, words
from outreach.models import Project, RemovalCase, Verdict
from outreach.views.listing import kept, page_of

MOST_PREVIEWED = 4


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    case: RemovalCase
    verdict: words.Chip
    chips: list[words.Chip]
    reasons: str
    sentence: str


@member(Role.VIEWER)
@require_GET
def removals(request: MemberRequest) -> HttpResponse:
    rows = (
        Project.objects.annotate(
            sites=Count("cases", distinct=True),
            decide=Count("cases", distinct=True, filter=Q(cases__verdict=Verdict.UNDECIDED)),
            yours=Count("cases", distinct=True, filter=Q(cases__state="your_turn")),
            newest=Max("cases__created_at"),
        )
        .filter(Q(sites__gt=0) | Q(campaigns__kind="removal"))
        .order_by("-newest", "name")
    )
    page = page_of(request, rows)
    numbers = _links_of([row.pk for row in page])
    context = {
        "page": page,
        "lines": [(row, *numbers.get(row.pk, (0, 0))) for row in page],
        "may_work": request.membership.may(Role.MEMBER),
    }
    return render(request, "outreach/removals.html", context)


def _links_of(projects: list[uuid.UUID]) -> dict[uuid.UUID, tuple[int, int]]:
    """Project → (links, of them gone): a query of its own, so that two joins do not multiply."""
    rows = (
        Project.objects.filter(pk__in=projects)
        .annotate(total=Count("links"), gone=Count("links", filter=Q(links__state__in=counting.GONE)))
        .values_list("pk", "total", "gone")
    )
    return {pk: (total, gone) for pk, total, gone in rows}


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def removal_new(request: MemberRequest) -> HttpResponse:
    """A new project, or one that exists: both lead on to the import."""
    form = RemovalForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        row = form.save()
        audit.record("project.created", f"Project {row.name} made", actor=request.user, object_id=row.pk)
        request_text.prepare(row, actor=request.user)
        return redirect("outreach:removal_import", slug=request.workspace.slug, pk=row.pk)
    others = Project.objects.filter(cases=None).exclude(website="").order_by("name")[:50]
    page = {"form": form, "others": others}
    return render(request, "outreach/removal_new.html", page, status=422 if form.errors else 200)


@member(Role.VIEWER)
@require_GET
def removal(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The page; with `?part=sums` only what follows from a verdict: tallies, filters, acts, the file."""
    row = own_or_404(Project, pk)
    show, asked = _shown(request)
    page = _sums(request, row, show, asked)
    if request.GET.get("part") == "sums":
        return render(request, "outreach/_removal_sums.html", {**page, "live": True})
    found = counting.with_links(RemovalCase.objects.filter(project=row)).filter(counting.FILTERS[show][1])
    if asked:
        found = found.filter(site__domain__icontains=asked)
    rows = found.select_related(*words.RELATED).prefetch_related(*words.prefetches())
    page["page"] = page_of(request, counting.most_links_first(rows))
    now = clock.now()
    page["lines"] = [line_of(case, now=now) for case in page["page"]]
    page["last_import"] = RemovalCase.objects.filter(project=row).aggregate(at=Max("links__created_at"))["at"]
    return render(request, "outreach/removal.html", page)


def line_of(case: RemovalCase, *, now: dt.datetime) -> Line:
    return Line(
        case,
        words.verdict_of(case),
        words.chips(case),
        words.reasons(case),
        words.sentence_of(case, now=now),
    )


def _shown(request: MemberRequest) -> tuple[str, str]:
    show = request.GET.get("show", "")
    return (show if show in counting.FILTERS else ""), request.GET.get("q", "").strip().lower()[:253]


def _sums(request: MemberRequest, row: Project, show: str, asked: str) -> dict[str, Any]:
    found = disavow.build(row, now=clock.now())
    campaign = request_text.campaign_of(row)
    writable = cases.writable(row)
    return {
        "project": row,
        "campaign": campaign,
        "requests": campaign.enrollments.exclude(messages=None).distinct().count() if campaign else 0,
        "tally": counting.tally_of(row),
        "filters": counting.filter_counts(row),
        "show": show,
        "chosen": counting.FILTERS[show][0],
        "q": asked,
        "query": kept(show=show, q=asked),
        "ready": len(writable.ready),
        "held": len(writable.held_back),
        "file": found,
        "preview": found.entries[:MOST_PREVIEWED],
        "more": max(0, len(found.entries) - MOST_PREVIEWED),
        "may_work": request.membership.may(Role.MEMBER),
    }


@member(Role.VIEWER)
@require_GET
def disavow_file(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Project, pk)
    found = disavow.build(row, now=clock.now())
    try:
        text = disavow.text_of(found)
    except disavow.TooLarge as too_large:
        messages.error(request, str(too_large))
        return redirect(_url(request, "removal", pk))
    audit.record(
        "disavow.exported",
        f"Disavow file of {row.name} downloaded: {found.domains} sites, {found.urls} URLs",
        actor=request.user,
        object_id=row.pk,
    )
    answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
    name = f"disavow-{slugify(row.website or row.name) or 'links'}.txt"
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})
