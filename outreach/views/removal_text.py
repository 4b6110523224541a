"""The text of a project's removal requests, beside what one site would get."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import campaigns, readiness, rendering, templating
from outreach.forms_removals import RequestTextForm
from outreach.links import request_text
from outreach.links.counting import STILL_THERE
from outreach.links.request_text import Part
from outreach.models import Backlink, Campaign, CampaignState, Project, RemovalCase
from outreach.problems import Problem
from outreach.views.checks import number


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def removal_text(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    project = own_or_404(Project, pk)
    may_edit = request.membership.may(Role.MEMBER)
    campaign = request_text.campaign_of(project)
    if request.method == "POST" and not may_edit:
        raise PermissionDenied("Your role here reads only.")
    if request.method == "POST":
        campaign = campaign or request_text.prepare(project, actor=request.user)
        if request.POST.get("step") == "prepare":
            return redirect("outreach:removal_text", slug=request.workspace.slug, pk=pk)
        form = RequestTextForm(request.POST)
        if form.is_valid() and _save(request, campaign, form):
            return redirect("outreach:removal_text", slug=request.workspace.slug, pk=pk)
        return render(
            request, "outreach/removal_text.html", _page(request, project, campaign, form), status=422
        )
    if campaign is None:
        page = {"project": project, "campaign": None, "may_edit": may_edit}
        return render(request, "outreach/removal_text.html", page)
    form = RequestTextForm(initial=_initial(campaign))
    return render(request, "outreach/removal_text.html", _page(request, project, campaign, form))


def _save(request: MemberRequest, campaign: Campaign, form: RequestTextForm) -> bool:
    data = form.cleaned_data
    parts = [
        Part(data["body"], subject=data["subject"]),
        Part(data["body_2"], data["wait_2"]),
        Part(data["body_3"], data["wait_3"]),
    ]
    try:
        request_text.save(campaign, parts, mailbox=data["mailbox"], actor=request.user)
    except campaigns.NotAllowed as no:
        form.add_error(None, str(no))
        return False
    campaign = request_text.campaign_of(campaign.project) or campaign
    wrong = _problems(campaign)
    if wrong:
        messages.warning(request, f"Saved, but nothing can be sent yet: {wrong[0].sentence}")
    else:
        messages.success(request, "Saved")
    return True


def _problems(campaign: Campaign) -> list[Problem]:
    found = readiness.readiness(campaign).problems
    return [problem for problem in found if problem.code not in ("nobody", "nobody_ready")]


def _initial(campaign: Campaign) -> dict[str, Any]:
    values: dict[str, Any] = {"mailbox": campaign.mailbox_id, "wait_2": 5, "wait_3": 7}
    for step in campaign.steps.all():
        body = step.body if campaign.text_only else rendering.text_of(step.body)
        if step.position == 1:
            values |= {"subject": step.subject, "body": body}
        else:
            values |= {f"body_{step.position}": body, f"wait_{step.position}": step.wait_days or 4}
    return values


def _page(
    request: MemberRequest, project: Project, campaign: Campaign, form: RequestTextForm
) -> dict[str, Any]:
    n = number(request.GET.get("n"))
    rows = RemovalCase.objects.filter(project=project, verdict="remove", contact__isnull=False)
    count = rows.count()
    n = min(n, max(count, 1))
    case = rows.select_related("site", "contact__site").order_by("site__domain")[n - 1 : n].first()
    previews, problem = _previews(campaign, case)
    return {
        "project": project,
        "campaign": campaign,
        "form": form,
        "may_edit": request.membership.may(Role.MEMBER) and campaign.state != CampaignState.CANCELLED,
        "problems": _problems(campaign),
        "warnings": readiness.readiness(campaign).warnings,
        "case": case,
        "n": n,
        "count": count,
        "previews": previews,
        "problem": problem,
    }


def _previews(campaign: Campaign, case: RemovalCase | None) -> tuple[list[rendering.Rendered], str]:
    """The mails that this site would get, word for word; or why they cannot be filled in."""
    if case is None or case.contact is None:
        return [], ""
    links = Backlink.objects.filter(case=case, state__in=STILL_THERE).order_by("source_url")
    urls = list(dict.fromkeys(links.values_list("source_url", flat=True)))
    try:
        steps = list(campaign.steps.select_related("campaign__mailbox", "campaign__project"))
        return [rendering.preview(step, case.contact, links=urls) for step in steps], ""
    except templating.BadTemplate as bad:
        return [], str(bad)
