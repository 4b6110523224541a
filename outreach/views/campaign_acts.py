"""What a person does with a campaign: pause, resume, cancel, duplicate, delete."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.viewpoint import whole_workspace
from outreach import campaigns
from outreach.models import Campaign, Message, Reply
from outreach.models.messages import STOPPABLE
from outreach.views.asking import ask


@member(Role.MEMBER)
@require_POST
def campaign_pause(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Campaign, pk)
    if campaigns.pause(row, actor=request.user):
        messages.success(
            request, f"{row.name} is paused", extra_tags=f"undo:{_url(request, 'campaign_resume', pk)}"
        )
    return _back(request, pk)


@member(Role.MEMBER)
@require_POST
def campaign_resume(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Campaign, pk)
    try:
        if campaigns.resume(row, actor=request.user):
            messages.success(request, f"{row.name} runs again")
    except campaigns.NotAllowed as no:
        messages.error(request, str(no))
    return _back(request, pk)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_cancel(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Campaign, pk)
    if request.method == "POST":
        try:
            count = campaigns.cancel(row, actor=request.user)
            messages.success(request, f"{row.name} is cancelled, with {_mails(count)}")
        except campaigns.NotAllowed as no:
            messages.error(request, str(no))
        return _back(request, pk)
    waiting = Message.objects.filter(campaign=row, state__in=STOPPABLE)
    people = waiting.values("enrollment").distinct().count()
    return ask(
        request,
        title=f"Cancel {row.name}",
        button=f"Cancel {_mails(waiting.count())}",
        back=_url(request, "campaign", pk),
        text="A cancelled campaign cannot be resumed. To stop for a while, pause it.",
        effects=[
            f"{_mails(waiting.count())} to {people:,} {'person' if people == 1 else 'people'} will not go.",
            "A mail that is being sent this second may still go.",
            "Replies and bounces of mails that went out still arrive here.",
        ],
    )


@member(Role.MEMBER)
@require_POST
def campaign_duplicate(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    copy = campaigns.duplicate(own_or_404(Campaign, pk), actor=request.user)
    messages.success(request, "The copy is a draft with the same steps and nobody in it")
    return redirect("outreach:campaign_compose", slug=request.workspace.slug, pk=copy.pk)


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def campaign_delete(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    row = own_or_404(Campaign, pk)
    if request.method == "POST":
        campaigns.delete(row, actor=request.user)
        messages.success(request, f"{row.name} and its mail are deleted")
        return redirect("outreach:campaigns", slug=request.workspace.slug)
    with whole_workspace("the number on the button is what goes, private replies included"):
        mails = Message.objects.filter(campaign=row)
        replies = Reply.objects.filter(thread__campaign=row).count()
    stored = mails.count() + replies
    return ask(
        request,
        title=f"Delete {row.name}",
        button=f"Delete {_mails(stored)}" if stored else "Delete the campaign",
        symbol="trash",
        back=_url(request, "campaign", pk),
        text="This cannot be undone.",
        effects=_deleted_with(mails.count(), mails.filter(state__in=STOPPABLE).count(), replies),
    )


def _deleted_with(mails: int, waiting: int, replies: int) -> list[str]:
    if not mails + replies:
        return ["No mail has been written. Its steps and settings go.", "Contacts and suppressions stay."]
    effects = [f"{_mails(waiting)} that wait{'s' if waiting == 1 else ''} {_is(waiting)} cancelled at once."]
    answers = f" and {replies:,} {'reply' if replies == 1 else 'replies'}" if replies else ""
    return [
        *(effects if waiting else []),
        f"{_mails(mails)}{answers} {_is(mails + replies)} deleted here. "
        "What lies in your mailbox stays there.",
        "Contacts and suppressions stay. Opt-out links in mails that went out keep working.",
    ]


def _is(count: int) -> str:
    return "is" if count == 1 else "are"


def _mails(count: int) -> str:
    return f"{count:,} mail{'' if count == 1 else 's'}"


def _url(request: MemberRequest, name: str, pk: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": pk})


def _back(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    return redirect("outreach:campaign", slug=request.workspace.slug, pk=pk)
