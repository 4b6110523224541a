"""Projects: what groups campaigns and removal work."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.people.proof import recently_proved
from accounts.viewpoint import sees_all_projects, whole_workspace
from outreach import campaigns
from outreach.forms import ProjectForm
from outreach.models import (
    Campaign,
    CampaignKind,
    CampaignState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Reply,
)
from outreach.models.messages import STOPPABLE
from outreach.views.asking import ask
from outreach.views.campaign_counts import with_counts
from outreach.views.listing import page_of

OUTREACH = Q(campaigns__kind=CampaignKind.OUTREACH)
RUNNING = OUTREACH & Q(campaigns__state=CampaignState.RUNNING)


@member(Role.VIEWER)
@require_GET
def projects(request: MemberRequest) -> HttpResponse:
    rows = Project.objects.annotate(
        campaign_count=Count("campaigns", filter=OUTREACH, distinct=True),
        running_count=Count("campaigns", filter=RUNNING, distinct=True),
        case_count=Count("cases", distinct=True),
    ).order_by("name")
    return render(
        request,
        "outreach/projects.html",
        {
            "page": page_of(request, rows),
            "nav_on": "campaigns",
            "may_make": request.membership.may(Role.MEMBER) and sees_all_projects(),
        },
    )


@member(Role.VIEWER)
@require_GET
def project(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Project, pk)
    found = with_counts(Campaign.objects.filter(project=row, kind=CampaignKind.OUTREACH)).order_by(
        "-created_at", "-id"
    )
    sent = Message.objects.filter(project=row, state=MessageState.SENT).aggregate(
        mails=Count("id"), last=Max("sent_at")
    )
    page = {
        "project": row,
        "page": page_of(request, found),
        "sent": sent,
        "replies": Reply.objects.filter(thread__project=row, kind="reply").count(),
        "cases": RemovalCase.objects.filter(project=row).count(),
        "nav_on": "campaigns",
        "may_work": request.membership.may(Role.MEMBER),
    }
    return render(request, "outreach/project.html", page)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def project_new(request: MemberRequest) -> HttpResponse:
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = form.save()
        audit.record("project.created", f"Project {row.name} made", actor=request.user, object_id=row.pk)
        messages.success(request, f"Project {row.name} made")
        return redirect("outreach:project", slug=request.workspace.slug, pk=row.pk)
    return render(request, "outreach/project_form.html", {"form": form, "nav_on": "campaigns"})


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def project_edit(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Project, pk)
    form = ProjectForm(request.POST or None, project=row)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.record("project.changed", f"Project {row.name} changed", actor=request.user, object_id=row.pk)
        messages.success(request, "Saved")
        return redirect("outreach:project", slug=request.workspace.slug, pk=row.pk)
    page = {"form": form, "project": row, "nav_on": "campaigns"}
    return render(request, "outreach/project_form.html", page)


@member(Role.MEMBER)
@recently_proved("Delete the project and its mail")
@require_http_methods(["GET", "POST"])
def project_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Deleting a project deletes its mail (promises 5): the dialog names the numbers."""
    row = own_or_404(Project, pk)
    slug = request.workspace.slug
    if request.method == "POST":
        campaigns.delete_project(row, actor=request.user)
        messages.success(request, f"Project {row.name} and its mail are deleted")
        return redirect("outreach:projects", slug=slug)
    with whole_workspace("the number on the button is what goes, private replies included"):
        mails = Message.objects.filter(project=row)
        replies = Reply.objects.filter(thread__project=row).count()
        count = Campaign.objects.filter(project=row, kind=CampaignKind.OUTREACH).count()
    stored = mails.count() + replies
    return ask(
        request,
        title=f"Delete {row.name}",
        button=f"Delete {stored:,} mail{'' if stored == 1 else 's'}",
        symbol="trash",
        back=reverse("outreach:project", kwargs={"slug": slug, "pk": pk}),
        text="This cannot be undone.",
        effects=[
            f"{mails.filter(state__in=STOPPABLE).count():,} waiting mails are cancelled at once.",
            f"{count:,} campaigns, {mails.count():,} mails, {replies:,} replies are deleted here. "
            "What lies in your own mailbox stays there.",
            "Contacts, sites and suppressions stay: they belong to the workspace.",
        ],
    )
