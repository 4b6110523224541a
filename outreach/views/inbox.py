"""The inbox and one conversation: reading and answering. What else is done with one: inbox_acts."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from outreach import attachments, looking
from outreach.inbox import answering, presence
from outreach.models import Thread
from outreach.pipeline import compose
from outreach.views import inbox_page

LONGEST_ANSWER = 50_000


@member(Role.VIEWER)
@require_GET
def inbox(request: MemberRequest) -> HttpResponse:
    """The list with its first conversation; with `?live=` only the list, or 204 while nothing changed."""
    page = inbox_page.list_pane(request)
    if "live" in request.GET:
        if request.GET["live"] == page["seen"]:
            return HttpResponse(status=204)
        page |= {"live": True, "on": request.GET.get("on", "")}
        return render(request, "outreach/_inbox_list.html", page)
    looking.inbox_opened()
    first = page["rows"][0].thread if page["rows"] else None
    if first is not None:
        page.update(inbox_page.thread_panes(request, inbox_page.own(first.pk)))
    return render(request, "outreach/inbox.html", page | inbox_page.choices(request, page["wanted"]))


@member(Role.VIEWER)
@require_GET
def thread(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """The conversation; with `?live=` its mails and who writes, or 204 while neither has changed."""
    row = inbox_page.own(pk)
    if "live" in request.GET:
        page = inbox_page.mails_pane(request, row)
        if request.GET["live"] == page["mails_seen"]:
            return HttpResponse(status=204)
        return render(request, "outreach/_thread_mails.html", page | {"live": True})
    return render(request, "outreach/inbox.html", inbox_page.whole(request, row))


@member(Role.MEMBER)
@require_POST
def thread_answer(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """Queue the answer; the page minted the id, so that a second press makes no second mail.

    What came in since the page was made is shown first, beside a button that sends all the same.
    """
    row = inbox_page.own(pk)
    text = request.POST.get("text", "")
    confirmed = request.POST.get("confirmed") == "yes"
    try:
        compose_id = uuid.UUID(request.POST.get("compose_id", ""))
    except ValueError:
        return _again(request, row, text, problem="The page was too old. Press Send once more.")
    problems = attachments.take(
        row, compose_id=compose_id, files=request.FILES.getlist("file"), actor=request.user
    )
    if problems:
        return _again(request, row, text, compose_id=compose_id, problem=" ".join(problems))
    if len(text) > LONGEST_ANSWER:
        words = f"This has {len(text):,} characters; an answer takes {LONGEST_ANSWER:,}."
        return _again(request, row, text, compose_id=compose_id, problem=words)
    try:
        with transaction.atomic():
            # A second answer waits here until the first is there to be seen.
            own_or_404(Thread.objects.select_for_update(of=("self",), no_key=True), pk)
            if request.POST.get("despite") != "yes":
                token = request.POST.get("seen", "")
                came = answering.since(row, token, but=compose_id)
                if came:
                    return _again(request, row, text, compose_id=compose_id, came=came)
            compose.write_answer(
                row, compose_id=compose_id, text=text, actor=request.user, confirmed=confirmed
            )
    except compose.NeedsConfirmation as asks:
        return _again(request, row, text, compose_id=compose_id, asks=str(asks))
    except compose.Blocked as blocked:
        return _again(request, row, text, compose_id=compose_id, problem=str(blocked))
    presence.tell(pk, request.user, writes=False)
    messages.success(request, "The answer goes out in a moment")
    here = reverse("outreach:thread", kwargs={"slug": request.workspace.slug, "pk": pk})
    return redirect(inbox_page.with_filters(request, here))


def _again(
    request: MemberRequest,
    row: Thread,
    text: str,
    *,
    compose_id: uuid.UUID | None = None,
    problem: str = "",
    asks: str = "",
    came: answering.Since | None = None,
) -> HttpResponse:
    """The page with the typed text, and what stands against sending it."""
    page = inbox_page.whole(request, row)
    page |= {"text": text, "problem": problem or asks, "compose_id": compose_id or uuid.uuid4(), "came": came}
    page["files"] = attachments.waiting(page["compose_id"], actor=request.user)
    return render(request, "outreach/inbox.html", page, status=422)
