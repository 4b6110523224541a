"""Coming in: the last used workspace, a new one, its settings."""

from __future__ import annotations

import copy

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit
from accounts.access import MemberRequest, member, person_of, signed_in
from accounts.forms import NewWorkspaceForm, ProfileForm, WorkspaceForm
from accounts.membership import invited
from accounts.middleware import LAST
from accounts.models import Membership, Role, Workspace
from accounts.people.factors import has_second_factor
from accounts.people.proof import lead_to_proof
from accounts.workspaces import create_workspace


@signed_in
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """An invitation that waited for the sign-in; the last used workspace, else the first; or a new one."""
    waiting = invited.invited(request)
    if waiting is not None:
        invited.forget(request)
        return redirect(waiting.path)
    places = Membership.objects.filter(user=person_of(request)).select_related("workspace")
    last = places.filter(workspace__slug=request.session.get(LAST, "")).first()
    place = last or places.order_by("created_at").first()
    return redirect(home_of(place.workspace)) if place else redirect("new_workspace")


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
def workspace_settings(request: MemberRequest) -> HttpResponseBase:
    """Name, postal address and defaults of the workspace (admins), and the person's own name."""
    about = request.POST.get("about", "")
    if about == "factors":
        return _require_factors(request)
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
            audit.record(
                "workspace.changed",
                f"Workspace settings changed: {changed}",
                actor=request.user,
                object_id=request.workspace.pk,
            )
        messages.success(request, "Workspace settings are saved" if asked is form else "Your name is saved")
        return redirect("settings", slug=request.workspace.slug)
    page = {
        "form": form,
        "profile": profile,
        "may_edit": may_edit,
        "is_owner": request.membership.role == Role.OWNER,
        "has_factor": has_second_factor(request.user),
        "nav_on": "settings",
    }
    return render(request, "accounts/settings.html", page, status=422 if asked is not None else 200)


def _require_factors(request: MemberRequest) -> HttpResponseBase:
    """Owners alone, with a factor of their own: nobody locks the whole workspace out, themselves included."""
    if not request.membership.may(Role.OWNER):
        raise PermissionDenied("An owner decides whether a second factor is needed.")
    led = lead_to_proof(request, act="Change who may come in")
    if led is not None:
        return led
    wanted = request.POST.get("required") == "yes"
    if wanted and not has_second_factor(request.user):
        messages.error(request, "Set up a second factor of your own first.")
        return redirect("settings", slug=request.workspace.slug)
    changed = Workspace.objects.filter(pk=request.workspace.pk, requires_two_factors=not wanted)
    if changed.update(requires_two_factors=wanted):
        words = "is needed from everybody now" if wanted else "is not needed any more"
        audit.record(
            "workspace.factors",
            f"A second factor {words}",
            actor=request.user,
            object_id=request.workspace.pk,
        )
        messages.success(request, f"A second factor {words}")
    return redirect("settings", slug=request.workspace.slug)


def home_of(row: Workspace) -> str:
    """Where a workspace begins. The page that stands there belongs to an app this one does not know."""
    return f"/w/{row.slug}/"
