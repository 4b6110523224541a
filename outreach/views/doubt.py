"""A mail in doubt: what we know of it, and the three words that a person may say (decisions 1)."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import timeline, why
from outreach.models import Message, MessageState
from outreach.pipeline import settle
from tracking.models import Event

SAID = {
    settle.Decision.SENT: "Noted: it was sent. The next steps follow it.",
    settle.Decision.SEND_AGAIN: "It is queued once more",
    settle.Decision.DO_NOT_SEND: "It is not sent",
}


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def doubt(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    rows = Message.objects.select_related(*why.WITH, "thread").prefetch_related("replies")
    row = own_or_404(rows, pk)
    if request.method == "POST":
        try:
            decision = settle.Decision(request.POST.get("decision", ""))
            settle.decide(row, decision, actor=request.user)
            messages.success(request, SAID[decision])
        except settle.NotInDoubt:
            messages.warning(request, "This was settled in the meantime. Nothing was changed.")
        except ValueError:
            messages.error(request, "Choose one of the three.")
        return redirect(request.get_full_path())
    page = {
        "mail": row,
        "shown": why.state_of(row),
        "open": row.state == MessageState.DOUBT,
        "entries": timeline.of_message(row, Event.objects.filter(key=row.pk).order_by("at")),
        "nav_on": "campaigns",
    }
    return render(request, "outreach/doubt.html", page)
