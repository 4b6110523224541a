"""Invitations: sent and taken back by admins, accepted by whom they are for."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404, person_of, public
from accounts.membership import invitations, invited
from accounts.membership.forms import InvitationForm
from accounts.membership.invitations import ForAnother, Gone
from accounts.membership.members import NotAllowed
from accounts.membership.notices import a_role
from accounts.models import Invitation, Membership, Role, Workspace
from accounts.people.proof import recently_proved
from accounts.projects import projects
from accounts.tenancy import workspace
from accounts.views.workspaces import home_of


@member(Role.ADMIN)
@recently_proved("Invite somebody")
@require_http_methods(["GET", "POST"])
def invitation_new(request: MemberRequest) -> HttpResponse:
    form = InvitationForm(
        request.POST or None, roles=invitations.invitable(request.membership), names=projects().names()
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = invitations.invite(
                form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                limited_to=form.chosen,
                actor=request.membership,
            )
            messages.success(request, f"The invitation goes to {row.email}")
            return redirect("members", slug=request.workspace.slug)
        except NotAllowed as no:
            form.add_error("email", str(no))
    status = 422 if form.is_bound else 200
    return render(
        request, "accounts/invitation_form.html", {"form": form, "nav_on": "members"}, status=status
    )


@member(Role.ADMIN)
@recently_proved("Send an invitation again")
@require_POST
def invitation_resend(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Invitation, pk)
    try:
        invitations.resend(row, actor=request.membership)
        messages.success(request, f"A new link goes to {row.email}. The old one is dead.")
    except NotAllowed as no:
        messages.error(request, str(no))
    return redirect("members", slug=request.workspace.slug)


@member(Role.ADMIN)
@require_POST
def invitation_withdraw(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Invitation, pk)
    if invitations.withdraw(row, actor=request.user):
        messages.success(request, f"The link that {row.email} has is dead")
    return redirect("members", slug=request.workspace.slug)


@public("whoever was mailed the link; to accept, an account with the invited address is needed")
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, place: str, token: str) -> HttpResponse:
    """GET shows, POST accepts; `place` is the workspace's SID.

    A link that is no longer good looks the same, whatever the reason.
    """
    here = Workspace.objects.filter(sid=place, suspended_at=None).first()
    if here is None:
        return _gone(request)
    with workspace(here):
        try:
            row = invitations.find(token)
            if not request.user.is_authenticated:
                return _to_entrance(request, row, here)
            user = person_of(request)
            if not invitations.is_for(row, user):
                raise ForAnother
            if request.method == "POST":
                invitations.accept(token, user=user)
                invited.forget(request)
                messages.success(request, f"You are in {here.name}")
                return redirect(home_of(here))
        except Gone:
            return _gone(request)
        except ForAnother:
            return render(request, "accounts/join_other.html", {"here": here}, status=403)
        page = {
            "here": here,
            "as_role": a_role(Role(row.role)),
            "inviter": row.invited_by,
            "is_in": Membership.objects.filter(workspace=here, user=user).exists(),
        }
        return render(request, "accounts/join.html", page)


def _to_entrance(request: HttpRequest, row: Invitation, here: Workspace) -> HttpResponse:
    """Signed out: the address waits in this browser for the sign-in or the sign-up, and leads back here."""
    invited.remember(request, path=request.path, address=str(row.email))
    page = {
        "here": here,
        "as_role": a_role(Role(row.role)),
        "inviter": row.invited_by,
        "signed_out": True,
        "sign_in": f"{reverse('account_login')}?next={request.path}",
        "sign_up": f"{reverse('account_signup')}?next={request.path}",
    }
    return render(request, "accounts/join.html", page)


def _gone(request: HttpRequest) -> HttpResponse:
    invited.forget(request)
    return render(request, "accounts/join_gone.html", status=404)
