"""Members: who is here, and what admins and owners do about it. Leaving and ownership too."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.asking import ask
from accounts.membership import invitations, members, roster
from accounts.membership.forms import MAY, ProjectsForm, RoleForm
from accounts.membership.members import NotAllowed
from accounts.models import Membership, Role
from accounts.people.proof import recently_proved
from accounts.projects import projects

PER_PAGE = 50


@member(Role.VIEWER)
@require_GET
def members_page(request: MemberRequest) -> HttpResponse:
    page = Paginator(roster.members_of(request.workspace), PER_PAGE).get_page(request.GET.get("page"))
    is_admin = request.membership.may(Role.ADMIN)
    context = {
        "page": page,
        "lines": roster.lines_of(list(page), me=request.membership),
        "is_admin": is_admin,
        "invitations": invitations.open_invitations()[:100] if is_admin else [],
        "names": {one.id.hex: one.name for one in projects().names()} if is_admin else {},
        "nav_on": "members",
    }
    return render(request, "accounts/members.html", context)


@member(Role.VIEWER)
@require_GET
def member_page(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return _page(request, _member(request, pk))


@member(Role.ADMIN)
@recently_proved("Change a role")
@require_POST
def member_role(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _member(request, pk)
    form = RoleForm(request.POST, roles=members.grantable(request.membership))
    if not form.is_valid():
        return _page(request, row, role_form=form)
    role = Role(form.cleaned_data["role"])
    try:
        changed = members.change_role(row, role, actor=request.membership)
    except NotAllowed as no:
        form.add_error("role", str(no))
        return _page(request, row, role_form=form)
    if changed:
        messages.success(request, f"{row.user.short_name} is {role.label.lower()} now")
    return _back(request, row)


@member(Role.ADMIN)
@recently_proved("Set which projects a member sees")
@require_POST
def member_projects(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _member(request, pk)
    form = ProjectsForm(request.POST, names=projects().names())
    if not form.is_valid():
        return _page(request, row, projects_form=form)
    try:
        members.limit_projects(row, form.chosen, actor=request.membership)
    except NotAllowed as no:
        form.add_error(None, str(no))
        return _page(request, row, projects_form=form)
    messages.success(request, f"Saved for {row.user.short_name}. It holds from the next page on.")
    return _back(request, row)


@member(Role.ADMIN)
@require_http_methods(["GET", "POST"])
def member_remove(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """No proof is asked: ending access is never slower than giving it."""
    row = _member(request, pk)
    if request.method == "POST":
        try:
            members.remove(row, actor=request.membership)
        except NotAllowed as no:
            messages.error(request, str(no))
            return _back(request, row)
        messages.success(request, f"{row.user.short_name} is out")
        return redirect("members", slug=request.workspace.slug)
    return ask(
        request,
        title=f"Remove {row.user.get_full_name()}",
        button=f"Remove {row.user.short_name}",
        back=_url(request, row),
        effects=[
            "The person is out with the next click, in every browser.",
            "Access to mailboxes that this person connected here ends in the same moment, as by the bin: "
            "campaigns that send from them stop, and their mail is deleted here.",
            "API keys that this person made end too. Texts, contacts and projects stay.",
        ],
    )


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def leave(request: MemberRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            members.leave(request.membership)
        except NotAllowed as no:
            messages.error(request, str(no))
            return redirect("members", slug=request.workspace.slug)
        return redirect("landing")
    return ask(
        request,
        title=f"Leave {request.workspace.name}",
        button="Leave the workspace",
        back=reverse("members", kwargs={"slug": request.workspace.slug}),
        effects=[
            "You see nothing of it any more. To come back you need an invitation.",
            "Access to mailboxes that you connected here ends in the same moment, as by the bin: campaigns "
            "that send from them stop, and their mail is deleted here.",
            "API keys that you made here end too. Texts, contacts and projects stay.",
        ],
    )


@member(Role.OWNER)
@recently_proved("Give the workspace to somebody else")
@require_http_methods(["GET", "POST"])
def member_transfer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = _member(request, pk)
    if request.method == "POST":
        try:
            members.transfer(row, actor=request.membership)
        except NotAllowed as no:
            messages.error(request, str(no))
            return _back(request, row)
        messages.success(request, f"{row.user.short_name} owns the workspace now")
        return redirect("members", slug=request.workspace.slug)
    return ask(
        request,
        title=f"Make {row.user.get_full_name()} the owner",
        button=f"Give it to {row.user.short_name}",
        back=_url(request, row),
        effects=[
            f"{row.user.short_name} owns {request.workspace.name}, and may close it.",
            "You stay as an admin. Only an owner can give it back to you.",
        ],
    )


def _member(request: MemberRequest, pk: uuid.UUID) -> Membership:
    return own_or_404(roster.members_of(request.workspace), pk)


def _page(request: MemberRequest, row: Membership, **forms: Any) -> HttpResponse:
    me = request.membership
    line = roster.lines_of([row], me=me)[0]
    names = projects().names() if line.may_act else []
    limited = [str(one.id) for one in line.limited_to or ()]
    context = {
        "line": line,
        "may": MAY[Role(row.role)],
        "role_form": RoleForm(roles=members.grantable(me), initial={"role": row.role}),
        "projects_form": ProjectsForm(
            names=names, initial={"all_projects": row.all_projects, "projects": limited}
        ),
        "sees_all": row.may(Role.ADMIN),
        "may_transfer": me.role == Role.OWNER and not line.is_me and row.role != Role.OWNER,
        "nav_on": "members",
        **forms,
    }
    status = 422 if any(form.errors for form in forms.values()) else 200
    return render(request, "accounts/member.html", context, status=status)


def _url(request: MemberRequest, row: Membership) -> str:
    return reverse("member", kwargs={"slug": request.workspace.slug, "pk": row.pk})


def _back(request: MemberRequest, row: Membership) -> HttpResponse:
    return redirect(_url(request, row))
