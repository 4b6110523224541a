"""The list of campaigns, a new one, and a campaign's page with its people."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from typing import Any

from django.contrib import messages
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import Truncator
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit, clock
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import hand_edits, ledger, moving, saved_views, timeline, why
from outreach.forms_campaigns import CampaignForm
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Enrollment,
    EnrollmentState,
    Message,
    Project,
    Thread,
    ViewPage,
)
from outreach.models.contacts import address_index
from outreach.models.messages import STOPPABLE
from outreach.views import campaign_counts as counts
from outreach.views import enrollment_acts
from outreach.views.campaign_words import gates, if_paused
from outreach.views.forecast import forecast_of
from outreach.views.listing import kept, page_of
from tracking.models import Event


@member(Role.VIEWER)
@require_GET
def campaigns(request: MemberRequest) -> HttpResponse:
    state, project = request.GET.get("state", ""), request.GET.get("project", "")
    rows = Campaign.objects.filter(kind=CampaignKind.OUTREACH).order_by("-created_at", "-id")
    if state in CampaignState.values:
        rows = rows.filter(state=state)
    chosen = own_or_404(Project, project) if project else None
    if chosen:
        rows = rows.filter(project=chosen)
    page = {
        "page": page_of(request, counts.with_counts(rows)),
        "states": CampaignState.choices,
        "state": state,
        "project": chosen,
        "projects": Project.objects.order_by("name")[:200],
        "query": kept(state=state, project=project),
        "saved": saved_views.menu_of(ViewPage.CAMPAIGNS, request.GET.dict(), user=request.user),
        "may_administer": request.membership.may(Role.ADMIN),
        "may_work": request.membership.may(Role.MEMBER),
    }
    return render(request, "outreach/campaigns.html", page)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_new(request: MemberRequest) -> HttpResponse:
    form = CampaignForm(request.POST or None, initial={"project": request.GET.get("project", "")})
    if request.method == "POST" and form.is_valid():
        row = form.save(actor=request.user)
        messages.success(
            request, f"{Truncator(row.name).chars(60)} is a draft. Nothing is sent until you queue it."
        )
        return redirect("outreach:campaign_compose", slug=request.workspace.slug, pk=row.pk)
    return render(request, "outreach/campaign_new.html", {"form": form})


@member(Role.VIEWER)
@require_GET
def campaign(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The page; with `?live=` only the parts that move, or 204 while nothing has changed."""
    row = own_or_404(Campaign.objects.select_related("project", "mailbox"), pk)
    page = _page(request, row)
    if "live" in request.GET:
        if request.GET["live"] == page["seen"]:
            return HttpResponse(status=204)
        return render(request, "outreach/_campaign_live.html", {**page, "live": True})
    return render(request, "outreach/campaign.html", page)


@member(Role.VIEWER)
@require_GET
def campaign_person(request: MemberRequest, pk: uuid.UUID, person: uuid.UUID) -> HttpResponse:
    """What is known of one person here, mail by mail: a dialog for htmx, else a page."""
    rows = Enrollment.objects.filter(campaign=pk).select_related("campaign", "contact__site")
    row = own_or_404(moving.with_names(rows).prefetch_related(_mails("replies")), person)
    mails = sorted(row.messages.all(), key=lambda mail: mail.step.position if mail.step else 0)
    events: dict[uuid.UUID, list[Event]] = {}
    for event in Event.objects.filter(key__in=[mail.pk for mail in mails]).order_by("at"):
        events.setdefault(event.key, []).append(event)
    page = {
        "campaign": row.campaign,
        "enrollment": row,
        "shown": why.state_of(row),
        **_ledger(mails),
        "mails": [(mail, timeline.of_message(mail, events.get(mail.pk, []))) for mail in mails],
        # Of several conversations the one in which somebody wrote.
        "thread": Thread.objects.filter(enrollment=row)
        .order_by(F("stands_at").desc(nulls_last=True), "-created_at")
        .first(),
        "may_work": request.membership.may(Role.MEMBER),
        "edited_steps": sorted(hand_edits.of(row)),
        **enrollment_acts.offers(row),
    }
    template = "outreach/_campaign_person.html" if request.htmx else "outreach/campaign_person.html"
    return render(request, template, page)


def _ledger(mails: list[Message]) -> dict[str, Any]:
    """Every gate of the next mail that waits, asked now. A later step waits for this one."""
    waiting = next((mail for mail in mails if mail.state in STOPPABLE), None)
    if waiting is None:
        return {}
    row = own_or_404(Message.objects.select_related(*ledger.WITH), waiting.pk)
    found = ledger.opened(row, now=clock.now())
    tally = Counter(line.answer for line in found.lines)
    passing = tally[ledger.Answer.PASSES]
    return {"waiting": row, "ledger": found, "passing": passing, "asked": len(found.lines)}


@member(Role.VIEWER)
@require_GET
def campaign_log(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Campaign.objects.select_related("mailbox"), pk)
    events = audit.lines().filter(object_id=str(pk))
    page = {"campaign": row, "page": page_of(request, events), **frame(request, row)}
    return render(request, "outreach/campaign_log.html", page)


def frame(request: MemberRequest, row: Campaign) -> dict[str, Any]:
    """What the header and the tabs of each page of a campaign show."""
    return {
        "campaign": row,
        "steps": row.steps.count(),
        "people": row.enrollments.count(),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "removals" if row.kind == CampaignKind.REMOVAL else "campaigns",
    }


def _page(request: MemberRequest, row: Campaign) -> dict[str, Any]:
    show, asked = request.GET.get("show", ""), request.GET.get("q", "").strip()[:254]
    show = show if show in counts.FILTERS else ""
    tally = counts.tally_of(row)
    filters = counts.filter_counts(row)
    page = page_of(request, _people(row, show, asked))
    now = clock.now()
    forecast = forecast_of(row)
    goes = forecast.goes if forecast else {}
    states = [
        (
            person,
            why.state_of(person, now=now, goes=goes.get(person.pk, "")),
            _thread(person),
            _position(person),
        )
        for person in page
    ]
    seen = hashlib.sha256(
        repr(
            (
                row.state,
                row.pause_reason,
                tally,
                filters,
                forecast and forecast.seen,
                [(p.pk, shown, step, p.edited) for p, shown, _, step in states],
            )
        ).encode()
    )
    return {
        **frame(request, row),
        "tally": tally,
        "filters": filters,
        "show": show,
        "q": asked,
        "query": kept(show=show, q=asked),
        "page": page,
        "states": states,
        "pausing": if_paused(row, tally),
        "gates": gates(row),
        "forecast": forecast,
        "seen": seen.hexdigest()[:20],
        "every": 2 if row.state == CampaignState.RUNNING else 10,
    }


def _people(row: Campaign, show: str, asked: str) -> Any:
    """Those in doubt first, then in the order they were added, so that no row jumps while one reads."""
    people: QuerySet[Enrollment] = counts.marked(Enrollment.objects.filter(campaign=row))
    people = people.filter(counts.CONDITIONS[show]).annotate(edited=hand_edits.exists())
    if "@" in asked:
        people = people.filter(contact__address_index=address_index(asked))
    elif asked:
        people = people.filter(
            Q(contact__site__domain__icontains=asked) | Q(contact__company__icontains=asked)
        )
    return (
        moving.with_names(people)
        .select_related("campaign", "contact__site")
        .prefetch_related(_mails())
        .order_by(F("doubted").desc(), "created_at", "id")
    )


def _mails(*beside: str) -> Prefetch[Any]:
    rows = Message.objects.select_related(*why.WITH, "thread").prefetch_related(*beside)
    return Prefetch("messages", queryset=rows.order_by("created_at"))


def _thread(person: Enrollment) -> uuid.UUID | None:
    """The conversation with this person, for "Answer"."""
    if person.state != EnrollmentState.REPLIED:
        return None
    mails = sorted(person.messages.all(), key=lambda mail: mail.replied_at is None)
    return next((mail.open_thread_id for mail in mails if mail.open_thread_id), None)


def _position(person: Enrollment) -> int:
    """The step that the row's state speaks of; 0 before there is one."""
    last = why.latest(list(person.messages.all()))
    return last.step.position if last and last.step else 0
