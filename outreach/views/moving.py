"""Selected people of a campaign go to another one; Undo brings them back."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import Truncator
from django.views.decorators.http import require_http_methods, require_POST

from accounts.access import MemberRequest, member, own_or_404
from accounts.models import Role
from accounts.templatetags.ui import plural
from outreach import moving
from outreach.enrollments import OPEN
from outreach.models import Campaign, CampaignKind, Enrollment, Message
from outreach.pipeline import compose
from outreach.views.enrollment_acts import moment_of
from outreach.views.listing import ids_of

# So many campaigns are offered, the newest; and so many people are named for one reason.
MOST_OFFERED, MOST_NAMED = 200, 3


class MoveForm(forms.Form):
    to = forms.ChoiceField(
        label="To campaign",
        error_messages={
            "required": "Choose a campaign.",
            "invalid_choice": "That campaign takes nobody. Choose another.",
        },
    )

    def __init__(self, data: object, *, campaign: Campaign) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.found = {str(row.pk): row for row in moving.targets(campaign)[:MOST_OFFERED]}
        cast("forms.ChoiceField", self.fields["to"]).choices = [
            (pk, f"{Truncator(row.name).chars(60)} ({row.project.name}, {row.get_state_display().lower()})")
            for pk, row in self.found.items()
        ]


@member(Role.MEMBER)
@require_http_methods(["GET", "POST"])
def enrollments_move(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`person` names them, in the address: the selection posts them once and is led there."""
    campaign = own_or_404(Campaign.objects.filter(kind=CampaignKind.OUTREACH), pk)
    if request.method == "POST" and "to" not in request.POST and request.POST.getlist("person"):
        query = urlencode(
            {"person": [str(one) for one in ids_of(request.POST.getlist("person"))]}, doseq=True
        )
        return redirect(f"{_url(request, 'enrollments_move', pk)}?{query}")
    rows = Enrollment.objects.filter(campaign=campaign, pk__in=ids_of(request.GET.getlist("person")))
    chosen = list(rows.filter(state__in=OPEN).select_related("contact"))
    if not chosen:
        messages.warning(request, "Nobody of the selection is still in the campaign.")
        return redirect("outreach:campaign", slug=request.workspace.slug, pk=pk)
    form = MoveForm(request.POST or None, campaign=campaign)
    if request.method == "POST" and form.is_valid():
        to = form.found[form.cleaned_data["to"]]
        try:
            done = moving.move(rows, to, actor=request.user)
            return _moved(request, campaign, to, done)
        except (moving.NotMoved, compose.NotReady) as no:
            form.add_error("to", str(no))
    page = {
        "campaign": campaign,
        "form": form,
        "count": len(chosen),
        "person": chosen[0],
        "waiting": Message.objects.stoppable().filter(enrollment__in=chosen).count(),
        "nav_on": "campaigns",
    }
    return render(request, "outreach/move.html", page, status=422 if form.errors else 200)


@member(Role.MEMBER)
@require_POST
def enrollments_move_back(request: MemberRequest, pk: uuid.UUID) -> HttpResponse:
    """`?since=`: those who were moved in this moment."""
    campaign = own_or_404(Campaign.objects.filter(kind=CampaignKind.OUTREACH), pk)
    since = moment_of(request.GET.get("since", ""))
    rows = Enrollment.objects.filter(campaign=campaign, stopped_at=since) if since else None
    done = moving.move_back(rows, actor=request.user) if rows is not None else moving.Moved(0)
    if done.count:
        messages.success(request, f"{plural(done.count, 'person is,people are')} back in this campaign")
    if done.stayed:
        messages.warning(request, f"Not brought back: {_told(done)}")
    if not done.count and not done.stayed:
        messages.warning(request, "Nobody was left to be brought back.")
    return redirect("outreach:campaign", slug=request.workspace.slug, pk=pk)


def _moved(request: MemberRequest, campaign: Campaign, to: Campaign, done: moving.Moved) -> HttpResponse:
    if done.count and done.at:
        query = urlencode({"since": done.at.isoformat()})
        undo = f"{_url(request, 'enrollments_move_back', campaign.pk)}?{query}"
        words = f"{plural(done.count, 'person,people')} moved to “{Truncator(to.name).chars(60)}”"
        messages.success(request, words, extra_tags=f"undo:{undo}")
    if done.stayed:
        stay = "1 person stays" if len(done.stayed) == 1 else f"{len(done.stayed):,} people stay"
        messages.warning(request, f"{stay} here. {_told(done)}")
    return redirect("outreach:campaign", slug=request.workspace.slug, pk=campaign.pk)


def _told(done: moving.Moved) -> str:
    """Each reason once, with the first people that it is about."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for row, sentence in done.stayed:
        by_reason[sentence].append(row.contact.address)
    parts = []
    for sentence, people in by_reason.items():
        others = f" and {len(people) - MOST_NAMED:,} more" if len(people) > MOST_NAMED else ""
        parts.append(f"{', '.join(people[:MOST_NAMED])}{others}: {sentence}")
    return " ".join(parts)


def _url(request: MemberRequest, name: str, campaign: uuid.UUID) -> str:
    return reverse(f"outreach:{name}", kwargs={"slug": request.workspace.slug, "pk": campaign})
