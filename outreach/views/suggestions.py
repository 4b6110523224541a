"""Mails that may be an answer: the list, and the one word that a person says of each (F37)."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts import bells
from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import suggestions, tasks
from outreach.models import Suggestion
from outreach.views.listing import page_of

SAID = {
    True: "Noted: it is the answer. Its text is fetched now, and the sequence has ended.",
    False: "Noted: it is no answer. What we knew of it is deleted, and the sequence goes on.",
}


@member(Role.VIEWER)
@require_GET
def may_be_answers(request: MemberRequest) -> HttpResponse:
    page = page_of(request, suggestions.waiting())
    return render(
        request,
        "outreach/suggestions.html",
        {"page": page, "may_work": request.membership.may(Role.MEMBER), "nav_on": "inbox"},
    )


@member(Role.MEMBER)
@require_POST
def suggestion_decide(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Suggestion.objects.select_related("thread__enrollment", "mailbox"), pk)
    word = request.POST.get("answer", "")
    if word not in ("yes", "no"):
        messages.error(request, "Say whether it is the answer or not.")
        return redirect("outreach:suggestions", slug=request.workspace.slug)
    try:
        suggestions.decide(row, is_answer=word == "yes", actor=request.user)
    except suggestions.Decided:
        messages.warning(request, "Somebody has said so in the meantime. Nothing was changed.")
        return redirect("outreach:suggestions", slug=request.workspace.slug)
    messages.success(request, SAID[word == "yes"])
    if word == "yes" and row.mailbox_id is not None:
        ids = (str(row.workspace_id), str(row.mailbox_id))
        transaction.on_commit(lambda: bells.ring(tasks.poll_mailbox, *ids))
    if request.POST.get("back") == "thread":
        return redirect("outreach:thread", slug=request.workspace.slug, pk=row.thread_id)
    return redirect("outreach:suggestions", slug=request.workspace.slug)
