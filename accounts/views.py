"""The account's own pages: landing, settings, activity log, stored service mail, legal pages."""

from __future__ import annotations

import copy
from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import connections
from django.db.utils import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts import audit
from accounts.access import MemberRequest, member
from accounts.forms import NewWorkspaceForm, ProfileForm, WorkspaceForm
from accounts.models import AuditEvent, Membership, Role, ServiceMail, User, Workspace
from accounts.workspaces import create_workspace

# Every cookie that is ever set; a test compares this with what the pages send.
COOKIES = [
    {
        "name": settings.SESSION_COOKIE_NAME,
        "purpose": "Knows that you are signed in",
        "until": "2 weeks, or sign-out",
    },
    {
        "name": settings.CSRF_COOKIE_NAME,
        "purpose": "Proves that a form came from our page",
        "until": "1 year",
    },
    {"name": "messages", "purpose": "Carries one line to the next page", "until": "that page"},
]


@login_required
@require_GET
def landing(request: HttpRequest) -> HttpResponse:
    """The person's first workspace, or the page that makes one."""
    first = (
        Membership.objects.filter(user=_user(request))
        .select_related("workspace")
        .order_by("created_at")
        .first()
    )
    return redirect(home_of(first.workspace)) if first else redirect("new_workspace")


@login_required
@require_http_methods(["GET", "POST"])
def new_workspace(request: HttpRequest) -> HttpResponse:
    form = NewWorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        row = create_workspace(_user(request), name=form.cleaned_data["name"])
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
        request.POST if about == "profile" else None, instance=copy.copy(_user(request)), prefix="me"
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


@member(Role.VIEWER)
@require_GET
def activity(request: MemberRequest) -> HttpResponse:
    events = AuditEvent.objects.select_related("actor").order_by("-at", "-id")
    page = Paginator(events, 50).get_page(request.GET.get("page"))
    return render(request, "accounts/activity.html", {"page": page})


@require_GET
def service_mail(request: HttpRequest) -> HttpResponse:
    """Service mail kept by StoredMailBackend; exists only in the demo."""
    if not settings.DEMO:
        raise Http404
    return render(request, "accounts/service_mail.html", {"mails": ServiceMail.objects.all()[:50]})


@require_GET
def privacy(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/privacy.html")


@require_GET
def cookies(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/cookies.html", {"cookies": COOKIES})


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when both databases answer, 503 with the name of the one that does not."""
    for name in ("default", "keystore"):
        try:
            with connections[name].cursor() as cursor:
                cursor.execute("SELECT 1")
        except OperationalError:
            return JsonResponse({"ready": False, "missing": name}, status=503)
    return JsonResponse({"ready": True})


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def home_of(row: Workspace) -> str:
    """Where a workspace begins. The page that stands there belongs to an app this one does not know."""
    return f"/w/{row.slug}/"


def _user(request: HttpRequest) -> User:
    """The person of a request that a decorator has let in."""
    return cast("User", request.user)
