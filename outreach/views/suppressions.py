"""Suppressions: addresses and domains that are never written to."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import suppression
from outreach.forms import SuppressionForm
from outreach.models import Suppression, SuppressionReason
from outreach.views.asking import ask
from outreach.views.listing import kept, page_of


@member(Role.VIEWER)
@require_GET
def suppressions(request: MemberRequest) -> HttpResponse:
    """The list; `?q=` finds an exact address or domain by its blind index, since values are ciphertext."""
    asked = request.GET.get("q", "").strip().lower()[:254]
    reason = request.GET.get("reason", "")
    rows = Suppression.objects.order_by("-created_at", "-id")
    if reason in SuppressionReason.values:
        rows = rows.filter(reason=reason)
    if asked:
        hit = suppression.is_suppressed(asked if "@" in asked else f"anybody@{asked}")
        rows = rows.filter(pk=hit.pk) if hit else rows.none()
    found = page_of(request, rows)
    page = {
        "page": found,
        "rows": [(row, suppression.may_lift(row)) for row in found],
        "q": asked,
        "reason": reason,
        "reasons": SuppressionReason.choices,
        "query": kept(q=asked, reason=reason),
        "may_work": request.membership.may(Role.MEMBER),
        "nav_on": "suppressions",
    }
    return render(request, "outreach/suppressions.html", page)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def suppression_new(request: MemberRequest) -> HttpResponse:
    form = SuppressionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            row = suppression.suppress(
                data["value"],
                reason=SuppressionReason.BY_HAND,
                note=data["note"],
                scope=data["scope"],
                actor=request.user,
            )
            messages.success(request, f"{row.value} is blocked. Waiting mails to it are stopped.")
            return redirect("outreach:suppressions", slug=request.workspace.slug)
        except suppression.BadValue as bad:
            form.add_error("value", str(bad))
    return render(request, "outreach/suppression_form.html", {"form": form, "nav_on": "suppressions"})


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def suppression_lift(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """An opt-out or a complaint is the other side's word: its page says so and offers no act."""
    row = own_or_404(Suppression, pk)
    back = reverse("outreach:suppressions", kwargs={"slug": request.workspace.slug})
    who = row.value or "this address"
    if not suppression.may_lift(row):
        page = {"row": row, "who": who, "back": back, "nav_on": "suppressions"}
        return render(request, "outreach/suppression_lift.html", page)
    if request.method == "POST":
        suppression.lift(row, actor=request.user)
        messages.success(request, f"{who} may be written to again")
        return redirect(back)
    effects = ["New mails may go there again. Mails that were stopped stay stopped."]
    if row.reason == SuppressionReason.BOUNCED:
        effects.append("The mailbox there bounced. If it bounces again, it is blocked again.")
    return ask(
        request,
        title=f"Lift the block on {who}",
        button="Lift the block",
        back=back,
        effects=effects,
        tone="btn-primary",
    )
