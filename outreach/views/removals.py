"""Removal work: the list of projects, one project's sites with their verdicts, the requests, the file.

A project's page asks every few seconds what has changed. Each part in sight carries a mark of its words, so
that only parts that changed are sent and a row that is being read stays where it is.
"""

from __future__ import annotations

import datetime as dt
import hashlib
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
from outreach.models import CampaignState, Project, RemovalCase, Verdict
from outreach.views.listing import PER_PAGE, kept, page_of

MOST_PREVIEWED = 4


@dataclass(frozen=True)
class Line:
    """A row of the table."""

    case: RemovalCase
    verdict: words.Chip
    chips: list[words.Chip]
    reasons: str
    sentence: str

    @property
    def mark(self) -> str:
        """The case, and a digest of what its row says."""
        said = (self.case.state, self.verdict, self.chips, self.reasons, str(self.sentence))
        return f"{self.case.pk.hex}-{_digest(said)}"


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
    """The page; with `?part=live` only its parts whose mark is not among `was`, or 204 where none is."""
    row = own_or_404(Project, pk)
    show, asked = _shown(request)
    page = _sums(request, row, show, asked)
    if request.GET.get("part") == "live":
        return _live(request, row, page)
    page |= _lines(request, row, show, asked)
    page["last_import"] = RemovalCase.objects.filter(project=row).aggregate(at=Max("links__created_at"))["at"]
    return render(request, "outreach/removal.html", page)


def _live(request: MemberRequest, row: Project, page: dict[str, Any]) -> HttpResponse:
    was = set(request.GET.getlist("was")[: PER_PAGE + 1])
    in_sight = _cases_of(was)
    parts: dict[str, Any] = {"live": True, "sums": page["mark"] not in was}
    if in_sight:
        now = clock.now()
        rows = _rows(row).filter(pk__in=in_sight)
        lines = [line_of(case, now=now) for case in rows]
        parts["changed"] = [line for line in lines if line.mark not in was]
        parts["page"] = {"number": request.GET.get("page", "")[:6]}
    else:
        parts |= _lines(request, row, page["show"], page["q"])
        parts["whole"] = bool(parts["lines"])
    if not (parts["sums"] or parts.get("changed") or parts.get("whole")):
        return HttpResponse(status=204)
    return render(request, "outreach/_removal_live.html", {**page, **parts})


def _cases_of(marks: set[str]) -> list[uuid.UUID]:
    """The cases whose rows are in sight, by their marks; what is no mark is passed over."""
    found = []
    for mark in marks:
        try:
            found.append(uuid.UUID(mark.partition("-")[0][:40]))
        except ValueError:
            continue
    return found


def _rows(row: Project) -> Any:
    found = counting.with_links(RemovalCase.objects.filter(project=row))
    return found.select_related(*words.RELATED).prefetch_related(*words.prefetches())


def _lines(request: MemberRequest, row: Project, show: str, asked: str) -> dict[str, Any]:
    found = _rows(row).filter(counting.FILTERS[show][1])
    if asked:
        found = found.filter(site__domain__icontains=asked)
    page = page_of(request, counting.most_links_first(found))
    now = clock.now()
    return {"page": page, "lines": [line_of(case, now=now) for case in page]}


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
    sums = {
        "requests": campaign.enrollments.exclude(messages=None).distinct().count() if campaign else 0,
        "tally": counting.tally_of(row),
        "filters": counting.filter_counts(row),
        "ready": len(writable.ready),
        "held": len(writable.held_back),
        "file": found,
    }
    state = campaign.state if campaign else ""
    return {
        **sums,
        "mark": f"sums-{_digest((state, sums))}",
        "project": row,
        "campaign": campaign,
        "every": _every(state) if campaign and campaign.launched_at else 0,
        "show": show,
        "chosen": counting.FILTERS[show][0],
        "q": asked,
        "query": kept(show=show, q=asked),
        "preview": found.entries[:MOST_PREVIEWED],
        "more": max(0, len(found.entries) - MOST_PREVIEWED),
        "may_work": request.membership.may(Role.MEMBER),
    }


def _every(state: str) -> int:
    """Seconds between two questions; 0 where nothing is under way any more."""
    return {CampaignState.RUNNING: 3, CampaignState.CANCELLED: 0}.get(CampaignState(state), 10)


def _digest(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()[:12]


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
