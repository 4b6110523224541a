"""Coming in: the last used workspace, a new one, its settings."""

from __future__ import annotations

import copy

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit
from accounts.access import MemberRequest, member, person_of, signed_in
from accounts.forms import NewWorkspaceForm, ProfileForm, WorkspaceForm
from accounts.models import Membership, Role, Workspace
from accounts.workspaces import create_workspace


@signed_in
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """The person's first workspace, or the page that makes one."""
    first = (
        Membership.objects.filter(user=person_of(request))
        .select_related("workspace")
        .order_by("created_at")
        .first()
    )
    return redirect(home_of(first.workspace)) if first else redirect("new_workspace")


@signed_in
@require_http_methods(["GET", "POST"])
def new_workspace(request: HttpRequest) -> HttpResponse:
    form = NewWorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = create_workspace(person_of(request), name=form.cleaned_data["name"])
        return redirect(home_of(row))
    return render(
        request, "accounts/new_workspace.html", {"form": form}, status=422 if form.is_bound else 200
    )


@member(Role.VIEWER)
@require_http_methods(["GET", "POST"])
def workspace_settings(request: MemberRequest) -> HttpResponse:
    """Name, postal address and defaults of the workspace (admins), and the person's own name."""
    about = request.POST.get("about", "")
    may_edit = request.membership.may(Role.ADMIN)
    if about == "workspace" and not may_edit:
        raise PermissionDenied
    # Copies: a refused value must not show in the page's own shell.
    form = WorkspaceForm(
        request.POST if about == "workspace" else None, instance=copy.copy(request.workspace), prefix="ws"
    )
    profile = ProfileForm(
        request.POST if about == "profile" else None, instance=copy.copy(person_of(request)), prefix="me"
    )
    forms: dict[str, WorkspaceForm | ProfileForm] = {"workspace": form, "profile": profile}
    asked = forms.get(about)
    if asked is not None and asked.is_valid():
        asked.save()
        if asked is form and form.changed_data:
            changed = ", ".join(str(form.fields[name].label).lower() for name in form.changed_data)
            audit.record("workspace.changed", f"Workspace settings changed: {changed}", actor=request.user)
        messages.success(request, "Workspace settings are saved" if asked is form else "Your name is saved")
        return redirect("settings", slug=request.workspace.slug)
    page = {"form": form, "profile": profile, "may_edit": may_edit, "nav_on": "settings"}
    return render(request, "accounts/settings.html", page, status=422 if asked is not None else 200)


def home_of(row: Workspace) -> str:
    """Where a workspace begins. The page that stands there belongs to an app this one does not know."""
    return f"/w/{row.slug}/"
